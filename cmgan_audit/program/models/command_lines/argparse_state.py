"""What an `argparse` parser has been told so far, and what its own rules make of a command line.

The state is an immutable value that lives in the parser object under "@parser": a branch that adds an option on one
path only makes it a choice of states. The command line is split by Python's own `argparse`, so that abbreviations,
`--a=b`, nargs and sub-commands mean what they mean there; types and defaults are ours, since they are abstract values.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import field
from functools import partial
from typing import Any, NoReturn

from cmgan_audit.finding import Location
from cmgan_audit.lazy_dataclasses import dataclass
from cmgan_audit.program.domain.values import Const, External, Instance, Value

# An unknown part of a command line ("$DATA") carries this mark, so that what is split off from it stays unknown.
UNKNOWN_MARK = "\0"

# The action of an option that takes a file with values of the others (jsonargparse, configargparse).
CONFIG_FILE = "config_file"

_SUPPRESS = argparse.SUPPRESS
_FLAG_ACTIONS = {"store_true": True, "store_false": False}


@dataclass(frozen=True, slots=True, kw_only=True)
class OptionSpec(Value):
    """One `add_argument`. `flags` is empty for a positional argument; `default` None when none was given.

    `nargs` is as in argparse; `choices` are the words that it takes, none where any may be given; `off` are flags that
    switch a boolean off; `extra` says why more may be set than is known here ("**kwargs of unknown content").
    """

    dest: str
    flags: tuple[str, ...]
    action: str
    place: Location
    default: Value | None = None
    type: Value | None = None
    const: Value | None = None
    nargs: int | str | None = None
    choices: tuple[str, ...] = ()
    required: bool = False
    extra: str = ""
    group: str = "options"
    off: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """How people write the option: the first long flag, else the first flag, else the name."""
        long = [flag for flag in self.flags if flag.startswith("--")]
        return long[0] if long else self.flags[0] if self.flags else self.dest

    @property
    def suppressed(self) -> bool:
        """Whether the attribute is missing when the option is not given."""
        default = self.default
        if isinstance(default, External):
            return default.name == "argparse.SUPPRESS"
        return isinstance(default, Const) and default.value == _SUPPRESS


@dataclass(frozen=True, slots=True, kw_only=True)
class ParserState(Value):
    """Options in order, what `set_defaults` set, and the sub-commands.

    `open_reason` says why there may be more options than these ("Trainer.add_argparse_args adds its own").
    """

    options: tuple[OptionSpec, ...] = ()
    defaults: dict[str, Value] = field(default_factory=dict)
    commands: tuple[tuple[str, Instance], ...] = ()
    command_dest: str = ""
    open_reason: str = ""
    unsure_defaults: str = ""
    prefix_chars: str = "-"
    abbreviate: bool = True
    groups: tuple[str, ...] = ("positional arguments", "options")


@dataclass(frozen=True, slots=True)
class Given:
    """What a command line gives for one option: raw texts (a list for several), and the flag as it is spelt there."""

    raw: Any
    flag: str


@dataclass(slots=True)
class Splitting:
    """A command line split by a parser's options: what was given, the sub-command, the rest, or why it fails."""

    given: dict[str, Given]
    command: str = ""
    command_words: Sequence[str] = ()
    rest: Sequence[str] = ()
    error: str = ""


class _RejectedError(Exception):
    """The audited program would stop with a usage error here."""


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise _RejectedError(message)

    def exit(self, status: int = 0, message: str | None = None) -> NoReturn:
        raise _RejectedError(message or "")


# No help is ever shown, but every option asks for its formatter; without a width that loads `shutil` and what it needs
# for archives, to ask the terminal.
_Formatter = partial(argparse.HelpFormatter, width=80)


class _Record(argparse.Action):
    """Remembers the raw words instead of converting them."""

    def __call__(self, parser: Any, namespace: Any, values: Any, option_string: str | None = None) -> None:
        spec: OptionSpec = self.metavar[0]  # type: ignore[assignment, index]
        before = getattr(namespace, self.dest, None)
        raw = values
        if spec.action in {"append", "extend", "collect"}:
            added = list(values) if spec.action == "extend" and isinstance(values, list) else [values]
            raw = [*(before.raw if before else []), *added]
        elif spec.action in {"count", "append_const"}:
            raw = (before.raw if before else 0) + 1
        setattr(namespace, self.dest, Given(raw, option_string or ""))


def split(state: ParserState, words: Sequence[str]) -> Splitting:
    """Split a command line as the program's parser would; types are not applied."""
    parser = _Parser(
        add_help=False,
        prefix_chars=state.prefix_chars or "-",
        allow_abbrev=state.abbreviate,
        argument_default=_SUPPRESS,
        formatter_class=_Formatter,
    )
    for number, spec in enumerate(state.options):
        _add(parser, number, spec)
    command_number = len(state.options)
    if state.commands:
        parser.add_argument(f"x{command_number}", nargs=argparse.REMAINDER, action=_Rest)
    try:
        namespace, rest = parser.parse_known_args(list(words))
    except (_RejectedError, argparse.ArgumentError, TypeError, ValueError, IndexError) as error:
        return Splitting({}, error=str(error) or "the command line is rejected")
    given = {spec.dest: found for n, spec in enumerate(state.options) if (found := getattr(namespace, f"x{n}", None))}
    command = list(getattr(namespace, f"x{command_number}", None) or ())
    return Splitting(given, command[0] if command else "", command[1:], rest)


class _Rest(argparse.Action):
    def __call__(self, parser: Any, namespace: Any, values: Any, option_string: str | None = None) -> None:
        setattr(namespace, self.dest, list(values))


def _add(parser: argparse.ArgumentParser, number: int, spec: OptionSpec) -> None:
    """Register an option for splitting only. Positional arguments are never required: others may launch without."""
    nargs: int | str | None = spec.nargs
    if spec.action in {
        "store_true",
        "store_false",
        "store_const",
        "append_const",
        "count",
        "help",
        "version",
        "boolean_optional",
    }:
        nargs = 0
    if not spec.flags and nargs in {None, "+"}:
        nargs = {None: "?", "+": "*"}[nargs]
    flags = (*spec.flags, *spec.off)
    names = flags or (f"x{number}",)
    options: dict[str, Any] = {"action": _Positional if not flags else _Record, "nargs": nargs, "metavar": (spec,)}
    if flags:
        options["dest"] = f"x{number}"
    try:
        action = parser.add_argument(*names, **{**options, "metavar": None})
    except (argparse.ArgumentError, ValueError, TypeError):
        return  # a flag that stands twice: the program itself stops here, or resolves the conflict its own way
    action.metavar = (spec,)  # type: ignore[assignment]


class _Positional(_Record):
    """Positional arguments that may be missing are reported only when a word was there."""

    def __call__(self, parser: Any, namespace: Any, values: Any, option_string: str | None = None) -> None:
        if values not in (None, [], _SUPPRESS):
            super().__call__(parser, namespace, values, option_string)


def flag_value(spec: OptionSpec, flag: str) -> bool | None:
    """What a flag without a value stores; None for actions that take their value from elsewhere."""
    return flag not in spec.off if spec.action == "boolean_optional" else _FLAG_ACTIONS.get(spec.action)
