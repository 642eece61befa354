"""A setting that is not known is the same text wherever it is read from one place: one test tells of the others."""

from __future__ import annotations

from pathlib import Path

import pytest

from cmgan_audit.program.domain.values import Const, options_of
from cmgan_audit.program.execution.trace import CallEvent
from cmgan_audit.program.launches.runs import execute
from cmgan_audit.source.tree import SourceTree

PROGRAM = """
import argparse
import json
import sys
from dataclasses import dataclass
from torch.utils.data import DataLoader
import elsewhere

{given}
if {asked} == "small":
    size = 1
elif {asked} == "large":
    size = 2
else:
    raise ValueError
{between}
if {later} == "large":
    DataLoader(size)
"""
OPEN = "cfg = elsewhere.load()"
READ = "cfg = json.load(open(sys.argv[1]))"
MAYBE = """
@dataclass
class Settings:
    kind: str = "small"
cfg = Settings() if elsewhere.ready() else elsewhere.load()
"""


def sizes(folder: Path, given: str, asked: str, *, between: str = "", later: str = "") -> set[object]:
    """What the size may be where the setting is asked for once more."""
    text = PROGRAM.format(given=given, asked=asked, between=between, later=later or asked)
    (folder / "train.py").write_text(text)
    (run,) = execute(SourceTree(folder))
    (made,) = (event for event in run.events if isinstance(event, CallEvent) and event.callee.endswith(".DataLoader"))
    found = [option.value for option in options_of(made.arguments.positional[0])]
    return {value.value for value in found if isinstance(value, Const)}


@pytest.mark.parametrize(
    ("given", "asked"),
    [
        (OPEN, "cfg.kind"),
        (OPEN, "cfg.model.kind"),
        (OPEN, "cfg['model']['kind']"),
        (OPEN, "str(cfg['kind'])"),
        (OPEN, "cfg.get('kind', 'small')"),
        (OPEN, "cfg.kind.lower()"),
        ("", "elsewhere.cfg.kind"),
        ("", "elsewhere.cfg.kind.lower()"),
        (READ, "cfg['kind']"),
        (READ, "cfg['model']['kind']"),
        (READ, "cfg.get('model').get('kind').lower()"),
        (MAYBE, "cfg.kind"),
    ],
)
def test_a_setting_that_is_read_again_is_the_same_text(tmp_path: Path, given: str, asked: str) -> None:
    assert sizes(tmp_path, given, asked) == {2}


def test_what_a_queue_gives_is_another_text_each_time(tmp_path: Path) -> None:
    assert sizes(tmp_path, OPEN, "cfg.get()") == {1, 2}
    assert sizes(tmp_path, OPEN, "cfg.get(True)") == {1, 2}


@pytest.mark.parametrize(
    ("given", "later"),
    [
        (OPEN, "cfg.other"),
        (OPEN, "elsewhere.load().kind"),
        ("cfg = elsewhere.load()\nothers = elsewhere.load()", "others.kind"),
        (MAYBE, "cfg.other"),
        (OPEN, "cfg.get('other')"),
        (OPEN, "cfg.get(elsewhere.name())"),
        (OPEN, "elsewhere.get('kind')"),
    ],
)
def test_another_setting_may_be_another_text(tmp_path: Path, given: str, later: str) -> None:
    assert sizes(tmp_path, given, "cfg.kind", later=later) == {1, 2}


@pytest.mark.parametrize(
    ("given", "asked", "between"),
    [
        ("", "elsewhere.cfg.kind", "elsewhere.cfg.kind = elsewhere.chosen()"),
        (OPEN, "cfg['kind']", "cfg['kind'] = elsewhere.chosen()"),
        (OPEN, "cfg['model']['kind']", "cfg['model']['kind'] = elsewhere.chosen()"),
        (OPEN, "cfg.kind", "cfg.merge_from_file(sys.argv[1])"),
        (OPEN, "cfg.model.kind", "cfg.model.update(kind=elsewhere.chosen())"),
        (OPEN, "cfg.kind", "cfg(3)"),
        (OPEN, "cfg.kind", "setattr(cfg, sys.argv[1], 3)"),
        (OPEN, "cfg.kind", "del cfg.kind"),
        (OPEN, "cfg['kind']", "del cfg['kind']"),
        (READ, "cfg['kind']", "cfg.update(json.load(open(sys.argv[2])))"),
    ],
)
def test_a_setting_that_is_written_may_be_another_text_from_then_on(
    tmp_path: Path, given: str, asked: str, between: str
) -> None:
    assert sizes(tmp_path, given, asked, between=between) == {1, 2}


ASKED_TWICE = """
import argparse
import elsewhere
from torch.utils.data import DataLoader

{given}
if {first}:
    size = 1
else:
    size = 2
{between}
if {second}:
    DataLoader(size)
"""
REQUIRED = """
parser = argparse.ArgumentParser()
parser.add_argument("--kind", required=True)
cfg = parser.parse_args()
"""


@pytest.mark.parametrize("between", ["cfg.data.shuffle()", "cfg.data.kind = 3", "cfg.items()", "cfg.kind.split('_')"])
def test_what_is_done_to_another_part_changes_no_setting(tmp_path: Path, between: str) -> None:
    assert sizes(tmp_path, OPEN, "cfg.model.kind", between=between) == {2}


@pytest.mark.parametrize(
    ("given", "first", "second", "between", "known"),
    [
        (OPEN, "cfg.kind", "cfg.kind", "", {1}),
        (OPEN, "cfg['kind']", "not cfg['kind']", "", {2}),
        (OPEN, "not cfg.get('kind')", "cfg.get('kind')", "", {2}),
        (OPEN, "cfg.kind is not None", "cfg.kind is not None", "", {1}),
        (OPEN, "cfg.kind == 3", "cfg.kind == 3", "", {1}),
        (REQUIRED, "cfg.kind", "cfg.kind", "", {1}),
        (OPEN, "cfg.kind is None", "cfg.kind is not None", "", {2}),
        (OPEN, "cfg.kind > 3", "cfg.kind <= 3", "", {2}),
        (OPEN, "3 < cfg.kind", "3 < cfg.kind", "", {1}),
        (OPEN, "'kind' in cfg", "'kind' not in cfg", "", {2}),
        (OPEN, "hasattr(cfg, 'kind')", "hasattr(cfg, 'kind')", "", {1}),
        (OPEN, "bool(cfg.kind)", "cfg.kind", "", {1}),
        (OPEN, "getattr(cfg, 'kind', None)", "getattr(cfg, 'kind', None)", "", {1}),
        (OPEN, "getattr(cfg, 'kind', None)", "hasattr(cfg, 'kind')", "", {1, 2}),
        (OPEN, "getattr(cfg, 'kind', None)", "not hasattr(cfg, 'kind')", "", {2}),
        (OPEN, "cfg.kind.startswith('a')", "cfg.kind.startswith('a')", "", {1}),
        (OPEN, "cfg.kind in ('a', 'b')", "cfg.kind == 'a'", "", {1}),
        (OPEN, "cfg.kind in ('a', 'b')", "cfg.kind.lower() == 'c'", "", {1, 2}),
        (REQUIRED, "cfg.kind in ('a', 'b')", "cfg.kind == 'c'", "", {2}),
        (OPEN, "cfg.kind == 'c'", "cfg.kind in {'a': 1, 'b': 2}", "", {2}),
        (OPEN, "cfg.kind == 'a' or cfg.kind == 'b'", "cfg.kind == 'a'", "", {1}),
        (OPEN, "cfg.kind == 'a' or cfg.kind == 'b'", "cfg.kind in ['b', 'c']", "", {1, 2}),
        (OPEN, "cfg.kind == 'a' or cfg.kind == 'b'", "cfg.kind not in ['a', 'b']", "", {2}),
        (OPEN, "cfg.kind != 'a' and cfg.kind != 'b'", "cfg.kind == 'a'", "", {2}),
        (OPEN, "not (cfg.kind == 'a' or cfg.kind == 'b')", "cfg.kind == 'c'", "", {1}),
        (OPEN, "elsewhere.ready() or cfg.kind == 'a'", "cfg.kind == 'c'", "", {1, 2}),
        (OPEN, "cfg.kind == 'a' or cfg.other == 'b'", "cfg.kind == 'c'", "", {1, 2}),
        (OPEN, "cfg.kind == 'a' and cfg.other == 'b'", "cfg.kind == 'c'", "", {2}),
        (OPEN, "cfg.kind or cfg.other", "not (cfg.kind or cfg.other)", "", {2}),
        (OPEN, "cfg.kind and cfg.other", "cfg.kind and cfg.other", "", {1}),
        (OPEN, "cfg.kind and cfg.other", "not cfg.other", "", {2}),
        (OPEN, "cfg.kind or cfg.other", "cfg.kind or cfg.third", "", {1, 2}),
        (OPEN, "elsewhere.ready() or cfg.other", "elsewhere.ready() or cfg.other", "", {1, 2}),
        (OPEN, "cfg.kind", "cfg.other", "", {1, 2}),
        (OPEN, "cfg.kind == 3", "cfg.kind == 4", "", {1, 2}),
        (OPEN, "cfg['kind']", "cfg['kind']", "cfg['kind'] = elsewhere.chosen()", {1, 2}),
        ("names = elsewhere.names()", "names", "names", "names.append(1)", {1, 2}),
        ("trainer = elsewhere.Trainer()", "trainer.done", "trainer.done", "trainer.step()", {1, 2}),
    ],
)
def test_a_setting_is_as_true_as_it_was(
    tmp_path: Path, given: str, first: str, second: str, between: str, known: set[object]
) -> None:
    text = ASKED_TWICE.format(given=given, first=first, second=second, between=between)
    (tmp_path / "train.py").write_text(text)
    (run,) = execute(SourceTree(tmp_path))
    (made,) = (event for event in run.events if isinstance(event, CallEvent) and event.callee.endswith(".DataLoader"))
    found = [option.value for option in options_of(made.arguments.positional[0])]
    assert {value.value for value in found if isinstance(value, Const)} == known


@pytest.mark.parametrize("read", ["[cfg.kind]", ".get(cfg.kind)", ".get(cfg.kind, 3)"])
def test_an_entry_of_a_table_is_there_where_the_setting_is_its_key(tmp_path: Path, read: str) -> None:
    made = f"size = {{'a': 1, 'b': 2}}{read}\nif cfg.kind in ('a', 'c'):"
    text = f"import elsewhere\nfrom torch.utils.data import DataLoader\n{OPEN}\n{made}\n    DataLoader(size)\n"
    (tmp_path / "train.py").write_text(text)
    (run,) = execute(SourceTree(tmp_path))
    (call,) = (event for event in run.events if isinstance(event, CallEvent) and event.callee.endswith(".DataLoader"))
    known = {each.value.value for each in options_of(call.arguments.positional[0]) if isinstance(each.value, Const)}
    assert known == {1} | ({None} if read.endswith("kind)") else {3} if "3" in read else set())
