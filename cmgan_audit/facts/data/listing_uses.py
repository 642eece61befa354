"""Where the order of a listed folder matters: two lists side by side, and parts of a list."""

from __future__ import annotations

import ast
import itertools
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence, Set

from cmgan_audit.facts.data.apart import read_apart, zipped_apart
from cmgan_audit.facts.data.compared_names import Identity, agreeing, identity
from cmgan_audit.facts.data.glances import is_few, is_only_told, only_looks
from cmgan_audit.facts.data.held_out import is_held_out
from cmgan_audit.facts.data.listed_picks import is_seeded_shuffle, picked_parts
from cmgan_audit.facts.data.records import ListingUse
from cmgan_audit.facts.data.shares import rest_is_taken
from cmgan_audit.facts.data.windows import goes_through
from cmgan_audit.facts.exclusive import exclusive
from cmgan_audit.facts.items.making import is_index_of_item, items_of
from cmgan_audit.facts.view import View
from cmgan_audit.finding import Location, Step
from cmgan_audit.program.domain.listings import listings_of, lists_a_folder
from cmgan_audit.program.domain.reasons import Cause, cause_of
from cmgan_audit.program.domain.values import Const, Instance, Listing, ListValue, Unknown, Value, options_of
from cmgan_audit.program.execution.trace import CallEvent, Event, SideBySideEvent, SliceEvent
from cmgan_audit.program.naming.names import canonical
from cmgan_audit.rules.record import Fact, Known
from cmgan_audit.source.syntax import shown

PAIR, PART = "pair", "part"
_ARRAYS = frozenset({"numpy.array", "numpy.asarray"})
# What picks items of a list, or positions in it.
_PICKS = frozenset({"choice", "choices", "sample", "randint", "randrange", "integers"})
_Same = Set[frozenset[Identity]]


def listing_uses(view: View) -> Iterable[ListingUse]:
    """A record for every place where two listed folders are gone through side by side, or a part of one is taken."""
    found: dict[tuple[str, Location], ListingUse] = {}
    readings = [reading for made in view.scene.made for reading in items_of(view.scene, made).readings]
    all_events = (view.scene.run.events, *(reading.events for reading in readings))
    same = frozenset(names for events in all_events for names in agreeing(view, events))
    for events in all_events:
        for use in (*_zipped(view, events, same), *_subscripted(view, events, same), *_parts(view, events)):
            found.setdefault((use.use, use.location), use)
    for event, orders in picked_parts(view):
        use = _part(view, event, orders, "picks")
        found.setdefault((use.use, use.location), use)
    return found.values()


def _zipped(view: View, events: Sequence[Event], same: _Same) -> Iterator[ListingUse]:
    for event in events:
        orders: tuple[frozenset[Listing], ...] = ()
        if isinstance(event, SideBySideEvent):
            orders = event.orders
        elif isinstance(event, CallEvent) and canonical(event.callee) == "itertools.zip_longest":
            orders = tuple(order for order in map(listings_of, event.arguments.positional) if order)
        for first, second in itertools.combinations(orders, 2):
            use = _pair(_text(view, event), event.location, first, second, same)
            if use is not None and not zipped_apart(view, event):
                yield use


def _subscripted(view: View, events: Sequence[Event], same: _Same) -> Iterator[ListingUse]:
    """`clean[i]` and `noisy[i]` in one function."""
    reads: dict[tuple[object, str], list[tuple[SliceEvent, str, frozenset[Listing]]]] = defaultdict(list)
    for event in events:
        if not isinstance(event, SliceEvent) or _is_slice(event.index):
            continue
        node = view.code.node_of(event)
        listings = _in_order(event)
        if not listings or not isinstance(node, ast.Subscript) or isinstance(node.slice, ast.Constant | ast.UnaryOp):
            continue
        frames = event.context.frames  # one activation of the function: another one has lists of its own
        where = tuple(frame.call for frame in frames) or event.location.path
        reads[where, ast.unparse(node.slice)].append((event, ast.unparse(node), listings))
    for group in reads.values():
        for number, (event, text, first) in enumerate(group):
            for earlier, other, second in group[:number]:
                if other == text or not _together(earlier, event):
                    continue
                use = _pair(f"{other}, {text}", event.location, second, first, same)
                if use is not None and not read_apart(view, earlier, event):
                    yield use


def _together(first: SliceEvent, second: SliceEvent) -> bool:
    """Whether two reads may be of one pair: on one way through the function, with one and the same index."""
    drawn = first.index.draws, second.index.draws
    if all(drawn) and drawn[0] != drawn[1]:
        return False  # the name stands for another number by then
    if any(one is not other for one, other in zip(first.context.loops, second.context.loops, strict=False)):
        return False  # each list is gone through in a loop of its own
    return not exclusive(first.context, second.context)


def _in_order(event: SliceEvent) -> frozenset[Listing]:
    """The listings in whose order a list stands that is read by position; none for a dictionary or a lookup by name."""
    if listings_of(event.index):
        return frozenset()
    held = [option.value for option in options_of(event.sliced)]
    if any(_is_picked(each) for each in held):
        return frozenset()
    return event.order if all(isinstance(each, ListValue | Instance) for each in held) else frozenset()


def _is_picked(names: Value) -> bool:
    """Whether chance has picked the names of a list one by one: then they stand in no order of a folder."""
    items = names.items[:8] if isinstance(names, ListValue) else ()
    return any(draw.callee.rpartition(".")[2] in _PICKS for item in items for draw in item.draws)


def _pair(
    what: str, place: Location, first: frozenset[Listing], second: frozenset[Listing], same: _Same
) -> ListingUse | None:
    """Two lists side by side; None when one stands in the order of the other, or their names were compared."""
    one, other = {identity(each) for each in first}, {identity(each) for each in second}
    if one & other or any(frozenset((a, b)) in same for a in one for b in other):
        return None
    loose = sorted((each for each in (*first, *second) if not each.seeded), key=lambda each: each.number)
    steps = [Step(each.location, f"{each.callee} lists in the order of the file system") for each in loose]
    steps.append(Step(place, f"{what} go side by side"))
    fact: Fact = Known(bool(loose), tuple(steps) if loose else ())
    lister = loose[0].callee if loose else next(iter(first)).callee
    return ListingUse(location=place, anchor=what, use=PAIR, what=what, unsorted=fact, lister=lister.lstrip("?."))


def _parts(view: View, events: Sequence[Event]) -> Iterator[ListingUse]:
    for event in events:
        if not isinstance(event, SliceEvent) or not event.order or not _leaves_some(view, event):
            continue
        if not isinstance(event.sliced, ListValue | Instance) or event.index.draws:
            continue
        if isinstance(event.sliced, Instance) and not _holds_names(event.sliced):
            continue
        if _shuffled(view, event.sliced):
            continue
        if (is_few(event.index) and only_looks(view)) or is_only_told(view, event):
            continue
        yield _part(view, event, event.order, "takes")


def _leaves_some(view: View, event: SliceEvent) -> bool:
    """Whether what a slice leaves out counts: it is not one of the windows of a loop, or one that is held out."""
    node = view.code.node_of(event)
    cut = node if isinstance(node, ast.Subscript) else None
    if is_part(event.index) and not goes_through(view, event):
        return cut is None or not rest_is_taken(view, event, cut)
    return cut is not None and is_held_out(view, event.location.path, cut)


def _holds_names(value: Instance) -> bool:
    """Whether what a library gave may be a list of names: a folder that it listed, or an array of such a list."""
    return lists_a_folder(value.external_name) or value.external_name in _ARRAYS


def _part(view: View, event: Event, orders: frozenset[Listing], does: str) -> ListingUse:
    """A part of listed names that an event takes or picks."""
    loose = sorted((each for each in orders if not each.seeded), key=lambda each: each.number)
    text = _text(view, event)
    steps = [Step(each.location, f"{each.callee} lists in the order of the file system") for each in loose]
    steps.append(Step(event.location, f"{text} {does} a part"))
    return ListingUse(
        location=event.location,
        anchor=text,
        use=PART,
        what=text,
        unsorted=Known(bool(loose), tuple(steps) if loose else ()),
        lister=loose[0].callee.lstrip("?.") if loose else "",
    )


def _shuffled(view: View, names: ListValue | Instance) -> bool:
    """Whether somebody put the list in random order meanwhile: then its order is no longer that of a folder.

    Under a seed it depends on that order all the same: the same positions go to the same places.
    """
    if isinstance(names, Instance):
        draws = names.attrs["@shuffled"].draws if "@shuffled" in names.attrs else frozenset()
    else:
        draws = names.draws.union(*(item.draws for item in names.items[:8]))
    mixed = [draw for draw in draws if draw.callee.endswith((".shuffle", ".sample", ".permutation"))]
    return not all(is_seeded_shuffle(view, draw) for draw in mixed)


def _text(view: View, event: Event) -> str:
    node = view.code.node_of(event)
    return shown(node) if node is not None else "the lists"


def _is_slice(index: Value) -> bool:
    return any(isinstance(option.value, ListValue) and option.value.kind == "slice" for option in options_of(index))


def is_part(index: Value) -> bool:
    """Whether a slice leaves something out, at one end or in between: `[:n]`, `[n:]`, `[::2]`, but not `[::-1]`.

    The slices of a dataset that hands out ready batches go over the whole: `[i * size:(i + 1) * size]`, and so do those
    of a loop that goes on from one to the next.
    """
    if not isinstance(index, ListValue) or index.kind != "slice" or len(index.items) != 3:
        return False
    bounds, step = index.items[:2], index.items[2]
    if all(map(is_index_of_item, bounds)) or all(map(_moves_on, bounds)):
        return False
    if isinstance(step, Const) and isinstance(step.value, int) and abs(step.value) > 1:
        return True
    return any(not (isinstance(bound, Const) and bound.value in (None, 0)) for bound in bounds)


def _moves_on(bound: Value) -> bool:
    """Whether a bound is another one in each pass of a loop, but for the last one, which ends where the list does."""
    held = [option.value for option in options_of(bound)]
    return not bound.draws and any(
        isinstance(each, Unknown) and cause_of(each.reason) is Cause.LOOP_PASS for each in held
    )
