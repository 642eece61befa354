"""With which power of something a value grows: magnitudes compressed by 0.3 grow with the power 0.3 of the spectrum.

Phases grow with the power 0, products with the sum of the powers, `x ** p` with p times the power of x. So it does not
matter in which words a spectrum is compressed: `mag ** 0.3 * exp(1j * phase)` and `spec * abs(spec) ** -0.7` are one.
What is not understood has no power, and nothing is said of it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import field

from cmgan_audit.facts.preparation.signals import Signals
from cmgan_audit.facts.runtime.flow import Node
from cmgan_audit.facts.runtime.operations import DIVIDED, JOINED, OWN_SIZE, SAME_SIZE, TIMES
from cmgan_audit.facts.values import constant, is_none
from cmgan_audit.finding import Confidence, Location, Step
from cmgan_audit.lazy_dataclasses import dataclass
from cmgan_audit.program.domain.values import (
    BoundMethod,
    Choice,
    Const,
    External,
    ListValue,
    Symbol,
    Value,
)

_KEEPS = SAME_SIZE | frozenset(
    "absolute clamp_min clamp_max item mean sum std max amax maximum norm vector_norm conj squeeze_ unsqueeze_ "
    "moveaxis resolve_conj rearrange nan_to_num type_as ascontiguousarray".split()
)
_JOINS = JOINED | {"or"}
_FLAT = OWN_SIZE | frozenset("arctan2 sign sgn rand randn rand_like randn_like".split())
_OF_FLAT = frozenset("exp log log1p log10 tanh sigmoid".split())
_SUMS = frozenset({"+", "-", "add", "sub", "subtract"})
_POWERS = frozenset({"**", "pow", "power", "float_power"})
_FIXED = {"sqrt": 0.5, "square": 2.0, "rsqrt": -0.5, "reciprocal": -1.0, "var": 2.0}
_MOST = 400


@dataclass(frozen=True, slots=True)
class Growth:
    """The power with which a value grows, and the steps that raise it to a power of their own.

    `confidence` is medium where an option or the environment may set one of the exponents.
    """

    power: float
    steps: tuple[Step, ...] = ()
    confidence: Confidence = Confidence.HIGH


_CONSTANT = Growth(0.0)


@dataclass(eq=False)
class Growths:
    """The growth of the values of a run with those that `base` knows.

    Attributes:
        signals: what each value was computed from.
        base: the power of a value that is no further followed, None for all others.
    """

    signals: Signals
    base: Callable[[Value], Growth | None]
    _known: dict[int, Growth | None] = field(default_factory=dict)
    _kept: list[Value] = field(default_factory=list)
    _depth: int = 0

    def of(self, value: Value) -> Growth | None:
        """The growth of a value; None where it is not known."""
        key = id(value)
        if key not in self._known:
            if self._depth > _MOST:
                return None
            self._kept.append(value)  # its id must stay its own
            self._known[key] = None  # a value that depends on itself has none
            self._depth += 1
            self._known[key] = self._of(value)
            self._depth -= 1
        return self._known[key]

    def of_all(self, values: Iterable[Value]) -> Growth | None:
        """The one growth of several values, those aside that do not grow; None where they differ."""
        found = [self.of(value) for value in values]
        growing = [each for each in found if each is not None and each.power != 0.0]
        if any(each is None for each in found) or len({round(each.power, 6) for each in growing}) > 1:
            return None
        return growing[0] if growing else _CONSTANT

    def _of(self, value: Value) -> Growth | None:
        if isinstance(value, Const | Symbol | External):
            return _CONSTANT
        based = self.base(value)
        if based is not None:
            return based
        if isinstance(value, Choice):
            return self.of_all([option.value for option in value.options if not is_none(option.value)])
        if isinstance(value, ListValue):
            return self.of_all(value.items)
        if self.signals.network_of(value) is not None:
            return None
        item = self.signals.item_of(value)
        if item is not None:
            return self.of(item)
        node = self.signals.flow.node(value)
        if node is None:
            return None
        name, operands = _called(node)
        if name in _FLAT:
            return _CONSTANT
        if not operands:
            return None
        return self._computed(node, name, operands)

    def _computed(self, node: Node, name: str, operands: Sequence[Value]) -> Growth | None:
        if name in _KEEPS or name == "network":
            return self.of(operands[0])
        if name in _JOINS:
            return self.of_all(operands)
        if name == "polar":
            return self.of(operands[0])
        if name in _OF_FLAT:
            inner = self.of(operands[0])
            return inner if inner is not None and inner.power == 0.0 else None
        if name in _FIXED:
            return _raised(self.of(operands[0]), _FIXED[name], node.location, name)
        if len(operands) < 2:
            return None
        left, right = self.of(operands[0]), self.of(operands[1])
        if left is None or right is None:
            return None
        if name in TIMES or name in DIVIDED:
            sign = 1.0 if name in TIMES else -1.0
            return _joined(left, right, left.power + sign * right.power)
        if name in _SUMS:
            return self.of_all(operands[:2])
        return self._power(node, left, operands[1]) if name in _POWERS else None

    def _power(self, node: Node, base: Growth, exponent: Value) -> Growth | None:
        if base.power == 0.0:
            return base
        number = constant(exponent)
        if not isinstance(number, int | float) or isinstance(number, bool) or not math.isfinite(number):
            return None
        raised = _raised(base, float(number), node.location, f"the power of {number:.4g}")
        if raised is None or number == 2:
            return raised
        overridable = isinstance(exponent, Const) and exponent.overridable
        confidence = min(raised.confidence, Confidence.MEDIUM if overridable else Confidence.HIGH)
        return Growth(raised.power, (*exponent.trail, *raised.steps), confidence)


def _called(node: Node) -> tuple[str, tuple[Value, ...]]:
    """The last part of the name of what was computed, and of what; of a method that is not known, its object first."""
    name, operands = node.operation, node.operands
    if name == "call" and operands and isinstance(operands[0], BoundMethod):
        method = operands[0]
        return method.name, (method.receiver, *operands[1:])
    return name.rpartition(".")[2] or name, operands


def _raised(base: Growth | None, exponent: float, place: Location | None, how: str) -> Growth | None:
    if base is None:
        return None
    # The square of a magnitude and the root of a sum of squares only compute magnitudes.
    is_magnitude = exponent == 2.0 or (exponent == 0.5 and base.power == 2.0)
    if is_magnitude or place is None or base.power == 0.0:
        return Growth(base.power * exponent, base.steps, base.confidence)
    step = Step(place, "the root is taken" if how == "sqrt" else f"{how} is taken")
    return Growth(base.power * exponent, (step, *base.steps), base.confidence)


def _joined(left: Growth, right: Growth, power: float) -> Growth:
    steps = tuple(dict.fromkeys((*left.steps, *right.steps)))
    return Growth(power, steps, min(left.confidence, right.confidence))
