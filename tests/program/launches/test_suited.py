"""Of the configurations that lie beside a script, those are followed that hold what it asks for."""

from __future__ import annotations

from pathlib import Path

import pytest

from cmgan_audit.program.execution.sessions import interpreter_of
from cmgan_audit.program.launches import runs
from cmgan_audit.source.tree import SourceTree

SCRIPT = """
import sys
import yaml
from torch.utils.data import DataLoader

config = yaml.safe_load(open(sys.argv[1]))
{early}
last = DataLoader([1], batch_size=config["size"])
"""
FILES = {"plain.yaml": "size: 4\n", "wide.yaml": "size: 4\ndecoder: wide\n"}


def tried(folder: Path, early: str, files: dict[str, str] = FILES) -> list[str]:
    """The configurations under which the script is followed."""
    for name, text in {"train.py": SCRIPT.format(early=early), **files}.items():
        (folder / name).write_text(text, encoding="utf-8")
    return [" ".join(run.launch.argv) for run in runs.execute(SourceTree(folder))]


def test_a_file_without_a_key_that_is_asked_for_belongs_to_another_script(tmp_path: Path) -> None:
    assert tried(tmp_path, "decoder = config['decoder']") == ["wide.yaml"]


def test_where_every_file_lacks_something_all_are_followed_to_the_end(tmp_path: Path) -> None:
    assert tried(tmp_path, "encoder = config['encoder']") == ["plain.yaml", "wide.yaml"]
    found = list(runs.execute(SourceTree(tmp_path)))
    assert all(interpreter_of(run).must_hold == "" for run in found)


def test_the_only_file_is_followed_whatever_it_lacks(tmp_path: Path) -> None:
    assert tried(tmp_path, "decoder = config['decoder']", {"plain.yaml": "size: 4\n"}) == ["plain.yaml"]


@pytest.mark.parametrize(
    "early",
    [
        "decoder = config.get('decoder')",
        "decoder = config['decoder'] if 'decoder' in config else None",
        "if sys.platform == 'linux':\n    decoder = config['decoder']",
        "try:\n    decoder = config['decoder']\nexcept KeyError:\n    decoder = None",
        "config['decoder'] = 'narrow'\ndecoder = config['decoder']",
        "def unused():\n    return config['decoder']",
    ],
)
def test_a_key_that_the_script_can_do_without_tells_nothing(tmp_path: Path, early: str) -> None:
    assert tried(tmp_path, early) == ["plain.yaml", "wide.yaml"]
