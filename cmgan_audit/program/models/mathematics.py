"""Functions of Python's `math`, computed where what they are given is known."""

from __future__ import annotations

import math
from collections.abc import Callable

from cmgan_audit.program.domain.numbers import constant
from cmgan_audit.program.domain.values import Const, Value
from cmgan_audit.program.models.registry import ModelCall, model

_FUNCTIONS: dict[str, Callable[..., float]] = {
    f"math.{function.__name__}": function
    for function in (
        *(math.ceil, math.floor, math.trunc, math.sqrt, math.exp, math.log, math.log2, math.log10),
        *(math.cos, math.sin, math.tan, math.tanh, math.pow, math.fabs, math.gcd),
    )
}


@model(*_FUNCTIONS)
def _computed(call: ModelCall) -> Value | None:
    given = call.arguments
    numbers = [value.value for value in given.positional if isinstance(value, Const)]
    if len(numbers) < len(given.positional) or given.keywords or given.open_kwargs or given.spread is not None:
        return None
    compute = _FUNCTIONS[call.callee]
    return constant(lambda: compute(*numbers), f"{call.callee}()", *given.positional)
