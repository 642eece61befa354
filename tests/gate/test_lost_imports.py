"""What is imported from a file that went is told beside a commit: its findings are not mended, but out of sight."""

from __future__ import annotations

import pytest

from cmgan_audit.gate.lost_imports import lost_imports

PAIRS = "def make_loaders():\n    return []\n"


@pytest.fixture
def told(tree, git):
    """Commit files, move `before` to `after`, and return what is said of the imports of the others."""

    def move(before, after, files):
        root = tree({before: PAIRS, **files})
        git("add", ".")
        git("commit", "-qm", "before")
        (root / before).unlink()
        if after:
            tree({after: PAIRS})
        return [f"{each.location.path}:{each.location.line}: {each.reason}" for each in lost_imports("HEAD", root, ())]

    return move


@pytest.mark.parametrize(
    ("before", "after", "importer", "import_"),
    [
        ("pairs.py", "speech.py", "train.py", "from pairs import make_loaders"),
        ("pairs.py", "", "train.py", "import pairs"),
        ("pairs.py", "", "tools/train.py", "import pairs as data"),
        ("src/data/pairs.py", "src/data/speech.py", "src/train.py", "from data import pairs"),
        ("src/data/pairs.py", "src/data/speech.py", "src/data/train.py", "from .pairs import make_loaders"),
        ("src/data/pairs.py", "src/data/speech.py", "src/models/net.py", "from ..data import pairs"),
        ("src/data/__init__.py", "", "src/train.py", "import data.more"),
    ],
)
def test_an_import_of_what_went_is_told(told, before, after, importer, import_):
    if "__init__" in before:  # nothing of the package was imported but what is still there
        assert told(before, after, {importer: import_, "src/data/more.py": ""}) == []
        return
    why = f"this import fails: {before} is there no more; what follows of it is not known"
    assert told(before, after, {importer: f"import torch\n{import_}\n"}) == [f"{importer}:2: {why}"]


@pytest.mark.parametrize(
    ("before", "after", "import_"),
    [
        ("pairs.py", "speech.py", "from speech import make_loaders"),
        ("pairs.py", "lib/pairs.py", "from pairs import make_loaders"),  # it may be on the path, and is followed
        ("pairs.py", "pairs/__init__.py", "from pairs import make_loaders"),
        ("pairs.py", "", "try:\n    import pairs\nexcept ImportError:\n    pairs = None"),
        ("pairs.py", "", "from .more import pairs"),
        ("pairs.py", "", "from contextlib import suppress\nwith suppress(ImportError):\n    import pairs"),
        ("pairs.py", "", "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from pairs import Loaders"),
        ("pairs.py", "pairs.pyx", "from pairs import make_loaders"),
        ("random.py", "", "import random"),
        ("other/pairs.py", "", "import pairs"),  # of a library, for all that is known
        ("pairs.py", "", "def broken(:"),
    ],
)
def test_one_that_may_lead_somewhere_is_not(told, before, after, import_):
    assert told(before, after, {"train.py": import_, "more.py": "pairs = 1\n"}) == []


def test_a_relative_import_finds_no_module_of_that_name_elsewhere(told):
    importer = {"src/data/train.py": "from .pairs import make_loaders\n", "lib/pairs.py": PAIRS}
    assert len(told("src/data/pairs.py", "", importer)) == 1


def test_the_first_import_of_a_file_that_fails_is_told(told):
    assert len(told("pairs.py", "", {"train.py": "import pairs\nfrom pairs import make_loaders\n"})) == 1


def test_what_git_tracks_no_more_may_still_be_there(tree, git):
    root = tree({"pairs.py": PAIRS, "train.py": "import pairs\n"})
    git("add", ".")
    git("commit", "-qm", "before")
    git("rm", "-q", "--cached", "pairs.py")
    tree({".gitignore": "pairs.py\n"})
    assert lost_imports("HEAD", root, ()) == []


def test_the_report_beside_the_commit_says_so(auditor, tree, git):
    root = tree({"pairs.py": PAIRS, "train.py": "import torch\nfrom pairs import make_loaders\n"})
    git("add", ".")
    git("commit", "-qm", "before")
    git("mv", "pairs.py", "speech.py")
    audited = auditor().audit(root, since="HEAD")
    assert [each.reason.partition(";")[0] for each in audited.unresolved] == [
        "this import fails: pairs.py is there no more"
    ]
