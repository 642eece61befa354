"""Counters that let an optimiser step only every so many batches: `if (i + 1) % K == 0:`."""

from __future__ import annotations

import ast
from dataclasses import replace

from cmgan_audit.facts.bindings import bindings_in, bound_argument, given_to
from cmgan_audit.facts.code import Code
from cmgan_audit.facts.conditions import is_taken, test_behind
from cmgan_audit.facts.named_numbers import number_at, numbers_behind
from cmgan_audit.finding import Location, Step
from cmgan_audit.lazy_dataclasses import dataclass
from cmgan_audit.program.domain.joins import opposite
from cmgan_audit.program.execution.trace import Condition, Context
from cmgan_audit.rules.record import Fact, Known, Unknown
from cmgan_audit.source.syntax import last_name, walk

# How many names may stand between a branch and its counter: `last = ...; step_now = counted or last; if step_now:`.
_MOST_NAMES = 3
# How a counter that starts again is asked whether it has come to K, by whether the branch is the one of "yes".
_REACHED = {True: (ast.Eq, ast.GtE), False: (ast.NotEq, ast.Lt)}


@dataclass(frozen=True, slots=True, eq=False)
class Guard:
    """A counter around a step.

    Attributes:
        location: of the branch.
        text: the branch as it is told.
        counter: `counter % K`, as written.
        rest: what it has to be, as text.
        every: what K is.
        alone: whether the counter alone decides; another way through it may take the tail of an epoch along.
    """

    location: Location
    text: str
    counter: ast.BinOp
    rest: str
    every: Fact
    alone: bool

    @property
    def divisor(self) -> ast.expr:
        """K, as written."""
        return self.counter.right


def guard_of(code: Code, context: Context) -> Guard | None:
    """The counter that something stands under; None where there is none."""
    for condition in context.conditions:
        test = test_behind(code, condition)
        found = None if test is None else _counted(code, context, condition, test)
        asked = condition
        helper = _in_helper(code, condition, test) if test is not None and found is None else None
        if helper is not None:
            asked = helper.condition
            found = _counted(code, context, asked, helper.gives)
        if found is not None:
            count, rest, alone = found
            given = None if helper is None else helper.given(count.right)
            if given is not None:  # `if is_due(index, args.accumulate):`
                count = ast.copy_location(ast.BinOp(count.left, count.op, given), count)
            number = _if_it_comes(number_at(code, context, condition if given else asked, count.right), rest)
            value = _in_batches(code, context, asked, count.left, number)
            return Guard(condition.location, condition.text, count, rest, value, alone)
    return None


def _if_it_comes(every: Fact, rest: str) -> Fact:
    """K, where a counter comes to the rest that is asked for: `number % 8 == 8` never holds."""
    if isinstance(every, Known) and rest.isdecimal() and int(rest) >= every.value:
        return Unknown(f"a rest of {rest} never comes", every.trail)
    return every


def _counted(code: Code, context: Context, condition: Condition, test: ast.expr) -> tuple[ast.BinOp, str, bool] | None:
    """The counter of a test; where the test is a flag that the function is handed, that of what it is handed."""
    taken = is_taken(code, condition, test)
    found = _counter(code, condition, test, taken=taken)
    flag = test.operand if isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not) else test
    if found is not None or not isinstance(flag, ast.Name):
        return found
    given = _handed(code, context, condition.location.path, flag)
    return None if given is None else _counter(code, condition, given, taken=taken is (flag is test))


@dataclass(frozen=True, slots=True, eq=False)
class _Helper:
    """A function of the tree, or a property, that a test asks.

    Attributes:
        condition: the test, as it is written in the function.
        gives: what the function returns.
        function: the function.
        asked: the call or attribute that asks it.
    """

    condition: Condition
    gives: ast.expr
    function: ast.AST
    asked: ast.expr

    def given(self, name: ast.expr) -> ast.expr | None:
        """What it is given as the parameter of a name."""
        if not isinstance(self.function, ast.FunctionDef) or not isinstance(self.asked, ast.Call):
            return None
        return bound_argument(self.function, self.asked, name.id) if isinstance(name, ast.Name) else None


def _in_helper(code: Code, condition: Condition, test: ast.expr) -> _Helper | None:
    """The function of the tree, or the property, that a test asks, if it only gives one thing.

    `if is_due(index):` with `return (index + 1) % every == 0` in it.
    """
    turned = isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not)
    asked = test.operand if isinstance(test, ast.UnaryOp) and turned else test
    called = asked.func if isinstance(asked, ast.Call) else asked
    if not isinstance(called, ast.Attribute | ast.Name) or (called is asked and isinstance(called, ast.Name)):
        return None
    name = last_name(called)
    found = [each for each in code.reached if each.name.rpartition(".")[2] == name and each.name != "<module>"]
    returned = [part for each in found[:1] for part in each.own_nodes() if isinstance(part, ast.Return)]
    given = returned[0].value if len(found) == 1 and len(returned) == 1 else None
    if given is None:
        return None
    place = found[0].module.location(given)
    text = ast.unparse(given)
    taken = is_taken(code, condition, test) is not turned
    return _Helper(
        replace(condition, location=place, text=text if taken else opposite(text)), given, found[0].node, asked
    )


def _handed(code: Code, context: Context, path: str, name: ast.Name) -> ast.expr | None:
    """What the calls in the same file hand the function around a name as the parameter of that name.

    What hands it on may have been handed it: `learn(batch, i % 8 == 7)`, and in it `update(loss, last)`.
    """
    given: ast.expr = name
    for frame in reversed(context.frames):
        around = code.around(path, given)
        if not isinstance(given, ast.Name) or around is None:
            break
        function = None if frame.value is None else frame.value.node
        if function is not around.node:
            continue
        call = code.call_at(frame.call) if frame.call.path == path else None
        unchanged = given.id not in bindings_in(around)
        bound = bound_argument(function, call, given.id) if call is not None and unchanged else None
        if bound is None:
            break
        given = bound
    return None if given is name else given


def _counter(
    code: Code, condition: Condition, test: ast.expr, *, taken: bool, names: int = _MOST_NAMES
) -> tuple[ast.BinOp, str, bool] | None:
    """`counter % K`, where the branch is taken at one rest; that rest, and whether nothing else decides."""
    match test:
        case ast.UnaryOp(op=ast.Not(), operand=inner):
            return _counter(code, condition, inner, taken=not taken, names=names)
        case ast.BoolOp(values=parts):
            inside = (_counter(code, condition, part, taken=taken, names=names) for part in parts)
            return next(((found[0], found[1], False) for found in inside if found is not None), None)
        case ast.Compare(left=ast.BinOp(op=ast.Mod()) as count, ops=[ast.Eq()], comparators=[rest]) if taken:
            return count, ast.unparse(rest), _is_plain(test)
        case ast.Compare(left=ast.BinOp(op=ast.Mod()) as count, ops=[ast.NotEq() | ast.Gt()], comparators=[rest]) if (
            not taken
        ):
            return count, ast.unparse(rest), _is_plain(test)
        case ast.BinOp(op=ast.Mod()) if not taken:
            return test, "0", _is_plain(test)
        case ast.BinOp(op=ast.Mod(), right=ast.Constant(value=2)):
            return test, "1", _is_plain(test)
        case ast.Compare(left=counter, ops=[order], comparators=[most]) if isinstance(order, _REACHED[taken]):
            if _starts_again(code, condition.location.path, test, counter):
                return ast.BinOp(counter, ast.Mod(), most), "0", _is_plain(test)
        case ast.Name() if names:
            given = given_to(code, condition.location.path, test)
            return None if given is None else _counter(code, condition, given, taken=taken, names=names - 1)
    return None


def _starts_again(code: Code, path: str, test: ast.expr, counter: ast.expr) -> bool:
    """Whether the loop around a test counts by one and starts from nothing again: `n += 1; if n == K: ...; n = 0`."""
    loop = next((each for each in code.parents(path, test) if isinstance(each, ast.For | ast.While)), None)
    name = ast.unparse(counter)
    grows = starts = False
    for each in walk(loop):
        match each:
            case ast.AugAssign(target=target, op=ast.Add(), value=ast.Constant(value=1)):
                grows = grows or ast.unparse(target) == name
            case ast.Assign(targets=[target], value=ast.Constant(value=0)):
                starts = starts or ast.unparse(target) == name
    return grows and starts


def _is_plain(test: ast.expr) -> bool:
    return not any(isinstance(each, ast.BoolOp) for each in walk(test))


def _in_batches(code: Code, context: Context, condition: Condition, counter: ast.expr, every: Fact) -> Fact:
    """K in batches, where a counter of items grows by the size of a batch: `seen += batch_size`."""
    grows = _growth(code, condition.location.path, counter)
    if grows is None or (isinstance(grows, ast.Constant) and grows.value == 1):
        return every
    text = f"{ast.unparse(counter)} grows by {ast.unparse(grows)}"
    by = (
        [grows.value]
        if isinstance(grows, ast.Constant)
        else [c.value for c in numbers_behind(code, context, condition, grows)]
    )
    number = by[0] if len(set(by)) == 1 else None
    if isinstance(every, Known) and isinstance(number, int) and number > 0 and every.value % number == 0:
        return Known(every.value // number, (*every.trail, Step(condition.location, text)), confidence=every.confidence)
    return Unknown(text, every.trail)


def _growth(code: Code, path: str, counter: ast.expr) -> ast.expr | None:
    """What is added to a counter in the function around it; None where nothing is, or several things are."""
    node = counter.left if isinstance(counter, ast.BinOp) else counter
    around = code.around(path, counter)
    if around is None or not isinstance(node, ast.Name | ast.Attribute):
        return None
    added = [
        each.value
        for each in around.own_nodes()
        if isinstance(each, ast.AugAssign)
        and isinstance(each.op, ast.Add)
        and ast.unparse(each.target) == ast.unparse(node)
    ]
    return added[0] if len(added) == 1 else None
