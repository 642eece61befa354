"""pydantic: what a field is given becomes an object of the model that its annotation names."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.program.models.shown import Shown

Show = Callable[..., Shown]
MODELS = """
from typing import Optional
import json
import sink
from pydantic import BaseModel, Field

class Loader(BaseModel):
    batch: int = 8
    workers: int = 0

class Part(BaseModel):
    loader: Optional[Loader] = None
    extra: dict = Field(default_factory=dict)

class Training(Part):
    rate: float = 1e-3

class Settings(BaseModel):
    training: Training

"""
TAIL = "\nsink.show(settings.training.loader.batch)\nsink.show(settings.training.loader.workers)\n"
FILE = '{"training": {"loader": {"batch": 2}}}'


@pytest.mark.parametrize(
    "made",
    [
        "Settings(**json.load(open('c.json')))",
        "Settings.model_validate(json.load(open('c.json')))",
        "Settings.parse_obj(obj=json.load(open('c.json')))",
        "Settings(training=Training(loader={'batch': 2}))",
    ],
)
def test_a_section_of_a_file_becomes_the_model_that_the_field_is_annotated_with(show: Show, made: str) -> None:
    shown = show({"train.py": MODELS + f"settings = {made}" + TAIL, "c.json": FILE})
    assert shown.plain() == [2, 0]


def test_a_field_that_is_annotated_as_a_dictionary_stays_one(show: Show) -> None:
    made = "settings = Part(extra={'batch': 2})\nsink.show(settings.extra['batch'])\n"
    assert show({"train.py": MODELS + made}).plain() == [2]


def test_a_dataclass_keeps_what_it_is_given(show: Show) -> None:
    source = """
import sink
from dataclasses import dataclass
@dataclass
class Loader:
    batch: int = 8
@dataclass
class Settings:
    loader: Loader
sink.show(Settings(loader={"batch": 2}).loader["batch"])
"""
    assert show({"train.py": source}).plain() == [2]
