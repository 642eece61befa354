"""What a process is started with: environment variables, and the words of its command line."""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping
from dataclasses import replace

from cmgan_audit.lazy_regex import regex
from cmgan_audit.program.domain.numbers import binary
from cmgan_audit.program.domain.reasons import Cause, Reason, required
from cmgan_audit.program.domain.values import Computation, Const, DictValue, ListValue, Symbol, Unknown, Value
from cmgan_audit.program.execution.interpreter import UnconfiguredError
from cmgan_audit.program.execution.trace import TOLD_BY_LAUNCHERS
from cmgan_audit.program.models.command_lines.argparse_parsing import word_value
from cmgan_audit.program.models.command_lines.argparse_state import UNKNOWN_MARK
from cmgan_audit.program.models.needed_files import NeededOption
from cmgan_audit.program.models.registry import Interpreter, ModelCall, listing, model

_ASKED = "environment variables"
_WRITTEN = "environment variables of the program's own"
# How many processes there are, and which one this is.
_PROCESSES = frozenset({"WORLD_SIZE", "SLURM_NTASKS", "LOCAL_WORLD_SIZE", "OMPI_COMM_WORLD_SIZE"})
_RANKS = frozenset({"RANK", "LOCAL_RANK", "SLURM_PROCID", "SLURM_LOCALID", "OMPI_COMM_WORLD_RANK"})
# Variables that name the folder in which the tree lies; a store of models or data is another one.
_OF_TREE = regex(
    r"(?!.*(model|data|artifact|output))(\w+_)?(project|repo|repository|code|workspace)_?(root|dir|path|home|folder)"
    r"|root_?(dir|path)",
    re.IGNORECASE,
)


@model("os.environ.get", "os.getenv", "os.environ.__getitem__", "os.environ.setdefault", "os.environ.pop")
def _environment(call: ModelCall) -> Value | None:
    name = call.text("key", 0)
    default = call.get("default", 1)
    if name is None:
        return None
    held = environment_variable(call, name)
    if held is not None:
        return held
    if call.interpreter.launch.ranked and name in TOLD_BY_LAUNCHERS:
        return _number_of_processes(name)
    if default is not None and name in TOLD_BY_LAUNCHERS:
        _note_asked(call.interpreter, name)  # started by a launcher the script goes another way
    if name in _PROCESSES:
        return None if default is None else _overridable(default, name)
    if default is None:
        if call.callee.endswith(("getenv", ".get")):
            return Unknown(reason=Reason(f"the environment variable {name} may be set", Cause.ENVIRONMENT))
        if _OF_TREE.fullmatch(name):
            return _overridable(Const(value="."), name)
        return Unknown(reason=Reason(f"the environment variable {name} is read", Cause.ENVIRONMENT))
    return _overridable(default, name)


def _number_of_processes(name: str) -> Symbol:
    """What a launcher tells each of the processes that it starts."""
    return Symbol(formula="rank", at_one=0) if name in _RANKS else Symbol(formula="world_size", at_one=1)


def environment_variable(call: ModelCall, name: str) -> Value | None:
    """What an environment variable holds, as far as it is known; None where nothing sets it.

    It is what the program itself has written, else what the launch sets: that it is asked for is noted then. How many
    processes there are, and which one this is, is up to the machine, whatever one launcher says.
    """
    if name in _PROCESSES or name in _RANKS:
        return None
    written = _written(call)
    if name in written:
        return written[name]
    it = call.interpreter
    _note_asked(it, name)
    held = it.launch.environment.get(name)
    if held is None and name in it.launch.offers and it.must_be_told and not it.probing:
        raise UnconfiguredError
    return held


def _note_asked(it: Interpreter, name: str) -> None:
    it.notes[_ASKED] = asked_variables(it.notes) | {name}


@model("os.environ.__setitem__")
def _write_variable(call: ModelCall) -> Value:
    """`os.environ["SIZE"] = "4"`: from here on it holds that, or may hold it where not every way comes here."""
    name, value = call.text("key", 0), call.get("value", 1)
    if name is not None and value is not None:
        _write(call, {name: value})
    return Const(value=None)


@model("os.environ.update")
def _write_variables(call: ModelCall) -> Value:
    """`os.environ.update({"SIZE": "4"})`, also as `os.environ |= {"SIZE": "4"}`."""
    given = call.arguments.get("", 0)
    items = given.items if isinstance(given, DictValue) else {}
    _write(call, {name: value for name, value in items.items() if isinstance(name, str)} | call.arguments.keywords)
    return Const(value=None)


def _write(call: ModelCall, variables: Mapping[str, Value]) -> None:
    sure = not call.interpreter.context.conditions and not call.interpreter.probing
    written = dict(_written(call))
    for name, value in variables.items():
        reason = Reason(f"the program may set the environment variable {name}", Cause.ENVIRONMENT)
        written[name] = value if sure else Unknown(reason=reason)
    call.interpreter.notes[_WRITTEN] = written


def _written(call: ModelCall) -> dict[str, Value]:
    kept = call.interpreter.notes.get(_WRITTEN)
    return kept if isinstance(kept, dict) else {}


def asked_variables(notes: Mapping[str, object]) -> frozenset[str]:
    """The environment variables that a run has asked for, told from its notes."""
    asked = notes.get(_ASKED)
    return asked if isinstance(asked, frozenset) else frozenset()


def _overridable(value: Value, name: str) -> Value:
    return replace(value, overridable=f"environment variable {name}") if isinstance(value, Const) else value


@model("sys.argv.__getitem__")
def _argv_item(call: ModelCall) -> Value | None:
    words = _words(call)
    index = call.get("index", 0)
    if isinstance(index, Const) and isinstance(index.value, int):
        if -len(words) <= index.value < len(words):
            return words[index.value]
        return NeededOption(reason=required(f"the word {index.value} of the command line is not given"))
    if isinstance(index, ListValue) and index.kind == "slice" and all(isinstance(p, Const) for p in index.items):
        bounds = [part.value for part in index.items if isinstance(part, Const) and isinstance(part.value, int | None)]
        if len(bounds) == 3:
            return listing(words[bounds[0] : bounds[1] : bounds[2]])
    return None


def _words(call: ModelCall) -> list[Value]:
    """The words of `sys.argv` as this run is started: the script, then those of the launch."""
    words: list[Value] = [Const(value=call.interpreter.entry)]
    launch = call.interpreter.launch
    for number, word in enumerate(launch.argv):
        value = word_value(word)
        if UNKNOWN_MARK in word and isinstance(value, Unknown):
            start = Computation("str", (Const(value=word.partition(UNKNOWN_MARK)[0]), value))
            value = NeededOption(reason=value.reason, computed=start)
        words.append(replace(value, trail=launch.steps[number : number + 1]) if launch.steps else value)
    return words


def _command_line(call: ModelCall) -> ListValue:
    """`sys.argv` as a list of its own: a script that is started without words may be given some."""
    return listing(_words(call), complete=bool(call.interpreter.launch.argv))


@model("sys.argv.__iter__", "sys.argv.copy")
def _argv_copied(call: ModelCall) -> Value:
    return _command_line(call)


@model("sys.argv.__add__")
def _argv_and_more(call: ModelCall) -> Value:
    return binary(ast.Add, _command_line(call), call.arguments.positional[0])


@model("sys.argv.__radd__")
def _more_and_argv(call: ModelCall) -> Value:
    return binary(ast.Add, call.arguments.positional[0], _command_line(call))


@model("sys.argv.__len__")
def _argv_length(call: ModelCall) -> Value:
    """How many words the launch has, where none may stand for several; a script without a launch may be given any."""
    words = call.interpreter.launch.argv
    is_known = bool(words) and not any(UNKNOWN_MARK in word for word in words)
    return Const(value=len(words) + 1) if is_known else Unknown(reason="a length")
