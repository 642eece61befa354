"""`--since`: the whole tree at both commits, from git's object store, uncommitted changes included."""

from __future__ import annotations

import dataclasses
import datetime
import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import NoReturn

import pytest
import torch

from cmgan_audit.gate.check import Auditor
from cmgan_audit.gate.door import collect, load_kinds
from cmgan_audit.gate.git import TOGETHER, GitError, Repository
from cmgan_audit.gate.settings import Settings
from cmgan_audit.gate.since import under_pre_commit
from cmgan_audit.rules.catalogue import load_catalogue

CLEAN = {"train.py": "def main():\n    batch_size = 8\n", "conf/train.yaml": "epochs: 120\nbatch_size: 8\n"}


@pytest.fixture
def repo(tree, git):
    """A clean main, checked out."""
    root = tree(CLEAN)
    git("add", ".")
    git("commit", "-qm", "clean")
    return root


def test_a_change_of_a_yaml_file_alone_is_seen(auditor, tree, repo, git, rules_of):
    git("checkout", "-qb", "small")
    tree({"conf/train.yaml": "epochs: 120\nbatch_size: 1\n"})
    git("commit", "-qam", "smaller")
    [finding] = auditor().audit(repo, since="main").open
    assert (finding.rule, str(finding.trail[0].location)) == ("TOY101", "conf/train.yaml:2")


def test_uncommitted_and_untracked_changes_count(auditor, tree, repo, rules_of):
    tree({"conf/train.yaml": "batch_size: 1\n"})
    assert rules_of(auditor().audit(repo, since="HEAD")) == ["TOY101"]
    tree({"new.py": "batch_size = 2\n"})
    assert rules_of(auditor().audit(repo, since="HEAD")) == ["TOY101", "TOY101"]


def test_older_findings_are_counted_not_shown(auditor, tree, git, rules_of):
    root = tree({"train.py": "def main():\n    batch_size = 1\n"})
    git("add", ".")
    git("commit", "-qm", "small from the start")
    tree({"train.py": "# moved\n\ndef main():\n    batch_size = 1\n"})
    audited = auditor().audit(root, since="main")
    assert (rules_of(audited), audited.older) == ([], 1)


def test_a_renamed_file_is_not_new(auditor, tree, git, rules_of):
    root = tree({"a.py": "x = 1\n" * 20 + "batch_size = 1\n"})
    git("add", ".")
    git("commit", "-qm", "first")
    git("mv", "a.py", "b.py")
    assert rules_of(auditor().audit(root, since="main")) == []


def test_a_folder_inside_the_repository(auditor, tree, repo, git, rules_of):
    tree({"sub/train.py": "batch_size = 1\n"})
    assert rules_of(auditor().audit(repo / "sub", since="main")) == ["TOY101"]
    git("add", ".")
    git("commit", "-qm", "sub")
    assert rules_of(auditor().audit(repo / "sub", since="main")) == []


def test_the_repository_is_left_as_it_was(auditor, tree, repo, git):
    tree({"train.py": "batch_size = 1\n"})
    before = (git("status", "--porcelain"), git("rev-parse", "HEAD"), (repo / ".git" / "index").read_bytes())
    auditor().audit(repo, since="main")
    assert before == (git("status", "--porcelain"), git("rev-parse", "HEAD"), (repo / ".git" / "index").read_bytes())


def test_a_first_commit_without_programs_makes_all_new(auditor, tree, git, rules_of):
    root = tree({"README": "hello\n"})
    git("add", ".")
    git("commit", "-qm", "empty")
    tree({"train.py": "batch_size = 1\n"})
    assert rules_of(auditor().audit(root, since="main")) == ["TOY101"]


def test_before_the_first_commit_all_is_new(auditor, tree, git, rules_of):
    root = tree({"train.py": "batch_size = 1\n"})
    git("add", ".")
    assert rules_of(auditor().audit(root, since="HEAD")) == ["TOY101"]


def test_odd_file_names_survive(auditor, tree, git, rules_of):
    root = tree({"a b/ü\t'x.py": "batch_size = 1\n"})
    git("add", ".")
    git("commit", "-qm", "odd")
    assert rules_of(auditor().audit(root, since="main")) == []


@pytest.mark.parametrize("reference", ["nothing", "--upload-pack=x", "HEAD~99"])
def test_a_reference_that_names_no_commit(auditor, repo, reference):
    with pytest.raises(GitError, match="names no commit"):
        auditor().audit(repo, since=reference)


def test_a_reference_that_is_nearly_a_branch_names_it(auditor, repo):
    with pytest.raises(GitError, match=r"'mian' names no commit of .*\(did you mean 'main'\?\)"):
        auditor().audit(repo, since="mian")


@pytest.mark.parametrize(
    ("reference", "said"), [("origin/main...", "did you mean 'main'?"), ("release", "it has main, v1")]
)
def test_a_reference_that_is_nothing_like_it_is_told_what_there_is(auditor, repo, git, reference, said):
    git("tag", "v1")
    with pytest.raises(GitError, match=re.escape(f" ({said})")):
        auditor().audit(repo, since=reference)


def test_a_wrong_reference_is_told_before_the_tree_is_followed(auditor, repo):
    def follow(*_: object) -> NoReturn:
        raise AssertionError("the tree was followed")

    with pytest.raises(GitError, match="names no commit"):
        dataclasses.replace(auditor(), collect=follow).audit(repo, since="nothing")


def test_what_main_mended_meanwhile_is_not_new_where_the_branch_left_it(auditor, tree, git, rules_of):
    root = tree({"train.py": "def main():\n    batch_size = 1\n"})
    git("add", ".")
    git("commit", "-qm", "small from the start")
    git("checkout", "-qb", "behind")
    tree({"other.py": "batch_size = 2\n"})
    git("add", ".")
    git("commit", "-qm", "one more")
    git("checkout", "-q", "main")
    tree({"train.py": "def main():\n    batch_size = 8\n"})
    git("commit", "-qam", "mended")
    git("checkout", "-q", "behind")
    assert rules_of(auditor().audit(root, since="main")) == ["TOY101", "TOY101"]
    for reference in ("main...", "main...HEAD"):
        [finding] = auditor().audit(root, since=reference).open
        assert finding.location.path == "other.py"


@pytest.mark.parametrize(
    ("reference", "reason"),
    [
        ("main...other", "what is audited is what is checked out; write 'main...'"),
        ("main..HEAD", "is a range of commits; write 'main', or 'main...'"),
        ("none...", "'none' names no commit"),
        ("...", "'' names no commit"),
        ("alone...", "'alone' and HEAD have no commit in common$"),
    ],
)
def test_where_a_branch_left_another_one_that_it_did_not_leave(auditor, repo, git, reference, reason):
    git("checkout", "-q", "--orphan", "alone")
    git("commit", "-qm", "another beginning")
    git("checkout", "-q", "main")
    with pytest.raises(GitError, match=reason):
        auditor().audit(repo, since=reference)


@pytest.mark.parametrize(
    ("reference", "start", "meant"),
    [
        ("HEAD", "", "HEAD"),  # a commit
        ("HEAD", "0123abc", "0123abc..."),  # a push, or --from-ref
        ("origin/main", "0123abc", "origin/main"),  # the project says so itself
    ],
)
def test_under_pre_commit_the_hook_looks_from_where_pre_commit_looks(reference, start, meant):
    assert under_pre_commit(reference, {"PRE_COMMIT_FROM_REF": start} if start else {}) == meant


def test_a_linked_file_or_folder_is_there_in_the_older_tree_too(tree, repo, git):
    """A configuration that the program reads through a link: what it sets was set before."""
    (repo / "train.py").write_text(TRAINING.replace("CONFIG = {", "CONFIG = json.load(open('conf/now.json')) or {"))
    (repo / "train.py").write_text("import json\n" + (repo / "train.py").read_text())
    tree({"kept/small.json": '{"batch_size": 1, "lr": 1e-3}\n'})
    (repo / "kept" / "now.json").symlink_to("small.json")
    (repo / "conf" / "train.yaml").unlink()
    (repo / "conf").rmdir()
    (repo / "conf").symlink_to("kept")
    (repo / "outside").symlink_to("../..")
    git("add", "-A")
    git("commit", "-qm", "links")
    load_kinds()
    auditor = Auditor(load_catalogue(), Settings(select=("CMG101",)), collect, datetime.date(2026, 1, 1))
    assert [finding.location.path for finding in auditor.audit(repo).open] == ["kept/small.json"]
    audited = auditor.audit(repo, since="main")
    assert (audited.open, audited.older) == ((), 1)


def test_a_submodule_is_compared_with_its_own_earlier_commit(auditor, tree, repo, git, tmp_path, rules_of):
    part = tmp_path / "part"
    shutil.copytree(repo, part)
    (part / "old.py").write_text("batch_size = 1\n")
    git("-C", str(part), "add", ".")
    git("-C", str(part), "commit", "-qm", "part")
    git("-c", "protocol.file.allow=always", "submodule", "add", "-q", str(part), "sub")
    assert rules_of(auditor().audit(repo, since="main")) == ["TOY101"]  # all of a new submodule is new
    git("commit", "-qm", "with a part")
    assert rules_of(auditor().audit(repo, since="main")) == []
    git("-C", "sub", "mv", "old.py", "moved.py")
    (repo / "sub" / "new.py").write_text("batch_size = 2\n")
    git("-C", "sub", "add", ".")
    [finding] = auditor().audit(repo, since="main").open
    assert finding.location.path == "sub/new.py"
    git("-C", "sub", "commit", "-qm", "more")
    git("add", ".")
    assert rules_of(auditor().audit(repo, since="main")) == ["TOY101"]
    git("commit", "-qm", "more of the part")
    assert rules_of(auditor().audit(repo, since="main")) == []


def test_data_of_the_older_tree_is_listed_not_read(repo, git, tmp_path):
    for number in range(TOGETHER + 1):
        (repo / f"part{number}.py").write_text(f"number = {number}\n")
    (repo / "take.WAV").write_bytes(b"RIFF" * 100)
    (repo / "scores.npy").write_bytes(b"numbers")
    git("add", ".")
    git("commit", "-qm", "data")
    Repository(repo).lay_out("HEAD", tmp_path / "older")
    laid = {path.name: path.read_bytes() for path in (tmp_path / "older").iterdir() if path.is_file()}
    assert laid["take.WAV"] == laid["scores.npy"] == b""
    assert all(laid[f"part{number}.py"] == f"number = {number}\n".encode() for number in range(TOGETHER + 1))


@pytest.mark.parametrize(("name", "read"), [("run.bin", False), ("conf/train.yaml", True)])
def test_an_object_that_is_not_at_hand_is_listed_if_nobody_reads_it(tree, repo, git, tmp_path, name, read):
    tree({name: "epochs: 9\nbatch_size: 4\n"})
    git("add", ".")
    git("commit", "-qm", "data")
    blob = git("rev-parse", f"HEAD:{name}")
    (repo / ".git" / "objects" / blob[:2] / blob[2:]).unlink()
    target = tmp_path / "older"
    target.mkdir()
    if read:
        with pytest.raises(GitError, match="not at hand; fetch it"):
            Repository(repo).lay_out("HEAD", target)
    else:
        Repository(repo).lay_out("HEAD", target)
        assert (target / name).read_bytes() == b""


def test_a_shallow_clone_says_that_it_lacks_the_commit(auditor, tree, repo, git, tmp_path):
    tree({"train.py": "x = 1\n"})
    git("commit", "-qam", "second")
    subprocess.run(["git", "clone", "-q", "--depth", "1", repo.as_uri(), tmp_path / "shallow"], check=True)
    for reference in ("HEAD~1", "HEAD~1..."):
        with pytest.raises(GitError, match=r"'HEAD~1' names no commit of .* a shallow clone: .*fetch-depth: 0"):
            auditor().audit(tmp_path / "shallow", since=reference)


@pytest.mark.parametrize(
    ("script", "reason"),
    [
        ("", "git is not installed"),
        ("echo \"fatal: detected dubious ownership in repository at '/x'\" >&2; exit 128", "dubious ownership"),
    ],
)
def test_what_keeps_git_from_answering_is_not_taken_for_a_missing_repository(
    auditor, repo, tmp_path, monkeypatch, script, reason
):
    folder = tmp_path / "bin"
    folder.mkdir()
    if script:
        (folder / "git").write_text(f"#!/bin/sh\n{script}\n")
        (folder / "git").chmod(0o755)
    monkeypatch.setenv("PATH", str(folder))
    for reference in ("main", "HEAD"):
        with pytest.raises(GitError, match=reason):
            auditor().audit(repo, since=reference)


def test_outside_a_repository(auditor, tree):
    with pytest.raises(GitError, match="lies in no git repository, so 'main' names no commit"):
        auditor().audit(tree({"train.py": ""}), since="main")


TRAINING = """
import torch
from torch.utils.data import DataLoader, TensorDataset

CONFIG = {"batch_size": 8, "lr": 5e-4}
net = torch.nn.Linear(4, 4)
optimizer = torch.optim.AdamW(net.parameters(), lr=CONFIG["lr"])
for epoch in range(9):
    for (batch,) in DataLoader(TensorDataset(torch.zeros(64, 4)), CONFIG["batch_size"], shuffle=True):
        optimizer.zero_grad()
        net(batch).mean().backward()
        optimizer.step()
"""


def test_a_checkpoint_that_git_ignores_is_new_where_the_code_changed(tree, git):
    def stale(root: Path) -> list[str]:
        load_kinds()
        auditor = Auditor(load_catalogue(), Settings(select=("CMG605",)), collect, datetime.date(2026, 1, 1))
        return [finding.rule for finding in auditor.audit(root, since="main").open]

    root = tree({"train.py": TRAINING, ".gitignore": "ckpt/\n"})
    git("add", ".")
    git("commit", "-qm", "first")
    (root / "ckpt").mkdir()
    weights = {"weight": torch.zeros(4, 4), "bias": torch.zeros(4)}
    torch.save({"config": {"batch_size": 4, "lr": 5e-4}, "state_dict": weights}, root / "ckpt" / "old.pth")
    (root / "notes.py").write_text("text = 1\n", encoding="utf-8")
    assert stale(root) == []  # as stale as it was before
    (root / "train.py").write_text(TRAINING.replace('"batch_size": 8', '"batch_size": 16'), encoding="utf-8")
    assert stale(root) == ["CMG605"]


def test_lines_that_read_like_a_patch_are_content(repo, git):
    (repo / "notes.py").write_text("1\n2\n3\n4")
    git("add", ".")
    git("commit", "-qm", "notes")
    (repo / "notes.py").write_text("++ b/other.py\n2\n@@ -1 +7 @@\n4\n5\n")
    assert Repository(repo).changed_lines("HEAD") == {"notes.py": {1, 3, 4, 5}}


def test_a_file_that_was_rewritten_and_then_renamed_is_not_new(auditor, tree, git, rules_of):
    """No single comparison sees it as the same file: each commit in between does."""
    root = tree({"a.py": "".join(f"x{n} = 'a'\n" for n in range(20)) + "batch_size = 1\n"})
    git("add", ".")
    git("commit", "-qm", "first")
    git("checkout", "-qb", "tidy")
    tree({"a.py": "".join(f'y{n} = "b"\n' for n in range(20)) + "batch_size = 1\n"})
    git("commit", "-qam", "reformatted")
    git("mv", "a.py", "b.py")
    git("commit", "-qm", "renamed")
    git("mv", "b.py", "c.py")
    assert rules_of(auditor().audit(root, since="main")) == []
    assert Repository(root).renamed_since("main") == {"c.py": "a.py"}
    tree({"d.py": "batch_size = 1\n"})
    assert rules_of(auditor().audit(root, since="main")) == ["TOY101"]


@pytest.mark.parametrize(
    "setting",
    [
        "diff.mnemonicPrefix=true",
        "diff.noprefix=true",
        "diff.interHunkContext=9",
        "diff.external=false",
        "diff.renames=false",
    ],
)
def test_what_the_user_wants_diffs_to_look_like_changes_nothing(tree, git, setting):
    root = tree({"b/a.py": "x = 1\n" * 20, "w/b.py": "x = 1\n", "c.py": "y = 2\n" * 9})
    git("add", ".")
    git("commit", "-qm", "first")
    git("config", *setting.split("="))
    lines = ["x = 1\n"] * 20
    lines[2] = lines[8] = "x = 3\n"
    tree({"b/a.py": "".join(lines), "w/b.py": "x = 2\n"})
    git("mv", "c.py", "d.py")
    assert Repository(root).changed_lines("main") == {"b/a.py": {3, 9}, "w/b.py": {1}}
    assert Repository(root).renamed_since("main") == {"d.py": "c.py"}


def test_programs_that_show_notebooks_in_diffs_are_not_run(tree, git):
    root = tree({"a.ipynb": "{}\n", ".gitattributes": "*.ipynb diff=ours\n"})
    git("add", ".")
    git("commit", "-qm", "first")
    git("config", "diff.ours.textconv", "touch converted; cat")
    tree({"a.ipynb": "{\n}\n"})
    assert Repository(root).changed_lines("main") == {"a.ipynb": {1, 2}}
    assert not (root / "converted").exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a folder away")
def test_a_repository_of_somebody_else_is_told_with_what_to_do(auditor, repo):
    """Git keeps away from it; in containers of CI systems the checkout often belongs to another user."""
    for path in (repo, repo / ".git"):
        os.chown(path, 65534, -1)
    with pytest.raises(GitError, match=r"dubious ownership.*git config --global --add safe.directory"):
        auditor().audit(repo, since="HEAD")
