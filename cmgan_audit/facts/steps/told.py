"""What the steps of a scheduler are told: nothing, what was measured, or the number of the epoch."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Sequence

from cmgan_audit.facts.code import stack_of
from cmgan_audit.facts.conditions import test_behind
from cmgan_audit.facts.slices import Found
from cmgan_audit.facts.steps.actions import Action
from cmgan_audit.facts.values import class_name
from cmgan_audit.facts.view import View
from cmgan_audit.finding import Step
from cmgan_audit.lazy_regex import regex
from cmgan_audit.program.domain.values import Const, Instance
from cmgan_audit.program.execution.iteration import HANDING_ON
from cmgan_audit.rules.record import NO, Fact, Known
from cmgan_audit.source.statements import caught_by
from cmgan_audit.source.syntax import Function, arguments_named, called_name, walk

PLATEAU = "ReduceLROnPlateau"
# Schedulers whose step takes the number of an epoch, and how what is measured and what is counted are called.
_COUNTS_EPOCHS = frozenset("StepLR MultiStepLR ExponentialLR CosineAnnealingLR LambdaLR PolynomialLR LinearLR".split())
_MEASURED = regex(r"loss|pesq|stoi|sdr|score|metric|(?<![a-z])(?:snr|err|error|acc)(?![a-z])", re.IGNORECASE)
_COUNTED = regex(r"(?<![a-z])(?:epochs?|steps?|iter|i|n|idx|index|len)(?![a-z])(?!_(?:loss|val|valid|test))", re.I)
_AN_EPOCH = regex(r"(?:\w+\.)*_?(?:cur_?|current_?)?epoch(?:_?(?:id|idx|num|number|index))?(?: [+-] \d+)?", re.I)
_MORE_OR_LESS = regex(r" [+-] \d+$")
_COUNTS = frozenset({"range", "trange", "count"})
# What a handler names that catches a call with the wrong number of arguments.
_OF_ARGUMENTS = frozenset({"TypeError", "Exception", "BaseException"})
# What asks for the kind of an object, and what schedulers of all kinds have.
_ASKS_A_KIND = regex(r"\b(?:isinstance|issubclass|hasattr|type|signature)\(|\b__class__\b")
_OF_ALL = "last_epoch|get_last_lr|get_lr|base_lrs|optimizer|state_dict"


def without_metric(view: View, scheduler: Instance, steps: Sequence[Action]) -> Fact:
    """Whether a step of a scheduler that watches a metric gets none, and ends the training with that."""
    if class_name(scheduler) != PLATEAU:
        return NO
    for step in steps:
        if _is_under_its_kind(view, step):
            continue
        given = step.event.arguments
        value = given.get("metrics", 0)
        nothing = not given.positional and not given.keywords and not given.open_kwargs
        if nothing or (isinstance(value, Const) and value.value is None):
            if not _is_an_attempt(view, step):
                said = "is called without a metric" if nothing else "is called with None"
                return Known(True, (Step(step.event.location, f"step() {said}"),))
    return NO


def _is_an_attempt(view: View, step: Action) -> bool:
    """Whether a step is tried in one form and, where the scheduler takes another, done in that one: what this raises
    is caught, or it stands in the handler of a step with a value, which this scheduler takes."""
    call = view.code.call_at(step.event.location)
    inner: ast.AST | None = call
    for parent in view.code.parents(step.event.location.path, call) if call is not None else ():
        if isinstance(parent, Function):
            return False
        if isinstance(parent, ast.Try):
            if inner in parent.body and any(map(_catches_arguments, parent.handlers)):
                return True
            if inner in parent.handlers and any(map(_steps_with_a_value, parent.body)):
                return True
        inner = parent
    return False


def _catches_arguments(handler: ast.ExceptHandler) -> bool:
    caught = caught_by(handler)
    return not caught or not caught.isdisjoint(_OF_ARGUMENTS)


def _steps_with_a_value(statement: ast.stmt) -> bool:
    calls = (node for node in walk(statement) if isinstance(node, ast.Call) and called_name(node) == "step")
    return any(call.args or call.keywords for call in calls)


def told_metric(view: View, scheduler: Instance, steps: Sequence[Action]) -> Fact:
    """Whether a step that takes the number of an epoch is given what was measured instead."""
    if class_name(scheduler) not in _COUNTS_EPOCHS:
        return NO
    for step, given in _told(view, steps, "epoch"):
        if _is_measured(given):
            return Known(True, (Step(step.event.location, f"step({given}) is taken for the number of the epoch"),))
    return NO


def told_epoch(view: View, scheduler: Instance, steps: Sequence[Action]) -> Fact:
    """Whether a scheduler that watches a metric is given the number of the epoch, as the others are."""
    if class_name(scheduler) != PLATEAU:
        return NO
    for step, given in _told(view, steps, "metrics"):
        if _AN_EPOCH.fullmatch(given) or _counts_passes(view, step, _MORE_OR_LESS.sub("", given)):
            return Known(True, (Step(step.event.location, f"step({given}) is taken for the value to watch"),))
    return NO


def _counts_passes(view: View, step: Action, name: str) -> bool:
    """Whether a name is what a loop around a step counts, in the same function: `for e in range(epochs)`."""
    call = view.code.call_at(step.event.location)
    for parent in view.code.parents(step.event.location.path, call) if call is not None else ():
        match parent:
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.Lambda():
                return False
            case ast.For(target=ast.Name(id=target), iter=ast.Call() as drawn) if target == name:
                written = [node for node in walk(parent) if isinstance(node, ast.Name) and node.id == name]
                if drawn.args and isinstance(drawn.args[0], ast.Call) and called_name(drawn) in HANDING_ON:
                    drawn = drawn.args[0]
                alone = sum(isinstance(node.ctx, ast.Store) for node in written) == 1
                return alone and called_name(drawn) in _COUNTS
    return False


def _told(view: View, steps: Sequence[Action], keyword: str) -> Iterable[tuple[Action, str]]:
    """Steps with the text of what they are given first, where that does not depend on a test.

    Those of several schedulers are left out, one of which it may be meant for.
    """
    for step in steps:
        call = view.code.call_at(step.event.location)
        if call is not None and len(step.on) == 1 and not _is_under_its_kind(view, step):
            given = [*call.args, *arguments_named(call, keyword)]
            if given and not isinstance(given[0], ast.IfExp | ast.Starred):
                yield step, ast.unparse(given[0])


def _is_under_its_kind(view: View, step: Action) -> bool:
    """Whether a step stands under an open test of what its scheduler is: the step of another kind, as far as is known.

    `if hasattr(scheduler, "cooldown"): scheduler.step(loss)` means a plateau; whether there is a scheduler at all, or
    what every scheduler has, says nothing of its kind.
    """
    call = view.code.call_at(step.event.location)
    if call is None or not isinstance(call.func, ast.Attribute):
        return False
    owner, conditions = re.escape(ast.unparse(call.func.value)), step.event.context.conditions
    handed, has = rf"\w\({owner}[,)]", rf"(?<![\w.]){owner}\.(?!(?:{_OF_ALL})\b)\w"
    matched = rf"^{owner} is (?:[\w.]+(?:\(|\.\.\.)|_$)"  # with a class, or with none of those before
    asks = re.compile(rf"{handed}|{has}|{matched}")
    if any(asks.search(condition.text) for condition in conditions):
        return True
    stack, around = stack_of(step.event.context), view.code.around(step.event.location.path, call)
    tests = (test for condition in conditions if (test := test_behind(view.code, condition)) is not None)
    here = (test for test in tests if around is not None and test in around.own_nodes())
    return any(_was_asked_before(view, Found(test, step.event.location.path, stack)) for test in here)


def _was_asked_before(view: View, test: Found, steps: int = 3) -> bool:
    """Whether a test reads what was found out about a kind: `on_loss = hasattr(scheduler, "cooldown")`."""
    reads = [node for node in walk(test.node) if isinstance(node, ast.Name | ast.Attribute | ast.Call)]
    for source, _ in (each for node in reads for each in view.slicer.sources(test.beside(node))):
        if _ASKS_A_KIND.search(ast.unparse(source.node)):
            return True
        if steps > 1 and _was_asked_before(view, source, steps - 1):
            return True
    return False


def _is_measured(text: str) -> bool:
    """Whether an argument is called like a loss or a score, and not like a count."""
    return bool(_MEASURED.search(text)) and not _COUNTED.search(text)
