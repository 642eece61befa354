"""A part of an execution that happens inside something: a call, a loop, one side of a branch."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cmgan_audit.program.domain.facts import Facts

if TYPE_CHECKING:
    from cmgan_audit.program.execution.interpreter import Activation, Interpreter
    from cmgan_audit.program.execution.trace import Context


class Inside:
    """A part of an execution with a context of its own; a generator would take twice as long."""

    __slots__ = ("_before", "_context", "_facts", "_it", "activation")

    def __init__(self, it: Interpreter, context: Context, facts: Facts) -> None:
        self._it = it
        self._context, self._facts = context, facts
        self._before = it.context, it.facts
        self.activation: Activation | None = None

    def __enter__(self) -> None:
        it = self._it
        if self.activation is not None:
            it.activations.append(self.activation)
        it.context, it.facts = self._context, self._facts

    def __exit__(self, *_: object) -> None:
        it = self._it
        it.context, it.facts = self._before
        if self.activation is not None:
            it.activations.pop()
