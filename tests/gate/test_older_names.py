"""Renamed and moved classes and functions keep their findings, beside a commit and in the baseline."""

from __future__ import annotations

import pytest

from cmgan_audit.finding import Confidence, Finding, Location, Severity
from cmgan_audit.gate.baseline import baseline_of, write_baseline
from cmgan_audit.gate.git import Repository
from cmgan_audit.gate.older_names import OlderNames, definitions

BEFORE = """\
class Pairs:
    def __init__(self, files):
        self.files = files

    def item(self, index):
        clean, noisy = self.files[index]
        return clean, noisy


def load(files):
    pairs = Pairs(files)
    batch_size = 1
    return pairs, batch_size
"""


@pytest.fixture
def older(tree, git):
    """Commit files, change them as `now` says, and return the older names of the tree."""

    def change(before, now):
        root = tree(before)
        git("add", ".")
        git("commit", "-qm", "before")
        for name in before.keys() - now.keys():
            (root / name).unlink()
        tree(now)
        repository = Repository(root)
        return OlderNames(repository, repository.commit("HEAD"))

    return change


def found(path, line, anchor):
    """A finding at a place."""
    return Finding("TOY101", "tiny", Severity.ERROR, Confidence.HIGH, "message", Location(path, line), anchor=anchor)


def of_definition(names, *place):
    """Path and anchor of a finding under its older name."""
    finding = names.of_definition(found(*place))
    return finding.location.path, finding.anchor


def test_a_renamed_function_is_known_beside_a_commit_and_in_the_baseline(auditor, tree, git, rules_of, tmp_path):
    root = tree({"train.py": BEFORE})
    git("add", ".")
    git("commit", "-qm", "first")
    known = tmp_path / "baseline.json"
    write_baseline(known, baseline_of(auditor().audit(root).findings, root))
    tree({"train.py": BEFORE.replace("load", "make_loaders")})
    assert rules_of(auditor().audit(root, since="HEAD")) == []
    assert rules_of(auditor().audit(root, baseline=known)) == []
    tree({"train.py": BEFORE.replace("load", "make_loaders") + "\n\ndef load():\n    batch_size = 2\n"})
    assert rules_of(auditor().audit(root, since="HEAD")) == ["TOY101"]  # one older finding answers for one


def test_a_renamed_class_and_its_renamed_method(older):
    now = BEFORE.replace("Pairs", "PairSet").replace("def item(", "def entry(")
    names = older({"a.py": BEFORE}, {"a.py": now})
    assert of_definition(names, "a.py", 6, "PairSet.entry") == ("a.py", "Pairs.item")
    assert of_definition(names, "conf.yaml", 1, "load.train_loader(PairSet)") == (
        "conf.yaml",
        "load.train_loader(Pairs)",
    )


def test_a_class_that_was_changed_a_little_too(older):
    now = BEFORE.replace("Pairs", "PairSet").replace("return clean, noisy", "return clean, noisy, index")
    assert of_definition(older({"a.py": BEFORE}, {"a.py": now}), "a.py", 6, "PairSet") == ("a.py", "Pairs")


def test_a_class_that_a_formatter_divided_over_more_lines_too(older):
    now = BEFORE.replace("Pairs", "PairSet").replace("(self, files)", "(\n        self,\n        files,\n    )")
    now = now.replace("self.files[index]", "self.files[\n            index\n        ]").replace("    ", "\t")
    now = now.replace("return clean, noisy", "return (\n\t\t\tclean,\n\t\t\tnoisy,\n\t\t)")
    assert of_definition(older({"a.py": BEFORE}, {"a.py": now}), "a.py", 6, "PairSet.item") == ("a.py", "Pairs.item")


def test_a_class_that_moved_to_a_file_of_its_own(older):
    cut = BEFORE.index("def load")
    names = older({"a.py": BEFORE}, {"a.py": f"from pairs import Pairs\n\n\n{BEFORE[cut:]}", "pairs.py": BEFORE[:cut]})
    assert of_definition(names, "pairs.py", 6, "Pairs") == ("a.py", "Pairs")
    assert of_definition(names, "a.py", 6, "load") == ("a.py", "load")


def test_another_class_in_its_place_is_new(older):
    now = "class Noise:\n    def draw(self):\n        return 1\n\n    def more(self):\n        return 2\n\n\n"
    names = older({"a.py": BEFORE}, {"a.py": now + BEFORE[BEFORE.index("def load") :]})
    assert of_definition(names, "a.py", 3, "Noise.draw") == ("a.py", "Noise.draw")


def test_a_copy_under_another_name_is_new(older):
    copy = BEFORE[: BEFORE.index("def load")].replace("Pairs", "Copy")
    names = older({"a.py": BEFORE}, {"a.py": f"{BEFORE}\n\n{copy}"})
    assert of_definition(names, "a.py", 20, "Copy.item") == ("a.py", "Copy.item")


def test_a_finding_of_a_whole_script_goes_with_its_file(older, git):
    names = older({"train.py": BEFORE}, {"src/train.py": BEFORE})
    git("add", ".")
    finding = names.of_file(found("src/train.py", 1, "src/train.py"))
    assert (finding.location.path, finding.anchor) == ("train.py", "train.py")


def test_a_finding_at_a_function_of_a_whole_script_too(older, git):
    names = older({"train.py": BEFORE}, {"src/train.py": BEFORE})
    git("add", ".")
    finding = names.of_file(found("src/train.py", 1, "src/train.py:load"))
    assert (finding.location.path, finding.anchor) == ("train.py", "train.py:load")


def test_a_renamed_variable_of_a_renamed_function(older):
    before = BEFORE.replace("    batch", "    files.sort()\n    files.pop()\n    batch")
    names = older({"a.py": before}, {"a.py": before.replace("load", "make").replace("pairs", "items")})
    finding = names.of_variable(found("a.py", 11, "make.items"))
    assert (finding.location.path, finding.anchor) == ("a.py", "load.pairs")
    assert names.of_variable(found("a.py", 6, "Pairs.items")).anchor == "Pairs.items"  # another function's


def test_what_cannot_be_parsed_has_no_definitions():
    assert list(definitions("a.py", b"def f(:\n")) == []
    assert [each.name for each in definitions("a.py", BEFORE.encode())] == [
        "",
        "Pairs",
        "Pairs.__init__",
        "Pairs.item",
        "load",
    ]
