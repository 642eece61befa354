"""Decisions by a measured number that take the worse value for the better one, or nothing at all for better."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from cmgan_audit.facts.checkpoints.guards import Guard, Guards
from cmgan_audit.facts.checkpoints.records import Direction
from cmgan_audit.facts.checkpoints.restoring import member_of
from cmgan_audit.facts.classes import is_network, values_within
from cmgan_audit.facts.code import stack_of
from cmgan_audit.facts.metrics.scoring import metric_called
from cmgan_audit.facts.selection.comparisons import comparison_of
from cmgan_audit.facts.selection.intentions import keeps_best, keeps_worst
from cmgan_audit.facts.selection.monitors import PER, chooses, logged_by, monitor_of, monitors
from cmgan_audit.facts.selection.picks import picks_of
from cmgan_audit.facts.selection.searches import search_of
from cmgan_audit.facts.selection.selecting import KEEPS, RATE, STOPS, holds_weights, keeps_model, stops
from cmgan_audit.facts.selection.senses import HIGHER, LOWER, Sense, Senses, sense_of_metric
from cmgan_audit.facts.selection.starts import is_never, start_of
from cmgan_audit.facts.slices import Found
from cmgan_audit.facts.values import constant, instances_of, is_from_settings
from cmgan_audit.facts.view import View
from cmgan_audit.finding import Location, Step
from cmgan_audit.lazy_dataclasses import dataclass
from cmgan_audit.lazy_regex import regex
from cmgan_audit.program.domain.values import Const, DictValue, Instance
from cmgan_audit.program.execution.trace import CallEvent, Event
from cmgan_audit.program.naming.names import canonical
from cmgan_audit.rules.record import Known
from cmgan_audit.source.syntax import arguments_named, first_of, walk

# Who looks for the worst on purpose calls it so: the loss is `max_loss` or the score `lowest`, and not the reverse.
_WORST = {HIGHER: regex(r"worst|hard|max|high|larg|peak"), LOWER: regex(r"worst|hard|min|low|small|least")}
_MODES = {"min": LOWER, "max": HIGHER}


def directions_of(view: View) -> Iterator[Direction]:
    """The decisions of a training whose better direction is certain, each place once."""
    if not view.scene.trains:
        return
    senses = Senses(view)
    seen: set[Location] = set()
    found = (_of_searches, _of_picks, _of_schedulers, _of_monitors)
    for record in (each for judge in found for each in judge(view, senses)):
        if record.location not in seen:
            seen.add(record.location)
            yield record


def _of_searches(view: View, senses: Senses) -> Iterator[Direction]:
    """The searches for the best number whose model is kept, and those that decide how long training goes on."""
    done: set[int] = set()
    for decides, guard in (*_keeping(view), *_stopping(view)):
        search = search_of(view, guard) if id(guard.node) not in done else None
        if decides == KEEPS or search is not None:
            done.add(id(guard.node))
        if search is None or _WORST[search.taken].search(ast.unparse(search.best).lower()):
            continue
        test = search.test
        if search.among_all and (decides == STOPS or not keeps_best(view, guard)):
            continue  # `if loss > max(losses[-5:]): break` stops at the worst one, as it should
        if decides == KEEPS and keeps_worst(view, guard):
            continue
        number = test.beside(search.number)
        sense = senses.of(search.number, test.path, test.stack, 0 if _is_tuple(view, number) else None)
        start = start_of(view, search)
        never = is_never(search, sense, start)
        if sense is None and not never:
            continue
        place = view.code.place_of(test.path, search.compare)
        then = "the model is kept" if decides == KEEPS else "training goes on"
        trail = [Step(place, f"a {search.taken} value is taken for better here, and {then}")]
        if sense is not None and sense.place is not None:
            trail.append(Step(sense.place, f"the value is computed of {sense.what}"))
        if start is not None and never:
            trail.append(Step(view.code.place_of(test.path, start), "the search begins here"))
        known = tuple(trail)
        yield Direction(
            location=place,
            anchor=f"{decides}: {ast.unparse(search.best)}",
            decides=decides,
            measured="" if sense is None else sense.what,
            taken=search.taken,
            reversed=Known(sense is not None and sense.better != search.taken, known),
            never=Known(never, known),
            start="" if start is None else ast.unparse(start),
        )


def _of_picks(view: View, senses: Senses) -> Iterator[Direction]:
    """The models that the end of a list of numbers picks among those of all epochs."""
    for pick in picks_of(view):
        held = pick.at.beside(pick.extreme.held)
        item = pick.extreme.item
        if not pick.extreme.place and not pick.extreme.mapped:  # entries are compared as they are
            if _is_filled_by_key(view, held):
                continue
            item = 0 if _holds_tuples(view, held) else item
        sense = senses.of(pick.extreme.held, held.path, held.stack, item, pick.extreme.key)
        place = view.code.place_of(pick.at.path, pick.at.node)
        if sense is not None and sense.place is not None:
            trail = (
                Step(place, f"a {pick.taken} value is taken for better here, and the model is kept"),
                Step(sense.place, f"the value is computed of {sense.what}"),
            )
            yield Direction(
                location=place,
                anchor=f"{KEEPS}: {ast.unparse(pick.extreme.held)}",
                decides=KEEPS,
                measured=sense.what,
                taken=pick.taken,
                reversed=Known(sense.better != pick.taken, trail),
            )


def _is_filled_by_key(view: View, held: Found) -> bool:
    """Whether items are stored in what may be a dictionary, of which `max(losses)` gives a key."""
    parents = (next(view.code.parents(each.path, each.node), None) for each, _ in view.slicer.sources(held))
    return any(isinstance(each, ast.Assign) and isinstance(each.targets[0], ast.Subscript) for each in parents)


def _holds_tuples(view: View, held: Found) -> bool:
    """Whether a list is one of tuples, which their first item decides."""
    sources = [each.node for each, _ in view.slicer.sources(held)]
    return any(isinstance(each, ast.Tuple) for each in sources)


def _is_tuple(view: View, number: Found) -> bool:
    """Whether what is compared is a tuple, which its first item decides: `(loss, epoch) < best`."""
    nodes = [number.node]
    for _ in range(4):
        if not nodes or not all(isinstance(each, ast.Name) for each in nodes):
            break
        nodes = [each.node for each, _ in view.slicer.sources(number.beside(nodes[0]))]
    return bool(nodes) and all(isinstance(each, ast.Tuple) for each in nodes)


def _keeping(view: View) -> Iterator[tuple[str, Guard]]:
    """The tests on the way to where a model is put aside."""
    guards = Guards(view.code)
    kept: list[Event] = [event for event in view.scene.calls if keeps_model(event) and _is_of_model(event)]
    kept += [store for store in view.scene.stores if holds_weights(store.value)]
    return ((KEEPS, guard) for event in kept for guard in guards.of(event))


def _stopping(view: View) -> Iterator[tuple[str, Guard]]:
    """The tests of numbers that are behind a `break` out of the loop of epochs, each with both of its sides."""
    for decision in stops(view):
        behind = view.slicer.behind(decision.node, decision.path, decision.stack)
        for found in (*behind.compares, *(call for call in behind.calls if comparison_of(view, call) is not None)):
            parents = view.code.parents(found.path, found.node)
            branch = first_of(parents, ast.If)
            if branch is not None and found.node in walk(branch.test):
                yield from ((STOPS, Guard(branch.test, found.path, found.stack, side)) for side in (True, False))


def _is_of_model(event: CallEvent) -> bool:
    """Whether what is put aside is a network or its state, and not any other object that is copied."""
    if canonical(event.callee) != "copy.deepcopy":
        return True
    given = event.arguments.get("x", 0)
    return any(is_network(each) or each.external_name.endswith(".state_dict") for each in instances_of(given))


def _of_schedulers(view: View, senses: Senses) -> Iterator[Direction]:
    """Steps of ReduceLROnPlateau with a number that its mode does not fit."""
    for event in view.scene.calls:
        if not canonical(event.callee).startswith("torch.optim.lr_scheduler.ReduceLROnPlateau.step"):
            continue
        call = view.code.call_at(event.location)
        given = [] if call is None else [*call.args[:1], *arguments_named(call, "metrics")]
        schedulers = instances_of(event.receiver)
        if len(schedulers) == len(given) == 1:
            sense = senses.of(given[0], event.location.path, stack_of(event.context))
            yield from _judged(RATE, _mode(schedulers[0], 1), sense, event.location)


def _of_monitors(view: View, senses: Senses) -> Iterator[Direction]:
    """Callbacks and schedulers of Lightning whose mode does not fit the number that is logged under the name that they
    watch."""
    watching = [event for event in view.scene.calls if monitors(event) and chooses(view, event)]
    for event in watching:
        name = canonical(event.callee)
        stops = name.endswith("EarlyStopping")
        if not stops and not name.endswith("ModelCheckpoint"):
            continue
        watched = constant(monitor_of(event))
        made = [each for each in instances_of(event.result) if each.location == event.location]
        if not isinstance(watched, str) or not made:
            continue
        sense = _watched(view, senses, watched)
        yield from _judged(STOPS if stops else KEEPS, _mode(made[0], None), sense, event.location)
    for scheduler, watched in _monitored(view):
        sense = _watched(view, senses, watched)
        yield from _judged(RATE, _mode(scheduler, 1), sense, scheduler.location)


def _monitored(view: View) -> Iterator[tuple[Instance, str]]:
    """Schedulers that Lightning tells a number, each with the name of that: `{"scheduler": ..., "monitor": "val"}`."""
    for event in view.scene.calls:
        if not event.callee.endswith(".configure_optimizers") or event.result is None:
            continue
        for value in values_within(event.result):
            if isinstance(value, DictValue) and {"scheduler", "monitor"} <= value.items.keys():
                watched = constant(value.items["monitor"])
                for scheduler in instances_of(value.items["scheduler"]):
                    if isinstance(watched, str) and scheduler.external_name.endswith(".ReduceLROnPlateau"):
                        yield scheduler, watched


def _watched(view: View, senses: Senses, watched: str) -> Sense | None:
    """What better means of the number that is logged under a name, where all that log it agree."""
    logs = [each for each in view.scene.calls if member_of(each) in ("log", "log_dict") and _is_named(each, watched)]
    logged = [_logged(senses, each, watched, view) for each in logs]
    better = {"" if sense is None else sense.better for sense in logged}
    return logged[0] if len(better) == 1 else None


def _is_named(event: CallEvent, watched: str) -> bool:
    return bool({watched, PER.sub("", watched)} & logged_by(event))


def _logged(senses: Senses, event: CallEvent, watched: str, view: View) -> Sense | None:
    call = view.code.call_at(event.location)
    if call is None:
        return None
    objects = _objects_logged(event, watched)
    if len(objects) == 1:  # `self.log("pesq", self.pesq)` logs what the metric comes to
        return sense_of_metric(f"{objects[0].external_name}.compute", event.location)
    if member_of(event) == "log":
        given = [*call.args[1:2], *arguments_named(call, "value")]
    else:
        given = list(_under_name(call, {watched, PER.sub("", watched)}))
    return senses.of(given[0], event.location.path, stack_of(event.context)) if len(given) == 1 else None


def _objects_logged(event: CallEvent, watched: str) -> list[Instance]:
    """The metrics of a library that are logged under a name as objects."""
    given = event.arguments.get("dictionary", 0)
    if isinstance(given, DictValue):
        value = given.items.get(watched) or given.items.get(PER.sub("", watched))
    else:
        value = event.arguments.get("value", 1)
    return [each for each in instances_of(value) if metric_called(f"{each.external_name}.compute")]


def _under_name(call: ast.Call, names: set[str]) -> Iterator[ast.expr]:
    """What a dictionary that is written out in a call holds under some names; nothing where another adds to it."""
    for given in (*call.args[:1], *arguments_named(call, "dictionary")):
        if isinstance(given, ast.Dict) and None not in given.keys:
            for key, value in zip(given.keys, given.values, strict=True):
                if isinstance(key, ast.Constant) and key.value in names:
                    yield value


@dataclass(frozen=True, slots=True)
class _Mode:
    """What a scheduler or callback takes for better, "" where it is open, and where that is said.

    The way of a mode out of a file of settings is kept: code that makes whatever stands there is no place to look at.
    """

    taken: str
    way: tuple[Step, ...]
    made: Location


def _mode(owner: Instance, position: int | None) -> _Mode:
    given = owner.arguments.get("mode", position)
    mode = "min" if given is None else constant(given)
    taken = _MODES.get(mode, "") if isinstance(mode, str) and not owner.arguments.open_kwargs else ""
    way = given.trail if isinstance(given, Const) and is_from_settings(given.trail) else ()
    return _Mode(taken, way, owner.location)


def _judged(decides: str, mode: _Mode, sense: Sense | None, place: Location) -> Iterator[Direction]:
    if not mode.taken or sense is None or sense.place is None:
        return
    trail = (
        *mode.way,
        Step(mode.made, f"a {mode.taken} value is taken for better here"),
        *([] if mode.made == place else [Step(place, "the value is given here")]),
        Step(sense.place, f"the value is computed of {sense.what}"),
    )
    yield Direction(
        location=trail[0].location,
        anchor=decides,
        decides=decides,
        measured=sense.what,
        taken=mode.taken,
        reversed=Known(sense.better != mode.taken, trail),
    )
