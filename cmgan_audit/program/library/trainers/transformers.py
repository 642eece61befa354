"""Hugging Face's trainer: it makes its loaders from datasets and settings, and calls what the tree overrides.

The training set is shuffled, the evaluation set is not, and `dataloader_drop_last` holds for both; a stream is taken as
it comes. A training evaluates only where its settings name a strategy for that. Read in versions 4.28, 4.46 and 5.0
(`Trainer.get_train_dataloader` and its neighbours, `_get_dataloader` of the last).
"""

from __future__ import annotations

from collections.abc import Callable

from cmgan_audit.finding import Location
from cmgan_audit.program.domain.values import (
    NONE,
    Arguments,
    ClassValue,
    Const,
    DictValue,
    External,
    Instance,
    Unknown,
    Value,
)
from cmgan_audit.program.execution.interpreter import Interpreter
from cmgan_audit.program.language.attributes import attribute
from cmgan_audit.program.language.classes import library_bases
from cmgan_audit.program.library.trainers.hooks import Trainer, call_hook, over
from cmgan_audit.program.models.frameworks.transformers_ import DEFAULTS, given_to_trainer, made_with

_LOADER = "torch.utils.data.DataLoader"
# When a training evaluates, under today's name and the earlier one.
_STRATEGIES = ("eval_strategy", "evaluation_strategy")


def train(it: Interpreter, trainer: Instance | None, arguments: Arguments, location: Location) -> Value:
    """`Trainer.train`: a pass of training, and one of validation."""
    name = "transformers.Trainer.train"
    loader = call_hook(it, trainer, "get_train_dataloader", (), location)
    if loader is None:
        loader = _made(it, trainer, _held(it, trainer, "train_dataset"), "train", location)
    if loader is not None:
        over(it, loader, location, name, "train", _step(it, trainer, "training_step", location))
    if _evaluates(it, trainer) and call_hook(it, trainer, "evaluate", (), location) is None:
        _evaluate(it, trainer, None, "eval", name, location)
    return Unknown(reason="the result of a training")


def evaluation(method: str, stage: str) -> Trainer:
    """`Trainer.evaluate` or `predict`: a pass over the set that it is given, or over the trainer's own."""

    def run(it: Interpreter, trainer: Instance | None, arguments: Arguments, location: Location) -> Value:
        given = arguments.get(f"{stage}_dataset", 0)
        _evaluate(it, trainer, given, stage, f"transformers.Trainer.{method}", location)
        return Unknown(reason=f"the result of Trainer.{method}")

    return run


def evaluation_loop(it: Interpreter, trainer: Instance | None, arguments: Arguments, location: Location) -> Value:
    """`Trainer.evaluation_loop`, where a class of the tree has its own and goes on to the library's."""
    loader = arguments.get("dataloader", 0)
    if loader is not None:
        _evaluate_on(it, trainer, loader, "transformers.Trainer.evaluate", location)
    return Unknown(reason="the result of Trainer.evaluation_loop")


def _evaluate(
    it: Interpreter, trainer: Instance | None, given: Value | None, stage: str, name: str, location: Location
) -> None:
    """A pass over a set, or over each of several; `stage` is "eval", or "test" for what is only predicted."""
    data = _held(it, trainer, "eval_dataset") if given is None or given == NONE else given
    for each in data.items.values() if isinstance(data, DictValue) else [data]:
        loader = call_hook(it, trainer, f"get_{stage}_dataloader", (each or NONE,), location)
        if loader is None:
            loader = _made(it, trainer, each, "eval", location)
        if loader is None:
            continue
        if call_hook(it, trainer, "evaluation_loop", (loader, Const(value=stage)), location) is None:
            _evaluate_on(it, trainer, loader, name, location)
    score = _held(it, trainer, "compute_metrics")
    if data is not None and score is not None:
        it.call(score, Arguments(positional=(Unknown(reason="what was predicted"),)), location)


def _evaluate_on(it: Interpreter, trainer: Instance | None, loader: Value, name: str, location: Location) -> None:
    over(it, loader, location, name, "eval", _step(it, trainer, "prediction_step", location))


def _step(it: Interpreter, trainer: Instance | None, own: str, location: Location) -> Callable[[Value], None]:
    """What is done with a batch: the whole step where the tree has one, else its loss, else the network alone."""
    model = _held(it, trainer, "model")

    def run(batch: Value) -> None:
        if call_hook(it, trainer, own, (model or NONE, batch), location) is not None:
            return
        if call_hook(it, trainer, "compute_loss", (model or NONE, batch), location) is None and model is not None:
            it.call(model, Arguments(open_kwargs="what the batch holds"), location)

    return run


def _made(
    it: Interpreter, trainer: Instance | None, dataset: Value | None, stage: str, location: Location
) -> Value | None:
    """The loader that a trainer makes of a dataset."""
    from cmgan_audit.program.library.answers import call_library

    if dataset is None:
        return None
    settings = _held(it, trainer, "args") or NONE
    told = {"batch_size": f"per_device_{stage}_batch_size", "num_workers": "dataloader_num_workers"}
    keywords: dict[str, Value] = {}
    if not _is_stream(dataset):
        told["drop_last"] = "dataloader_drop_last"
        keywords["shuffle"] = Const(value=stage == "train")
    for keyword, setting in told.items():
        default = settings == NONE
        keywords[keyword] = Const(value=DEFAULTS[setting]) if default else attribute(it, settings, setting, location)
    collate = _held(it, trainer, "data_collator")
    if collate is not None:
        keywords["collate_fn"] = collate
    return call_library(it, _LOADER, None, Arguments(positional=(dataset,), keywords=keywords), location)


def _evaluates(it: Interpreter, trainer: Instance | None) -> bool:
    """Whether a training evaluates now and then: only where its settings name when."""
    given = made_with(_held(it, trainer, "args")).keywords
    return any(not _is_never(given[name]) for name in _STRATEGIES if name in given)


def _is_never(strategy: Value) -> bool:
    """Whether a strategy is "no", or `IntervalStrategy.NO`."""
    if isinstance(strategy, External):
        return strategy.name.endswith(".NO")
    return isinstance(strategy, Const) and strategy.value in ("no", None)


def _is_stream(dataset: Value) -> bool:
    """Whether a dataset gives its items one after another, as torch's IterableDataset and `streaming=True` do."""
    if not isinstance(dataset, Instance):
        return False
    if isinstance(dataset.cls, ClassValue):
        return any(name.endswith("IterableDataset") for name in library_bases(dataset.cls))
    told = dataset.arguments.get("streaming")
    return told is not None and not (isinstance(told, Const) and told.value is False)


def _held(it: Interpreter, trainer: Instance | None, name: str) -> Value | None:
    """What a trainer holds under a name: what was assigned later, or what it was given."""
    if trainer is not None and name in trainer.attrs:
        return it.read(trainer.attrs[name])
    given = given_to_trainer(trainer, name)
    return None if given is None else it.read(given)
