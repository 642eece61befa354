"""The installed command on the fixture repositories, and on copies of them in which everything has another name."""

from __future__ import annotations

import ast
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
REPOS = ROOT / "fixtures" / "repos"
COMMAND = Path(sys.executable).with_name("cmgan-audit")

# Public repositories at fixed commits, laid out as owner+name@commit7 in the folder that this variable names.
CHECKOUTS = os.environ.get("CMGAN_AUDIT_CHECKOUTS", "")


def check(folder: Path, *flags: str) -> tuple[int, dict[str, Any]]:
    run = subprocess.run(
        [COMMAND, "check", folder, "--format", "json", *flags], capture_output=True, text=True, check=False, timeout=120
    )
    assert run.returncode in (0, 1), run.stderr
    return run.returncode, json.loads(run.stdout)


def rules(report: dict[str, Any], below: str = "") -> set[str]:
    return {finding["rule"] for finding in report["findings"] if finding["path"].startswith(below)}


def test_broken_is_caught_with_the_way_of_every_value() -> None:
    status, report = check(REPOS / "broken")
    assert status == 1
    assert rules(report) == {"CMG101", "CMG201"}
    found = {finding["rule"]: finding for finding in report["findings"]}
    batch = found["CMG101"]
    assert (batch["path"], batch["line"]) == ("settings.py", 7)
    files = [step["path"] for step in batch["trail"]]
    assert [name for place, name in enumerate(files) if name not in files[:place]][:3] == [
        "settings.py",
        "train.py",
        "corpus/pairs.py",
    ]
    assert "BatchNorm1d (nets/enhancer.py:16)" in batch["message"]
    assert "InstanceNorm" not in batch["message"]
    crop = found["CMG201"]
    text = (REPOS / "broken" / crop["path"]).read_text(encoding="utf-8").splitlines()[crop["line"] - 1]
    assert "random.randint" in text
    assert any(step["path"] == "engine/trainer.py" for step in crop["trail"])
    assert report["coverage"]["loaders"] == report["coverage"]["loaders_resolved"] == 2


def test_fixed_passes_and_says_what_was_looked_at() -> None:
    status, report = check(REPOS / "fixed")
    assert (status, report["findings"], report["unresolved"]) == (0, [], [])
    assert {"CMG101", "CMG201", "CMG202", "CMG203", "CMG204", "CMG301", "CMG302"} <= {
        entry["rule"] for entry in report["passed"]
    }


@pytest.mark.parametrize("state", ["broken", "fixed"])
@pytest.mark.parametrize("folders", ["kept", "renamed"])
def test_names_decide_nothing(state: str, folders: str, tmp_path: Path) -> None:
    rename_everything(REPOS / state, tmp_path, folders=folders == "renamed")
    _, report = check(tmp_path)
    assert rules(report) == ({"CMG101", "CMG201"} if state == "broken" else set())


@pytest.mark.skipif(not CHECKOUTS, reason="set CMGAN_AUDIT_CHECKOUTS to a folder with the public checkouts")
@pytest.mark.parametrize(
    ("checkout", "below", "expected", "absent"),
    [
        ("ruizhecao96+CMGAN@3994600", "", {"CMG201"}, {"CMG101"}),
        ("Fazazl2020+CMGAN@662e8c2", "modfiied/", {"CMG101", "CMG201"}, set()),
        ("Fazazl2020+CMGAN@3efa85e", "modfiied/", set(), {"CMG101", "CMG201"}),
    ],
)
def test_public_commits(checkout: str, below: str, expected: set[str], absent: set[str]) -> None:
    _, report = check(Path(CHECKOUTS) / checkout)
    found = rules(report, below)
    assert expected <= found
    assert not absent & found


def rename_everything(source: Path, target: Path, *, folders: bool) -> None:
    """Copy a repository with a new name for each of its classes, functions, variables, attributes, options and files.

    `folders` also renames the folders of the corpus that the code names ("train", "test").
    """
    trees = {path.relative_to(source): ast.parse(path.read_text(encoding="utf-8")) for path in source.rglob("*.py")}
    names: dict[str, str] = {}

    def new(name: str) -> None:
        if not name.startswith("__") and name not in ("self", "forward"):
            names.setdefault(name, f"n{len(names)}")

    for path, tree in sorted(trees.items()):
        for part in path.with_suffix("").parts:
            new(part)
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef | ast.ClassDef):
                new(node.name)
            elif isinstance(node, ast.arg):
                new(node.arg)
            elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
                new(node.id)
            elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
                new(node.attr)
            elif isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value.startswith("--"):
                new(node.value[2:])
            elif isinstance(node, ast.Dict):
                for key in node.keys:
                    if isinstance(key, ast.Constant):
                        new(str(key.value))
    own = {
        node.name
        for tree in trees.values()
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.ClassDef)
    }
    for path, tree in trees.items():
        renamed = _Renamer(names, own, folders).visit(tree)
        place = target / Path(*(names.get(part, part) for part in path.with_suffix("").parts)).with_suffix(".py")
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(ast.unparse(renamed), encoding="utf-8")


class _Renamer(ast.NodeTransformer):
    # Attributes of library objects that share a name with something of ours.
    FOREIGN = frozenset({"train", "eval", "step", "load", "save", "fit", "size", "layers", "shape"})

    def __init__(self, names: dict[str, str], own: set[str], folders: bool) -> None:
        self.names, self.own, self.folders = names, own, folders

    def _dotted(self, name: str) -> str:
        return ".".join(self.names.get(part, part) for part in name.split("."))

    def visit_ImportFrom(self, node: ast.ImportFrom) -> ast.AST:
        if node.module and node.module.split(".")[0] in self.names:
            node.module = self._dotted(node.module)
            for alias in node.names:
                alias.name = self.names.get(alias.name, alias.name)
        return node

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        node.name = self.names.get(node.name, node.name)
        return self.generic_visit(node)

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.AST:
        node.name = self.names.get(node.name, node.name)
        return self.generic_visit(node)

    def visit_arg(self, node: ast.arg) -> ast.AST:
        node.arg = self.names.get(node.arg, node.arg)
        return node

    def visit_Name(self, node: ast.Name) -> ast.AST:
        node.id = self.names.get(node.id, node.id)
        return node

    def visit_Attribute(self, node: ast.Attribute) -> ast.AST:
        ours = isinstance(node.value, ast.Name) and node.value.id in ("self", "args", "trainer")
        ours = ours or (isinstance(node.value, ast.Attribute) and node.value.attr == "args")
        if ours or (node.attr not in self.FOREIGN and node.attr in self.own):
            node.attr = self.names.get(node.attr, node.attr)
        return self.generic_visit(node)

    def visit_Call(self, node: ast.Call) -> ast.AST:
        called = node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")
        if called in self.own:
            for keyword in node.keywords:
                keyword.arg = self.names.get(keyword.arg or "", keyword.arg)
        return self.generic_visit(node)

    def visit_Constant(self, node: ast.Constant) -> ast.AST:
        if isinstance(node.value, str):
            if node.value.startswith("--"):
                node.value = "--" + self.names[node.value[2:]]
            elif node.value in ("train", "test"):
                node.value = {"train": "one", "test": "two"}[node.value] if self.folders else node.value
            else:
                node.value = self.names.get(node.value, node.value)
        return node
