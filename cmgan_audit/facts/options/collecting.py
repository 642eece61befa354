"""The options of the parsers that a run parses with, and what the command line of that run makes of them."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from cmgan_audit.facts.options.converters import BOOL, OFF, REFUSED, TEXT, Converter, misleading
from cmgan_audit.facts.options.parsing import Parsed, parsed_in
from cmgan_audit.facts.options.reads import Reads
from cmgan_audit.facts.options.records import CommandOption
from cmgan_audit.facts.options.switches import Switches
from cmgan_audit.facts.values import constant
from cmgan_audit.facts.view import View
from cmgan_audit.finding import Location, Step
from cmgan_audit.program.domain.values import Const, External, FunctionValue, ListValue, Value
from cmgan_audit.program.execution.trace import CallEvent
from cmgan_audit.program.models.command_lines.argparse_state import UNKNOWN_MARK, Given, OptionSpec, split
from cmgan_audit.rules.record import Known
from cmgan_audit.source.syntax import arguments_named

_STORES = ("store", "append", "extend")


def options_of_run(view: View) -> Iterator[CommandOption]:
    """The options that mean truth values or several values, of every parser that the run parses with."""
    if not view.scene.is_reached:
        return
    switches = Switches(view, Reads(view))
    done: set[tuple[Location, str]] = set()
    for parsed in parsed_in(view):
        given = split(parsed.state, parsed.words).given
        for spec in parsed.state.options:
            if (spec.place, spec.name) not in done and spec.action in (*_STORES, "boolean_optional"):
                done.add((spec.place, spec.name))
                yield from _record(view, switches, parsed, spec, given.get(spec.dest))


def _record(
    view: View, switches: Switches, parsed: Parsed, spec: OptionSpec, given: Given | None
) -> Iterator[CommandOption]:
    converter = None if spec.action == "boolean_optional" else misleading(view.scene.run, spec.type, parsed.parser)
    word = _step_of(given, parsed, f"the command line passes {spec.name}") if given is not None else None
    switch = switches.of(spec, word) if converter is None else None
    if switch is not None:
        converter = switch[0]
    if converter is None and not _means_several(spec):
        return
    places = switches.reads.of(spec.dest)
    call = view.code.call_at(spec.place)
    pieces = converter is not None and converter.kind not in (BOOL, TEXT)
    if not places or (pieces and all(read.joined for read in places)):
        return  # nobody reads it, or who reads it puts the characters together again
    if converter is not None and switch is None and _is_loud(converter, call):
        converter = Converter(REFUSED, converter.name)
    declared = Step(_place_of_type(view, spec, call), f"{spec.name} is read with {_shown(spec, converter)}")
    used = switch[1] if switch is not None else Step(places[0].location, f"{spec.name} is used here")
    parse = Step(parsed.call, "the command line is parsed here")
    text, way = _lost(spec, converter, given, parsed) if converter is not None else (None, ())
    if parsed.is_wordless and given is None and text is None:
        return  # no command line can give it
    sample = text if text is not None else "0.1" if pieces else "False"
    yield CommandOption(
        location=spec.place,
        anchor=spec.name,
        name=spec.name,
        converter=_shown(spec, converter),
        kind=converter.kind if converter is not None else "",
        misread=Known(converter is not None, (declared, parse, used)),
        lost=Known(text is not None, way),
        text=text or "",
        outcome=converter.outcome(sample) if converter is not None else "",
        default_on=_is_on(spec.default),
        bare=spec.nargs == "?" and spec.const is not None,
    )


def _is_on(default: Value | None) -> bool:
    """Whether a default means "on"; the text "False" means "off", whatever it comes to."""
    value = constant(default)
    return bool(value) and not (isinstance(value, str) and value.lower() in OFF)


def _means_several(spec: OptionSpec) -> bool:
    """Whether an option with a converter of its own means a truth value or several values, by its default."""
    if isinstance(spec.default, Const) and isinstance(spec.default.value, bool):
        return isinstance(spec.type, FunctionValue) or spec.action == "boolean_optional"
    return isinstance(spec.default, ListValue) and (isinstance(spec.type, FunctionValue) or spec.nargs is not None)


def _is_loud(converter: Converter, call: ast.Call | None) -> bool:
    """Whether `choices` refuse whatever the converter gives: argparse compares them with the converted value."""
    choices = next(iter(arguments_named(call, "choices")), None) if call is not None else None
    if choices is None:
        return False
    if converter.kind != BOOL or not isinstance(choices, ast.List | ast.Tuple | ast.Set):
        return converter.kind != BOOL
    return not any(isinstance(each, ast.Constant) and each.value in (True, 1) for each in choices.elts)


def _place_of_type(view: View, spec: OptionSpec, call: ast.Call | None) -> Location:
    """Where the type is written: in the call that adds the option, else in the call of the helper that does."""
    module = view.code.module(spec.place.path)
    if call is None or module is None:
        return spec.place
    if len(call.args) and isinstance(call.args[0], ast.Constant):
        written = next(iter(arguments_named(call, "type")), None)
        return module.location(written) if written is not None else spec.place
    for event in view.scene.calls:
        if event.location == spec.place and event.context.frames and _adds(event, spec):
            return event.context.frames[-1].call
    return spec.place


def _adds(event: CallEvent, spec: OptionSpec) -> bool:
    names = {value.value for value in event.arguments.positional if isinstance(value, Const)}
    return bool(names & {*spec.flags, spec.dest})


def _shown(spec: OptionSpec, converter: Converter | None) -> str:
    if converter is not None:
        return converter.name if converter.kind == TEXT else f"type={converter.name}"
    if spec.action == "boolean_optional":
        return "BooleanOptionalAction"
    if isinstance(spec.type, FunctionValue):
        name = spec.type.qualname.rpartition(".")[2]
        return f"type={name if name.isidentifier() else 'lambda'}"
    kind = f" and type={spec.type.name.rpartition('.')[2]}" if isinstance(spec.type, External) else ""
    return f"nargs={spec.nargs!r}{kind}"


def _lost(
    spec: OptionSpec, converter: Converter, given: Given | None, parsed: Parsed
) -> tuple[str | None, tuple[Step, ...]]:
    """The text that comes out as something else in this run: of the command line, else of the default."""
    if given is not None:
        for text in _texts(given.raw):
            if UNKNOWN_MARK not in text and converter.changes(text):
                return text, (_step_of(given, parsed, f"the command line passes {spec.name} {text}"),)
        return None, ()
    default = spec.default
    if isinstance(default, Const) and isinstance(default.value, str) and default.value:
        if converter.changes(default.value):
            end = "stays one" if converter.kind == TEXT else "is converted like one"
            note = f"the default of {spec.name} is a text, and {end}: {default.value!r}"
            return default.value, (Step(spec.place, note),)
    return None, ()


def _texts(raw: object) -> list[str]:
    if isinstance(raw, list):
        return [text for part in raw for text in _texts(part)]
    return [] if raw is None else [str(raw)]


def _step_of(given: Given, parsed: Parsed, note: str) -> Step:
    """The word of the command line that gives the option."""
    for step, word in zip(reversed(parsed.steps), reversed(parsed.words), strict=False):
        name = word.split("=", 1)[0]
        if name == given.flag or (name and not given.flag and word in _texts(given.raw)):
            return Step(step.location, note)
    return Step(parsed.call, note)
