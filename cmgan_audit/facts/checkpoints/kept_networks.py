"""Networks that are put aside as the best one under another name while training goes on: `best_model = model`."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence

from cmgan_audit.facts.checkpoints.records import KeptWeights
from cmgan_audit.facts.classes import bare_network, is_network
from cmgan_audit.facts.code import Reached
from cmgan_audit.facts.values import instances_of, same_object
from cmgan_audit.facts.view import View
from cmgan_audit.finding import Step
from cmgan_audit.lazy_dataclasses import dataclass
from cmgan_audit.program.domain.values import Instance, Value
from cmgan_audit.program.execution.trace import CallEvent, Loop
from cmgan_audit.rules.record import Known
from cmgan_audit.source.syntax import walk

_ORDERS = (ast.Lt, ast.LtE, ast.Gt, ast.GtE)
_LEAVES = (ast.Break, ast.Return, ast.Raise)


@dataclass(frozen=True, slots=True, eq=False)
class _Renamed:
    """A statement that gives a name to what another one holds, under a comparison in a training loop."""

    statement: ast.Assign
    name: str
    function: Reached
    loop: Loop


def kept_networks(view: View) -> Iterator[KeptWeights]:
    """The networks that a training loop goes on training and that a second name is used for behind it."""
    last = {loop: use.position for use in view.scene.of("step") for loop in use.event.context.loops}
    for renamed in _renamed(view, last) if last else ():
        used = _used_behind(view, renamed, last[renamed.loop])
        if used is None:
            continue
        place = renamed.function.module.location(renamed.statement)
        trail = (
            Step(place, f"{renamed.name} is another name for the network here, not a copy of it"),
            Step(view.scene.run.events[last[renamed.loop]].location, "training goes on changing it"),
            Step(used.location, "it is used here, as training has left it"),
        )
        yield KeptWeights(
            location=place, anchor=renamed.name, aliased=Known(True, trail), used="used", whole=Known(True)
        )


def _renamed(view: View, training: dict[Loop, int]) -> Iterator[_Renamed]:
    for reached in view.code.reached:
        path = reached.module.path
        for node in reached.own_nodes():
            if not isinstance(node, ast.Assign):
                continue
            pairs = [(name, value) for name, value in _pairs(node) if "best" in name.lower()]
            if not pairs:
                continue
            parents = list(view.code.parents(path, node))
            around = next((each for each in parents if isinstance(each, ast.For | ast.While)), None)
            if around is None or not _is_chosen(parents[: parents.index(around)]):
                continue
            given = {ast.unparse(each) for each in _targets_in(around)}
            loop = next((each for each in training if _is_loop(each, path, around)), None)
            for name, value in pairs if loop is not None else ():
                assert loop is not None
                if value not in given:
                    yield _Renamed(node, name, reached, loop)


def _pairs(node: ast.Assign) -> Iterator[tuple[str, str]]:
    """The names that a statement gives what another name holds, both as written: `best, best_model = loss, model`."""
    for target in node.targets:
        whole = isinstance(target, ast.Tuple) and isinstance(node.value, ast.Tuple)
        targets = target.elts if isinstance(target, ast.Tuple) and whole else [target]
        values = node.value.elts if isinstance(node.value, ast.Tuple) and whole else [node.value]
        for name, value in zip(targets, values, strict=False):
            if isinstance(name, ast.Name | ast.Attribute) and isinstance(value, ast.Name | ast.Attribute):
                yield ast.unparse(name), ast.unparse(value)


def _is_chosen(parents: Sequence[ast.AST]) -> bool:
    """Whether a comparison of two numbers decides about a statement, and training goes on behind it."""
    tests = [parent for parent in parents if isinstance(parent, ast.If)]
    compared = any(
        isinstance(part, ast.Compare) and isinstance(part.ops[0], _ORDERS) for each in tests for part in walk(each.test)
    )
    return compared and not any(isinstance(part, _LEAVES) for each in tests for part in each.body)


def _targets_in(loop: ast.AST) -> Iterator[ast.expr]:
    """What a loop gives values to; a network that is made anew there is another one in every pass."""
    for node in walk(loop):
        if isinstance(node, ast.Assign):
            yield from node.targets


def _is_loop(loop: Loop, path: str, node: ast.For | ast.While) -> bool:
    header = node.iter if isinstance(node, ast.For) else node.test
    return loop.location.path == path and node.lineno <= loop.location.line <= (header.end_lineno or node.lineno)


def _used_behind(view: View, renamed: _Renamed, last: int) -> CallEvent | None:
    """The first use of the second name behind the loop, where it stands for a network that the loop has trained."""
    events = view.scene.run.events
    for event in events[last + 1 :]:
        if not isinstance(event, CallEvent) or renamed.loop in event.context.loops:
            continue
        if event.location.path != renamed.function.module.path:
            continue
        call = view.code.call_at(event.location)
        value = None if call is None else _named(call, event, renamed.name)
        if any(_is_trained_in(view, renamed.loop, each) for each in instances_of(value)):
            return event
    return None


def _named(call: ast.Call, event: CallEvent, name: str) -> Value | None:
    """What a call is given under a name: the object whose method it is, or an argument."""
    if isinstance(call.func, ast.Attribute) and ast.unparse(call.func.value) in (name, f"{name}.module"):
        return event.receiver
    if any(isinstance(each, ast.Starred) for each in call.args):
        return None
    given = zip(call.args, event.arguments.positional, strict=False)
    return next((value for node, value in given if ast.unparse(node) == name), None)


def _is_trained_in(view: View, loop: Loop, value: Instance) -> bool:
    """Whether a network that was made before a loop runs in it where its optimiser steps."""
    if not is_network(value):
        return False
    network = bare_network(value)
    if any(
        isinstance(event.result, Instance) and same_object(event.result, network) and loop in event.context.loops
        for event in view.scene.calls
        if event.location == network.location
    ):
        return False
    return any(
        use.on is not None and same_object(bare_network(use.on), network) and loop in use.event.context.loops
        for use in view.scene.of("run")
    )
