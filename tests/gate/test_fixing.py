"""Fixes are tried in memory: kept when the finding is gone, made in rounds when they overlap, taken back otherwise."""

from __future__ import annotations

from dataclasses import replace

import pytest

from cmgan_audit.errors import InputError
from cmgan_audit.finding import Edit, Finding, Fix
from cmgan_audit.gate.fixing import Change, applicable, fix_tree
from cmgan_audit.gate.writing import Fixes, diff, write_changes


def at(finding: Finding, replacement: str, width: int = 1) -> Edit:
    """The edit that replaces the number at the end of the place of a toy finding."""
    place = finding.location
    column = place.end_column - width
    return Edit(place.path, place.line, column, place.line, column + width, replacement)


@pytest.fixture
def fixing(auditor, tree):
    """Fix a toy tree with a fixer of the test's own; returns the folder and what came of it."""

    def run(files, edits, *, unsafe=True, safety="unsafe"):
        def mend(findings, matches, records, parameters, look):
            return [replace(each, fix=Fix("set it", safety, tuple(edits(each)))) for each in findings]

        root = tree(files)
        made = replace(auditor(), mend=mend)
        return root, fix_tree(root, lambda overlay: made.audit(root, overlay=overlay), unsafe=unsafe)

    return run


def test_a_finding_that_is_gone_afterwards_is_fixed(fixing):
    root, fixed = fixing({"a.py": "batch_size = 1\n", "b.yaml": "batch_size: 2\n"}, lambda f: [at(f, "8")])
    assert [str(each.location) for each in fixed.audited.fixed] == ["a.py:1", "b.yaml:1"]
    assert {path: change.after for path, change in fixed.changes.items()} == {
        "a.py": b"batch_size = 8\n",
        "b.yaml": b"batch_size: 8\n",
    }
    assert (root / "a.py").read_text() == "batch_size = 1\n"


def test_a_fix_that_does_not_help_is_taken_back_alone(fixing):
    _, fixed = fixing(
        {"a.py": "batch_size = 1\n", "b.yaml": "batch_size: 2\n"},
        lambda f: [at(f, "3" if f.location.path == "a.py" else "8")],
    )
    assert [str(each.location) for each in fixed.audited.fixed] == ["b.yaml:1"]
    assert list(fixed.changes) == ["b.yaml"]
    assert [str(each.location) for each in fixed.audited.open] == ["a.py:1"]


def test_a_fix_after_which_a_file_does_not_parse_is_taken_back_alone(fixing):
    _, fixed = fixing(
        {"a.py": "batch_size = 1\n", "b.yaml": "batch_size: 2\n"},
        lambda f: [at(f, "8 (" if f.location.path == "a.py" else "8")],
    )
    assert list(fixed.changes) == ["b.yaml"]


def test_edits_that_overlap_wait_for_the_next_round(fixing):
    files = {"a.py": "def one():\n    batch_size = 1\ndef two():\n    batch_size = 2\n"}
    rounds = []

    def edits(finding):
        rounds.append(finding.anchor)
        shared = Edit("a.py", 1, 1, 1, 1, f"# {finding.anchor}\n")  # both insert at one place
        return [shared, at(finding, "8")]

    _, fixed = fixing(files, edits)
    after = b"# two\n# one\ndef one():\n    batch_size = 8\ndef two():\n    batch_size = 8\n"
    assert fixed.changes["a.py"].after == after
    assert len(fixed.audited.fixed) == 2 and rounds == ["one", "two", "two"]


def test_a_change_that_two_findings_ask_for_is_made_once(fixing):
    files = {"a.py": "def one():\n    batch_size = 1\ndef two():\n    batch_size = 2\n"}
    shared = Edit("a.py", 1, 1, 1, 1, "import os\n")
    _, fixed = fixing(files, lambda finding: [shared, at(finding, "8")])
    assert fixed.changes["a.py"].after.count(b"import os") == 1


def test_safe_and_unsafe(fixing):
    files = {"a.py": "batch_size = 1\n"}
    assert not fixing(files, lambda f: [at(f, "8")], unsafe=False)[1].changes
    assert fixing(files, lambda f: [at(f, "8")], unsafe=False, safety="safe")[1].changes
    assert not applicable(Finding("A1", "a", None, None, "m"), unsafe=True)


def test_what_is_suppressed_is_not_fixed(fixing):
    _, fixed = fixing({"a.py": "batch_size = 1  # cmgan-audit: ignore[TOY101] -- on purpose\n"}, lambda f: [at(f, "8")])
    assert not fixed.changes


def test_writing_keeps_the_mode_and_leaves_nothing_behind(tmp_path):
    path = tmp_path / "run.sh"
    path.write_bytes(b"one\r\n")
    path.chmod(0o755)
    write_changes(tmp_path, {"run.sh": Change(b"one\r\n", b"two\r\n")})
    assert path.read_bytes() == b"two\r\n" and path.stat().st_mode & 0o777 == 0o755
    assert [each.name for each in tmp_path.iterdir()] == ["run.sh"]


@pytest.mark.parametrize("wrong", ["changed", "outside", "gone"])
def test_all_files_or_none_are_written(tmp_path, wrong):
    root = tmp_path / "repo"
    root.mkdir()
    (root / "a.py").write_bytes(b"a")
    (tmp_path / "out.py").write_bytes(b"b")
    if wrong == "changed":
        (root / "b.py").write_bytes(b"meanwhile")
    elif wrong == "outside":
        (root / "b.py").symlink_to(tmp_path / "out.py")
    with pytest.raises(InputError, match=r"b\.py"):
        write_changes(root, {"a.py": Change(b"a", b"x"), "b.py": Change(b"b", b"y")})
    assert (root / "a.py").read_bytes() == b"a" and (tmp_path / "out.py").read_bytes() == b"b"
    assert not [each for each in root.iterdir() if each.name.startswith(".")]


def test_a_diff_writes_nothing_and_git_can_apply_it(fixing, git, monkeypatch):
    root, fixed = fixing({"a.py": "# é\r\nbatch_size = 1", "b.yaml": "batch_size: 2\n"}, lambda f: [at(f, "8")])
    monkeypatch.chdir(root)
    text = diff(root, fixed.changes)
    assert (root / "a.py").read_bytes() == "# é\r\nbatch_size = 1".encode()
    (root / "fix.diff").write_bytes(text.encode())
    git("apply", "fix.diff")
    assert (root / "a.py").read_bytes() == "# é\r\nbatch_size = 8".encode()
    assert (root / "b.yaml").read_bytes() == b"batch_size: 8\n"


def test_showing_fixes_returns_the_audit_of_what_stands_in_the_files(fixing, auditor, tree):
    root = tree({"a.py": "batch_size = 1\n"})
    made = replace(
        auditor(), mend=lambda findings, *_: [replace(f, fix=Fix("t", "safe", (at(f, "8"),))) for f in findings]
    )
    shown = Fixes(unsafe=False, write=False)
    audited = shown.make(root, lambda overlay: made.audit(root, overlay=overlay))
    assert len(audited.open) == 1 and len(shown.made) == 1 and "+batch_size = 8" in shown.diff
    written = Fixes(unsafe=False, write=True)
    assert not written.make(root, lambda overlay: made.audit(root, overlay=overlay)).open
    assert (root / "a.py").read_text() == "batch_size = 8\n"
