"""The order of the training set: who shuffles it, if anybody does."""

from __future__ import annotations

import ast
from collections.abc import Iterable
from dataclasses import replace
from itertools import product

from cmgan_audit.facts.classes import own_method, values_within
from cmgan_audit.facts.data.records import TrainingOrder
from cmgan_audit.facts.data.shards import distributed, sharded
from cmgan_audit.facts.data.streams import is_stream
from cmgan_audit.facts.data.trainer_samplers import given_by_trainer
from cmgan_audit.facts.items.cuts import is_segment
from cmgan_audit.facts.items.making import Reading, items_of
from cmgan_audit.facts.items.pipelines import is_dynamic
from cmgan_audit.facts.records import Loader
from cmgan_audit.facts.scene import Made, Scene
from cmgan_audit.facts.values import class_name, instances_of, same_object
from cmgan_audit.facts.view import View
from cmgan_audit.finding import Step
from cmgan_audit.lazy_regex import regex
from cmgan_audit.program.domain.values import Const, Instance, ListValue, Value, options_of
from cmgan_audit.program.execution.trace import CallEvent, SliceEvent
from cmgan_audit.rules.record import Fact, Known, OneOf, Unknown

# Calls whose result, or whose list, is in random order.
_MIXED = regex(r".*\b(shuffle|permutation|permuted|randperm|sample|choices|random_split|train_test_split)")
_DIVIDES = "torch.utils.data.random_split"
_FIXED_SAMPLERS = ("SequentialSampler",)


def training_orders(view: View) -> Iterable[TrainingOrder]:
    """A record for every training loader of a run."""
    together = distributed(view)
    for made, loader in view.made_loaders:
        if not loader.trains:
            continue
        shuffled, evidence = _shuffled(view, made, loader)
        alone = not (isinstance(together, Known) and together.value)
        parted, shards = (Known(True), "one process trains") if alone else sharded(view, made, loader)
        yield TrainingOrder(
            location=made.location,
            anchor=loader.anchor,
            role=loader.role,
            iterated=loader.iterated,
            dataset=loader.dataset.name if loader.dataset is not None else "the dataset",
            shuffled=shuffled,
            order_evidence=evidence,
            keeper=loader.sampler.name if loader.sampler is not None and _sampled(loader, made) is None else "",
            split_once=_split_once(view, made, loader),
            distributed=together,
            sharded=parted,
            shard_evidence=shards,
        )


def _shuffled(view: View, made: Made, loader: Loader) -> tuple[Fact, str]:
    own = loader.shuffle
    if isinstance(own, Known) and own.value:
        return Known(True, own.trail), "the loader shuffles"
    replaced = given_by_trainer(view, made)
    if replaced is not None:
        return replaced
    sampled = _sampled(loader, made)
    alone = _alone(made) if isinstance(own, Known) else ""
    who = sampled if sampled is not None and not alone else _mixed_by_data(view.scene, made)
    if who is not None:
        return who
    if not isinstance(own, Known):
        return own, ""
    in_order = Known(False, _kept_by(made, loader, own), own.condition, own.confidence)
    if sampled is None:
        return in_order, ""
    return OneOf((Known(True, condition=f"not ({alone})"), replace(in_order, condition=alone))), ""


def _split_once(view: View, made: Made, loader: Loader) -> Fact:
    """Whether a loader without shuffle or sampler has a part of a set that was divided at random before the training.

    It is then mixed, and in one order for all epochs: a call that divides a set is not there to shuffle it.
    """
    own = loader.shuffle
    if not (isinstance(own, Known) and own.value is False) or _sampled(loader, made) is not None:
        return Known(False)
    around = {id(loop) for use in view.scene.of("backward", "step") for loop in use.event.context.loops}
    if _mixes_again(view.scene, made, around):
        return Known(False)
    given = made.arguments.get("dataset", 0)
    parts = [each for each in values_within(given) if isinstance(each, Instance)] if given is not None else []
    for event in view.scene.named(lambda name: name == _DIVIDES):
        divided = [each for each in values_within(event.result) if isinstance(each, Instance)] if event.result else []
        if around.isdisjoint(map(id, event.context.loops)) and any(
            same_object(*pair) for pair in product(parts, divided)
        ):
            steps = (
                Step(made.location, "neither shuffle nor a sampler is given"),
                Step(event.location, "the set is divided at random here, once"),
            )
            return Known(True, steps)
    return Known(False)


def _mixes_again(scene: Scene, made: Made, around: set[int]) -> bool:
    """Whether something else may mix the items: a stream, a draw whatever the index, or a shuffle in every epoch."""
    items = items_of(scene, made)
    given = [each for each in (made.arguments.get("dataset", 0),) if each is not None]
    if any(map(is_stream, [*items.datasets, *(each for value in given for each in instances_of(value))])):
        return True
    if any(map(_picks_at_random, items.readings)):
        return True
    mixing = scene.named(lambda name: name.endswith((".shuffle", ".permutation", ".randperm", ".sample")))
    return any(not around.isdisjoint(map(id, event.context.loops)) for event in mixing)


def _kept_by(made: Made, loader: Loader, own: Known) -> tuple[Step, ...]:
    """What keeps the items in order: a sampler that is given, or a loader without one that does not shuffle."""
    taken = Step(made.location, "the loader gets it here")
    if loader.sampler is not None and _sampled(loader, made) is None:
        told = loader.sampler.shuffles.trail if isinstance(loader.sampler.shuffles, Known) else ()
        return (*told, Step(loader.sampler.location, f"{loader.sampler.name} keeps the items in order"), taken)
    return (*own.trail, taken if own.trail else Step(made.location, "neither shuffle nor a sampler is given"))


def _alone(made: Made) -> str:
    """Under which condition a loader goes without the sampler that it has otherwise; "" where it always has one."""
    given = made.arguments.get("sampler", 3)
    options = options_of(given) if given is not None else []
    without = [option.condition for option in options if isinstance(option.value, Const) and option.value.value is None]
    return next((text for text in without if text), "") if len(without) < len(options) else ""


def _sampled(loader: Loader, made: Made) -> tuple[Fact, str] | None:
    """What a sampler says about the order; None when the loader has none, or one that does not change it."""
    sampler = loader.sampler
    if sampler is None:
        return (Unknown(made.arguments.open_kwargs), "") if made.arguments.open_kwargs else None
    if sampler.name in _FIXED_SAMPLERS or (isinstance(sampler.shuffles, Known) and not sampler.shuffles.value):
        return None
    if isinstance(sampler.shuffles, OneOf):
        return sampler.shuffles, ""
    return Known(True), f"{sampler.name} decides the order"


def _mixed_by_data(scene: Scene, made: Made) -> tuple[Fact, str] | None:
    """What the data says: a stream, a list in random order, items that are picked at random."""
    items = items_of(scene, made)
    given = made.arguments.get("dataset", 0)
    if given is None or items.unknown:
        return Unknown(items.unknown[0] if items.unknown else "the dataset is not known"), ""
    if any(map(is_dynamic, instances_of(given))):
        return Unknown("the order is that of a manifest, or of a key that the recipe sorts by, such as the length"), ""
    if isinstance(given, ListValue) and given.complete:
        return Known(True), "the items are written out in the program"
    for each in [*instances_of(given), *items.datasets]:
        if is_stream(each):
            return Known(True), f"{class_name(each)} is a stream and orders its items itself"
    shuffles = scene.named(lambda name: name.endswith(".shuffle"))
    mixed_in_place = {id(target): event.location for event in shuffles for target in event.arguments.positional[:1]}
    for value in values_within(given):
        place = _mixed(value)
        if place or id(value) in mixed_in_place:
            return Known(True), f"{place or f'shuffle() at {mixed_in_place[id(value)]}'} puts the items in random order"
    for reading in items.readings:
        if _picks_at_random(reading):
            return Known(True), f"{reading.function} picks an item at random"
        if reading.owner is not None and reading.function.endswith(".__iter__"):
            return Known(True), f"{reading.function} orders the items"
    for event in shuffles:
        if isinstance(event.receiver, Instance):
            if any(event.receiver == dataset for dataset in items.datasets):
                return Known(True), f"it is shuffled at {event.location}"
    return None


def _mixed(value: Value) -> str:
    """The call that put a value in random order, or something in it."""
    for draw in sorted(value.draws, key=lambda each: (str(each.location), each.callee)):
        if _MIXED.fullmatch(draw.callee):
            return f"{draw.callee} at {draw.location}"
    if isinstance(value, Instance) and _MIXED.fullmatch(value.external_name):
        return f"{value.external_name} at {value.location}"
    return ""


def _picks_at_random(reading: Reading) -> bool:
    """Whether an item does not depend on its index but on a draw."""
    drawn = any(
        (isinstance(event, SliceEvent) and event.index.draws and not is_segment(event))
        or (isinstance(event, CallEvent) and event.callee.endswith((".choice", ".sample", ".choices")))
        for event in reading.events
    )
    return drawn and not _reads_index(reading)


def _reads_index(reading: Reading) -> bool:
    """Whether the code of an item reads its index before it gives the name another value."""
    owner = None if reading.owner is None else reading.owner.cls
    function = own_method(owner, reading.function.rpartition(".")[2])
    return function is None or _reads(owner, function, 0)


def _reads(owner: Value | None, method: ast.FunctionDef, position: int, depth: int = 2) -> bool:
    """Whether a method reads an argument; handing it to one that does not, as in `self.rng(index)`, is no reading."""
    parameters = [parameter.arg for parameter in method.args.args][1:]
    if len(parameters) <= position:
        return False
    handed: set[int] = set()
    for node in ast.walk(method) if depth else ():
        if (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and ast.unparse(node.func.value) == "self"
        ):
            called = own_method(owner, node.func.attr)
            if called is None or called.args.vararg is not None or called.decorator_list:
                continue
            handed.update(id(each) for at, each in enumerate(node.args) if not _reads(owner, called, at, depth - 1))
    uses = [each for each in ast.walk(method) if isinstance(each, ast.Name) and each.id == parameters[position]]
    uses = sorted(
        (each for each in uses if id(each) not in handed),
        key=lambda each: (each.lineno, not isinstance(each.ctx, ast.Load)),
    )
    return bool(uses) and isinstance(uses[0].ctx, ast.Load)
