"""Switches that keep their text: `--save False` with `type=str`, asked with `if args.save:`.

A text is true unless it is empty. What compares the text, reads it (`args.save.lower()`), takes it for a path, asks for
its type or lets a function convert it knows that it is one.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Sequence
from functools import cached_property

from cmgan_audit.facts.options.converters import OFF, TEXT, Converter
from cmgan_audit.facts.options.reads import Reads
from cmgan_audit.facts.values import constant
from cmgan_audit.facts.view import View
from cmgan_audit.finding import Location, Step
from cmgan_audit.lazy_dataclasses import dataclass
from cmgan_audit.lazy_regex import regex
from cmgan_audit.program.domain.values import Const, External, Instance, Value
from cmgan_audit.program.execution.trace import DecisionEvent
from cmgan_audit.program.models.command_lines.argparse_state import OptionSpec
from cmgan_audit.source.syntax import arguments_named, called_name, walk

_TAKES_A_PATH = regex(r"open|(?:os|shutil|glob)\.[\w.]+|(?:\w+\.)?Path|(?:torch|json|yaml|np|numpy)\.load")
_ON_AND_OFF = frozenset({"true", "false"})


@dataclass(eq=False)
class Switches:
    """The options of a run that mean a truth value and keep their text."""

    view: View
    reads: Reads

    def of(self, spec: OptionSpec, given: Step | None) -> tuple[Converter, Step] | None:
        """How an option keeps its text, and where that text is asked as if it were a truth value.

        None where it means something else, is never asked so, or is asked in another way too. An option that is off by
        default may as well take a path: `--resume FILE`, `if args.resume: load(args.resume)`. It has to be asked only.

        Args:
            spec: the option.
            given: the word of the command line that gives it, None where it is not given.
        """
        view = self.view
        kept = spec.type is None or (isinstance(spec.type, External) and spec.type.name == "builtins.str")
        if spec.action != "store" or spec.nargs is not None or not kept:
            return None
        if given is None and not _means_a_switch(spec.default):
            return None  # what is asked is the default then
        asked = [event for event in self._decisions if _is_of(event.value, spec, given)]
        values = [event.value for event in asked]
        if not any(map(_means_a_switch, (spec.default, *values))) or not _are_one([spec.default, *values], given):
            return None
        if not asked or not _may_say_off(view.code.call_at(spec.place)):
            return None
        if not all(_is_as_it_was(view, event) and _is_tested(view, event.location) for event in asked):
            return None
        read = [event.location for event in asked] + [each.location for each in self.reads.of(spec.dest)]
        if any(_asks_for_its_type(view, place) or _reads_a_text(view, place) for place in read):
            return None
        is_on = isinstance(spec.default, Const) and bool(spec.default.value)
        if not is_on and not all(_is_tested(view, place) for place in self._places(spec, given)):
            return None
        name = "no type" if spec.type is None else "type=str"
        return Converter(TEXT, name), Step(asked[0].location, f"every text but an empty one is true here: {spec.name}")

    def _places(self, spec: OptionSpec, given: Step | None) -> Iterable[Location]:
        """Where an option that is off by default is read: what it keeps off is executed only where it is given."""
        if given is None:
            return self.reads.anywhere(spec.dest)
        return (read.location for read in self.reads.of(spec.dest))

    @cached_property
    def _decisions(self) -> list[DecisionEvent]:
        events = self.view.scene.run.events
        return [event for event in events if isinstance(event, DecisionEvent) and isinstance(event.value, Const)]


def _may_say_off(call: ast.Call | None) -> bool:
    """Whether a command line may give a text that means "off": written choices may have none, or only the empty one."""
    choices = next(iter(arguments_named(call, "choices")), None) if call is not None else None
    if not isinstance(choices, ast.List | ast.Tuple | ast.Set):
        return choices is None
    texts = [each.value for each in choices.elts if isinstance(each, ast.Constant) and isinstance(each.value, str)]
    return any(text.lower() in OFF for text in texts)


def _means_a_switch(value: Value | None) -> bool:
    if not isinstance(value, Const):
        return False
    text = value.value
    return isinstance(text, bool) or (isinstance(text, str) and text.lower() in _ON_AND_OFF)


def _are_one(values: Sequence[Value | None], given: Step | None) -> bool:
    """Whether what was asked is what an option holds, the default or else a text: what is told from it differs."""
    default, *asked = (constant(value) for value in values)
    if given is not None:
        return all(isinstance(value, str) and value == asked[0] for value in asked)
    return all(value == default and type(value) is type(default) for value in asked)


def _is_of(value: Value, spec: OptionSpec, given: Step | None) -> bool:
    """Whether a value is that of an option: its default, or what the command line gives."""
    if given is None:
        return isinstance(value, Const) and value.overridable == spec.name
    return bool(value.trail) and value.trail[0].location == given.location


def _is_as_it_was(view: View, event: DecisionEvent) -> bool:
    """Whether a value was only handed on: by its names, into functions that are running, into objects that are made."""
    running = {frame.call for frame in event.context.frames}
    places = {step.location for step in event.value.trail[1:]} - running
    made = {call.location for call in view.scene.calls if call.location in places and isinstance(call.result, Instance)}
    nodes = [view.code.node_at(place) for place in places - made]
    handing = (ast.Name, ast.Attribute, ast.Subscript)
    return all(node is None or isinstance(node, handing) or _sets_defaults(node) for node in nodes)


def _sets_defaults(node: ast.AST) -> bool:
    node = node.value if isinstance(node, ast.Expr) else node
    return isinstance(node, ast.Call) and called_name(node) == "set_defaults"


def _asks_for_its_type(view: View, place: Location) -> bool:
    """Whether the function around a read asks whether the same value is a text: `if isinstance(x, str): x = ...`."""
    node = view.code.node_at(place)
    if not isinstance(node, ast.expr):
        return False
    around = [each for each in view.code.parents(place.path, node) if isinstance(each, ast.FunctionDef | ast.Module)]
    asked = (each.args[0] for each in walk(around[0]) if isinstance(each, ast.Call) and _is_type_test(each))
    return any(ast.unparse(each) == ast.unparse(node) for each in asked)


def _is_type_test(call: ast.Call) -> bool:
    return isinstance(call.func, ast.Name) and call.func.id in ("isinstance", "type") and bool(call.args)


def _reads_a_text(view: View, place: Location) -> bool:
    """Whether a value is read as a text is: by a method of texts, with a text added to it, or as a path."""
    node = view.code.node_at(place)
    parent = next(iter(view.code.parents(place.path, node)), None) if node is not None else None
    match parent:
        case ast.Attribute(attr=member):
            return hasattr(str, member)
        case ast.BinOp(op=ast.Add(), left=left, right=right):
            return any(_is_text(each) for each in (left, right))
        case ast.Call(args=[first, *_], func=function):
            return first is node and _TAKES_A_PATH.fullmatch(ast.unparse(function)) is not None
    return False


def _is_text(node: ast.expr) -> bool:
    return isinstance(node, ast.JoinedStr) or (isinstance(node, ast.Constant) and isinstance(node.value, str))


def _is_tested(view: View, place: Location) -> bool:
    """Whether the truth of the value itself decides: `if x`, `not x`, `x and y`; not `x == "True"`."""
    node = view.code.node_at(place)
    if node is None:
        return False
    for parent in view.code.parents(place.path, node):
        if isinstance(parent, ast.If | ast.While | ast.IfExp | ast.Assert):
            return node is parent.test
        negates = isinstance(parent, ast.UnaryOp) and isinstance(parent.op, ast.Not)
        if not negates and not isinstance(parent, ast.BoolOp):
            return False
        node = parent
    return False
