"""Comparisons of two numbers as a program writes them: by an operator, or by a function that does the same."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from cmgan_audit.facts.code import stack_of
from cmgan_audit.facts.slices import Found
from cmgan_audit.facts.view import View
from cmgan_audit.lazy_dataclasses import dataclass
from cmgan_audit.program.naming.names import canonical

_LESS, _MORE = (ast.Lt, ast.LtE), (ast.Gt, ast.GtE)
# Functions of two numbers, and whether they ask if the first one is less.
_FUNCTIONS = {
    **dict.fromkeys(("operator.lt", "operator.le", "numpy.less", "numpy.less_equal"), True),
    **dict.fromkeys(("torch.lt", "torch.le", "torch.less", "torch.less_equal"), True),
    **dict.fromkeys(("operator.gt", "operator.ge", "numpy.greater", "numpy.greater_equal"), False),
    **dict.fromkeys(("torch.gt", "torch.ge", "torch.greater", "torch.greater_equal"), False),
}
# Methods of a tensor that give its number as another type.
_CONVERTING = frozenset({"item", "detach", "cpu", "clone", "numpy"})


@dataclass(frozen=True, slots=True, eq=False)
class Comparison:
    """A question whether one number is less, or more, than another.

    Attributes:
        node: the expression that asks.
        left: the first number.
        right: the second one.
        less: whether it asks if the first one is less.
    """

    node: ast.expr
    left: ast.expr
    right: ast.expr
    less: bool

    def sides(self) -> Iterator[tuple[ast.expr, ast.expr, bool]]:
        """The two numbers in both orders, each time with whether the first one has to be less.

        `best - loss > margin` asks of the loss and the best one too, and so does `margin < best - loss`.
        """
        yield self.left, self.right, self.less
        yield self.right, self.left, not self.less
        for difference, less in ((self.left, self.less), (self.right, not self.less)):
            if isinstance(difference, ast.BinOp) and isinstance(difference.op, ast.Sub):
                yield difference.left, difference.right, less
                yield difference.right, difference.left, not less


def comparison_of(view: View, found: Found) -> Comparison | None:
    """The comparison that an expression is; None where it is none, or a run chooses which."""
    match found.node:
        case ast.Compare(left=left, ops=[op], comparators=[right]) if isinstance(op, (*_LESS, *_MORE)):
            return Comparison(found.node, plain(left), plain(right), isinstance(op, _LESS))
        case ast.Call(args=[left, right], keywords=[]):
            asked = _functions_at(view, found)
            return Comparison(found.node, plain(left), plain(right), asked.pop()) if len(asked) == 1 else None
    return None


def plain(number: ast.expr) -> ast.expr:
    """A number without what makes another type of it: `loss` for `float(loss)` and `loss.item()`.

    Of `(loss := evaluate()) < best` it is the name that the number is given where it is compared.
    """
    match number:
        case ast.NamedExpr(target=target):
            return target
        case ast.Call(func=ast.Name(id="float"), args=[inner], keywords=[]):
            return plain(inner)
        case ast.Call(func=ast.Attribute(value=inner, attr=method), args=[], keywords=[]) if method in _CONVERTING:
            return plain(inner)
    return number


def written(number: ast.AST) -> str:
    """A number as the program writes it, without what makes another type of it."""
    return ast.unparse(plain(number) if isinstance(number, ast.expr) else number)


def _functions_at(view: View, found: Found) -> set[bool]:
    """Which way the functions ask that a run calls at one place: a variable may hold several."""
    place = view.code.place_of(found.path, found.node)
    events = view.scene.named(_FUNCTIONS.__contains__)
    here = (event for event in events if event.location == place and stack_of(event.context) == found.stack)
    return {_FUNCTIONS[canonical(event.callee)] for event in here}
