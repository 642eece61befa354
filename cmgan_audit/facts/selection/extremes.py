"""Expressions that give the least or the greatest number of a list or dictionary, or the entry where it stands."""

from __future__ import annotations

import ast
from dataclasses import replace

from cmgan_audit.lazy_dataclasses import dataclass
from cmgan_audit.source.syntax import called_name

_LEAST = {"min": True, "amin": True, "max": False, "amax": False}
_PLACES = {"argmin": True, "argmax": False}
_LISTS = frozenset({"array", "asarray", "tensor", "list"})
# What gives the first entries of a list in order, with how many of them: `heapq.nsmallest(5, losses)`.
_FIRST = {"nsmallest": True, "nlargest": False}


@dataclass(frozen=True, slots=True, eq=False)
class Extreme:
    """The end of a list or dictionary that an expression gives.

    Attributes:
        held: the list or dictionary.
        least: whether the least number is meant.
        place: whether the expression gives the place or the entry where that stands, and not the number.
        item: which item of each entry is compared, where the entries are more than numbers.
        key: under which name the number stands in each entry.
        mapped: whether the values of a dictionary are compared.
    """

    held: ast.expr
    least: bool
    place: bool = False
    item: int | None = None
    key: str = ""
    mapped: bool = False

    @property
    def of_numbers(self) -> bool:
        """Whether the entries that are compared are numbers, and not more."""
        return self.item is None and not self.key


def extreme_of(node: ast.expr) -> Extreme | None:
    """What extreme an expression is.

    `min(losses)`, `sorted(losses)[0]`, `np.argmin(losses)`, `np.array(losses).argmin()`, `losses.index(min(losses))`,
    `max(losses, key=losses.get)`, `heapq.nsmallest(1, results, key=lambda each: each[1])`.
    """
    match node:
        case ast.Call(func=ast.Name(id="int"), args=[inner], keywords=[]):
            return extreme_of(inner)
        case ast.Call(func=ast.Attribute(attr="item" | "tolist", value=inner), args=[], keywords=[]):
            return extreme_of(inner)
        case ast.Call(func=ast.Attribute(attr="index", value=held), args=[inner], keywords=[]):
            found = extreme_of(inner)
            same = found is not None and not found.place and ast.unparse(found.held) == ast.unparse(held)
            return replace(found, place=True) if found is not None and same else None
        case ast.Call(args=[held], keywords=given) if called_name(node) in _LEAST:
            return _end(held, given, least=_LEAST[called_name(node)])
        case ast.Call(args=[_, held], keywords=given) if called_name(node) in _FIRST:
            return _end(held, given, least=_FIRST[called_name(node)])
        case ast.Call(args=[held], keywords=[]) if called_name(node) in _PLACES:
            return Extreme(_list_of(held), _PLACES[called_name(node)], place=True)
        case ast.Call(func=ast.Attribute(value=ast.Call() as made, attr=name), args=[], keywords=[]):
            held = _list_of(made)
            if held is not made and name in _LEAST | _PLACES:
                return Extreme(held, (_LEAST | _PLACES)[name], place=name in _PLACES)
        case ast.Subscript(value=ast.Call(func=ast.Name(id="sorted"), args=[held], keywords=given), slice=place):
            return end_of_sorted(held, given, place)
        case ast.Subscript(value=ast.Call() as inner, slice=ast.Constant()) if called_name(inner) in _FIRST:
            return extreme_of(inner)
        case ast.Subscript(value=places, slice=place):
            return end_of_places(places, place)
    return None


def end_of_places(places: ast.expr, place: ast.expr) -> Extreme | None:
    """The end of a list whose places are put in order: `np.argsort(losses)[0]`, `scores.argsort()[::-1][:5]`.

    Args:
        places: what gives the places in order.
        place: the index or slice of it.
    """
    first = _takes_first(place)
    ordered = None if first is None else _places_in_order(places)
    if ordered is None:
        return None
    held, rising = ordered
    return Extreme(_list_of(held), least=first is rising, place=True)


def _places_in_order(node: ast.expr) -> tuple[ast.expr, bool] | None:
    """The list of which an expression gives the places in order, and whether the least number comes first."""
    match node:
        case ast.Subscript(value=inner, slice=ast.Slice(lower=None, upper=None, step=ast.UnaryOp() as step)):
            found = _places_in_order(inner) if ast.unparse(step) == "-1" else None
            return None if found is None else (found[0], not found[1])
        case ast.Call(func=ast.Attribute(value=inner, attr="tolist" | "numpy" | "cpu"), args=[], keywords=[]):
            return _places_in_order(inner)
        case ast.Call(args=[held], keywords=given) if called_name(node) == "argsort":
            return _rising(held, given)
        case ast.Call(func=ast.Attribute(value=ast.Call() as made, attr="argsort"), args=[], keywords=given):
            held = _list_of(made)
            return None if held is made else _rising(held, given)
    return None


def _rising(held: ast.expr, given: list[ast.keyword]) -> tuple[ast.expr, bool] | None:
    """A list that is put in order, and whether the least number comes first: not with `descending=True`, nor where all
    signs are turned round."""
    turned = {"": False, "descending=True": True, "descending=False": False}.get(
        ", ".join(ast.unparse(each) for each in given if each.arg not in ("dim", "axis", "kind", "stable"))
    )
    if turned is None:
        return None
    if isinstance(held, ast.UnaryOp) and isinstance(held.op, ast.USub):
        return _list_of(held.operand), turned
    return held, not turned


def end_of_sorted(held: ast.expr, given: list[ast.keyword], place: ast.expr) -> Extreme | None:
    """The end of a list put in order that an index or slice takes; None where it takes none.

    Args:
        held: the list.
        given: what `sorted` or `sort` is told.
        place: the index or slice.
    """
    first = _takes_first(place)
    turned = {"": False, "reverse=True": True, "reverse=False": False}.get(
        ", ".join(ast.unparse(each) for each in given if each.arg != "key")
    )
    if first is None or turned is None:
        return None
    return _end(held, [each for each in given if each.arg == "key"], least=first is not turned)


def _takes_first(place: ast.expr) -> bool | None:
    """Whether an index or slice takes the first entries; False for the last ones, None for others."""
    match place:
        case ast.Slice(lower=None, upper=ast.expr(), step=None):
            return True
        case ast.Slice(lower=ast.expr(), upper=None, step=None):
            return False
    return {"0": True, "-1": False}.get(ast.unparse(place))


def _end(held: ast.expr, given: list[ast.keyword], *, least: bool) -> Extreme | None:
    """The end of a list by what each entry is compared by."""
    match [each for each in given if each.arg != "default"]:
        case []:
            values = _values_of(held)
            return Extreme(_list_of(held), least) if values is None else Extreme(values, least, mapped=True)
        case [ast.keyword(arg="key", value=by)]:
            return _by(held, by, least=least)
    return None


def _by(held: ast.expr, by: ast.expr, *, least: bool) -> Extreme | None:
    """The extreme of a list by a function of its entries: `key=losses.get`, `key=lambda each: each[1]`."""
    match by:
        case ast.Attribute(value=owner, attr="get" | "__getitem__"):
            return _looked_up(held, owner, least=least)
        case ast.Call(args=[ast.Constant(value=asked)], keywords=[]) if called_name(by) == "itemgetter":
            return _part(held, [asked], least=least)
        case ast.Lambda(args=ast.arguments(args=[ast.arg(arg=entry)]), body=ast.UnaryOp(op=ast.USub(), operand=body)):
            return _by(held, ast.Lambda(_one_argument(entry), body), least=not least)
        case ast.Lambda(args=ast.arguments(args=[ast.arg(arg=entry)]), body=body):
            match body:
                case ast.Subscript(value=owner, slice=ast.Name(id=asked)) if asked == entry:
                    return _looked_up(held, owner, least=least)
                case ast.Call(func=ast.Attribute(value=owner, attr="get"), args=[ast.Name(id=asked), *_]):
                    return _looked_up(held, owner, least=least) if asked == entry else None
            way = _way(body, entry)
            return None if way is None else _part(held, way, least=least)
    return None


def _one_argument(name: str) -> ast.arguments:
    return ast.arguments(posonlyargs=[], args=[ast.arg(arg=name)], kwonlyargs=[], kw_defaults=[], defaults=[])


def _way(body: ast.expr, entry: str) -> list[object] | None:
    """The items by which a function gets at a number in an entry: `each[1]["loss"]`; None where it does more."""
    match body:
        case ast.Name(id=name):
            return [] if name == entry else None
        case ast.Subscript(value=inner, slice=ast.Constant(value=asked)):
            way = _way(inner, entry)
            return None if way is None else [*way, asked]
        case ast.Call(func=ast.Attribute(value=inner, attr="get"), args=[ast.Constant(value=asked), *_]):
            way = _way(inner, entry)
            return None if way is None else [*way, asked]
    return None


def _part(held: ast.expr, way: list[object], *, least: bool) -> Extreme | None:
    """The extreme of a part of each entry: the item of a tuple, or what a dictionary holds under a name."""
    mapped = False
    match held:
        case ast.Call(func=ast.Attribute(value=owner, attr="items"), args=[], keywords=[]):
            if way[:1] != [1]:
                return None  # by the keys
            held, way, mapped = owner, way[1:], True
        case ast.Call(func=ast.Name(id="enumerate"), args=[inner], keywords=[]):
            if way[:1] != [1]:
                return None
            held, way = inner, way[1:]
    match way:
        case []:
            return Extreme(_list_of(held), least, place=True, mapped=mapped)
        case [int() as item] if not isinstance(item, bool) and not mapped:
            return Extreme(held, least, place=True, item=item)
        case [str() as key]:
            return Extreme(held, least, place=True, key=key, mapped=mapped)
    return None


def _looked_up(held: ast.expr, owner: ast.expr, *, least: bool) -> Extreme | None:
    """The key or the place of the extreme of what is looked up with each entry: `max(losses, key=losses.get)`."""
    match held:
        case ast.Call(func=ast.Attribute(value=keys, attr="keys"), args=[], keywords=[]):
            asked, mapped = keys, True
        case ast.Call(func=ast.Name(id="range"), args=[ast.Call(func=ast.Name(id="len"), args=[inner])], keywords=[]):
            asked, mapped = inner, False
        case _:
            asked, mapped = held, True
    same = ast.unparse(asked) == ast.unparse(owner)
    return Extreme(owner, least, place=True, mapped=mapped) if same else None


def _values_of(node: ast.expr) -> ast.expr | None:
    """The dictionary whose values an expression gives."""
    match node:
        case ast.Call(func=ast.Name(id="list"), args=[inner], keywords=[]):
            return _values_of(inner)
        case ast.Call(func=ast.Attribute(value=owner, attr="values"), args=[], keywords=[]):
            return owner
    return None


def _list_of(node: ast.expr) -> ast.expr:
    """What `np.array(losses)` is made of; of `zip(losses, epochs)` what is compared first."""
    match node:
        case ast.Call(func=ast.Name(id="zip"), args=[held, *_], keywords=[]):
            return held
        case ast.Call(args=[held], keywords=[]) if called_name(node) in _LISTS:
            return held
    return node
