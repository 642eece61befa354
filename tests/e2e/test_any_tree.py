"""Whatever stands in a tree: `check` ends by itself, with an exit status of the contract and no traceback."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import get_args

import pytest

from cmgan_audit.facts.audit import collect
from cmgan_audit.facts.loading.declared import DeclaredRoles
from cmgan_audit.facts.units.answer import Follower
from cmgan_audit.program.launches import entries
from cmgan_audit.source.data_files.formats import Dialect
from cmgan_audit.source.data_files.nodes import DataError
from cmgan_audit.source.tree import SourceTree

LOADER = "from torch.utils.data import DataLoader\nDataLoader([1], batch_size=3)\n"
CHECKOUTS = os.environ.get("CMGAN_AUDIT_CHECKOUTS", "")


def check(tree: Path, *flags: str, seconds: float = 300) -> tuple[int, str]:
    """Exit status and everything that was printed; a crash of Python itself is a negative status."""
    done = subprocess.run(
        [sys.executable, "-m", "cmgan_audit", "check", str(tree), "--format", "json", "--show-passed", *flags],
        capture_output=True,
        text=True,
        timeout=seconds,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


def survives(tree: Path, *flags: str, seconds: float = 300) -> str:
    status, printed = check(tree, *flags, seconds=seconds)
    assert status in (0, 1, 3), printed[-2000:]
    assert "internal error" not in printed
    assert "Traceback" not in printed
    return printed


def written(text: str | bytes, name: str = "train.py") -> Callable[[Path], object]:
    content = text.encode("utf-8", "surrogatepass") if isinstance(text, str) else text
    return lambda tree: (tree / name).write_bytes(content)


def generated(tree: Path) -> None:
    """A table of 2 MB, as generated code has them, and a script that uses it."""
    row = "    'utterance_{}': {{'path': 'wavs/train/clean/utterance_{}.wav', 'length': {}, 'text': 'a b c'}},\n"
    rows = "".join(row.format(n, n, n) for n in range(24_000))
    (tree / "table.py").write_text(f"TABLE = {{\n{rows}}}\n", encoding="utf-8")
    assert (tree / "table.py").stat().st_size > 2_000_000
    (tree / "train.py").write_text(f"from table import TABLE\n{LOADER}", encoding="utf-8")


def import_cycle(tree: Path) -> None:
    for number in range(30):
        (tree / f"m{number}.py").write_text(
            f"from m{(number + 1) % 30} import *\nimport m{(number + 7) % 30} as far\nx{number} = far.x\n{LOADER}",
            encoding="utf-8",
        )


def link_loops(tree: Path) -> None:
    (tree / "train.py").write_text(LOADER, encoding="utf-8")
    (tree / "inner").mkdir()
    (tree / "inner" / "up").symlink_to(tree, target_is_directory=True)
    (tree / "self").symlink_to(tree / "self")
    (tree / "first.py").symlink_to(tree / "second.py")
    (tree / "second.py").symlink_to(tree / "first.py")
    (tree / "out.py").symlink_to("/dev/zero")
    (tree / "gone.py").symlink_to(tree / "nowhere.py")
    os.mkfifo(tree / "pipe.py")


def loaded(name: str, text: str) -> Callable[[Path], None]:
    """A data file that a script reads."""

    def write(tree: Path) -> None:
        reader = {"yaml": "yaml.safe_load(f)", "json": "json.load(f)", "toml": "tomllib.load(f)"}[
            name.rsplit(".", 1)[1]
        ]
        (tree / "train.py").write_text(
            f"import json, tomllib, yaml\nwith open({name!r}) as f:\n    c = {reader}\n{LOADER}", encoding="utf-8"
        )
        (tree / name).write_text(text, encoding="utf-8")

    return write


TREES: dict[str, Callable[[Path], object]] = {
    "a generated file": generated,
    "an import cycle": import_cycle,
    "links that loop": link_loops,
    "a sum of a hundred thousand": written(LOADER + "x = " + " + ".join(["a"] * 100_000)),
    "a chain of fifty thousand attributes": written(LOADER + "x = a" + ".b" * 50_000),
    "a chain of twenty thousand calls": written(LOADER + "x = a" + "()" * 20_000),
    "a chain of fifty thousand subscripts": written(LOADER + "x = a" + "[0]" * 50_000),
    "twenty thousand negations": written(LOADER + "x = " + "not " * 20_000 + "a"),
    "twenty thousand minus signs": written(LOADER + "x = " + "-" * 20_000 + "1"),
    "a power of powers": written(LOADER + "x = " + "**".join(["a"] * 20_000)),
    "lambdas in lambdas": written(LOADER + "x = " + "lambda: " * 5_000 + "1"),
    "conditions in conditions": written(LOADER + "x = " + "1 if a else " * 20_000 + "2"),
    "ten thousand elifs": written(LOADER + "if a:\n    x = 1\n" + "elif b:\n    x = 2\n" * 10_000),
    "brackets": written(LOADER + "x = " + "[" * 100_000),
    "indentation": written(LOADER + "\n".join(" " * n + "if a:" for n in range(99)) + "\n" + " " * 99 + "pass"),
    "a long line": written(LOADER + "x = [" + "1, " * 150_000 + "]"),
    "a deep annotation": written(LOADER + "x: " + "List[" * 90 + "int" + "]" * 90),
    "bytes that are no text": written(b"\xff\xfe\x00\x81 = 3\n"),
    "an unknown encoding": written(b"# -*- coding: martian -*-\nx = 1\n"),
    "a null byte": written(LOADER + "x = 1\x00"),
    "a lone surrogate": written(LOADER + 'x = "\ud800"'),
    "an empty file": written(""),
    "a name that is no text": written(LOADER, os.fsdecode(b"tr\xff\xfein.py")),
    "a deep YAML file": loaded("c.yaml", "a: " + "[" * 50_000),
    "a deep closed YAML file": loaded("c.yaml", "a: " + "[" * 2_000 + "]" * 2_000),
    "a YAML file of aliases": loaded(
        "c.yaml", "b0: &b0 [x, x]\n" + "".join(f"b{n + 1}: &b{n + 1} [*b{n}, *b{n}]\n" for n in range(40))
    ),
    "a deep JSON file": loaded("c.json", "[" * 100_000),
    "a deep closed JSON file": loaded("c.json", "[" * 5_000 + "]" * 5_000),
    "a deep TOML file": loaded("c.toml", "a = " + "[" * 50_000),
    "a notebook that is none": written("{" * 10_000, "train.ipynb"),
    "a shell script without an end": written("for i in $(" * 3_000, "run.sh"),
    "a README of brackets": written("```\npython train.py " + "$(" * 5_000 + "\n", "README.md"),
}  # fmt: skip


# These take all the steps that an audit has, or nearly all that is read of a file.
LARGE: dict[str, Callable[[Path], object]] = {
    "a longer line": written(LOADER + "x = [" + "1, " * 450_000 + "]"),
    "calls that call each other": written(
        LOADER + "".join(f"def f{n}(x):\n    return f{n + 1}(x) + f{n + 1}(x)\n" for n in range(60)) + "f0(1)"
    ),
}


@pytest.mark.parametrize("what", [*TREES, *(pytest.param(what, marks=pytest.mark.slow) for what in LARGE)])
def test_no_tree_breaks_it(what: str, tmp_path: Path) -> None:
    tree = tmp_path / "tree"
    tree.mkdir()
    {**TREES, **LARGE}[what](tree)
    (tree / "other.py").write_text(LOADER, encoding="utf-8")
    printed = survives(tree)
    assert json.loads(printed)["coverage"]["loaders"] >= 1  # the rest of the tree is still looked at


def test_a_file_that_may_not_be_read_is_named(tmp_path: Path) -> None:
    (tmp_path / "train.py").write_text(LOADER, encoding="utf-8")
    (tmp_path / "secret.py").write_text(LOADER, encoding="utf-8")
    (tmp_path / "secret.py").chmod(0)
    if os.access(tmp_path / "secret.py", os.R_OK):
        pytest.skip("this user may read everything")
    assert '"secret.py"' in survives(tmp_path)


@pytest.mark.slow
def test_every_file_of_the_standard_library(tmp_path: Path) -> None:
    """Each on its own, then all as one tree, in which they reach each other."""
    library = Path(sysconfig.get_path("stdlib"))
    paths = [path for path in sorted(library.rglob("*.py")) if "site-packages" not in path.parts]
    assert len(paths) > 1000
    whole = tmp_path / "whole"
    shutil.copytree(library, whole, ignore=shutil.ignore_patterns("site-packages", "__pycache__"))
    assert collect(whole).coverage.files > 1000
    shutil.rmtree(whole)
    for number, path in enumerate(paths):
        folder = tmp_path / str(number)
        folder.mkdir()
        shutil.copy(path, folder)
        assert collect(folder).coverage.files == 1


@pytest.mark.slow
@pytest.mark.skipif(not CHECKOUTS, reason="set CMGAN_AUDIT_CHECKOUTS to a folder with the public checkouts")
def test_every_data_file_of_every_checkout_is_read_or_refused() -> None:
    for folder in sorted(path for path in Path(CHECKOUTS).iterdir() if path.is_dir()):
        tree = SourceTree(folder)
        for path in tree.data_files:
            for dialect in get_args(Dialect):
                with suppress(DataError):
                    tree.read_data(path, dialect)


@pytest.mark.slow
@pytest.mark.skipif(not CHECKOUTS, reason="set CMGAN_AUDIT_CHECKOUTS to a folder with the public checkouts")
def test_a_script_that_meets_no_library_tells_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """What `entries` leaves out because no library that the facts look at can be met would not have told anything."""
    for folder in sorted(path for path in Path(CHECKOUTS).iterdir() if path.is_dir()):
        tree = SourceTree(folder)
        kept = entries.entries(tree)
        with monkeypatch.context() as patched:
            patched.setattr(entries, "_with_libraries", lambda tree, imports: set(tree.python_files))
            left_out = [script for script in entries.entries(tree) if script not in kept]
        follower = Follower(tree, DeclaredRoles())
        for script in left_out:
            answer, _ = follower.follow(script)
            assert not answer.seen and not answer.observed, script


@pytest.mark.slow
@pytest.mark.skipif(not CHECKOUTS, reason="set CMGAN_AUDIT_CHECKOUTS to a folder with the public checkouts")
def test_every_checkout_gives_the_same_with_and_without_help(tmp_path: Path) -> None:
    """Cold and warm, one process and several: the same document, byte for byte."""
    for tree in sorted(path for path in Path(CHECKOUTS).iterdir() if path.is_dir()):
        documents = {
            check(tree, *flags, "--preview", seconds=600)
            for flags in (("--no-cache", "--jobs", "1"), ("--jobs", "4"), (), ("--no-cache",))
        }
        assert len(documents) == 1, tree
