"""For which pace the arguments of a scheduler are given: counted in batches, or in passes over the data."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable

from cmgan_audit.facts.code import stack_of
from cmgan_audit.facts.slices import Slicer
from cmgan_audit.facts.steps.own_schedules import ends_early
from cmgan_audit.facts.steps.records import ANY, BATCH, EPOCH
from cmgan_audit.facts.values import class_name, fact_of, is_number
from cmgan_audit.facts.view import View
from cmgan_audit.finding import Confidence, Step, Trail
from cmgan_audit.lazy_regex import regex
from cmgan_audit.program.domain.values import Instance, ListValue
from cmgan_audit.program.execution.trace import CallEvent
from cmgan_audit.rules.record import Fact, Known, Unknown, certainly
from cmgan_audit.source.syntax import arguments_named

# A schedule that is over after so few steps is counted in epochs: an epoch of VoiceBank+DEMAND at batch 4 has 2,893.
_FEW = 500
# What settings that count optimiser steps are called; a "step size" may be one of epochs.
_STEPS = regex(
    r"(?:^|[^a-z])(?:(?:n|num|max|total|train|training|global)_?(?:steps?|iters?|iterations?|updates|batches)"
    r"|iterations|iters|updates)(?![a-z])",
    re.IGNORECASE,
)
# Where a rate is looked at that decays from batch to batch, and what is left of it when it is given up.
_LATER = 1000
_NOTHING = 1e-3

# The argument that counts steps, by class or function, with its position.
_COUNTERS = {
    "CosineAnnealingLR": ("T_max", 1),
    "PolynomialLR": ("total_iters", 1),
    "get_linear_schedule_with_warmup": ("num_training_steps", 2),
    "get_cosine_schedule_with_warmup": ("num_training_steps", 2),
    "get_polynomial_decay_schedule_with_warmup": ("num_training_steps", 2),
    "get_cosine_with_hard_restarts_schedule_with_warmup": ("num_training_steps", 2),
}
# The argument that says after how many steps a rate is lowered, again and again.
_PERIODS = {"StepLR": ("step_size", 1)}
_Read = Callable[[str, int, object], Fact]


def meant_pace(view: View, slicer: Slicer, scheduler: Instance, made: CallEvent, pace: Fact) -> tuple[Fact, str]:
    """The pace that the arguments of a scheduler fit, and what they come to at the pace that it has.

    Args:
        view: the run.
        slicer: of the run.
        scheduler: the object.
        made: the call that made it.
        pace: how often it is stepped.

    Returns:
        "batch", "epoch", or "any" where the arguments do not tell; and a clause for a report.
    """
    name = class_name(scheduler)
    arguments = scheduler.arguments

    def read(argument: str, position: int, default: object) -> Fact:
        return fact_of(arguments.get(argument, position), default, missing=arguments.open_kwargs)

    found: tuple[Fact, str] | None = None
    if certainly(pace, BATCH):
        found = _ends_early(view, scheduler) if name == "LambdaLR" else _too_fast(name, scheduler, read)
        counter = {**_COUNTERS, **_PERIODS}.get(name)
        if found is not None and isinstance(found[0], Unknown) and counter is not None:
            found = None if _by_length(view, slicer, made, *counter) else found
    elif certainly(pace, EPOCH):
        found = _too_slow(view, slicer, name, scheduler, made)
    return found or (Known(ANY), "")


def _too_fast(name: str, scheduler: Instance, read: _Read) -> tuple[Fact, str] | None:
    """Arguments that are counted in epochs, of a scheduler that is stepped for every batch."""
    if name in ("StepLR", "ExponentialLR"):
        every = read("step_size", 1, None) if name == "StepLR" else Known(1)
        factor = read("gamma", 2, 0.1) if name == "StepLR" else read("gamma", 1, None)
        return _decay(every, factor)
    if name == "MultiStepLR":
        last = _last_milestone(scheduler)
        return None if last is None else _over(last, f"all milestones lie within the first {_n(last)} batches")
    if name in _COUNTERS:
        count = read(*_COUNTERS[name], None)
        text = "the rate falls and rises again within {0} batches"
        if name != "CosineAnnealingLR":
            text = "the rate has fallen to its end after {0} batches"
        return _over(count, text)
    if name == "ReduceLROnPlateau":
        patience = read("patience", 3, 10)
        return _over(
            patience, "{0} batches without a better value, noisy as single batches are, are enough to lower the rate"
        )
    return None


def _ends_early(view: View, scheduler: Instance) -> tuple[Fact, str] | None:
    """A function of the number of epochs that gives nothing after as many batches."""
    end = ends_early(view, scheduler)
    if end is None:
        return None
    left = f"{end[1]:.0e} of its largest value" if end[1] > 0 else "0 or less"
    return Known(EPOCH), f"its function speaks of epochs, and gives {left} after {end[0]} batches"


def _decay(every: Fact, factor: Fact) -> tuple[Fact, str] | None:
    for fact in (every, factor):
        if isinstance(fact, Unknown):
            return fact, ""
    if not isinstance(every, Known) or not isinstance(factor, Known):
        return None
    size, gamma = every.value, factor.value
    if not is_number(size) or not is_number(gamma) or not size > 0 or not 0 < gamma < 1:
        return None
    left = gamma ** (_LATER // size)
    if left > _NOTHING:
        return None
    how = "at every batch" if size == 1 else f"every {size} batches"
    text = f"multiplied by {gamma} {how}, the rate is down to {left:.0e} of its first value after {_LATER:,} batches"
    return _known(EPOCH, every, factor), text


def _over(count: Fact, text: str) -> tuple[Fact, str] | None:
    if isinstance(count, Unknown):
        return (count, "") if not count.formula else None
    if isinstance(count, Known) and is_number(count.value) and 0 < count.value <= _FEW and not _counts_steps(count):
        return _known(EPOCH, count), text.format(_n(count))
    return None


def _counts_steps(count: Known) -> bool:
    """Whether a number is set under a name that counts steps: few of them are a short run, no mistake."""
    return any(_STEPS.search(step.note) for step in count.trail)


def _n(count: Fact) -> str:
    return f"{count.value:,}" if isinstance(count, Known) and is_number(count.value) else "?"


def _last_milestone(scheduler: Instance) -> Fact | None:
    stones = scheduler.arguments.get("milestones", 1)
    if not isinstance(stones, ListValue) or not stones.complete:
        return None
    facts = [fact_of(each, None) for each in stones.items]
    known = [each for each in facts if isinstance(each, Known) and is_number(each.value)]
    return max(known, key=lambda each: each.value) if known and len(known) == len(facts) else None


def _too_slow(view: View, slicer: Slicer, name: str, scheduler: Instance, made: CallEvent) -> tuple[Fact, str] | None:
    """Arguments that are counted in batches, of a scheduler that is stepped once per pass."""
    given = scheduler.arguments
    if name == "OneCycleLR":
        if given.get("total_steps", 2) is None and given.get("steps_per_epoch", 4) is not None:
            per = fact_of(given.get("steps_per_epoch", 4), None)
            if not (isinstance(per, Known) and per.value == 1):
                here = (Step(made.location, "steps_per_epoch counts the batches of an epoch"),)
                return Known(BATCH, here), "its cycle of epochs x steps_per_epoch steps is cut off in its warm-up"
            return None
        return _by_length(view, slicer, made, "total_steps", 2)
    if name in _COUNTERS:
        return _by_length(view, slicer, made, *_COUNTERS[name])
    return None


def _by_length(view: View, slicer: Slicer, made: CallEvent, argument: str, position: int) -> tuple[Fact, str] | None:
    """Whether an argument is computed from the length of something, as `epochs * len(loader)` is."""
    call = view.code.call_at(made.location)
    if call is None:
        return None
    node = next(iter(arguments_named(call, argument)), None)
    if node is None and len(call.args) > position and not any(isinstance(each, ast.Starred) for each in call.args):
        node = call.args[position]
    if node is None:
        return None
    for found in slicer.behind(node, made.location.path, stack_of(made.context)).calls:
        if isinstance(found.node, ast.Call) and isinstance(found.node.func, ast.Name) and found.node.func.id == "len":
            what = ast.unparse(found.node)
            trail = (
                Step(made.location, f"{argument} is counted in batches"),
                Step(slicer.location(found), f"{what} is part of it"),
            )
            return Known(BATCH, trail), f"its {argument} is computed with {what}, of which an epoch takes one step"
    return None


def _known(pace: str, *facts: Fact) -> Known:
    trail: Trail = tuple(step for fact in facts if isinstance(fact, Known) for step in fact.trail)
    conditions = [fact.condition for fact in facts if isinstance(fact, Known) and fact.condition]
    confidence = min((fact.confidence for fact in facts if isinstance(fact, Known)), default=Confidence.HIGH)
    return Known(pace, trail, conditions[0] if conditions else "", confidence)
