"""How small a tensor can be, told from how it is computed: a sum of squares can be zero, with an epsilon it cannot."""

from __future__ import annotations

from enum import Enum

from cmgan_audit.facts.runtime.flow import Flow, Node
from cmgan_audit.facts.values import constant
from cmgan_audit.program.domain.values import Choice, Const, Instance, Unknown, Value, options_of

_DEEPEST = 40


class Least(Enum):
    """The least value that a computation can take."""

    ZERO = "can be exactly zero"
    POSITIVE = "stays above zero, or passes no gradient where it is zero"
    OPEN = "not known"


# Functions that give a number of at least zero, those that cannot reach it (ReLU lets no gradient pass at zero), and
# those that change neither (rearranging, sums and means of what was not negative).
_ZERO = frozenset("square abs absolute square_ abs_ norm vector_norm var".split())
_POSITIVE = frozenset("exp softplus sigmoid relu exp_ softmax ones ones_like finfo relu_".split())
_SAME = frozenset(
    "sum mean unsqueeze squeeze permute transpose view reshape contiguous to float double half cuda cpu flatten clone "
    "expand expand_as repeat narrow max amax min amin median movedim swapaxes t flip roll type type_as type_bool real "
    "unsqueeze_ squeeze_ nan_to_num item nansum cumsum masked_select gather index_select select chunk split sort T "
    "repeat_interleave rearrange".split()
)
# Losses that are zero where the two that are compared are equal, as functions and as modules.
_DISTANCES = frozenset(
    f"torch.nn.{name}"
    for name in (
        "functional.mse_loss functional.l1_loss functional.smooth_l1_loss functional.huber_loss "
        "MSELoss L1Loss SmoothL1Loss HuberLoss"
    ).split()
)
_CLAMPS = {"clamp": "min", "clamp_": "min", "clip": "min", "clamp_min": "min", "clamp_min_": "min"}


def least(flow: Flow, value: Value, depth: int = 0) -> Least:
    """The least value that a tensor or number can take."""
    if depth > _DEEPEST:
        return Least.OPEN
    if isinstance(value, Const):
        return _of_number(value)
    if isinstance(value, Choice):
        return _worst([least(flow, option.value, depth + 1) for option in options_of(value)])
    node = flow.node(value)
    if node is None:
        return Least.OPEN
    member = node.operation.rpartition(".")[2] or node.operation
    given = list(node.operands)
    if node.operation in _OPERATORS:
        return _of_operator(flow, node.operation, given, depth)
    return _of_function(flow, node, member, given, depth)


_OPERATORS = frozenset({"+", "-", "*", "/", "**", "[]", "or", "network"})


def _of_number(value: Const) -> Least:
    number = value.value
    if isinstance(number, bool) or not isinstance(number, int | float) or number < 0:
        return Least.OPEN
    return Least.POSITIVE if number > 0 else Least.ZERO


def _of_operator(flow: Flow, operation: str, given: list[Value], depth: int) -> Least:
    if operation in ("[]", "network"):
        return least(flow, given[0], depth + 1) if given else Least.OPEN
    if operation == "or":
        return _worst([least(flow, each, depth + 1) for each in given])
    left, right = given[0], given[-1]
    if operation == "**":
        return _power(flow, left, right, depth)
    if operation == "*" and _is_same(left, right):
        return Least.ZERO
    if operation == "/":
        return least(flow, left, depth + 1)
    low = least(flow, left, depth + 1)
    high = least(flow, right, depth + 1)
    if Least.OPEN in (low, high):
        return Least.OPEN
    if operation == "+":
        return Least.POSITIVE if Least.POSITIVE in (low, high) else Least.ZERO
    if operation == "*":
        return Least.ZERO if Least.ZERO in (low, high) else Least.POSITIVE
    return Least.OPEN


def _of_function(flow: Flow, node: Node, member: str, given: list[Value], depth: int) -> Least:
    if member in ("pow", "pow_", "float_power") and len(given) >= 2:
        return _power(flow, given[0], given[1], depth)
    if member in _ZERO or node.operation.removesuffix(".__call__") in _DISTANCES:
        return Least.ZERO
    if member in _POSITIVE:
        return Least.POSITIVE
    if member in _CLAMPS or (member in ("maximum", "max") and len(given) == 2):
        return _clamped(flow, node, given, depth)
    if member in ("add", "add_") and len(given) == 2:
        return _of_operator(flow, "+", given, depth)
    if member in ("mul", "mul_", "multiply") and len(given) == 2:
        return _of_operator(flow, "*", given, depth)
    if member in ("sqrt", "sqrt_") and given:
        return least(flow, given[0], depth + 1)
    if member in ("stack", "cat", "concat") and given:
        items = getattr(given[0], "items", ())
        return _worst([least(flow, each, depth + 1) for each in items]) if isinstance(items, list) else Least.OPEN
    if member in _SAME and given:
        return least(flow, given[0], depth + 1)
    if member in ("tensor", "full", "as_tensor") and given:
        return least(flow, given[-1], depth + 1)
    return Least.OPEN


def _clamped(flow: Flow, node: Node, given: list[Value], depth: int) -> Least:
    """A clamp at a positive number holds; what the number is may not be known, then the programmer's care counts."""
    arguments = node.value.arguments if isinstance(node.value, Instance) else None
    floor = arguments.get("min") if arguments is not None else None
    if floor is None:
        floor = given[1] if len(given) > 1 else None
    if floor is None:
        return Least.OPEN
    bound = least(flow, floor, depth + 1)
    return Least.ZERO if isinstance(floor, Const) and bound is Least.ZERO else bound


def _power(flow: Flow, base: Value, exponent: Value, depth: int) -> Least:
    number = constant(exponent)
    if isinstance(number, int | float) and number > 0 and number % 2 == 0:
        return Least.POSITIVE if least(flow, base, depth + 1) is Least.POSITIVE else Least.ZERO
    return least(flow, base, depth + 1)


def _is_same(left: Value, right: Value) -> bool:
    if left is right:
        return True
    if isinstance(left, Instance) and isinstance(right, Instance):
        return left.attrs is right.attrs
    if isinstance(left, Unknown) and isinstance(right, Unknown):
        return left.computed is not None and left.computed is right.computed
    return False


def _worst(found: list[Least]) -> Least:
    if not found or Least.OPEN in found:
        return Least.OPEN
    return Least.ZERO if Least.ZERO in found else Least.POSITIVE
