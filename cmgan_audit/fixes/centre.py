"""The fixed number in place of a drawn one: the middle of the range that a call draws from."""

from __future__ import annotations

import ast

from cmgan_audit.fixes.document import UnrecognisedShapeError
from cmgan_audit.fixes.python_text import PythonText, atom
from cmgan_audit.source.syntax import walk

# Draws from 0 (included) to 1 (left out).
_UNIT = frozenset(("random", "rand", "random_sample", "ranf"))


def drawn_expression(source: PythonText, call: ast.Call, callee: str) -> ast.expr:
    """The expression that yields the drawn number: the call, or what takes the number out of what it returns.

    Raises:
        UnrecognisedShapeError: the result is used in a way that a plain number could not be.
    """
    node: ast.expr = call
    while True:
        parent = source.parent(node)
        if isinstance(parent, ast.Attribute):
            outer = source.parent(parent)
            if parent.attr != "item" or not isinstance(outer, ast.Call):
                raise UnrecognisedShapeError(f".{parent.attr} of what {callee} draws is used")
            node = outer
        elif isinstance(parent, ast.Subscript) and parent.value is node:
            node = parent
        else:
            return node


def centre_of(source: PythonText, call: ast.Call, callee: str) -> str:
    """The text of the middle of what a call draws from, of the type that `drawn_expression` has.

    Args:
        source: the file.
        call: the drawing call.
        callee: the qualified name of the function, "random.randint".

    Raises:
        UnrecognisedShapeError: it is not known what the function draws from.
    """
    if any(isinstance(argument, ast.Starred) for argument in call.args) or any(k.arg is None for k in call.keywords):
        raise UnrecognisedShapeError(f"the arguments of {callee} are spread")
    if any(_is_own_length(node) for node in walk(call)):  # one item for ever, also where just that one cannot be loaded
        raise UnrecognisedShapeError(f"{callee} draws which item is taken, not the place of a cut")
    middle, size = _middle_and_size(source, call, callee)
    if size is None or drawn_expression(source, call, callee) is not call or _is_in_int(source, call):
        return middle
    if callee.startswith("torch.") and isinstance(call.func, ast.Attribute):
        return f"{source.source(call.func.value)}.full({size}, {middle})"
    raise UnrecognisedShapeError(f"{callee} draws an array")


def _is_own_length(node: ast.AST) -> bool:
    match node:
        case ast.Call(func=ast.Name(id="len"), args=[ast.Name(id="self")]):
            return True
    return False


def _is_in_int(source: PythonText, call: ast.Call) -> bool:
    parent = source.parent(call)
    return isinstance(parent, ast.Call) and isinstance(parent.func, ast.Name) and parent.func.id == "int"


def _middle_and_size(source: PythonText, call: ast.Call, callee: str) -> tuple[str, str | None]:
    """The middle, and the size of the tensor or array that the call returns; None where it returns a number."""
    member = callee.rpartition(".")[2]
    numbers = list(call.args)
    given = {keyword.arg or "": keyword.value for keyword in call.keywords}
    size = source.source(given["size"]) if "size" in given else None
    if member in _UNIT:
        sizes = ", ".join(source.source(number) for number in numbers)
        return "0.5", size or (f"({sizes},)" if sizes else None)
    if callee.startswith("torch.") and member == "randint":
        if size is None and numbers:
            size = source.source(numbers.pop())
        return _half_open(source, numbers, given, callee), size
    if callee.startswith("random.") and member in ("randint", "uniform"):
        low, high = _bounds(numbers, given, "a", "b")
        return _middle(source, low, high, "/" if member == "uniform" else "//", callee), None
    if len(numbers) == 3 and callee.startswith("numpy."):
        size = source.source(numbers.pop())
    if member == "uniform":
        low, high = _bounds(numbers, given, "low", "high")
        return _middle(source, low, high, "/", callee), size
    if member in ("randrange", "randint", "integers"):
        return _half_open(source, numbers, given, callee), size
    inner = numbers[0] if numbers and member == "choice" else None
    if isinstance(inner, ast.Call) and isinstance(inner.func, ast.Name) and inner.func.id == "range":
        return _half_open(source, list(inner.args), {}, "range"), size
    raise UnrecognisedShapeError(f"{callee} is no draw from a range of numbers")


_Bound = ast.expr | None


def _bounds(numbers: list[ast.expr], given: dict[str, ast.expr], lower: str, upper: str) -> tuple[_Bound, _Bound]:
    """The two bounds of a call, by position or by name."""
    low = numbers[0] if numbers else given.get(lower)
    high = numbers[1] if len(numbers) > 1 else given.get(upper)
    return low, high


def _half_open(source: PythonText, numbers: list[ast.expr], given: dict[str, ast.expr], callee: str) -> str:
    """The middle of a range that leaves its end out: n // 2 lies in range(n), and x // 2 in range(x + 1)."""
    if len(numbers) > 2:
        raise UnrecognisedShapeError(f"{callee} is given a step")
    low, high = _bounds(numbers, given, "low", "high")
    if high is None:  # one bound alone is the end
        low, high = None, low
    if isinstance(high, ast.BinOp) and isinstance(high.op, ast.Add) and _is_number(high.right, 1):
        high = high.left
    return _middle(source, low, high, "//", callee)


def _middle(source: PythonText, low: _Bound, high: _Bound, division: str, callee: str) -> str:
    if high is None:
        raise UnrecognisedShapeError(f"the range of {callee} is not written out")
    end = atom(source.source(high), high)
    if low is None or _is_number(low, 0):
        return f"{end} {division} 2"
    return f"({atom(source.source(low), low)} + {end}) {division} 2"


def _is_number(node: ast.expr, number: int) -> bool:
    return isinstance(node, ast.Constant) and node.value == number and not isinstance(node.value, bool)
