"""A small laboratory for the tests of the engine: three kinds of record that link to each other, and one rule."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest
import yaml

from cmgan_audit.finding import Location, Step
from cmgan_audit.lazy_dataclasses import dataclass
from cmgan_audit.rules.compiled import CompiledRule, compile_rule
from cmgan_audit.rules.record import Fact, Known, Record
from cmgan_audit.rules.schema import read_rule

NO, YES, FOUR, TRAIN = Known(False), Known(True), Known(4), Known("train")


@dataclass(frozen=True, slots=True, kw_only=True)
class Dataset(Record):
    name: str = "Speech"
    random_crop: Fact = NO


@dataclass(frozen=True, slots=True, kw_only=True)
class Loop(Record):
    name: str = "evaluate"
    eval_mode: Fact = YES
    dataset: Dataset | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Loader(Record):
    role: Fact = TRAIN
    batch_size: Fact = FOUR
    accumulated: Fact = FOUR
    dataset: Dataset | Fact | None = None
    loops: tuple[Loop, ...] = ()
    norms: tuple[Fact, ...] = ()


KINDS = {"loader": Loader, "dataset": Dataset, "loop": Loop}

RULE = {
    "id": "LAB101",
    "name": "small-batch",
    "summary": "the batch is small",
    "severity": "error",
    "over": "loader",
    "when": 'role == "train" and batch_size < 4',
    "message": "batch {batch_size}",
    "why": "because",
    "examples": [
        {"verdict": "bad", "files": {"a.py": "x = 1\n"}},
        {"verdict": "good", "files": {"a.py": "x = 1\n"}},
    ],
}


def place(line: int, path: str = "train.py") -> Location:
    return Location(path, line)


def trail(line: int, note: str, path: str = "train.py") -> tuple[Step, ...]:
    return (Step(place(line, path), note),)


@pytest.fixture
def lab() -> SimpleNamespace:
    """The kinds of record and the helpers that build places and trails."""
    return SimpleNamespace(
        Loader=Loader, Loop=Loop, Dataset=Dataset, kinds=KINDS, place=place, trail=trail, rule=dict(RULE)
    )


@pytest.fixture
def rule_file(tmp_path: Path) -> Callable[..., Path]:
    """Write a rule file with some keys changed; None takes a key away."""

    def write(**changes: object) -> Path:
        content = {key: value for key, value in {**RULE, **changes}.items() if value is not None}
        path = tmp_path / "rule.yaml"
        path.write_text(yaml.safe_dump(content, sort_keys=False), encoding="utf-8")
        return path

    return write


@pytest.fixture
def compiled(rule_file: Callable[..., Path]) -> Callable[..., CompiledRule]:
    """A rule over the test records with some keys changed, checked."""
    return lambda **changes: compile_rule(read_rule(rule_file(**changes)), KINDS)
