"""Statements: what each does to the state, and how a block of them ends."""

from __future__ import annotations

import ast
from collections.abc import Callable, Sequence
from typing import Any

from cmgan_audit.program.domain.facts import is_fork
from cmgan_audit.program.domain.joins import Branch
from cmgan_audit.program.domain.numbers import drawn
from cmgan_audit.program.domain.values import (
    Choice,
    ClassValue,
    Const,
    External,
    Instance,
    Symbol,
    Unknown,
    Value,
)
from cmgan_audit.program.execution.branches import Flow, Side, asked, fork, sides_of, truth
from cmgan_audit.program.execution.imports import execute_import, execute_import_from
from cmgan_audit.program.execution.interpreter import MOST_NODES_DEEP, Interpreter, ProgramRaisedError
from cmgan_audit.program.execution.state import Snapshot
from cmgan_audit.program.execution.supposing import suppose
from cmgan_audit.program.language.assignments import assign, execute_assign, execute_augmented, execute_delete, noted
from cmgan_audit.program.language.booleans import evaluate_test
from cmgan_audit.program.language.classes import library_bases
from cmgan_audit.program.language.complaints import is_main, only_complains, option_not_given
from cmgan_audit.program.language.definitions import declare, define_class, define_function
from cmgan_audit.program.language.expressions import evaluate
from cmgan_audit.program.language.functions import record_return
from cmgan_audit.program.language.loops import execute_for, execute_while
from cmgan_audit.program.language.managers import execute_with
from cmgan_audit.program.naming.names import canonical
from cmgan_audit.source.syntax import walk


def execute_block(it: Interpreter, statements: Sequence[ast.stmt]) -> Flow:
    """Execute statements in order until one leaves the block."""
    for position, statement in enumerate(statements):
        flow = execute(it, statement)
        if flow is not Flow.NEXT:
            if isinstance(statement, ast.If) and position + 1 < len(statements):
                suppose(it, statement.test, True, statements[position + 1 :], execute_block)
            return flow
    return Flow.NEXT


def execute(it: Interpreter, node: ast.stmt) -> Flow:
    """Execute one statement."""
    it.steps += 1  # as in `evaluate`
    if it.steps > it.budget or it.journal.joined > it.most_joined:
        it.exceed()
    handler = _HANDLERS.get(type(node))
    if handler is None:
        return Flow.NEXT
    if it.depth > MOST_NODES_DEEP:
        it.limit(it.location(node), "statements are nested too deeply to be followed")
        return Flow.NEXT
    it.depth += 1
    try:
        return handler(it, node) or Flow.NEXT
    finally:
        it.depth -= 1


def _expression(it: Interpreter, node: ast.Expr) -> None:
    match node.value:
        case ast.Constant() | ast.GeneratorExp():
            return  # nobody draws from a generator that has no name
        case ast.Call(func=ast.Name(id="map" | "filter" as name)) if it.activation.environment.scope_of(name) is None:
            return
    evaluate(it, node.value)


def _assign(it: Interpreter, node: ast.Assign) -> None:
    value, pairs = node.value, node.targets
    if (
        len(pairs) == 1
        and isinstance(value, ast.Tuple)
        and isinstance(pairs[0], ast.Tuple)
        and _side_by_side(pairs[0], value)
    ):
        parts = [evaluate(it, part) for part in value.elts]
        for target, part, source in zip(pairs[0].elts, parts, value.elts, strict=True):
            assign(it, target, noted(it, target, part, source))
        return
    execute_assign(it, node.targets, evaluate(it, value), value)


def _side_by_side(targets: ast.Tuple, values: ast.Tuple) -> bool:
    """`a, b = 1, 2`: every name has its own value."""
    whole = not any(isinstance(part, ast.Starred) for part in (*targets.elts, *values.elts))
    return whole and len(targets.elts) == len(values.elts)


def _annotated(it: Interpreter, node: ast.AnnAssign) -> None:
    if node.value is not None:
        assign(it, node.target, noted(it, node.target, evaluate(it, node.value), node.value))


def _return(it: Interpreter, node: ast.Return) -> Flow:
    value: Value = Const(value=None)
    if node.value is not None:
        value = _returned(it, evaluate(it, node.value), node)
    record_return(it, it.activation, value)
    return Flow.RETURN


def _returned(it: Interpreter, value: Value, node: ast.Return) -> Value:
    """A setting that a function gives back: the step says which function."""
    function = it.activation.function
    if function is None or not isinstance(value, Const | Symbol | Choice):
        return value
    return value.via(it.location(node), f"returned by {function.qualname}")


def _if(it: Interpreter, node: ast.If) -> Flow:
    asked_before = len(it.run.events)
    test = asked(it, node.test, it.read(evaluate_test(it, node.test)))
    verdict = truth(it, test)
    if verdict and _ends_the_script(it, node.body):
        option = option_not_given(it.run.events[asked_before:])
        if option:
            it.limit(it.location(node.test), f"{option} has to be given on this way, which is followed as if it were")
            return execute_block(it, node.orelse)
    if verdict is not None:
        suppose(it, node.test, verdict, node.orelse if verdict else node.body, execute_block)
        return execute_block(it, node.body if verdict else node.orelse)
    taken, other = sides_of(it, test, it.text(node.test))
    location = it.location(node.test)
    sides = [
        Side(taken, location, lambda: execute_block(it, node.body)),
        Side(other, location, lambda: execute_block(it, node.orelse)),
    ]
    return fork(it, sides, drawn(test))


def _ends_the_script(it: Interpreter, body: list[ast.stmt]) -> bool:
    """Whether a branch only refuses to go on. What is raised on every way is met, and passed over, as a check."""
    if isinstance(body[-1], ast.Raise) and it.context.conditions:
        return True
    in_main = is_main(it.activations[0].module, it.context.frames)
    return only_complains(body, in_main, lambda owner: _is_parser(it, owner))


def _is_parser(it: Interpreter, node: ast.expr) -> bool:
    """Whether an expression gives a parser of command lines."""
    value = it.read(evaluate(it, node)) if isinstance(node, ast.Name | ast.Attribute) else None
    if not isinstance(value, Instance):
        return False
    names = library_bases(value.cls) if isinstance(value.cls, ClassValue) else [canonical(value.external_name)]
    return any(name.endswith("Parser") for name in names)


def _raise(it: Interpreter, node: ast.Raise) -> None:
    if it.location(node) in it.passed_checks:
        return
    name = ""
    if node.exc is not None:
        value = evaluate(it, node.exc)
        if isinstance(value, External):
            name = value.name.rpartition(".")[2]
        elif isinstance(value, Instance):
            name = value.cls.name.rpartition(".")[2] if isinstance(value.cls, ClassValue | External) else ""
    raise ProgramRaisedError(name, it.location(node))


def _assert(it: Interpreter, node: ast.Assert) -> None:
    test = it.read(evaluate_test(it, node.test))
    verdict = truth(it, test)
    if verdict is None:
        taken, _ = sides_of(it, test, "")
        it.assert_facts(frozenset(fact for fact in taken.facts if not is_fork(fact[0])))
    if verdict is False and it.location(node) not in it.passed_checks:
        if it.probing and _asks_for_an_option(it, node.test):
            return  # who takes the way that is tried gives this option too
        raise ProgramRaisedError("AssertionError", it.location(node))


def _asks_for_an_option(it: Interpreter, test: ast.expr) -> bool:
    """Whether a test asks for an option of the command line that was not given and has no default.

    What it calls has been called already, and is not called again.
    """
    reads = (part for part in walk(test) if isinstance(part, ast.Attribute | ast.Name | ast.Subscript))
    plain = (part for part in reads if not any(isinstance(each, ast.Call) for each in walk(part)))
    asked_for = (it.read(evaluate(it, part)) for part in plain if isinstance(part.ctx, ast.Load))
    return any(isinstance(value, Const) and value.value in (None, "") and value.overridable for value in asked_for)


def _try(it: Interpreter, node: ast.Try) -> Flow:
    handlers = _plausible_handlers(node)
    reached: Snapshot = {}

    def main() -> Flow:
        mark, undone = it.journal.mark(), len(it.journal.undone)
        it.journal.tracking += 1
        try:
            flow = execute_block(it, node.body)
        finally:
            it.journal.tracking -= 1
            if handlers:
                reached.update(it.journal.anywhere_since(mark, undone))
            if not it.journal.tracking:
                it.journal.undone.clear()
        return execute_block(it, node.orelse) if flow is Flow.NEXT and node.orelse else flow

    try:
        if handlers:
            sides = [Side(Branch(""), it.location(node), main)]
            sides += [
                Side(Branch(_handler_text(it, h)), it.location(h), _handler_body(it, h, reached)) for h in handlers
            ]
            flow = fork(it, sides)
        else:
            flow = main()
    except ProgramRaisedError:
        if node.finalbody:
            execute_block(it, node.finalbody)
        raise
    if node.finalbody:
        last = execute_block(it, node.finalbody)
        flow = last if last is not Flow.NEXT else flow
    return flow


def _handler_body(it: Interpreter, handler: ast.ExceptHandler, reached: Snapshot) -> Callable[[], Flow]:
    """A handler's side: the body may have stopped anywhere, so each cell holds what it held at some point in it."""

    def run() -> Flow:
        from cmgan_audit.program.execution.imports import bind_name

        it.journal.apply(reached)
        if handler.name:
            bind_name(it, it.activation.environment, handler.name, Unknown(reason="a caught exception"))
        return execute_block(it, handler.body)

    return run


def _handler_text(it: Interpreter, handler: ast.ExceptHandler) -> str:
    return f"except {it.text(handler.type, 60)}" if handler.type is not None else "except"


_ENDS_PROGRAM = frozenset({"KeyboardInterrupt", "SystemExit", "GeneratorExit"})
_IMPORT_FAILS = frozenset({"ImportError", "ModuleNotFoundError"})


def _plausible_handlers(node: ast.Try) -> list[ast.ExceptHandler]:
    """Handlers that belong to a training that runs: not those of an interrupt, nor of a missing library."""
    only_imports = all(isinstance(statement, ast.Import | ast.ImportFrom) for statement in node.body)
    found = []
    for handler in node.handlers:
        names = _caught(handler.type)
        if names and (names <= _ENDS_PROGRAM or names <= _IMPORT_FAILS):
            continue
        if only_imports:
            continue
        found.append(handler)
    return found


def _caught(node: ast.expr | None) -> set[str]:
    match node:
        case ast.Name():
            return {node.id}
        case ast.Attribute():
            return {node.attr}
        case ast.Tuple():
            return set().union(*(_caught(part) for part in node.elts))
    return set()


def _match(it: Interpreter, node: ast.Match) -> Flow:
    from cmgan_audit.program.language.matching import execute_match

    return execute_match(it, node)


def _nothing(it: Interpreter, node: ast.stmt) -> None:
    """`pass`, and type aliases."""


_HANDLERS: dict[type[ast.stmt], Callable[[Interpreter, Any], Flow | None]] = {
    ast.Expr: _expression,
    ast.Assign: _assign,
    ast.AnnAssign: _annotated,
    ast.AugAssign: execute_augmented,
    ast.Delete: execute_delete,
    ast.Return: _return,
    ast.If: _if,
    ast.For: execute_for,
    ast.AsyncFor: execute_for,
    ast.While: execute_while,
    ast.Break: lambda it, node: Flow.BREAK,
    ast.Continue: lambda it, node: Flow.CONTINUE,
    ast.Raise: _raise,
    ast.Assert: _assert,
    ast.With: execute_with,
    ast.AsyncWith: execute_with,
    ast.Try: _try,
    ast.Import: execute_import,
    ast.ImportFrom: execute_import_from,
    ast.FunctionDef: define_function,
    ast.AsyncFunctionDef: define_function,
    ast.ClassDef: define_class,
    ast.Global: declare,
    ast.Nonlocal: declare,
    ast.Match: _match,
    ast.Pass: _nothing,
}
if hasattr(ast, "TryStar"):
    _HANDLERS[ast.TryStar] = _try
