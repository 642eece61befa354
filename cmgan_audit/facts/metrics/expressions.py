"""How scores pass through expressions: the grade of an expression from the grades of names and calls."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Mapping
from typing import Protocol

from cmgan_audit.facts.metrics.bounds import stays_above_one
from cmgan_audit.facts.metrics.grades import NO_SCORES, Grade, Graded, Scores, combine, either, whole
from cmgan_audit.finding import Location
from cmgan_audit.source.syntax import arguments_named, arguments_of

# Calls that say something about the scores but hold none of them.
_ABOUT = frozenset(
    "len size numel dim isinstance print info debug warning error exception write log_message any all isnan isinf "
    "isfinite range str repr format type id hasattr ones_like zeros_like empty_like count_nonzero argmax argmin "
    "argsort nonzero shape device".split()
)
_OF_SHAPE = frozenset({"shape", "ndim", "size", "dtype", "device", "requires_grad", "is_cuda"})
_REDUCE = frozenset({"mean", "nanmean", "average", "median", "nanmedian", "fmean", "sum", "nansum", "fsum"})
_LIKE = {"full_like": 1, "full": 1, "where": 1}
_FILL = frozenset({"append", "extend", "add", "insert", "put", "update"})
# Calls that hand the scores on as they are, in another container or on another device.
_AS_THEY_ARE = frozenset(
    "array asarray tensor as_tensor from_numpy Tensor FloatTensor float32 float64 float list tuple to cuda cpu numpy "
    "detach clone copy reshape view unsqueeze squeeze flatten ravel stack cat concatenate vstack hstack expand_dims "
    "astype type type_as tolist item result get full full_like contiguous double requires_grad_ squeeze_ unsqueeze_ "
    "Parallel delayed".split()
)


class Surroundings(Protocol):
    """What an expression may ask of the function that it stands in."""

    names: dict[str, Graded]

    def place(self, node: ast.AST) -> Location:
        """Where a node stands."""

    def attribute(self, text: str, name: str) -> Graded:
        """What an attribute of an object holds, by its text ("self.scores") and its name."""

    def called(self, node: ast.Call, given: list[Graded], keywords: Mapping[str, Graded]) -> Graded | None:
        """What a call gives: of a metric, of functions of the tree, nothing of a loss; None where nothing is known."""

    def answered(self, node: ast.Call) -> bool | None:
        """What a function of the tree says when one score of a batch failed; None where it asks something else."""

    def subtracted(self, node: ast.BinOp, sides: tuple[Scores, Scores]) -> None:
        """Take note of a difference, which may be squared for a loss."""


def grade_of(node: ast.expr | None, around: Surroundings) -> Graded:
    """The grade of an expression."""
    match node:
        case None | ast.Constant() | ast.Compare() | ast.Lambda() | ast.JoinedStr():
            if isinstance(node, ast.Compare):
                for part in (node.left, *node.comparators):
                    grade_of(part, around)
            return NO_SCORES
        case ast.Name():
            return around.names.get(node.id, NO_SCORES)
        case ast.Attribute():
            return _attribute(node, around)
        case ast.Subscript():
            return _subscript(node, around)
        case ast.Call():
            return _call(node, around)
        case ast.Tuple():
            return tuple(whole(grade_of(each, around)) for each in node.elts)
        case ast.IfExp():
            grade_of(node.test, around)
            return either(grade_of(node.body, around), grade_of(node.orelse, around))
        case ast.NamedExpr():
            value = grade_of(node.value, around)
            around.names[node.target.id] = value
            return value
        case ast.ListComp() | ast.SetComp() | ast.GeneratorExp():
            return _comprehension(node, around)
        case ast.DictComp():
            bind_loops(node.generators, around)
            return grade_of(node.value, around)
        case ast.UnaryOp(op=ast.Not()):
            grade_of(node.operand, around)
            return NO_SCORES
        case ast.BinOp(op=ast.Sub()):
            sides = (whole(grade_of(node.left, around)), whole(grade_of(node.right, around)))
            around.subtracted(node, sides)
            return combine(sides).reckoned()
    parts = combine(grade_of(child, around) for child in ast.iter_child_nodes(node) if isinstance(child, ast.expr))
    return parts if isinstance(node, ast.List | ast.Dict | ast.Starred | ast.Await) else parts.reckoned()


def bind(target: ast.expr, value: Graded, around: Surroundings) -> None:
    """Assign a value to a target inside an expression: a loop variable of a comprehension."""
    if isinstance(target, ast.Name):
        around.names[target.id] = value
    elif isinstance(target, ast.Starred):
        bind(target.value, whole(value), around)
    elif isinstance(target, ast.Tuple | ast.List):
        for number, each in enumerate(target.elts):
            same = isinstance(value, tuple) and len(value) == len(target.elts)
            bind(each, value[number] if isinstance(value, tuple) and same else whole(value), around)


def element_of(node: ast.expr, around: Surroundings) -> Graded:
    """The grade of an item of what a loop runs over."""
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
        if node.func.id == "enumerate" and node.args:
            return (NO_SCORES, whole(element_of(node.args[0], around)))
        if node.func.id == "zip" and node.args:
            return tuple(whole(element_of(each, around)) for each in node.args)
    return whole(grade_of(node, around))


def bind_loops(generators: list[ast.comprehension], around: Surroundings) -> None:
    """Give the loop variables of a comprehension their grades."""
    for generator in generators:
        bind(generator.target, element_of(generator.iter, around), around)


def _comprehension(node: ast.ListComp | ast.SetComp | ast.GeneratorExp, around: Surroundings) -> Graded:
    bind_loops(node.generators, around)
    for generator in node.generators:
        for test in generator.ifs:
            grade_of(test, around)
    return whole(grade_of(node.elt, around))


def _attribute(node: ast.Attribute, around: Surroundings) -> Graded:
    if node.attr in _OF_SHAPE:
        return NO_SCORES
    held = around.attribute(ast.unparse(node), node.attr)
    return held if held != NO_SCORES else whole(grade_of(node.value, around))


def _subscript(node: ast.Subscript, around: Surroundings) -> Graded:
    text = ast.unparse(node)
    if text in around.names:
        return around.names[text]
    grade_of(node.slice, around)
    base = grade_of(node.value, around)
    if isinstance(node.slice, ast.Constant):
        if isinstance(node.slice.value, str):
            return NO_SCORES if isinstance(node.value, ast.Name) and text not in around.names else whole(base)
        if isinstance(base, tuple) and isinstance(node.slice.value, int) and -len(base) <= node.slice.value < len(base):
            return base[node.slice.value]
    return whole(base)


def _call(node: ast.Call, around: Surroundings) -> Graded:
    given = [grade_of(argument, around) for argument in node.args]
    keywords = {keyword.arg or "**": grade_of(keyword.value, around) for keyword in node.keywords}
    receiver: Graded = NO_SCORES
    member = ""
    if isinstance(node.func, ast.Attribute):
        receiver, member = grade_of(node.func.value, around), node.func.attr
    elif isinstance(node.func, ast.Name):
        member = node.func.id
    else:
        receiver = grade_of(node.func, around)
    known = around.called(node, given, keywords)
    if known is not None:
        return known
    if member in _FILL and isinstance(node.func, ast.Attribute):
        _fill(node.func.value, combine([*given, *keywords.values()]), around)
        return NO_SCORES
    if member in _ABOUT:
        return NO_SCORES
    _reckon_in_place(node, around)
    if member in _LIKE:
        return combine([*given[_LIKE[member] :], *keywords.values()])
    held = combine([receiver, *given, *keywords.values()])
    if isinstance(node.func, ast.Call):  # Parallel(n_jobs=4)(...)
        member = ast.unparse(node.func.func).rpartition(".")[2]
    if member not in _AS_THEY_ARE and not stays_above_one(node, of_receiver=whole(receiver) != NO_SCORES):
        held = held.reckoned()
    if member in _REDUCE and held.grade is Grade.PER_ITEM and not _keeps_items(node, receiver):
        return Scores(Grade.ONE_FOR_ALL, around.place(node))
    return held


def _fill(container: ast.expr, value: Scores, around: Surroundings) -> None:
    text = ast.unparse(container)
    around.names[text] = combine([around.names.get(text, NO_SCORES), value])


def _reckon_in_place(node: ast.Call, around: Surroundings) -> None:
    """`scores.sub_(1)` and `np.divide(scores, 3.5, out=scores)` change what a variable holds."""
    changed = []
    if not stays_above_one(node, of_receiver=False):
        changed = arguments_named(node, "out")
    if isinstance(node.func, ast.Attribute) and node.func.attr.endswith("_") and node.func.attr not in _AS_THEY_ARE:
        target = node.func.value
        while isinstance(target, ast.Call) and isinstance(target.func, ast.Attribute):
            target = target.func.value  # scores.sub_(1).div_(3.5)
        if target is not node.func.value or not stays_above_one(node, of_receiver=True):
            changed.append(target)
    _reckon(changed, around)


def may_change(node: ast.Call, around: Surroundings) -> None:
    """A call whose result nobody asks for may be there to change what it is given: `normalise(scores)`."""
    member = node.func.attr if isinstance(node.func, ast.Attribute) else ast.unparse(node.func)
    if member not in _ABOUT and member not in _FILL:
        _reckon(arguments_of(node), around)


def _reckon(changed: Iterable[ast.expr], around: Surroundings) -> None:
    for each in changed:
        text = ast.unparse(each.value if isinstance(each, ast.Subscript) else each)
        if text in around.names:
            around.names[text] = whole(around.names[text]).reckoned()


def _keeps_items(node: ast.Call, receiver: Graded) -> bool:
    """Whether a reduction names an axis: then the scores of the items may stay apart. `keepdims` alone names none."""
    if any(keyword.arg in ("axis", "dim") for keyword in node.keywords):
        return True
    positional = 0 if whole(receiver).grade is not Grade.NONE else 1
    return len(node.args) > positional
