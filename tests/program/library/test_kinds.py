"""What `isinstance` says of settings: those that are nested, and namespaces."""

from __future__ import annotations

from pathlib import Path

import pytest

from cmgan_audit.program.domain.values import Const, Unknown
from cmgan_audit.program.execution.trace import CallEvent
from cmgan_audit.program.launches.runs import execute
from cmgan_audit.source.tree import SourceTree


def assert_told(folder: Path, known: bool | None) -> None:
    (run,) = execute(SourceTree(folder))
    (made,) = (event for event in run.events if isinstance(event, CallEvent) and event.callee.endswith("DataLoader"))
    told = made.arguments.get("dataset", 0)
    assert isinstance(told, Unknown if known is None else Const)
    assert known is None or (isinstance(told, Const) and told.value is known)


@pytest.mark.parametrize(
    ("value", "kind", "known"),
    [
        ("settings.names", "DictConfig", False),
        ("settings.rate", "DictConfig", False),
        ("settings", "ListConfig", False),
        ("settings.names", "(DictConfig, int)", False),
        ("settings.names", "ListConfig", None),
        ("settings", "DictConfig", None),
    ],
)
def test_lists_and_dictionaries_of_settings(tmp_path, value, kind, known):
    (tmp_path / "settings.yaml").write_text("names: [pesq, stoi]\nrate: 16000\n", encoding="utf-8")
    (tmp_path / "train.py").write_text(
        "from omegaconf import DictConfig, ListConfig, OmegaConf\nfrom torch.utils.data import DataLoader\n"
        f"settings = OmegaConf.load('settings.yaml')\nDataLoader(isinstance({value}, {kind}))\n",
        encoding="utf-8",
    )
    assert_told(tmp_path, known)


@pytest.mark.parametrize(
    ("value", "kind", "known"),
    [
        ("parser.parse_args([])", "argparse.Namespace", True),
        ("parser.parse_args([])", "(list, argparse.Namespace)", True),
        ("parser.parse_args([])", "dict", False),
        ("vars(parser.parse_args([]))", "dict", True),
        ("argparse.Namespace(rate=16000)", "argparse.Namespace", True),
        ("SimpleNamespace(rate=16000)", "SimpleNamespace", True),
        ("SimpleNamespace(rate=16000)", "argparse.Namespace", None),
    ],
)
def test_namespaces_are_known_by_what_makes_them(tmp_path, value, kind, known):
    (tmp_path / "train.py").write_text(
        "import argparse\nfrom types import SimpleNamespace\nfrom torch.utils.data import DataLoader\n"
        "parser = argparse.ArgumentParser()\nparser.add_argument('--rate', type=int, default=16000)\n"
        f"DataLoader(isinstance({value}, {kind}))\n",
        encoding="utf-8",
    )
    assert_told(tmp_path, known)
