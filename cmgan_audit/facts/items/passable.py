"""Whether the tests on the ways to several events of one item can all come out as they would have to.

An open test is met on both sides, and what was drawn on one of them meets a cut on any: behind `if len(wav) > cut:`
and `if len(wav) <= cut:` that is a way which no item goes. Tests are compared as they are written, those of a helper
in the words of the call that leads there, and only where nothing that they ask about is changed in between.
"""

from __future__ import annotations

import ast
import itertools
from collections.abc import Iterator, Sequence

from cmgan_audit.facts.bindings import bindings_in, bound_argument
from cmgan_audit.facts.code import Code, Reached
from cmgan_audit.facts.conditions import is_taken, test_behind
from cmgan_audit.finding import Location
from cmgan_audit.lazy_dataclasses import dataclass
from cmgan_audit.program.domain.values import FunctionValue
from cmgan_audit.program.execution.trace import Context, Frame
from cmgan_audit.source.operands import sure_operands
from cmgan_audit.source.syntax import is_line_of, names_in, single_parameters, walk

_LESS, _EQUAL, _MORE = "<", "=", ">"
_ANY = frozenset({_LESS, _EQUAL, _MORE})
_OUTCOMES: dict[type[ast.cmpop], frozenset[str]] = {
    ast.Lt: frozenset({_LESS}),
    ast.LtE: frozenset({_LESS, _EQUAL}),
    ast.Gt: frozenset({_MORE}),
    ast.GtE: frozenset({_MORE, _EQUAL}),
    ast.Eq: frozenset({_EQUAL}),
    ast.NotEq: frozenset({_LESS, _MORE}),
}
_TURNED = {_LESS: _MORE, _MORE: _LESS, _EQUAL: _EQUAL}
# Calls that give the same answer as long as what they are given stays the same.
_STEADY = frozenset("len size dim numel int float min max abs isinstance".split())

_Place = tuple[int, int]


@dataclass(frozen=True, slots=True, eq=False)
class _Test:
    """A comparison that came out in one of some ways, in the words of one function on the stack.

    Attributes:
        depth: how many calls lead to that function.
        place: where in it the comparison is made, or the call that leads to it.
        left, right: what is compared, in an order of its own.
        outcomes: how it came out.
    """

    depth: int
    place: _Place
    left: ast.expr
    right: ast.expr | None
    outcomes: frozenset[str]

    @property
    def sides(self) -> tuple[str, str]:
        """What is compared, as text."""
        return ast.unparse(self.left), "" if self.right is None else ast.unparse(self.right)


def passable(code: Code, *contexts: Context) -> bool:
    """Whether one item can come by all these places.

    Args:
        code: the source behind the run.
        contexts: where the events happened; all of them under one call of one method.
    """
    tests = [list(_tests(code, context)) if context.conditions else [] for context in contexts]
    for first, second in itertools.combinations_with_replacement(range(len(contexts)), 2):
        if not tests[first] or not tests[second]:
            continue
        one, other = contexts[first], contexts[second]
        if first != second and set(one.loops) & set(other.loops):
            continue  # one pass may draw for the next
        shared = _shared(one.frames, other.frames)
        for mine, theirs in itertools.product(tests[first], tests[second]):
            if mine.depth == theirs.depth <= shared and _contradict(code, one.frames, mine, theirs):
                return False
    return True


def _shared(one: Sequence[Frame], other: Sequence[Frame]) -> int:
    """How many calls at the bottom of two stacks are the same."""
    pairs = zip(one, other, strict=False)
    return sum(1 for _ in itertools.takewhile(lambda pair: pair[0].call == pair[1].call and _same(*pair), pairs))


def _same(one: Frame, other: Frame) -> bool:
    return one.value is not None and other.value is not None and one.value.node is other.value.node


def _tests(code: Code, context: Context) -> Iterator[_Test]:
    """The comparisons on the way to an event, each in the words of its function and of those that called it."""
    for condition in context.conditions:
        test, depth = test_behind(code, condition), depth_of(context.frames, condition.location)
        if test is None or not depth:
            continue
        for left, right, outcomes in _compared(test, taken=is_taken(code, condition, test)):
            found: _Test | None = _turned(depth, (test.lineno, test.col_offset), left, right, outcomes)
            while found is not None:
                yield found
                found = _of_caller(code, context.frames, found)


def depth_of(frames: Sequence[Frame], place: Location) -> int:
    """How many calls lead to the innermost function on the stack that a place lies in; 0 where none holds it."""
    for depth in range(len(frames), 0, -1):
        function = frames[depth - 1].value
        if function is not None and function.module.path == place.path:
            if is_line_of(place.line, function.node):
                return depth
    return 0


def _compared(test: ast.expr, *, taken: bool) -> Iterator[tuple[ast.expr, ast.expr | None, frozenset[str]]]:
    """The comparisons that must have come out in a certain way where a test did."""
    for asked, holds in sure_operands(test, taken=taken):
        match asked:
            case ast.Compare(left=left, ops=[op], comparators=[right]) if type(op) in _OUTCOMES and _is_steady(asked):
                outcomes = _OUTCOMES[type(op)]
                yield left, right, outcomes if holds else _ANY - outcomes
            case ast.Name() | ast.Attribute() | ast.Call() if _is_steady(asked):
                yield asked, None, frozenset({_EQUAL}) if holds else _ANY - {_EQUAL}


def _is_steady(test: ast.expr) -> bool:
    """Whether asking twice gives the same answer, as long as nothing is bound anew."""
    calls = (node.func for node in walk(test) if isinstance(node, ast.Call))
    return all((name.attr if isinstance(name, ast.Attribute) else getattr(name, "id", "")) in _STEADY for name in calls)


def _turned(depth: int, place: _Place, left: ast.expr, right: ast.expr | None, outcomes: frozenset[str]) -> _Test:
    """A comparison with its sides in the order of their texts, so that `a < b` meets `b > a`."""
    if right is not None and ast.unparse(right) < ast.unparse(left):
        return _Test(depth, place, right, left, frozenset(_TURNED[each] for each in outcomes))
    return _Test(depth, place, left, right, outcomes)


def _of_caller(code: Code, frames: Sequence[Frame], test: _Test) -> _Test | None:
    """The comparison in the words of the call that leads to its function; None where it has none for it."""
    frame = frames[test.depth - 1]
    caller = frames[test.depth - 2].value if test.depth > 1 else None
    call = code.call_at(frame.call)
    if frame.value is None or caller is None or call is None:
        return None
    words = _Words(code, frame.value, caller, call, test.place)
    sides = [None if side is None else words.of(side) for side in (test.left, test.right)]
    if sides[0] is None or (sides[1] is None and test.right is not None):
        return None
    return _turned(test.depth - 1, (call.lineno, call.col_offset), sides[0], sides[1], test.outcomes)


@dataclass(frozen=True, slots=True, eq=False)
class _Words:
    """What the parameters of a function stand for in the call of it, at a place in the function."""

    code: Code
    function: FunctionValue
    caller: FunctionValue
    call: ast.Call
    place: _Place

    def of(self, side: ast.expr) -> ast.expr | None:
        """An expression of the function in the words of the call; None where a part of it has none."""
        names = names_in(side)
        known = {name: self._argument(name) for name in names}
        if any(given is None for given in known.values()):
            return None
        copied = ast.parse(ast.unparse(side), mode="eval").body
        changed: ast.expr = _Exchange({name: given for name, given in known.items() if given is not None}).visit(copied)
        return changed

    def _argument(self, name: str) -> ast.expr | None:
        spec = self.function.node.args
        parameters = [each.arg for each in single_parameters(spec)]
        bound = bindings_in(Reached(self.function.module, self.function.node, "")).get(name, [])
        if name not in parameters:
            outer = not bound and self.function.module.path == self.caller.module.path
            return ast.Name(name, ast.Load()) if name in _STEADY or outer else None
        if any((getattr(each.statement, "lineno", 0), 0) < self.place for each in bound):
            return None
        if name == "self" and parameters[:1] == ["self"]:
            owner = self.call.func.value if isinstance(self.call.func, ast.Attribute) else None
            return owner if isinstance(owner, ast.Name) and owner.id == "self" else None
        given = bound_argument(self.function.node, self.call, name)
        simple = given is not None and all(
            isinstance(part, ast.Name | ast.Attribute | ast.Constant) for part in walk(given)
        )
        return given if simple else None


class _Exchange(ast.NodeTransformer):
    """Puts other expressions in the place of names."""

    def __init__(self, known: dict[str, ast.expr]) -> None:
        self._known = known

    def visit_Name(self, node: ast.Name) -> ast.expr:
        """The expression that a name stands for."""
        return self._known.get(node.id, node)


def _contradict(code: Code, frames: Sequence[Frame], one: _Test, other: _Test) -> bool:
    """Whether two comparisons of one function cannot both come out as they did."""
    if one.outcomes & other.outcomes or one.sides != other.sides:
        return False
    function = frames[one.depth - 1].value
    return function is not None and not _changed(function, one, *sorted((one.place, other.place)))


def _changed(function: FunctionValue, test: _Test, start: _Place, end: _Place) -> bool:
    """Whether a function may change what a comparison asks about between two places."""
    sides = [side for side in (test.left, test.right) if side is not None]
    texts = {ast.unparse(part) for side in sides for part in walk(side) if isinstance(part, ast.Name | ast.Attribute)}
    reached = Reached(function.module, function.node, "")
    for name, bound in bindings_in(reached).items():
        if name in texts and any(_lies_between(each.statement, start, end) for each in bound):
            return True
    return any(
        isinstance(node, ast.Expr)
        and isinstance(node.value, ast.Call)
        and isinstance(node.value.func, ast.Attribute)
        and ast.unparse(node.value.func.value) in texts - {"self"}
        and _lies_between(node, start, end)
        for node in reached.own_nodes()
    )


def _lies_between(statement: ast.AST, start: _Place, end: _Place) -> bool:
    """Whether a statement has its effect after one place of a function and before another."""
    begins = (getattr(statement, "lineno", 0), getattr(statement, "col_offset", 0))
    ends = (getattr(statement, "end_lineno", 0), getattr(statement, "end_col_offset", 0))
    if isinstance(statement, ast.Assign | ast.AnnAssign | ast.AugAssign | ast.Expr | ast.NamedExpr):
        return start < ends and ends <= end  # a name is bound once the value is there
    return start < begins < end
