"""click: decorators that collect options, commands and groups that call their function with what the launch gives."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

from cmgan_audit.program.domain.values import (
    NONE,
    Arguments,
    Const,
    DictValue,
    External,
    FunctionValue,
    Instance,
    ListValue,
    Unknown,
    Value,
)
from cmgan_audit.program.models.command_lines.argparse_options import said
from cmgan_audit.program.models.command_lines.argparse_parsing import Reading, command_words
from cmgan_audit.program.models.command_lines.argparse_state import OptionSpec, ParserState
from cmgan_audit.program.models.registry import ModelCall, derives, listing, model

_FUNCTION = "click.decorated"
_COMMAND = "click.Command"
_PASSED = "click.passed"
_CONTEXT = "click.Context"
_TYPES = {
    "click.INT": "builtins.int",
    "click.IntRange": "builtins.int",
    "click.FLOAT": "builtins.float",
    "click.FloatRange": "builtins.float",
    "click.BOOL": "builtins.bool",
    "click.STRING": "builtins.str",
}
_PASSING = ("click.pass_context", "click.pass_obj", "click.make_pass_decorator", "click.version_option")
derives("rich_click.option", "click.option")
derives("rich_click.argument", "click.argument")
derives("rich_click.command", "click.command")
derives("rich_click.group", "click.group")


@model("click.option.__call__", "click.argument.__call__")
def _option(call: ModelCall) -> Value | None:
    """`@click.option(...)` on a function: the function with one more option."""
    if not isinstance(call.receiver, Instance) or not call.arguments.positional:
        return None
    function, before = _opened(call.arguments.positional[0])
    spec = _spec(call, call.receiver)
    if function is None or spec is None:
        return call.arguments.positional[0]
    state = dataclasses.replace(before, options=(spec, *before.options))
    return call.instance(_FUNCTION, function=function, parser=state)


def _opened(value: Value) -> tuple[Value | None, ParserState]:
    """The function under decorators, and the options that they have collected."""
    if isinstance(value, Instance) and value.external_name == _FUNCTION:
        state = value.attrs.get("@parser")
        return value.attrs.get("@function"), state if isinstance(state, ParserState) else ParserState()
    return (value, ParserState()) if isinstance(value, FunctionValue) else (None, ParserState())


def _spec(call: ModelCall, declared: Instance) -> OptionSpec | None:
    """What `click.option("--x", default=4)` or `click.argument("x")` declares."""
    here = dataclasses.replace(call, arguments=declared.arguments, location=declared.location)
    names = [v.value for v in declared.arguments.positional if isinstance(v, Const) and isinstance(v.value, str)]
    if not names:
        return None
    positional = declared.external_name.endswith("argument")
    plain = [name for name in names if not name.startswith("-")]
    flags = [] if positional else [part for name in names if name.startswith("-") for part in name.split("/")]
    off = [part for name in names if "/" in name for part in name.split("/")[1:]]
    long = [flag for flag in flags if flag.startswith("--")]
    dest = plain[0] if plain else (long or flags)[0].lstrip("-")
    default = here.get("default")
    is_flag = here.constant("is_flag") is True or bool(off)
    shown = (long or flags or plain)[0]
    if default is None and is_flag:
        default = Const(value=False)
    if default is None and positional and here.constant("required") is not True and here.constant("nargs") == -1:
        default = listing([], "tuple")
    multiple = here.constant("multiple") is True
    if default is None and multiple:
        default = listing([], "tuple")
    nargs = here.constant("nargs")
    return OptionSpec(
        dest=dest.replace("-", "_").lower(),
        flags=tuple(flag for flag in flags if flag not in off),
        off=tuple(off),
        action="boolean_optional" if is_flag else "collect" if multiple else "store",
        place=declared.location,
        default=said(default, here, shown) if default is not None else None,
        type=_type(here.get("type"), default),
        nargs="*" if nargs == -1 else nargs if isinstance(nargs, int) and nargs > 1 else None,
        required=here.constant("required") is True or (positional and default is None),
    )


def _type(given: Value | None, default: Value | None) -> Value | None:
    """The conversion: as declared, else that of the default."""
    if isinstance(given, Instance):
        given = External(name=given.external_name)
    if isinstance(given, External):
        name = _TYPES.get(given.name, given.name)
        return None if name.startswith("click.") else External(name=name)
    if given is None and isinstance(default, Const) and isinstance(default.value, int | float | str):
        return External(name=f"builtins.{type(default.value).__name__}")
    return given


@model("click.command", "click.group")
def _command_alone(call: ModelCall) -> Value | None:
    """`@click.command` without brackets."""
    given = call.arguments.positional
    return _made(call, given[0], None) if len(given) == 1 and not isinstance(given[0], Const) else None


@model("click.command.__call__", "click.group.__call__")
def _command(call: ModelCall) -> Value | None:
    if not isinstance(call.receiver, Instance) or not call.arguments.positional:
        return None
    parent = call.receiver.attrs.get("@parent")
    name = call.receiver.arguments.get("name", 0)
    return _made(call, call.arguments.positional[0], parent, name)


def _made(call: ModelCall, given: Value, parent: Value | None, name: Value | None = None) -> Value | None:
    function, state = _opened(given)
    if function is None:
        return None
    made = call.instance(_COMMAND, function=function, parser=state, commands=listing([]))
    if isinstance(parent, Instance):
        called = name if isinstance(name, Const) and name.value else Const(value=_command_name(function))
        _join(call, parent, called, made)
    return made


def _command_name(function: Value) -> str:
    if isinstance(function, Instance) and function.external_name == _PASSED:
        function = function.attrs.get("@function") or NONE
    return function.qualname.rpartition(".")[2].replace("_", "-") if isinstance(function, FunctionValue) else ""


@model("click.Group")
def _group(call: ModelCall) -> Value | None:
    """A group that is made as an object, of commands that are given by their names or join it later."""
    given = call.get("commands", 1)
    pairs = given.items.items() if isinstance(given, DictValue) else ()
    return _without_function(call, [listing([Const(value=str(name)), each], "tuple") for name, each in pairs])


@model("click.CommandCollection")
def _collection(call: ModelCall) -> Value | None:
    """The commands of several groups."""
    sources = call.get("sources", 1)
    groups = [each for each in sources.items if isinstance(each, Instance)] if isinstance(sources, ListValue) else []
    held = [each.attrs.get("@commands") for each in groups]
    return _without_function(call, [pair for each in held if isinstance(each, ListValue) for pair in each.items])


def _without_function(call: ModelCall, commands: list[Value]) -> Instance:
    return call.instance(_COMMAND, function=NONE, parser=ParserState(), commands=listing(commands))


def _join(call: ModelCall, group: Instance, name: Value, command: Value) -> None:
    known = group.attrs.get("@commands")
    if isinstance(known, ListValue):
        items = [*known.items, listing([name, command], "tuple")]
        call.interpreter.journal.set_content(known, items, known.complete)


@model(f"{_COMMAND}.command", f"{_COMMAND}.group")
def _sub_command(call: ModelCall) -> Value | None:
    """`@cli.command(...)`: a decorator whose command joins the group."""
    return None if call.receiver is None else call.instance("click.command", parent=call.receiver)


@model(f"{_COMMAND}.add_command")
def _add_command(call: ModelCall) -> Value | None:
    command = call.get("cmd", 0)
    if isinstance(call.receiver, Instance) and isinstance(command, Instance):
        name = call.get("name", 1) or Const(value=_command_name(command.attrs.get("@function") or NONE))
        _join(call, call.receiver, name, command)
    return NONE


@model(f"{_COMMAND}.__call__", f"{_COMMAND}.main")
def _start(call: ModelCall) -> Value | None:
    if not isinstance(call.receiver, Instance):
        return None
    words, _ = command_words(call, call.get("args", 0))
    _run(call, call.receiver, words, _context(call))
    return NONE


def _context(call: ModelCall) -> Instance:
    """What a group and its commands hand on to each other."""
    made = call.instance(_CONTEXT)
    for name in ("invoked_subcommand", "parent", "params", "command", "info_name", "args"):
        call.interpreter.journal.set_attribute(made, name, Unknown(reason="the click context"))
    call.interpreter.journal.set_attribute(made, "obj", call.arguments.keywords.get("obj") or NONE)
    return made


def _run(call: ModelCall, command: Instance, words: list[str], context: Instance, depth: int = 0) -> None:
    function, state = command.attrs.get("@function"), command.attrs.get("@parser")
    if function is None or not isinstance(state, ParserState) or depth > 5:
        return
    _, steps = command_words(call, None)
    reading = Reading(call, state, steps)
    for items, _ in reading.sides(words) if function is not NONE else ():
        _called(call, function, context, items)
    known = command.attrs.get("@commands")
    pairs = [pair.items for pair in known.items if isinstance(pair, ListValue)] if isinstance(known, ListValue) else []
    chosen = [pair for pair in pairs if isinstance(pair[0], Const) and pair[0].value in words]
    for name, inner in chosen or pairs:
        if isinstance(inner, Instance) and isinstance(name, Const):
            position = words.index(str(name.value)) + 1 if name.value in words else len(words)
            _run(call, inner, words[position:], context, depth + 1)


def _called(call: ModelCall, function: Value, context: Instance, items: Mapping[str, Value]) -> None:
    """A command's function, with the context or its object first where it asks for that."""
    given: tuple[Value, ...] = ()
    if isinstance(function, Instance) and function.external_name == _PASSED:
        whole = function.attrs.get("@whole") == Const(value=True)
        given = (context if whole else context.attrs.get("obj") or NONE,)
        function = function.attrs.get("@function") or NONE
    call.interpreter.call(function, Arguments(positional=given, keywords=dict(items)), call.location)


@model(f"{_CONTEXT}.ensure_object")
def _ensure_object(call: ModelCall) -> Value | None:
    """`ctx.ensure_object(dict)`: the object, made where there is none yet."""
    kind = call.get("object_type", 0)
    if not isinstance(call.receiver, Instance) or kind is None:
        return None
    held = call.receiver.attrs.get("obj") or NONE
    if isinstance(held, Const) and held.value is None:
        held = call.interpreter.call(kind, Arguments(), call.location)
        call.interpreter.journal.set_attribute(call.receiver, "obj", held)
    return held


@model("click.pass_context.__call__", *(f"{name}.__call__" for name in _PASSING[1:]))
def _passing(call: ModelCall) -> Value | None:
    return call.first


@model("click.pass_context", "click.pass_obj")
def _pass_context(call: ModelCall) -> Value | None:
    """The function gets the context, or the object that it holds, first."""
    given = call.arguments.positional
    function, state = _opened(given[0]) if given else (None, ParserState())
    if function is None:
        return None
    passed = call.instance(_PASSED, function=function, whole=Const(value=call.callee == "click.pass_context"))
    return call.instance(_FUNCTION, function=passed, parser=state)
