"""Samplers that a framework gives the training loader: Lightning's trainer does where it trains in several processes.

Its `DistributedSampler` takes the place of a loader's own order and shuffles, whatever the loader was told, also where
a strategy for several processes runs on one device (`_process_dataloader` and `_get_distributed_sampler` of Lightning).
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from cmgan_audit.facts.scene import Made
from cmgan_audit.facts.values import instances_of
from cmgan_audit.facts.view import View
from cmgan_audit.lazy_regex import regex
from cmgan_audit.program.domain.values import Arguments, Const, Instance, ListValue, Value, options_of
from cmgan_audit.program.language.classes import given_to_library
from cmgan_audit.rules.record import Fact, Known, Unknown

_FIT = "lightning.pytorch.Trainer.fit"
# The arguments that name a strategy, today's and those of earlier versions; strategies of several processes.
_STRATEGIES = ("strategy", "accelerator", "distributed_backend")
_SPREADS = regex(r"(ddp|fsdp|deepspeed|modelparallel|xla|tpu|horovod|bagua)\w*", re.IGNORECASE)
_ONE_PROCESS = regex(r"(auto|cpu|cuda|dp|gpu|hpu|ipu|mps|single\w*)?", re.IGNORECASE)
_COUNTS = ("devices", "gpus", "num_processes", "num_nodes")
_TURNS_OFF = ("use_distributed_sampler", "replace_sampler_ddp")


def given_by_trainer(view: View, made: Made) -> tuple[Fact, str] | None:
    """Who shuffles a loader that Lightning trains on in several processes; None where its own order holds."""
    places = {
        single.event.location
        for single in view.scene.passes_over(made.loader)
        if single.event.framework == "lightning.Trainer.fit" and single.event.role == "train"
    }
    if not places:
        return None
    fits = [event for event in view.scene.named(lambda name: name == _FIT) if event.location in places]
    trainers = [each for event in fits for each in instances_of(event.receiver)]
    several = _any(_spreads(given_to_library(each, "lightning.pytorch.Trainer")) for each in trainers)
    if several:
        return Known(True), "Lightning's trainer gives it a DistributedSampler that shuffles"
    if several is None:
        return Unknown("on how many devices Lightning's trainer trains: on several it shuffles by itself"), ""
    return None


def _any(answers: Iterable[bool | None]) -> bool | None:
    """Whether one of several holds, where None is an open answer."""
    known = list(answers)
    return True if True in known else None if None in known else False


def _spreads(given: Arguments) -> bool | None:
    """Whether a trainer trains in several processes and gives its loaders samplers for that; None where it is open."""
    if any(_is(given.keywords.get(name), False) for name in _TURNS_OFF):
        return False
    if any(_is(given.keywords.get(name), "dp") for name in _STRATEGIES):
        return False
    strategies = [_by_strategy(given.keywords[name]) for name in _STRATEGIES if name in given.keywords]
    counts = [_by_count(given.keywords[name]) for name in _COUNTS if name in given.keywords]
    return _any([*strategies, *counts, None if given.open_kwargs else False])


def _is(value: Value | None, wanted: object) -> bool:
    return isinstance(value, Const) and value.value == wanted and type(value.value) is type(wanted)


def _by_strategy(value: Value) -> bool | None:
    """What a strategy says, by its name or as an object; None where several may be meant, or one that is not known."""
    answers = {_is_of_several(option.value) for option in options_of(value)}
    return answers.pop() if len(answers) == 1 else None


def _is_of_several(strategy: Value) -> bool | None:
    if isinstance(strategy, Instance):
        name = strategy.external_name.rpartition(".")[2]
    elif isinstance(strategy, Const):
        name = strategy.value if isinstance(strategy.value, str) else ""
    else:
        return None
    return True if _SPREADS.fullmatch(name) else False if _ONE_PROCESS.fullmatch(name) else None


def _by_count(value: Value) -> bool | None:
    """What a number of devices says, `2`, `[0, 1]` or `"0,1"`; `-1` and "auto" take those that are there."""
    if isinstance(value, ListValue):
        return len(value.items) > 1 if value.complete else None
    if not isinstance(value, Const):
        return None
    number = value.value
    if isinstance(number, str) and "," in number:
        return len([part for part in number.split(",") if part.strip()]) > 1
    if isinstance(number, str):
        number = int(number) if number.isdigit() else -1
    if not isinstance(number, int) or isinstance(number, bool):
        return False
    return None if number < 0 else number > 1
