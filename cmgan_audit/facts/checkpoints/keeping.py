"""Weights that are put aside while training goes on, and used afterwards: copies, or the living tensors themselves."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence, Set

from cmgan_audit.facts.checkpoints.records import KeptWeights
from cmgan_audit.facts.checkpoints.restoring import member_of
from cmgan_audit.facts.scene import Use
from cmgan_audit.facts.values import instances_of, same_object
from cmgan_audit.facts.view import View
from cmgan_audit.finding import Location, Step
from cmgan_audit.lazy_regex import regex
from cmgan_audit.program.domain.values import Choice, DictValue, Instance, ListValue, Value
from cmgan_audit.program.execution.trace import CallEvent, Loop
from cmgan_audit.program.naming.names import canonical
from cmgan_audit.rules.record import Known
from cmgan_audit.source.syntax import first_of, walk

# What gives a new container of the same tensors.
_SHALLOW = frozenset({"builtins.dict", "collections.OrderedDict", "copy.copy"})
_VIEWS = frozenset({"items", "copy"})
# What a statement is repeated in: a loop, or the function that one calls.
_REPEATED = (ast.For, ast.While, ast.FunctionDef, ast.AsyncFunctionDef, ast.Module)
# Questions about an object that every pass answers alike.
_ASKS_WHAT_IT_IS = regex(r"(not \(?)?(hasattr|isinstance|callable|issubclass)\([^()]*\)\)?$")
_USES = {"save": "saved", "load_state_dict": "loaded back"}


def kept_weights(view: View) -> Iterator[KeptWeights]:
    """The weights that a training loop puts aside under a condition and that are used after that loop."""
    events = view.scene.calls
    training = {loop for use in view.scene.of("step") for loop in use.event.context.loops}
    for position, event in enumerate(events):
        if (
            member_of(event) != "state_dict"
            or not _is_of_network(view, event)
            or not isinstance(event.result, Instance)
        ):
            continue
        epochs = next((loop for loop in event.context.loops if loop in training), None)
        if epochs is None or not event.context.conditions:
            continue
        aliases = _aliases(event.result, events[position + 1 :])
        if any(canonical(each.callee) == "copy.deepcopy" and _uses_any(each, aliases) for each in events):
            continue
        for later in events[position + 1 :]:
            if member_of(later) not in _USES or not _uses_any(later, aliases):
                continue
            if epochs not in later.context.loops or _outlives_a_pass(view, event, later, epochs):
                how = _USES[member_of(later)]
                place = _written_at(view, event)
                trail = (
                    Step(place, "the network's own tensors are put aside, not copies of them"),
                    *(Step(use.event.location, "training goes on changing them") for use in _steps(view, epochs)),
                    Step(later.location, f"they are {how} here, as training has left them"),
                )
                yield KeptWeights(location=place, anchor=canonical(event.callee), aliased=Known(True, trail), used=how)
                break


def _written_at(view: View, event: CallEvent) -> Location:
    """The place of a call; both arms of `a.module.state_dict() if ddp else a.state_dict()` are one place."""
    call, place = view.code.call_at(event.location), event.location
    module = view.code.module(place.path)
    if call is None or module is None:
        return place
    for parent in view.code.parents(place.path, call):
        if not isinstance(parent, ast.IfExp):
            break
        place = module.location(parent)
    return place


def _is_of_network(view: View, event: CallEvent) -> bool:
    found = instances_of(event.receiver)
    return any(map(view.scene.is_network, found)) or (not found and event.callee.startswith("torch.nn."))


def _outlives_a_pass(view: View, kept: CallEvent, later: CallEvent, epochs: Loop) -> bool:
    """Whether a use in the loop of epochs also comes in passes that put nothing aside: then it gets what an earlier
    one did. What every pass sets anew does not outlive it, nor do the local names of a function that a pass calls."""
    module, node = view.code.module(kept.location.path), view.code.node_of(kept)
    parents = list(view.code.parents(kept.location.path, node)) if node is not None else []
    keeping = first_of(parents, ast.Assign)
    if module is None or keeping is None or epochs not in later.context.loops:
        return False
    statement = module.location(keeping)
    mine = {
        each.location
        for each in kept.context.conditions
        if not _stands_in(each.location, statement) and not _ASKS_WHAT_IT_IS.match(each.text)
    }
    if not mine or mine <= {each.location for each in later.context.conditions}:
        return False
    block = next(each for each in parents if isinstance(each, _REPEATED) and not _is_inner_loop(view, kept, each))
    if not isinstance(block, ast.For | ast.While) and any(isinstance(each, ast.Name) for each in keeping.targets):
        return False
    names = {ast.unparse(target) for target in keeping.targets}
    holders = {ast.unparse(_holder(target)) for target in keeping.targets} - names
    for each in walk(block):
        if each is keeping or not isinstance(each, ast.stmt):
            continue
        if isinstance(each, ast.Assign) and names & {ast.unparse(target) for target in each.targets}:
            return False
    return not _is_emptied(block.body, holders)


def _emptied(statement: ast.stmt) -> set[str]:
    """The dictionaries that a statement makes anew, or empties; `kept = dict(kept)` holds what it held."""
    match statement:
        case ast.Assign(targets=targets, value=ast.Dict() | ast.DictComp() | ast.Call() as value):
            parts = {ast.unparse(each) for each in walk(value) if isinstance(each, ast.Name | ast.Attribute)}
            return {ast.unparse(target) for target in targets} - parts
        case ast.Expr(value=ast.Call(func=ast.Attribute(value=holder, attr="clear"))):
            return {ast.unparse(holder)}
    return set()


def _is_emptied(body: Sequence[ast.stmt], holders: Set[str]) -> bool:
    """Whether each pass of a block empties a dictionary: on every side of its branches."""
    for each in body:
        if holders & _emptied(each):
            return True
        if isinstance(each, ast.With) and _is_emptied(each.body, holders):
            return True
        if isinstance(each, ast.If) and _is_emptied(each.body, holders) and _is_emptied(each.orelse, holders):
            return True
    return False


def _is_inner_loop(view: View, kept: CallEvent, node: ast.AST) -> bool:
    """Whether a loop only goes over what is put aside, and no training happens in it: `for name in networks:`."""
    place = view.code.place_of(kept.location.path, node)
    steps = (loop for use in view.scene.of("step") for loop in use.event.context.loops)
    return isinstance(node, ast.For | ast.While) and all(loop.location != place for loop in steps)


def _holder(target: ast.expr) -> ast.expr:
    """What an item is put into: `state` in `state[name]["weights"]`."""
    while isinstance(target, ast.Subscript):
        target = target.value
    return target


def _stands_in(place: Location, statement: Location) -> bool:
    """Whether a test is part of a statement: `x = a if test else b`, not `if test: x = a`."""
    begins = place.line > statement.line or place.column >= statement.column
    return begins and place.lies_in(statement)


def _aliases(state: Value, later: Sequence[CallEvent]) -> list[Value]:
    """A state, and what later calls make of it that holds the same tensors: other dictionaries, views of its items."""
    found = [state]
    for event in later:
        if canonical(event.callee) in _SHALLOW:
            same = _uses_any(event, found)
        else:
            receiver = event.receiver if member_of(event) in _VIEWS else None
            same = receiver is not None and any(_holds(receiver, each, 0) for each in found)
        if same:
            found.append(event.result)
    return found


def _uses_any(event: CallEvent, aliases: Sequence[Value]) -> bool:
    return any(_uses(event, each) for each in aliases)


def _steps(view: View, epochs: Loop) -> list[Use]:
    return [use for use in view.scene.of("step") if epochs in use.event.context.loops][:1]


def _uses(event: CallEvent, weights: Value) -> bool:
    given = event.arguments.every
    return any(_holds(value, weights, 4) for value in given)


def _holds(value: Value, weights: Value, depth: int) -> bool:
    """Whether a value is these tensors, or a container of them that was not copied deeply."""
    if depth < 0:
        return False
    match value:
        case Choice():
            return any(_holds(option.value, weights, depth) for option in value.options)
        case DictValue():
            if isinstance(weights, DictValue) and value.items is weights.items:
                return True
            return any(_holds(item, weights, depth - 1) for item in value.items.values())
        case ListValue():
            return any(_holds(item, weights, depth - 1) for item in value.items)
        case Instance():
            if isinstance(weights, Instance) and same_object(value, weights):
                return True
            shallow = canonical(value.external_name) in _SHALLOW
            return shallow and any(_holds(each, weights, depth - 1) for each in value.arguments.positional)
    return False
