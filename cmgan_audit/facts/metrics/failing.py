"""Tests that ask whether one score of a batch failed: `-1 in scores`, `any(s is None for s in scores)`, ..."""

from __future__ import annotations

import ast

from cmgan_audit.facts.metrics.expressions import Surroundings, bind_loops, grade_of
from cmgan_audit.facts.metrics.grades import Grade, whole
from cmgan_audit.source.syntax import called_name

_ANY, _ALL = frozenset({"any"}), frozenset({"all"})
# Functions and methods that compare scores one by one: `np.isclose(scores, -1)`, `scores.eq(-1)`.
_EQUAL = frozenset({"isclose", "equal", "eq"})
_BELOW, _ABOVE = (ast.Lt, ast.LtE, ast.Eq, ast.Is), (ast.Gt, ast.GtE, ast.NotEq, ast.IsNot)


def asks_for_one_failure(test: ast.expr, around: Surroundings) -> bool | None:
    """What a test over the scores of a batch says when one of them failed and the others did not.

    Returns:
        True when it holds then, False when it does not, None when it asks something else (also: whether all failed).
    """
    match test:
        case ast.UnaryOp(op=ast.Not()):
            inner = asks_for_one_failure(test.operand, around)
            return None if inner is None else not inner
        case ast.BoolOp():
            parts = [asks_for_one_failure(part, around) for part in test.values]
            wanted = isinstance(test.op, ast.Or)
            return wanted if wanted in parts else None
        case ast.Compare(ops=[op]):
            return _compared(test.left, op, test.comparators[0], around)
        case ast.Call():
            told = _called(test, around)
            return around.answered(test) if told is None else told
    return None


def item_fails(test: ast.expr, around: Surroundings) -> bool | None:
    """Whether a test about one score holds for a failed one (True) or for a sound one (False); None: about no score."""
    match test:
        case ast.UnaryOp(op=ast.Not() | ast.Invert()):
            inner = item_fails(test.operand, around)
            return None if inner is None else not inner
        case ast.BoolOp():
            parts = [part for part in (item_fails(each, around) for each in test.values) if part is not None]
            return parts[0] if parts and len(set(parts)) == 1 else None
        case ast.Compare(left=left, ops=[op], comparators=[right]):
            if isinstance(right, ast.Constant | ast.UnaryOp | ast.Name | ast.Attribute) and _is_scores(left, around):
                if isinstance(op, _BELOW) and _is_stand_in(right, op):
                    return True
                if isinstance(op, _ABOVE) and _is_stand_in(right, op):
                    return False
        case ast.Call():
            name = called_name(test)
            about = [*test.args, *([test.func.value] if isinstance(test.func, ast.Attribute) else [])]
            if any(_is_scores(each, around) for each in about):
                if name in ("isnan", "isinf"):
                    return True
                if name == "isfinite":
                    return False
                if name in _EQUAL and any(_is_stand_in(each, ast.Eq()) for each in test.args[:2]):
                    return True
    return None


def _compared(left: ast.expr, op: ast.cmpop, right: ast.expr, around: Surroundings) -> bool | None:
    if isinstance(op, ast.In | ast.NotIn) and _is_scores(right, around):
        return isinstance(op, ast.In) if _is_stand_in(left, ast.Eq()) else None
    if _is_lowest(left, around):
        if isinstance(op, _BELOW) and _is_stand_in(right, op):
            return True
        if isinstance(op, _ABOVE) and _is_stand_in(right, op):
            return False
    if _counts_scores(left, around) and _counts_scores(right, around):
        if isinstance(op, ast.Lt | ast.NotEq | ast.Gt):
            return True
        return False if isinstance(op, ast.Eq) else None
    if _counts_failures(left, around) and isinstance(right, ast.Constant):
        if (isinstance(op, ast.Gt | ast.NotEq) and right.value == 0) or (isinstance(op, ast.GtE) and right.value == 1):
            return True
        return False if isinstance(op, ast.Eq) and right.value == 0 else None
    return None


def _called(test: ast.Call, around: Surroundings) -> bool | None:
    name = called_name(test)
    if name == "bool" and len(test.args) == 1:
        return asks_for_one_failure(test.args[0], around)
    if name in ("isnan", "isfinite") and test.args and _is_one_number(test.args[0], around):
        return name == "isnan"
    asked: ast.expr | None = test.args[0] if test.args else None
    if asked is None and isinstance(test.func, ast.Attribute):
        asked = test.func.value
    if asked is None or name not in _ANY | _ALL:
        return None
    fails = _items_fail(asked, around)
    if fails is None:
        return None
    if name in _ANY:
        return True if fails else None
    return None if fails else False


def _items_fail(asked: ast.expr, around: Surroundings) -> bool | None:
    """What `any` or `all` is asked about: the test on an item of a generator, or on an array of scores."""
    if isinstance(asked, ast.GeneratorExp | ast.ListComp):
        bind_loops(asked.generators, around)
        if _is_scores(asked.elt, around) and isinstance(asked.elt, ast.Name):
            return False  # all(scores): every score is true
        return item_fails(asked.elt, around)
    if isinstance(asked, ast.Name) and _is_scores(asked, around):
        return False
    return item_fails(asked, around)


def _is_scores(node: ast.expr, around: Surroundings) -> bool:
    return whole(grade_of(node, around)).grade is Grade.PER_ITEM


def _is_one_number(node: ast.expr, around: Surroundings) -> bool:
    return whole(grade_of(node, around)).grade is Grade.ONE_FOR_ALL


def _is_stand_in(node: ast.expr, op: ast.cmpop) -> bool:
    """A number that no score has, None or NaN; with < and > a bound below the scores."""
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        return isinstance(node.operand, ast.Constant)
    if isinstance(node, ast.Constant):
        if node.value is None:
            return True
        return isinstance(node.value, int | float) and not isinstance(node.value, bool) and node.value <= 1
    text = ast.unparse(node)
    spoken = text.rpartition(".")[2].lower()
    return isinstance(op, ast.Eq | ast.NotEq | ast.Is | ast.IsNot) and (
        text.isupper() or any(word in spoken for word in ("nan", "fail", "invalid", "sentinel", "error", "bad"))
    )


def _is_lowest(node: ast.expr, around: Surroundings) -> bool:
    if not isinstance(node, ast.Call) or called_name(node) not in ("min", "amin", "nanmin"):
        return False
    about = [*node.args, *([node.func.value] if isinstance(node.func, ast.Attribute) else [])]
    return any(_is_scores(each, around) for each in about)


def _counts_scores(node: ast.expr, around: Surroundings) -> bool:
    """`len(scores)` or `scores.shape[0]`."""
    if isinstance(node, ast.Call) and called_name(node) == "len" and node.args:
        return _is_scores(node.args[0], around)
    return False


def _counts_failures(node: ast.expr, around: Surroundings) -> bool:
    """`scores.count(-1)`, `(scores == -1).sum()`, `np.sum(np.isnan(scores))`."""
    if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
        return False
    if node.func.attr == "count" and node.args:
        return _is_scores(node.func.value, around) and _is_stand_in(node.args[0], ast.Eq())
    if node.func.attr not in ("sum", "count_nonzero"):
        return False
    about = [*node.args, node.func.value]
    return any(item_fails(each, around) is True for each in about)
