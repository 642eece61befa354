"""What an `except` block makes of the failure that it caught."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Set

from cmgan_audit.lazy_dataclasses import dataclass
from cmgan_audit.lazy_regex import regex
from cmgan_audit.source.statements import ENDS, calls_one, caught_by
from cmgan_audit.source.syntax import NamedFunction, called_name, shown

VALUE, MISSING, NOTHING, COUNTED, KEPT, RAISED = "value", "missing", "nothing", "counted", "kept", "raised"

_OF_FAILURES = regex(r"fail|err|skip|bad|invalid|miss|broken|problem|drop|exclu|exception|reject", re.IGNORECASE)
# Words of what PESQ says when it fails on its signals: "No utterances detected", "Buffer needs to be at least ...".
_OF_THE_METRIC = regex(r"utteranc|buffer|short|speech|silen|memory|pesq|stoi", re.IGNORECASE)
_OF_THE_DATA = frozenset({"NoUtterancesError", "BufferTooShortError"})
_ENDS = ENDS | {"fail", "skip"}
_ADDS = frozenset({"append", "add", "extend", "update", "setdefault"})
_ARRAYS = frozenset({"tensor", "as_tensor", "new_tensor", "FloatTensor", "array", "asarray", "float32", "float64"})
_WRITES = frozenset({"write", "writelines", "writerow"})
# What is written there is only seen while the program runs.
_SCREEN = regex(r"std(out|err)|tqdm|(\b|_)(p|progress)?bar\b", re.IGNORECASE)
_SAYS = frozenset({"print", "warn", "warning", "error", "exception", "critical", "info", "print_exc"})


@dataclass(frozen=True, slots=True)
class Outcome:
    """What becomes of a failure: one of the kinds above, and the value that takes the place of the score."""

    kind: str
    text: str

    @property
    def told(self) -> str:
        """The end of a sentence: "a failed PESQ becomes -1 here"."""
        if self.kind in (VALUE, MISSING):
            return f"becomes {self.text} here"
        told = {NOTHING: "is passed over here", COUNTED: "is counted here", KEPT: "is kept as such here"}
        return told.get(self.kind, "is raised again here")


def outcome_of(
    handler: ast.ExceptHandler, node: ast.Try, *, last: bool = False, function: ast.AST | None = None
) -> Outcome:
    """Judge a handler.

    Args:
        handler: the `except` block.
        node: the statement that it belongs to, whose body computes the metric.
        last: whether its function ends behind it, and gives None there.
        function: the function that it stands in; without it, every name may be read later.
    """
    if _always_raises(handler.body) or _holds_back_another(handler):
        return Outcome(RAISED, "")
    masks = {target for statement in _statements(node.body) if _marks(statement) for target in _written(statement)}
    scored = {target for statement in _statements(node.body) for target in _written(statement)} - masks
    counted = any(_marks(each) and masks & set(_written(each)) for each in _statements(handler.body))
    tries = set(_counters_set_back(handler))
    values: list[ast.expr | None] = []
    for statement in _statements(handler.body):
        if tries and tries.issuperset(_written(statement)) and not isinstance(statement, ast.Return):
            continue
        counted = counted or counts(statement, scored) or _keeps(statement, handler)
        if not _is_never_read(statement, node, function):
            values.extend(_given(statement, scored))
    if last and _gives_back([*node.body, *node.orelse]) and not _gives_back(handler.body):
        values.append(None)
    if any(value is not None and (_tells(value, handler) or _is_marked(value, node.body)) for value in values):
        return Outcome(KEPT, "")
    for value in values:
        if value is not None and not _is_missing(value):
            return Outcome(VALUE, _shown(value))
    if counted:
        return Outcome(COUNTED, "")
    if values and _says(handler):
        return Outcome(KEPT, "")
    for value in values:
        return Outcome(MISSING, "None" if value is None else _shown(value))
    return Outcome(KEPT if _is_of_the_data(handler) and _says(handler) else NOTHING, "")


def _is_of_the_data(handler: ast.ExceptHandler) -> bool:
    """Whether only failures are caught that the reference or its length is to blame for."""
    caught = caught_by(handler)
    return bool(caught) and caught <= _OF_THE_DATA


def _is_never_read(statement: ast.stmt, node: ast.Try, function: ast.AST | None) -> bool:
    """Whether a handler gives values to names that only the body of its `try` reads, where they are given anew."""
    targets = list(_targets(statement))
    if function is None or not targets or not all(isinstance(target, ast.Name) for target in targets):
        return False
    inside = {id(each) for each in _within(node.body)}
    names = {target.id for target in targets if isinstance(target, ast.Name)}
    return not any(
        isinstance(each, ast.Name) and isinstance(each.ctx, ast.Load) and each.id in names and id(each) not in inside
        for each in ast.walk(function)
    )


def _says(handler: ast.ExceptHandler) -> bool:
    """Whether each failure is printed or logged: a NaN or None beside it hides nothing."""
    return any(map(says, _statements(handler.body)))


def says(statement: ast.stmt) -> bool:
    """Whether a statement prints or logs something."""
    call = statement.value if isinstance(statement, ast.Expr) else None
    return isinstance(call, ast.Call) and _says_something(ast.unparse(call.func))


def _says_something(called: str) -> bool:
    """Whether a function prints or logs what it is given: `print`, `logger.warning`, `tqdm.write`."""
    owner, _, name = called.rpartition(".")
    return name in _SAYS or (name in _WRITES and _SCREEN.search(owner) is not None)


def _marks(statement: ast.stmt) -> bool:
    """Whether a statement notes that an item was scored, or that it was not: `scored.append(True)`, `ok = False`."""
    adding = _adding(statement)
    value = adding.args[-1] if adding is not None and adding.args else getattr(statement, "value", None)
    return isinstance(value, ast.Constant) and isinstance(value.value, bool)


def _always_raises(body: list[ast.stmt]) -> bool:
    for statement in body:
        if isinstance(statement, ast.Raise):
            return True
        if isinstance(statement, ast.If) and statement.orelse:
            if _always_raises(statement.body) and _always_raises(statement.orelse):
                return True
        if calls_one(statement, _ENDS):
            return True
        if isinstance(statement, ast.Assert) and isinstance(statement.test, ast.Constant) and not statement.test.value:
            return True
    return False


def _holds_back_another(handler: ast.ExceptHandler) -> bool:
    """Whether all failures are raised again but one that is told by its message, which is none of a metric.

    `if "the manifest is empty" not in str(error): raise` lets every failed PESQ pass. So does a handler that waits for
    a network's memory, and frees that of the GPU.
    """
    frees = any(isinstance(each, ast.Attribute) and each.attr == "empty_cache" for each in _within(handler.body))
    for statement in handler.body:
        if not isinstance(statement, ast.If) or not handler.name:
            continue
        inside = list(ast.walk(statement.test))
        texts = [each.value for each in inside if isinstance(each, ast.Constant) and isinstance(each.value, str)]
        about = any(isinstance(each, ast.Name) and each.id == handler.name for each in inside)
        # `if "rate" in str(error): raise` holds back every other one.
        told = not any(isinstance(each, ast.NotIn | ast.Not | ast.NotEq) for each in inside)
        raises = _always_raises(statement.orelse if told else statement.body)
        if about and raises and texts and (frees or not any(map(_OF_THE_METRIC.search, texts))):
            return True
    return False


def _within(body: list[ast.stmt]) -> Iterator[ast.AST]:
    return (node for statement in body for node in ast.walk(statement))


def _gives_back(body: list[ast.stmt]) -> bool:
    return any(isinstance(each, ast.Return) for each in _statements(body))


def _statements(body: list[ast.stmt]) -> Iterator[ast.stmt]:
    """Statements and those in their blocks, without functions and classes defined among them."""
    for statement in body:
        yield statement
        if isinstance(statement, NamedFunction | ast.ClassDef):
            continue
        for name in ("body", "orelse", "finalbody"):
            yield from _statements(getattr(statement, name, None) or [])
        for inner in getattr(statement, "handlers", ()):
            yield from _statements(inner.body)


def _written(statement: ast.stmt) -> Iterator[str]:
    """What a statement assigns or adds to, as text."""
    for target in _targets(statement):
        yield ast.unparse(target)
    adding = _adding(statement)
    if adding is not None:
        yield ast.unparse(adding.func)


def _targets(statement: ast.stmt) -> Iterator[ast.expr]:
    targets: list[ast.expr] = []
    if isinstance(statement, ast.Assign):
        targets = statement.targets
    elif isinstance(statement, ast.AnnAssign | ast.AugAssign):
        targets = [statement.target]
    for target in targets:
        yield from target.elts if isinstance(target, ast.Tuple | ast.List) else [target]


def _adding(statement: ast.stmt) -> ast.Call | None:
    """`scores.append(x)` and its like."""
    call = statement.value if isinstance(statement, ast.Expr) else None
    if isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute) and call.func.attr in _ADDS:
        return call
    return None


def counts(statement: ast.stmt, scored: Set[str] = frozenset()) -> bool:
    """Whether a statement counts a failure or notes the item: `failed += 1`, `failures.append(name)`.

    Args:
        statement: one of a handler, or of what is done where a score is missing.
        scored: what the scores go to.
    """
    if isinstance(statement, ast.AugAssign) and isinstance(statement.op, ast.Add):
        return ast.unparse(statement.target) not in scored
    adding = _adding(statement)
    if adding is None:
        return _lists_in_a_file(statement)
    text = ast.unparse(adding.func)
    return text not in scored and bool(_OF_FAILURES.search(text))


def _lists_in_a_file(statement: ast.stmt) -> bool:
    """Whether a statement writes into a file which item failed: `listed.write(name + "\\n")`."""
    for file, written in _file_writes(statement):
        parts = [part for each in written for part in ast.walk(each) if isinstance(part, ast.expr)]
        names = any(isinstance(part, ast.Name) for part in parts) and not any(map(_is_number, parts))
        return names and not _SCREEN.search(ast.unparse(file))
    return False


def _file_writes(statement: ast.stmt) -> Iterator[tuple[ast.expr, list[ast.expr]]]:
    """The file that a statement writes into, and what it writes there."""
    match statement:
        case ast.Expr(value=ast.Call(func=ast.Attribute(attr=attr, value=file), args=[written])) if attr in _WRITES:
            yield file, [written]
        case ast.Expr(value=ast.Call(func=ast.Name(id="print"), args=printed, keywords=keywords)):
            yield from ((keyword.value, printed) for keyword in keywords if keyword.arg == "file")


def _keeps(statement: ast.stmt, handler: ast.ExceptHandler) -> bool:
    """Whether the exception itself is put by: `log.append(str(error))`."""
    adding = _adding(statement)
    given = adding.args if adding is not None else ()
    return any(isinstance(node, ast.Name) and node.id == handler.name for each in given for node in ast.walk(each))


def _counters_set_back(handler: ast.ExceptHandler) -> Iterator[str]:
    """Counters of tries that the handler raises and sets back: they tell of no failure, and are no score."""
    raised = {ast.unparse(each.target) for each in _statements(handler.body) if isinstance(each, ast.AugAssign)}
    for statement in _statements(handler.body):
        if isinstance(statement, ast.Assign) and isinstance(statement.value, ast.Constant):
            yield from raised.intersection(_written(statement))


def _given(statement: ast.stmt, scored: set[str]) -> Iterator[ast.expr | None]:
    """What takes the place of the score: a returned value, one assigned or added where the score would have gone."""
    if isinstance(statement, ast.Return):
        yield statement.value
    elif isinstance(statement, ast.Assign | ast.AnnAssign) and statement.value is not None:
        targets = [ast.unparse(target) for target in _targets(statement)]
        if set(targets) & scored or _is_number(statement.value):
            yield statement.value
    else:
        adding = _adding(statement)
        if adding is not None and adding.args and ast.unparse(adding.func) in scored:
            yield adding.args[-1]


def _is_number(value: ast.expr) -> bool:
    """A number or NaN in the handler, whatever it is assigned to: `except: p = 0.3` before `scores.append(p)`."""
    if isinstance(value, ast.UnaryOp):
        value = value.operand
    if isinstance(value, ast.Constant):
        return isinstance(value.value, int | float) and not isinstance(value.value, bool)
    return _is_nan(value)


def _is_missing(value: ast.expr) -> bool:
    """None or NaN, alone or as every item of a tuple or list, beside lists of nothing."""
    if isinstance(value, ast.Tuple | ast.List) and value.elts:
        return any(map(_is_missing, value.elts)) and all(_is_missing(each) or _is_empty(each) for each in value.elts)
    return (isinstance(value, ast.Constant) and value.value is None) or _is_nan(value)


def _is_empty(value: ast.expr) -> bool:
    match value:
        case ast.List(elts=[]) | ast.Tuple(elts=[]) | ast.Dict(keys=[]):
            return True
    return False


def _is_nan(value: ast.expr) -> bool:
    """NaN, alone or as a tensor or array of it: `torch.tensor(torch.nan, device=est.device)`."""
    if isinstance(value, ast.Call) and value.args and called_name(value) in _ARRAYS:
        return _is_nan(value.args[0])
    return bool(re.fullmatch(r"(\w+\.)*(nan|NaN|NAN|NA)|float\(['\"]-?nan['\"]\)", ast.unparse(value)))


def _tells(value: ast.expr, handler: ast.ExceptHandler) -> bool:
    """Whether what is handed on still says that it failed: it holds the exception, or a word such as "failed"."""
    for node in ast.walk(value):
        if isinstance(node, ast.Name) and node.id == handler.name:
            return True
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and _OF_FAILURES.search(node.value):
            return True
        if isinstance(node, ast.keyword) and node.arg in ("error", "failed", "status"):
            return True
    return False


def _is_marked(value: ast.expr, tried: list[ast.stmt]) -> bool:
    """Whether a flag beside a value tells it from a score: `return nan, False`, where a score is `score, True`."""
    if not isinstance(value, ast.Tuple):
        return False
    scores = [each.value for each in _statements(tried) if isinstance(each, ast.Return)]
    flags = {place: each.value for place, each in enumerate(value.elts) if isinstance(each, ast.Constant)}
    return any(
        isinstance(flags.get(place), bool) and isinstance(each, ast.Constant) and each.value is (not flags[place])
        for score in scores
        if isinstance(score, ast.Tuple)
        for place, each in enumerate(score.elts)
    )


def _shown(value: ast.expr) -> str:
    return "NaN" if _is_nan(value) else shown(value, 40)
