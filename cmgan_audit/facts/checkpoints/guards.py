"""The tests that stand between the start of a run and an event, decided ones included.

An undecided branch is in the event's context. A decided one (`if config["resume"]:` with resume = True) left nothing
there; its test is found in the source around the event and around the calls that lead to it, and the setting that
decided it among the run's decisions.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TypeGuard

from cmgan_audit.facts.checkpoints.wording import CHECKPOINT
from cmgan_audit.facts.code import Code, Stack, stack_of
from cmgan_audit.finding import Location, Trail
from cmgan_audit.lazy_dataclasses import dataclass
from cmgan_audit.lazy_regex import regex
from cmgan_audit.program.domain.values import Value
from cmgan_audit.program.execution.branches import reads_setting
from cmgan_audit.program.execution.trace import CallEvent, Event
from cmgan_audit.program.naming.names import canonical
from cmgan_audit.source.operands import expression_of, operands, sure_operands
from cmgan_audit.source.syntax import Function, NamedFunction, arguments_of, called_name, walk, words_in

# What objects of settings are called.
_SETTINGS = frozenset("args cfg conf config hparams hps opt opts options params settings flags".split())
_OWNER_WORDS = regex(r"[a-z]+")
_LEAVES = (ast.Return, ast.Raise, ast.Continue, ast.Break)
# Functions and methods that tell whether a file is there.
EXISTS = frozenset({"exists", "isfile", "isdir", "is_file", "is_dir", "access", "lexists"})


@dataclass(frozen=True, slots=True, eq=False)
class Guard:
    """One test on the way to an event.

    Attributes:
        node: the expression that is tested.
        path: its file.
        stack: the calls in which it is tested.
        taken: whether the event is on the side where the test is true.
        insists: whether the program ends with an error on the other side.
    """

    node: ast.expr
    path: str
    stack: Stack
    taken: bool
    insists: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Setting:
    """A setting that a guard asks: its text as written, the place, and what it held."""

    text: str
    location: Location
    value: Value
    taken: bool


class Guards:
    """The guards of one run's events."""

    def __init__(self, code: Code) -> None:
        self._code = code
        self._assigned: dict[ast.AST, list[tuple[ast.Assign, frozenset[str]]]] = {}

    def of(self, event: Event) -> list[Guard]:
        """The tests on the way to an event, outermost first, each behind those that its local names depend on."""
        return [guard for each in self.directly(event) for guard in (*self._behind(each), each)]

    def directly(self, event: Event) -> list[Guard]:
        """The tests around an event and around the calls that lead to it, outermost first."""
        stack = stack_of(event.context)
        places = [*stack, event.location]
        return [guard for depth, place in enumerate(places) for guard in self._around(place, stack[:depth])]

    def around_way(self, trail: Trail, event: Event) -> list[Guard]:
        """The tests around the places from which a value has come to an event, in the functions that lead to it."""
        stack = stack_of(event.context)
        starts = [stack[:depth] for depth in range(len(stack) + 1)]
        return [guard for step in trail for start in starts for guard in self._around(step.location, start)]

    def _behind(self, guard: Guard) -> Iterator[Guard]:
        """The tests around assignments to a local name that a guard asks: `if resume: path = ...` before `if path:`."""
        leaves = list(operands(guard.node, taken=guard.taken))
        names = {leaf.id for part, _ in leaves for leaf in walk(part) if _is_name(leaf)}
        wanted = {part.id: taken for part, taken in leaves if _is_name(part)}
        function = next((each for each in self._code.parents(guard.path, guard.node) if _is_function(each)), None)
        for node, given in self._assignments(function) if names and function is not None else ():
            if node.lineno < guard.node.lineno and not given.isdisjoint(names) and not _contradicts(node, wanted):
                yield from self._around(self._code.place_of(guard.path, node), guard.stack)

    def _assignments(self, function: ast.AST) -> list[tuple[ast.Assign, frozenset[str]]]:
        """The assignments in a function that give names something, with these names."""
        if function not in self._assigned:
            nodes = [node for node in walk(function) if isinstance(node, ast.Assign) and not _is_nothing(node.value)]
            self._assigned[function] = [
                (node, frozenset(target.id for target in node.targets if isinstance(target, ast.Name)))
                for node in nodes
            ]
        return self._assigned[function]

    def _around(self, place: Location, stack: Stack) -> list[Guard]:
        """The tests of one function around a place in it, outermost first."""
        node = self._code.call_at(place) or self._code.node_at(place)
        found: list[Guard] = []
        while node is not None:
            parent = next(self._code.parents(place.path, node), None)
            if isinstance(parent, Function):
                found += [Guard(test, place.path, stack, *side) for test, *side in _passed(parent, node)]
                break
            if parent is not None:
                tests = [*_passed(parent, node), *_holding(parent, node)]
                found += [Guard(test, place.path, stack, *side) for test, *side in tests]
            node = parent
        return found[::-1]

    def settings(self, guard: Guard) -> Iterator[Setting]:
        """The settings that a guard asks, where they hold a value with a way, or are open."""
        for node, taken in operands(guard.node, taken=guard.taken):
            for part in walk(node):
                if reads_setting(part):
                    place = self._code.place_of(guard.path, part)
                    value = self._code.decisions.get((place, guard.stack))
                    if value is not None and isinstance(part, ast.expr):
                        yield Setting(ast.unparse(part), place, value, taken)

    def open_settings(self, guard: Guard) -> Iterator[str]:
        """The settings that a guard wants to be given and of which nothing is known: `if args.resume:`, as written."""
        for node, taken in operands(guard.node, taken=guard.taken):
            asked = _asked_whether_given(node) if taken else None
            if asked is not None and not _SETTINGS.isdisjoint(_OWNER_WORDS.findall(ast.unparse(asked.value).lower())):
                if (self._code.place_of(guard.path, asked), guard.stack) not in self._code.decisions:
                    yield ast.unparse(asked)

    def files_there(self, guard: Guard) -> Iterator[CallEvent]:
        """The calls in a guard that ask for a file, where the event is on the side on which it may be there."""
        for leaf, taken in operands(guard.node, taken=guard.taken):
            if taken:
                yield from self._asked_for_files(guard, walk(leaf))

    def files_missing(self, guard: Guard) -> Iterator[CallEvent]:
        """The calls in a guard that ask for a file, where the event is only come to if it is not there."""
        for operand, taken in sure_operands(guard.node, taken=guard.taken):
            if not taken:
                yield from self._asked_for_files(guard, [operand])

    def _asked_for_files(self, guard: Guard, parts: Iterable[ast.AST]) -> Iterator[CallEvent]:
        for part in parts:
            if isinstance(part, ast.Call):
                event = self._code.calls.get((self._code.place_of(guard.path, part), guard.stack))
                if event is not None and canonical(event.callee).rpartition(".")[2] in EXISTS:
                    yield event


def speaks_of(guard: Guard, restores: Sequence[ast.Call]) -> bool:
    """Whether a test speaks of a checkpoint, or names something that calls which restore one are given."""
    named = words_in(*(part for call in restores for part in arguments_of(call)))
    return bool(CHECKPOINT.search(ast.unparse(guard.node))) or not set(named).isdisjoint(words_in(guard.node))


def asks_for_files_only(condition: str) -> bool:
    """Whether all that a condition asks, as it is written, is whether files are there: `os.path.isfile(path)`."""
    test = expression_of(condition)
    asked = list(operands(test, taken=True)) if test is not None else []
    return bool(asked) and all(isinstance(each, ast.Call) and called_name(each) in EXISTS for each, _ in asked)


def _asked_whether_given(node: ast.expr) -> ast.Attribute | None:
    """The attribute of which a test asks whether it is set: `args.resume`, `args.resume is not None`."""
    match node:
        case ast.Attribute():
            return node
        case ast.Compare(left=ast.Attribute() as left, ops=[ast.IsNot() | ast.NotEq()], comparators=[ast.Constant()]):
            return left
    return None


def _is_name(node: ast.AST) -> TypeGuard[ast.Name]:
    return isinstance(node, ast.Name)


def _is_function(node: ast.AST) -> bool:
    return isinstance(node, NamedFunction | ast.Module)


def _is_nothing(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and not node.value


def _contradicts(assignment: ast.Assign, wanted: Mapping[str, bool]) -> bool:
    """Whether a name gets a constant with which its test goes the other way: `found = True`, then `if not found:`."""
    value = assignment.value
    given = (wanted.get(target.id) for target in assignment.targets if isinstance(target, ast.Name))
    return isinstance(value, ast.Constant) and (not value.value) in given


_Test = tuple[ast.expr, bool, bool]  # what is tested, the side that is taken, whether the other one is an error


def _holding(parent: ast.AST, node: ast.AST) -> Iterator[_Test]:
    """The test of a node around another one."""
    match parent:
        case ast.If():
            if any(node is each for each in parent.body):
                yield parent.test, True, _fails(parent.orelse)
            elif any(node is each for each in parent.orelse):
                yield parent.test, False, _fails(parent.body)
        case ast.While():
            if any(node is each for each in parent.body):
                yield parent.test, True, False
        case ast.IfExp():
            if node is parent.body:
                yield parent.test, True, False
            elif node is parent.orelse:
                yield parent.test, False, False
        case ast.BoolOp():
            for value in parent.values:
                if value is node:
                    break
                yield value, isinstance(parent.op, ast.And), False


def _passed(parent: ast.AST, node: ast.AST) -> Iterator[_Test]:
    """The tests before a statement in its block that would have left: `if not resume: return`."""
    for block in ("body", "orelse", "finalbody"):
        statements = getattr(parent, block, None)
        if not isinstance(statements, list) or not any(node is each for each in statements):
            continue
        for statement in statements:
            if statement is node:
                break
            if isinstance(statement, ast.If) and statement.body and isinstance(statement.body[-1], _LEAVES):
                yield statement.test, False, _fails(statement.body)
            elif isinstance(statement, ast.Assert):
                yield statement.test, True, True


def _fails(block: list[ast.stmt]) -> bool:
    return bool(block) and isinstance(block[-1], ast.Raise)
