"""Which measured numbers decide about the training, and on which set they are measured."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from collections.abc import Set as AbstractSet

from cmgan_audit.facts.checkpoints.guards import Guards
from cmgan_audit.facts.checkpoints.records import Selection
from cmgan_audit.facts.checkpoints.restoring import first_step, member_of
from cmgan_audit.facts.code import Reached, Stack, stack_of
from cmgan_audit.facts.records import EVAL
from cmgan_audit.facts.scene import Pass
from cmgan_audit.facts.selection.comparisons import comparison_of
from cmgan_audit.facts.selection.monitors import belongs_to, chooses, logged_in_training_only, monitors, watches
from cmgan_audit.facts.selection.picks import picks_of
from cmgan_audit.facts.selection.read_sets import ReadSets
from cmgan_audit.facts.selection.splits import Split, Splits
from cmgan_audit.facts.selection.words import TEST, TRAIN, kinds_in
from cmgan_audit.facts.slices import Found, Slicer
from cmgan_audit.facts.values import is_among, is_from_settings, same_object
from cmgan_audit.facts.view import View
from cmgan_audit.finding import Confidence, Location, Step
from cmgan_audit.lazy_dataclasses import dataclass
from cmgan_audit.program.domain.values import Choice, DictValue, Instance, Value
from cmgan_audit.program.execution.trace import CallEvent, Event, Loop
from cmgan_audit.program.naming.names import canonical
from cmgan_audit.rules.record import Known
from cmgan_audit.source.syntax import arguments_of, first_of, is_line_of, walk

_SAVES = frozenset({"save", "save_pretrained", "save_checkpoint", "save_state", "save_weights", "copyfile", "copy2"})
_ORDERS = (ast.Lt, ast.LtE, ast.Gt, ast.GtE, ast.Eq)
KEEPS, STOPS, RATE = "which model is kept", "when training stops", "the learning rate"
SETTINGS = "which settings are kept"


@dataclass(frozen=True, slots=True)
class Decision:
    """A decision by a measured number: what it is about, the expression, where it is taken, and what follows it.

    `picks` where the end of a list of numbers is taken, without a comparison: `np.argmin(losses)`.
    """

    decides: str
    node: ast.expr
    path: str
    stack: Stack
    outcome: Event | None = None
    picks: bool = False


def selections_of(view: View) -> Iterator[Selection]:
    """The decisions of a training that a measured number takes, each place once."""
    if not first_step(view.scene) and not any(single.event.framework for single in view.scene.passes):
        return
    evaluated = [single for single in view.scene.passes if _is_evaluation(view, single)]
    slicer = view.slicer
    selecting = _Selecting(view, slicer, evaluated)
    seen: set[tuple[Location, str]] = set()
    for decision in _decisions(view):
        for record in selecting.by(decision):
            if (record.location, record.decides) not in seen:
                seen.add((record.location, record.decides))
                yield record
    yield from selecting.by_frameworks()


def _is_evaluation(view: View, single: Pass) -> bool:
    serves = (made.loader for made in view.made_for(EVAL))
    return single.event.role == EVAL or is_among(single.loader, serves)


def _decisions(view: View) -> Iterator[Decision]:
    guards = Guards(view.code)
    seen: set[tuple[int, Stack]] = set()
    for event in view.scene.calls:
        if member_of(event) == "step" and "ReduceLROnPlateau" in canonical(event.callee):
            call = view.code.call_at(event.location)
            for argument in call.args[:1] if call is not None else ():
                yield Decision(RATE, argument, event.location.path, stack_of(event.context))
    kept: list[Event] = [event for event in view.scene.calls if keeps_model(event)]
    kept += [store for store in view.scene.stores if holds_weights(store.value)]
    for each in kept:
        for guard in guards.of(each):
            key = (id(guard.node), guard.stack)
            if key not in seen:
                seen.add(key)
                yield Decision(KEEPS, guard.node, guard.path, guard.stack, each)
    for pick in picks_of(view):
        if isinstance(pick.at.node, ast.expr):
            yield Decision(KEEPS, pick.at.node, pick.at.path, pick.at.stack, picks=True)
    yield from stops(view)
    yield from _objectives(view)


def keeps_model(event: CallEvent) -> bool:
    """Whether a call puts a model aside: a file is written, or its weights are copied."""
    name = canonical(event.callee)
    if member_of(event) in _SAVES:
        return name.partition(".")[0] in ("torch", "safetensors", "accelerate", "shutil", "?", "transformers")
    return name.endswith(".state_dict") or name == "copy.deepcopy"


def holds_weights(value: Value, depth: int = 3) -> bool:
    """Whether something that is put aside in an attribute is a state, or a dictionary that holds one."""
    if isinstance(value, Instance):
        return value.external_name.endswith(".state_dict")
    if depth and isinstance(value, Choice):
        return any(holds_weights(option.value, depth - 1) for option in value.options)
    if depth and isinstance(value, DictValue):
        return any(holds_weights(item, depth - 1) for item in value.items.values())
    return False


def stops(view: View) -> Iterator[Decision]:
    """Tests that leave the loop of epochs: `break` in a loop that trains."""
    training = {loop.location for use in view.scene.of("backward", "step") for loop in use.event.context.loops}
    files = {place.path for place in training}
    for reached in view.code.reached:
        path = reached.module.path
        for node in reached.own_nodes() if path in files else ():
            tests = _tests_of_break(view, path, node, training) if isinstance(node, ast.Break) else []
            for test in tests:
                for stack in _ways_to(view, reached):
                    yield Decision(STOPS, test, path, stack)


def _objectives(view: View) -> Iterator[Decision]:
    """What a function returns by which a study of Optuna chooses settings: `study.optimize(objective)`."""
    studies = {each.location for each in view.scene.named(lambda name: name.endswith(".optimize")) if _is_study(each)}
    for reached in view.code.reached if studies else ():
        stacks = [stack for stack in _ways_to(view, reached) if stack and stack[-1] in studies]
        returned = [each.value for each in reached.own_nodes() if isinstance(each, ast.Return) and each.value]
        for value in [reached.node.body] if isinstance(reached.node, ast.Lambda) else returned:
            for stack in stacks:
                yield Decision(SETTINGS, value, reached.module.path, stack, picks=True)


def _is_study(event: CallEvent) -> bool:
    return canonical(event.callee).startswith("optuna.")


def _tests_of_break(view: View, path: str, node: ast.Break, training: AbstractSet[Location]) -> list[ast.expr]:
    """The tests between a `break` and its loop, where that loop trains."""
    parents = list(view.code.parents(path, node))
    loop = next((parent for parent in parents if isinstance(parent, ast.For | ast.While)), None)
    if loop is None or not any(place.path == path and _spans(loop, place.line) for place in training):
        return []
    return [parent.test for parent in parents[: parents.index(loop)] if isinstance(parent, ast.If)]


def _ways_to(view: View, reached: Reached) -> list[Stack]:
    """The two shortest ways by which a function is called; the top level needs none."""
    contexts = view.code.contexts.get(reached.node, ())
    stacks = dict.fromkeys(
        tuple(frame.call for frame in frames[: index + 1])
        for frames in {id(context.frames): context.frames for context in contexts}.values()
        for index, frame in enumerate(frames)
        if frame.value is not None and frame.value.node is reached.node
    )
    return sorted(stacks, key=len)[:2] or [()]


def _spans(node: ast.For | ast.While, line: int) -> bool:
    header = node.iter if isinstance(node, ast.For) else node.test
    return node.lineno <= line <= (header.end_lineno or node.lineno)


class _Selecting:
    def __init__(self, view: View, slicer: Slicer, evaluated: list[Pass]) -> None:
        self._view = view
        self._slicer = slicer
        self._evaluated = evaluated
        self._splits = Splits(view, slicer)
        self._read_sets = ReadSets(view, slicer)
        learning = (use.event.context.loops for use in view.scene.of("backward", "step"))
        self._learning = {id(loop) for loops in learning for loop in loops}

    def by(self, decision: Decision) -> Iterator[Selection]:
        """The records of a decision: none where no measured number takes it."""
        behind = self._slicer.behind(decision.node, decision.path, decision.stack)
        compares = [found for found in behind.compares if _is_ordering(found)]
        compares += [call for call in behind.calls if comparison_of(self._view, call) is not None]
        if not compares and decision.decides != RATE and not decision.picks:
            return
        place = self._slicer.location(compares[0]) if compares else self._place(decision)
        passes = [single for single in self._evaluated if any(self._gathers(loop, single) for loop in behind.loops)]
        splits = [
            (split, single.event.location)
            for single in passes
            for split in [self._split(single)]
            if not (split.kind == TEST and self._comes_after(single, decision))
        ]
        if passes:  # of numbers of several sets any may be the one that decides
            splits += [(Split(""), single.event.location) for single in self._measuring_too(behind.loops)]
        else:
            splits = list(self._named_calls([*behind.calls, *self._around(decision)]))
            splits = splits or list(self._read_sets.measured(behind))
        splits = _picked(self._slicer, splits, compares)
        tests = [(split, drawn) for split, drawn in splits if split.kind == TEST]
        others = [split for split, _ in splits if split.kind != TEST]
        if tests and not others:
            split, drawn = tests[0]
            yield self._record(decision.decides, place, split, drawn)
        elif splits and others[0].kind:
            text = others[0].sign
            yield Selection(
                location=place, anchor=decision.decides, decides=decision.decides, by_test=Known(False), signs=text
            )

    def _measuring_too(self, loops: Sequence[Found]) -> Iterator[Pass]:
        """The passes among loops in which nothing learns, without it being told that they are evaluations."""
        for single in self._view.scene.passes:
            if single in self._evaluated or not any(self._gathers(loop, single) for loop in loops):
                continue
            if not any(use.kind in ("backward", "step") for use in self._view.scene.uses_in(single)):
                yield single

    def _gathers(self, loop: Found, single: Pass) -> bool:
        """Whether a loop of a slice is this pass over a loader, or the one around a single draw, `next(batches)`.

        A loop that trains gathers other numbers than those of a batch that it also draws from an evaluation loader.
        """
        event, node = single.event, loop.node
        stack = stack_of(event.context)
        steps = isinstance(node, ast.For | ast.AsyncFor)
        if event.is_one_draw and steps and id(event.loop) not in self._learning:
            place = event.loop.location
            around = loop.stack == stack[: len(loop.stack)]
        else:
            place = event.location
            around = loop.stack == stack
        if loop.path != place.path or not around:
            return False
        if isinstance(node, ast.For | ast.AsyncFor):
            return is_line_of(place.line, node.iter)
        return is_line_of(place.line, node)

    def _comes_after(self, single: Pass, decision: Decision) -> bool:
        """Whether a number is measured only once the decision is taken: in later epochs it is a part of the history.

        A history keeps other numbers too, and what a decision asks it for is the one that the same epoch has added.
        """
        if decision.outcome is None or self._asks_epoch_before(decision):
            return False
        return decision.outcome in self._view.scene.run.events[: single.position]

    def _asks_epoch_before(self, decision: Decision) -> bool:
        """Whether a decision reads a number that its loop gives a value only behind it, at the end of each epoch."""
        parents = list(self._view.code.parents(decision.path, decision.node))
        loop = next((each for each in parents if isinstance(each, ast.For | ast.While)), None)
        statement = first_of(parents, ast.stmt)
        if loop is None or statement is None:
            return False
        behind: set[str] = set()
        before: set[str] = set()
        for part in walk(loop):
            if isinstance(part, ast.Name | ast.Attribute) and isinstance(part.ctx, ast.Store):
                (behind if part.lineno > (statement.end_lineno or 0) else before).add(ast.unparse(part))
        asked = {ast.unparse(part) for part in walk(decision.node) if isinstance(part, ast.Name | ast.Attribute)}
        return not asked.isdisjoint(behind - before)

    def by_frameworks(self) -> Iterator[Selection]:
        """The selections of trainers that monitor the metric of their evaluation passes."""
        set_up = [
            event
            for event in self._view.scene.calls
            if monitors(event) and chooses(self._view, event) and not logged_in_training_only(self._view, event)
        ]
        for single in self._evaluated if set_up else ():
            if not single.event.framework or single.event.framework.endswith((".test", ".evaluate", ".predict")):
                continue
            split = self._split(single)
            own = [event for event in set_up if belongs_to(self._view, event, single)]
            deciding = [event for event in own if watches(event, *self._which(single))]
            if split.kind == TEST and deciding:
                stops = canonical(deciding[0].callee).endswith("EarlyStopping")
                yield self._record(STOPS if stops else KEEPS, deciding[0].location, split, single.event.location)

    def _which(self, single: Pass) -> tuple[int, int]:
        """Which of the loaders of one evaluation a pass goes over, and of how many: a new one begins after training."""
        loops: list[Loop] = []
        for each in self._view.scene.passes:
            if each.event.location == single.event.location:
                if each.event.role == TRAIN:
                    if single.event.loop in loops:
                        break
                    loops = []
                elif each.event.loop not in loops:
                    loops.append(each.event.loop)
        return (loops.index(single.event.loop), len(loops)) if single.event.loop in loops else (0, 1)

    def _record(self, decides: str, place: Location, split: Split, drawn: Location) -> Selection:
        here = Step(place, f"this decides {decides}")
        drawn_here = Step(drawn, "the number is measured here")
        # Code that many configurations share decides rightly for some of them: then the setting is what stands out.
        trail = (*split.trail, here, drawn_here) if is_from_settings(split.trail) else (here, *split.trail, drawn_here)
        known = Known(True, trail, confidence=split.confidence)
        return Selection(location=place, anchor=decides, decides=decides, by_test=known, signs=split.sign)

    def _split(self, single: Pass) -> Split:
        made = next((m for m in self._view.scene.made if same_object(m.loader, single.loader)), None)
        return Split("") if made is None else self._splits.of(made)

    def _around(self, decision: Decision) -> list[Found]:
        """The call of the function that decides: it may measure and decide in one."""
        if not decision.stack:
            return []
        call = self._view.code.call_at(decision.stack[-1])
        return [] if call is None else [Found(call, decision.stack[-1].path, decision.stack[:-1])]

    def _named_calls(self, calls: Sequence[Found]) -> Iterator[tuple[Split, Location]]:
        """Evaluations without a loader: functions that run a network on what their arguments call test."""
        for found in calls:
            assert isinstance(found.node, ast.Call)
            place = self._slicer.location(found)
            stack = (*found.stack, place)
            inside = self._read_sets.used_below.get(stack, ())
            if not any(use.kind == "run" for use in inside) or any(use.kind == "backward" for use in inside):
                continue
            texts = [text for argument in arguments_of(found.node) for text in _texts(argument)]
            kinds = set().union(*(kinds_in(text) for text in texts)) if texts else set()
            if len(kinds) == 1 and TRAIN not in kinds:
                sign = f"it is given {next(text for text in texts if kinds_in(text))}"
                yield Split(kinds.pop(), sign, (Step(place, sign),), Confidence.MEDIUM), place

    def _place(self, decision: Decision) -> Location:
        return self._slicer.location(Found(decision.node, decision.path, decision.stack))


def _picked(
    slicer: Slicer, splits: list[tuple[Split, Location]], compares: Sequence[Found]
) -> list[tuple[Split, Location]]:
    """Of the sets behind a decision that one of them is picked from by its name: `results["valid"] > best`.

    It may be picked a line above: `score = results["valid"]` and then `score > best`.
    """
    if len(splits) < 2:
        return splits
    keys = [key for found in compares for key in _keys(slicer, found, found.node)]
    if not keys:
        keys = [
            key
            for found in compares
            for side in walk(found.node)
            if isinstance(side, ast.Name)
            for value in slicer.given(side, found.path, found.stack)
            for key in _keys(slicer, found, value)
        ]
    kinds = set[str]().union(*map(kinds_in, keys))
    picked = [(split, drawn) for split, drawn in splits if split.kind in kinds]
    return picked if len(kinds) == 1 and picked else splits


def _keys(slicer: Slicer, found: Found, node: ast.AST) -> Iterator[str]:
    """The texts by which an expression picks items: `results["valid"]`, `results.get("valid")`, `results[KEY]`."""
    for part in walk(node):
        match part:
            case ast.Subscript(slice=key) | ast.Call(func=ast.Attribute(attr="get"), args=[key, *_]):
                named = slicer.given(key, found.path, found.stack) if isinstance(key, ast.Name) else [key]
                texts = [each.value if isinstance(each, ast.Constant) else None for each in named]
                yield from (text for text in texts[:1] if isinstance(text, str) and len(texts) == 1)


def _is_ordering(found: Found) -> bool:
    """Whether a comparison asks which of two measured numbers is the better one, or by how much."""
    node = found.node
    assert isinstance(node, ast.Compare)
    sides = (node.left, *node.comparators)
    constant = any(isinstance(side, ast.Constant) for side in sides)
    return (not constant or any(map(_is_gain, sides))) and any(isinstance(each, _ORDERS) for each in node.ops)


def _is_gain(side: ast.expr) -> bool:
    """Whether one measured number is taken from another: `best - loss > 1e-4` is `loss < best` with a margin."""
    if not isinstance(side, ast.BinOp) or not isinstance(side.op, ast.Sub):
        return False
    return not isinstance(side.left, ast.Constant) and not isinstance(side.right, ast.Constant)


def _texts(node: ast.expr) -> Iterator[str]:
    match node:
        case ast.Name():
            yield node.id
        case ast.Attribute():
            yield node.attr
        case ast.Constant(value=str() as text):
            yield text
