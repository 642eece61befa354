"""Trackers that keep one mean per name: `metrics.update("loss", value)` for each batch, in whatever function."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from functools import lru_cache

from cmgan_audit.facts.averages.meters import weighs_equally_by_name
from cmgan_audit.facts.averages.records import BatchMean
from cmgan_audit.facts.averages.summed import sums_items
from cmgan_audit.facts.averages.taking_in import METERS, is_measure, is_weighted, mean_of_calls
from cmgan_audit.facts.code import stack_of
from cmgan_audit.facts.records import Loader
from cmgan_audit.facts.scene import Pass
from cmgan_audit.facts.values import constant, instances_of
from cmgan_audit.facts.view import View
from cmgan_audit.lazy_dataclasses import dataclass
from cmgan_audit.program.domain.values import ClassValue, Instance
from cmgan_audit.program.execution.trace import CallEvent, Loop
from cmgan_audit.source.syntax import names_in


@dataclass(frozen=True, slots=True, eq=False)
class Update:
    """One value that a tracker takes in under a name, with no weight of its own."""

    event: CallEvent
    name: str
    key: ast.expr


def updates_of(view: View) -> list[Update]:
    """The updates of a run's trackers."""
    found = []
    for event in view.scene.calls:
        method = event.callee.rpartition(".")[2]
        if method in METERS and any(_keeps_means(each, method) for each in instances_of(event.receiver)):
            update = _update(view, event)
            if update is not None:
                found.append(update)
    return found


def keyed_means(view: View, single: Pass, loader: Loader, updates: Sequence[Update]) -> Iterator[BatchMean]:
    """The means that trackers keep over one pass, as one record.

    Args:
        view: the run.
        single: the pass over a loader.
        loader: the loader.
        updates: those of the run.
    """
    taken = [each for each in updates if single.holds(each.event.context) and _once_a_batch(view, each, single)]
    if not taken:
        return
    yield mean_of_calls(taken[0].event, dict.fromkeys(each.name for each in taken), single, loader)


def _keeps_means(owner: Instance, method: str) -> bool:
    return isinstance(owner.cls, ClassValue) and method in _methods(owner.cls.node)


@lru_cache(256)
def _methods(cls: ast.ClassDef) -> frozenset[str]:
    """The methods of a class that take in a value under a name."""
    return frozenset(
        method.name
        for method in cls.body
        if isinstance(method, ast.FunctionDef) and method.name in METERS and weighs_equally_by_name(cls, method)
    )


def _update(view: View, event: CallEvent) -> Update | None:
    call = view.code.call_at(event.location)
    if call is None or call.keywords or len(call.args) != 2:
        return None  # a third argument is the weight
    key, value = call.args
    if isinstance(value, ast.Starred) or isinstance(key, ast.Starred) or is_weighted(value):
        return None
    written = constant(event.arguments.positional[0]) if event.arguments.positional else None
    name = written if isinstance(written, str) else ast.unparse(key)
    text = f"{name} {ast.unparse(value)}"
    if not is_measure(text if isinstance(written, str) else f"{text} {ast.unparse(call.func)}"):
        return None
    if sums_items(view, value, event.location.path, stack_of(event.context)):
        return None
    return Update(event, name, key)


def _once_a_batch(view: View, update: Update, single: Pass) -> bool:
    """Whether a name gets one value per batch: loops inside of the pass go over names, not over items."""
    loops = update.event.context.loops
    inside = loops[next(at for at, loop in enumerate(loops) if loop is single.event.loop) + 1 :]
    named = names_in(update.key)
    return all(not named.isdisjoint(_targets(view, loop)) for loop in inside)


def _targets(view: View, loop: Loop) -> set[str]:
    """The names that a loop gives a value in each of its passes."""
    node = view.code.node_at(loop.location)
    around = () if node is None else (node, *view.code.parents(loop.location.path, node))
    for each in around:
        if isinstance(each, ast.For | ast.AsyncFor):
            return names_in(each.target)
        if isinstance(each, ast.stmt):
            break
    return set()
