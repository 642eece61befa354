"""Means that a caller takes of what a function has gathered of the batches: `np.mean(losses_of(model, loader))`."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence, Set
from dataclasses import replace

from cmgan_audit.facts.averages.counting import BatchCount
from cmgan_audit.facts.averages.means import as_arrays, means_of
from cmgan_audit.facts.averages.taking_in import Intake, Mean, behind
from cmgan_audit.facts.code import Code, Reached
from cmgan_audit.facts.scene import Pass
from cmgan_audit.lazy_dataclasses import dataclass


@dataclass(frozen=True, slots=True, eq=False)
class _Lengths:
    """What counts the batches where a function was called: `len(...)` of the loader that it was given."""

    loaders: frozenset[str]

    def counts(self, node: ast.expr) -> bool:
        """Whether an expression is the number of batches."""
        match node:
            case ast.Call(func=ast.Name(id="len"), args=[argument]):
                return ast.unparse(argument) in self.loaders
        return False


@dataclass(frozen=True, slots=True)
class _Returned:
    """Which of several returned values one is; None where it is the only one."""

    place: int | None


def means_at_callers(code: Code, single: Pass, taken: Intake, around: Reached, count: BatchCount) -> Iterator[Mean]:
    """The mean that a caller takes of what a function returns to it.

    One that hands on what it was returned is followed to its own caller: `return train_loss, test(model, loader)`.

    Args:
        code: the source of the run.
        single: the pass over a loader, in the function.
        taken: what the function gathers.
        around: the function.
        count: what counts the batches in the function.
    """
    drawn: Set[str] = count.drawn
    gathered = taken
    for frame in reversed(single.event.context.frames):
        call, returned = code.call_at(frame.call), _returned(around, taken)
        caller = None if call is None else code.around(frame.call.path, call)
        is_called = frame.value is not None and frame.value.node is around.node
        if call is None or caller is None or returned is None or not is_called:
            return
        holders = list(code.holders(caller.module.path, call))
        lengths = _Lengths(frozenset(_loaders(call, around, drawn)))
        found = list(_means_of_call(call, holders, caller, replace(taken, target=ast.unparse(call)), returned, lengths))
        if found:
            yield Mean(gathered, found[0], caller)
            return
        target = ast.unparse(call) if returned.place is None else ""
        taken = replace(taken, target=_name_given(holders[-1] if holders else call, call, returned) or target)
        around, drawn = caller, lengths.loaders


def _means_of_call(
    call: ast.Call,
    holders: Sequence[ast.AST],
    caller: Reached,
    taken: Intake,
    returned: _Returned,
    lengths: _Lengths,
) -> Iterator[ast.AST]:
    """The expressions of a function that average what a call in it returns, by itself or under the name it is given."""
    if returned.place is None:
        yield from means_of(taken, holders, lengths)
    name = _name_given(holders[-1] if holders else call, call, returned)
    if name:
        later = behind(caller.own_nodes(), holders[-1])
        named = replace(taken, target=name)
        for gathered in (named, *as_arrays(named, later)):
            yield from means_of(gathered, later, lengths)


def _returned(around: Reached, taken: Intake) -> _Returned | None:
    """As what a function returns an intake; None where it does not."""
    returns = [node for node in around.own_nodes() if isinstance(node, ast.Return) and node.value is not None]
    if len(returns) != 1:
        return None
    match returns[0].value:
        case ast.Tuple(elts=parts):
            texts = [ast.unparse(part) for part in parts]
            return _Returned(texts.index(taken.target)) if taken.target in texts else None
        case ast.expr() as value if ast.unparse(value) == taken.target:
            return _Returned(None)
    return None


def _name_given(statement: ast.AST, call: ast.Call, returned: _Returned) -> str:
    """The name that a caller gives to a returned value."""
    place = returned.place
    match statement:
        case ast.Assign(targets=[ast.Name(id=name)], value=value) if value is call and place is None:
            return name
        case ast.Assign(targets=[ast.Tuple(elts=parts)], value=value) if value is call and place is not None:
            part = parts[place] if place < len(parts) else None
            return part.id if isinstance(part, ast.Name) else ""
    return ""


def _loaders(call: ast.Call, around: Reached, drawn: Set[str]) -> Iterator[str]:
    """How the caller writes what a function draws from."""
    parameters: Sequence[ast.arg] = [] if isinstance(around.node, ast.Module) else around.node.args.args
    skipped = 1 if parameters and parameters[0].arg == "self" else 0
    for parameter, argument in zip(parameters[skipped:], call.args, strict=False):
        if parameter.arg in drawn:
            yield ast.unparse(argument)
    for keyword in call.keywords:
        if keyword.arg in drawn:
            yield ast.unparse(keyword.value)
    yield from (each for each in drawn if each.startswith("self."))
