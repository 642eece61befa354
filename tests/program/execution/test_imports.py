"""An import that ends the script is told: what it brought is followed no more, and its findings are gone."""

from __future__ import annotations

from pathlib import Path

import pytest

from cmgan_audit.program.launches.runs import execute
from cmgan_audit.source.tree import SourceTree

LOADERS = """
from torch.utils.data import DataLoader

def make_loaders(batch_size):
    return DataLoader(range(3), batch_size=batch_size)
"""
TRAIN = """
import torch
{import_}
if __name__ == "__main__":
    make_loaders(1)
"""


def told(folder: Path, import_: str, loaders: str = LOADERS, **more: str) -> list[str]:
    """What the run of a script that begins with these statements says of its imports."""
    for name in ("corpus", "plain", "empty"):
        (folder / name).mkdir()
    files = {
        "plain/speech.py": loaders,
        "corpus/pairs.py": loaders,
        "corpus/__init__.py": "",
        "train.py": TRAIN.format(import_=import_),
        **more,
    }
    for path, text in files.items():
        (folder / path).write_text(text, encoding="utf-8")
    limits = next(iter(execute(SourceTree(folder)))).limits
    return [f"{step.location.path}:{step.location.line}: {step.note}" for step in limits if "import" in step.note]


@pytest.mark.parametrize(
    ("import_", "why"),
    [
        ("from corpus.pairs import build_loaders", "corpus/pairs.py defines no build_loaders"),
        ("from corpus.speech import make_loaders", "there is no speech in corpus"),
        ("from corpus.pairs import make_loaders, build_loaders", "corpus/pairs.py defines no build_loaders"),
        ("from plain import pairs", "there is no pairs in plain"),  # a folder without __init__.py
        ("from plain.pairs import make_loaders", "there is no pairs in plain"),
    ],
)
def test_an_import_that_fails_is_told(tmp_path: Path, import_: str, why: str) -> None:
    assert told(tmp_path, import_) == [f"train.py:3: this import fails: {why}; what follows of it is not known"]


@pytest.mark.parametrize(
    "import_",
    [
        "from corpus.pairs import make_loaders",
        "from corpus import pairs",
        "from plain import speech",
        "from empty import pairs",  # of a repository in this one that was not fetched
        "try:\n    from corpus.speech import make_loaders\nexcept ImportError:\n    make_loaders = None",
        "from corpora.speech import make_loaders",  # of a library, or of a folder that is not here
        "from torch.utils.speech import make_loaders",
    ],
)
def test_one_that_works_or_may_is_not(tmp_path: Path, import_: str) -> None:
    assert told(tmp_path, import_) == []


@pytest.mark.parametrize(
    "loaders",
    [
        "from torch.utils.data import *",
        "def __getattr__(name):\n    return print",
        'globals().update({f"{verb}_loaders": print for verb in ("make", "build")})',
        "if False:\n    build_loaders = print",
    ],
)
def test_a_module_may_have_names_that_it_does_not_spell(tmp_path: Path, loaders: str) -> None:
    assert told(tmp_path, "from corpus.pairs import build_loaders", loaders) == []


def test_a_package_that_imports_itself_in_a_circle_defines_the_name_later(tmp_path: Path) -> None:
    loaders = "from corpus import sizes\n\ndef make_loaders(size):\n    pass\n"
    sizes = "from corpus.pairs import make_loaders\n"
    assert told(tmp_path, "from corpus.pairs import make_loaders", loaders, **{"corpus/sizes.py": sizes}) == []
