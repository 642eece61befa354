"""Which part of which list of recordings a dataset was given: `files[:n]`, and whether two such parts have some of them
in common.

The interpreter knows no file names, so the answer is read from the source: both are followed back to where one list
comes from, and what is left are the bounds of a slice. Two beginnings of one list, two ends of it, and a part and the
whole always share items; of other parts only those with bounds that are the same, or numbers, are known to. What is
made of each item on the way (`[os.path.join(folder, name) for name in names]`) has to be the same on both ways.
"""

from __future__ import annotations

import ast
from dataclasses import replace
from itertools import pairwise

from cmgan_audit.facts.bindings import bound_argument
from cmgan_audit.facts.classes import own_method
from cmgan_audit.facts.code import stack_of
from cmgan_audit.facts.data.alike import are_alike, are_equal
from cmgan_audit.facts.data.one_value import gives_the_same
from cmgan_audit.facts.selection.ways import was_taken
from cmgan_audit.facts.slices import Found
from cmgan_audit.facts.values import same_object
from cmgan_audit.facts.view import View
from cmgan_audit.lazy_dataclasses import dataclass
from cmgan_audit.program.domain.listings import lists_a_folder
from cmgan_audit.program.domain.values import ClassValue, Instance
from cmgan_audit.program.execution.trace import CallEvent
from cmgan_audit.program.naming.names import canonical
from cmgan_audit.source.syntax import called_name, first_of, walk

_MOST_STEPS = 24
# Calls that give all items of their first argument, in an order that depends on nothing else.
_KEEPS = frozenset({"sorted", "list", "tuple", "natsorted", "array", "asarray"})
_SORTS = frozenset({"sorted", "natsorted"})
_TAKES_OUT = frozenset({"pop", "popleft", "remove", "clear", "discard", "difference_update", "popitem"})
_LOOPS = (ast.For, ast.AsyncFor, ast.While, ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
_SUBSET = "torch.utils.data.Subset"


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """A list where it comes from, and what was done on the way to a part of it.

    Attributes:
        root: the list.
        cut: the bounds of the slice that was taken.
        names: what the list was called.
        made: comprehensions that make something of each item, the last one first.
        orders: how the list was sorted before it was cut.
    """

    root: Found
    cut: Found | None
    names: frozenset[str]
    made: tuple[Found, ...]
    orders: tuple[str, ...]


def shares_items(view: View, one: Instance, other: Instance) -> bool:
    """Whether two datasets were given parts of one list that certainly have items in common.

    Args:
        view: the run.
        one: a dataset.
        other: another one, made alike but for that list.
    """
    if _SUBSET in (canonical(one.external_name), canonical(other.external_name)):
        return _are_subsets_that_overlap(view, one, other)
    if not isinstance(one.cls, ClassValue) or not isinstance(other.cls, ClassValue):
        return False
    mine, its = _given(view, one), _given(view, other)
    function = own_method(one.cls, "__init__")
    if mine is None or its is None or function is None:
        return False
    parameters = [each.arg for each in (*function.args.args[1:], *function.args.kwonlyargs)]
    return any(
        _have_common_items(view, _argument(function, mine, name), _argument(function, its, name))
        for name in parameters
        if are_alike(one, other, but=name)
    )


def _are_subsets_that_overlap(view: View, one: Instance, other: Instance) -> bool:
    """Whether a subset by a list of indices shares some with another one of the same dataset, or with that itself."""
    mine, its = (each.arguments.get("dataset", 0) if _is_subset(each) else each for each in (one, other))
    if not isinstance(mine, Instance) or not isinstance(its, Instance) or not same_object(mine, its):
        return False
    if not (_is_subset(one) and _is_subset(other)):
        return True  # a part of the whole
    return _have_common_items(view, *(_indices(_given(view, each)) for each in (one, other)))


def _have_common_items(view: View, one: Found | None, other: Found | None) -> bool:
    if one is None or other is None:
        return False
    mine, its = part_of(view, one), part_of(view, other)
    return mine is not None and its is not None and _overlap(view, mine, its)


def _indices(made: Found | None) -> Found | None:
    """The list of indices in a call that makes a subset."""
    match made:
        case (
            Found(node=ast.Call(args=[_, indices]))
            | Found(node=ast.Call(keywords=[*_, ast.keyword(arg="indices", value=indices)]))
        ):
            return made.beside(indices)
    return None


def _is_subset(value: Instance) -> bool:
    return canonical(value.external_name) == _SUBSET


def _given(view: View, dataset: Instance) -> Found | None:
    """The call that makes a dataset, under the stack of calls in which it did."""
    call = view.code.call_at(dataset.location)
    for event in view.scene.at(dataset.location) if call is not None else ():
        if any(isinstance(each, Instance) and same_object(each, dataset) for each in (event.receiver, event.result)):
            stack = stack_of(event.context)
            stack = stack[:-1] if stack and stack[-1] == dataset.location else stack
            assert call is not None
            return Found(call, dataset.location.path, stack)
    return None


def _argument(function: ast.FunctionDef, made: Found, parameter: str) -> Found | None:
    if not isinstance(made.node, ast.Call):
        return None
    given = bound_argument(function, made.node, parameter)
    return None if given is None else made.beside(given)


def part_of(view: View, found: Found) -> Part | None:
    """The list that an expression takes a part of; None where it is not one list, or more is done to it than slices.

    Args:
        view: the run.
        found: the expression.
    """
    cut: Found | None = None
    names: set[str] = set()
    made: list[Found] = []
    orders: list[str] = []
    item: int | None = None

    def part(root: Found, bounds: Found | None) -> Part:
        return Part(root, bounds, frozenset(names), tuple(made), tuple(orders))

    for _ in range(_MOST_STEPS):
        match found.node:
            case ast.Tuple(elts=parts) if item is not None and item < len(parts):
                found, item = found.beside(parts[item]), None
            case ast.Subscript(value=owner, slice=ast.Slice() as bounds) if item is None:
                if cut is not None or bounds.step is not None:
                    return None
                cut, found = found.beside(bounds), found.beside(owner)
            case ast.Call(args=[given, *_]) as call if called_name(call) in _KEEPS and not _is_own(view, found):
                if cut is not None and called_name(call) in _SORTS:
                    orders.append(" ".join(map(ast.dump, call.keywords)))
                found = found.beside(given)
            case ast.ListComp(elt=each_is, generators=[ast.comprehension(target=ast.Name(id=name), iter=it, ifs=[])]):
                if not any(isinstance(each, ast.Name) and each.id == name for each in walk(each_is)):
                    return None
                made.append(found)
                found = found.beside(it)  # an item for each
            case ast.Call(func=ast.Name(id="range"), args=[*first, ast.Call(func=ast.Name(id="len")) as length]):
                if len(first) > 1 or (first and cut is not None):
                    return None
                last = _from(found, first[0]) if first else None  # positions of all items, or of the last ones
                return part(found.beside(length), last or cut)
            case ast.Name() | ast.Attribute(value=ast.Name(id="self")) | ast.Call():
                names.add(ast.unparse(found.node))
                sources = _sources(view, found, item)
                if not sources:
                    whole = isinstance(found.node, ast.Call) and item is None
                    return part(found, cut) if whole else None
                if len(sources) > 1:
                    sources = _given_last(view, sources)
                if len(sources) != 1 or _is_drawn(view, sources[0][0]):
                    return None
                found, item = sources[0]
            case ast.ListComp() | ast.BinOp() | ast.List() if item is None:
                return part(found, cut)  # some of the items of another list, or more: a list of its own
            case _:
                return None
    return None


def _from(found: Found, first: ast.expr) -> Found:
    """The bounds of all that begins with an item."""
    return replace(found, node=ast.copy_location(ast.Slice(lower=first), first))


def _sources(view: View, found: Found, item: int | None) -> list[tuple[Found, int | None]]:
    """What an expression stands for; of an attribute of `self`, what its own class gives it."""
    sources = view.slicer.sources(found, item)
    if isinstance(found.node, ast.Attribute):
        own = _class_around(view, found)
        return [each for each in sources if _class_around(view, each[0]) is own]
    return sources


def _class_around(view: View, found: Found) -> ast.AST | None:
    return first_of(view.code.parents(found.path, found.node), ast.ClassDef)


def _given_last(view: View, sources: list[tuple[Found, int | None]]) -> list[tuple[Found, int | None]]:
    """What a name holds at last, of what it may have been given, as far as settings tell the way of the run."""
    ways = [(was_taken(view, each[0]), each) for each in sources]
    taken = [number for number, (way, _) in enumerate(ways) if way]
    return [each for way, each in ways[taken[-1] if taken else 0 :] if way is not False]


def _is_drawn(view: View, found: Found) -> bool:
    """Whether a loop goes through a list: what its variable holds is another item each time."""
    parent = next(view.code.parents(found.path, found.node), None)
    return isinstance(parent, ast.For | ast.AsyncFor | ast.comprehension)


def _is_own(view: View, call: Found) -> bool:
    """Whether a call leads to a function of the tree."""
    return (*call.stack, view.code.place_of(call.path, call.node)) in view.code.activations


def _overlap(view: View, one: Part, other: Part) -> bool:
    if not _have_one_root(view, one, other) or not _are_made_alike(view, one, other):
        return False
    if one.cut is None and other.cut is None:
        return False  # what both were given as it is may be no list
    if _loses_items(view, one.names | other.names):
        return False
    if one.cut is None or other.cut is None:
        return True
    if one.orders != other.orders or _is_put_in_order(view, one, other):
        return False
    mine, its = one.cut.node, other.cut.node
    assert isinstance(mine, ast.Slice) and isinstance(its, ast.Slice)
    if (mine.lower is None and its.lower is None) or (mine.upper is None and its.upper is None):
        return True
    if gives_the_same(view, one.cut, other.cut):
        return True
    numbers = _numbers(mine), _numbers(its)
    if numbers[0] is None or numbers[1] is None:
        return False
    return max(numbers[0][0], numbers[1][0]) < min(numbers[0][1], numbers[1][1])


def _are_made_alike(view: View, one: Part, other: Part) -> bool:
    """Whether the same is made of each item on both ways, and no loop makes something else of it each time."""
    if len(one.made) != len(other.made):
        return False
    steps = [*one.made, *other.made, *(each.cut for each in (one, other) if each.cut is not None)]
    if any(_is_repeated(view, each) for each in steps):
        return False
    for mine, its in zip(one.made, other.made, strict=True):
        assert isinstance(mine.node, ast.ListComp) and isinstance(its.node, ast.ListComp)
        elements = mine.beside(mine.node.elt), its.beside(its.node.elt)
        if not gives_the_same(view, *elements, but=ast.unparse(mine.node.generators[0].target)):
            return False
    return True


def _numbers(bounds: ast.Slice) -> tuple[float, float] | None:
    """Two bounds that are numbers from the beginning on; None where one is not, or counts from the end."""
    lower, upper = bounds.lower, bounds.upper
    first = lower.value if isinstance(lower, ast.Constant) else 0 if lower is None else None
    last = upper.value if isinstance(upper, ast.Constant) else float("inf") if upper is None else None
    return (first, last) if isinstance(first, int) and isinstance(last, int | float) else None


def _have_one_root(view: View, one: Part, other: Part) -> bool:
    """Whether two lists come from one call, or from two that list the same folder or count the same items."""
    mine, its = one.root, other.root
    if ast.dump(mine.node) != ast.dump(its.node) or _is_repeated(view, mine) or _is_repeated(view, its):
        return False
    if mine.stack == its.stack and (mine.node is its.node or _is_length(mine)):
        return True
    calls = [_call(view, each) for each in (mine, its)]
    if calls[0] is None or calls[1] is None or not lists_a_folder(canonical(calls[0].callee)):
        return False
    given = [each.arguments.every for each in calls if each is not None]
    return len(given[0]) == len(given[1]) and all(are_equal(*pair) for pair in zip(*given, strict=True))


def _is_length(found: Found) -> bool:
    return isinstance(found.node, ast.Call) and called_name(found.node) == "len"


def _call(view: View, found: Found) -> CallEvent | None:
    return view.code.calls.get((view.code.place_of(found.path, found.node), found.stack))


def _is_repeated(view: View, found: Found) -> bool:
    """Whether a loop evaluates an expression, or a call on the way to it, once for each of several sets."""
    calls = [(place.path, view.code.call_at(place)) for place in found.stack]
    for path, node in ((found.path, found.node), *calls):
        if node is None or _is_in_loop([node, *view.code.parents(path, node)]):
            return True
    return False


def _is_in_loop(chain: list[ast.AST]) -> bool:
    """Whether a loop around a node, which the chain leads up to, evaluates it more than once."""
    for inner, outer in pairwise(chain):
        match outer:
            case ast.comprehension(iter=drawn) | ast.For(iter=drawn) | ast.AsyncFor(iter=drawn) if drawn is inner:
                continue
            case ast.ListComp(generators=[first, *_]) | ast.SetComp(generators=[first, *_]) if first is inner:
                continue
            case ast.DictComp(generators=[first, *_]) | ast.GeneratorExp(generators=[first, *_]) if first is inner:
                continue
        if isinstance(outer, _LOOPS):
            return True
    return False


def _loses_items(view: View, names: frozenset[str]) -> bool:
    """Whether something takes items out of a list, by what it is called on the way."""
    for function in view.code.reached:
        for node in function.own_nodes():
            match node:
                case ast.Call(func=ast.Attribute(value=owner, attr=method)) if method in _TAKES_OUT:
                    if ast.unparse(owner) in names:
                        return True
                case ast.Delete(targets=targets) | ast.Assign(targets=targets):
                    held = [each.value for each in targets if isinstance(each, ast.Subscript)]
                    if any(ast.unparse(each) in names for each in held):
                        return True
    return False


def _is_put_in_order(view: View, one: Part, other: Part) -> bool:
    """Whether something puts a list in order anew between the two cuts, by the lines, or for each of them."""
    names, shuffles = one.names | other.names, 0
    cuts = sorted(each.cut.node.lineno for each in (one, other) if each.cut and isinstance(each.cut.node, ast.Slice))
    for function in view.code.reached:
        for node in function.own_nodes():
            match node:
                case ast.Call(args=[given, *_]) if called_name(node) == "shuffle" and ast.unparse(given) in names:
                    shuffles += 1
                case ast.Call(func=ast.Attribute(value=owner, attr="reverse" | "sort")) if ast.unparse(owner) in names:
                    pass
                case _:
                    continue
            if cuts[0] < node.lineno < cuts[-1]:
                return True
    return shuffles > 1 or (shuffles == 1 and one.root.stack != other.root.stack)
