"""The tree: what is found, what cannot be read or parsed is named, and nothing is imported, run or written."""

from __future__ import annotations

import ast
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from cmgan_audit.errors import InputError
from cmgan_audit.source.data_files.nodes import DataError, plain
from cmgan_audit.source.tree import SourceTree


def make(root: Path, files: dict[str, str | bytes]) -> SourceTree:
    for path, content in files.items():
        target = root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content if isinstance(content, bytes) else content.encode())
    return SourceTree(root)


def failures(tree: SourceTree) -> dict[str, tuple[int, str]]:
    tree.parse_all()
    return {failure.path: (failure.line, failure.reason) for failure in tree.failures}


def test_discovery_skips_what_is_not_the_projects_own(tmp_path: Path) -> None:
    tree = make(
        tmp_path,
        {
            "train.py": "",
            "src/data/loader.py": "",
            ".venv/lib/x.py": "",
            "node_modules/a.py": "",
            "my_env/pyvenv.cfg": "",
            "my_env/lib/y.py": "",
            "build/lib/z.py": "",
            "env/__init__.py": "",
            "env/wrapper.py": "",
            "pkg.egg-info/a.py": "",
            "conf/a.yaml": "",
            "run.sh": "",
            "README.md": "",
            "notes.ipynb": "{}",
        },
    )
    assert tree.python_files == ("env/__init__.py", "env/wrapper.py", "src/data/loader.py", "train.py")
    assert (tree.data_files, tree.notebooks) == (("conf/a.yaml",), ("notes.ipynb",))
    assert tree.launcher_files == ("README.md", "run.sh")


def test_ignore_files_hold_below_their_folder_and_can_be_taken_back(tmp_path: Path) -> None:
    tree = make(
        tmp_path,
        {
            ".git/HEAD": "ref: refs/heads/main\n",
            ".gitignore": "data/\n*_old.py\n/only_root.py\n",
            "data/x.py": "",
            "a_old.py": "",
            "only_root.py": "",
            "sub/only_root.py": "",
            "sub/.gitignore": "!keep_old.py\nlocal.py\n",
            "sub/keep_old.py": "",
            "sub/local.py": "",
            "local.py": "",
        },
    )
    assert tree.python_files == ("local.py", "sub/keep_old.py", "sub/only_root.py")
    # An import may lead to an ignored file (a tracked src/data under a rule `data/`): it can still be read.
    assert tree.locate("data/x.py") == "data/x.py"
    assert tree.parsed("data/x.py") is not None


@pytest.mark.parametrize("line", ["!", "a\\", "\\", "[z-a]", "x[", "   "])
def test_a_line_of_an_ignore_file_that_git_passes_over_is_passed_over(tmp_path: Path, line: str) -> None:
    tree = make(
        tmp_path,
        {
            ".git/HEAD": "ref: refs/heads/main\n",
            ".gitignore": f"{line}\n*_old.py\n!kept_old.py\n",
            "b.py": "",
            "a_old.py": "",
            "kept_old.py": "",
        },
    )
    assert tree.python_files == ("b.py", "kept_old.py")


def test_what_was_unpacked_from_an_archive_was_tracked(tmp_path: Path) -> None:
    tree = make(tmp_path, {".gitignore": "data/\n*.yaml\n", "data/x.py": "", "conf/a.yaml": "", "train.py": ""})
    assert (tree.python_files, tree.data_files) == (("data/x.py", "train.py"), ("conf/a.yaml",))


@pytest.mark.skipif(shutil.which("git") is None, reason="needs git to make a repository")
@pytest.mark.parametrize("version", ["2", "3", "4"])
@pytest.mark.parametrize("below", ["", "sub"])
def test_what_git_tracks_is_not_ignored(tmp_path: Path, version: str, below: str) -> None:
    """A rule `data/` is meant for recordings; people still track src/data/loader.py."""
    files: dict[str, str | bytes] = {f"{below}/.gitignore" if below else ".gitignore": "data/\n*.yaml\n"}
    names = ["src/data/loader.py", "src/data/loader_two.py", "data/scratch.py", "a.yaml", "b.yaml", "src/train.py"]
    make(tmp_path, {**files, **{(f"{below}/{name}" if below else name): "" for name in names}})
    added = [
        f"{below}/{name}" if below else name for name in ("src/data/loader.py", "src/data/loader_two.py", "b.yaml")
    ]
    for command in (["init", "-q"], ["add", "-f", *added], ["add", "."], ["update-index", "--index-version", version]):
        subprocess.run(
            ["git", *command], cwd=tmp_path, check=True, env={"PATH": os.environ["PATH"], "HOME": str(tmp_path)}
        )
    tree = SourceTree(tmp_path / below)
    assert tree.python_files == ("src/data/loader.py", "src/data/loader_two.py", "src/train.py")
    assert tree.data_files == ("b.yaml",)


def test_a_broken_index_is_no_index(tmp_path: Path) -> None:
    for content in (b"", b"DIRC", b"DIRC\0\0\0\2\0\0\xff\xffxx", b"nonsense" * 40):
        tree = make(tmp_path, {".gitignore": "x.py\n", "x.py": "", "y.py": "", ".git/index": content})
        assert tree.python_files == ("y.py",)


def test_excludes_are_patterns_relative_to_the_root(tmp_path: Path) -> None:
    make(tmp_path, {"a.py": "", "third_party/b.py": "", "src/c_test.py": ""})
    assert SourceTree(tmp_path, ["third_party/", "*_test.py"]).python_files == ("a.py",)


def test_one_file_as_root(tmp_path: Path) -> None:
    make(tmp_path, {"a.py": "import b", "b.py": ""})
    tree = SourceTree(tmp_path / "a.py")
    assert tree.python_files == ("a.py",)
    assert tree.locate("b.py") == "b.py"


@pytest.mark.parametrize("name", ["missing", "wav.wav"])
def test_a_root_that_cannot_be_audited(tmp_path: Path, name: str) -> None:
    (tmp_path / "wav.wav").write_bytes(b"")
    with pytest.raises(InputError, match=name):
        SourceTree(tmp_path / name)


def test_links_inside_the_root_are_followed_and_never_loop(tmp_path: Path) -> None:
    make(tmp_path, {"pkg/prepare.py": "x = 1", "outside.txt": ""})
    (tmp_path / "recipe").mkdir()
    (tmp_path / "recipe/prepare.py").symlink_to("../pkg/prepare.py")
    (tmp_path / "recipe/loop").symlink_to(tmp_path, target_is_directory=True)
    (tmp_path / "dangling.py").symlink_to("nowhere.py")
    (tmp_path / "self.py").symlink_to("self.py")
    (tmp_path / "passwd.py").symlink_to("/etc/passwd")
    tree = SourceTree(tmp_path)
    assert tree.python_files == ("pkg/prepare.py",)
    assert tree.locate("recipe/prepare.py") == "pkg/prepare.py"
    assert tree.locate("recipe/loop/recipe/loop/pkg/prepare.py") == "pkg/prepare.py"
    assert [tree.locate(path) for path in ("dangling.py", "self.py", "passwd.py", "../x.py", "a\0b")] == [None] * 5


def test_files_that_are_not_python_3_are_named_with_line_and_reason(tmp_path: Path) -> None:
    tree = make(
        tmp_path,
        {
            "old.py": "import os\nprint 'epoch', 1\n",
            "broken.py": "def f(:\n    pass\n",
            "latin.py": "x = 1\n# caf\xe9\n".encode("latin-1"),
            "declared.py": "# -*- coding: latin-1 -*-\ns = 'caf\xe9'\n".encode("latin-1"),
            "null.py": b"x = 1\n\0",
            "bom.py": b"\xef\xbb\xbfx = 1\r\ny = 2\r\n",
            "deep.py": "x = " + "-" * 100_000 + "1\n",
            "brackets.py": "(" * 5000 + ")" * 5000,
            "tabs.py": "if 1:\n\tx = 1\n        y = 2\n",
            "unknown_coding.py": "# coding: klingon\n",
        },
    )
    found = failures(tree)
    assert found["old.py"] == (2, "Python 2 syntax: Missing parentheses in call to 'print'. Did you mean print(...)?")
    assert found["broken.py"][0] == 1 and found["broken.py"][1].startswith("syntax error")
    assert found["latin.py"][0] == 2 and "decoded" in found["latin.py"][1]
    assert found["null.py"][1].startswith(("not Python source", "syntax error"))
    assert set(found) == {
        "old.py",
        "broken.py",
        "latin.py",
        "null.py",
        "deep.py",
        "brackets.py",
        "tabs.py",
        "unknown_coding.py",
    }
    assert tree.parsed("declared.py") is not None and tree.parsed("bom.py") is not None


def test_unreadable_and_huge_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from cmgan_audit.source import tree as module

    monkeypatch.setitem(module.LARGEST, "python", 1_000_000)
    made = make(tmp_path, {"huge.py": b"#" * 1_000_001, "gone.py": "", "ok.py": "x = 1", "conf.yaml": "a: 1"})
    (tmp_path / "gone.py").unlink()
    found = failures(made)
    assert found == {
        "huge.py": (0, "larger than 1 MB, not read"),
        "gone.py": (0, "cannot be read: No such file or directory"),
    }
    with pytest.raises(DataError):
        made.read_data("missing.yaml", "yaml")
    assert plain(made.read_data("conf.yaml", "yaml")) == {"a": 1}


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
def test_a_folder_that_cannot_be_listed(tmp_path: Path) -> None:
    make(tmp_path, {"secret/a.py": "", "b.py": ""})
    (tmp_path / "secret").chmod(0)
    tree = SourceTree(tmp_path)
    (tmp_path / "secret").chmod(0o700)
    assert tree.python_files == ("b.py",) and tree.failures[0].path == "secret"


def test_columns_count_characters_not_bytes(tmp_path: Path) -> None:
    tree = make(tmp_path, {"a.py": "s = 'äöü'; batch_size = 4\n"})
    parsed = tree.parsed("a.py")
    assert parsed is not None
    place = parsed.location(parsed.tree.body[1])
    assert (place.line, place.column, place.end_column) == (1, 12, 26)


def notebook(*cells: tuple[str, list[str] | str], indent: int | None = 1) -> str:
    document = {
        "cells": [{"cell_type": kind, "metadata": {}, "outputs": [], "source": source} for kind, source in cells],
        "metadata": {"language_info": {"name": "python"}},
        "nbformat": 4,
    }
    return json.dumps(document, indent=indent)


@pytest.mark.parametrize("indent", [1, None])
def test_places_in_a_notebook_point_into_the_file(tmp_path: Path, indent: int | None) -> None:
    text = notebook(
        ("markdown", ["# batch_size = 1\n"]),
        (
            "code",
            ["!pip install x\n", "%matplotlib inline\n", "files = !ls\n", "batch_size = 1\n", 'name = "a\\n"; lr = 2'],
        ),
        ("code", "%%bash\necho hi"),
        ("code", "for i in range(3):\n    print(i, batch_size)\n    !ls\n"),
        indent=indent,
    )
    tree = make(tmp_path, {"n.ipynb": text})
    parsed = tree.parsed("n.ipynb")
    assert parsed is not None, tree.failures
    lines = text.split("\n")
    for node in ast.walk(parsed.tree):
        if isinstance(node, ast.Name) and node.id in {"batch_size", "lr"}:
            place = parsed.location(node)
            assert place.end_column is not None
            assert lines[place.line - 1][place.column - 1 : place.end_column - 1] == node.id
            assert parsed.cells[place.line] in {2, 4} or indent is None


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("{", "not a notebook"),
        ('{"cells": [], "nbformat": ' + "9" * 5000 + "}", "not a notebook that is read here: Exceeds the limit"),
        ("[]", "no list of cells"),
        ('{"worksheets": []}', "no list of cells"),
        (notebook(("code", "x = = 1")), "cell 1: syntax error"),
        ('{"cells": [], "metadata": {"language_info": {"name": "R"}}}', "a notebook in R"),
    ],
)
def test_notebooks_that_cannot_be_read(tmp_path: Path, text: str, reason: str) -> None:
    found = failures(make(tmp_path, {"n.ipynb": text}))
    assert reason in found["n.ipynb"][1]


def test_reading_leaves_no_trace(tmp_path: Path) -> None:
    tree = make(
        tmp_path,
        {"a.py": "open('trace', 'w').write('x')", "n.ipynb": notebook(("code", "open('t', 'w')")), "c.yaml": "a: 1"},
    )
    before = sorted((path, path.stat().st_mtime_ns) for path in tmp_path.rglob("*"))
    tree.parse_all()
    tree.read_data("c.yaml", "yaml")
    _ = tree.commands
    assert sorted((path, path.stat().st_mtime_ns) for path in tmp_path.rglob("*")) == before


def test_a_forgotten_syntax_tree_is_made_again_when_somebody_asks(tmp_path: Path) -> None:
    tree = make(tmp_path, {"train.py": "x = 1\n", "broken.py": "x = = 1\n"})
    first = tree.parsed("train.py")
    assert first is not None
    assert tree.parsed("train.py") is first
    tree.forget("train.py")
    tree.forget("broken.py")
    assert failures(tree) == {"broken.py": (1, "syntax error: invalid syntax")}
    again = tree.parsed("train.py")
    assert again is not None
    assert again is not first
    assert again.text == first.text


@pytest.mark.skipif(sys.version_info >= (3, 12), reason="this Python reads it")
@pytest.mark.parametrize(
    "code",
    [
        "type Names = list[str]\n",
        "class Pairs[T]:\n    pass\n",
        "async def pair[T](a: T): pass\n",
        'x = f"{names[\'a\']} {names["a"]}"\n',
        "x = f\"{'\\n'.join(names)}\"\n",
    ],
)
def test_code_for_a_newer_python_is_told_as_such(tmp_path, code):
    (tmp_path / "new.py").write_text(code, encoding="utf-8")
    ((line, reason),) = failures(SourceTree(tmp_path)).values()
    assert line == 1 and reason.startswith("syntax of Python 3.12 or newer: ")
    assert reason.endswith("; cmgan-audit runs on 3.11 here and reads no newer code")


@pytest.mark.parametrize("code", ["x = f'{}'\n", "type = = 3\n", "class A(:\n"])
def test_code_that_no_python_reads_is_not(tmp_path, code):
    (tmp_path / "wrong.py").write_text(code, encoding="utf-8")
    assert failures(SourceTree(tmp_path))["wrong.py"][1].startswith("syntax error: ")


@pytest.mark.parametrize("indent", [1, None])
def test_a_cell_that_is_no_python_is_left_out_and_named(tmp_path: Path, indent: int | None) -> None:
    text = notebook(
        ("code", "import torch\nbatch_size = 1"),
        ("code", "for name in names:"),
        ("code", "loader = batch_size\nprint(loader"),
        ("code", "epochs = 3"),
        indent=indent,
    )
    tree = make(tmp_path, {"n.ipynb": text})
    parsed = tree.parsed("n.ipynb")
    assert parsed is not None, tree.failures
    assert [ast.unparse(node) for node in parsed.tree.body] == ["import torch", "batch_size = 1", "epochs = 3"]
    reasons = [failure.reason for failure in tree.failures]
    assert reasons[0].startswith("cell 2, which is left out: syntax error: ")
    assert all(reason.startswith("cell 3, which is left out: syntax error: ") for reason in reasons[1:])
    assert len(reasons) == (2 if indent else 1)  # a file of one line has one place
