"""Whether a resume brings back everything with a state that the training goes on to use."""

from __future__ import annotations

import ast
from collections.abc import Iterable

from cmgan_audit.facts.bindings import bindings_in, is_parameter
from cmgan_audit.facts.checkpoints.counters import COUNTER, Counting
from cmgan_audit.facts.checkpoints.left_averages import Averages
from cmgan_audit.facts.checkpoints.other_ways import OtherWays
from cmgan_audit.facts.checkpoints.restoring import Batch, made_by, member_of, stateful_uses
from cmgan_audit.facts.code import Code, stack_of
from cmgan_audit.facts.exclusive import exclusive
from cmgan_audit.facts.optimisers import is_scheduler
from cmgan_audit.facts.steps.told import PLATEAU
from cmgan_audit.facts.values import class_name, instances_of, is_among, same_object
from cmgan_audit.facts.view import View
from cmgan_audit.finding import Step, Trail
from cmgan_audit.program.domain.reasons import Cause, cause_of
from cmgan_audit.program.domain.values import Const, Instance, ListValue, Unknown
from cmgan_audit.program.execution.trace import CallEvent, Event, Loop, StoreEvent
from cmgan_audit.rules.record import Fact, Known
from cmgan_audit.source.syntax import arguments_named, is_shared

# Where schedulers of torch take the epoch that they go on from, if it is not given by its name.
_PLACE_OF_LAST_EPOCH = {
    **dict.fromkeys(("LambdaLR", "MultiplicativeLR", "ExponentialLR"), 2),
    **dict.fromkeys(("StepLR", "MultiStepLR", "ConstantLR", "PolynomialLR", "CosineAnnealingLR"), 3),
    **dict.fromkeys(("LinearLR", "CosineAnnealingWarmRestarts"), 4),
}


class Completeness:
    """What a training uses, against what its checkpoints bring back."""

    def __init__(self, view: View, start: int) -> None:
        self._view = view
        self._used = list(stateful_uses(view.scene))
        self._counting = Counting(view, start)
        self._other_ways = OtherWays(view, start)
        self._averages = Averages(view, start)

    def goes_on_counting(self, batch: Batch) -> bool:
        """Whether the training goes on at the epoch or the step that stands in a checkpoint."""
        return self._counting.goes_on(batch.loads)

    def of(self, batch: Batch, events: Iterable[Event], counts_anew: bool) -> tuple[str, Fact]:
        """What a checkpoint leaves out, as text, and whether it is complete, with where each missing part is made.

        Args:
            batch: the checkpoint.
            events: what happens where it is loaded: attributes that are replaced by a part of the file.
            counts_anew: whether a training is meant to count its epochs from the beginning, as its names tell.
        """
        if batch.whole or not self._used or any(each.target is None for each in batch.restored):
            return "", Known(True)  # what an unknown object is cannot be held against the checkpoint
        events = list(events)
        replaced = _replaced(events) | _replaced_names(self._view.code, batch)
        missing = [
            each
            for each, step in self._other_ways.stepping(self._used, batch, events)
            if (not batch.brings_back(each) or self._is_another(batch, each))
            and not _apart(batch, step)
            and not self._is_made_at_epoch(each)
            and not replaced & self._names(each)
            and not _is_told(each, events)
            and not _is_replayed(self._view, each, batch, events)
            and not self._made_in_passes(each, step, batch)
        ]
        trail: Trail = tuple(
            Step(each.location, f"{class_name(each)} is made here and starts anew") for each in missing
        )
        averages = self._averages.left_out(batch, events)
        trail += tuple(step for _, steps in averages for step in steps)
        trail += tuple(Step(each.location, "the checkpoint is loaded here") for each in batch.loads[:1] if trail)
        restored = {class_name(each.target) for each in batch.restored if each.target is not None}
        left = [*map(class_name, missing), *(f"{name} (an average of weights)" for name, _ in averages)]
        names = [f"another {name}" if name in restored else name for name in left]
        counted = any(COUNTER.search(name) for name in replaced)
        if names and self._counting.begins_with_constant and not counted:
            names.append("the epoch")
        elif not names and batch.trains_on and not counted and not counts_anew:
            epoch, best = self._counting.left_behind(), self._counting.best_left_behind()
            left = ["the epoch"] * bool(epoch) + ["the best score so far"] * bool(best)
            return " and ".join(left), Known(not left, epoch + best)
        return ", ".join(dict.fromkeys(names)), Known(not left, trail)

    def _is_another(self, batch: Batch, target: Instance) -> bool:
        """Whether what is restored is another object that the same helper made: `g_opt, d_opt = make(g), make(d)`."""
        restored = batch.targets
        alike = [each for each in restored if each.location == target.location]
        own = batch.whole or is_among(target, restored)
        return not own and bool(alike) and all(self._are_beside(each, target) for each in alike)

    def _are_beside(self, one: Instance, other: Instance) -> bool:
        """Whether two objects come from two calls of one helper, which one run of a function makes one after the other.

        A whole training that is called twice makes each of them in its own call, where it steps, too; a second phase
        begins with an optimiser of its own, once that of the first one has stepped.
        """
        made = self._helped(one), self._helped(other)
        if made[0] is None or made[1] is None:
            return False
        first, second = (stack_of(event.context) for event in made if event is not None)
        beside = first[:-1] == second[:-1] and first[-1] != second[-1]
        steps = [step for each, step in self._used if same_object(each, one)]
        first_of_all = next(event for event in self._view.scene.calls if event is made[1] or event in steps)
        return beside and first_of_all is made[1] and not exclusive(made[0].context, made[1].context)

    def _helped(self, target: Instance) -> CallEvent | None:
        """The call in a helper that made an object, which is over when the object steps."""
        made = made_by(self._view.scene, target)
        steps = [step for each, step in self._used if same_object(each, target)]
        stack = stack_of(made[0].context) if made else ()
        return made[0] if stack and steps and stack[-1] not in stack_of(steps[0].context) else None

    def _is_made_at_epoch(self, target: Instance) -> bool:
        """Whether a scheduler is made with the epoch to go on from, and needs no state: a constant is no such epoch."""
        place = _PLACE_OF_LAST_EPOCH.get(target.external_name.rpartition(".")[2])
        value = target.arguments.get("last_epoch", place)
        if value is None:
            return False
        call = self._view.code.call_at(target.location)
        given = arguments_named(call, "last_epoch") if call is not None else []
        if call is not None and not given and place is not None:
            given = call.args[place : place + 1]
        return not isinstance(value, Const) or not given or not self._is_number(target.location.path, given[0])

    def _is_number(self, path: str, node: ast.expr) -> bool:
        """Whether an expression is a number that is written out, or a name that gets such ones alone."""
        around = self._view.code.around(path, node)
        if isinstance(node, ast.Name) and around is not None:
            bound = bindings_in(around).get(node.id, [])
            numbers = (one.value is not None and _is_written_out(one.value) and not one.adds for one in bound)
            # Another function may give a name of the top level what it has loaded.
            elsewhere = is_parameter(around.node, node.id) or is_shared(around.module.tree, node.id)
            return bool(bound) and all(numbers) and not elsewhere
        return _is_written_out(node)

    def _made_in_passes(self, target: Instance, step: CallEvent, batch: Batch) -> bool:
        """Whether an object is made and used in one pass of a loop without the load: anew, with nothing to go on.

        So are the optimisers that fit something to each utterance of a test set, whatever network guides them. One
        that a loop over several networks makes, and another loop steps, goes on.
        """
        around = [loop for event in batch.events for loop in event.context.loops]
        passes = [loop for loop in step.context.loops if all(loop is not each for each in around)]
        return any(
            any(loop is each for each in passes)
            for event in self._view.scene.at(target.location)
            for loop in event.context.loops
        )

    def _names(self, target: Instance) -> set[str]:
        """The attributes and the name that an object is kept under."""
        attributes = {store.name for store in self._view.scene.stores if is_among(target, instances_of(store.value))}
        return attributes | ({self._view.assigned.at(target.location)} - {""})


def _is_written_out(node: ast.expr) -> bool:
    """Whether an expression is a constant, or one with a sign."""
    return isinstance(node.operand if isinstance(node, ast.UnaryOp) else node, ast.Constant)


def _apart(batch: Batch, step: CallEvent) -> bool:
    """Whether a checkpoint belongs to another of the trainings that are chosen between."""
    return any(exclusive(load.context, step.context) for load in batch.loads)


def _replaced(events: Iterable[Event]) -> set[str]:
    """The attributes that get a part of the file itself: `self.scaler = checkpoint["scaler"]`."""
    return {
        event.name
        for event in events
        if isinstance(event, StoreEvent)
        and isinstance(event.value, Unknown)
        and cause_of(event.value.reason) is Cause.LOADED
    }


def _replaced_names(code: Code, batch: Batch) -> set[str]:
    """The names that get a part of the file itself where it is loaded: `scheduler = checkpoint["scheduler"]`.

    A part of a part is no whole object: `rate = checkpoint["optimizer"]["lr"]`.
    """
    found: set[str] = set()
    for load in batch.loads:
        node = code.node_at(load.location)
        function = None if node is None else code.around(load.location.path, node)
        bound = {} if function is None else bindings_in(function)
        files = {name for name, each in bound.items() for one in each if one.value is code.call_at(load.location)}
        for name, each in bound.items():
            found |= {name for one in each if one.item is None and _is_part(one.value, files)}
    return found


def _is_part(value: ast.expr | None, files: set[str]) -> bool:
    """Whether an expression is what stands under a key of one of some loaded files."""
    match value:
        case ast.Subscript(value=ast.Name(id=name), slice=ast.Constant(value=str())):
            return name in files
        case ast.Call(func=ast.Attribute(value=ast.Name(id=name), attr="get" | "pop"), args=[ast.Constant(), *_]):
            return name in files
    return False


def _is_told(scheduler: Instance, events: Iterable[Event]) -> bool:
    """Whether a scheduler is told where to go on: `scheduler.last_epoch = checkpoint["epoch"]`."""
    stores = (event for event in events if isinstance(event, StoreEvent) and event.name == "last_epoch")
    return any(is_among(scheduler, instances_of(store.target)) for store in stores)


def _is_replayed(view: View, scheduler: Instance, batch: Batch, events: Iterable[Event]) -> bool:
    """Whether a scheduler is stepped up to where the training stopped, at once or one by one.

    `for _ in range(start): scheduler.step()`; a loop over what is known from the start does not reach there.
    """
    if not is_scheduler(scheduler):
        return False
    steps = [event for event in events if isinstance(event, CallEvent) and member_of(event) == "step"]
    others = [loop for load in batch.loads for loop in load.context.loops]
    others += [loop for use in view.scene.of("backward", "step") for loop in use.event.context.loops]
    for step in steps:
        stepped = instances_of(step.receiver)
        if is_among(scheduler, stepped) and _is_told_epoch(step, scheduler):
            return True
        if any(same_object(each, scheduler) or _holds(each, scheduler) for each in stepped) and _repeats(step, others):
            return True
    return False


def _is_told_epoch(step: CallEvent, scheduler: Instance) -> bool:
    """Whether a step says to which epoch it leads: `scheduler.step(start)`, where that is no loss to wait for."""
    library = scheduler.external_name
    return bool(library) and not library.endswith(PLATEAU) and step.arguments.get("epoch", 0) is not None


def _repeats(step: CallEvent, others: list[Loop]) -> bool:
    """Whether a step is repeated in a loop of its own, as often as only a run tells."""
    return any(
        all(loop is not each for each in others) and not isinstance(loop.iterates, ListValue)
        for loop in step.context.loops
    )


def _holds(outer: Instance, scheduler: Instance) -> bool:
    """Whether a scheduler is that of another one, which steps it: one that warms up, and then hands on."""
    held = (each for value in outer.attrs.values() for each in instances_of(value))
    return is_scheduler(outer) and is_among(scheduler, held)
