"""prefigure: options whose names and defaults stand in an INI file beside the script, `defaults.ini`."""

from __future__ import annotations

import ast
from dataclasses import replace

from cmgan_audit.program.domain.values import Arguments, BoundMethod, Const, DictValue, External, Value
from cmgan_audit.program.models.files import resolve
from cmgan_audit.program.models.lifting import lift
from cmgan_audit.program.models.needed_files import note_needed
from cmgan_audit.program.models.registry import ModelCall, model
from cmgan_audit.source.data_files.nodes import DataError

_SECTION = "DEFAULTS"
_TYPES = {int: "builtins.int", float: "builtins.float", str: "builtins.str"}


@model("prefigure.get_all_args", "prefigure.prefigure.get_all_args")
def _all_args(call: ModelCall) -> Value | None:
    """The words of the command line over the defaults of the file; None where there is no such file."""
    file = call.get("defaults_file", 0) or Const(value="defaults.ini")
    found = resolve(call, file.value) if isinstance(file, Const) and isinstance(file.value, str) else None
    if found is None:
        note_needed(call, file)
        return None
    defaults = _defaults(call, found)
    if defaults is None:
        return None
    it, place = call.interpreter, call.location
    parser = it.call(External(name="argparse.ArgumentParser"), Arguments(), place)
    options = {"config_file": file, "wandb_config": Const(value=None), **defaults}
    for name, default in options.items():
        kind = _TYPES.get(type(default.value)) if isinstance(default, Const) else None
        keywords = {"default": default} | ({"type": External(name=kind)} if kind else {})
        flag = Const(value=f"--{name.replace('_', '-')}")
        given = Arguments(positional=(flag,), keywords=keywords)
        it.call(BoundMethod(receiver=parser, name="add_argument"), given, place)
    return it.call(BoundMethod(receiver=parser, name="parse_args"), Arguments(), place)


def _defaults(call: ModelCall, path: str) -> dict[str, Value] | None:
    """What the file says for each option: a number, a truth value or None where it is written as one, else the text."""
    try:
        lifted = lift(call.interpreter.tree.read_data(path, "ini"), path)
    except DataError as error:
        call.interpreter.limit(call.location, f"{path}:{error.line}: {error.reason}")
        return None
    section = lifted.items.get(_SECTION) if isinstance(lifted, DictValue) else None
    if not isinstance(section, DictValue):
        return None
    return {str(key): _meant(value) for key, value in section.items.items()}


def _meant(value: Value) -> Value:
    if not isinstance(value, Const) or not isinstance(value.value, str):
        return value
    try:
        meant = ast.literal_eval(value.value)
    except (ValueError, SyntaxError, MemoryError, RecursionError, TypeError):
        return value
    return replace(value, value=meant) if meant is None or isinstance(meant, bool | int | float | str) else value
