"""DeepSpeed: the loader that `deepspeed.initialize` makes of the training set, with the batch of its JSON settings."""

from __future__ import annotations

import ast

from cmgan_audit.program.domain.numbers import binary
from cmgan_audit.program.domain.values import NONE, Arguments, Const, DictValue, External, Symbol, Unknown, Value
from cmgan_audit.program.models.files import path_of
from cmgan_audit.program.models.registry import ModelCall, listing, model
from cmgan_audit.program.models.settings.config_files import load_source

_LOADER = "torch.utils.data.DataLoader"
_TAKES = {"args": 0, "training_data": 4, "collate_fn": 9, "config": 10, "config_params": 12}
_SWITCHES = ("--deepspeed", "--deepscale")
_PATHS = ("--deepspeed_config", "--deepscale_config")


@model("deepspeed.add_config_arguments")
def _add_options(call: ModelCall) -> Value | None:
    """The options of DeepSpeed's launcher, added to a parser, which is given back."""
    parser, it = call.get("parser", 0), call.interpreter
    if parser is None:
        return None
    for flag in (*_SWITCHES, *_PATHS):
        keywords: dict[str, Value] = {"action": Const(value="store_true")} if flag in _SWITCHES else {"default": NONE}
        given = Arguments(positional=(Const(value=flag),), keywords=keywords)
        it.call(it.attribute(parser, "add_argument", call.location), given, call.location)
    return parser


@model("deepspeed.initialize")
def _initialize(call: ModelCall) -> Value | None:
    """The engine, the optimiser, the loader and the scheduler; None where no loader is made, or nothing is known of it.

    How many batches one step sums up is a setting, too, or is told by the sizes of both batches: where it is more than
    one or not known, the loader stays open.
    """
    dataset = _given(call, "training_data")
    settings = _settings(call)
    if dataset is None or not isinstance(settings, DictValue):
        return None
    batch, total = settings.items.get("train_micro_batch_size_per_gpu"), settings.items.get("train_batch_size")
    summed = settings.items.get("gradient_accumulation_steps")
    if summed is not None and not (isinstance(summed, Const) and summed.value == 1):
        return None
    if batch is not None and total is not None and summed is None:
        return None
    if batch is None and total is not None:
        batch = binary(ast.FloorDiv, total, Symbol(formula="world_size", at_one=1))
    if batch is None:
        return None
    it = call.interpreter
    # Its sampler, one of each process, shuffles; whether the engine tells it the epoch is not said here.
    collate = _given(call, "collate_fn") or NONE
    keywords = {"batch_size": batch, "shuffle": Const(value=True), "collate_fn": collate}
    loader = it.call(External(name=_LOADER), Arguments(positional=(dataset,), keywords=keywords), call.location)
    others = Unknown(reason="what deepspeed.initialize gives")
    return listing([others, others, loader, others], "tuple")


def _settings(call: ModelCall) -> Value | None:
    """The settings, given as a dictionary or by the path of a file, here or on the command line."""
    given = _given(call, "config") or _given(call, "config_params")
    args = _given(call, "args")
    if given is None and args is not None:
        given = call.interpreter.attribute(args, "deepspeed_config", call.location)
    if given is None or isinstance(given, DictValue):
        return given
    return load_source(call, path_of(given), "json", from_path=True)


def _given(call: ModelCall, name: str) -> Value | None:
    value = call.get(name, _TAKES[name])
    return None if isinstance(value, Const) and value.value is None else value
