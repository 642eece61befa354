"""`check` asked twice: the second time the outcome is read, until anything that it was made from changes."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from cmgan_audit.cli import app, commands
from cmgan_audit.gate.recall import Asked
from cmgan_audit.source import footprint

SCRIPT = """
import yaml
from torch.utils.data import DataLoader
from lib.data import Pairs

config = yaml.safe_load(open("config.yaml"))
train = DataLoader(Pairs("train"), batch_size=config["train"], shuffle=True)
for batch in train:
    loss.backward()
    optimizer.step()
"""
FILES = {
    "train.py": SCRIPT,
    "lib/__init__.py": "",
    "lib/data.py": "class Pairs:\n    def __init__(self, split):\n        self.split = split\n",
    "config.yaml": "train: 1\n",
    "local.yaml": "train: 1\n",
    "README.md": "    python train.py\n",
}

Check = Callable[..., tuple[str, int]]


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    for name, text in FILES.items():
        put(name, text)(tmp_path / "above" / "tree")
    git(tmp_path / "above", "init", "-q")
    return tmp_path / "above" / "tree"


@pytest.fixture
def check(capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Check:
    """Runs the command in this process, on trees that count as older than the audit although they are new."""
    monkeypatch.setattr(footprint, "_COARSEST_SECONDS", -3600.0)

    def run(*words: object) -> tuple[str, int]:
        monkeypatch.setattr(sys, "argv", ["cmgan-audit", "check", *map(str, words)])
        with pytest.raises(SystemExit) as ended:
            app.main()
        return capfd.readouterr().out, int(ended.value.code or 0)

    return run


@pytest.fixture
def recalled(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """Per run, whether its outcome was read instead of found."""
    told: list[bool] = []
    before = Asked.recalled

    def noted(self: Asked) -> tuple[str, int] | None:
        outcome = before(self)
        told.append(outcome is not None)
        return outcome

    monkeypatch.setattr(Asked, "recalled", noted)
    return told


def put(name: str, text: str) -> Callable[[Path], object]:
    def edit(tree: Path) -> None:
        (tree / name).parent.mkdir(parents=True, exist_ok=True)
        (tree / name).write_text(text, encoding="utf-8")

    return edit


def git(folder: Path, *words: str) -> None:
    command = ["git", "-c", "user.name=a", "-c", "user.email=a@b", *words]
    subprocess.run(command, cwd=folder, check=True, capture_output=True)


def test_an_unchanged_tree_is_not_audited_again(tree: Path, check: Check, monkeypatch: pytest.MonkeyPatch) -> None:
    found = check(tree)
    assert found[1] == 1 and "CMG101" in found[0]
    monkeypatch.setattr(commands, "application", None)  # what parses the command line is not even asked
    assert check(tree) == found


def change_with_its_time_kept(tree: Path) -> None:
    before = (tree / "config.yaml").stat()
    put("config.yaml", "train: 8\n")(tree)
    os.utime(tree / "config.yaml", ns=(before.st_atime_ns, before.st_mtime_ns))


def commit_with_a_checkpoint(tree: Path) -> None:
    git(tree, "add", "config.yaml")
    git(tree, "commit", "-q", "-m", "first")


def tracked_though_ignored(tree: Path) -> None:
    git(tree, "add", "-f", "train.py")


CHANGES: dict[str, tuple[Callable[[Path], object], Callable[[Path], object]]] = {
    "a script": (lambda tree: None, put("train.py", SCRIPT.replace("train", "valid"))),
    "a YAML file": (lambda tree: None, put("config.yaml", "train: 16\n")),
    "a YAML file, its size and time kept": (lambda tree: None, change_with_its_time_kept),
    "a module": (lambda tree: None, put("lib/data.py", "Pairs = list\n")),
    "a module is deleted": (lambda tree: None, lambda tree: (tree / "lib/data.py").unlink()),
    "a module is renamed": (lambda tree: None, lambda tree: (tree / "lib").rename(tree / "parts")),
    "a script is renamed": (lambda tree: None, lambda tree: (tree / "train.py").rename(tree / "main.py")),
    "a script appears": (lambda tree: None, put("more/again.py", SCRIPT)),
    "an import finds what it missed": (lambda tree: None, put("yaml.py", "def safe_load(file):\n    return {}\n")),
    "a launcher appears": (lambda tree: None, put("run.sh", "cd lib; python ../train.py\n")),
    "a suppression appears": (
        lambda tree: None,
        put("config.yaml", "train: 1  # cmgan-audit: ignore[CMG101] -- one is meant\n"),
    ),
    "a file is ignored": (put(".git/HEAD", ""), put(".gitignore", "train.py\n")),
    "ignore files begin to hold": (put(".gitignore", "train.py\n"), put(".git/HEAD", "")),
    "an ignored file is tracked": (put(".gitignore", "*.py\n!lib/data.py\n"), tracked_though_ignored),
    "a file that an ignore file names": (
        lambda tree: [put(".git/HEAD", "")(tree), put(".gitignore", "config.yaml\n")(tree)],
        put("config.yaml", "train: 16\n"),
    ),
    "a link leads elsewhere": (
        lambda tree: [(tree / "config.yaml").unlink(), (tree / "config.yaml").symlink_to("local.yaml")],
        lambda tree: [(tree / "config.yaml").unlink(), (tree / "config.yaml").symlink_to("README.md")],
    ),
    "settings appear": (lambda tree: None, put("cmgan-audit.toml", 'ignore = ["CMG101"]\n')),
    "settings appear above": (lambda tree: None, put("../cmgan-audit.toml", 'ignore = ["CMG101"]\n')),
    "settings are hidden": (put("../cmgan-audit.toml", 'ignore = ["CMG101"]\n'), put(".git/HEAD", "")),
    "a checkpoint appears": (commit_with_a_checkpoint, put("runs/epoch_1.pth", "no checkpoint\n")),
    "history goes on": (put("runs/epoch_1.pth", "no checkpoint\n"), commit_with_a_checkpoint),
}


@pytest.mark.parametrize("what", CHANGES)
def test_after_any_change_the_outcome_is_the_new_one(what: str, tree: Path, check: Check, recalled: list[bool]) -> None:
    prepare, change = CHANGES[what]
    prepare(tree)
    assert check(tree) == check(tree, "--no-cache")
    assert check(tree) == check(tree, "--no-cache")
    change(tree)
    assert check(tree) == check(tree, "--no-cache")
    assert check(tree) == check(tree, "--no-cache")
    assert recalled == [False, True, False, True]


def test_what_does_not_matter_changes_nothing(tree: Path, check: Check, recalled: list[bool]) -> None:
    check(tree)
    put("node_modules/some/package.json", "{}")(tree)
    check(tree)  # a new name in the tree
    put("node_modules/other/package.json", "{}")(tree)
    check(tree)
    assert recalled == [False, False, True]


@pytest.mark.parametrize(
    "words",
    [
        ["--format", "json"],
        ["--select", "CMG2"],
        ["--preview"],
        ["--show-passed"],
        ["--fail-on", "never"],
        ["--strict"],
    ],
)
def test_other_words_have_outcomes_of_their_own(
    words: list[str], tree: Path, check: Check, recalled: list[bool]
) -> None:
    check(tree)
    assert check(tree, *words) == check(tree, *words) == check(tree, *words, "--no-cache")
    assert recalled == [False, False, True]


def test_what_writes_or_looks_elsewhere_is_done_every_time(tree: Path, check: Check, recalled: list[bool]) -> None:
    target = tree.parent / "report.txt"
    check(tree, "--output", target)
    target.unlink()
    check(tree, "--output", target)
    assert target.read_text(encoding="utf-8")
    for words in (["--write-baseline", "--baseline", tree.parent / "known.json"], ["--diff", "--unsafe-fixes"]):
        assert check(tree, *words) == check(tree, *words)
    check(tree, "--baseline", tree.parent / "known.json")
    check(tree, "--baseline", tree.parent / "known.json")
    assert len(recalled) == 8 and not any(recalled)


def test_a_profile_of_ones_own_is_read_every_time(tree: Path, check: Check, recalled: list[bool]) -> None:
    profile = tree.parent.parent / "lab.yaml"
    shown = []
    for size in (8, 8, 16):
        profile.write_text(f"name: lab\nvalues:\n  batch_size: {{value: {size}}}\n", encoding="utf-8")
        shown.append(check(tree, "--profile", profile, "--select", "CMG102")[0])
    assert shown[0] == shown[1] != shown[2] and "16: lab.yaml" in shown[2]
    (tree / "cmgan-audit.toml").write_text(f'profile = "{profile}"\n', encoding="utf-8")
    assert "16" in check(tree, "--select", "CMG102")[0]
    profile.write_text("name: lab\nvalues:\n  batch_size: {value: 32}\n", encoding="utf-8")
    assert "32" in check(tree, "--select", "CMG102")[0]
    assert not any(recalled)


def test_what_changed_just_now_is_looked_at_again(
    tree: Path, check: Check, recalled: list[bool], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file that was written within the step of a clock may have changed while it was read."""
    monkeypatch.setattr(footprint, "_COARSEST_SECONDS", 3600.0)
    check(tree)
    assert check(tree)[1] == 1
    assert recalled == [False, False]


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"document": "", "status": 0, "footprint": {}}'])
def test_a_broken_cache_is_none(content: str, tree: Path, check: Check, own_cache: Path) -> None:
    found = check(tree)
    (kept,) = (own_cache / "cmgan-audit" / "outcomes").iterdir()
    kept.write_text(content, encoding="utf-8")
    assert check(tree) == found
