"""Command lines made of a function's or class's own parameters: typer, tap, HfArgumentParser, tyro, optparse."""

from __future__ import annotations

import ast
import dataclasses
from collections.abc import Iterator

from cmgan_audit.finding import Step
from cmgan_audit.lazy_dataclasses import dataclass
from cmgan_audit.program.domain.reasons import required
from cmgan_audit.program.domain.values import (
    NONE,
    Arguments,
    ClassValue,
    Const,
    DictValue,
    External,
    FunctionValue,
    Instance,
    ListValue,
    Unknown,
    Value,
)
from cmgan_audit.program.models.command_lines.argparse_options import PARSER
from cmgan_audit.program.models.command_lines.argparse_parsing import command_words, word_value
from cmgan_audit.program.models.command_lines.argparse_state import UNKNOWN_MARK
from cmgan_audit.program.models.needed_files import NeededOption
from cmgan_audit.program.models.registry import ModelCall, find, listing, model
from cmgan_audit.program.models.settings.config_files import load_source
from cmgan_audit.source.data_files.formats import Dialect
from cmgan_audit.source.syntax import positional_parameters, single_parameters

_CONVERSIONS = {"int": int, "float": float, "str": str}
_TRUE = frozenset({"true", "1", "yes", "y", "on", "t"})


@dataclass(frozen=True, slots=True)
class Flag:
    """One `--name value` of a command line: the value's text (None for a flag alone) and where it stands."""

    name: str
    text: str | None
    step: Step | None


def flags_of(
    words: list[str], steps: list[Step], switches: frozenset[str] = frozenset()
) -> tuple[list[Flag], list[str]]:
    """Flags with their values, and the words that belong to no flag. `switches` take no value."""
    found: list[Flag] = []
    rest: list[str] = []
    number = 0
    while number < len(words):
        word = words[number]
        step = steps[number] if number < len(steps) else None
        number += 1
        if not word.startswith("-") or word.lstrip("-")[:1].isdigit():
            rest.append(word)
            continue
        name, equals, text = word.lstrip("-").partition("=")
        follows = number < len(words) and not words[number].startswith("--")
        if equals:
            found.append(Flag(name.replace("-", "_"), text, step))
        elif follows and name.replace("-", "_") not in switches:
            found.append(Flag(name.replace("-", "_"), words[number], step))
            number += 1
        else:
            found.append(Flag(name.replace("-", "_"), None, step))
    return found, rest


def literal(flag: Flag) -> Value:
    """A value as a Python literal where it is one, else the text."""
    trail = (flag.step,) if flag.step else ()
    if flag.text is None:
        return Const(value=True, trail=trail)
    if UNKNOWN_MARK in flag.text:
        return dataclasses.replace(word_value(flag.text), trail=trail)
    try:
        value = ast.literal_eval(flag.text)
    except (ValueError, SyntaxError, MemoryError, RecursionError, TypeError):
        value = flag.text
    if isinstance(value, bool | int | float | complex | str | bytes) or value is None:
        return Const(value=value, trail=trail)
    if isinstance(value, list | tuple) and all(isinstance(item, bool | int | float | str) for item in value):
        return listing([Const(value=item, trail=trail) for item in value], type(value).__name__)
    return Unknown(reason=f"{flag.text} is no plain value", trail=trail)


def _as_kind(flag: Flag, kind: str) -> Value:
    """A value after the type that an annotation names."""
    trail = (flag.step,) if flag.step else ()
    if kind == "bool":
        off = flag.text is not None and flag.text.lower() not in _TRUE
        return Const(value=not off, trail=trail)
    text = flag.text or ""
    if UNKNOWN_MARK in text:
        return dataclasses.replace(word_value(text), trail=trail)
    try:
        return Const(value=_CONVERSIONS.get(kind, str)(text), trail=trail)
    except ValueError:
        return Unknown(reason=f"--{flag.name}: {text!r} is no {kind}", trail=trail)


def _kind(annotation: ast.expr | None) -> str:
    """The plain type in an annotation: int, Optional[int], int | None, Annotated[int, ...]."""
    for node in ast.walk(annotation) if annotation is not None else ():
        if isinstance(node, ast.Name) and node.id in {"int", "float", "str", "bool"}:
            return node.id
    return ""


# typer


def _parameters(function: FunctionValue) -> dict[str, tuple[str, str]]:
    """Flag name -> (parameter, type), custom flags of `typer.Option(4, "--bs")` and Annotated included."""
    arguments = function.node.args
    positional = positional_parameters(arguments)
    defaults: dict[str, ast.expr | None] = dict(
        zip([a.arg for a in positional[::-1]], arguments.defaults[::-1], strict=False)
    )
    defaults.update(zip([a.arg for a in arguments.kwonlyargs], arguments.kw_defaults, strict=True))
    found: dict[str, tuple[str, str]] = {}
    for parameter in (*positional, *arguments.kwonlyargs):
        kind = _kind(parameter.annotation)
        entry = (parameter.arg, kind)
        found[parameter.arg] = entry
        if kind == "bool":
            found[f"no_{parameter.arg}"] = entry
        for flag in _flags_in(parameter.annotation, defaults.get(parameter.arg)):
            found[flag.lstrip("-").replace("-", "_")] = entry
    return found


def _flags_in(*holders: ast.expr | None) -> Iterator[str]:
    """The flags that an annotation or a default writes down: "--verbose/--quiet" is two."""
    for holder in holders:
        for node in ast.walk(holder) if holder is not None else ():
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value.startswith("-"):
                yield from node.value.split("/")


@model("typer.Option", "typer.Argument")
def _typer_option(call: ModelCall) -> Value | None:
    """As a default value: what the parameter holds when the option is not given."""
    default = call.get("default", 0)
    if default is None:
        return None
    names = [v.value for v in call.arguments.positional[1:] if isinstance(v, Const) and isinstance(v.value, str)]
    flag = next((name for name in names if name.startswith("--")), "")
    if isinstance(default, External) and default.name == "builtins.Ellipsis":
        return NeededOption(
            reason=required(f"required option {flag or 'of the command line'} has no default"), flag=flag
        )
    if isinstance(default, Const):
        moved = default.via(call.location, f"{flag or 'the option'} defaults to {default.value!r}")
        return dataclasses.replace(moved, overridable=flag or "the command line")
    return default


@model("typer.run")
def _typer_run(call: ModelCall) -> Value | None:
    function = call.get("function", 0)
    if not isinstance(function, FunctionValue):
        return None
    words, steps = command_words(call, None)
    return _call_with_flags(call, function, words, steps)


def _call_with_flags(call: ModelCall, function: FunctionValue, words: list[str], steps: list[Step]) -> Value:
    known = _parameters(function)
    switches = frozenset(name for name, (_, kind) in known.items() if kind == "bool")
    flags, rest = flags_of(words, steps, switches)
    keywords: dict[str, Value] = {}
    for flag in flags:
        if flag.name in known:
            parameter, kind = known[flag.name]
            value = _as_kind(flag, kind)
            if kind == "bool" and flag.name.startswith("no_") and flag.name[3:] in known:
                value = dataclasses.replace(value, value=False) if isinstance(value, Const) else value
            keywords[parameter] = value
    required = _required(function)
    for name, word in zip([name for name in required if name not in keywords], rest, strict=False):
        keywords[name] = _as_kind(Flag(name, word, None), known[name][1])
    return call.interpreter.call(function, Arguments(keywords=completed(function, keywords)), call.location)


def completed(function: FunctionValue, keywords: dict[str, Value]) -> dict[str, Value]:
    """What a command line gives to a function, with what it leaves out: defaults, which a launch may override, and
    arguments that must be given."""
    arguments = function.node.args
    result = dict(keywords)
    for parameter in single_parameters(arguments):
        name = parameter.arg
        default = function.defaults.get(name)
        if name in result or (function.bound_to is not None and parameter is _first(arguments)):
            continue
        if default is None:
            result[name] = NeededOption(reason=required(f"required argument {name} has no default"), flag=f"--{name}")
        elif isinstance(default, Const) and not default.overridable:
            place = function.module.location(parameter)
            told = default.via(place, f"{name} defaults to {default.value!r} in {function.qualname}")
            result[name] = dataclasses.replace(told, overridable=f"--{name}")
    return result


def _first(arguments: ast.arguments) -> ast.arg | None:
    return next(iter(positional_parameters(arguments)), None)


def _required(function: FunctionValue) -> list[str]:
    arguments = function.node.args
    positional = positional_parameters(arguments)
    count = len(positional) - len(arguments.defaults)
    alone = [a.arg for a, d in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True) if d is None]
    return [a.arg for a in positional[:count]] + alone


@model("typer.Typer")
def _typer(call: ModelCall) -> Value:
    return call.instance(commands=listing([]))


@model("typer.Typer.command", "typer.Typer.callback")
def _typer_command(call: ModelCall) -> Value | None:
    return None if call.receiver is None else call.instance("typer.Typer.command", parent=call.receiver)


@model("typer.Typer.command.__call__")
def _typer_decorate(call: ModelCall) -> Value | None:
    parent = call.state("parent")
    function = call.first
    known = parent.attrs.get("@commands") if isinstance(parent, Instance) else None
    if function is None or not isinstance(known, ListValue) or not isinstance(call.receiver, Instance):
        return None
    name = call.receiver.arguments.get("name", 0)
    if not isinstance(name, Const) and isinstance(function, FunctionValue):
        name = Const(value=function.qualname.rpartition(".")[2].replace("_", "-"))
    call.interpreter.journal.set_content(
        known, [*known.items, listing([name or NONE, function], "tuple")], known.complete
    )
    return function


@model("typer.Typer.__call__")
def _typer_start(call: ModelCall) -> Value | None:
    known = call.state("commands")
    if not isinstance(known, ListValue):
        return None
    words, steps = command_words(call, None)
    pairs = [pair.items for pair in known.items if isinstance(pair, ListValue)]
    chosen = [pair for pair in pairs if words and isinstance(pair[0], Const) and pair[0].value == words[0]]
    for _, function in chosen or pairs:
        if isinstance(function, FunctionValue):
            skip = 1 if chosen and len(pairs) > 1 else 0
            _call_with_flags(call, function, words[skip:], steps[skip:])
    return NONE


# Classes whose annotated fields are the options


@model("tap.Tap.parse_args")
def _tap(call: ModelCall) -> Value | None:
    if not isinstance(call.receiver, Instance):
        return None
    words, steps = command_words(call, call.get("args", 0))
    for flag in flags_of(words, steps)[0]:
        call.interpreter.set_attribute(call.receiver, flag.name, literal(flag), call.location)
    return call.receiver


@model("transformers.HfArgumentParser.parse_json_file", "transformers.HfArgumentParser.parse_yaml_file")
def _from_settings_file(call: ModelCall) -> Value | None:
    """The same objects of what stands in a file of settings."""
    kind: Dialect = "json" if call.callee.endswith("json_file") else "yaml"
    source = call.get(f"{kind}_file", 0)
    held = None if source is None else load_source(call, source, kind, from_path=True)
    return _of_settings(call, held) if isinstance(held, DictValue) else None


@model("transformers.HfArgumentParser.parse_dict")
def _from_dictionary(call: ModelCall) -> Value | None:
    held = call.get("args", 0)
    return _of_settings(call, held) if isinstance(held, DictValue) else None


def _of_settings(call: ModelCall, settings: DictValue) -> Value | None:
    """One object per dataclass, each made with the settings that are its fields."""
    from cmgan_audit.program.language.attributes import present

    made = []
    for cls in _dataclasses(call):
        own = {str(name): present(value) for name, value in settings.items.items() if _is_field(cls, str(name))}
        made.append(call.interpreter.call(cls, Arguments(keywords=own), call.location))
    return listing(made, "tuple")


def _dataclasses(call: ModelCall) -> list[Value]:
    given = call.receiver.arguments.get("dataclass_types", 0) if isinstance(call.receiver, Instance) else None
    return list(given.items) if isinstance(given, ListValue) else [given] if given is not None else []


@model("transformers.HfArgumentParser.parse_args_into_dataclasses", "trl.TrlParser.parse_args_and_config")
def _into_dataclasses(call: ModelCall) -> Value | None:
    """One object per dataclass; each takes the flags that are its fields, a library's class takes the rest."""
    if not isinstance(call.receiver, Instance):
        return None
    words, steps = command_words(call, call.get("args", 0))
    flags = {flag.name: literal(flag) for flag in flags_of(words, steps)[0]}
    made: list[Value] = []
    taken: set[str] = set()
    for cls in _dataclasses(call):
        own = {name: value for name, value in flags.items() if _is_field(cls, name)}
        taken |= set(own)
        if isinstance(cls, External):
            own = {name: value for name, value in flags.items() if name not in taken}
        made.append(call.interpreter.call(cls, Arguments(keywords=own), call.location))
    return listing(made, "tuple")


@model("argparse_dataclass.ArgumentParser.parse_args", "argparse_dataclass.parse_args", "tyro.cli")
def _into_one(call: ModelCall) -> Value | None:
    """An object of one dataclass, also of what it holds (`--data.batch-size 4`); tyro calls functions too."""
    from_parser = isinstance(call.receiver, Instance)
    given = call.receiver.arguments if isinstance(call.receiver, Instance) else call.arguments
    target = given.get("options_class" if call.callee.startswith("argparse") else "f", 0)
    words, steps = command_words(call, call.get("args", 0 if from_parser else 1))
    if isinstance(target, FunctionValue):
        return _call_with_flags(call, target, words, steps)
    if not isinstance(target, ClassValue):
        return None
    flags = {flag.name: literal(flag) for flag in flags_of(words, steps)[0]}
    own = {name: value for name, value in flags.items() if _is_field(target, name)}
    made = call.interpreter.call(target, Arguments(keywords=own), call.location)
    for name, value in flags.items():
        owner, *parts = name.split(".")
        if parts and _is_field(target, owner):
            held = call.interpreter.attribute(made, owner, call.location)
            for part in parts[:-1]:
                held = call.interpreter.attribute(held, part, call.location)
            call.interpreter.set_attribute(held, parts[-1], value, call.location)
    return made


def _is_field(cls: Value, name: str) -> bool:
    from cmgan_audit.program.language.classes import field_names

    return isinstance(cls, ClassValue) and name in field_names(cls)


# optparse, argparse's predecessor: the same options, types by name, and a pair as the result


@model("optparse.OptionParser")
def _option_parser(call: ModelCall) -> Value | None:
    made = find(PARSER)
    return made(dataclasses.replace(call, arguments=Arguments())) if made is not None else None


@model("optparse.OptionParser.add_option", "optparse.OptionGroup.add_option")
def _add_option(call: ModelCall) -> Value | None:
    kind = call.constant("type")
    keywords = dict(call.arguments.keywords)
    if isinstance(kind, str):
        keywords["type"] = External(name=f"builtins.{'str' if kind in {'string', 'choice'} else kind}")
    add = find(f"{PARSER}.add_argument")
    arguments = dataclasses.replace(call.arguments, keywords=keywords)
    return add(dataclasses.replace(call, arguments=arguments)) if add is not None else None


@model("optparse.OptionParser.parse_args")
def _option_parse(call: ModelCall) -> Value | None:
    parse = find(f"{PARSER}.parse_known_args")
    return parse(call) if parse is not None else None
