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
        ("import plain.pairs", "there is no pairs in plain"),
        ("import corpus.speech.pairs as pairs", "there is no speech in corpus"),
        ("from .pairs import make_loaders", "there is no pairs in this folder"),
    ],
)
def test_an_import_that_fails_is_told(tmp_path: Path, import_: str, why: str) -> None:
    assert told(tmp_path, import_) == [f"train.py:3: this import fails: {why}; what follows of it is not known"]


def test_only_the_first_is_told_that_ends_the_script(tmp_path: Path) -> None:
    import_ = "from corpus.speech import one, two\nfrom corpus.more import three"
    assert len(told(tmp_path, import_)) == 1


@pytest.mark.parametrize(
    "import_",
    [
        "from corpus.pairs import make_loaders",
        "from corpus import pairs",
        "from plain import speech",
        "from empty import pairs",  # of a repository in this one that was not fetched
        "try:\n    from corpus.speech import make_loaders\nexcept ImportError:\n    make_loaders = None",
        "import contextlib\nwith contextlib.suppress(ImportError):\n    from corpus.speech import make_loaders",
        "def load():\n    from corpus.speech import make_loaders\ntry:\n    load()\nexcept ImportError:\n    pass",
        "import typing\nif typing.TYPE_CHECKING:\n    from corpus.speech import Loaders",
        "import os\nif os.environ.get('FAST'):\n    from corpus.speech import make_loaders",
        "from corpus import __path__, __spec__",
        "from corpus.speech_pb2 import Message",
        "from ..corpora.speech import make_loaders",  # above the folder that is audited
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


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("corpus/speech.pyx", ""),
        ("corpus/speech.ipynb", "{}"),
        ("corpus/speech.py", "def broken(:"),
        ("setup.py", "from setuptools import Extension\nExtension('corpus.speech', ['speech.c'])"),
        ("pyproject.toml", "[tool.setuptools_scm]\nwrite_to = 'corpus/speech.py'\n"),
        (".gitmodules", "[submodule 'corpus/speech']"),
        (".gitignore", "/corpus/*ch.py"),
        ("corpus/.gitignore", "speech/"),
        ("corpus/__init__.py", "__path__.append('more')"),
    ],
)
@pytest.mark.parametrize("import_", ["from corpus.speech import make_loaders", "from corpus import speech"])
def test_a_module_may_be_made_before_the_script_runs(tmp_path: Path, path: str, text: str, import_: str) -> None:
    assert told(tmp_path, import_, **{path: text}) == []


@pytest.mark.parametrize("import_", ["from plain import pesq", "from plain.pesq import pesq", "import plain.pesq"])
def test_a_library_comes_before_a_folder_that_is_no_package(tmp_path: Path, import_: str) -> None:
    assert told(tmp_path, import_, **{"requirements.txt": "torch\nplain-tools==2\n"}) == []


def test_a_framework_in_its_own_repository_is_there(tmp_path: Path) -> None:
    (tmp_path / "speechbrain").mkdir()
    files = {
        "speechbrain/__init__.py": "",
        "speechbrain/core.py": "class Brain: ...\n",
        "speechbrain/sizes.py": "A = 1",
    }
    assert told(tmp_path, "from speechbrain.sizes import A\nfrom speechbrain.core import Brain", **files) == []


def test_a_package_that_imports_itself_in_a_circle_defines_the_name_later(tmp_path: Path) -> None:
    loaders = "from corpus import sizes\n\ndef make_loaders(size):\n    pass\n"
    sizes = "from corpus.pairs import make_loaders\n"
    assert told(tmp_path, "from corpus.pairs import make_loaders", loaders, **{"corpus/sizes.py": sizes}) == []
