"""How scores pass from function to function: what each returns, is given and keeps, until nothing changes any more."""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import field

from cmgan_audit.facts.code import Reached
from cmgan_audit.facts.losses import is_loss
from cmgan_audit.facts.metrics.body import Body, Dropped
from cmgan_audit.facts.metrics.grades import NO_SCORES, Grade, Graded, Scores, combine, either, whole
from cmgan_audit.facts.metrics.scoring import Scoring
from cmgan_audit.facts.view import View
from cmgan_audit.finding import Location
from cmgan_audit.lazy_dataclasses import dataclass
from cmgan_audit.program.domain.values import FunctionValue
from cmgan_audit.program.execution.trace import Context
from cmgan_audit.program.naming.modules import Module
from cmgan_audit.program.naming.names import canonical
from cmgan_audit.source.syntax import positional_parameters

MOST_ROUNDS = 400
# The two sides of a loss, and the packages whose PESQ is on the scale of P.862.1 and P.862.2, which begins above 1.
_COMPARED = frozenset({0, 1, "input", "target"})
_FROM_ONE = ("pesq.", "pesqc2.", "torchmetrics.")
_Place = tuple[str, int, int, int | None, int | None]
_Node = ast.AST


@dataclass(frozen=True, slots=True, eq=False)
class Learnt:
    """A loss that compares something with the scores of a batch: where, and the grade of the target.

    `answers`: which of the two that it compares hold no scores, by position or name.
    """

    place: Location
    target: Scores
    function: _Node
    answers: tuple[int | str, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class DroppedBatch:
    """A branch that drops a whole batch because one of its scores failed."""

    place: Location
    test: str
    function: _Node
    name: str


@dataclass(eq=False)
class ScoreFlow:
    """The scores of one run on their way through its functions.

    Attributes:
        dropped: where a batch is dropped.
        learnt: the losses of a library that have scores as their target.
        differences: what is subtracted from scores, which may be a loss that is written out.
    """

    view: View
    scorings: Sequence[Scoring]
    dropped: dict[Location, DroppedBatch] = field(default_factory=dict)
    learnt: dict[Location, Learnt] = field(default_factory=dict)
    differences: dict[Location, Learnt] = field(default_factory=dict)
    _sources: dict[_Place, Scores] = field(default_factory=dict)
    _targets: dict[_Place, list[FunctionValue]] = field(default_factory=lambda: defaultdict(list))
    _callers: dict[_Node, set[_Node]] = field(default_factory=lambda: defaultdict(set))
    _functions: dict[_Node, Reached] = field(default_factory=dict)
    _losses: set[_Place] = field(default_factory=set)
    _returns: dict[_Node, Graded] = field(default_factory=dict)
    _answers: dict[_Node, bool | None] = field(default_factory=dict)
    _given: dict[_Node, dict[str, Graded]] = field(default_factory=lambda: defaultdict(dict))
    _attributes: dict[str, dict[str, Graded]] = field(default_factory=lambda: defaultdict(dict))
    _waiting: list[_Node] = field(default_factory=list)

    def follow(self) -> None:
        """Go through all functions that scores reach."""
        self._look_around()
        for scoring in self.scorings:
            place = scoring.event.location
            name = canonical(scoring.event.callee)
            known = name.startswith(_FROM_ONE) and not self.targets(place)  # not a pesq.py of the tree
            raw = place if scoring.metric == "PESQ" and known else None
            grade = Scores(Grade.PER_ITEM, raw=raw)
            if "torchmetrics.audio" in name:
                grade = Scores(Grade.ONE_FOR_ALL, place, raw)
            self._sources[_place(place)] = grade
            for spot in scoring.way[:1]:
                self._wait(spot.function or self._top(spot.path))
        for _ in range(MOST_ROUNDS):
            if not self._waiting:
                return
            self._run(self._waiting.pop(0))

    def _look_around(self) -> None:
        """The functions that ran, which of them each call reached, and the losses of libraries."""
        for reached in self.view.code.reached:
            self._functions[reached.node] = reached
        for event in self.view.scene.calls:
            if is_loss(event.callee):
                self._losses.add(_place(event.location))
        contexts = (context for each in self.view.code.contexts.values() for context in each)
        for context in {id(context): context for context in contexts}.values():  # also of functions that call nothing
            self._link(context)

    def _link(self, context: Context) -> None:
        caller: _Node | None = None
        for frame in context.frames:
            if frame.value is not None:
                known = self._targets[_place(frame.call)]
                if all(each.node is not frame.value.node for each in known):
                    known.append(frame.value)
                above = caller if caller is not None else self._top(frame.call.path)
                if above is not None:
                    self._callers[frame.value.node].add(above)
            caller = frame.value.node if frame.value is not None else None

    def _top(self, path: str) -> ast.Module | None:
        module = self.view.code.module(path)
        return None if module is None else module.tree

    def _wait(self, node: _Node | None) -> None:
        if node is not None and node in self._functions and all(node is not each for each in self._waiting):
            self._waiting.append(node)

    def _run(self, node: _Node) -> None:
        reached = self._functions[node]
        module = reached.module
        calls = _Calls(self, module, node)
        body = Body(module, calls.grade, calls.answer, calls.is_loss, self._attributes[module.path])
        body.names.update(self._given[node])
        if isinstance(reached.node, ast.Lambda):
            body.run([ast.copy_location(ast.Return(reached.node.body), reached.node.body)])
        else:
            body.run(reached.node.body)
        for each in body.dropped:
            self._note(each, reached)
        for found in body.differences:
            place = module.location(found.node)
            self.differences[place] = Learnt(place, found.target, node, (found.answer,))
        self._keep(module, body.written)
        before = self._returns.get(node, NO_SCORES)
        after = either(before, body.returned)
        if after != before or body.answer is not self._answers.get(node):
            self._returns[node], self._answers[node] = after, body.answer
            for caller in self._callers[node]:
                self._wait(caller)

    def _note(self, dropped: Dropped, reached: Reached) -> None:
        place = reached.module.location(dropped.node)
        head = Location(place.path, place.line, place.column)
        self.dropped.setdefault(head, DroppedBatch(head, dropped.test, reached.node, reached.name))

    def _keep(self, module: Module, written: Mapping[str, Graded]) -> None:
        """Attributes that a method sets reach the other methods of its file that name them."""
        held = self._attributes[module.path]
        changed = set()
        for name, value in written.items():
            new = either(held.get(name, NO_SCORES), value)
            if new != held.get(name, NO_SCORES):
                held[name] = new
                changed.add(name)
        if not changed:
            return
        for node, reached in self._functions.items():
            if reached.module.path == module.path and not isinstance(node, ast.Module):
                if any(isinstance(each, ast.Attribute) and each.attr in changed for each in ast.walk(node)):
                    self._wait(node)

    def give(self, function: FunctionValue, given: Sequence[Graded], keywords: Mapping[str, Graded]) -> None:
        """Hand arguments to a function's parameters."""
        spec = function.node.args
        names = [parameter.arg for parameter in positional_parameters(spec)]
        if function.bound_to is not None and names:
            names = names[1:]
        pairs = [*zip(names, given, strict=False), *((k, v) for k, v in keywords.items() if k != "**")]
        held = self._given[function.node]
        for name, value in pairs:
            new = either(held.get(name, NO_SCORES), value)
            if new != held.get(name, NO_SCORES):
                held[name] = new
                self._wait(function.node)

    def source(self, place: Location) -> Scores | None:
        """The grade of a metric that is computed at a place."""
        return self._sources.get(_place(place))

    def is_loss(self, place: Location) -> bool:
        """Whether a loss of the library is computed at a place."""
        return _place(place) in self._losses

    def answer(self, place: Location) -> bool | None:
        """What the one function that a call reached answers about failed scores, as far as it is known by now."""
        reached = self.targets(place)
        return self._answers.get(reached[0].node) if len(reached) == 1 else None

    def targets(self, place: Location) -> Sequence[FunctionValue]:
        """The functions of the tree that a call reached."""
        return self._targets.get(_place(place), ())

    def returned(self, function: FunctionValue) -> Graded:
        """What a function returns, as far as it is known by now."""
        return self._returns.get(function.node, NO_SCORES)


@dataclass(frozen=True, slots=True, eq=False)
class _Calls:
    """What the calls of one function give."""

    flow: ScoreFlow
    module: Module
    function: _Node

    def grade(self, node: ast.Call, given: list[Graded], keywords: Mapping[str, Graded]) -> Graded | None:
        """What a call gives; None where neither a metric, a loss nor a function of the tree is known there."""
        place = self.module.location(node)
        source = self.flow.source(place)
        if source is not None:
            return source
        if self.flow.is_loss(place):
            target = combine([*given, *keywords.values()])
            if target.grade is not Grade.NONE:
                arguments: list[tuple[int | str, Graded]] = [*enumerate(given), *keywords.items()]
                compared = [each for each in arguments if each[0] in _COMPARED]
                answers = tuple(key for key, graded in compared if whole(graded).grade is Grade.NONE)
                self.flow.learnt[place] = Learnt(place, target, self.function, answers)
            return NO_SCORES
        reached = self.flow.targets(place)
        if not reached:
            return None
        result: Graded = NO_SCORES
        for function in reached:
            self.flow.give(function, given, keywords)
            result = either(result, self.flow.returned(function))
        makes = any(function.qualname.endswith(".__init__") for function in reached)
        return None if makes else result  # an object holds what it is made of

    def answer(self, node: ast.Call) -> bool | None:
        """What a function of the tree answers that asks whether a score failed."""
        return self.flow.answer(self.module.location(node))

    def is_loss(self, node: ast.Call) -> bool:
        """Whether a call computes a loss of the library."""
        return self.flow.is_loss(self.module.location(node))


def _place(location: Location) -> _Place:
    return (location.path, location.line, location.column, location.end_line, location.end_column)
