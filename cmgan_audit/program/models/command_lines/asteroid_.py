"""Asteroid's command lines: a dictionary of sections becomes options, and what is parsed comes back in sections.

Recipes read `conf.yml`, hand it to `prepare_parser_from_dict` and get it back, changed by the command line, from
`parse_args_as_dict`.
"""

from __future__ import annotations

import dataclasses

from cmgan_audit.program.domain.values import (
    Arguments,
    Const,
    DictValue,
    External,
    Key,
    Unknown,
    Value,
    options_of,
)
from cmgan_audit.program.models.command_lines.argparse_options import PARSER, change, owner_of, said, state_of
from cmgan_audit.program.models.command_lines.argparse_parsing import parsed
from cmgan_audit.program.models.command_lines.argparse_state import OptionSpec, ParserState
from cmgan_audit.program.models.lifting import as_dict
from cmgan_audit.program.models.registry import ModelCall, derives, listing, model

_UTILS = "asteroid.utils.parser_utils"
_TRUE, _FALSE = ("yes", "true", "y", "1"), ("no", "false", "n", "0")
for _name in ("prepare_parser_from_dict", "parse_args_as_dict", "str2bool_arg", "str_int_float"):
    derives(f"asteroid.utils.{_name}", f"{_UTILS}.{_name}")


@model(f"{_UTILS}.prepare_parser_from_dict")
def _prepare(call: ModelCall) -> Value | None:
    given = call.get("dic", 0)
    sections = as_dict(given) if given is not None else None
    parser = owner_of(call.get("parser", 1))
    if parser is None:
        parser = call.instance(PARSER, parser=ParserState())
    reason = "" if sections is not None and sections.complete else "the settings that become its options are not known"
    added: list[OptionSpec] = []
    titles: list[str] = []
    for title, section in (sections.items if sections is not None else {}).items():
        held = as_dict(section)
        if held is None or not isinstance(title, str):
            reason = f"the section {title!r} is not known"
            continue
        titles.append(title)
        added += [_option(call, title, key, value) for key, value in held.items.items() if isinstance(key, str)]

    def add(state: ParserState) -> ParserState:
        return dataclasses.replace(
            state,
            options=(*state.options, *added),
            groups=(*state.groups, *titles),
            open_reason=state.open_reason or reason,
        )

    change(call, parser, add)
    return parser


def _option(call: ModelCall, title: str, key: str, value: Value) -> OptionSpec:
    return OptionSpec(
        dest=key.replace("-", "_"),
        flags=(f"--{key}",),
        action="store",
        place=call.location,
        default=said(value, call, f"--{key}"),
        type=_type(value),
        group=title,
    )


def _type(value: Value) -> Value | None:
    """The type of an option by its default, as asteroid chooses it."""
    if not isinstance(value, Const):
        return None
    if value.value is None:
        return External(name=f"{_UTILS}.str_int_float")
    words = (*_TRUE, *_FALSE)
    if isinstance(value.value, bool) or (isinstance(value.value, str) and value.value.lower() in words):
        return External(name=f"{_UTILS}.str2bool_arg")
    return External(name=f"builtins.{type(value.value).__name__}")


@model(f"{_UTILS}.str2bool_arg")
def _truth(call: ModelCall) -> Value | None:
    text = call.text("value", 0)
    if text is None or text.lower() not in (*_TRUE, *_FALSE):
        return None
    return Const(value=text.lower() in _TRUE)


@model(f"{_UTILS}.str_int_float")
def _number(call: ModelCall) -> Value | None:
    text = call.text("value", 0)
    if text is None:
        return None
    for kind in (int, float):
        try:
            return Const(value=kind(text))
        except ValueError:
            continue
    return Const(value=text)


@model(f"{_UTILS}.parse_args_as_dict")
def _parse(call: ModelCall) -> Value | None:
    parser = owner_of(call.get("parser", 0))
    if parser is None:
        return None
    words = call.get("args", 2)
    asked = dataclasses.replace(
        call, receiver=parser, arguments=Arguments(positional=() if words is None else (words,))
    )
    namespace, _ = parsed(asked)
    if not isinstance(namespace, DictValue):
        return Unknown(reason="what the command line gives is not known")
    sections: dict[Key, Value] = {}
    for state in (option.value for option in options_of(state_of(parser))):
        if isinstance(state, ParserState):
            for spec in state.options:
                title = "main_args" if spec.group == "options" else spec.group
                section = sections.setdefault(title, DictValue(items={}, origin="the command line"))
                if isinstance(section, DictValue) and spec.dest in namespace.items:
                    section.items[spec.dest] = namespace.items[spec.dest]
    sections.setdefault("main_args", DictValue(items={}, origin="the command line"))
    made = DictValue(items=sections, complete=namespace.complete, origin="the command line")
    plain = call.constant("return_plain_args", 1) is True
    return listing([made, namespace], "tuple") if plain else made
