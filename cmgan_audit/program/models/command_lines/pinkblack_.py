"""PinkBlack: options whose names and defaults stand in a dictionary that is handed to `setup`."""

from __future__ import annotations

from cmgan_audit.program.domain.values import Arguments, BoundMethod, Const, DictValue, External, Value
from cmgan_audit.program.models.lifting import as_dict
from cmgan_audit.program.models.registry import ModelCall, derives, model

_NUMBERS = {int: "builtins.int", float: "builtins.float"}
for _name in ("setup", "get_args"):
    derives(f"PinkBlack.{_name}", f"PinkBlack.io.{_name}")


@model("PinkBlack.io.setup")
def _setup(call: ModelCall) -> Value | None:
    return _options(call, call.get("default_args", 2))


@model("PinkBlack.io.get_args")
def _get_args(call: ModelCall) -> Value | None:
    return _options(call, call.get("default_args", 0))


def _options(call: ModelCall, given: Value | None) -> Value | None:
    """The words of the command line over the defaults; an option of a truth value takes none and turns it over."""
    defaults = as_dict(given) if given is not None else None
    if defaults is None:
        return None
    it, place = call.interpreter, call.location
    parser = it.call(External(name="argparse.ArgumentParser"), Arguments(), place)
    held: dict[str, Value] = {} if "gpu" in defaults.items else {"gpu": Const(value=None)}
    held |= {key.lower(): value for key, value in defaults.items.items() if isinstance(key, str)}
    for name, default in held.items():
        keywords = {"default": default}
        if isinstance(default, Const) and isinstance(default.value, bool):
            keywords["action"] = Const(value="store_false" if default.value else "store_true")
        elif isinstance(default, Const) and type(default.value) in _NUMBERS:
            keywords["type"] = External(name=_NUMBERS[type(default.value)])
        flag = Arguments(positional=(Const(value=f"--{name}"),), keywords=keywords)
        it.call(BoundMethod(receiver=parser, name="add_argument"), flag, place)
    parsed = it.call(BoundMethod(receiver=parser, name="parse_args"), Arguments(), place)
    if isinstance(parsed, DictValue) and not defaults.complete:
        it.journal.set_open(parsed)
    return parsed
