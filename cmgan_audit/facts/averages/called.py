"""The function of the tree behind a call, also the `forward` of a loss that the run has not gone through."""

from __future__ import annotations

import ast

from cmgan_audit.facts.code import Code, Stack
from cmgan_audit.facts.values import instances_of
from cmgan_audit.program.domain.values import ClassValue, FunctionValue
from cmgan_audit.program.execution.probe import attribute_of
from cmgan_audit.program.execution.trace import CallEvent
from cmgan_audit.source.syntax import NamedFunction


def called_function(code: Code, value: ast.expr, path: str, stack: Stack) -> tuple[NamedFunction, str, Stack] | None:
    """The function of the tree that a call leads to, its file, and the stack of calls inside of it.

    Args:
        code: the source of the run.
        value: the call; None is given back for any other expression.
        path: its file.
        stack: the calls under which it is made.
    """
    if not isinstance(value, ast.Call):
        return None
    inside = (*stack, code.place_of(path, value))
    function = code.activations.get(inside)
    owner = next((each.module.path for each in code.reached if each.node is function), None)
    if function is None:
        forward = _forward_of(code, code.calls.get((inside[-1], stack)))
        function, owner = (None, None) if forward is None else (forward.node, forward.module.path)
    if not isinstance(function, NamedFunction) or owner is None:
        return None
    return function, owner, inside


def _forward_of(code: Code, event: CallEvent | None) -> FunctionValue | None:
    """The `forward` of a loss of the tree, or of another of its modules, that a call runs."""
    if event is None or not event.callee.endswith(".__call__"):
        return None
    for module in instances_of(event.receiver):
        forward = attribute_of(code.scene.run, module, "forward") if isinstance(module.cls, ClassValue) else None
        if isinstance(forward, FunctionValue):
            return forward
    return None
