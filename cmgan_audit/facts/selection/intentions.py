"""Whether a model that is kept at the extreme of a number is meant to be the best one.

A search that keeps a best number of its own calls it so. `loss >= max(losses)` names nothing: it may keep the best
model by a comparison that is the wrong way round, or put aside the one that just diverged, to look at it later.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from cmgan_audit.facts.checkpoints.guards import Guard, Guards
from cmgan_audit.facts.checkpoints.restoring import member_of
from cmgan_audit.facts.selection.selecting import keeps_model
from cmgan_audit.facts.view import View
from cmgan_audit.lazy_regex import regex
from cmgan_audit.source.syntax import first_of

_WORST = regex(r"worst|crash|diverg|explo[ds]|spike|blow|anomal|outlier|dump|debug|rollback|roll_back")
_LOGS = frozenset({"debug", "dump"})  # `logger.debug` and `json.dump` speak of no model


def keeps_worst(view: View, guard: Guard) -> bool:
    """Whether the branch behind a test says that what it keeps is the worst: `torch.save(state, "diverged.pt")`."""
    return any(_WORST.search(word.lower()) for word in _said(view, guard))


def keeps_best(view: View, guard: Guard) -> bool:
    """Whether what a test lets through is called the best, or is all that the run writes of a model anywhere."""
    if any("best" in word.lower() for word in _said(view, guard)):
        return True
    guards = Guards(view.code)
    written = (event for event in view.scene.calls if keeps_model(event) and "save" in member_of(event))
    same = (guard.node, guard.taken)
    return all(any((each.node, each.taken) == same for each in guards.of(event)) for event in written)


def _said(view: View, guard: Guard) -> Iterator[str]:
    """The names and texts of a test and of the side of the branch behind it."""
    branch = first_of(view.code.parents(guard.path, guard.node), ast.If)
    behind = () if branch is None else branch.body if guard.taken else branch.orelse
    for block in (guard.node, *behind):
        for part in ast.walk(block):
            match part:
                case ast.Name(id=word) | ast.Attribute(attr=word) | ast.Constant(value=str(word)) if word not in _LOGS:
                    yield word
