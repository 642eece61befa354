"""Models that are picked among those of all epochs: by the end of a list of measured numbers, behind the training."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from cmgan_audit.facts.bindings import INSERTS
from cmgan_audit.facts.checkpoints.restoring import member_of
from cmgan_audit.facts.code import stack_of
from cmgan_audit.facts.selection.extremes import Extreme, end_of_places, end_of_sorted, extreme_of
from cmgan_audit.facts.selection.gathering import is_one_per_model
from cmgan_audit.facts.selection.senses import HIGHER, LOWER
from cmgan_audit.facts.selection.ways import FUNCTIONS
from cmgan_audit.facts.slices import Found
from cmgan_audit.facts.view import View
from cmgan_audit.lazy_dataclasses import dataclass
from cmgan_audit.lazy_regex import regex
from cmgan_audit.program.naming.names import canonical
from cmgan_audit.source.syntax import called_name, first_of, walk

_LOADS = frozenset({"load", "load_state_dict"})
_COPIES = frozenset(
    f"{module}.{name}"
    for module, names in {"shutil": "copy copy2 copyfile move", "os": "rename replace symlink link"}.items()
    for name in names.split()
)
_REMOVES = frozenset({"os.remove", "os.unlink", "shutil.rmtree", "pathlib.Path.unlink"})
# What files of models, and the names that hold their paths, are called.
_OF_MODEL = regex(r"\.(?:pt|pth|ckpt|tar|bin|safetensors)\b|model|check_?point|ckpt|weights|epoch")
_NAMED_MODEL = regex(r"check_?point|ckpt|weights|model_?(?:path|file|name)")
_OF_OTHERS = regex(r"\.(?:wav|flac|mp3|npy|npz|png|jpg|pdf|csv|json|txt)\b")
_WORST = regex(r"worst|hard|crash|diverg|outlier|old|last|final|latest|recent|drop|remov|evict|delet|to_rm")
_MOST_STEPS = 60


@dataclass(frozen=True, slots=True, eq=False)
class Pick:
    """The model of one epoch, picked by the end of a list of numbers.

    Attributes:
        extreme: the end of the list.
        at: the expression that gives it.
        taken: what counts as better: that of the model that is kept, where the others are removed.
    """

    extreme: Extreme
    at: Found
    taken: str


def picks_of(view: View) -> Iterator[Pick]:
    """The models that are loaded, copied or removed because a number is the least or the greatest of a list."""
    seen: set[ast.AST] = set()
    for event in view.scene.calls:
        name = canonical(event.callee)
        removes = name in _REMOVES
        loads = member_of(event) in _LOADS and name.partition(".")[0] in ("torch", "safetensors")
        if not (removes or loads or name in _COPIES):
            continue
        call = view.code.call_at(event.location)
        given = _given(call) if call is not None else None
        if call is None or given is None:
            continue
        here = Found(given, event.location.path, stack_of(event.context))
        if not loads and not _is_of_model(view, here, call):
            continue
        if removes and not _makes_room(view, here):
            continue
        for found, extreme in _behind(view, here):
            if found.node in seen or not _is_meant(view, found, extreme, removes=removes):
                continue
            if is_one_per_model(view, found.beside(extreme.held)):
                seen.add(found.node)
                yield Pick(extreme, found, LOWER if extreme.least is not removes else HIGHER)


def _given(call: ast.Call) -> ast.expr | None:
    """The path, or the state, that a call is about."""
    if called_name(call) == "unlink" and isinstance(call.func, ast.Attribute) and not call.args:
        return call.func.value
    return call.args[0] if call.args else next((each.value for each in call.keywords), None)


def _is_of_model(view: View, here: Found, call: ast.Call) -> bool:
    """Whether a file that is copied or removed is that of a model, by what the call and its path say.

    Where these say nothing, what the lists that the path is taken from were filled with may.
    """
    for into_lists in (False, True):
        steps = [call, *(each.node for each in _steps(view, here, into_lists=into_lists))]
        parts = [part for step in steps for part in walk(step)]
        texts = [part.value.lower() for part in parts if isinstance(part, ast.Constant) and isinstance(part.value, str)]
        names = [part.id.lower() for part in parts if isinstance(part, ast.Name)]
        names += [part.attr.lower() for part in parts if isinstance(part, ast.Attribute)]
        if any(_OF_OTHERS.search(text) for text in texts):
            return False
        if any(_OF_MODEL.search(text) for text in texts) or any(_NAMED_MODEL.search(name) for name in names):
            return True
    return False


def _makes_room(view: View, here: Found) -> bool:
    """Whether a file is removed where there are too many, and not because a better one came.

    `if len(kept) > 5: os.remove(...)`, `for path in kept[5:]: os.remove(path)`.
    """
    for parent in view.code.parents(here.path, here.node):
        match parent:
            case ast.For(iter=ast.Subscript(slice=ast.Slice())):
                return True
            case ast.If(test=test) | ast.While(test=test):
                return any(isinstance(part, ast.Call) and called_name(part) == "len" for part in walk(test))
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.Module():
                return False
    return False


def _behind(view: View, here: Found) -> Iterator[tuple[Found, Extreme]]:
    """The ends of lists that an expression is made of."""
    for step in _steps(view, here):
        extreme = _end(view, step)
        if extreme is not None:
            yield step, extreme


def _steps(view: View, here: Found, *, into_lists: bool = False) -> Iterator[Found]:
    """An expression and what it is made of: names, parts of paths, items, what an index says."""
    waiting, seen = [here], set[int]()
    while waiting and len(seen) < _MOST_STEPS:
        step = waiting.pop(0)
        if id(step.node) in seen:
            continue
        seen.add(id(step.node))
        yield step
        extreme = _end(view, step)
        if extreme is not None and not into_lists:
            continue  # what is in the list is another question
        parts: list[ast.expr] = [] if extreme is None else [extreme.held, *_keys_of(view, step, extreme)]
        match step.node:
            case ast.Name(id=name) if (drawn := _drawn_from(view, step, name)) is not None:
                parts += [drawn]
            case ast.Name() | ast.Attribute(value=ast.Name(id="self")):
                waiting += [each for each, _ in view.slicer.sources(step)]
            case ast.Attribute(value=inner) | ast.FormattedValue(value=inner) | ast.NamedExpr(value=inner):
                parts += [inner]
            case ast.Subscript(value=inner, slice=index):
                parts += [inner, index]
            case ast.JoinedStr(values=values) | ast.Tuple(elts=values) | ast.Dict(values=values):
                parts += values
            case ast.BinOp(left=left, right=right):
                parts += [left, right]
            case ast.Call(func=func, args=args, keywords=keywords):
                waiting += [each for each, _ in view.slicer.sources(step)]
                owner = [func.value] if isinstance(func, ast.Attribute) else []
                parts += [*owner, *args, *(each.value for each in keywords)]
        waiting += [step.beside(each) for each in parts]


def _keys_of(view: View, step: Found, extreme: Extreme) -> Iterator[ast.expr]:
    """The keys under which a function stores the numbers of a dictionary: `losses[path] = loss`."""
    around = next((each for each in view.code.parents(step.path, step.node) if isinstance(each, FUNCTIONS)), None)
    for node in walk(around) if around is not None and extreme.mapped else ():
        match node:
            case ast.Assign(targets=[ast.Subscript(value=owner, slice=key)]):
                if ast.unparse(owner) == ast.unparse(extreme.held):
                    yield key


def _drawn_from(view: View, step: Found, name: str) -> ast.expr | None:
    """What a comprehension draws a name from."""
    for holder in view.code.holders(step.path, step.node):
        for part in getattr(holder, "generators", ()):
            if any(isinstance(each, ast.Name) and each.id == name for each in walk(part.target)):
                drawn: ast.expr = part.iter
                return drawn
    return None


def _end(view: View, step: Found) -> Extreme | None:
    """The end of a list that an expression gives, also of one that was put in order before."""
    match step.node:
        case ast.Call(func=ast.Attribute(value=held, attr="pop"), args=[] | [_] as place, keywords=[]):
            index = place[0] if place else ast.UnaryOp(ast.USub(), ast.Constant(1))
            return _of_ordered(view, step, held, index)
        case ast.Call(args=[held, *_]) if called_name(step.node) in ("heappop", "heappushpop"):
            return Extreme(held, least=True)
        case ast.Subscript(value=ast.Name() | ast.Attribute() as held, slice=index):
            return _of_ordered(view, step, held, index)
        case ast.expr():
            return extreme_of(step.node)
    return None


def _of_ordered(view: View, step: Found, held: ast.expr, index: ast.expr) -> Extreme | None:
    """The end of a list that the statement before has put in order: `results.sort(key=...)`, then `results[0]`."""
    name, inner = ast.unparse(held), step.node
    for parent in view.code.parents(step.path, step.node):
        for block in ("body", "orelse", "finalbody"):
            statements = getattr(parent, block, None)
            if not isinstance(statements, list) or inner not in statements:
                continue
            for statement in reversed(statements[: statements.index(inner)]):
                match statement:
                    case ast.Expr(value=ast.Call(func=ast.Attribute(value=owner, attr="sort"), keywords=given)):
                        if ast.unparse(owner) == name:
                            return end_of_sorted(held, given, index)
                    case ast.Expr(value=ast.Call(args=[owner, _], keywords=given) as call):
                        if called_name(call) in INSERTS and ast.unparse(owner) == name:
                            return end_of_sorted(held, given, index)
                    case ast.Assign(
                        targets=[target], value=ast.Call(func=ast.Name(id="sorted"), args=[made], keywords=given)
                    ):
                        if ast.unparse(target) == name:
                            return end_of_sorted(made, given, index)
                    case ast.Assign(targets=[target], value=places) if ast.unparse(target) == name:
                        return end_of_places(places, index)
                if any(ast.unparse(part) == name for part in walk(statement) if isinstance(part, type(held))):
                    return None  # it is changed, or may be
        if isinstance(parent, FUNCTIONS):
            return None
        inner = parent
    return None


def _is_meant(view: View, found: Found, extreme: Extreme, *, removes: bool) -> bool:
    """Whether an end of a list is meant for the best one: not where it is called the worst, or both ends are asked."""
    parents = list(view.code.parents(found.path, found.node))
    statement = first_of(parents, ast.stmt)
    words = (
        word
        for part in walk(statement)
        for word in (getattr(part, "value", None), getattr(part, "id", None), getattr(part, "attr", None))
        if isinstance(word, str)
    )
    if not removes and any(_WORST.search(word.lower()) for word in words):
        return False
    around = next((each for each in parents if isinstance(each, FUNCTIONS)), None)
    for node in walk(around):
        other = extreme_of(node) if isinstance(node, ast.expr) else None
        if other is not None and other.least is not extreme.least and _same_list(other, extreme):
            return False
    return True


def _same_list(one: Extreme, other: Extreme) -> bool:
    return ast.unparse(one.held) == ast.unparse(other.held)
