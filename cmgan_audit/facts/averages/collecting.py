"""Collects the means over batches: what a loop takes in, and the expression behind it that averages."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from functools import partial

from cmgan_audit.facts.averages.comprehensions import comprehended_means, comprehension_at
from cmgan_audit.facts.averages.counting import BatchCount
from cmgan_audit.facts.averages.epoch_ends import epoch_end_means
from cmgan_audit.facts.averages.keyed_meters import keyed_means, updates_of
from cmgan_audit.facts.averages.library_meters import is_one_number, library_means, library_updates
from cmgan_audit.facts.averages.logged import logged_means
from cmgan_audit.facts.averages.means import as_arrays, divided_inside, is_joined, is_read, means_of, means_so_far
from cmgan_audit.facts.averages.meters import method_of_tree, weighs_equally
from cmgan_audit.facts.averages.named_values import named_intakes
from cmgan_audit.facts.averages.outputs import keys_given, output_means
from cmgan_audit.facts.averages.records import BatchMean
from cmgan_audit.facts.averages.returned import means_at_callers
from cmgan_audit.facts.averages.summed import sums_items
from cmgan_audit.facts.averages.taking_in import (
    Intake,
    Mean,
    batch_mean,
    behind,
    filled_arrays,
    intakes,
    of_processes,
    one_pass,
    running_means,
)
from cmgan_audit.facts.code import Reached, stack_of
from cmgan_audit.facts.items.numbers import are_divided
from cmgan_audit.facts.passes.left_early import is_left_early
from cmgan_audit.facts.records import Loader
from cmgan_audit.facts.scene import Pass
from cmgan_audit.facts.selection.ways import is_optional, was_taken
from cmgan_audit.facts.slices import Found
from cmgan_audit.facts.values import known_number
from cmgan_audit.facts.view import View
from cmgan_audit.finding import Location, Step
from cmgan_audit.program.execution.trace import CallEvent
from cmgan_audit.rules.record import Known, Record
from cmgan_audit.source.syntax import walk


def batch_means(view: View) -> Iterable[Record]:
    """The means over the batches of a run's loaders; loops of frameworks average in their own way."""
    updates, library = updates_of(view), library_updates(view)
    found: list[Record] = []
    for made, loader in view.made_loaders:
        own: list[BatchMean] = []
        for single in view.scene.passes_over(made.loader):
            if single.event.framework:
                own += _told(view, list(epoch_end_means(view, single)), single, loader)
                own += logged_means(view, single, loader)
                continue
            if _leaves_the_last_out(view, single):
                continue
            own += keyed_means(view, single, loader, updates)
            own += library_means(view, single, loader, library)
            own += _told(view, list(_means_of_pass(view, single)), single, loader)
        size = known_number(loader.batch_size) if own else None
        even = Known(size is not None and size > 1 and are_divided(view.scene, made, size))
        found += [replace(mean, even=even) for mean in own]
    return found


def _leaves_the_last_out(view: View, single: Pass) -> bool:
    """Whether a loop is over after some batches of its loader, all of one size."""
    loop = _loop_of(view, single)
    around = None if loop is None else view.code.around(single.event.loop.location.path, loop)
    if loop is None or around is None:
        return False
    count = BatchCount(loop, list(one_pass(loop)), around.own_nodes())
    return count.stops_before_the_end() or is_left_early(view.code, single, loop)


def _loop_of(view: View, single: Pass) -> ast.For | ast.AsyncFor | None:
    place = single.event.loop.location
    node = view.code.node_at(place)
    if node is None:
        return None
    for each in (node, *view.code.parents(place.path, node)):
        if isinstance(each, ast.For | ast.AsyncFor):
            return each
        if isinstance(each, ast.stmt):
            return None
    return None


def _means_of_pass(view: View, single: Pass) -> Iterator[Mean]:
    """The means of what a loop or a comprehension takes in of the batches."""
    path = single.event.loop.location.path
    loop = _loop_of(view, single)
    made = comprehension_at(view.code, single) if loop is None else None
    drawing = loop if loop is not None else made
    around = view.code.around(path, drawing) if drawing is not None else None
    if around is None:
        return
    if loop is not None:
        yield from _means_in(view, single, loop, around)
    elif made is not None:
        yield from comprehended_means(view, single, made, around)
        drawn = BatchCount(made.generators[0], [], around.own_nodes())
        yield from output_means(view, single, made, around, (), drawn)


def _means_in(view: View, single: Pass, loop: ast.For | ast.AsyncFor, around: Reached) -> Iterator[Mean]:
    path = single.event.loop.location.path
    passed_by = set(_passed_by(view, single, around))
    nodes = [node for node in around.own_nodes() if node not in passed_by]
    body = [node for node in one_pass(loop) if node not in passed_by]
    count = BatchCount(loop, body, nodes)
    later = behind(nodes, loop)
    yield from output_means(view, single, loop, around, body, count)
    for taken in (
        *intakes(body, around.own_nodes()),
        *named_intakes(body, partial(keys_given, view, single)),
        *filled_arrays(body, nodes, count),
        *running_means(body, count),
    ):
        if is_joined(taken, later):
            if not _is_one_per_process(view, single, taken.value):
                continue
            taken = replace(taken, joined=True)
        if not sums_items(view, taken.value, path, stack_of(single.event.context)):
            means = [Mean(taken, node, around) for node in _of_intake(view, taken, body, later, count, path)]
            yield from means or means_at_callers(view.code, single, taken, around, count)


def _is_one_per_process(view: View, single: Pass, value: ast.expr) -> bool:
    """Whether what a batch gives is the one number that each process has of it: `accelerator.gather(loss)`."""
    given = of_processes(value)
    match value if given is None else given:
        case ast.Call(func=ast.Attribute(attr="unsqueeze"), args=[ast.Constant(value=0)]):
            return True
        case ast.Call(func=ast.Attribute(attr="reshape" | "view"), args=[ast.Constant(value=1)]):
            return True
        case ast.Subscript(slice=ast.Constant(value=None)):
            return True
    path, stack = single.event.loop.location.path, stack_of(single.event.context)
    event = view.code.calls.get((view.code.place_of(path, value), stack))
    if given is None or event is None or not event.arguments.positional:
        return False
    return is_one_number(view, given, event.arguments.positional[0], event)


def _passed_by(view: View, single: Pass, around: Reached) -> Iterator[ast.AST]:
    """The nodes of the function with the loop that stand on ways which settings have kept this call from taking: the
    training's part of a `run_epoch(loader, train)` that serves both.

    A mean that is only logged where the command line asks for it is one all the same.
    """
    path, stack = around.module.path, stack_of(single.event.context)
    for node in around.own_nodes():
        if isinstance(node, ast.If) and not is_optional(view, Found(node.test, path, stack)):
            for side in (node.body, node.orelse):
                if side and was_taken(view, Found(side[0], path, stack)) is False:
                    yield from (each for statement in side for each in walk(statement))


def _told(view: View, means: Sequence[Mean], single: Pass, loader: Loader) -> Iterator[BatchMean]:
    """The record of what one pass averages, if it does."""
    for first in means[:1]:
        path = single.event.loop.location.path if first.step is None else first.step.module.path
        trail = (
            Step(first.around.module.location(first.node), "every batch weighs the same in this mean"),
            Step(view.code.place_of(path, first.taken.statement), "the value of one batch is taken in here"),
            Step(single.event.location, "for each batch of the loader"),
        )
        names = [mean.taken.target for mean in means]
        yield batch_mean(trail, f"{first.around.name}.{names[0]}", names, loader)


def _of_intake(
    view: View, taken: Intake, body: Sequence[ast.AST], behind: Sequence[ast.AST], count: BatchCount, path: str
) -> Iterator[ast.AST]:
    """The expression that averages an intake, the first one only."""
    if taken.kind == "meter":
        if _is_meter(view, taken, path):
            yield taken.statement
    elif taken.kind == "mean":
        if is_read(taken, behind):
            yield taken.statement
    elif divided_inside(taken, count):
        yield taken.statement
    else:
        arrays = [node for array in as_arrays(taken, behind) for node in means_of(array, behind, count)]
        yield from [*means_of(taken, behind, count), *means_so_far(taken, body, behind, count), *arrays][:1]


def _is_meter(view: View, taken: Intake, path: str) -> bool:
    """Whether an update goes to a class of the tree that averages all updates with the same weight."""
    module = view.code.module(path)
    if module is None:
        return False
    place = module.location(taken.statement)
    called = (method_of_tree(event) for event in view.scene.calls if _same_line(event, place))
    found = next((method for method in called if method is not None), None)
    return found is not None and weighs_equally(*found)


def _same_line(event: CallEvent, place: Location) -> bool:
    return event.location.path == place.path and (event.location.line, event.location.column) == (
        place.line,
        place.column,
    )
