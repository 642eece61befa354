"""Hugging Face's trainer: it makes its loaders from datasets and settings, and calls what the tree overrides.

The training set is shuffled, the evaluation set is not, and `dataloader_drop_last` holds for both. A training evaluates
only where its settings name a strategy for that.
"""

from __future__ import annotations

from collections.abc import Callable

from cmgan_audit.finding import Location
from cmgan_audit.program.domain.values import Arguments, Const, DictValue, Instance, Unknown, Value
from cmgan_audit.program.execution.interpreter import Interpreter
from cmgan_audit.program.language.attributes import attribute
from cmgan_audit.program.library.trainers.hooks import NONE, Trainer, call_hook, over
from cmgan_audit.program.models.frameworks.transformers_ import given_to_trainer, made_with

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
    if _evaluates(it, trainer):
        _evaluate(it, trainer, None, name, location)
    return Unknown(reason="the result of a training")


def evaluation(stage: str, dataset: str) -> Trainer:
    """`Trainer.evaluate` or `predict`: a pass over the set that it is given, or over the trainer's own."""

    def run(it: Interpreter, trainer: Instance | None, arguments: Arguments, location: Location) -> Value:
        _evaluate(it, trainer, arguments.get(dataset, 0), f"transformers.Trainer.{stage}", location)
        return Unknown(reason=f"the result of Trainer.{stage}")

    return run


def _evaluate(it: Interpreter, trainer: Instance | None, given: Value | None, name: str, location: Location) -> None:
    data = _held(it, trainer, "eval_dataset") if given is None or given == NONE else given
    for each in data.items.values() if isinstance(data, DictValue) else [data]:
        loader = call_hook(it, trainer, "get_eval_dataloader", (each or NONE,), location)
        if loader is None:
            loader = _made(it, trainer, each, "eval", location)
        if loader is not None:
            over(it, loader, location, name, "eval", _step(it, trainer, "prediction_step", location))
    score = _held(it, trainer, "compute_metrics")
    if data is not None and score is not None:
        it.call(score, Arguments(positional=(Unknown(reason="what was predicted"),)), location)


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
    keywords: dict[str, Value] = {"shuffle": Const(value=stage == "train")}
    for keyword, setting, default in (
        ("batch_size", f"per_device_{stage}_batch_size", 8),
        ("drop_last", "dataloader_drop_last", False),
        ("num_workers", "dataloader_num_workers", 0),
    ):
        keywords[keyword] = Const(value=default) if settings == NONE else attribute(it, settings, setting, location)
    collate = _held(it, trainer, "data_collator")
    if collate is not None:
        keywords["collate_fn"] = collate
    return call_library(it, _LOADER, None, Arguments(positional=(dataset,), keywords=keywords), location)


def _evaluates(it: Interpreter, trainer: Instance | None) -> bool:
    """Whether a training evaluates now and then: only where its settings name when."""
    given = made_with(_held(it, trainer, "args")).keywords
    named = [given[name] for name in _STRATEGIES if name in given]
    return any(not isinstance(each, Const) or str(each.value) != "no" for each in named)


def _held(it: Interpreter, trainer: Instance | None, name: str) -> Value | None:
    """What a trainer holds under a name: what was assigned later, or what it was given."""
    if trainer is not None and name in trainer.attrs:
        return it.read(trainer.attrs[name])
    given = given_to_trainer(trainer, name)
    return None if given is None else it.read(given)
