"""Parts of a listed folder that a seeded draw picks: the seed fixes positions, and which names stand there is open."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence

from cmgan_audit.facts.classes import values_within
from cmgan_audit.facts.data.seeding import unseeded
from cmgan_audit.facts.items.making import Reading, is_index_of_item, items_of
from cmgan_audit.facts.scene import Made
from cmgan_audit.facts.view import View
from cmgan_audit.finding import Location
from cmgan_audit.lazy_regex import regex
from cmgan_audit.program.domain.listings import listings_of
from cmgan_audit.program.domain.values import Const, Draw, Instance, Listing, ListValue, Unknown, Value
from cmgan_audit.program.execution.trace import CallEvent, SliceEvent
from cmgan_audit.program.library.draws import keeps_all_in_order
from cmgan_audit.program.naming.names import canonical
from cmgan_audit.rules.record import certainly
from cmgan_audit.source.syntax import arguments_named, called_name, walk

_FROM_LISTS = regex(r"random(\.Random)?\.sample|sklearn\.model_selection\.train_test_split")
_CHOICE = regex(r"numpy\.random\.(RandomState\.|default_rng\.|Generator\.)?choice")
# Folds by position; those by group go by what the groups are called.
_FOLDS = regex(r"sklearn\.model_selection\.(?:Repeated)?(?:Stratified)?(?:KFold|ShuffleSplit)\.split")
_UNMIXED = frozenset({"KFold", "StratifiedKFold"})
_COUNTS = frozenset({"builtins.range", "numpy.arange", "torch.arange"})
_SPLIT = "torch.utils.data.random_split"


def picked_parts(view: View) -> Iterator[tuple[CallEvent | SliceEvent, frozenset[Listing]]]:
    """The calls and subscripts that pick some names of a folder with a seed, each with the listings it picks from."""
    for position, event in enumerate(view.scene.run.events):
        if isinstance(event, SliceEvent) and event.order and _picks_by_number(view, event):
            yield event, event.order
        if isinstance(event, CallEvent) and _FROM_LISTS.fullmatch(canonical(event.callee)):
            given = event.arguments.positional
            lists = given if canonical(event.callee).startswith("sklearn.") else given[:1]
            orders = frozenset().union(*(_order_of(view, value) for value in lists))
            if orders and not _is_whole(view, event) and _is_same_part(view, event, position):
                yield event, orders
        if isinstance(event, CallEvent) and _FOLDS.fullmatch(canonical(event.callee)):
            orders = frozenset().union(*(_order_of(view, value) for value in event.arguments.positional[:1]))
            if orders and _are_same_folds(view, event.receiver):
                yield event, orders
    for made in view.scene.made:
        yield from _split_datasets(view, made)


def _are_same_folds(view: View, maker: Value | None) -> bool:
    """Whether the folds of a cross-validation have the same positions in every run, and more than one item each."""
    if not isinstance(maker, Instance) or maker.arguments.open_kwargs or _leaves_one_out(view, maker):
        return False
    state = maker.arguments.get("random_state")
    if state is not None and not (isinstance(state, Const) and state.value is None):
        return isinstance(state, Const)
    shuffles, name = maker.arguments.get("shuffle", 1), maker.external_name.rpartition(".")[2]
    return name in _UNMIXED and (shuffles is None or (isinstance(shuffles, Const) and shuffles.value is False))


def _leaves_one_out(view: View, maker: Instance) -> bool:
    """Whether there are as many folds as items, the same ones in every order: `KFold(len(names))`."""
    call = view.code.call_at(maker.location)
    given = [*call.args[:1], *arguments_named(call, "n_splits")] if call is not None else []
    return any(isinstance(each, ast.Call) and called_name(each) == "len" for each in given)


def is_seeded_shuffle(view: View, draw: Draw) -> bool:
    """Whether a draw that put a list in another order gives the same order of positions in every run.

    What is drawn anew in every round of a loop is another part each time, wherever it runs.
    """
    at = _position(view, draw.location, draw.callee)
    return at is not None and not view.scene.run.events[at].context.loops and _repeats(view, draw, at)


def _picks_by_number(view: View, event: SliceEvent) -> bool:
    """`names[numpy.random.choice(len(names), 100, replace=False)]`, where the numbers are the same in every run."""
    if isinstance(event.sliced, Instance) and "@shuffled" in event.sliced.attrs:
        return False
    drawn = [draw for draw in event.index.draws if not isinstance(draw, Listing)]
    return bool(drawn) and all(_chooses_some(view, draw) and is_seeded_shuffle(view, draw) for draw in drawn)


def _chooses_some(view: View, draw: Draw) -> bool:
    """Whether a draw is one of several numbers out of more, not of all of them in another order."""
    if not _CHOICE.fullmatch(canonical(draw.callee)):
        return False
    at = _position(view, draw.location, draw.callee)
    event = None if at is None else view.scene.run.events[at]
    if not isinstance(event, CallEvent) or event.arguments.get("size", 1) is None:
        return False
    return not _is_whole(view, event)


def _split_datasets(view: View, made: Made) -> Iterator[tuple[CallEvent, frozenset[Listing]]]:
    """A dataset that reads its items by position from listed names, and that is split at random."""
    given = made.arguments.get("dataset", 0)
    draws = {
        draw
        for value in (values_within(given) if given is not None else ())
        if isinstance(value, Instance) and canonical(value.external_name) == "torch.utils.data.Subset"
        for indices in [value.arguments.get("indices", 1)]
        if indices is not None
        for draw in indices.draws
        if draw.callee == _SPLIT
    }
    for draw in sorted(draws, key=lambda each: (each.location.path, each.location.line)):
        at = _position(view, draw.location, _SPLIT)
        orders = frozenset().union(*map(_read_by_position, items_of(view.scene, made).readings))
        if at is not None and orders and _repeats(view, draw, at):
            event = view.scene.run.events[at]
            assert isinstance(event, CallEvent)
            yield event, orders


def _read_by_position(reading: Reading) -> frozenset[Listing]:
    """The listings in whose order the items of a dataset stand: `self.names[index]`."""
    orders = [
        event.order
        for event in reading.events
        if reading.owner is not None and isinstance(event, SliceEvent) and is_index_of_item(event.index)
    ]
    return frozenset().union(*orders)


def _order_of(view: View, value: Value) -> frozenset[Listing]:
    """The listings in whose order a list stands, or by whose positions it counts: `range(len(names))`.

    How many names there are may count something else, too, such as files with numbers in their names: that the
    positions are those of the listing tells what reads its names by them.
    """
    if not isinstance(value, Instance) or value.external_name not in _COUNTS:
        return _order(value)
    lengths = [each.computed for each in value.arguments.positional if isinstance(each, Unknown) and each.computed]
    counted = frozenset().union(*(_order(each.operands[0]) for each in lengths if each.operation == "len"))
    return counted & _read_anywhere(view) if counted else counted


def _read_anywhere(view: View) -> frozenset[Listing]:
    """The listings in whose order names stand that are read by a position, in the run or for an item of a dataset."""
    reads = (each for each in view.scene.run.events if isinstance(each, SliceEvent))
    of_run = (each.order for each in reads if not isinstance(each.index, Const))
    of_items = (_read_by_position(each) for made in view.scene.made for each in items_of(view.scene, made).readings)
    return frozenset().union(*of_run, *of_items)


def _order(value: Value) -> frozenset[Listing]:
    """The listings in whose order a list stands; none where it was put in random order before."""
    if not isinstance(value, ListValue | Instance) or (isinstance(value, Instance) and "@shuffled" in value.attrs):
        return frozenset()
    items = value.items[:8] if isinstance(value, ListValue) else ()
    draws: Sequence[Draw] = [*value.draws, *(draw for item in items for draw in item.draws)]
    return listings_of(value) if all(isinstance(draw, Listing) for draw in draws) else frozenset()


def _is_whole(view: View, event: CallEvent) -> bool:
    """`random.sample(names, len(names))` picks no part: it gives all of them in another order."""
    call = view.code.call_at(event.location)
    given = () if call is None else (*call.args[1:2], *arguments_named(call, "k", "size"))
    return any(_is_length(each) or _holds_length(view, event.location.path, each) for each in given)


def _is_length(node: ast.expr) -> bool:
    return isinstance(node, ast.Call) and ast.unparse(node.func) == "len"


def _holds_length(view: View, path: str, node: ast.expr) -> bool:
    """Whether a variable holds a length, whatever gives it a value around its use: `number = len(names)`."""
    scopes = [each for each in view.code.parents(path, node) if isinstance(each, ast.FunctionDef | ast.Module)]
    if not isinstance(node, ast.Name) or not scopes:
        return False
    assigned = [part for part in walk(scopes[0]) if isinstance(part, ast.Assign)]
    values = [part.value for part in assigned if any(ast.unparse(each) == node.id for each in part.targets)]
    return bool(values) and all(map(_is_length, values))


def _is_same_part(view: View, event: CallEvent, position: int) -> bool:
    """Whether every run picks the same positions.

    In a loop only a call with a seed of its own does: `train_test_split(names, random_state=0)` for each speaker.
    """
    name = canonical(event.callee)
    if keeps_all_in_order(name, event.arguments):
        return True
    made = [draw for draw in event.result.draws if draw.location == event.location and not isinstance(draw, Listing)]
    if event.context.loops and not (name.startswith("sklearn.") and all(draw.seeded for draw in made)):
        return False
    return any(_repeats(view, draw, position) for draw in made)


def _repeats(view: View, draw: Draw, position: int) -> bool:
    fact, _ = unseeded(view, draw, position)
    return certainly(fact, False)


def _position(view: View, place: Location, callee: str) -> int | None:
    """Where the call that draws stands among the events of a run."""
    events = enumerate(view.scene.run.events)
    return next(
        (
            at
            for at, event in events
            if isinstance(event, CallEvent) and event.location == place and canonical(event.callee) == callee
        ),
        None,
    )
