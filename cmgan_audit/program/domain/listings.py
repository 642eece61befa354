"""Folders that are listed: the order of the names is that of the file system until somebody sorts them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from cmgan_audit.finding import Location
from cmgan_audit.lazy_regex import regex
from cmgan_audit.program.domain.values import Choice, DictValue, Draw, Instance, Listing, ListValue, Value

_LISTS = regex(
    r"os\.(?:listdir|scandir|walk|fwalk)|glob2?\.i?glob|(?:pathlib\.Path|\?)\.(?:glob|rglob|iterdir|walk)"
    r"|torch\.utils\.data\.datapipes\.iter\.FileLister"
)
_SORTS = regex(r"natsort\.(?:natsorted|os_sorted|humansorted|realsorted)|numpy\.sort|toolz\.sorted")
# Calls that work on names and lists; what any other call makes of a name (what a file holds) has no order.
_KEEPS = regex(
    r"(?!(?:builtins|pathlib\.Path|\?)\.(?:open|read\w*)$)(?:builtins|os|posixpath|pathlib|glob2?|itertools|functools|copy|re|shutil|random|natsort|tqdm|collections|fnmatch"
    r"|multiprocessing|numpy\.random|\?)\..*|numpy\.(?:array|asarray|sort|concatenate)|tqdm"
)
SORTED = "sorted"
_MIXES = frozenset({"shuffle", "permutation", "permuted", "randperm"})


def lists_a_folder(name: str) -> bool:
    """Whether a library call lists a folder in the order of the file system."""
    return _LISTS.fullmatch(name) is not None


def sorts(name: str) -> bool:
    """Whether a library call gives its argument back in order."""
    return _SORTS.fullmatch(name) is not None


def keeps_order(name: str) -> bool:
    """Whether the result of a library call may be a list of names in the order of its arguments."""
    return _KEEPS.fullmatch(name) is not None


def listing(name: str, location: Location, number: int) -> Listing:
    """The listing that a call makes; `number` is another one for every call."""
    return Listing(name, location, "", number)


def listings_of(value: Value) -> frozenset[Listing]:
    """The listings in whose order the items of a list stand."""
    if isinstance(value, Choice):
        return frozenset().union(*(listings_of(option.value) for option in value.options))
    found = value.draws
    if isinstance(value, ListValue):
        found = found.union(*(item.draws for item in value.items[:8]))
    here = frozenset(draw for draw in found if isinstance(draw, Listing))
    return _settled_listings(here) if isinstance(value, Instance) and "@sorted" in value.attrs else here


def in_random_order(value: Value) -> bool:
    """Whether a list, or what a library gave, was put in random order; not what a name out of such a list leads to."""
    if isinstance(value, ListValue):
        return _mixed(value.draws.union(*(item.draws for item in value.items[:8])))
    if isinstance(value, Instance):
        return "@shuffled" in value.attrs or value.external_name.rpartition(".")[2] in _MIXES
    return False


def _mixed(draws: Iterable[Draw]) -> bool:
    return any(draw.callee.rpartition(".")[2] in _MIXES for draw in draws)


def _settled_listings(listings: Iterable[Listing]) -> frozenset[Listing]:
    return frozenset(replace(each, seeded=SORTED) for each in listings)


def settled(draws: frozenset[Draw]) -> frozenset[Draw]:
    """Draws after what they chose was sorted."""
    if not any(isinstance(draw, Listing) for draw in draws):
        return draws
    return frozenset(replace(draw, seeded=SORTED) if isinstance(draw, Listing) else draw for draw in draws)


def order_of(value: Value) -> frozenset[Draw]:
    """The draws of a value, the listings among them settled where the list was sorted in place."""
    return settled(value.draws) if isinstance(value, Instance) and "@sorted" in value.attrs else value.draws


def settled_value(value: Value, depth: int = 3) -> Value:
    """An item of a list that was sorted, with each that it may be and what it holds: pairs, or dictionaries of them.

    A list of any length keeps its own order: `sorted((name, os.listdir(name)) for name in names)`.
    """
    if _is_long(value):
        return value
    found = settled(value.draws)
    if isinstance(value, Choice):
        options = tuple(replace(option, value=settled_value(option.value, depth)) for option in value.options)
        return replace(value, draws=found, options=options)
    if isinstance(value, ListValue) and depth:
        items = [settled_value(item, depth - 1) for item in value.items]
        if any(one is not other for one, other in zip(items, value.items, strict=True)):
            return replace(value, draws=found, items=items)
    if isinstance(value, DictValue) and depth:
        held = {key: settled_value(item, depth - 1) for key, item in value.items.items()}
        if any(item is not value.items[key] for key, item in held.items()):
            return replace(value, draws=found, items=held)
    return value if found is value.draws else replace(value, draws=found)


def _is_long(value: Value) -> bool:
    """Whether a value is a list with as many items as a folder has."""
    if isinstance(value, ListValue):
        return not value.complete
    return isinstance(value, Instance) and lists_a_folder(value.external_name)


def without_listings(draws: frozenset[Draw]) -> frozenset[Draw]:
    """The draws of random numbers only: what a file is called does not depend on the order of a listing."""
    if not any(isinstance(draw, Listing) for draw in draws):
        return draws
    return frozenset(draw for draw in draws if not isinstance(draw, Listing))


def without_order(draws: frozenset[Draw]) -> frozenset[Draw]:
    """The draws that may decide how many items a list has: a shuffle only puts the same ones in another order."""
    return frozenset(draw for draw in without_listings(draws) if not _mixed((draw,))) if draws else draws
