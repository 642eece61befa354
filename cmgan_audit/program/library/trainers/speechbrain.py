"""SpeechBrain, where it is a library and not part of the tree: the stages of a Brain, and the loaders that it makes."""

from __future__ import annotations

from cmgan_audit.finding import Location
from cmgan_audit.program.domain.values import (
    NONE,
    Arguments,
    ClassValue,
    Const,
    External,
    Instance,
    Unknown,
    Value,
)
from cmgan_audit.program.execution.interpreter import Interpreter
from cmgan_audit.program.language.attributes import attribute
from cmgan_audit.program.language.classes import class_attribute
from cmgan_audit.program.library.trainers.hooks import COUNTER, NO_GRADIENT, call_hook, over


def fit(it: Interpreter, brain: Instance | None, arguments: Arguments, location: Location) -> Value:
    """`Brain.fit`: the stages of training and validation."""
    name = "speechbrain.Brain.fit"
    sets = (
        ("train", arguments.get("train_set", 1), arguments.get("train_loader_kwargs", 4)),
        ("valid", arguments.get("valid_set", 2), arguments.get("valid_loader_kwargs", 5)),
    )
    loaders = [
        (stage, _loader(it, brain, data, stage, options, location))
        for stage, data, options in sets
        if data is not None and not isinstance(data, Const)
    ]
    call_hook(it, brain, "on_fit_start", (), location)
    for stage, loader in loaders:
        _run_stage(it, brain, loader, stage, name, location)
    return NONE


def evaluate(it: Interpreter, brain: Instance | None, arguments: Arguments, location: Location) -> Value:
    """`Brain.evaluate`: the stage of the test set."""
    data = arguments.get("test_set", 0)
    if data is not None:
        loader = _loader(it, brain, data, "test", arguments.get("test_loader_kwargs", 4), location)
        _run_stage(it, brain, loader, "test", "speechbrain.Brain.evaluate", location)
    return Unknown(reason="the loss of the test set")


def _loader(
    it: Interpreter, brain: Instance | None, data: Value, stage: str, options: Value | None, location: Location
) -> Value:
    """A data set becomes a loader with the given options; the training set is shuffled unless they say otherwise.

    A Brain of the tree may have a method of its own for that, which brings a sampler or another data set.
    """
    from cmgan_audit.program.language.calls import spread_keywords
    from cmgan_audit.program.library.answers import call_library

    if isinstance(data, Instance) and data.external_name.endswith("DataLoader"):
        return data
    keywords: dict[str, Value] = {}
    unknown = spread_keywords(it, it.read(options), keywords, f"{stage}_loader_kwargs") if options is not None else ""
    if brain is not None and isinstance(brain.cls, ClassValue) and class_attribute(brain.cls, "make_dataloader"):
        given = Arguments(positional=(data, _stage(stage)), keywords=keywords, open_kwargs=unknown)
        return it.call(attribute(it, brain, "make_dataloader", location), given, location)
    arguments = Arguments(positional=(data,), keywords=keywords, open_kwargs=unknown)
    return call_library(it, "torch.utils.data.DataLoader", None, arguments, location)


def _stage(name: str) -> Value:
    return External(name=f"speechbrain.Stage.{name.upper()}")


def _run_stage(
    it: Interpreter, brain: Instance | None, loader: Value, stage: str, name: str, location: Location
) -> None:
    role = "train" if stage == "train" else "eval"
    which = _stage(stage)
    call_hook(it, brain, "on_stage_start", (which, COUNTER), location)

    def step(batch: Value) -> None:
        own = "fit_batch" if role == "train" else "evaluate_batch"
        given = (batch,) if role == "train" else (batch, which)
        if call_hook(it, brain, own, given, location) is None:
            predictions = call_hook(it, brain, "compute_forward", (batch, which), location)
            call_hook(it, brain, "compute_objectives", (predictions or NONE, batch, which), location)

    over(it, loader, location, name, role, step)
    with it.entered(managers=() if role == "train" else NO_GRADIENT):
        call_hook(it, brain, "on_stage_end", (which, Unknown(reason="the loss of the stage"), COUNTER), location)
