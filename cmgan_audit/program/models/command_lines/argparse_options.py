"""argparse, what a parser is told: options, groups, parents, sub-commands, set_defaults."""

from __future__ import annotations

import argparse
import dataclasses
from collections.abc import Callable

from cmgan_audit.finding import Step
from cmgan_audit.program.domain.joins import filled
from cmgan_audit.program.domain.values import (
    NONE,
    Absent,
    Arguments,
    Choice,
    Const,
    External,
    Instance,
    ListValue,
    Option,
    Value,
    may_be_absent,
    options_of,
)
from cmgan_audit.program.models.command_lines.argparse_state import CONFIG_FILE, OptionSpec, ParserState
from cmgan_audit.program.models.registry import AttributeRead, ModelCall, attribute, derives, listing, model

PARSER = "argparse.ArgumentParser"
_GROUP = "argparse._ArgumentGroup"
# Numbers of words that have a name.
_NAMED = {
    "argparse.OPTIONAL": argparse.OPTIONAL,
    "argparse.ZERO_OR_MORE": argparse.ZERO_OR_MORE,
    "argparse.ONE_OR_MORE": argparse.ONE_OR_MORE,
    "argparse.REMAINDER": argparse.REMAINDER,
}
# The options that Lightning's trainer adds stand in a group of their own.
_TRAINERS_GROUP = "pl.Trainer"
_TRAINERS_OWN = "Trainer.add_argparse_args adds the trainer's own options"
for _name in ("configargparse.ArgumentParser", "jsonargparse.ArgumentParser"):
    derives(_name, PARSER)
derives("configargparse.ArgParser", "configargparse.ArgumentParser")
derives("yamlargparse.ArgumentParser", PARSER)  # as jsonargparse was called before
derives("argparse._MutuallyExclusiveGroup", _GROUP)


# What a parser is told


# A parser has its options under further names there.
_OF_CONFIGARGPARSE = "configargparse.ArgumentParser"


@model(PARSER)
def _parser(call: ModelCall) -> Value:
    return call.instance(call.callee, parser=_fresh(call.arguments))


@model(*(f"configargparse.{name}" for name in ("get_argument_parser", "get_arg_parser", "get_parser")))
def _parser_of_name(call: ModelCall) -> Value:
    return call.instance(_OF_CONFIGARGPARSE, parser=_fresh(Arguments()))


def _fresh(arguments: Arguments) -> ParserState:
    """The state of a new parser: the options and defaults of its parents."""
    options: list[OptionSpec] = []
    defaults: dict[str, Value] = {}
    parents = arguments.get("parents", 4)
    for parent in parents.items if isinstance(parents, ListValue) else ():
        if isinstance(parent, Instance):
            for option in options_of(state_of(parent)):
                if isinstance(option.value, ParserState):
                    options += option.value.options
                    defaults.update(option.value.defaults)
    prefix, abbreviate = arguments.get("prefix_chars", 6), arguments.get("allow_abbrev", 11)
    return ParserState(
        options=tuple(options),
        defaults=defaults,
        prefix_chars=prefix.value if isinstance(prefix, Const) and isinstance(prefix.value, str) else "-",
        abbreviate=not (isinstance(abbreviate, Const) and abbreviate.value is False),
        open_reason="" if parents is None or isinstance(parents, ListValue) else "its parents are not known",
    )


def state_of(parser: Instance) -> Value:
    """A parser's state; a class of the tree that derives from ArgumentParser gets it on first use."""
    state = parser.attrs.get("@parser")
    if state is not None:
        return state
    given = parser.attrs.get(f"@base:{PARSER}")
    return _fresh(given if isinstance(given, Arguments) else Arguments())


def owner_of(value: Value | None) -> Instance | None:
    """The parser behind a parser or a group of one."""
    while isinstance(value, Instance) and isinstance(value.attrs.get("@owner"), Instance):
        value = value.attrs["@owner"]
    return value if isinstance(value, Instance) else None


def change(call: ModelCall, parser: Instance, alter: Callable[[ParserState], ParserState]) -> None:
    """Write a parser's new state, on each of the states that paths have left."""
    state = state_of(parser)
    if isinstance(state, Choice):
        options = tuple(
            Option(alter(o.value), o.condition, o.facts) if isinstance(o.value, ParserState) else o
            for o in state.options
        )
        new: Value = dataclasses.replace(state, options=options)
    elif isinstance(state, ParserState):
        new = alter(state)
    else:
        return  # too many paths led here: what the parser was told is not known
    call.interpreter.journal.set(parser.attrs, "@parser", new)


@model(
    f"{PARSER}.add_argument",
    f"{_GROUP}.add_argument",
    *(f"{owner}.{name}" for owner in (_OF_CONFIGARGPARSE, _GROUP) for name in ("add", "add_arg")),
)
def _add_argument(call: ModelCall) -> Value | None:
    parser = owner_of(call.receiver)
    if parser is None:
        return None
    spec = _spec(call)
    if spec is None:
        change(call, parser, lambda state: dataclasses.replace(state, open_reason="an option of unknown name is added"))
        return NONE

    spec = dataclasses.replace(spec, group=_group_of(call.receiver, spec))

    def add(state: ParserState) -> ParserState:
        made = spec
        if made.default is None and made.dest in state.defaults:
            made = dataclasses.replace(made, default=state.defaults[made.dest])
        return dataclasses.replace(state, options=(*_without(state.options, made), made))

    change(call, parser, add)
    return call.instance("argparse.Action")


def _without(options: tuple[OptionSpec, ...], new: OptionSpec) -> tuple[OptionSpec, ...]:
    """The options without those whose flags are all taken over (conflict_handler="resolve")."""
    if not new.flags:
        return tuple(o for o in options if o.flags or o.dest != new.dest)
    kept = []
    for option in options:
        flags = tuple(flag for flag in option.flags if flag not in new.flags)
        if flags or not option.flags:
            kept.append(dataclasses.replace(option, flags=flags) if flags != option.flags else option)
    return tuple(kept)


def _spec(call: ModelCall) -> OptionSpec | None:
    """What `add_argument(...)` says; None when the option's name is not known."""
    names: list[str] = []
    for value in call.arguments.positional:
        if not isinstance(value, Const) or not isinstance(value.value, str):
            return None
        names.append(value.value)
    dest = call.text("dest")
    flags = tuple(name for name in names if name.startswith("-"))
    if dest is None:
        if not names:
            return None
        long = [flag for flag in flags if flag.startswith("--")]
        dest = (long or names)[0]
        dest = dest.lstrip("-").replace("-", "_") if flags else dest
    of_a_file = any(call.constant(name) is True for name in ("is_config_file", "is_config_file_arg"))
    action = CONFIG_FILE if of_a_file else _action(call.get("action"))
    return OptionSpec(
        dest=dest,
        flags=flags,
        action=action,
        off=tuple(f"--no-{flag[2:]}" for flag in flags if flag.startswith("--"))
        if action == "boolean_optional"
        else (),
        place=call.location,
        default=_default(call, flags, dest),
        type=call.get("type"),
        const=call.get("const"),
        nargs=_how_many(call.get("nargs")),
        choices=_choices(call.get("choices")),
        required=call.constant("required") is True,
        extra=call.arguments.open_kwargs,
    )


def _how_many(value: Value | None) -> int | str | None:
    """How many words an option takes: a number, or a sign that may be given by its name (`argparse.REMAINDER`)."""
    if isinstance(value, External):
        return _NAMED.get(value.name)
    return value.value if isinstance(value, Const) and isinstance(value.value, int | str) else None


def _choices(value: Value | None) -> tuple[str, ...]:
    """The words that an option takes; none where they are not all known."""
    items = value.items if isinstance(value, ListValue) and value.complete else []
    known = tuple(str(item.value) for item in items if isinstance(item, Const))
    return known if len(known) == len(items) else ()


def _action(value: Value | None) -> str:
    if value is None:
        return "store"
    if isinstance(value, Const) and isinstance(value.value, str):
        return value.value
    if isinstance(value, External) and value.name == "argparse.BooleanOptionalAction":
        return "boolean_optional"
    if isinstance(value, External) and value.name.endswith("argparse.ActionConfigFile"):
        return CONFIG_FILE
    return "custom"


def _default(call: ModelCall, flags: tuple[str, ...], dest: str) -> Value | None:
    """The option's own default with the first step of its way."""
    value = call.get("default")
    if value is None:
        return None
    name = next((flag for flag in flags if flag.startswith("--")), flags[0] if flags else dest)
    return said(value, call, name)


def said(value: Value, call: ModelCall, name: str) -> Value:
    """The value after the step "--x defaults to 4"; for a literal the step stands at the literal itself."""
    if isinstance(value, Choice):
        return dataclasses.replace(
            value, options=tuple(dataclasses.replace(o, value=said(o.value, call, name)) for o in value.options)
        )
    text = repr(value.value) if isinstance(value, Const) else ""
    note = f"{name} defaults to {text}" if text else f"the default of {name}"
    literal = len(value.trail) == 1 and value.trail[0].note.startswith("default=")
    if literal and value.trail[0].location.path == call.location.path:
        return dataclasses.replace(value, trail=(Step(value.trail[0].location, note),))
    return value.via(call.location, note)


@model(f"{PARSER}.set_defaults", f"{_GROUP}.set_defaults")
def _set_defaults(call: ModelCall) -> Value | None:
    parser = owner_of(call.receiver)
    if parser is None:
        return None
    new = {
        name: value.via(call.location, f"set_defaults({name}=...)") for name, value in call.arguments.keywords.items()
    }

    def alter(state: ParserState) -> ParserState:
        options = tuple(
            dataclasses.replace(option, default=_or_before(new[option.dest], option.default))
            if option.dest in new
            else option
            for option in state.options
        )
        defaults = {**state.defaults}
        for name, value in new.items():
            defaults[name] = _or_before(value, defaults.get(name))
        unsure = call.arguments.open_kwargs or state.unsure_defaults
        return dataclasses.replace(state, options=options, defaults=defaults, unsure_defaults=unsure)

    change(call, parser, alter)
    return NONE


def _or_before(value: Value, before: Value | None) -> Value:
    """A default that is only set on some paths leaves the one before it on the others."""
    if isinstance(value, Absent):
        return before or NONE
    return filled(value, before or NONE) if isinstance(value, Choice) and may_be_absent(value) else value


@model(f"{PARSER}.get_default")
def _get_default(call: ModelCall) -> Value | None:
    parser, name = owner_of(call.receiver), call.text("dest", 0)
    state = state_of(parser) if parser is not None else None
    if not isinstance(state, ParserState) or name is None:
        return None
    for option in state.options:
        if option.dest == name:
            return option.default or NONE
    return state.defaults.get(name, NONE)


@model(
    f"{PARSER}.add_argument_group",
    f"{PARSER}.add_mutually_exclusive_group",
    f"{_GROUP}.add_argument_group",
    f"{_GROUP}.add_mutually_exclusive_group",
)
def _group(call: ModelCall) -> Value | None:
    parser = owner_of(call.receiver)
    if parser is None:
        return None
    title = call.text("title", 0) or ""
    if title:
        change(call, parser, lambda state: dataclasses.replace(state, groups=(*state.groups, title)))
    made = call.instance(_GROUP, owner=parser)
    made.attrs["title"] = Const(value=title or None)
    return made


def _group_of(receiver: Value | None, spec: OptionSpec) -> str:
    title = receiver.attrs.get("title") if isinstance(receiver, Instance) else None
    if isinstance(title, Const) and isinstance(title.value, str):
        return title.value
    return "options" if spec.flags else "positional arguments"


# What programs look up in a parser: its groups and actions


@attribute(f"{PARSER}._action_groups")
def _action_groups(read: AttributeRead) -> Value | None:
    state = state_of(read.receiver) if isinstance(read.receiver, Instance) else None
    if not isinstance(state, ParserState):
        return None
    groups: list[Value] = []
    for title in dict.fromkeys(state.groups):
        made = Instance(cls=External(name=_GROUP), arguments=Arguments(), location=read.location)
        made.attrs.update({"title": Const(value=title), "@owner": read.receiver})
        groups.append(made)
    return listing(groups)


@attribute(f"{_GROUP}._group_actions", f"{PARSER}._actions", f"{_GROUP}._actions")
def _actions(read: AttributeRead) -> Value | None:
    parser = owner_of(read.receiver)
    state = state_of(parser) if parser is not None else None
    if not isinstance(state, ParserState) or not isinstance(read.receiver, Instance):
        return None
    title = read.receiver.attrs.get("title") if read.name == "_group_actions" else None
    actions: list[Value] = []
    for option in state.options:
        if not isinstance(title, Const) or title.value == option.group:
            made = Instance(cls=External(name="argparse.Action"), arguments=Arguments(), location=option.place)
            made.attrs.update(
                {
                    "dest": Const(value=option.dest),
                    "default": option.default or NONE,
                    "option_strings": listing([Const(value=flag) for flag in option.flags]),
                    "required": Const(value=option.required),
                    "help": NONE,
                }
            )
            actions.append(made)
    other_group = isinstance(title, Const) and title.value != _TRAINERS_GROUP and state.open_reason == _TRAINERS_OWN
    return listing(actions, complete=other_group or not state.open_reason)


@model(f"{PARSER}.add_subparsers")
def _subparsers(call: ModelCall) -> Value | None:
    parser = owner_of(call.receiver)
    if parser is None:
        return None
    dest = call.text("dest") or ""
    change(call, parser, lambda state: dataclasses.replace(state, command_dest=dest))
    return call.instance("argparse._SubParsersAction", owner=parser)


@model("argparse._SubParsersAction.add_parser")
def _add_parser(call: ModelCall) -> Value | None:
    parser, name = owner_of(call.receiver), call.text("name", 0)
    if parser is None or name is None:
        return None
    rest = dataclasses.replace(call.arguments, positional=call.arguments.positional[1:])
    made = call.instance(PARSER, parser=_fresh(rest))
    change(call, parser, lambda state: dataclasses.replace(state, commands=(*state.commands, (name, made))))
    return made


@model("lightning.pytorch.Trainer.add_argparse_args")
def _trainer_arguments(call: ModelCall) -> Value | None:
    parser = call.get("parent_parser", 0)
    if not isinstance(parser, Instance):
        return None
    change(
        call,
        parser,
        lambda state: dataclasses.replace(
            state, open_reason=state.open_reason or _TRAINERS_OWN, groups=(*state.groups, _TRAINERS_GROUP)
        ),
    )
    return parser
