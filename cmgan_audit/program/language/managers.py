"""The `with` statement: what is entered, under which names it is in force, and where its body runs."""

from __future__ import annotations

import ast
from dataclasses import replace

from cmgan_audit.program.domain.values import ClassValue, FunctionValue, GeneratorValue, Instance, Value
from cmgan_audit.program.execution.branches import Flow
from cmgan_audit.program.execution.interpreter import Interpreter
from cmgan_audit.program.execution.trace import Context
from cmgan_audit.program.language.assignments import assign
from cmgan_audit.program.language.classes import class_attribute
from cmgan_audit.program.language.expressions import evaluate
from cmgan_audit.program.language.functions import is_context_manager, managers_of
from cmgan_audit.source.syntax import own_nodes

# What keeps the managers that it is given while a block runs.
_STACKS = frozenset({"contextlib.ExitStack"})
_SUPPRESSES = "contextlib.suppress"


def execute_with(it: Interpreter, node: ast.With | ast.AsyncWith) -> Flow:
    """Execute a `with` statement."""
    return _with_items(it, node.items, node.body)


def _with_items(it: Interpreter, items: list[ast.withitem], body: list[ast.stmt], stack: str = "") -> Flow:
    """The body under the items; `stack` is the name of an ExitStack that the body itself gives further ones."""
    if not items:
        return _stacked(it, stack, body) if stack else _block(it, body)
    first, *rest = items
    value = it.read(evaluate(it, first.context_expr))
    if isinstance(value, GeneratorValue) and is_context_manager(value.function):
        return _with_generator(it, value, first, rest, body, stack)
    if isinstance(value, Instance) and value.external_name in _STACKS and isinstance(first.optional_vars, ast.Name):
        stack = first.optional_vars.id
    entered = _entered(it, value, first)
    if first.optional_vars is not None:
        assign(it, first.optional_vars, entered)
    managers = managers_of(value)
    before = it.context.managers
    it.context = _replaced(it, (*before, *managers))
    swallows = _may_swallow(value, managers)
    it.doubts += swallows
    try:
        return _with_items(it, rest, body, stack)
    finally:
        it.doubts -= swallows
        it.context = _replaced(it, before)


def _may_swallow(value: Value, managers: tuple[str, ...]) -> bool:
    """Whether the program may go on after an error in the body: `suppress`, an `__exit__` that returns something."""
    if _SUPPRESSES in managers:
        return True
    if not isinstance(value, Instance) or not isinstance(value.cls, ClassValue):
        return False
    found = class_attribute(value.cls, "__exit__")
    if found is None or not isinstance(found[0], FunctionValue):
        return False
    returned = [node.value for node in own_nodes(found[0].node) if isinstance(node, ast.Return)]
    return any(each is not None and not (isinstance(each, ast.Constant) and not each.value) for each in returned)


def _stacked(it: Interpreter, stack: str, body: list[ast.stmt]) -> Flow:
    """A body that goes on, from each `stack.enter_context(manager)`, as under a `with` of its own."""
    for at, statement in enumerate(body):
        item = _entered_later(statement, stack)
        if item is not None:
            flow = _block(it, body[:at])
            return flow if flow is not Flow.NEXT else _with_items(it, [item], body[at + 1 :], stack)
    return _block(it, body)


def _entered_later(statement: ast.stmt, stack: str) -> ast.withitem | None:
    """What a statement gives an ExitStack: `stack.enter_context(...)`, also `if test: stack.enter_context(...)`."""
    test: ast.expr | None = None
    target: ast.expr | None = None
    if isinstance(statement, ast.If) and len(statement.body) == 1 and not statement.orelse:
        test, statement = statement.test, statement.body[0]
    elif isinstance(statement, ast.Assign) and len(statement.targets) == 1:
        target = statement.targets[0]
    match statement:
        case (
            ast.Expr(value=ast.Call(func=ast.Attribute(value=ast.Name(id=name), attr="enter_context"), args=[manager]))
            | ast.Assign(
                value=ast.Call(func=ast.Attribute(value=ast.Name(id=name), attr="enter_context"), args=[manager])
            )
        ) if name == stack:
            pass
        case _:
            return None
    if test is not None:
        nothing = ast.copy_location(ast.Constant(value=None), manager)
        manager = ast.copy_location(ast.IfExp(test=test, body=manager, orelse=nothing), manager)
    return ast.withitem(context_expr=manager, optional_vars=target)


def _replaced(it: Interpreter, managers: tuple[str, ...]) -> Context:
    """The context with other managers; conditions that came up inside stay."""
    return replace(it.context, managers=managers)


def _entered(it: Interpreter, value: Value, item: ast.withitem) -> Value:
    """What `as` is bound to."""
    from cmgan_audit.program.library.answers import special_method

    if not isinstance(value, Instance):
        return value
    location = it.location(item.context_expr)
    result = special_method(it, value, "__enter__", [], location)
    return value if result is None else result


def _with_generator(
    it: Interpreter,
    value: GeneratorValue,
    item: ast.withitem,
    rest: list[ast.withitem],
    body: list[ast.stmt],
    stack: str,
) -> Flow:
    """`with` over a `@contextmanager` function of the tree: the body runs at its `yield`."""
    from cmgan_audit.program.execution.iteration import run_generator

    flows: list[Flow] = []

    def receive(yielded: Value) -> None:
        if flows:
            return  # a second yield stands in a branch that excludes the first
        if item.optional_vars is not None:
            assign(it, item.optional_vars, yielded)
        flows.append(_with_items(it, rest, body, stack))

    run_generator(it, value, receive)
    if not flows:
        return _with_items(it, rest, body, stack)
    return flows[-1]


def _block(it: Interpreter, body: list[ast.stmt]) -> Flow:
    from cmgan_audit.program.language.statements import execute_block

    return execute_block(it, body)
