"""pydantic: what a field is given becomes an object of the model that its annotation names."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from cmgan_audit.program.domain.values import Unknown
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


BATCH = """
import json
import sink
from pydantic import AliasChoices, BaseModel, ConfigDict, Field, model_validator
from pydantic.alias_generators import to_camel
from pydantic_settings import BaseSettings
from typing import Annotated, Literal, Union

{models}

class Settings(BaseModel):
    training: {wanted}

sink.show(Settings(**json.load(open("c.json"))).training.batch_size)
"""


@pytest.mark.parametrize(
    ("given", "model"),
    [
        ('{"batch-size": 8}', '    batch_size: int = Field(1, alias="batch-size")'),
        ('{"batch-size": 8}', '    batch_size: int = Field(default=1, validation_alias="batch-size")'),
        ('{"bs": 8}', '    batch_size: Annotated[int, Field(validation_alias=AliasChoices("batch", "bs"))] = 1'),
        ('{"batchSize": 8}', "    model_config = ConfigDict(alias_generator=to_camel)\n    batch_size: int = 1"),
        (
            '{"batches": {"train": 8}}',
            """
    batch_size: int = 1
    @model_validator(mode="before")
    @classmethod
    def flat(cls, data):
        return {"batch_size": data["batches"]["train"]}
""",
        ),
        (
            '{"half": 4}',
            """
    half: int = 1
    batch_size: int = 1
    @model_validator(mode="after")
    def fill(self):
        self.batch_size = 2 * self.half
        return self
""",
        ),
        (
            '{"half": 4}',
            """
    half: int = 1
    batch_size: int = 1
    def model_post_init(self, context):
        self.batch_size = 2 * self.half
""",
        ),
    ],
)
def test_aliases_and_validators_decide_what_a_field_holds(show: Show, given: str, model: str) -> None:
    source = BATCH.format(models=f"class Training(BaseModel):\n{model}", wanted="Training")
    assert show({"train.py": source, "c.json": f'{{"training": {given}}}'}).plain() == [8]


TWO = """
class Small(BaseModel):
    kind: Literal["small"] = "small"
    batch_size: int = 1

class Large(BaseModel):
    kind: Literal["large"] = "large"
    rate: float = 1e-3
    batch_size: int = 8
"""


@pytest.mark.parametrize(("more", "shown"), [(', "rate": 0.1', 8), ("", None)])
def test_of_several_models_it_is_the_only_one_that_has_all_fields(show: Show, more: str, shown: int | None) -> None:
    source = BATCH.format(models=TWO, wanted='Union[Small, Large] = Field(discriminator="kind")')
    file = f'{{"training": {{"kind": "large"{more}}}}}'
    assert show({"train.py": source, "c.json": file}).plain() == ([shown] if shown else [Unknown])


UNFOLLOWED = """
import sink
from pydantic import BaseModel, model_validator
from pydantic_settings import BaseSettings
from elsewhere import filled

class Sources(BaseSettings):
    batch_size: int = 1
    @classmethod
    def settings_customise_sources(cls, settings_cls, **sources):
        return sources["init_settings"], filled

class Filled(BaseModel):
    batch_size: int = 1
    @model_validator(mode="before")
    @classmethod
    def fill(cls, data):
        return filled(data)

sink.show(MODEL().batch_size)
"""


@pytest.mark.parametrize("model", ["Sources", "Filled"])
def test_a_default_that_something_else_may_replace_is_not_known(show: Show, model: str) -> None:
    assert show({"train.py": UNFOLLOWED.replace("MODEL", model)}).plain() == [Unknown]
