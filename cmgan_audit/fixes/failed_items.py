"""CMG401: items whose metric failed are left out of the discriminator's loss, and the others are kept.

One shape is known: a function or method turns the scores of a batch into an array, returns None when one of them is
-1, and returns a tensor otherwise; its callers test for None and take one loss between each tensor and a prediction.
"""

from __future__ import annotations

import ast
import posixpath
from collections.abc import Iterable, Iterator

from cmgan_audit.finding import Edit, Location
from cmgan_audit.fixes.case import Case, Repair, Sources
from cmgan_audit.fixes.document import UnrecognisedShapeError
from cmgan_audit.fixes.python_text import PythonText
from cmgan_audit.lazy_dataclasses import dataclass
from cmgan_audit.source.syntax import NamedFunction, called_name, names_in, walk

_KEPT = "kept"
_LOSSES = frozenset({"mse_loss", "l1_loss", "smooth_l1_loss"})
_MOVES = frozenset({"to", "cuda", "cpu", "float"})
_TENSORS = frozenset({"FloatTensor", "tensor", "as_tensor", "from_numpy"})
_FLATTENS = frozenset({"flatten", "view", "reshape", "squeeze"})


def keep_scored_items(case: Case) -> Repair:
    """Give failed items no score (NaN), drop the batch only when all failed, and take the loss over the others."""
    source = case.sources.python(case.place.path)
    test = _test_at(source, case.place)
    function = source.function_around(test)
    if not isinstance(function, NamedFunction):
        raise UnrecognisedShapeError(f"the batch at {case.place} is not dropped in a function")
    if sum(_defines(node, function.name) for node in walk(source.tree)) > 1:
        raise UnrecognisedShapeError(f"{source.path} defines {function.name}() more than once")
    edits = [*_scores_without_failures(source, function, test)]
    callers = list(_callers(case.sources, case.place.path, function.name))
    if not callers:
        raise UnrecognisedShapeError(f"nothing calls {function.name}() by its name")
    edits += _losses_over_the_kept(callers)
    return Repair("leave the items that failed out of the loss, and keep the others", tuple(edits))


def _test_at(source: PythonText, place: Location) -> ast.If:
    """The statement that drops the batch."""
    for node in walk(source.tree):
        if isinstance(node, ast.If) and node.lineno == place.line:
            return node
    raise UnrecognisedShapeError(f"no test of the scores stands at {place}")


def _scores_without_failures(source: PythonText, function: NamedFunction, test: ast.If) -> Iterator[Edit]:
    """The edits in the function that scores a batch."""
    place = f"{source.path}:{test.lineno}"
    match test:
        case ast.If(
            test=ast.Compare(left=failed, ops=[ast.In()], comparators=[ast.Name(id=scores)]),
            body=[ast.Return(value=None | ast.Constant(value=None))],
            orelse=[],
        ) if source.source(failed) == "-1" and test in function.body:
            pass
        case _:
            raise UnrecognisedShapeError(f"what stands at {place} is not `if -1 in scores: return None`")
    at = next(number for number, each in enumerate(function.body) if each is test)
    numpy = _numpy_of(function.body[at - 1] if at else None, scores)
    if not numpy:
        raise UnrecognisedShapeError(f"{scores} is not made an array right before {place}")
    if not _only_scaled(function.body[at + 1 :], scores):
        raise UnrecognisedShapeError(f"{function.name}() does more with {scores} than to scale it and make it a tensor")
    yield source.replace(test.test, f"({scores} == -1).all()")
    yield source.insert_after(test, f"{scores} = {numpy}.where({scores} == -1, {numpy}.nan, {scores})")


def _numpy_of(statement: ast.stmt | None, scores: str) -> str:
    """The name of NumPy in `scores = np.array(...)`; "" for anything else."""
    match statement:
        case ast.Assign(
            targets=[ast.Name(id=name)],
            value=ast.Call(func=ast.Attribute(value=ast.Name(id=numpy), attr="array" | "asarray")),
        ) if name == scores:
            return numpy
    return ""


def _only_scaled(statements: list[ast.stmt], scores: str) -> bool:
    """Whether the scores are moved and scaled by constants, and returned as a tensor: NaN stays NaN."""
    *scalings, last = statements or [ast.Pass()]
    for each in scalings:
        match each:
            case ast.Assign(targets=[ast.Name(id=name)], value=value) if name == scores and _scales(value, scores):
                continue
        return False
    if not isinstance(last, ast.Return) or last.value is None:
        return False
    made = _moved(last.value)
    named = isinstance(made, ast.Call) and isinstance(made.func, ast.Attribute) and made.func.attr in _TENSORS
    return named and isinstance(made, ast.Call) and bool(made.args) and _scales(made.args[0], scores)


def _scales(value: ast.expr, scores: str) -> bool:
    match value:
        case ast.Name(id=name):
            return name == scores
        case ast.BinOp(left=left, op=ast.Add() | ast.Sub() | ast.Mult() | ast.Div(), right=ast.Constant()):
            return _scales(left, scores)
    return False


def _moved(value: ast.expr) -> ast.expr:
    """What is moved to a device or made float by an expression."""
    while isinstance(value, ast.Call) and isinstance(value.func, ast.Attribute) and value.func.attr in _MOVES:
        value = value.func.value
    return value


def _callers(sources: Sources, path: str, name: str) -> Iterator[tuple[PythonText, ast.Call]]:
    """The calls of a function of one file.

    A tree may hold several programs with a function of the same name: a file means the one that lies nearest.

    Raises:
        UnrecognisedShapeError: the name is used in another way, or it is open which function a file means.
    """
    modules = [(user, walk(module)) for user, module in sources.modules_with(name)]
    homes = [each for each, nodes in modules if any(_defines(node, name) for node in nodes)]
    for user, nodes in modules:
        used = any(_names(node, name) for node in nodes)
        nearest = [user] if user in homes else _nearest(homes, user)
        if not used or path not in nearest:
            continue
        if nearest != [path]:
            raise UnrecognisedShapeError(f"it is open which {name}() is meant in {user}")
        source = sources.python(user)
        for node in (each for each in walk(source.tree) if _names(each, name)):
            call = source.parent(node)
            if not isinstance(call, ast.Call) or call.func is not node:
                raise UnrecognisedShapeError(f"{name} is not only called in {user}")
            yield source, call


def _defines(node: ast.AST, name: str) -> bool:
    return isinstance(node, NamedFunction) and node.name == name


def _names(node: ast.AST, name: str) -> bool:
    return (isinstance(node, ast.Name) and node.id == name) or (isinstance(node, ast.Attribute) and node.attr == name)


def _nearest(homes: list[str], user: str) -> list[str]:
    """The files that share the deepest folder with another one."""
    depths = {home: len(_shared(posixpath.dirname(home), posixpath.dirname(user))) for home in homes}
    return [home for home, depth in depths.items() if depth == max(depths.values())]


def _shared(one: str, other: str) -> list[str]:
    parts = list(zip(one.split("/"), other.split("/"), strict=False))
    end = next((at for at, (left, right) in enumerate(parts) if left != right), len(parts))
    return [left for left, _ in parts[:end] if left]


@dataclass(frozen=True, slots=True)
class _Loss:
    """Where scores are used: the loss between them (as `target` reads them) and a prediction, and its statement."""

    source: PythonText
    function: NamedFunction
    statement: ast.stmt
    scores: str
    target: ast.expr
    found: ast.expr


def _losses_over_the_kept(callers: Iterable[tuple[PythonText, ast.Call]]) -> Iterator[Edit]:
    """The edits where the scores are used: the loss takes the items that have one.

    A statement may add up losses of several scores (of an estimate, of the noisy input): each has a mask of its own.
    """
    together: dict[int, list[_Loss]] = {}
    for source, call in callers:
        loss = _loss_of(source, call)
        together.setdefault(id(loss.statement), []).append(loss)
    for losses in together.values():
        source, statement, function = losses[0].source, losses[0].statement, losses[0].function
        taken = names_in(function)
        masks = []
        for loss in losses:
            name = _KEPT if len(losses) == 1 else f"{_KEPT}_{loss.scores}"
            if name in taken:
                raise UnrecognisedShapeError(f"{function.name}() has a name {name} of its own")
            masks.append(f"{name} = ~{source.source(loss.target)}.isnan()")
            for each in (loss.target, loss.found):
                yield source.insert(source.place(each)[1], f"[{name}]")
        indent = source.indent(statement)
        yield source.insert_before(statement, ("; " if indent is None else f"\n{indent}").join(masks))


def _loss_of(source: PythonText, call: ast.Call) -> _Loss:
    """The one loss that the scores of a call go into, once they have been tested for None."""
    place = f"{source.path}:{call.lineno}"
    match source.parent(call):
        case ast.Assign(targets=[ast.Name(id=scores)]):
            pass
        case _:
            raise UnrecognisedShapeError(f"the scores get no name of their own at {place}")
    function = source.function_around(call)
    if not isinstance(function, NamedFunction):
        raise UnrecognisedShapeError(f"the scores at {place} are no local name of a function")
    names = [node for node in walk(function) if isinstance(node, ast.Name) and node.id == scores]
    read = [node for node in names if isinstance(node.ctx, ast.Load)]
    used = [node for node in read if not _tests_for_none(source.parent(node))]
    stored = [node for node in names if isinstance(node.ctx, ast.Store)]
    if len(used) != 1 or len(stored) != 1 or len(used) == len(read):
        raise UnrecognisedShapeError(f"the scores at {place} are not tested for None and then used in one loss")
    target, found, loss = _operands(source, used[0], place)
    between = []
    for each in source.parents(loss):
        if isinstance(each, ast.stmt):
            break
        between.append(each)
    statement = source.statement_around(loss)
    if not isinstance(statement, ast.Assign | ast.AugAssign | ast.Return) or not all(
        isinstance(each, ast.BinOp | ast.Call) for each in between
    ):
        raise UnrecognisedShapeError(f"the loss of the scores at {place} stands under a condition of its own")
    return _Loss(source, function, statement, scores, target, found)


def _tests_for_none(node: ast.AST | None) -> bool:
    match node:
        case ast.Compare(ops=[ast.Is() | ast.IsNot()], comparators=[ast.Constant(value=None)]):
            return True
    return False


def _operands(source: PythonText, scores: ast.Name, place: str) -> tuple[ast.expr, ast.expr, ast.Call]:
    """The scores as a loss takes them, the prediction that they meet there, and the loss."""
    operand: ast.AST = scores
    loss = source.parent(operand)
    while isinstance(loss, ast.Attribute) and loss.attr in _MOVES and isinstance(source.parent(loss), ast.Call):
        operand = source.parent(loss) or loss
        loss = source.parent(operand)
    if not isinstance(loss, ast.Call) or loss.keywords or len(loss.args) != 2 or called_name(loss) not in _LOSSES:
        raise UnrecognisedShapeError(f"the scores at {place} do not go into a mean loss of two tensors")
    target, found = (loss.args[0], loss.args[1]) if loss.args[0] is operand else (loss.args[1], loss.args[0])
    if target is not operand or not isinstance(found, ast.Call) or called_name(found) not in _FLATTENS:
        raise UnrecognisedShapeError(f"the prediction that the scores at {place} meet is not flattened there")
    return target, found, loss
