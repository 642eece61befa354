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
from cmgan_audit.facts.averages.taking_in import Intake, filled_arrays, intakes, of_processes, one_pass, running_means
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
from cmgan_audit.lazy_dataclasses import dataclass
from cmgan_audit.program.execution.trace import CallEvent
from cmgan_audit.rules.record import Known, Record
from cmgan_audit.source.syntax import walk


@dataclass(frozen=True, slots=True, eq=False)
class _Mean:
    """An intake and the node that averages it, with the function that this stands in."""

    taken: Intake
    node: ast.AST
    around: Reached


def batch_means(view: View) -> Iterable[Record]:
    """The means over the batches of a run's loaders; loops of frameworks average in their own way."""
    updates, library = updates_of(view), library_updates(view)
    found: list[Record] = []
    for made, loader in view.made_loaders:
        own: list[BatchMean] = []
        for single in view.scene.passes_over(made.loader):
            if single.event.framework:
                own += _at_epoch_ends(view, single, loader)
                own += logged_means(view, single, loader)
                continue
            if _leaves_the_last_out(view, single):
                continue
            own += keyed_means(view, single, loader, updates)
            own += library_means(view, single, loader, library)
            means = list(_means_of_pass(view, single))
            if means:
                own.append(_told(view, means, single, loader))
        size = known_number(loader.batch_size) if own else None
        even = Known(size is not None and size > 1 and are_divided(view.scene, made, size))
        found += [replace(mean, even=even) for mean in own]
    return found


def _at_epoch_ends(view: View, single: Pass, loader: Loader) -> Iterator[BatchMean]:
    """The means that a framework's module takes itself when a pass is over."""
    means = list(epoch_end_means(view, single))
    if means:
        first = means[0]
        trail = (
            Step(first.end.module.location(first.node), "every batch weighs the same in this mean"),
            Step(first.step.module.location(first.taken.statement), "the value of one batch is taken in here"),
            Step(single.event.location, "for each batch of the loader"),
        )
        yield _record(first.end.name, [mean.taken for mean in means], trail, loader)


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


def _means_of_pass(view: View, single: Pass) -> Iterator[_Mean]:
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
        for taken, node in comprehended_means(view, single, made, around):
            yield _Mean(taken, node, around)
        drawn = BatchCount(made.generators[0], [], around.own_nodes())
        for mean in output_means(view, single, made, around, (), drawn):
            yield _Mean(mean.taken, mean.node, mean.around)


def _means_in(view: View, single: Pass, loop: ast.For | ast.AsyncFor, around: Reached) -> Iterator[_Mean]:
    path = single.event.loop.location.path
    passed_by = set(_passed_by(view, single, around))
    nodes = [node for node in around.own_nodes() if node not in passed_by]
    body = [node for node in one_pass(loop) if node not in passed_by]
    count = BatchCount(loop, body, nodes)
    behind = [node for node in nodes if getattr(node, "lineno", 0) > (loop.end_lineno or loop.lineno)]
    for mean in output_means(view, single, loop, around, body, count):
        yield _Mean(mean.taken, mean.node, mean.around)
    for taken in (
        *intakes(body, around.own_nodes()),
        *named_intakes(body, partial(keys_given, view, single)),
        *filled_arrays(body, nodes, count),
        *running_means(body, count),
    ):
        if is_joined(taken, behind):
            if not _is_one_per_process(view, single, taken.value):
                continue
            taken = replace(taken, joined=True)
        if not sums_items(view, taken.value, path, stack_of(single.event.context)):
            means = list(_of_intake(view, taken, body, behind, count, path))
            if means:
                yield from (_Mean(taken, node, around) for node in means)
                continue
            for node, caller in means_at_callers(view.code, single, taken, around, count):
                yield _Mean(taken, node, caller)


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


def _told(view: View, means: Sequence[_Mean], single: Pass, loader: Loader) -> BatchMean:
    first = means[0]
    taken_in = view.code.place_of(single.event.loop.location.path, first.taken.statement)
    trail = (
        Step(first.around.module.location(first.node), "every batch weighs the same in this mean"),
        Step(taken_in, "the value of one batch is taken in here"),
        Step(single.event.location, "for each batch of the loader"),
    )
    return _record(first.around.name, [mean.taken for mean in means], trail, loader)


def _record(function: str, taken: Sequence[Intake], trail: tuple[Step, ...], loader: Loader) -> BatchMean:
    return BatchMean(
        location=trail[0].location,
        anchor=f"{function}.{taken[0].target}",
        names=", ".join(dict.fromkeys(each.target for each in taken)),
        equal_weights=Known(True, trail),
        role=loader.role,
        batch_size=loader.batch_size,
        drop_last=loader.drop_last,
    )


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
