"""Datasets that hand out ready-made batches, and wrappers that make others: the loader's batch size says nothing."""

from __future__ import annotations

import ast

from cmgan_audit.facts.classes import bound_arguments, library_bases
from cmgan_audit.facts.items.making import Items, datasets_in
from cmgan_audit.facts.processes import PROCESSES, values_of
from cmgan_audit.facts.scene import Made, Scene
from cmgan_audit.facts.values import class_name, constant, fact_of, instances_of, is_among, known_number
from cmgan_audit.finding import Step
from cmgan_audit.program.domain.values import ClassValue, Const, Instance, Value, options_of
from cmgan_audit.program.language.functions import is_generator
from cmgan_audit.program.naming.names import canonical
from cmgan_audit.rules.record import Fact, Known, OneOf, Unknown
from cmgan_audit.source.syntax import walk

_PREPARING = frozenset({"accelerate.Accelerator.prepare", "accelerate.Accelerator.prepare_data_loader"})
BATCH_NAMES = ("batch_size", "batchsize", "batch", "bs", "minibatch_size", "mini_batch_size")

# A larger piece is one of samples, or of frames.
_MOST_ROWS = 512
# What makes a batch of single items.
_COLLATES = frozenset({"default_collate", "stack", "cat", "concat", "concatenate"})


def own_batch(made: Made, loader_batch: Fact) -> Fact:
    """The batch that reaches the training step.

    Args:
        made: the loader.
        loader_batch: its argument `batch_size`.

    Returns:
        The dataset's or the batch sampler's own batch where the loader makes none, else `loader_batch`.
    """
    batches = made.arguments.get("batch_sampler", 4)
    if batches is not None and not (isinstance(batches, Const) and batches.value is None):
        return _batch_of(batches)
    if isinstance(loader_batch, Known) and loader_batch.value in (1, None):
        given = made.arguments.get("dataset", 0)
        for dataset in datasets_in(given, Items()) if given is not None else ():  # also in a Subset of random_split
            found = _named_batch(dataset)
            if found is not None:
                return fact_of(found, None)
            pieces = _yielded_pieces(dataset)
            if pieces is not None:
                return pieces
        if loader_batch.value is None:
            return Unknown("the dataset makes the batches itself (batch_size=None)", loader_batch.trail)
    return loader_batch


def _yielded_pieces(dataset: Instance) -> Fact | None:
    """How many rows the pieces of an item have that a stream yields one by one: `yield from item.split(8)`.

    How many dimensions an item has is not known: a split into thousands may be one of samples.
    """
    cls = dataset.cls
    methods = (
        [each for each in cls.node.body if isinstance(each, ast.FunctionDef)] if isinstance(cls, ClassValue) else []
    )
    for node in (part for method in methods if method.name == "__iter__" for part in walk(method)):
        match node:
            case ast.YieldFrom(value=ast.Call(func=ast.Attribute(attr="split"), args=[size], keywords=[]) as cut):
                if not isinstance(size, ast.Constant):
                    return Unknown(f"{class_name(dataset)} yields {ast.unparse(cut)}")
                if isinstance(size.value, int) and 1 < size.value <= _MOST_ROWS:
                    return Known(size.value, (Step(dataset.location, f"it yields {ast.unparse(cut)}"),))
    return None


def own_drop_last(made: Made) -> Fact | None:
    """Whether torch's batch sampler of a loader leaves its last batch out; None where the loader has none."""
    batches = made.arguments.get("batch_sampler", 4)
    samplers = instances_of(batches) if batches is not None else ()
    if len(samplers) != 1 or "torch.utils.data.BatchSampler" not in library_bases(samplers[0]):
        return None
    given = samplers[0].arguments
    if isinstance(samplers[0].cls, ClassValue):
        return None  # what a class of the tree hands on to it is its own matter
    return fact_of(given.get("drop_last", 2), False, missing=given.open_kwargs)


def over_processes(batch: Fact) -> Fact:
    """A batch that is divided by the number of processes, as the values that it can have.

    `2 // world_size` is below 4 whatever the number is; of `16 // world_size` that cannot be said.
    """
    values = values_of(batch.formula) if isinstance(batch, Unknown) and batch.formula else ()
    if not values:
        return batch
    return OneOf(tuple(Known(value, batch.trail) for value in values), batch.trail)


def split_batch(scene: Scene, made: Made, batch: Fact) -> Fact:
    """The batch of one process, where Accelerate is told that a loader's batch is that of all processes together.

    With `split_batches` it divides each batch among them, and refuses one that they cannot divide evenly
    (`prepare_data_loader` of Accelerate).
    """
    size = known_number(batch)
    if size is None:
        return batch
    for event in scene.named(lambda name: name in _PREPARING):
        loaders = [each for value in event.arguments.every for each in instances_of(value)]
        if is_among(made.loader, loaders) and _splits_batches(event.receiver):
            parts = [size // count for count in PROCESSES if size % count == 0]
            return OneOf(tuple(Known(part, batch.trail) for part in parts), batch.trail) if parts[1:] else batch
    return batch


def _splits_batches(accelerator: Value | None) -> bool:
    """Whether an accelerator divides batches: it is told so itself, or by the settings of its loaders."""
    for each in instances_of(accelerator):
        told = each.arguments.get("split_batches", 1)
        for settings in instances_of(each.arguments.get("dataloader_config")):
            told = settings.arguments.get("split_batches", 0)
        if constant(told) is True:
            return True
    return False


def made_anew(scene: Scene, made: Made) -> Fact | None:
    """The batch of an object that draws from the loader and yields other batches, of the pieces of its items.

    None where nothing does that.
    """
    for single in scene.passes_over(made.loader):
        frames = single.event.context.frames
        function = frames[-1].value if frames else None
        if function is None or not is_generator(function.node):
            continue
        for call in scene.calls:
            if single.holds(call.context) and any(each is frames[-1] for each in call.context.frames):
                if canonical(call.callee).rpartition(".")[2] in _COLLATES:
                    owner = function.bound_to
                    own = _named_batch(owner) if isinstance(owner, Instance) else None
                    what = f"{frames[-1].function}() makes other batches of what the loader gives"
                    return Unknown(what, (Step(call.location, what),)) if own is None else fact_of(own, None)
        return None
    return None


def _batch_of(value: Value) -> Fact:
    for option in options_of(value):
        if isinstance(option.value, Instance):
            inner = option.value.arguments.get(
                "batch_size", 1 if option.value.external_name.startswith("torch") else None
            )
            found = inner if inner is not None else _named_batch(option.value)
            if found is not None:
                return fact_of(found, None)
            return Unknown(f"{class_name(option.value)} makes the batches")
    return Unknown("the batch sampler is computed at run time")


def _named_batch(owner: Instance) -> Value | None:
    """The batch size that an object of the tree was given."""
    if not isinstance(owner.cls, ClassValue):
        return None
    given = bound_arguments(owner.cls, owner.arguments)
    for name in BATCH_NAMES:
        value = owner.attrs.get(name) or given.get(name)
        if value is not None and not (isinstance(value, Const) and value.value is None):
            return value
    return None
