"""The parsers that a run parses with, each in the states that it may be in, and the words that it is given."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from cmgan_audit.facts.view import View
from cmgan_audit.finding import Location, Step
from cmgan_audit.lazy_dataclasses import dataclass
from cmgan_audit.program.domain.values import Instance, options_of
from cmgan_audit.program.execution.trace import CallEvent
from cmgan_audit.program.models.command_lines.argparse_options import state_of
from cmgan_audit.program.models.command_lines.argparse_parsing import words_of
from cmgan_audit.program.models.command_lines.argparse_state import ParserState, split
from cmgan_audit.program.naming.names import canonical
from cmgan_audit.source.syntax import arguments_named

_PARSES = ("parse_args", "parse_known_args", "parse_intermixed_args", "parse_known_intermixed_args")
# What configargparse calls them too; other objects parse other things.
_ALSO_PARSES = ("parse", "parse_known")
# jsonargparse reads the texts of `type=bool` and `type=list` as YAML: they mean what they say.
_READS_TYPES = ("jsonargparse.",)


@dataclass(frozen=True, slots=True)
class Parsed:
    """A parser in one of its states, and the words that it is given in this run.

    `is_wordless`: the program itself says that there are none, as a notebook does: `parse_args([])`.
    """

    parser: Instance
    state: ParserState
    words: list[str]
    steps: list[Step]
    call: Location
    is_wordless: bool


def parsed_in(view: View) -> Iterator[Parsed]:
    """What the parsers of a run make of its command line, sub-commands too."""
    run = view.scene.run
    for event in view.scene.calls:
        member = event.callee.rpartition(".")[2]
        also = member in _ALSO_PARSES and event.callee.startswith("configargparse.")
        if not (also or member in _PARSES) or not isinstance(event.receiver, Instance):
            continue
        parser = event.receiver
        if parser.external_name.startswith(_READS_TYPES) or _knows_bool(view, parser):
            continue
        words, steps = words_of(run.launch, event.arguments.get("args", 0), event.location)
        yield from _states(
            parser, words, steps, event.location, is_wordless=_is_wordless(view.code.call_at(event.location))
        )


def _is_wordless(call: ast.Call | None) -> bool:
    """Whether a call of `parse_args` is told that there are no words: `[]`, `""`; others may be edited."""
    if call is None:
        return False
    given = next(iter(arguments_named(call, "args")), call.args[0] if call.args else None)
    if isinstance(given, ast.List | ast.Tuple):
        return not given.elts
    return isinstance(given, ast.Constant) and given.value == ""


def _states(
    parser: Instance, words: list[str], steps: list[Step], call: Location, *, is_wordless: bool
) -> Iterator[Parsed]:
    """The states of a parser and of the parsers of its sub-commands."""
    for option in options_of(state_of(parser)):
        state = option.value
        if not isinstance(state, ParserState):
            continue
        yield Parsed(parser, state, words, steps, call, is_wordless)
        if state.commands:
            result = split(state, words)
            for name, inner in state.commands:
                own = list(result.command_words) if name == result.command else []
                yield from _states(inner, own, steps, call, is_wordless=is_wordless)


def _knows_bool(view: View, parser: Instance) -> bool:
    """Whether the program teaches a parser to read a type in its own way: `parser.register("type", bool, read)`."""
    return any(
        isinstance(event, CallEvent) and event.receiver == parser and canonical(event.callee).endswith(".register")
        for event in view.scene.calls
    )
