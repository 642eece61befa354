"""`and`, `or` and what is asked of a test: of several operands one known one may decide, whatever the others are."""

from __future__ import annotations

import ast

from cmgan_audit.program.domain.numbers import drawn
from cmgan_audit.program.domain.values import Choice, Const, Option, Symbol, TextTest, Unknown, Value, options_of
from cmgan_audit.program.execution.branches import Side, asked, choose, sides_of, truth
from cmgan_audit.program.execution.interpreter import MOST_NODES_DEEP, Interpreter, joined
from cmgan_audit.program.language.operators import over_options


def evaluate_boolean(it: Interpreter, node: ast.BoolOp) -> Value:
    """The value of `a and b`, `a or b`: that of the operand at which it ends."""
    return _value_of(it, node.values, isinstance(node.op, ast.Or), as_test=False)


def evaluate_test(it: Interpreter, node: ast.expr) -> Value:
    """The value of an expression of which only matters whether it is true: where `a or b` ends at `a`, it is True."""
    from cmgan_audit.program.language.expressions import evaluate

    if not isinstance(node, ast.BoolOp) or it.depth > MOST_NODES_DEEP:
        return evaluate(it, node)
    it.depth += 1
    try:
        return _value_of(it, node.values, isinstance(node.op, ast.Or), as_test=True)
    finally:
        it.depth -= 1


def _value_of(it: Interpreter, nodes: list[ast.expr], stops_at: bool, *, as_test: bool) -> Value:
    from cmgan_audit.program.language.expressions import evaluate

    first = evaluate_test(it, nodes[0]) if as_test else evaluate(it, nodes[0])
    value = asked(it, nodes[0], it.read(first))
    if len(nodes) == 1:
        return value
    verdict = truth(it, value)
    if verdict is not None:
        return value if verdict is stops_at else _value_of(it, nodes[1:], stops_at, as_test=as_test)
    taken, other = sides_of(it, value, it.text(nodes[0]))
    stop, go_on = (taken, other) if stops_at else (other, taken)
    location = it.location(nodes[0])
    kept = Const(value=stops_at, trail=value.trail) if as_test else _as_tested(it, nodes[0], value, stops_at)
    return choose(
        it,
        [
            Side(stop, location, lambda: kept),
            Side(go_on, location, lambda: _as_operand(it, _value_of(it, nodes[1:], stops_at, as_test=as_test))),
        ],
        drawn(value),
    )


def _as_operand(it: Interpreter, value: Value) -> Value:
    """A value beside those of other operands: a test for a text is the answer to the whole only where it is the one
    that was asked."""

    def one(v: Value) -> Value:
        return Unknown(reason=v.reason, draws=v.draws).made_from("bool", (v,)) if isinstance(v, TextTest) else v

    return over_options(it, value, one)


def _as_tested(it: Interpreter, node: ast.expr, value: Value, outcome: bool) -> Value:
    """What an undecided operand of `and` / `or` can be when its test came out like this."""
    if isinstance(node, ast.Compare) and any(isinstance(o.value, Unknown) for o in options_of(value)):
        return Const(value=outcome, trail=value.trail)  # `length == wanted or whole`: where it is taken, it is True
    if isinstance(value, Choice):
        kept = [
            Option(_told(o.value, outcome), o.condition, o.facts)
            for o in value.options
            if truth(it, o.value) is not (not outcome)
        ]
        return joined(kept) if kept else value
    return _told(value, outcome)


def _told(value: Value, outcome: bool) -> Value:
    """A value that is no choice, once a test has told whether it is true."""
    if isinstance(value, TextTest) or (isinstance(value, Symbol) and isinstance(value.at_one, bool)):
        return Const(value=outcome, trail=value.trail)
    return value.tested(outcome) if isinstance(value, Unknown) else value
