"""Which calls fit the parameters of a function of the tree: Python ends any other with a TypeError."""

from __future__ import annotations

from cmgan_audit.program.domain.values import (
    Absent,
    Arguments,
    Choice,
    ClassValue,
    FunctionValue,
    Instance,
    Value,
    may_be_absent,
)
from cmgan_audit.program.language.classes import (
    bound,
    class_attribute,
    constructor_of,
    is_enum,
    is_network,
    order_of_bases,
)
from cmgan_audit.source.syntax import positional_parameters


def may_take(callee: Value, arguments: Arguments) -> bool:
    """Whether a call may succeed; False only where parameters stay empty, or arguments are left over, for certain.

    Where one of two losses was chosen (`MSELoss()`, or one that takes four arguments), the number of arguments tells
    which of them a line is about, as the test around it does.
    """
    if isinstance(callee, Choice):
        return any(may_take(option.value, arguments) for option in callee.options)
    function = _function_of(callee)
    if function is None or function.decorators or arguments.open_kwargs:
        return True
    spec = function.node.args
    ordered = positional_parameters(spec)
    by_position = len(arguments.positional) + (function.bound_to is not None)
    if by_position > len(ordered) and spec.vararg is None:
        return False
    by_name = {parameter.arg for parameter in (*ordered[by_position:], *spec.kwonlyargs)}
    passed = {name for name, value in arguments.keywords.items() if not isinstance(value, Absent)}
    certain = {name for name in passed if not may_be_absent(arguments.keywords[name])}
    return by_name <= passed | set(function.defaults) and (spec.kwarg is not None or certain <= by_name)


def _function_of(callee: Value) -> FunctionValue | None:
    """The function of the tree that a call ends in, bound to what it is called on; None where it may be another one."""
    if isinstance(callee, FunctionValue):
        return callee
    if isinstance(callee, ClassValue):
        constructor = constructor_of(callee) if _hands_on_arguments(callee) else None
        return bound(constructor, callee) if constructor is not None else None  # the new object comes first
    if not isinstance(callee, Instance) or not isinstance(callee.cls, ClassValue):
        return None
    found = class_attribute(callee.cls, "__call__")
    if found is None and is_network(callee.cls) and "forward" not in callee.attrs:  # `self.forward = self.infer`
        found = class_attribute(callee.cls, "forward")
    return bound(found[0], callee) if found is not None and isinstance(found[0], FunctionValue) else None


def _hands_on_arguments(cls: ClassValue) -> bool:
    """Whether a call of a class is one of its constructor: no `__new__`, decorator or metaclass takes it before."""
    if is_enum(cls) or class_attribute(cls, "__new__") is not None:
        return False
    bases = (base for base in order_of_bases(cls) if isinstance(base, ClassValue))
    return not any(base.decorators or base.node.keywords for base in bases)
