"""Several paths, single files, and the exit status of the contract."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from cmgan_audit.errors import InputError, UsageError
from cmgan_audit.gate.audited import Coverage, exit_status
from cmgan_audit.gate.fingerprint import fingerprints
from cmgan_audit.gate.paths import asked_for, audit_paths, outermost, outside_of, part_of, root_of


def test_several_folders_are_joined_under_their_common_one(auditor, tree):
    root = tree({"one/a.py": "batch_size = 1\n", "two/b.py": "batch_size = 5\n"})
    audited = audit_paths(asked_for([root / "one", root / "two"]), lambda folder, _: auditor().audit(folder))
    assert [str(finding.location) for finding in audited.open] == ["one/a.py:1", "two/b.py:1"]
    assert [str(finding.trail[0].location) for finding in audited.open] == ["one/a.py:1", "two/b.py:1"]
    assert (audited.root, audited.coverage.files) == (root, 2)


def test_a_file_keeps_the_findings_that_touch_it(auditor, tree):
    root = tree({"a.py": "batch_size = 1\n", "b.py": "batch_size = 1\n"})
    [(folder, names)] = asked_for([root / "a.py"]).items()
    audited = part_of(auditor().audit(folder), names)
    assert [str(finding.location) for finding in audited.open] == ["a.py:1"]


def test_a_folder_is_audited_once_for_all_of_its_files(tree, monkeypatch):
    root = tree({"a.py": "", "b.py": "", "sub/c.py": ""})
    monkeypatch.chdir(root)
    assert asked_for([Path("a.py"), Path("sub/c.py"), Path("b.py")]) == {
        Path(): {"a.py", "b.py"},
        Path("sub"): {"c.py"},
    }
    assert asked_for([Path("a.py"), root, Path()]) == {Path(): frozenset()}


def test_a_file_of_settings_is_looked_at_with_the_code_around_it(tree, git, tmp_path, monkeypatch):
    root = tree({"train.py": "", "conf/deep/a.yaml": "", "nets/b.yaml": "", "nets/b.py": "", "run.sh": ""})
    monkeypatch.chdir(root / "conf")
    assert asked_for([Path("deep/a.yaml"), Path("../run.sh")]) == {Path(".."): {"conf/deep/a.yaml", "run.sh"}}
    assert asked_for([root / "nets" / "b.yaml"]) == {root / "nets": {"b.yaml"}}
    (tmp_path / "else.yaml").write_text("")
    assert asked_for([tmp_path / "else.yaml"]) == {tmp_path: {"else.yaml"}}  # in no repository: no folder above


def test_a_file_of_settings_outside_of_a_repository(tree, monkeypatch):
    root = tree({"train.py": "", "conf/a.yaml": ""})
    monkeypatch.chdir(root)
    assert asked_for([Path("conf/a.yaml")]) == {Path(): {"conf/a.yaml"}}
    monkeypatch.chdir(root / "conf")
    assert asked_for([Path("a.yaml")]) == {Path(): {"a.yaml"}}


def test_a_file_that_is_not_read_does_not_pass(tree):
    with pytest.raises(InputError, match=r"net\.pth: not a Python file"):
        asked_for([tree({"train.py": "", "net.pth": ""}) / "net.pth"])


def test_a_link_to_a_file_stands_for_that_file(tree, monkeypatch):
    root = tree({"a.py": "", "conf/train.yaml": "", "run.sh": ""})
    (root / "b.py").symlink_to("a.py")
    (root / "experiment").symlink_to("conf")
    (root / "go.sh").symlink_to("run.sh")
    monkeypatch.chdir(root)
    names = {"a.py", "conf/train.yaml", "go.sh"}
    assert asked_for([Path("b.py"), Path("experiment/train.yaml"), Path("go.sh")]) == {Path(): names}


def test_a_link_out_of_its_folder_does_not_pass(tree):
    root = tree({"repo/a.py": "", "elsewhere.py": ""})
    (root / "repo" / "b.py").symlink_to(root / "elsewhere.py")
    with pytest.raises(
        InputError, match=r"b\.py: a link to .*elsewhere\.py, outside of .*repo; ask for that file itself"
    ):
        asked_for([root / "repo" / "b.py"])


def test_the_folder_of_a_single_file_is_not_the_whole_repository(tree, git):
    root = tree({"train.py": "", "nets/b.py": ""})
    assert [*outside_of(asked_for([root / "nets" / "b.py"]))] == [(root / "nets", root)]
    assert [*outside_of(asked_for([root / "train.py", root / "nets"]))] == []


def test_a_folder_in_another_one_is_audited_once(tree):
    root = tree({"a.py": "", "nets/b.py": "", "nets/deep/c.py": "", "old/d.py": "", "beside/e.txt": ""})
    nets, old = root / "nets", root / "old"

    def folders(*paths: Path) -> list[Path]:
        return list(outermost(asked_for(paths), lambda folder: ("old/",) if folder == root else ()))

    assert folders(root, nets, nets / "deep" / "c.py") == [root]
    assert folders(nets / "b.py", root) == [root]
    assert folders(root, old) == [root, old] and folders(old / "d.py", root) == [old, root]
    assert folders(nets / "b.py", nets / "deep") == [nets, nets / "deep"]
    assert folders(nets, old) == [nets, old]


def test_files_of_which_none_could_be_read_do_not_pass(auditor, tree):
    audited = auditor().audit(tree({"a.py": "batch_size = 1\n"}))
    audited = replace(audited, coverage=Coverage(3, 1, (("b.py", 7, "invalid syntax"), ("c.ipynb", 2, "cell 1"))))
    with pytest.raises(InputError, match=r"could not be read: b.py:7: invalid syntax"):
        part_of(audited, frozenset({"b.py"}))
    for names in ({"a.py", "b.py"}, {"c.ipynb"}, set()):
        part_of(audited, frozenset(names))


def test_a_path_that_is_not_there():
    with pytest.raises(UsageError, match="nowhere: no such file or folder"):
        root_of(Path("nowhere"))


@pytest.mark.parametrize(
    ("fail_on", "strict", "failed", "status"),
    [
        ("error", False, False, 1),
        ("never", False, False, 0),
        ("never", False, True, 0),
        ("never", True, True, 3),
        ("never", True, False, 0),
        ("error", True, True, 1),
    ],
)
def test_exit_status(auditor, tree, fail_on, strict, failed, status):
    audited = auditor().audit(tree({"a.py": "batch_size = 1\n"}))
    if failed:
        audited = replace(audited, coverage=Coverage(2, 1, (("b.py", 1, "invalid syntax"),)))
    assert exit_status(audited, fail_on, strict=strict) == status


def test_a_tree_of_which_nothing_could_be_read_does_not_pass(auditor, tree):
    audited = auditor().audit(tree({"a.py": "batch_size = 1\n"}))
    unread = replace(audited, findings=(), coverage=Coverage(1, 0, (("b.py", 1, "invalid syntax"),)))
    assert [exit_status(unread, word, strict=False) for word in ("error", "never")] == [3, 3]
    assert exit_status(replace(audited, coverage=unread.coverage), "error", strict=False) == 1


def test_the_lowest_severity_that_counts(auditor, tree):
    audited = auditor().audit(tree({"a.py": "batch_size = 5\n"}))
    assert [exit_status(audited, word, strict=False) for word in ("error", "warning", "note")] == [0, 1, 1]


def test_fingerprints_differ_where_a_place_is_found_twice(auditor, tree):
    audited = auditor().audit(tree({"a.py": "batch_size = 1\nbatch_size = 2\n"}))
    first, second = fingerprints(audited.findings)
    assert first == audited.findings[0].fingerprint == audited.findings[1].fingerprint != second
