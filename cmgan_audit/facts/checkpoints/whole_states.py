"""Whether a file that is loaded becomes the state of a network as a whole: then it holds tensors alone."""

from __future__ import annotations

import ast

from cmgan_audit.facts.checkpoints.restoring import bare, member_of
from cmgan_audit.facts.classes import is_network
from cmgan_audit.facts.code import Reached
from cmgan_audit.facts.values import instances_of
from cmgan_audit.facts.view import View
from cmgan_audit.finding import Location, Step, Trail
from cmgan_audit.program.execution.trace import CallEvent
from cmgan_audit.rules.record import Fact, Known, Unknown
from cmgan_audit.source.syntax import NamedFunction


def whole_state(view: View, event: CallEvent) -> Fact:
    """Whether what a `torch.load` gives goes into `load_state_dict` of a network, and nowhere else."""
    load = view.code.call_at(event.location)
    restore = None if load is None else _only_use(view, event.location.path, load)
    module = view.code.module(event.location.path)
    if restore is None or module is None:
        return Known(False)
    place = module.location(restore)
    return _of_a_network(view, place, (Step(place, "the whole file becomes the state of an object here"),))


def _only_use(view: View, path: str, load: ast.Call) -> ast.Call | None:
    """The `load_state_dict` that is given what a load gives: in the same expression, or by a name of its own."""
    parents = list(view.code.parents(path, load))
    if not parents:
        return None
    holder = parents[0]
    if isinstance(holder, ast.Call):
        return holder if _restores(holder, load) else None
    match holder:
        case ast.Assign(targets=[ast.Name(id=name)]):
            return _only_use_of(view, path, name, load)
    return None


def _only_use_of(view: View, path: str, name: str, load: ast.Call) -> ast.Call | None:
    """The one call that reads a name after the load, in the function that loads."""
    function = _function_of(view, path, load)
    if function is None:
        return None
    own = [node for node in function.own_nodes() if isinstance(node, ast.Name) and node.id == name]
    read = [node for node in own if isinstance(node.ctx, ast.Load) and _follows(node, load)]
    if len(read) != 1:
        return None
    holder = next(iter(view.code.parents(path, read[0])), None)
    return holder if isinstance(holder, ast.Call) and _restores(holder, read[0]) else None


def _function_of(view: View, path: str, load: ast.Call) -> Reached | None:
    """The function that a load stands in; not the top level of a module, whose names others may read."""
    for node in view.code.parents(path, load):
        if isinstance(node, NamedFunction):
            return next((each for each in view.code.reached if each.node is node), None)
    return None


def _follows(node: ast.expr, load: ast.Call) -> bool:
    return (node.lineno, node.col_offset) > (load.end_lineno or load.lineno, load.end_col_offset or 0)


def _restores(call: ast.Call, state: ast.expr) -> bool:
    attribute = isinstance(call.func, ast.Attribute) and call.func.attr == "load_state_dict"
    return attribute and bool(call.args) and call.args[0] is state


def _of_a_network(view: View, place: Location, steps: Trail) -> Fact:
    """Whether only networks get their state at a place; unknown where the objects are."""
    off = (event for supposed in view.scene.run.supposed for event in supposed.events)
    targets = [
        target
        for event in (*view.scene.calls, *off)
        if isinstance(event, CallEvent) and event.location == place and member_of(event) == "load_state_dict"
        for target in instances_of(event.receiver)
    ]
    if not targets:
        return Unknown("the object whose state is loaded is not known", steps)
    return Known(all(is_network(bare(target)) for target in targets), steps)
