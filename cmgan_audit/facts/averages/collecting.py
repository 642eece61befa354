"""Collects the means over batches: what a loop takes in, and the expression behind it that averages."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Sequence

from cmgan_audit.facts.averages.counting import BatchCount
from cmgan_audit.facts.averages.epoch_ends import epoch_end_means
from cmgan_audit.facts.averages.keyed_meters import keyed_means, updates_of
from cmgan_audit.facts.averages.means import divided_inside, means_of, means_so_far
from cmgan_audit.facts.averages.meters import weighs_equally
from cmgan_audit.facts.averages.named_values import named_intakes
from cmgan_audit.facts.averages.records import BatchMean
from cmgan_audit.facts.averages.taking_in import Intake, intakes, one_pass, sums_items
from cmgan_audit.facts.code import Reached, stack_of
from cmgan_audit.facts.records import Loader
from cmgan_audit.facts.scene import Pass
from cmgan_audit.facts.slices import Slicer
from cmgan_audit.facts.values import instances_of
from cmgan_audit.facts.view import View
from cmgan_audit.finding import Location, Step
from cmgan_audit.lazy_dataclasses import dataclass
from cmgan_audit.program.domain.values import ClassValue
from cmgan_audit.program.execution.trace import CallEvent
from cmgan_audit.rules.record import Known, Record


@dataclass(frozen=True, slots=True, eq=False)
class _Mean:
    """An intake and the node that averages it."""

    taken: Intake
    node: ast.AST


def batch_means(view: View) -> Iterable[Record]:
    """The means over the batches of a run's loaders; loops of frameworks average in their own way."""
    slicer = view.slicer
    updates = updates_of(view)
    found: list[Record] = []
    for made, loader in view.made_loaders:
        for single in view.scene.passes_over(made.loader):
            if single.event.framework:
                found += _at_epoch_ends(view, single, loader)
                continue
            found += keyed_means(view, single, loader, updates)
            loop = _loop_of(view, single)
            if loop is not None:
                found += _means_in(view, slicer, single, loop, loader)
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


def _means_in(
    view: View, slicer: Slicer, single: Pass, loop: ast.For | ast.AsyncFor, loader: Loader
) -> Iterator[BatchMean]:
    path = single.event.loop.location.path
    around = _function_of(view, path, loop)
    if around is None:
        return
    nodes = list(around.own_nodes())
    body = list(one_pass(loop))
    count = BatchCount(loop, body, nodes)
    behind = [node for node in nodes if getattr(node, "lineno", 0) > (loop.end_lineno or loop.lineno)]
    means = [
        mean
        for taken in (*intakes(body), *named_intakes(body))
        if not sums_items(slicer, taken.value, path, stack_of(single.event.context))
        for mean in _of_intake(view, taken, body, behind, count, path)
    ]
    if not means:
        return
    first = means[0]
    module = around.module
    trail = (
        Step(module.location(first.node), "every batch weighs the same in this mean"),
        Step(module.location(first.taken.statement), "the value of one batch is taken in here"),
        Step(single.event.location, "for each batch of the loader"),
    )
    yield _record(around.name, [mean.taken for mean in means], trail, loader)


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


def _function_of(view: View, path: str, loop: ast.AST) -> Reached | None:
    module = view.code.module(path)
    if module is None or module.tree is None:
        return None
    for node in view.code.parents(path, loop):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            return Reached(module, node, node.name)
    return Reached(module, module.tree, "<module>")


def _of_intake(
    view: View, taken: Intake, body: Sequence[ast.AST], behind: Sequence[ast.AST], count: BatchCount, path: str
) -> Iterator[_Mean]:
    if taken.kind == "meter":
        if _is_meter(view, taken, path):
            yield _Mean(taken, taken.statement)
    elif divided_inside(taken, count):
        yield _Mean(taken, taken.statement)
    else:
        found = [*means_of(taken, behind, count), *means_so_far(taken, body, behind, count)]
        yield from (_Mean(taken, node) for node in found[:1])


def _is_meter(view: View, taken: Intake, path: str) -> bool:
    """Whether an update goes to a class of the tree that averages all updates with the same weight."""
    module = view.code.module(path)
    if module is None:
        return False
    place = module.location(taken.statement)
    called = (_method_of_tree(event) for event in view.scene.calls if _same_line(event, place))
    found = next((method for method in called if method is not None), None)
    return found is not None and weighs_equally(*found)


def _method_of_tree(event: CallEvent) -> tuple[ast.ClassDef, ast.FunctionDef] | None:
    """The class and its method that a call on an object of the tree leads to."""
    name = event.callee.rpartition(".")[2]
    for owner in instances_of(event.receiver):
        body = owner.cls.node.body if isinstance(owner.cls, ClassValue) else []
        method = next((each for each in body if isinstance(each, ast.FunctionDef) and each.name == name), None)
        if method is not None and isinstance(owner.cls, ClassValue):
            return owner.cls.node, method
    return None


def _same_line(event: CallEvent, place: Location) -> bool:
    return event.location.path == place.path and (event.location.line, event.location.column) == (
        place.line,
        place.column,
    )
