"""Training and validation set picked at random: whether every run picks the same."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator

from cmgan_audit.facts.classes import library_bases, values_within
from cmgan_audit.facts.data.listing_uses import is_part
from cmgan_audit.facts.data.records import ValidationSplit
from cmgan_audit.facts.data.seeding import unseeded
from cmgan_audit.facts.items.crops import short_callee
from cmgan_audit.facts.items.making import is_index_of_item, items_of
from cmgan_audit.facts.records import EVAL, TRAIN
from cmgan_audit.facts.scene import Made
from cmgan_audit.facts.view import View
from cmgan_audit.lazy_regex import regex
from cmgan_audit.program.domain.values import ClassValue, Draw, HeapValue, Instance, Unknown, Value
from cmgan_audit.program.execution.trace import CallEvent, SliceEvent
from cmgan_audit.program.language.classes import class_attribute
from cmgan_audit.program.library.seeding import divides_a_dataset
from cmgan_audit.program.naming.names import canonical
from cmgan_audit.rules.record import Known
from cmgan_audit.source.syntax import arguments_named, names_in, walk

# Draws that put a list in another order, so that a part of it is another one, and draws that pick a part.
_ORDERS = regex(r"(random|numpy\.random)(\.\w+)?\.(shuffle|permutation|permuted)|torch\.randperm")
_PICKS = regex(
    r"(random|numpy\.random)(\.\w+)?\.(sample|choice|choices)|torch\.utils\.data\.random_split"
    r"|sklearn\.model_selection\.ShuffleSplit"
)
# What takes items by a list of indices, and where that list is given.
_INDICES = {
    "torch.utils.data.Subset": 1,
    "torch.utils.data.SubsetRandomSampler": 0,
    "torch.utils.data.sampler.SubsetRandomSampler": 0,
}
# What gives a number, or one per band, that is measured on items: by the last part of a method's or function's name.
_MEASURES = frozenset(
    {"mean", "std", "var", "median", "quantile", "percentile", "average", "nanmean", "nanstd", "item"}
)


def _picks(draw: Draw) -> bool:
    """Whether a draw picks a part."""
    return _PICKS.fullmatch(draw.callee) is not None or divides_a_dataset(draw.callee)


def validation_splits(view: View) -> Iterable[ValidationSplit]:
    """A record for every evaluation loader of a training run whose items were picked at random."""
    if not view.scene.trains:
        return
    sides: dict[str, dict[Draw, None]] = {TRAIN: {}, EVAL: {}}
    pairs = list(view.made_loaders)
    found: dict[int, dict[Draw, None]] = {}
    for number, (made, loader) in enumerate(pairs):
        if isinstance(loader.role, Known) and loader.role.value in sides:
            found[number] = dict.fromkeys(_picking_draws(view, made))
            sides[loader.role.value].update(found[number])
    for number, draws in found.items():
        made, loader = pairs[number]
        if not loader.evaluates:
            continue
        for draw in draws:
            events = [at for at, event in enumerate(view.scene.run.events) if _made_it(event, draw)]
            shared = draw in sides[TRAIN] or _picks_a_part(view, made, draw)
            splitting = _splitting(view, draw, events, shared=shared) if events else None
            if splitting is not None:
                fact, evidence = unseeded(view, draw, splitting)
                yield ValidationSplit(
                    location=made.location,
                    anchor=loader.anchor,
                    role=loader.role,
                    iterated=loader.iterated,
                    drawn_by=short_callee(draw.callee),
                    unseeded=fact,
                    evidence=evidence,
                )
                break


def _picking_draws(view: View, made: Made) -> Iterator[Draw]:
    """The draws that decide which items a loader has."""
    for value in _chosen_from(view, made):
        if not value.draws:  # nearly all
            continue
        for draw in sorted(value.draws, key=lambda each: (each.location.path, each.location.line, each.callee)):
            if _ORDERS.fullmatch(draw.callee) or _picks(draw):
                yield draw


def _made_it(event: object, draw: Draw) -> bool:
    return isinstance(event, CallEvent) and event.location == draw.location and canonical(event.callee) == draw.callee


def _splitting(view: View, draw: Draw, events: list[int], *, shared: bool) -> int | None:
    """The event of a draw that decides which items are evaluated; None where it only decides their order."""
    if _picks(draw):
        return events[0]
    if len(events) == 1:
        # One list in random order, of which both sets are parts, or this set is one.
        return events[0] if shared or _takes_a_part(view, events[0]) else None
    if _cut_where_drawn(view, events[0]):  # each set puts a list of its own in order and takes a part of it
        return events[0]
    # A helper puts several lists in order, one of which is divided.
    return next((at for at in events if shared and _is_divided(view, at)), None)


def _is_divided(view: View, position: int) -> bool:
    """Whether several parts are taken of the very list that a call put in random order."""
    event = view.scene.run.events[position]
    assert isinstance(event, CallEvent)
    in_place = canonical(event.callee).endswith(".shuffle")
    mixed = event.arguments.get("x", 0) if in_place else event.result
    parts = {
        each.location
        for each in view.scene.run.events[position:]
        if isinstance(each, SliceEvent) and is_part(each.index) and _is_same(each.sliced, mixed)
    }
    return len(parts) > 1


def _is_same(one: Value, other: Value | None) -> bool:
    return isinstance(one, HeapValue) and isinstance(other, HeapValue) and one.cell is other.cell


def _picks_a_part(view: View, made: Made, draw: Draw) -> bool:
    """Whether a loader has what a part of a list in random order names: `Subset(data, order[:64])`."""
    for value in _chosen_from(view, made):
        place = _INDICES.get(canonical(value.external_name)) if isinstance(value, Instance) else None
        if isinstance(value, Instance) and place is not None:
            indices = value.arguments.get("indices", place)
            if indices is not None and draw in indices.draws and _is_given_a_part(view, value, place):
                return True
    return False


def _chosen_from(view: View, made: Made) -> Iterator[Value]:
    """The values that a loader takes its items from, and those that say which ones it takes."""

    def enters(value: Instance) -> bool:
        return not _is_measured(value) and (_holds_items(value) or _is_read_by_index(view, made, value))

    for given in (made.arguments.get("dataset", 0), made.arguments.get("sampler", 3)):
        if given is not None:
            yield from (value for value in values_within(given, enters=enters) if not _is_measured(value))


def _holds_items(value: Instance) -> bool:
    """Whether an object gives items by itself, and is not only what is done to them: a normaliser that measured a few
    random recordings picks none."""
    if not isinstance(value.cls, ClassValue) or library_bases(value.cls):
        return True
    return any(class_attribute(value.cls, name) is not None for name in ("__getitem__", "__iter__"))


def _is_read_by_index(view: View, made: Made, holder: Instance) -> bool:
    """Whether the dataset of a loader finds its items in a list that an object holds: `self.corpus.files[index]`."""
    lists = [value for value in holder.attrs.values() if isinstance(value, HeapValue) or value.draws]
    return bool(lists) and any(
        isinstance(event, SliceEvent) and is_index_of_item(event.index) and event.sliced in lists
        for reading in items_of(view.scene, made).readings
        for event in reading.events
    )


def _is_measured(value: Value) -> bool:
    """Whether a value is what was measured on some items, `torch.cat(few).mean()`, and none of them."""
    if isinstance(value, Unknown):
        return value.computed is not None and value.computed.operation == "float"
    return isinstance(value, Instance) and value.external_name.rpartition(".")[2] in _MEASURES


def _is_given_a_part(view: View, subset: Instance, place: int) -> bool:
    """Whether the indices of a subset are sliced where it is made, or where they got their name."""
    call, module = view.code.call_at(subset.location), view.code.module(subset.location.path)
    if call is None or module is None or module.tree is None:
        return False
    given = [*call.args[place : place + 1], *arguments_named(call, "indices")]
    names = {each.id for each in given if isinstance(each, ast.Name)}
    for node in walk(module.tree) if names else ():
        if isinstance(node, ast.Assign):
            if names & names_in(*node.targets):
                given.append(node.value)
    parts = (part for each in given for part in walk(each))
    return any(isinstance(part, ast.Subscript) and isinstance(part.slice, ast.Slice) for part in parts)


def _takes_a_part(view: View, position: int) -> bool:
    """Whether one end is cut off what a call put in random order: `np.random.permutation(n)[:200]`, or behind it under
    the name that it got, where nothing takes the whole."""
    event = view.scene.run.events[position]
    call = view.code.node_of(event)
    around = view.code.around(event.location.path, call) if call is not None else None
    if call is None or around is None:
        return False
    holder = next(view.code.parents(event.location.path, call), None)
    if not isinstance(holder, ast.Assign):
        return isinstance(holder, ast.Subscript) and _cuts_one_end(holder)
    name = ast.unparse(holder.targets[0])
    nodes = list(around.own_nodes())
    reads = {
        each for each in nodes if isinstance(each, ast.Name) and each.id == name and isinstance(each.ctx, ast.Load)
    }
    parts = [each for each in nodes if isinstance(each, ast.Subscript) and each.value in reads and _cuts_one_end(each)]
    if any(
        isinstance(each, ast.Assign) and each.value in parts and ast.unparse(each.targets[0]) == name for each in nodes
    ):
        return True  # from there on the name stands for the part
    return bool(parts) and len(parts) == len(reads)


def _cuts_one_end(node: ast.Subscript) -> bool:
    """Whether a subscript leaves out one end: `[:200]` or `[200:]`."""
    return isinstance(node.slice, ast.Slice) and (node.slice.lower is None) is not (node.slice.upper is None)


def _cut_where_drawn(view: View, position: int) -> bool:
    """Whether the function that draws also takes a part of what it put in order."""
    event = view.scene.run.events[position]
    frames = event.context.frames
    function = frames[-1].value.node if frames and frames[-1].value is not None else None
    node = view.code.node_of(event)
    if function is None or node is None:
        return False
    names = names_in(node)
    names |= {part.attr for part in walk(node) if isinstance(part, ast.Attribute)}
    return any(
        isinstance(part, ast.Subscript)
        and isinstance(part.slice, ast.Slice)
        and any(getattr(inner, "id", getattr(inner, "attr", "")) in names for inner in walk(part.value))
        for part in walk(function)
    )
