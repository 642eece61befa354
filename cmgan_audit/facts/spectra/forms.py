"""In which form a tensor holds a spectrum: complex numbers, or pairs of real numbers along the last axis."""

from __future__ import annotations

import enum
from collections.abc import Mapping, Sequence
from functools import cached_property

from cmgan_audit.facts.values import constant
from cmgan_audit.lazy_dataclasses import dataclass
from cmgan_audit.program.domain.values import (
    Arguments,
    Const,
    External,
    Instance,
    ListValue,
    Unknown,
    Value,
    options_of,
)
from cmgan_audit.program.execution.trace import CallEvent
from cmgan_audit.program.naming.names import canonical


@enum.unique
class Form(enum.Enum):
    """What a tensor is known to hold."""

    COMPLEX = "complex numbers"
    PAIRS = "pairs of real numbers"
    OPEN = "not known"


STFT = frozenset({"torch.stft", "torch.functional.stft"})
ISTFT = frozenset({"torch.istft", "torch.functional.istft"})
_COMPLEX = frozenset({"torch.complex", "torch.view_as_complex", "torch.polar"})
_PAIRS = frozenset({"torch.view_as_real"})
# Methods and functions that leave the numbers as they are and the last axis where it is, or move axes in a way that
# people only do to complex tensors.
_KEEPING = frozenset(
    "squeeze unsqueeze contiguous to cuda cpu detach clone type_as requires_grad_ expand repeat reshape view".split()
)
_DTYPES = frozenset({"torch.complex64", "torch.complex128", "torch.cfloat", "torch.cdouble"})
_DEPTH = 24


@dataclass(eq=False)
class Forms:
    """The forms of the tensors that some calls make and take."""

    calls: Sequence[CallEvent]

    def of(self, value: Value | None, depth: int = _DEPTH) -> Form:
        """The form of a tensor; OPEN where it is not known, or may be either."""
        if value is None or depth == 0:
            return Form.OPEN
        forms = {self._single(option.value, depth - 1) for option in options_of(value)}
        return forms.pop() if len(forms) == 1 else Form.OPEN

    def _single(self, value: Value, depth: int) -> Form:
        if isinstance(value, Const):
            return Form.COMPLEX if isinstance(value.value, complex) else Form.OPEN
        if isinstance(value, Unknown) and value.computed is not None:
            if value.computed.operation in ("*", "/", "+", "-"):
                return self._combined(value.computed.operands, depth)
            return Form.OPEN
        if isinstance(value, Instance):
            return self._result(value, depth)
        return Form.OPEN

    def _combined(self, operands: tuple[Value, ...], depth: int) -> Form:
        """Of an elementwise operation: one complex operand makes it complex."""
        forms = {self.of(each, depth) for each in operands}
        return next((form for form in (Form.COMPLEX, Form.PAIRS) if form in forms), Form.OPEN)

    def _result(self, value: Instance, depth: int) -> Form:
        name, given = canonical(value.external_name), value.arguments
        if name in _COMPLEX or _to_complex(given):
            return Form.COMPLEX
        if name in _PAIRS:
            return Form.PAIRS
        if name in STFT:
            return Form.PAIRS if constant(returns_complex(given)) in (False, None) else Form.COMPLEX
        if name in ("torch.stack", "torch.cat", "torch.concat"):
            return self._joined(given, depth, stacked=name == "torch.stack")
        if name in ("torch.exp", "torch.conj", "torch.mul", "torch.multiply"):
            return self._combined(given.positional, depth)
        event = self._origins.get(id(value.cell))
        if event is None or event.receiver is None:
            first = given.positional[0] if given.positional else None
            keeps = name.startswith("torch.") and name.rpartition(".")[2] in _KEEPING
            return self.of(first, depth) if keeps else Form.OPEN
        return self.of(event.receiver, depth) if name.rpartition(".")[2] in _KEEPING else Form.OPEN

    def _joined(self, given: Arguments, depth: int, *, stacked: bool) -> Form:
        """Two tensors side by side on a new last axis are the real and the imaginary part of something."""
        parts = given.get("tensors", 0)
        if not isinstance(parts, ListValue) or not parts.complete:
            return Form.OPEN
        forms = {self.of(part, depth) for part in parts.items}
        if Form.COMPLEX in forms:
            return Form.COMPLEX
        if constant(given.get("dim", 1)) != -1 or len(parts.items) != 2:
            return Form.OPEN
        return Form.PAIRS if stacked or all(map(self._has_new_axis, parts.items)) else Form.OPEN

    def _has_new_axis(self, value: Value) -> bool:
        if not isinstance(value, Instance) or not value.external_name.endswith(".unsqueeze"):
            return False
        position = 1 if canonical(value.external_name) == "torch.unsqueeze" else 0
        return bool(constant(value.arguments.get("dim", position)) == -1)

    @cached_property
    def _origins(self) -> Mapping[int, CallEvent]:
        """The call that made each object."""
        return {
            id(event.result.cell): event
            for event in self.calls
            if isinstance(event.result, Instance) and event.result.location == event.location
        }


def returns_complex(given: Arguments) -> Value | None:
    """The argument `return_complex` of `torch.stft`."""
    return given.get("return_complex", 9)


def _to_complex(given: Arguments) -> bool:
    values = given.every
    return any(isinstance(each, External) and canonical(each.name) in _DTYPES for each in values)
