"""SpeechBrain as an installed library: its command line, and what a `Brain` keeps of what it was given.

Recipes in SpeechBrain's own repository are judged like recipes outside of it (`names.MODELLED`): its training loop is
known by what it does, and executing it anew for each of hundreds of recipes would take minutes.
"""

from __future__ import annotations

from cmgan_audit.program.domain.reasons import required
from cmgan_audit.program.domain.values import (
    Arguments,
    Const,
    DictValue,
    External,
    Unknown,
    Value,
)
from cmgan_audit.program.language.classes import given_to_library
from cmgan_audit.program.models.command_lines.argparse_parsing import command_words, word_value
from cmgan_audit.program.models.lifting import as_dict
from cmgan_audit.program.models.needed_files import NeededOption
from cmgan_audit.program.models.registry import AttributeRead, ModelCall, attribute, derives, listing, model

_BRAIN = "speechbrain.core.Brain"
_LOADER = "speechbrain.dataio.dataloader.make_dataloader"
derives("speechbrain.Brain", _BRAIN)
derives("speechbrain.parse_arguments", "speechbrain.core.parse_arguments")
_PARAMETERS = ("modules", "opt_class", "hparams", "run_opts", "checkpointer", "profiler")

# Flags of SpeechBrain's own command line that take no value; all others take one.
# fmt: off
_SWITCHES = frozenset((
    "--debug", "--data_parallel_backend", "--distributed_launch", "--find_unused_parameters", "--jit", "--compile",
    "--skip_grad_norm", "--noprogressbar", "--tqdm_colored_bar", "--remove_vector_weight_decay", "--profile_training",
))
_OWN = frozenset((
    "--device", "--log_config", "--debug_batches", "--debug_epochs", "--distributed_backend", "--local_rank",
    "--jit_module_keys", "--auto_mix_prec", "--max_grad_norm", "--nonfinite_patience", "--precision",
    "--ckpt_interval_minutes", "--ckpt_interval_steps", "--grad_accumulation_factor", "--optimizer_step_limit",
    "--eval_precision", "--compile_mode", "--compile_module_keys", "--test_only",
))
# fmt: on


@model("speechbrain.core.parse_arguments")
def _parse_arguments(call: ModelCall) -> Value:
    """(recipe file, run options, overrides as YAML)."""
    words, steps = command_words(call, call.get("arg_list", 0))
    if not words:
        needed = NeededOption(reason=required("the recipe file is a required word of the command line"))
        return listing([needed, DictValue(items={}, complete=True), Const(value="")], "tuple")
    options: dict[str, Value] = {}
    overrides: dict[str, Value] = {}
    number = 1
    while number < len(words):
        flag, equals, text = words[number].partition("=")
        step = steps[number] if number < len(steps) else None
        if not equals and flag not in _SWITCHES and number + 1 < len(words):
            number += 1
            text = words[number]
        value = Const(value=True) if flag in _SWITCHES and not text else word_value(text)
        if isinstance(value, Const) and isinstance(value.value, str):
            from cmgan_audit.program.models.settings.interpolation import argument

            value = argument(value.value, step)
        target = options if flag in _OWN | _SWITCHES else overrides
        target[flag.lstrip("-")] = value.via(step.location, step.note) if step is not None else value
        number += 1
    first = word_value(words[0])
    if isinstance(first, Unknown):  # `python train.py hparams/<file>.yaml`
        first = NeededOption(reason=first.reason)
    held = [DictValue(items={key: value for key, value in part.items()}) for part in (options, overrides)]  # noqa: C416
    return listing([first, *held], "tuple")


def _given(receiver: Value | None, name: str) -> Value | None:
    """What the Brain's constructor was given."""
    return given_to_library(receiver, "speechbrain.").get(name, _PARAMETERS.index(name))


@attribute(*(f"{_BRAIN}.{name}" for name in ("hparams", "modules")))
def _namespace(read: AttributeRead) -> Value | None:
    held = as_dict(value) if (value := _given(read.receiver, read.name)) is not None else None
    if held is None:
        return None
    return DictValue(items=held.items, complete=held.complete, attribute_access=True, origin=held.origin)


@attribute(*(f"{_BRAIN}.{name}" for name in ("opt_class", "run_opts", "checkpointer", "profiler")))
def _parameter(read: AttributeRead) -> Value | None:
    return _given(read.receiver, read.name)


@model(f"{_BRAIN}.make_dataloader")
def _make_dataloader(call: ModelCall) -> Value | None:
    dataset = call.get("dataset", 0)
    if dataset is None:
        return None
    own = {"dataset", "stage", "ckpt_prefix"}
    keywords = {name: value for name, value in call.arguments.keywords.items() if name not in own}
    arguments = Arguments(positional=(dataset,), keywords=keywords, open_kwargs=call.arguments.open_kwargs)
    return call.interpreter.call(External(name=_LOADER), arguments, call.location)
