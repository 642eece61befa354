"""Renamed and moved classes and functions keep their findings, beside a commit and in the baseline."""

from __future__ import annotations

from dataclasses import replace

import pytest

from cmgan_audit.finding import Confidence, Finding, Location, Severity, Step
from cmgan_audit.gate.baseline import baseline_of, write_baseline
from cmgan_audit.gate.git import Repository
from cmgan_audit.gate.older_names import OlderNames
from cmgan_audit.gate.renamed_definitions import definitions

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


def test_a_renamed_method_that_an_anchor_names_without_its_class(older):
    names = older({"train.py": BEFORE}, {"train.py": BEFORE.replace("def item", "def pair")})
    assert of_definition(names, "train.py", 6, "pair.clean") == ("train.py", "item.clean")
    assert of_definition(names, "train.py", 6, "Pairs.pair.clean") == ("train.py", "Pairs.item.clean")
    assert of_definition(names, "train.py", 6, "Other.pair.clean") == ("train.py", "Other.pair.clean")


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


def test_the_way_through_a_class_that_moved_passed_its_older_file(older):
    cut = BEFORE.index("def load")
    names = older({"a.py": BEFORE}, {"a.py": BEFORE[cut:], "pairs.py": BEFORE[:cut]})
    step = Step(Location("pairs.py", 6), "it is read there")
    assert names.of_definition(replace(found("a.py", 3, "load"), trail=(step,))).trail[0].location.path == "a.py"


def test_another_class_in_its_place_is_new(older):
    now = "class Noise:\n    def draw(self):\n        return 1\n\n    def more(self):\n        return 2\n\n\n"
    names = older({"a.py": BEFORE}, {"a.py": now + BEFORE[BEFORE.index("def load") :]})
    assert of_definition(names, "a.py", 3, "Noise.draw") == ("a.py", "Noise.draw")


def test_a_copy_under_another_name_is_new(older):
    copy = BEFORE[: BEFORE.index("def load")].replace("Pairs", "Copy")
    names = older({"a.py": BEFORE}, {"a.py": f"{BEFORE}\n\n{copy}"})
    assert of_definition(names, "a.py", 20, "Copy.item") == ("a.py", "Copy.item")


def test_what_moved_and_has_another_name_and_another_text_is_new(older):
    cut = BEFORE.index("def load")
    now = BEFORE[:cut].replace("Pairs", "PairSet").replace("return clean, noisy", "return noisy, clean")
    names = older({"a.py": BEFORE}, {"a.py": BEFORE[cut:], "pairs.py": now})
    assert of_definition(names, "pairs.py", 6, "PairSet.item") == ("pairs.py", "PairSet.item")


def test_methods_that_read_the_same_go_with_their_classes(older):
    two = BEFORE[: BEFORE.index("def load")].replace("    def __init__", "    kind = 1\n\n    def __init__")
    before = f"{two}\n\n{two.replace('Pairs', 'Clips').replace('kind = 1', 'kind = 2')}"
    names = older({"a.py": before}, {"a.py": before.replace("Pairs", "PairSet").replace("Clips", "ClipSet")})
    assert of_definition(names, "a.py", 6, "PairSet.item") == ("a.py", "Pairs.item")
    assert of_definition(names, "a.py", 16, "ClipSet.item") == ("a.py", "Clips.item")


def test_a_method_that_went_is_not_that_of_another_class_that_came(older):
    same = BEFORE[BEFORE.index("    def item") : BEFORE.index("\n\ndef load")]
    other = f"class Pairs:\n    kind = 2\n    more = 3\n    rate = 4\n\n{same}"
    names = older({"a.py": BEFORE}, {"a.py": BEFORE.replace(same, ""), "b.py": other})
    assert of_definition(names, "b.py", 7, "Pairs.item") == ("b.py", "Pairs.item")


def test_a_method_of_that_name_of_another_class_keeps_its_name(older):
    other = "class Clips:\n    def entry(self):\n        return 1\n\n    def item(self):\n        return 2\n"
    names = older({"a.py": BEFORE, "b.py": other}, {"a.py": BEFORE.replace("def item", "def entry"), "b.py": other})
    assert of_definition(names, "a.py", 6, "Pairs.entry") == ("a.py", "Pairs.item")
    assert of_definition(names, "b.py", 3, "Clips.entry.total") == ("b.py", "Clips.entry.total")


def test_a_function_that_now_has_the_name_of_its_script(older):
    names = older({"train.py": BEFORE}, {"train.py": BEFORE.replace("load", "train")})
    assert of_definition(names, "train.py", 11, "train.py:train") == ("train.py", "train.py:load")


def test_a_method_that_left_its_class(older):
    before = BEFORE.replace(
        "        clean, noisy = self.files[index]", "        clean, noisy = index\n        clean.mark()"
    )
    method = before[before.index("    def item") : before.index("\n\ndef load")]
    function = method.replace("\n    ", "\n").removeprefix("    ")
    names = older({"a.py": before}, {"a.py": f"{before.replace(method, '')}\n\n{function}"})
    assert of_definition(names, "a.py", 13, "item.clean") == ("a.py", "Pairs.item.clean")


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


MAKE = """\
def make(folder, cut):
    train_set = Pairs(folder / "train", cut)
    test_set = Pairs(folder / "test", cut)
    first = DataLoader(train_set, batch_size=1, shuffle=True)
    second = DataLoader(test_set, batch_size=1)
    return first, second
"""
OTHER_WORDS = {
    "make": "build",
    "train_set": "training",
    "test_set": "held_out",
    "first": "trains",
    "second": "tests",
    "folder": "root",
    "cut": "length",
}


def in_other_words(text):
    """The function with other names for all that is its own."""
    for name, other in OTHER_WORDS.items():
        text = text.replace(name, other)
    return text


def test_a_renamed_function_of_renamed_variables(older):
    names = older({"a.py": MAKE}, {"a.py": in_other_words(MAKE)})
    finding = names.of_variable(found("a.py", 5, "build.tests(Pairs)"))
    assert (finding.location.path, finding.anchor) == ("a.py", "make.second(Pairs)")


def test_a_function_of_other_variables_is_another_if_it_does_another_thing(older):
    other = in_other_words(MAKE).replace("DataLoader", "Batches").replace('"test"', '"valid"').replace("=1", "=2")
    names = older({"a.py": MAKE}, {"a.py": other})
    assert names.of_variable(found("a.py", 5, "build.tests(Pairs)")).anchor == "build.tests(Pairs)"


def test_two_functions_that_are_alike_but_for_their_names_are_not_told_apart(older):
    two = MAKE + MAKE.replace("make", "more").replace("_set", "_pairs").replace("folder", "home")
    now = in_other_words(MAKE)
    names = older({"a.py": two}, {"a.py": now})
    assert names.of_variable(found("a.py", 5, "build.tests(Pairs)")).anchor == "build.tests(Pairs)"


def test_functions_that_say_little_are_not_told_apart_by_how_they_are_built(older):
    before = "def f(a):\n    b = g(a)\n    c = h(b)\n    d = i(c)\n    return d\n"
    now = "def p(q):\n    r = s(q)\n    t = u(r)\n    v = w(t)\n    return v\n"
    names = older({"a.py": before}, {"a.py": now})
    assert of_definition(names, "a.py", 2, "p.r") == ("a.py", "p.r")


def test_names_that_stand_everywhere_say_little(older):
    before = """\
class Net:
    def f(self, a):
        self.b = g(len(a))
        self.c = h(self.b)
        self.d = i(self.c)
        print(self.d)
        return self.d
"""
    now = """\
class Net:
    def p(self, q):
        self.r = s(len(q))
        self.t = u(self.r)
        self.v = w(self.t)
        print(self.v)
        return self.v
"""
    names = older({"a.py": before}, {"a.py": now})
    assert of_definition(names, "a.py", 3, "Net.p") == ("a.py", "Net.p")


def test_what_cannot_be_parsed_has_no_definitions():
    assert list(definitions("a.py", b"def f(:\n")) == []
    assert [each.name for each, _ in definitions("a.py", BEFORE.encode())] == [
        "",
        "Pairs",
        "Pairs.__init__",
        "Pairs.item",
        "load",
    ]


SCRIPT = """\
from pairs import Pairs

files = ["a.wav", "b.wav"]
pairs = Pairs(files)
batch_size = 1
loader = make(pairs, batch_size)
for batch in loader:
    print(batch)
"""
BODY = SCRIPT.split("\n\n", 1)[1]
MAIN = "def main():\n" + "".join(f"    {line}\n" for line in BODY.splitlines())


def test_a_script_that_became_a_function(older):
    now = f"from pairs import Pairs\n\n\n{MAIN}\n\nif __name__ == '__main__':\n    main()\n"
    names = older({"train.py": SCRIPT}, {"train.py": now})
    assert of_definition(names, "train.py", 7, "main.loader(Pairs)") == ("train.py", "<module>.loader(Pairs)")


@pytest.mark.parametrize("file", ["train.py", "loading.py"])
def test_a_function_that_came_out_of_another_one(older, file):
    rest = MAIN.splitlines(keepends=True)
    taken = "def make_loader():\n" + "".join(rest[1:5]) + "    return loader\n"
    now = {"train.py": f"{rest[0]}    loader = make_loader()\n{''.join(rest[5:])}"}
    now[file] = f"{now.get(file, '')}\n\n{taken}"
    names = older({"train.py": MAIN}, now)
    line = now[file][: now[file].index("make(pairs")].count("\n") + 1
    assert of_definition(names, file, line, "make_loader.loader(Pairs)") == ("train.py", "main.loader(Pairs)")


def test_a_function_that_was_copied_out_of_another_one_is_new(older):
    names = older({"train.py": MAIN}, {"train.py": f"{MAIN}\n\n{MAIN.replace('main', 'again')}"})
    assert of_definition(names, "train.py", 13, "again.loader(Pairs)") == ("train.py", "again.loader(Pairs)")


def test_a_function_of_which_little_stood_elsewhere_is_new(older):
    new = "def again():\n    pairs = Pairs(files)\n    batch_size = 8\n    return make(pairs, batch_size)\n"
    now = f"{MAIN.replace('    pairs = Pairs(files)', '    pairs = again()')}\n\n{new}"
    assert of_definition(older({"train.py": MAIN}, {"train.py": now}), "train.py", 13, "again") == ("train.py", "again")


@pytest.mark.parametrize(
    ("file", "text", "path"),
    [
        ("conf/a.yaml", "batch_size: 1\n", "a.py"),
        ("settings.py", "BATCH = 1\n", "a.py"),
        ("spectra.py", "def root(x):\n    return x.sqrt()\n", "spectra.py"),  # code may do anew what was mended
        ("old.yaml", "batch_size: 1\n", "old.yaml"),  # it was there, with a value of its own
    ],
)
def test_a_value_in_a_new_file_of_settings_stood_where_it_is_taken(older, file, text, path):
    names = older({"a.py": BEFORE, "old.yaml": "batch_size: 4\n"}, {"a.py": BEFORE, file: text, "old.yaml": text})
    line = text.count("\n")
    steps = (Step(Location(file, line), "it is set here"), Step(Location("a.py", 12), "it is read here"))
    finding = names.of_setting(replace(found(file, line, "load.loader(Pairs)"), trail=steps))
    assert (finding.location.path, finding.anchor) == (path, "load.loader(Pairs)")
