"""The baseline knows findings by rule and symbolic place: moved lines and renamed files change nothing."""

from __future__ import annotations

import json
import subprocess
from dataclasses import replace

import pytest

from cmgan_audit.errors import UsageError
from cmgan_audit.finding import fingerprint_of
from cmgan_audit.gate.baseline import Baseline, Entry, baseline_of, read_baseline, read_both_sides, write_baseline
from cmgan_audit.gate.baselined import prune, with_commit_of, with_others
from cmgan_audit.gate.torn import is_torn, sides

SMALL = "def main():\n    batch_size = 1\n"


@pytest.fixture
def known(auditor, tmp_path):
    """Write a baseline of a tree as it is now."""

    def write(root):
        path = tmp_path / "baseline.json"
        write_baseline(path, baseline_of(auditor().audit(root).findings, root))
        return path

    return write


def test_known_findings_do_not_count(auditor, tree, known, rules_of):
    root = tree({"train.py": SMALL})
    audited = auditor().audit(root, baseline=known(root))
    assert rules_of(audited) == []
    assert [finding.baselined for finding in audited.findings] == [True]


def test_moved_lines_stay_known_and_new_places_do_not(auditor, tree, known, rules_of):
    root = tree({"train.py": SMALL})
    path = known(root)
    tree({"train.py": f"# a line\n\n\n{SMALL}"})
    assert rules_of(auditor().audit(root, baseline=path)) == []
    tree({"train.py": SMALL + "def other():\n    batch_size = 1\n"})
    assert rules_of(auditor().audit(root, baseline=path)) == ["TOY101"]


def test_the_same_place_twice_is_counted(auditor, tree, known, rules_of):
    root = tree({"train.py": SMALL})
    path = known(root)
    tree({"train.py": SMALL + "    batch_size = 2\n"})
    assert rules_of(auditor().audit(root, baseline=path)) == ["TOY101"]


def test_a_renamed_file_is_followed_by_git(auditor, tree, git, known, rules_of):
    root = tree({"a.py": "x = 1\n" * 20 + SMALL})
    git("add", ".")
    git("commit", "-qm", "first")
    path = known(root)
    git("mv", "a.py", "b.py")
    assert rules_of(auditor().audit(root, baseline=path)) == []


def test_what_is_new_in_a_known_place_is_told_on_the_line_that_is_new(auditor, tree, git, known):
    root = tree({"train.py": SMALL})
    git("add", ".")
    git("commit", "-qm", "first")
    path = known(root)
    tree({"train.py": SMALL.replace("    batch", "    batch_size = 2\n    batch")})
    assert [finding.location.line for finding in auditor().audit(root, baseline=path).open] == [2]
    assert [finding.location.line for finding in auditor().audit(root, since="HEAD").open] == [2]


def test_branches_that_write_the_baseline_anew_can_be_merged(auditor, tree, git, rules_of):
    root = tree({f"{name}.py": SMALL for name in "amz"})
    file = root / "baseline.json"

    def write():
        findings = auditor().audit(root).findings
        made = baseline_of(findings, root)
        write_baseline(file, with_commit_of(read_baseline(file), made, findings, root) if file.exists() else made)
        git("add", ".")
        git("commit", "-qm", "known")

    git("add", ".")
    git("commit", "-qm", "first")
    write()
    for branch, name in (("one", "b"), ("two", "y")):
        git("checkout", "-q", "main", "-b", branch)
        tree({f"{name}.py": SMALL.replace("main", name)})
        git("add", ".")
        git("commit", "-qm", "more")
        write()
    git("merge", "-q", "one", "-m", "both")
    assert rules_of(auditor().audit(root, baseline=file)) == []
    git("mv", "b.py", "c.py")  # which the commit that the file names does not have
    assert rules_of(auditor().audit(root, baseline=file)) == []


def test_entries_that_two_branches_put_at_one_place_are_both_kept(auditor, tree, git, rules_of):
    root = tree({"a.py": SMALL})
    file = root / "baseline.json"
    git("add", ".")
    git("commit", "-qm", "first")
    for branch, name in (("one", "b"), ("two", "c")):
        git("checkout", "-q", "main", "-b", branch)
        tree({f"{name}.py": SMALL.replace("main", name)})
        write_baseline(file, baseline_of(auditor().audit(root).findings, root))
        git("add", ".")
        git("commit", "-qm", "more")
    with pytest.raises(subprocess.CalledProcessError):
        git("merge", "-q", "one", "-m", "both")
    with pytest.raises(UsageError, match="marks of a merge"):
        read_baseline(file)
    both = read_both_sides(file)
    assert [entry.path for entry in both.entries] == ["a.py", "b.py", "c.py"]
    write_baseline(file, prune(both, auditor().audit(root), root, auditor().as_at(root)))
    assert rules_of(auditor().audit(root, baseline=file)) == []
    (root / "b.py").unlink()
    assert [entry.path for entry in prune(both, auditor().audit(root), root, auditor().as_at(root)).entries] == [
        "a.py",
        "c.py",
    ]


@pytest.mark.parametrize("base", ["", "||||||| parent\nold\n"])
def test_each_side_of_a_torn_file(base):
    text = f"one\n<<<<<<< HEAD\nours\n{base}=======\ntheirs\n>>>>>>> other\ntwo\n"
    assert is_torn(text)
    assert sides(text) == ("one\nours\ntwo\n", "one\ntheirs\ntwo\n")
    assert not is_torn("one\n=======\n")


def test_a_baseline_over_a_renamed_function_names_the_commit_at_which_it_has_that_name(auditor, tree, git, known):
    root = tree({"train.py": SMALL})
    git("add", ".")
    git("commit", "-qm", "first")
    before = read_baseline(known(root))
    tree({"train.py": SMALL.replace("main", "fit")})
    git("commit", "-aqm", "renamed")
    findings = auditor().audit(root).findings
    made = with_commit_of(before, baseline_of(findings, root), findings, root)
    assert made.commit == git("rev-parse", "HEAD") != before.commit


def test_the_commit_that_a_squash_left_behind(auditor, tree, git, rules_of):
    """The baseline names the branch's commit, which the history of main does not have."""
    root = tree({"a.py": "x = 1\n" * 20 + SMALL})
    path = root / "known.json"
    write_baseline(path, replace(baseline_of(auditor().audit(root).findings, root), commit="0" * 40))
    git("add", ".")
    git("commit", "-qm", "squashed")
    git("mv", "a.py", "b.py")
    assert rules_of(auditor().audit(root, baseline=path)) == []


def test_a_clone_that_lacks_the_older_text(auditor, tree, git, rules_of):
    """What was renamed in it is not followed, and the audit goes on."""
    root = tree({"a.py": SMALL, "b.py": "y = 2\n"})
    git("add", ".")
    git("commit", "-qm", "first")
    path = root / "known.json"
    write_baseline(path, baseline_of(auditor().audit(root).findings, root))
    (root / "a.py").write_text(SMALL.replace("main", "start"), encoding="utf-8")
    (root / "b.py").write_text("y = 3\n", encoding="utf-8")
    for text in (root / ".git" / "objects").glob("??/*"):
        if _is_blob(git, text):
            text.unlink()
    assert rules_of(auditor().audit(root, baseline=path)) == ["TOY101", "CMG906"]


def _is_blob(git, file):
    return git("cat-file", "-t", file.parent.name + file.name).strip() == "blob"


def test_the_entries_of_rules_that_do_not_run_go_with_their_files(auditor, tree, git, rules_of):
    root = tree({"a.py": "x = 1\n" * 20 + SMALL})
    git("add", ".")
    git("commit", "-qm", "first")
    before = baseline_of(auditor().audit(root).findings, root)
    git("mv", "a.py", "b.py")
    git("commit", "-qm", "renamed")
    path = root / "known.json"
    made = baseline_of(auditor(ignore=("TOY101",)).audit(root).findings, root)
    write_baseline(path, with_others(made, before, {"TOY102"}))
    assert [entry.path for entry in read_baseline(path).entries] == ["b.py"]
    assert rules_of(auditor().audit(root, baseline=path)) == []


def test_stale_entries_are_reported_and_pruned(auditor, tree, known, rules_of):
    root = tree({"train.py": SMALL, "other.py": SMALL})
    path = known(root)
    tree({"other.py": "x = 1\n"})
    audited = auditor().audit(root, baseline=path)
    assert rules_of(audited) == ["CMG906"]
    assert "TOY101 at other.py" in audited.open[0].message
    pruned = prune(read_baseline(path), auditor().audit(root), root, auditor().as_at(root))
    assert [entry.path for entry in pruned.entries] == ["train.py"]


def test_entries_of_rules_that_did_not_run_are_not_stale(auditor, tree, known, rules_of):
    root = tree({"train.py": SMALL})
    path = known(root)
    assert rules_of(auditor(ignore=("TOY101",)).audit(root, baseline=path)) == []
    assert prune(
        read_baseline(path), auditor(ignore=("TOY101",)).audit(root), root, auditor(ignore=("TOY101",)).as_at(root)
    ).entries


def test_a_stale_entry_is_shown_where_it_stands(auditor, tree, known):
    root = tree({"train.py": SMALL, "other.py": SMALL})
    path = known(root)
    (root / "train.py").write_text("x = 1\n")
    [stale] = auditor().audit(root, baseline=path).open
    lines = path.read_text().splitlines()
    assert f'"fingerprint": "{stale.anchor}"' in lines[stale.location.line - 1]


def test_the_baseline_of_a_project_holds_in_its_folders_and_around_it(auditor, tree, rules_of):
    root = tree({"src/a/train.py": SMALL, "src/b/train.py": SMALL, "other.py": SMALL})
    path = root / "src" / "known.json"
    write_baseline(path, baseline_of(auditor().audit(root / "src").findings, root / "src"))
    assert json.loads(path.read_text())["root"] == "."
    assert rules_of(auditor().audit(root / "src" / "a", baseline=path)) == []  # and nothing of b is stale
    [new] = auditor().audit(root, baseline=path).open
    assert new.location.path == "other.py"
    with pytest.raises(UsageError, match=r"the baseline is that of .*src; prune it there"):
        prune(
            read_baseline(path),
            auditor().audit(root / "src" / "a"),
            root / "src" / "a",
            auditor().as_at(root / "src" / "a"),
        )
    copy = root.parent / "ci" / "known.json"
    copy.parent.mkdir()
    copy.write_bytes(path.read_bytes())  # beside it lies no folder around or inside of the audited one
    assert rules_of(auditor().audit(root / "src", baseline=copy)) == []


def test_a_baseline_from_an_editor_of_windows(auditor, tree, known, rules_of):
    root = tree({"train.py": SMALL})
    path = known(root)
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes().replace(b"\n", b"\r\n"))
    assert rules_of(auditor().audit(root, baseline=path)) == []


def test_equal_findings_give_equal_bytes(tree, known):
    root = tree({"train.py": SMALL})
    assert known(root).read_bytes() == known(root).read_bytes()


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("{", "is not JSON"),
        ("{\n<<<<<<< HEAD\n", "has marks of a merge; --prune-baseline keeps the entries of both sides"),
        ("[]", "is no baseline; this version reads 'cmgan-audit/baseline/v1'"),
        (json.dumps({"schema": "cmgan-audit/baseline/v9"}), "'schema' is 'cmgan-audit/baseline/v9'; this version"),
        (json.dumps({"schema": "cmgan-audit/baseline/v1"}), "'findings' is not a list"),
        (json.dumps({"schema": "cmgan-audit/baseline/v1", "findings": [{"rule": 1}]}), r"findings\[0\]: 'rule'"),
    ],
)
def test_a_broken_baseline_is_an_error(tmp_path, content, reason):
    path = tmp_path / "b.json"
    path.write_text(content)
    with pytest.raises(UsageError, match=reason):
        read_baseline(path)
    with pytest.raises(UsageError, match="--write-baseline makes one"):
        read_baseline(tmp_path / "none.json")


def test_a_known_finding_of_the_settings_above_is_known_from_every_folder(tmp_path):
    """Settings may lie above the audited folder: their path from it is "../cmgan-audit.toml"."""
    names = {".": "cmgan-audit.toml", "src": "../cmgan-audit.toml", "src/a": "../../cmgan-audit.toml"}
    for folder, path in names.items():
        (tmp_path / folder).mkdir(parents=True, exist_ok=True)
        entry = Entry("CMG907", path, "loader", fingerprint_of("CMG907", path, "loader"))
        for other, expected in names.items():
            [seen] = Baseline((entry,), root=(tmp_path / folder).resolve()).seen_from(tmp_path / other).entries
            assert (seen.path, seen.fingerprint) == (expected, fingerprint_of("CMG907", expected, "loader"))
