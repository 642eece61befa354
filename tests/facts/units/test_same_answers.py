"""Kept answers and several processes never change what is found: not after an edit either, whatever was edited."""

from __future__ import annotations

import json
import multiprocessing
import os
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from cmgan_audit.errors import UsageError
from cmgan_audit.facts.audit import Collected, collect
from cmgan_audit.facts.loading.declared import DeclaredRoles
from cmgan_audit.facts.records import Loader
from cmgan_audit.facts.units import allowances, workers
from cmgan_audit.facts.units.answer import Follower
from cmgan_audit.facts.units.cache import MOST_TREES
from cmgan_audit.facts.units.following import Effort
from cmgan_audit.rules.record import Known
from cmgan_audit.source.tree import SourceTree
from cmgan_audit.source.user_cache import cache_folder

CACHED = Effort(cached=True)
SCRIPT = """
import argparse
import yaml
from torch.utils.data import DataLoader
from lib.data import Pairs

parser = argparse.ArgumentParser()
parser.add_argument("--batch_size", type=int, default=1)
args = parser.parse_args()
config = yaml.safe_load(open("config.yaml"))
train = DataLoader(Pairs("train"), batch_size=args.batch_size, shuffle=True)
valid = DataLoader(Pairs("test"), batch_size=config["valid"])
for batch in train:
    loss.backward()
"""
FILES = {
    "train.py": SCRIPT,
    "again.py": SCRIPT.replace("default=1", "default=2"),
    "third.py": SCRIPT.replace("default=1", "default=3"),
    "more/fourth.py": SCRIPT.replace("default=1", "default=5").replace("config.yaml", "more/config.yaml"),
    "lib/__init__.py": "",
    "lib/data.py": "class Pairs:\n    def __init__(self, split):\n        self.split = split\n",
    "config.yaml": "valid: 7\n",
    "more/config.yaml": "valid: 9\n",
    "README.md": "    python train.py --batch_size 16\n",
    "hooks.py": "from torch.utils.data import DataLoader\n\ndef setup():\n    return DataLoader([1], batch_size=6)\n",
    "broken.py": "def f(:\n",
}


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    for name, text in FILES.items():
        path = tmp_path / "tree" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return tmp_path / "tree"


def batches(collected: Collected) -> list[object]:
    sizes = (record.batch_size for record in collected.records if isinstance(record, Loader))
    return sorted((size.value if isinstance(size, Known) else str(size) for size in sizes), key=str)


@pytest.fixture
def followed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The scripts and functions that are really executed."""
    names: list[str] = []
    follow = Follower.follow

    def noted(self: Follower, unit: object, *most: int) -> object:
        names.append(unit if isinstance(unit, str) else "function")
        return follow(self, unit, *most)  # type: ignore[arg-type]

    monkeypatch.setattr(Follower, "follow", noted)
    return names


def test_an_unchanged_tree_is_not_executed_again(tree: Path, followed: list[str]) -> None:
    plain = collect(tree)
    assert batches(plain) == [16, 2, 3, 5, 6, 7, 7, 7, 9]  # the default of 1 is overridden by all that is shipped
    assert plain.coverage.failed[0][:2] == ("broken.py", 1)
    assert collect(tree, effort=CACHED) == plain
    followed.clear()
    assert collect(tree, effort=CACHED) == plain
    assert followed == []


def test_several_processes_find_the_same(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plain = collect(tree)
    monkeypatch.setattr(workers, "_WORTH_SECONDS", 0.0)
    monkeypatch.setattr(workers, "_FEWEST", 1)
    assert collect(tree, effort=Effort(jobs=3)) == plain
    assert collect(tree, effort=Effort(jobs=2, cached=True)) == plain
    assert collect(tree, effort=CACHED) == plain


def test_what_another_process_parsed_is_not_parsed_here(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workers, "_WORTH_SECONDS", 0.0)
    monkeypatch.setattr(workers, "_FEWEST", 1)
    broken = {"cell_type": "code", "source": ["def f(:"]}
    good = {"cell_type": "code", "source": ["import lib.data\n", "from torch.utils.data import DataLoader"]}
    notebook = {"cells": [good, broken], "metadata": {}, "nbformat": 4}
    (tree / "look.ipynb").write_text(json.dumps(notebook), encoding="utf-8")
    (tree / "apart.py").write_text("CHANNELS = 64\n", encoding="utf-8")
    plain = collect(tree)
    here: list[str] = []
    parsed = SourceTree.parsed
    monkeypatch.setattr(SourceTree, "parsed", lambda self, path: here.append(path) or parsed(self, path))
    assert collect(tree, effort=Effort(jobs=2)) == plain
    assert {path for path, _, _ in plain.coverage.failed} == {"broken.py", "look.ipynb"}
    assert "apart.py" in here and "lib/data.py" not in here


def test_a_tree_that_is_too_large_is_followed_as_far_however_it_is_done(
    tree: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workers, "_WORTH_SECONDS", 0.0)
    monkeypatch.setattr(workers, "_FEWEST", 1)
    monkeypatch.setattr(allowances, "MOST_STEPS_IN_ALL", 100)
    monkeypatch.setattr(allowances, "STEPS_FOR_FIRST_LAUNCHES", 0)
    plain = collect(tree)
    assert batches(plain) == [2, 3, 7, 7]  # two of the scripts that lie least deep
    left = {each.location.path: each.reason.partition(": ")[2] for each in plain.unresolved}
    assert left["more/fourth.py"] == "scripts that are not followed, this one among them: 2"
    assert left["hooks.py"] == "this function is not followed"
    assert collect(tree, effort=Effort(jobs=3)) == plain
    assert collect(tree, effort=Effort(jobs=2, cached=True)) == plain
    (tree / "more/fourth.py").write_text("# nobody looks at this one\n" + SCRIPT, encoding="utf-8")
    again = collect(tree, effort=CACHED)
    assert (again.unresolved, batches(again)) == (plain.unresolved, batches(plain))


def test_in_a_tree_that_is_too_large_every_script_has_its_first_launch(
    tree: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workers, "_WORTH_SECONDS", 0.0)
    monkeypatch.setattr(workers, "_FEWEST", 1)
    monkeypatch.setattr(allowances, "MOST_STEPS_IN_ALL", 100)
    plain = collect(tree)
    assert batches(plain) == [1, 2, 3, 5, 6, 7, 7, 7, 9]  # without the launch with 16
    left = {each.location.path: each.reason for each in plain.unresolved}
    assert left["README.md"] == "the tree is too large: launches of train.py that are not followed, from this one on: 1"
    assert collect(tree, effort=Effort(jobs=3)) == plain
    assert collect(tree, effort=Effort(jobs=2, cached=True)) == plain
    assert collect(tree, effort=CACHED) == plain


def test_errors_of_another_process_reach_the_user(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workers, "_WORTH_SECONDS", 0.0)
    monkeypatch.setattr(workers, "_FEWEST", 1)
    both = DeclaredRoles(train=("train",), evaluation=("train",))
    with pytest.raises(UsageError, match="declared by train_loaders"):
        collect(tree, (), both, effort=Effort(jobs=2))


def test_what_a_killed_process_left_is_done_here(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workers, "_WORTH_SECONDS", 0.0)
    here = os.getpid()

    def work(unit: str) -> str:
        if os.getpid() != here and unit == "c":
            os._exit(9)
        return unit.upper()

    assert dict(workers.worked(list("abcdef"), work, 2)) == {unit: unit.upper() for unit in "abcdef"}


def change(name: str, old: str, new: str) -> Callable[[Path], None]:
    def edit(tree: Path) -> None:
        path = tree / name
        path.write_text(path.read_text(encoding="utf-8").replace(old, new), encoding="utf-8")

    return edit


def put(name: str, text: str) -> Callable[[Path], None]:
    def edit(tree: Path) -> None:
        (tree / name).parent.mkdir(parents=True, exist_ok=True)
        (tree / name).write_text(text, encoding="utf-8")

    return edit


EDITS: dict[str, tuple[Callable[[Path], None], list[str]]] = {
    "a script": (change("train.py", "default=1", "default=11"), ["train.py"]),
    "a YAML file": (change("config.yaml", "7", "70"), ["again.py", "third.py", "train.py"]),
    "a YAML file of one script": (change("more/config.yaml", "9", "90"), ["more/fourth.py"]),
    "a module": (
        change("lib/data.py", "self.split", "self.part"),
        ["again.py", "more/fourth.py", "third.py", "train.py"],
    ),
    "a document": (change("README.md", "16", "32"), ["train.py"]),
    "a line that moves others": (change("hooks.py", "from", "\n\nfrom"), ["function"]),
    "nothing": (lambda tree: None, []),
}


@pytest.mark.parametrize("what", EDITS)
def test_after_an_edit_only_what_read_it_is_executed(what: str, tree: Path, followed: list[str]) -> None:
    edit, again = EDITS[what]
    collect(tree, effort=CACHED)
    edit(tree)
    followed.clear()
    kept = collect(tree, effort=CACHED)
    assert sorted(followed) == again
    assert kept == collect(tree)


MOVES: dict[str, Callable[[Path], object]] = {
    "a module is deleted": lambda tree: (tree / "lib/data.py").unlink(),
    "a YAML file is deleted": lambda tree: (tree / "config.yaml").unlink(),
    "a script is renamed": lambda tree: (tree / "again.py").rename(tree / "renamed.py"),
    "a module is renamed": lambda tree: (tree / "lib/data.py").rename(tree / "lib/pairs.py"),
    "a module shadows another": put("more/lib/data.py", "class Pairs:\n    pass\n"),
    "an import finds what it missed": put("yaml.py", "def safe_load(file):\n    return {'valid': 12}\n"),
    "a script appears": put("fifth.py", SCRIPT),
    "a launcher appears": put("run.sh", "python again.py --batch_size 64\n"),
    "a broken file is mended": put("broken.py", "x = 1\n"),
    "a file breaks": put("lib/data.py", "class Pairs(:\n"),
    "a file is ignored": lambda tree: [put(".git/HEAD", "")(tree), put(".gitignore", "more/\n")(tree)],
    "everything goes but one script": lambda tree: [
        path.unlink() for path in tree.rglob("*.py") if path.name not in ("train.py", "data.py")
    ],
}


@pytest.mark.parametrize("what", MOVES)
def test_after_any_change_of_the_tree_the_answer_is_the_new_one(what: str, tree: Path) -> None:
    collect(tree, effort=CACHED)
    MOVES[what](tree)
    assert collect(tree, effort=CACHED) == collect(tree)
    assert collect(tree, effort=CACHED) == collect(tree)


def test_files_outside_of_the_listing_count_too(tree: Path) -> None:
    """A file that an ignore file names is not analysed, and yet a script may read it."""
    put(".git/HEAD", "")(tree)
    (tree / ".gitignore").write_text("config.yaml\n", encoding="utf-8")
    collect(tree, effort=CACHED)
    change("config.yaml", "7", "70")(tree)
    assert 70 in batches(collect(tree, effort=CACHED))
    (tree / "config.yaml").unlink()
    gone = collect(tree, effort=CACHED)
    assert 70 not in batches(gone)
    assert gone == collect(tree)  # its coverage too: that a file is gone is no failure to read it


def test_settings_have_answers_of_their_own(tree: Path) -> None:
    plain = collect(tree, effort=CACHED)
    declared = DeclaredRoles(evaluation=("train",))
    assert collect(tree, (), declared, effort=CACHED) == collect(tree, (), declared)
    assert collect(tree, ("more/",), effort=CACHED) == collect(tree, ("more/",))
    assert collect(tree, effort=CACHED) == plain


def test_contents_that_are_only_supposed_are_not_kept(tree: Path, own_cache: Path) -> None:
    overlay = {"again.py": SCRIPT.replace("default=1", "default=11").encode()}
    assert 11 in batches(collect(tree, overlay=overlay, effort=CACHED))
    assert list(own_cache.rglob("*.json")) == []
    assert 11 not in batches(collect(tree, effort=CACHED))


@pytest.mark.parametrize(
    "content", [b"", b"\x00\xff", b"[]", b"{}", b'{"answered": {}, "answer": ""}', b'{"answered": 3, "answer": []}']
)
def test_a_broken_cache_is_computed_again(content: bytes, tree: Path, own_cache: Path) -> None:
    plain = collect(tree, effort=CACHED)
    kept = list(own_cache.rglob("*.json"))
    assert len(kept) == 6  # four scripts, a hook, and the tree as a whole
    for path in kept:
        path.write_bytes(content)
    assert collect(tree, effort=CACHED) == plain
    assert all(path.read_bytes() != content for path in kept)


def test_an_answer_that_was_cut_off_is_computed_again(tree: Path, own_cache: Path) -> None:
    plain = collect(tree, effort=CACHED)
    for path in own_cache.rglob("*.json"):
        held = json.loads(path.read_text(encoding="utf-8"))
        held["answer"] = held["answer"][: len(held["answer"]) // 2]
        path.write_text(json.dumps(held), encoding="utf-8")
    assert collect(tree, effort=CACHED) == plain


def test_a_cache_that_cannot_be_used_is_none(tree: Path, own_cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plain = collect(tree)
    own_cache.write_text("a file is in the way", encoding="utf-8")
    assert collect(tree, effort=CACHED) == plain
    monkeypatch.setenv("XDG_CACHE_HOME", str(tree / "cache"))
    assert cache_folder(tree) is None
    assert collect(tree, effort=CACHED) == plain
    assert not (tree / "cache").exists()


def test_a_relative_cache_folder_is_none(tree: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It would be another one wherever the command runs (XDG Base Directory Specification: to be ignored)."""
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("XDG_CACHE_HOME", "cache")
    assert cache_folder(tree) == tmp_path / "home" / ".cache" / "cmgan-audit"


def _audit(tree: str, results: multiprocessing.Queue[bool]) -> None:
    plain = collect(Path(tree))
    results.put(all(collect(Path(tree), effort=CACHED) == plain for _ in range(3)))


def test_two_at_once_do_each_other_no_harm(tree: Path) -> None:
    context = multiprocessing.get_context("fork")
    results = context.Queue()
    running = [context.Process(target=_audit, args=(str(tree), results)) for _ in range(3)]
    for each in running:
        each.start()
    for each in running:
        each.join(60)
    assert [results.get(timeout=300) for _ in running] == [True] * 3


def test_a_read_only_tree_is_audited_and_left_alone(tree: Path) -> None:
    plain = collect(tree)
    for path in [*tree.rglob("*"), tree]:
        path.chmod(stat.S_IRUSR | (stat.S_IXUSR if path.is_dir() else 0))
    before = {path: path.stat().st_mtime_ns for path in tree.rglob("*")}
    try:
        assert collect(tree, effort=CACHED) == plain
        assert {path: path.stat().st_mtime_ns for path in tree.rglob("*")} == before
    finally:
        for path in [tree, *tree.rglob("*")]:
            path.chmod(stat.S_IRWXU)


def test_old_answers_are_forgotten(tree: Path, own_cache: Path) -> None:
    for number in range(MOST_TREES + 5):
        put(f"notes{number}.md", "nothing")(tree)
        (tree / f"notes{number - 1}.md").unlink(missing_ok=True)
        collect(tree, ("*.py", "!hooks.py"), effort=CACHED)
    folders = list((own_cache / "cmgan-audit" / "check").iterdir())
    assert 0 < len(folders) <= MOST_TREES
