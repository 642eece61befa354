"""What becomes of a metric that fails: the handlers around its computation, and what they make of a failure."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence

from cmgan_audit.facts.metrics.missing import counts_missing
from cmgan_audit.facts.metrics.outcomes import COUNTED, MISSING, NOTHING, RAISED, Outcome, outcome_of
from cmgan_audit.facts.metrics.scoring import Scoring, Spot
from cmgan_audit.facts.view import View
from cmgan_audit.finding import Location, Step
from cmgan_audit.lazy_dataclasses import dataclass
from cmgan_audit.program.domain.values import Const, External, Instance, Value
from cmgan_audit.rules.record import Fact, Known, Record, record_kind
from cmgan_audit.source.statements import caught_by
from cmgan_audit.source.syntax import is_line_of, shown, walk

# What a metric does not raise when it fails on its two signals.
_OTHER_ERRORS = frozenset(
    "ImportError ModuleNotFoundError KeyboardInterrupt SystemExit GeneratorExit FileNotFoundError OSError IOError "
    "EOFError StopIteration StopAsyncIteration NameError NotImplementedError".split()
)


@record_kind("metric_handler")
@dataclass(frozen=True, slots=True, kw_only=True)
class MetricHandler(Record):
    """A place where the failure of a metric is caught.

    Attributes:
        metric: the metric that is computed ("PESQ").
        caught: how it is caught, as text ("except Exception").
        outcome: what becomes of a failure: "value" (a number in place of the score), "missing" (NaN or None), "nothing"
            (it is passed over), "counted" or "kept" (it can still be told), "raised".
        becomes: the value, as text ("-1"); "" for nothing.
        swallowed: whether a failure is no longer told from a result, or leaves no trace.
    """

    metric: str
    caught: str
    outcome: str
    becomes: str
    swallowed: Fact


def metric_handlers(view: View, scored: Sequence[Scoring]) -> list[MetricHandler]:
    """The handlers around the metrics of a run, each once, and calls of `pesq` that are told to return on errors."""
    found: dict[Location, MetricHandler] = {}
    training = _training_places(view)
    for scoring in scored:
        record = _told_to_return(view, scoring)
        if record is not None:
            found.setdefault(record.location, record)
            continue
        for level, spot in enumerate(scoring.way):
            record = _caught_in(view, scoring, level, spot, training)
            if record is not None:
                found.setdefault(record.location, record)
                if record.outcome != "raised":
                    break
    return list(found.values())


def catching(view: View, scoring: Scoring) -> Iterator[tuple[Spot, ast.Try, ast.ExceptHandler]]:
    """Where a failure of the metric may end: the `try` statements on its way, innermost first, up to one that holds."""
    training = _training_places(view)
    around = (
        (spot, parent, handler)
        for spot in scoring.way
        for parent, child in spot.parents(view.code)
        if isinstance(parent, ast.Try) and child in parent.body and not _trains(spot.path, parent, training)
        for handler in [next((each for each in parent.handlers if _catches(each)), None)]
        if handler is not None
    )
    for spot, node, handler in around:
        yield spot, node, handler
        if outcome_of(handler, node, last=_ends_behind(spot, node), function=spot.function).kind != RAISED:
            return


def _caught_in(
    view: View, scoring: Scoring, level: int, spot: Spot, training: frozenset[tuple[str, int]]
) -> MetricHandler | None:
    """The innermost handler of one function around a spot that a failure of the metric ends in."""
    for parent, child in spot.parents(view.code):
        if isinstance(parent, ast.With) and child not in parent.items and _suppresses(parent):
            place = _head(view, spot.path, parent)
            return _record(scoring, spot, place, "suppress(...)", Outcome(NOTHING, ""))
        if not isinstance(parent, ast.Try) or child not in parent.body or _trains(spot.path, parent, training):
            continue
        handler = next((each for each in parent.handlers if _catches(each)), None)
        if handler is None:
            continue
        outcome = outcome_of(handler, parent, last=_ends_behind(spot, parent), function=spot.function)
        if outcome.kind == MISSING and any(counts_missing(view, each) for each in scoring.way):
            outcome = Outcome(COUNTED, "")
        if outcome.kind == NOTHING and not _drops_an_item(scoring, level, spot, parent):
            continue
        place = _head(view, spot.path, handler)
        return _record(scoring, spot, place, _caught_text(handler), outcome)
    return None


def _ends_behind(spot: Spot, node: ast.Try) -> bool:
    """Whether nothing follows a statement in the function of a spot, so that the function gives None behind it."""
    body = getattr(spot.function, "body", None)
    ends = [body[-1]] if isinstance(body, list) else []
    for last in ends:
        if last is node:
            return True
        if isinstance(last, ast.If | ast.With):
            ends.extend(block[-1] for block in (last.body, getattr(last, "orelse", [])) if block)
    return False


def _record(scoring: Scoring, spot: Spot, place: Location, caught: str, outcome: Outcome) -> MetricHandler:
    told = f"a failed {scoring.metric} {outcome.told}"
    steps = (Step(place, told), Step(scoring.event.location, f"{scoring.metric} is computed here"))
    swallowed = outcome.kind not in ("raised", "counted", "kept")
    return MetricHandler(
        location=place,
        anchor=spot.name,
        metric=scoring.metric,
        caught=caught,
        outcome=outcome.kind,
        becomes=outcome.text,
        swallowed=Known(swallowed, steps),
    )


def _catches(handler: ast.ExceptHandler) -> bool:
    """Whether a handler catches what a metric may raise on its signals."""
    caught = caught_by(handler)
    return not caught or not caught <= _OTHER_ERRORS


def _caught_text(handler: ast.ExceptHandler) -> str:
    return "except" if handler.type is None else f"except {shown(handler.type, 53)}"


def _suppresses(node: ast.With) -> bool:
    calls = (item.context_expr for item in node.items)
    return any(isinstance(call, ast.Call) and ast.unparse(call.func).endswith("suppress") for call in calls)


def _drops_an_item(scoring: Scoring, level: int, spot: Spot, node: ast.Try) -> bool:
    """Whether passing over a failure loses an item, rather than ending the script: the handler stands in a loop.

    A function that computes the metric itself loses its result in any case.
    """
    if level == 0 and spot.function is not None:
        return True
    inner = [(each.path, each.function) for each in scoring.way[:level] if each.function is not None]
    for loop in scoring.event.context.loops:
        path, line = loop.location.path, loop.location.line
        deeper = any(path == each and is_line_of(line, function) for each, function in inner)
        if not deeper and not (path == spot.path and is_line_of(line, node)):
            return True
    return False


def _training_places(view: View) -> frozenset[tuple[str, int]]:
    """The lines in which networks are trained: of the steps themselves, and of the calls that lead there."""
    found: set[tuple[str, int]] = set()
    for use in view.scene.of("backward", "step"):
        found.add((use.event.location.path, use.event.location.line))
        found.update((frame.call.path, frame.call.line) for frame in use.event.context.frames)
    return frozenset(found)


def _trains(path: str, node: ast.Try, training: frozenset[tuple[str, int]]) -> bool:
    """Whether a whole training stands in a `try`: its handler is about the program, not about the metric."""
    return any(path == each and is_line_of(line, *node.body) for each, line in training)


def _head(view: View, path: str, node: ast.ExceptHandler | ast.With) -> Location:
    """The line of an `except` or `with`, without the block below it."""
    module = view.code.module(path)
    place = Location(path, node.lineno, node.col_offset + 1) if module is None else module.location(node)
    return Location(place.path, place.line, place.column)


def _told_to_return(view: View, scoring: Scoring) -> MetricHandler | None:
    """A `pesq` call with on_error=PesqError.RETURN_VALUES whose result is not tested where it is computed."""
    if not scoring.event.callee.startswith("pesq."):
        return None
    if not _is_return_values(scoring.event.arguments.get("on_error", 4)):
        return None
    spot = scoring.way[0] if scoring.way else None
    if spot is None:
        return None
    tested = spot.function is not None and _is_tested(view, spot)
    outcome = Outcome("kept", "") if tested else Outcome("value", "a code such as -6 or NaN")
    return _record(scoring, spot, scoring.event.location, "on_error=RETURN_VALUES", outcome)


def _is_return_values(value: Value | None) -> bool:
    if isinstance(value, External):
        return value.name.endswith("RETURN_VALUES")
    if isinstance(value, Instance):
        return value.external_name.endswith("RETURN_VALUES")
    return isinstance(value, Const) and value.value == 1 and not isinstance(value.value, bool)


def _is_tested(view: View, spot: Spot) -> bool:
    """Whether the name that holds the result is compared, or asked for NaN, in the same function."""
    names: Sequence[str] = ()
    for parent, _ in spot.parents(view.code):
        if isinstance(parent, ast.Assign):
            names = [ast.unparse(target) for target in parent.targets]
    return any(set(names) & _asked(node) for node in walk(spot.function or spot.node))


def _asked(node: ast.AST) -> set[str]:
    if isinstance(node, ast.Compare):
        return {ast.unparse(part) for part in _names_in(node)}
    if isinstance(node, ast.Call) and ast.unparse(node.func).rpartition(".")[2] in ("isnan", "isfinite"):
        return {ast.unparse(part) for part in _names_in(node)}
    return set()


def _names_in(node: ast.AST) -> Iterator[ast.expr]:
    return (part for part in walk(node) if isinstance(part, ast.Name | ast.Attribute))
