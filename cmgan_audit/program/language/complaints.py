"""Where a script says that an option is missing and ends, instead of doing its work."""

from __future__ import annotations

import ast
from collections.abc import Callable, Sequence

from cmgan_audit.program.domain.values import Const
from cmgan_audit.program.execution.trace import DecisionEvent, Event, Frame
from cmgan_audit.program.naming.modules import Module
from cmgan_audit.source.statements import ENDS, SAYS, lone_call
from cmgan_audit.source.syntax import arguments_of, called_name, walk

_TELLS = SAYS | {"print_help", "print_usage"}
_TEXTS = frozenset({"format", "join", "str", "repr", "format_help", "format_usage"})


def option_not_given(events: Sequence[Event]) -> str:
    """An option without a default that a test asked for, as it is written; "" where the test asked for none."""
    asked = [event.value for event in events if isinstance(event, DecisionEvent) and isinstance(event.value, Const)]
    return next((value.overridable for value in asked if value.value in (None, "") and value.overridable), "")


def only_complains(body: Sequence[ast.stmt], in_main: bool, is_parser: Callable[[ast.expr], bool]) -> bool:
    """Whether a branch does nothing but say something and end the script.

    Args:
        body: the statements of the branch.
        in_main: whether the script is at its end when the function returns; any other one only leaves out what is
            optional.
        is_parser: whether an expression gives a parser of command lines: its `error` ends the script, a logger's does
            not.
    """
    *before, last = body
    if isinstance(last, ast.Return):
        return in_main and last.value is None and bool(before) and all(map(_tells, before))
    return (_calls(last, ENDS) or _exits(last) or _rejects(last, is_parser)) and all(map(_tells, before))


def is_main(script: Module, calls: Sequence[Frame]) -> bool:
    """Whether the innermost call is the one that a script ends with: `main()` in its last line."""
    if script.tree is None or len(calls) != 1 or not script.tree.body or calls[0].call.path != script.path:
        return False
    last = script.tree.body[-1]
    while isinstance(last, ast.If | ast.With | ast.Try):
        last = last.body[-1]
    return last.lineno <= calls[0].call.line


def _exits(statement: ast.stmt) -> bool:
    raised = statement.exc if isinstance(statement, ast.Raise) else None
    if isinstance(raised, ast.Call):
        return called_name(raised) == "SystemExit" and _only_text(raised)
    return isinstance(raised, ast.Name) and raised.id == "SystemExit"


def _rejects(statement: ast.stmt, is_parser: Callable[[ast.expr], bool]) -> bool:
    match statement:
        case ast.Expr(value=ast.Call(func=ast.Attribute(value=owner, attr="error")) as call):
            return _only_text(call) and is_parser(owner)
    return False


def _tells(statement: ast.stmt) -> bool:
    return _calls(statement, _TELLS)


def _calls(statement: ast.stmt, names: frozenset[str]) -> bool:
    call = lone_call(statement)
    return call is not None and called_name(call) in names and _only_text(call)


def _only_text(call: ast.Call) -> bool:
    """Whether nothing is done for what a call is given: `sys.exit(train())` is no complaint."""
    given = arguments_of(call)
    inner = [node for each in given for node in walk(each) if isinstance(node, ast.Call)]
    return all(called_name(node) in _TEXTS for node in inner)
