"""List, set, dictionary and generator comprehensions: item by item where the items are known."""

from __future__ import annotations

import ast
from collections.abc import Callable
from contextlib import nullcontext

from cmgan_audit.program.domain.numbers import drawn
from cmgan_audit.program.domain.values import DictValue, Draw, GeneratorValue, ListValue, Value
from cmgan_audit.program.execution.branches import truth
from cmgan_audit.program.execution.interpreter import Activation, Interpreter
from cmgan_audit.program.execution.state import Environment
from cmgan_audit.program.execution.trace import Loop


def evaluate_comprehension(it: Interpreter, node: ast.ListComp | ast.SetComp | ast.GeneratorExp) -> Value:
    """`[element for target in iterable if test]` and its relatives."""
    from cmgan_audit.program.domain.containers import unique
    from cmgan_audit.program.language.expressions import evaluate

    items: list[Value] = []
    complete, draws = _run(it, node.generators, lambda: items.append(evaluate(it, node.elt)))
    kind = {ast.ListComp: "list", ast.SetComp: "set", ast.GeneratorExp: "view"}[type(node)]
    if kind == "set":
        items, complete = unique(items, complete)
    return ListValue(items=items, kind=kind, complete=complete, draws=draws)


def evaluate_dict_comprehension(it: Interpreter, node: ast.DictComp) -> Value:
    """`{key: value for target in iterable}`."""
    from cmgan_audit.program.domain.containers import key_of
    from cmgan_audit.program.language.expressions import evaluate
    from cmgan_audit.program.library.dictionaries import of_same_tensors, state_of_item

    made = DictValue(items={})
    unknown_keys: list[Value] = []
    states: list[Value | None] = []

    def add() -> None:
        key = it.read(evaluate(it, node.key))
        value = evaluate(it, node.value)
        known = key_of(key)
        if known is not None:
            made.items[known[0]] = value
        else:
            unknown_keys.append(key)
            tensor = _detached(node.value)
            states.append(state_of_item(it.read(value if tensor is node.value else evaluate(it, tensor))))

    complete, draws = _run(it, node.generators, add)
    if not made.items and len(states) == 1 and states[0] is not None:
        return of_same_tensors(it, states[0], it.location(node))
    return DictValue(items=made.items, complete=complete and not unknown_keys, draws=draws)


def _detached(node: ast.expr) -> ast.expr:
    """The tensor that `tensor.detach()` shares its memory with; any other expression itself."""
    match node:
        case ast.Call(func=ast.Attribute(value=ast.Name() as tensor, attr="detach"), args=[], keywords=[]):
            return tensor
    return node


def _run(it: Interpreter, generators: list[ast.comprehension], add: Callable[[], None]) -> tuple[bool, frozenset[Draw]]:
    """Go through all items in a scope of its own; whether every item was known, and the draws of the iterables."""
    outer = it.activation
    scope = Environment(outer.module, "function", outer.environment)
    inner = Activation(outer.module, scope, outer.function, outer.returns, outer.on_yield, outer.loops)
    inner.outer, inner.outer_facts = outer.outer, outer.outer_facts
    it.activations.append(inner)
    mark = it.journal.mark()
    try:
        found = _level(it, generators, add)
    finally:
        it.activations.pop()
    it.forget_names(scope, mark)
    return found


def _level(
    it: Interpreter, generators: list[ast.comprehension], add: Callable[[], None]
) -> tuple[bool, frozenset[Draw]]:
    from cmgan_audit.program.execution.iteration import announce, collected, element, is_unrolled
    from cmgan_audit.program.language.assignments import assign
    from cmgan_audit.program.language.booleans import evaluate_test
    from cmgan_audit.program.language.expressions import evaluate

    if not generators:
        add()
        return True, frozenset()
    first, *rest = generators
    location = it.location(first.iter)
    iterable = it.read(evaluate(it, first.iter))
    items, complete = collected(it, iterable, location) if not isinstance(iterable, GeneratorValue) else ([], False)
    known = complete and is_unrolled(it, iterable, len(items))
    loop = Loop(location, iterable)
    if not known:
        announce(it, iterable, loop, location)
        items = [element(it, iterable, location)]
    draws = drawn(iterable)
    with it.entered(loop=loop), nullcontext() if known else it.forks.in_a_pass():
        for item in items:
            assign(it, first.target, item, quiet=True)
            passed = [truth(it, evaluate_test(it, test)) for test in first.ifs]
            if False in passed:
                continue
            known = known and None not in passed
            whole, more = _level(it, rest, add)
            known = known and whole
            draws |= more
    return known, draws
