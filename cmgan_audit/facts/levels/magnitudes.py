"""Magnitudes that are taken over the last axis of a spectrum in pairs of real numbers: `pairs.pow(2).sum(-1).sqrt()`.

They look like statistics, and are none: each is made of the two parts of one number.
"""

from __future__ import annotations

from functools import cached_property

from cmgan_audit.facts.runtime.flow import Flow, Node
from cmgan_audit.facts.spectra.forms import Form, Forms
from cmgan_audit.facts.values import constant
from cmgan_audit.lazy_dataclasses import dataclass
from cmgan_audit.program.domain.values import Value

# Where the axis stands among the arguments of a method; a function has the tensor before it.
_AXIS = {"sum": 0, "norm": 1, "vector_norm": 1}
_ELEMENTWISE = frozenset("pow ** square abs float double contiguous clone to cuda".split())
_DEEPEST = 8


@dataclass(eq=False)
class Magnitudes:
    """What the run of a flow computes of pairs of real numbers."""

    flow: Flow

    def is_one(self, node: Node) -> bool:
        """Whether a reduction goes over the two parts of each number alone."""
        name = node.operation.rpartition(".")[2]
        if node.event is None or name not in _AXIS:
            return False
        given = node.event.arguments
        position = _AXIS[name] + (node.event.receiver is None)
        axis = given.get("dim", position) or given.get("axis")
        return constant(axis) == -1 and bool(node.operands) and self._are_pairs(node.operands[0])

    def _are_pairs(self, value: Value, depth: int = 0) -> bool:
        if self._forms.of(value) is Form.PAIRS:
            return True
        node = self.flow.node(value)
        if node is None or not node.operands or depth == _DEEPEST:
            return False
        return node.operation.rpartition(".")[2] in _ELEMENTWISE and self._are_pairs(node.operands[0], depth + 1)

    @cached_property
    def _forms(self) -> Forms:
        return Forms(self.flow.scene.calls)
