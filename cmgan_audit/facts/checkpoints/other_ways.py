"""Objects that a resumed training never goes on with: it makes others in their place."""

from __future__ import annotations

import ast

from cmgan_audit.facts.checkpoints.guards import Guard, Guards
from cmgan_audit.facts.checkpoints.restoring import Batch
from cmgan_audit.facts.optimisers import is_scheduler
from cmgan_audit.facts.view import View
from cmgan_audit.finding import Location
from cmgan_audit.program.domain.values import Instance

# A test with its file, its function and the side that is taken: two that differ in the side alone are never taken in
# one start.
_Side = tuple[str, ast.AST | None, str, bool]


class OtherWays:
    """Tells which objects are left behind on the way of a resume."""

    def __init__(self, view: View) -> None:
        self._view = view
        self._guards = Guards(view.code)

    def leaves(self, target: Instance, batch: Batch) -> bool:
        """Whether a training that resumes from a checkpoint never goes on with an object."""
        return self._is_followed(target, batch) or self._is_made_otherwise(target, batch)

    def _is_followed(self, target: Instance, batch: Batch) -> bool:
        """Whether what is restored takes the name of an object: `if resume: optimizer = Adam(...)`, and its state."""
        name, function = self._view.assigned.at(target.location), self._function(target.location)
        return bool(name) and any(
            other.location.line > target.location.line
            and is_scheduler(other) == is_scheduler(target)
            and self._view.assigned.at(other.location) == name
            and self._function(other.location) is function
            for other in (each.target for each in batch.restored)
            if other is not None and other.location.path == target.location.path
        )

    def _is_made_otherwise(self, target: Instance, batch: Batch) -> bool:
        """Whether an object is made where the same test went the other way as on the way to the checkpoint."""
        made = {self._side(guard) for guard in self._guards.around(target.location)}
        if not made:
            return False
        events = [*batch.loads, *(each.event for each in batch.restored)]
        taken = {self._side(guard) for event in events for guard in self._guards.of(event)}
        return any((*test, not side) in taken for *test, side in made)

    def _side(self, guard: Guard) -> _Side:
        node, side = guard.node, guard.taken
        while isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
            node, side = node.operand, not side
        parents = self._view.code.parents(guard.path, guard.node)
        function = next((each for each in parents if isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef)), None)
        return guard.path, function, ast.dump(node), side

    def _function(self, place: Location) -> ast.AST | None:
        node = self._view.code.call_at(place)
        around = None if node is None else self._view.code.around(place.path, node)
        return None if around is None else around.node
