"""Hugging Face's trainer and its `TrainingArguments`: what they were made with, and what is read back of that."""

from __future__ import annotations

from cmgan_audit.program.domain.values import Absent, Arguments, Const, Constant, Value
from cmgan_audit.program.language.classes import given_to_library
from cmgan_audit.program.models.registry import AttributeRead, attribute, derives

_SETTINGS = "transformers.TrainingArguments"
_TRAINER = "transformers.Trainer"
derives("transformers.Seq2SeqTrainingArguments", _SETTINGS)
derives("transformers.Seq2SeqTrainer", _TRAINER)

# What a trainer is given, by its place.
_PLACES = {"model": 0, "args": 1, "data_collator": 2, "train_dataset": 3, "eval_dataset": 4, "compute_metrics": 8}
# Settings that decide what a training gets, with their defaults. Whether something is done at all (`do_train`) is left
# open: the trainer itself never asks for that.
DEFAULTS: dict[str, Constant] = {
    "per_device_train_batch_size": 8,
    "per_device_eval_batch_size": 8,
    "gradient_accumulation_steps": 1,
    "dataloader_drop_last": False,
    "dataloader_num_workers": 0,
    "group_by_length": False,
    "load_best_model_at_end": False,
    "max_grad_norm": 1.0,
    "learning_rate": 5e-5,
    "weight_decay": 0.0,
    "seed": 42,
}


def made_with(value: Value | None) -> Arguments:
    """What a trainer or its settings were made with."""
    return given_to_library(value, "transformers.")


def given_to_trainer(trainer: Value | None, name: str) -> Value | None:
    """What a trainer was given under a name; None where it was given nothing."""
    given = made_with(trainer).get(name, _PLACES[name])
    absent = given is None or isinstance(given, Absent) or (isinstance(given, Const) and given.value is None)
    return None if absent else given


@attribute(*(f"{_TRAINER}.{name}" for name in _PLACES))
def _held(read: AttributeRead) -> Value | None:
    return given_to_trainer(read.receiver, read.name)


@attribute(*(f"{_SETTINGS}.{name}" for name in DEFAULTS))
def _setting(read: AttributeRead) -> Value | None:
    given = made_with(read.receiver)
    if read.name not in given.keywords and given.open_kwargs:
        return None
    return given.keywords.get(read.name, Const(value=DEFAULTS[read.name]))
