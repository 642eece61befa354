"""What a list of measured numbers goes over: the models of a training, or the recordings that one is measured on."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from cmgan_audit.facts.checkpoints.restoring import member_of
from cmgan_audit.facts.selection.ways import FUNCTIONS
from cmgan_audit.facts.slices import Found
from cmgan_audit.facts.view import View
from cmgan_audit.program.execution.trace import Event
from cmgan_audit.program.naming.names import canonical
from cmgan_audit.source.syntax import is_line_of

_COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.GeneratorExp, ast.DictComp)
_LOOPS = (ast.For, ast.AsyncFor, ast.While, *_COMPREHENSIONS)
# How many names and functions a list is followed through.
_FAR = 3


def is_one_per_model(view: View, held: Found) -> bool:
    """Whether a list or dictionary has a number for every model: the loops that fill it train, save or load one.

    The hardest recordings are the end of such a list as well, and their features are loaded by it. A list that no loop
    of its function fills goes over models.

    Args:
        view: the run.
        held: the list.
    """
    filling = list(_filling(view, held, _FAR))
    return not filling or any(_changes_model(view, loop) for loop in filling)


def _filling(view: View, held: Found, depth: int) -> Iterator[Found]:
    """The innermost loops that put something into a list."""
    if not isinstance(held.node, ast.expr):
        return
    for source, _ in view.slicer.sources(held):
        parents = list(view.code.parents(source.path, source.node))
        is_whole = bool(parents) and isinstance(parents[0], ast.Return | ast.Assign | ast.AnnAssign)
        if is_whole and not _is_item(parents[0]):
            if isinstance(source.node, _COMPREHENSIONS):
                yield source
            elif depth and isinstance(source.node, ast.Name | ast.Attribute | ast.Call):
                yield from _filling(view, source, depth - 1)
            continue
        for parent in parents:
            if isinstance(parent, FUNCTIONS):
                break
            if isinstance(parent, _LOOPS):
                yield source.beside(parent)
                break


def _is_item(statement: ast.AST) -> bool:
    """Whether a statement stores an item: `losses[path] = loss`, `losses[path], scores[path] = evaluate(model)`."""
    targets = statement.targets if isinstance(statement, ast.Assign) else []
    return any(
        isinstance(part, ast.Subscript) for target in targets for part in (target, *ast.iter_child_nodes(target))
    )


def _changes_model(view: View, loop: Found) -> bool:
    """Whether something learns in a loop, or a model is saved or gets weights in it."""
    scene = view.scene
    events: list[Event] = [use.event for use in scene.of("backward", "step")]
    events += [each for each in scene.calls if member_of(each) == "load_state_dict"]
    events += scene.named(lambda name: canonical(name) == "torch.save")
    return any(_is_in(event, loop) for event in events)


def _is_in(event: Event, loop: Found) -> bool:
    """Whether an event happens within the lines of a loop, or in a function that is called there."""
    places = (event.location, *(frame.call for frame in event.context.frames))
    return any(place.path == loop.path and is_line_of(place.line, loop.node) for place in places)
