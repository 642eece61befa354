"""argparse, what parsing gives: a namespace whose attributes know the way from where their values were set.

A command line of a launcher beats `set_defaults`, which beats the default of the option, as in Python. Types are
applied as Python applies them, to command lines and to defaults that are texts: `type=bool` makes True of "False", and
`type=list` splits a text into characters.
"""

from __future__ import annotations

import argparse
import dataclasses
from collections.abc import Callable

from cmgan_audit.finding import Location, Step
from cmgan_audit.lazy_regex import regex
from cmgan_audit.program.domain.joins import Branch, join, join_each
from cmgan_audit.program.domain.reasons import only_at_launch, required
from cmgan_audit.program.domain.values import (
    NONE,
    Absent,
    Arguments,
    Choice,
    ClassValue,
    Const,
    DictValue,
    External,
    FunctionValue,
    Instance,
    Key,
    ListValue,
    Unknown,
    Value,
    options_of,
)
from cmgan_audit.program.execution.trace import Launch
from cmgan_audit.program.models.command_lines.argparse_options import PARSER, owner_of, state_of
from cmgan_audit.program.models.command_lines.argparse_state import (
    CONFIG_FILE,
    UNKNOWN_MARK,
    Given,
    OptionSpec,
    ParserState,
    Splitting,
    flag_value,
    split,
)
from cmgan_audit.program.models.needed_files import NeededOption, note_needed
from cmgan_audit.program.models.registry import ModelCall, listing, model
from cmgan_audit.program.models.settings.config_files import load_source

_CONVERSIONS: dict[str, Callable[[str], object]] = {
    "builtins.int": int,
    "builtins.float": float,
    "builtins.str": str,
    "builtins.bool": bool,
    "builtins.complex": complex,
}


@model(f"{PARSER}.parse_args", f"{PARSER}.parse_intermixed_args", "configargparse.ArgumentParser.parse")
def _parse_args(call: ModelCall) -> Value | None:
    return parsed(call)[0]


@model(
    f"{PARSER}.parse_known_args",
    f"{PARSER}.parse_known_intermixed_args",
    "configargparse.ArgumentParser.parse_known",
)
def _parse_known_args(call: ModelCall) -> Value | None:
    namespace, rest = parsed(call)
    if namespace is None:
        return None
    return listing([namespace, listing([word_value(text) for text in rest])], "tuple")


def parsed(call: ModelCall) -> tuple[Value | None, list[str]]:
    """The namespace that the receiver of a call makes of the command line, and the words that are left."""
    parser = owner_of(call.receiver)
    if parser is None:
        return None, []
    words, steps = command_words(call, call.get("args", 0))
    rest: list[str] = []
    sides: list[tuple[dict[str, Value], Branch]] = []
    open_reason = ""
    for option in options_of(state_of(parser)):
        if isinstance(option.value, ParserState):
            reading = Reading(call, option.value, steps)
            sides += [
                (items, Branch(" and ".join(filter(None, (option.condition, text))), option.facts))
                for items, text in reading.sides(words)
            ]
            rest = list(reading.rest)
            open_reason = open_reason or option.value.open_reason
    items = _joined(sides)
    target = call.get("namespace", 1)
    if target is not None and not (isinstance(target, Const) and target.value is None):
        for name, value in items.items():
            call.interpreter.set_attribute(target, name, value, call.location)
        return target, rest
    origin = f"the command line ({open_reason})" if open_reason else "the command line"
    held: dict[Key, Value] = {}
    held.update(items)
    complete = not open_reason
    namespace = DictValue(
        items=held, complete=complete, attribute_access=True, made_by="argparse.Namespace", origin=origin
    )
    return namespace, rest


def _joined(sides: list[tuple[dict[str, Value], Branch]]) -> dict[str, Value]:
    if len(sides) == 1:
        return sides[0][0]
    names = dict.fromkeys(name for items, _ in sides for name in items)
    return {name: join([(items.get(name, Absent()), branch) for items, branch in sides]) for name in names}


def command_words(call: ModelCall, given: Value | None) -> tuple[list[str], list[Step]]:
    """The words that are parsed, and for each where it stands: the launch's, or a list that the program gives."""
    return words_of(call.interpreter.launch, given, call.location)


def words_of(launch: Launch, given: Value | None, place: Location) -> tuple[list[str], list[Step]]:
    """Like `command_words`, of a parsing at `place` in a run with this launch."""
    if isinstance(given, ListValue) and given.complete and all(isinstance(item, Const) for item in given.items):
        words = [str(item.value) for item in given.items if isinstance(item, Const)]
        if words != list(launch.argv):
            steps = [item.trail[0] if item.trail else Step(place, f"passes {item}") for item in given.items]
            return words, [
                dataclasses.replace(step, note=f"the program passes {word}")
                for step, word in zip(steps, words, strict=True)
            ]
    return list(launch.argv), list(launch.steps) if len(launch.steps) == len(launch.argv) else []


def word_value(text: str) -> Value:
    """A word of the command line as a value."""
    if UNKNOWN_MARK in text:
        return Unknown(reason=only_at_launch(text.replace(UNKNOWN_MARK, "")))
    return Const(value=text)


# How options are called that take files of settings.
_CONFIGURATION = regex(r"^--?(?:[a-z]+[-_])?(?:conf|config|cfg|hparam|yaml)s?(?:[-_](?:files?|paths?))?$")


class Reading:
    """One parser state against one command line."""

    def __init__(self, call: ModelCall, state: ParserState, steps: list[Step]) -> None:
        self.call = call
        self.state = state
        self.steps = steps
        self.rest: list[str] = []
        self.files: list[Value] = []

    def sides(self, words: list[str]) -> list[tuple[dict[str, Value], str]]:
        """The attributes of the namespace; one side for each sub-command when none was chosen."""
        result = split(self.state, words)
        if result.error:
            self.call.interpreter.limit(self.call.location, f"the command line is rejected: {result.error}")
        self.rest = list(result.rest)
        self.files = self._files(result)
        items = dict(self.state.defaults)
        for spec in self.state.options:
            value = self._value(spec, result)
            if value is not None:
                items[spec.dest] = value
        if not self.state.commands:
            return [(items, "")]
        return self._commands(items, result)

    def _commands(self, items: dict[str, Value], result: Splitting) -> list[tuple[dict[str, Value], str]]:
        known = [(name, parser) for name, parser in self.state.commands if name == result.command]
        sides: list[tuple[dict[str, Value], str]] = []
        for name, parser in known or self.state.commands:
            for option in options_of(state_of(parser)):
                if not isinstance(option.value, ParserState):
                    continue
                inner = Reading(self.call, option.value, self.steps)
                for below, text in inner.sides(list(result.command_words) if known else []):
                    chosen = {self.state.command_dest: Const(value=name)} if self.state.command_dest else {}
                    condition = "" if known else f"the sub-command is {name}"
                    sides.append(({**items, **chosen, **below}, " and ".join(filter(None, (condition, text)))))
                self.rest += inner.rest
        return sides

    def _value(self, spec: OptionSpec, result: Splitting) -> Value | None:
        given = result.given.get(spec.dest)
        if given is not None:
            return self._from_words(spec, given)
        if spec.action in {"help", "version"} or spec.suppressed:
            return None
        value = self._from_default(spec)
        for file in self.files:
            value = self._from_file(spec, file, value)
        if self.state.unsure_defaults:
            unsure = Unknown(reason=f"set_defaults({self.state.unsure_defaults})")
            return join([(value, Branch("")), (unsure, Branch("set_defaults sets it"))])
        return value

    # Values that files give

    def _files(self, result: Splitting) -> list[Value]:
        """What the files hold that options name (`--config train.yaml`)."""
        found = []
        for spec in self.state.options:
            if spec.action != CONFIG_FILE:
                continue
            given = result.given.get(spec.dest)
            path = self._from_words(spec, given) if given is not None else self._from_default(spec)
            if isinstance(path, Const) and path.value is None:
                if any(_asks_for_a_value(each, result) for each in self.state.options):
                    note_needed(self.call, path)
                continue
            found.append(load_source(self.call, path, "yaml", from_path=True))
        return found

    def _from_file(self, spec: OptionSpec, file: Value, default: Value) -> Value:
        """What an option holds after a file was read: its value there, or what it held before."""
        if isinstance(file, Choice):
            return join_each(file, lambda one: self._from_file(spec, one, default))
        if spec.action == CONFIG_FILE:
            return default
        if not isinstance(file, DictValue):
            reason = file.reason if isinstance(file, Unknown) else "what the file holds is not known"
            return Unknown(reason=reason, trail=file.trail)
        names = (spec.dest, *(flag.lstrip("-") for flag in spec.flags))
        for name in (*names, *(name.replace("-", "_") for name in names)):
            value = _at(file, name)
            if isinstance(value, Const) and isinstance(value.value, str) and spec.type is not None:
                return self._converted(spec, value)
            if value is not None:
                return value
        return default

    # Values that were not given

    def _from_default(self, spec: OptionSpec) -> Value:
        value = spec.default
        if value is None and spec.action in {"store_true", "store_false"}:
            on = spec.action == "store_false"
            value = Const(value=on).via(spec.place, f"{spec.name} is {'on' if on else 'off'} unless it is given")
        if value is None and spec.extra:
            return Unknown(reason=spec.extra, trail=(Step(spec.place, f"{spec.name} is declared here"),))
        missing = value is None or (not spec.flags and self._leads_nowhere(value))
        if missing and (spec.required or (not spec.flags and spec.nargs not in {"?", "*", argparse.REMAINDER})):
            return NeededOption(
                flag=(spec.flags and spec.name) or "",
                choices=spec.choices,
                reason=required(f"required argument {spec.name} has no default"),
                trail=(Step(spec.place, f"{spec.name} must be given on the command line"),),
            )
        if value is None:
            value = listing([]) if not spec.flags and spec.nargs in {"*", argparse.REMAINDER} else NONE
            value = value.via(spec.place, f"{spec.name} has no default")
        if self._collects_configurations(spec, value):
            step = Step(spec.place, f"{spec.name} collects configuration files")
            return listing([NeededOption(flag=spec.name, reason=required("no configuration is given"), trail=(step,))])
        return self._overridable(spec, self._convert_default(spec, value))

    def _leads_nowhere(self, value: Value) -> bool:
        """Whether the default of a positional word, which a required one never gets, leads to nothing in the tree."""
        if not isinstance(value, Const) or not isinstance(value.value, str):
            return isinstance(value, Const) and value.value is None
        tree = self.call.interpreter.tree
        return "/" in value.value and tree.locate(value.value) is None and not tree.is_folder(value.value)

    def _collects_configurations(self, spec: OptionSpec, value: Value) -> bool:
        """Whether an option without a word would hold configuration files: the script does little without one."""
        empty = isinstance(value, ListValue) and value.complete and not value.items
        several = spec.action in {"append", "extend"} or spec.nargs in {"*", "+"}
        wanted = self.call.interpreter.must_be_configured and any(_CONFIGURATION.search(flag) for flag in spec.flags)
        return empty and several and wanted

    def _convert_default(self, spec: OptionSpec, value: Value) -> Value:
        """A default that is a text is converted like a word of the command line; others are taken as they are."""
        if isinstance(value, Choice):
            return join_each(value, lambda one: self._convert_default(spec, one))
        if isinstance(value, Const) and isinstance(value.value, str) and spec.type is not None:
            return self._converted(spec, value)
        return value

    def _overridable(self, spec: OptionSpec, value: Value) -> Value:
        if isinstance(value, Choice):
            options = tuple(dataclasses.replace(o, value=self._overridable(spec, o.value)) for o in value.options)
            return dataclasses.replace(value, options=options)
        return dataclasses.replace(value, overridable=spec.name) if isinstance(value, Const) else value

    # Values that were given

    def _from_words(self, spec: OptionSpec, given: Given) -> Value:
        step = self._step(spec, given)
        fixed = flag_value(spec, given.flag)
        if fixed is not None:
            return Const(value=fixed, trail=(step,))
        if spec.action == "store_const":
            return (spec.const or NONE).via(step.location, step.note)
        if spec.action == "count":
            return Const(value=_start(spec.default) + int(given.raw), trail=(step,))
        if spec.action == "custom":
            return Unknown(reason=f"{spec.name} is stored by an action of the program", trail=(step,))
        if spec.action == "append_const":
            items = [*_items(spec.default), *([spec.const or NONE] * int(given.raw))]
            return listing([item.via(step.location, step.note) for item in items])
        raw = given.raw
        if isinstance(raw, list):
            before = _items(spec.default) if spec.action in {"append", "extend"} else []
            return listing([*before, *(self._nested(spec, part, step, given.flag) for part in raw)])
        if spec.nargs == "?" and raw is None:
            return (spec.const or NONE).via(step.location, step.note)
        return self._nested(spec, raw, step, given.flag)

    def _nested(self, spec: OptionSpec, raw: object, step: Step, flag: str) -> Value:
        if isinstance(raw, list):
            return listing([self._nested(spec, part, step, flag) for part in raw])
        text = str(raw)
        if UNKNOWN_MARK in text:
            reason = only_at_launch(text.replace(UNKNOWN_MARK, ""))
            return NeededOption(flag=flag, choices=spec.choices, reason=reason, trail=(step,))
        value = Const(value=text, trail=(step,))
        return value if spec.type is None else self._converted(spec, value)

    def _step(self, spec: OptionSpec, given: Given) -> Step:
        """The word of the command line that gives the option."""
        for step, word in zip(reversed(self.steps), reversed(self.call.interpreter.launch.argv), strict=False):
            name = word.split("=", 1)[0]
            if name == given.flag or (name and not given.flag and word == given.raw):
                return step
            if name.startswith("--") and given.flag.startswith(name):
                return step
        place = self.call.interpreter.launch.location or self.call.location
        return Step(place, f"the command line passes {given.flag or spec.dest}")

    def _converted(self, spec: OptionSpec, value: Const) -> Value:
        """The text after the option's type, as Python applies it."""
        kind = spec.type
        text = str(value.value)
        if isinstance(kind, External) and kind.name in _CONVERSIONS:
            try:
                made = _CONVERSIONS[kind.name](text)
            except ValueError:
                reason = f"{spec.name}: {text!r} is no {kind.name.removeprefix('builtins.')}"
                return Unknown(reason=reason, trail=value.trail)
            assert isinstance(made, bool | int | float | complex | str)
            return dataclasses.replace(value, value=made)
        if isinstance(kind, External) and kind.name in {"builtins.list", "builtins.tuple", "builtins.set"}:
            return ListValue(
                items=[dataclasses.replace(value, value=character) for character in text],
                kind=kind.name.removeprefix("builtins."),
            )
        if isinstance(kind, FunctionValue | ClassValue | External | Instance):
            made_by_call = self.call.interpreter.call(kind, Arguments(positional=(value,)), spec.place)
            if isinstance(made_by_call, Const) and not made_by_call.trail:
                return dataclasses.replace(made_by_call, trail=value.trail)
            return made_by_call
        return Unknown(reason=f"the type of {spec.name} is not known", trail=value.trail)


def _asks_for_a_value(spec: OptionSpec, result: Splitting) -> bool:
    """Whether a number is expected that neither the command line nor a default gives."""
    number = isinstance(spec.type, External) and spec.type.name in {"builtins.int", "builtins.float"}
    return number and spec.default is None and spec.dest not in result.given


def _at(file: DictValue, name: str) -> Value | None:
    """The value of a name, "optimizer.lr" inside its section too."""
    found: Value | None = file.items.get(name)
    if found is None and "." in name:
        head, _, rest = name.partition(".")
        section = file.items.get(head)
        found = _at(section, rest) if isinstance(section, DictValue) else None
    return found


def _items(value: Value | None) -> list[Value]:
    return list(value.items) if isinstance(value, ListValue) else []


def _start(value: Value | None) -> int:
    return value.value if isinstance(value, Const) and isinstance(value.value, int) else 0
