"""Networks that a file replaces while an optimiser goes on with the parameters of the one before.

`model = torch.load(path)` makes another object. An optimiser that was made with `model.parameters()` before it holds
those of the old one: it steps on gradients that no pass fills, and the network that was loaded stays as it is.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Sequence

from cmgan_audit.facts.checkpoints.records import Resume
from cmgan_audit.facts.checkpoints.restoring import first_step
from cmgan_audit.facts.classes import PARAMETERS
from cmgan_audit.facts.code import stack_of
from cmgan_audit.facts.optimisers import is_optimiser
from cmgan_audit.facts.scene import Use
from cmgan_audit.facts.values import class_name, instances_of, is_among, same_object
from cmgan_audit.facts.view import View
from cmgan_audit.finding import Location, Step
from cmgan_audit.lazy_dataclasses import dataclass
from cmgan_audit.lazy_regex import regex
from cmgan_audit.program.domain.values import Instance, Unknown
from cmgan_audit.program.execution.trace import CallEvent, Context, Event, StoreEvent, innermost_function
from cmgan_audit.program.naming.names import canonical
from cmgan_audit.rules.record import Known
from cmgan_audit.source.statements import leaves
from cmgan_audit.source.syntax import NamedFunction, first_of, is_line_of, walk

# What wraps a network in the expression that asks for its parameters: `model.module.parameters()`.
_INNER = frozenset({"module"})
_OPTIMISER = regex(r"opt", re.IGNORECASE)
_Scope = NamedFunction | ast.Module


@dataclass(frozen=True, slots=True, eq=False)
class _Assigned:
    """What gets the network of a file: the statement, its target as text, the function around, and its activation."""

    statement: ast.Assign
    target: ast.expr
    function: _Scope
    path: str
    context: Context

    @property
    def text(self) -> str:
        """The target as it is written."""
        return ast.unparse(self.target)


def replaced_networks(view: View) -> Iterator[Resume]:
    """The loads before the training that replace a network whose parameters an optimiser holds already."""
    start = first_step(view.scene)
    run = view.scene.run
    for number, event in _loads(run.events[:start]):
        yield from _replacing(view, event, run.events[:number], run.events[number + 1 : start])
    for supposed in run.supposed:
        if supposed.position <= start:
            later = run.events[supposed.position : start]
            for number, event in _loads(supposed.events):
                after = [*supposed.events[number + 1 :], *later]
                yield from _replacing(view, event, run.events[: supposed.position], after)


def _loads(events: Sequence[Event]) -> Iterator[tuple[int, CallEvent]]:
    for number, event in enumerate(events):
        if isinstance(event, CallEvent) and canonical(event.callee) == "torch.load":
            yield number, event


def _replacing(view: View, load: CallEvent, before: Sequence[Event], after: Sequence[Event]) -> Iterator[Resume]:
    taken = list(_assigned(view, load))
    if any(_OPTIMISER.search(each.text) for each in taken):
        return  # kept in one file, an optimiser comes with the network that it steps
    for assigned in taken:
        yield from _stale(view, load, assigned, before, after)


def _assigned(view: View, load: CallEvent) -> Iterator[_Assigned]:
    """Where a whole network may go to: `model = torch.load(...)`, also an item of the file, moved to a device."""
    path = load.location.path
    node = view.code.call_at(load.location)
    parents = list(view.code.parents(path, node)) if node is not None else []
    statement = first_of(parents, ast.stmt)
    function = next((each for each in parents if isinstance(each, _Scope)), None)
    if not isinstance(statement, ast.Assign) or function is None or len(statement.targets) != 1:
        return
    target = statement.targets[0]
    if _hands_on(statement.value, node) and isinstance(target, ast.Name | ast.Attribute):
        yield _Assigned(statement, target, function, path, load.context)
        if isinstance(target, ast.Name):  # `state = torch.load(path)`, then `model = state["model"]`
            for each, item in _items_of(function, target.id, statement.lineno):
                yield _Assigned(each, item, function, path, load.context)


def _items_of(function: _Scope, name: str, line: int) -> Iterator[tuple[ast.Assign, ast.expr]]:
    """The assignments behind a line of a function that take an item out of what a name holds."""
    for each in walk(function):
        if isinstance(each, ast.Assign) and len(each.targets) == 1 and each.lineno > line:
            if isinstance(each.targets[0], ast.Name | ast.Attribute) and _is_item_of(each.value, name):
                yield each, each.targets[0]


def _hands_on(value: ast.expr, load: ast.expr | None) -> bool:
    """Whether an expression is what a load gives, moved or taken out of the file: `torch.load(p)["net"].to(device)`."""
    while value is not load:
        match value:
            case ast.Call(func=ast.Attribute(attr="to" | "cuda" | "cpu" | "float" | "train", value=inner)):
                value = inner
            case (
                ast.Subscript(value=inner, slice=ast.Constant(value=str())) | ast.Attribute(value=inner, attr="module")
            ):
                value = inner
            case _:
                return False
    return True


def _is_item_of(value: ast.expr, name: str) -> bool:
    names = [part for part in walk(value) if isinstance(part, ast.Name) and part.id == name]
    holder = next((each for each in walk(value) if isinstance(each, ast.Subscript) and each.value in names), None)
    return holder is not None and _hands_on(value, names[0])


def _stale(
    view: View, load: CallEvent, assigned: _Assigned, before: Sequence[Event], after: Sequence[Event]
) -> Iterator[Resume]:
    """The record of a load where an optimiser goes on with the parameters of what the load replaces."""
    asked = [each for each in before if isinstance(each, CallEvent) and _asks_for(view, each, assigned)]
    for step in view.scene.of("step") if asked else ():
        optimiser = step.on
        given = None if optimiser is None else next((each for each in asked if _is_given(optimiser, each)), None)
        if optimiser is None or given is None or not _goes_on(view, assigned, step):
            continue
        if any(_is_told_anew(each, optimiser) for each in after):
            continue
        name = class_name(optimiser)
        trail = (
            Step(load.location, f"another network takes the place of {assigned.text} here"),
            Step(given.location, f"{name} was given the parameters of the one before"),
            Step(step.event.location, "it steps here"),
        )
        yield Resume(
            location=load.location,
            anchor=f"{innermost_function(load.context)}.{assigned.text}",
            unasked=Known(False),
            how=f"in the place of {assigned.text}",
            what=assigned.text,
            complete=Known(False, trail),
            stale=Known(True, trail),
            optimiser=name,
        )
        return


def _asks_for(view: View, event: CallEvent, assigned: _Assigned) -> bool:
    """Whether a call asks what a target holds for its parameters, in the same activation or of the same object."""
    if not event.callee.endswith(PARAMETERS):
        return False
    call = view.code.call_at(event.location)
    if call is None or not isinstance(call.func, ast.Attribute):
        return False
    owner = call.func.value
    while isinstance(owner, ast.Attribute) and owner.attr in _INNER:
        owner = owner.value
    if ast.unparse(owner) != assigned.text:
        return False
    if isinstance(assigned.target, ast.Name):
        same_file = event.location.path == assigned.path
        return same_file and stack_of(event.context) == stack_of(assigned.context)
    return _same_self(event.context, assigned.context)


def _same_self(one: Context, other: Context) -> bool:
    held = [context.frames[-1].value for context in (one, other) if context.frames]
    owners = [each.bound_to for each in held if each is not None and isinstance(each.bound_to, Instance)]
    return len(owners) == 2 and same_object(owners[0], owners[1])


def _is_given(optimiser: Instance, asked: CallEvent) -> bool:
    """Whether an optimiser is made with what a call for parameters gives."""
    return asked.location.lies_in(optimiser.location)


def _is_told_anew(event: Event, optimiser: Instance) -> bool:
    """Whether some optimiser is made, whatever it gets, or this one is told of other parameters."""
    if isinstance(event, StoreEvent):
        # `optimizer.param_groups[0]["params"] = list(model.parameters())`: the groups of a library are not followed.
        return event.name == "params" and isinstance(event.target, Unknown)
    if not isinstance(event, CallEvent):
        return False
    if event.callee.rpartition(".")[2] == "add_param_group":
        return is_among(optimiser, instances_of(event.receiver))
    return any(is_optimiser(each) and each.location == event.location for each in instances_of(event.result))


def _goes_on(view: View, assigned: _Assigned, step: Use) -> bool:
    """Whether training goes on behind the assignment, on a way that has passed it."""
    depth, stack = len(assigned.context.frames), stack_of(step.event.context)
    if stack[:depth] != stack_of(assigned.context):
        return not isinstance(assigned.target, ast.Name)  # another method of the object trains
    place = (*stack, step.event.location)[depth]
    for parent in view.code.parents(assigned.path, assigned.statement):
        if parent is assigned.function:
            break
        if isinstance(parent, ast.If) and (leaves(parent.body) or is_line_of(place.line, *parent.orelse)):
            return False
    if any(_gives_back(each, assigned, place) for each in walk(assigned.function)):
        return False
    later = any(
        isinstance(each.ctx, ast.Load)
        and each.lineno > assigned.statement.lineno
        and ast.unparse(each) == assigned.text
        for each in walk(assigned.function)
        if isinstance(each, ast.Name | ast.Attribute)
    )
    return place.line > assigned.statement.lineno and (later or not isinstance(assigned.target, ast.Name))


def _gives_back(node: ast.AST, assigned: _Assigned, place: Location) -> bool:
    """Whether a statement before a place gives the target something else than what it holds: the network before."""
    return (
        isinstance(node, ast.Assign)
        and assigned.statement.lineno < node.lineno < place.line
        and isinstance(node.value, ast.Name | ast.Attribute)
        and any(ast.unparse(target) == assigned.text for target in node.targets)
        and not f"{ast.unparse(node.value)}.".startswith(f"{assigned.text}.")
    )
