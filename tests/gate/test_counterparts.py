"""Where older places stand now: what was edited stays known under any name, what stands beside it is new."""

from __future__ import annotations

import pytest

from cmgan_audit.finding import Location
from cmgan_audit.gate.baseline import baseline_of, read_baseline, write_baseline
from cmgan_audit.gate.baselined import prune
from cmgan_audit.gate.counterparts import Counterparts

BEFORE = """\
import torch


def load(files, settings):
    torch.manual_seed(0)
    train = make(files[:9], batch_size=8)
    valid = make(files[9:], batch_size=1)
    return train, valid


def read(path):
    return torch.load(path)
"""


@pytest.fixture
def places(tmp_path):
    """Counterparts of one file in two versions."""

    def compare(before, now, name="a.py", newer="a.py"):
        for side, path, text in (("before", name, before), ("now", newer, now)):
            (tmp_path / side).mkdir(exist_ok=True)
            (tmp_path / side / path).write_text(text)
        return Counterparts(tmp_path / "before", tmp_path / "now", {newer: name} if newer != name else {})

    return compare


def lines_for(found, line, name="a.py", newer="a.py"):
    """The lines that stand where a line stood."""
    return [now for now in range(1, 30) if found.is_at(Location(newer, now), Location(name, line))]


def test_a_statement_that_was_edited_and_laid_out_anew(places):
    laid_out = "    valid = make(\n        files[9:],\n        batch_size=2,\n    )"
    now = BEFORE.replace("    valid = make(files[9:], batch_size=1)", laid_out)
    found = places(BEFORE, f"# a licence\n\n{now}")
    assert [lines_for(found, line) for line in (6, 7, 8)] == [[8], [9, 10, 11, 12], [13]]


def test_of_two_that_came_the_one_that_is_assigned_to_the_same_name(places):
    """Though the other one reads more alike."""
    two = "    valid = make(sorted(files)[9:100], batch_size=int(8.0))\n    other = make(files[9:], batch_size=1)"
    found = places(BEFORE, BEFORE.replace("    valid = make(files[9:], batch_size=1)", two))
    assert lines_for(found, 7) == [7]


def test_what_is_gone_stands_nowhere(places):
    found = places(BEFORE, BEFORE.replace("    torch.manual_seed(0)\n", ""))
    assert not found.stands(Location("a.py", 5)) and found.stands(Location("a.py", 6))


def test_a_line_of_a_file_of_settings_that_has_another_name(places):
    found = places("a: 1\nbatch_size: 1\nb: 2\n", "c: 3\na: 1\nbatch_size: 1  # small\n", "x.yaml", "y.yaml")
    assert lines_for(found, 2, "x.yaml", "y.yaml") == [3]


STAGES = {
    "stages.yaml": "first:\n  size: {}\nsecond:\n  size: {}\n",
    "stages.json": '{{\n "first": {{\n  "size": {}\n }},\n "second": {{\n  "size": {}\n }}\n}}\n',
    "stages.toml": "[first]\nsize = {}\n[second]\nsize = {}\n",
    "items.yaml": "stages:\n  - name: a\n    size: {}\n  - name: b\n    size: {}\n",
    "classes.py": "class First:\n    size = {}\nclass Second:\n    size = {}\n",
    "one.py": "SET = {{\n 'first': {{\n  'size': {},\n }},\n 'second': {{\n  'size': {},\n }},\n}}\n",
    "two.py": "FIRST = dict(\n  size={},\n)\nSECOND = dict(\n  size={},\n)\n",
}


@pytest.mark.parametrize("name", STAGES)
@pytest.mark.parametrize("values", [(1, 8), (8, 1)])
def test_equal_settings_of_two_sections_are_not_one(places, name, values):
    text = STAGES[name]
    found = places(text.format(*values), text.format(*reversed(values)), name, name)
    held = [number for number, line in enumerate(text.splitlines(), start=1) if "size" in line]
    assert [lines_for(found, line, name, name) for line in held] == [[line] for line in held]


def test_an_option_is_called_by_its_first_constant(places):
    first, second = "add('--first', type=bool)\n", "add('--second', type=bool)\n"
    found = places(first + second.replace("bool", "flag"), first.replace("bool", "flag") + second)
    assert [lines_for(found, line) for line in (1, 2)] == [[1], [2]]


def test_what_sets_the_same_name_in_a_function_stands_there_though_nothing_else_is_alike(places):
    found = places(BEFORE, BEFORE.replace("make(files[9:], batch_size=1)", "None"))
    assert lines_for(found, 7) == [7]


def test_a_part_stands_in_place_of_one_at_most(places):
    twice = BEFORE.replace("batch_size=8", "batch_size=1")
    found = places(twice, BEFORE.replace("    train = make(files[:9], batch_size=8)\n", ""))
    assert [lines_for(found, line) for line in (6, 7)] == [[], [6]]
    assert found.stood(Location("a.py", 6))
    assert not places(BEFORE, BEFORE + "\n\nmore = 2 ** 9\n").stood(Location("a.py", 15))


@pytest.mark.parametrize("line", [2, 99])
def test_a_place_that_is_on_no_statement(places, line):
    assert not places(BEFORE, BEFORE).stands(Location("a.py", line))


def test_a_file_that_is_gone_or_cannot_be_parsed(places, tmp_path):
    found = places(BEFORE, "def f(:\n    valid = make(files[9:], batch_size=1)\n")
    assert lines_for(found, 7) == []
    (tmp_path / "now" / "a.py").unlink()
    assert not Counterparts(tmp_path / "before", tmp_path / "now", {}).stands(Location("a.py", 7))


HELPER = """\
def make(files):
    batch_size = 1
    return files, batch_size


def train(files):
    return make(files)
"""
INLINED = """\
def train(files):
    batch_size = 1
    return files, batch_size
"""


def test_a_defect_that_stands_where_it_stood_is_known_under_any_name(auditor, tree, git, rules_of):
    root = tree({"train.py": HELPER})
    file = root / "known.json"
    git("add", ".")
    git("commit", "-qm", "first")
    write_baseline(file, baseline_of(auditor().audit(root).findings, root))
    tree({"train.py": INLINED.replace("batch_size = 1\n", "batch_size = 2\n")})
    assert rules_of(auditor().audit(root, since="HEAD")) == []
    assert rules_of(auditor().audit(root, baseline=file)) == []
    pruned = prune(read_baseline(file), auditor().audit(root), root, auditor().as_at(root))
    assert [entry.anchor for entry in pruned.entries] == ["make"]


def test_a_defect_of_another_place_is_new_though_one_is_gone(auditor, tree, git, rules_of):
    root = tree({"train.py": HELPER})
    file = root / "known.json"
    git("add", ".")
    git("commit", "-qm", "first")
    write_baseline(file, baseline_of(auditor().audit(root).findings, root))
    test = "def test(files):\n    batch_size = 1\n    for file in sorted(files):\n        score(file)\n"
    tree({"train.py": f"{HELPER.replace('size = 1', 'size = 8')}\n\n{test}"})
    assert rules_of(auditor().audit(root, since="HEAD")) == ["TOY101"]
    assert "TOY101" in rules_of(auditor().audit(root, baseline=file))


SIZE = "    batch_size = 1\n"


@pytest.mark.parametrize(
    ("before", "now", "wanted"),
    [
        (SIZE, "    batch_size = 8\n    eval_batch_size = 1\n", ["TOY101"]),
        (SIZE, "    files = sorted(files)\n    batch_size = 2\n", []),
        (SIZE + "    rest = 8\n", "    batch_size = choose(files)\n    rest = dict(batch_size=1)\n", ["TOY101"]),
        (SIZE + "    rest = 8\n", "    rest = dict(batch_size=1)\n", ["TOY101"]),
    ],
)
def test_a_defect_that_is_mended_while_the_same_function_gets_another_one(
    auditor, tree, git, rules_of, before, now, wanted
):
    root = tree({"train.py": HELPER.replace(SIZE, before)})
    file = root / "known.json"
    git("add", ".")
    git("commit", "-qm", "first")
    write_baseline(file, baseline_of(auditor().audit(root).findings, root))
    tree({"train.py": HELPER.replace(SIZE, now)})
    assert rules_of(auditor().audit(root, since="HEAD")) == wanted
    told = rules_of(auditor().audit(root, baseline=file))
    assert [rule for rule in told if rule != "CMG906"] == wanted


def test_of_two_in_one_function_the_one_that_was_edited_is_known(auditor, tree, git):
    root = tree({"train.py": HELPER})
    git("add", ".")
    git("commit", "-qm", "first")
    tree({"train.py": HELPER.replace("    batch_size = 1\n", "    eval_batch_size = 1\n    batch_size = 2\n")})
    assert [finding.location.line for finding in auditor().audit(root, since="HEAD").open] == [2]


def test_a_defect_that_went_into_a_function_of_its_own_is_not_another_one(auditor, tree, git, rules_of):
    """The toy names what stands in a class after the function before it: both have one symbolic place."""
    text = "def make(files):\n    size = dict(batch_size = 1)\n    return files, size\n"
    root = tree({"train.py": text})
    git("add", ".")
    git("commit", "-qm", "first")
    text = text.replace("batch_size = 1", "Sizes()") + "\n\nclass Sizes:\n    batch_size = 1\n"
    tree({"train.py": text})
    assert rules_of(auditor().audit(root, since="HEAD")) == []


def test_settings_in_another_format_are_the_same_file(auditor, tree, git, rules_of):
    root = tree({"train.py": "x = 1\n", "conf.yaml": "epochs: 9\nlr: 0.1\nbatch_size: 1\n"})
    git("add", ".")
    git("commit", "-qm", "first")
    (root / "conf.yaml").unlink()
    tree({"conf.toml": "[train]\nsteps = 100\nbatch_size = 1\n"})
    assert rules_of(auditor().audit(root, since="HEAD")) == []
    tree({"conf.yaml": "epochs: 9\nlr: 0.1\nbatch_size: 1\n"})
    assert rules_of(auditor().audit(root, since="HEAD")) == ["TOY101"]  # a second one
