"""Whether the failure of one item's metric costs the discriminator the whole batch."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Sequence

from cmgan_audit.facts.metrics.flow import DroppedBatch, ScoreFlow
from cmgan_audit.facts.metrics.handlers import catching
from cmgan_audit.facts.metrics.scoring import Scoring, Spot, training_contexts
from cmgan_audit.facts.records import EVAL
from cmgan_audit.facts.values import known_number
from cmgan_audit.facts.view import View
from cmgan_audit.finding import Location, Step
from cmgan_audit.lazy_dataclasses import dataclass
from cmgan_audit.program.execution.trace import Context
from cmgan_audit.rules.record import Fact, Known, Record, Unknown, record_kind
from cmgan_audit.source.python_file import cut_short
from cmgan_audit.source.syntax import is_line_of, walk

# Share of random crops of the VoiceBank+DEMAND test set whose PESQ fails, by the length of the crop.
FAILURES = (("1 s", 0.0016), ("0.5 s", 0.035))


@record_kind("metric_batch")
@dataclass(frozen=True, slots=True, kw_only=True)
class MetricBatch(Record):
    """A place in training where the scores of a whole batch may be dropped.

    Attributes:
        metric: the metric that is computed.
        test: the condition, as text.
        dropped: whether one failed item is enough.
        batch_size: items per step of the training loader.
        odds: how often that happens, from the measured failure rates, as text.
    """

    metric: str
    test: str
    dropped: Fact
    batch_size: Fact
    odds: str


def metric_batches(view: View, scored: Sequence[Scoring], flow: ScoreFlow) -> Iterator[MetricBatch]:
    """The places of a run where one failure drops a batch that is trained on.

    What only evaluations score is no batch of a discriminator: a gate may well keep no checkpoint after a failure.
    """
    found: dict[Location, MetricBatch] = {}
    scored = [scoring for scoring in scored if view.role_at(scoring.event.context) != EVAL]
    for dropped in flow.dropped.values() if scored else ():
        contexts = view.code.contexts.get(dropped.function)
        if contexts is None:
            contexts = tuple(each.event.context for each in scored)
        trained = training_contexts(view, contexts)
        if trained:
            scoring = _nearest(dropped, scored)
            told = f"one failed {scoring.metric} drops the whole batch here: {cut_short(dropped.test, 60)}"
            found[dropped.place] = _record(view, scoring, dropped.place, dropped.name, dropped.test, told, trained)
    for scoring in scored:
        trained = training_contexts(view, [scoring.event.context])
        for spot, node, handler in catching(view, scoring) if trained else ():
            if _ends_the_batch(scoring, spot, node, handler):
                place = Location(spot.path, handler.lineno, handler.col_offset + 1)
                told = f"one failed {scoring.metric} ends the scoring of the whole batch here"
                caught = "except" if handler.type is None else f"except {ast.unparse(handler.type)}"
                found.setdefault(place, _record(view, scoring, place, spot.name, caught, told, trained))
    yield from found.values()


def _nearest(dropped: DroppedBatch, scored: Sequence[Scoring]) -> Scoring:
    """The computation whose way leads through the function that drops the batch; else the first."""
    for scoring in scored:
        if any(spot.function is dropped.function for spot in scoring.way):
            return scoring
    return scored[0]


def _record(
    view: View, scoring: Scoring, place: Location, name: str, test: str, told: str, contexts: Iterable[Context]
) -> MetricBatch:
    batch = _batch_size(view, contexts)
    steps = (Step(place, told), Step(scoring.event.location, f"{scoring.metric} of one item is computed here"))
    return MetricBatch(
        location=place,
        anchor=name,
        metric=scoring.metric,
        test=cut_short(test, 60),
        dropped=Known(True, steps),
        batch_size=batch,
        odds=_odds(batch),
    )


def _batch_size(view: View, contexts: Iterable[Context]) -> Fact:
    """The batch size of the training loader in whose loop this happens."""
    loops = {loop for context in contexts for loop in context.loops}
    for made, record in view.made_loaders:
        if record.trains and any(single.event.loop in loops for single in view.scene.passes_over(made.loader)):
            return record.batch_size
    return Unknown("no training loader is known around it")


def _odds(batch: Fact) -> str:
    size = known_number(batch)
    if size is None or size < 1:
        return "1 - (1 - p)^B of the steps, where p is the share of items that fail and B the batch size"
    shares = (f"{_percent(1 - (1 - p) ** size)} of the steps on {length} crops" for length, p in FAILURES)
    return f"{' and '.join(shares)} (1 - (1 - p)^B with B = {size})"


def _percent(share: float) -> str:
    return f"{100 * share:.2g} %" if share < 0.995 else f"{100 * share:.1f} %"


def _ends_the_batch(scoring: Scoring, spot: Spot, node: ast.Try, handler: ast.ExceptHandler) -> bool:
    """Whether a handler gives up a batch whose items are scored one after the other inside its `try`."""
    last = handler.body[-1]
    leaves = isinstance(last, ast.Return) and (last.value is None or _gives_nothing(last.value))
    if leaves and _loop_around(spot, node):
        return True
    sets_none = any(isinstance(each, ast.Assign) and _is_none(each.value) for each in handler.body)
    if not (leaves or sets_none or isinstance(last, ast.Continue)):
        return False
    return scoring.event.callee.endswith("pesq_batch") or _loops_inside(scoring, spot, node)


def _loop_around(spot: Spot, node: ast.Try) -> bool:
    """Whether the `try` stands in a loop of its function, which a `return` in the handler ends."""
    function = spot.function
    if function is None or isinstance(function, ast.Lambda):
        return False
    return any(isinstance(each, ast.For | ast.AsyncFor | ast.While) and node in walk(each) for each in walk(function))


def _loops_inside(scoring: Scoring, spot: Spot, node: ast.Try) -> bool:
    """Whether items are gone through inside the `try`, there or in the functions that it calls."""
    inner = scoring.way[: scoring.way.index(spot)]
    for loop in scoring.event.context.loops:
        path, line = loop.location.path, loop.location.line
        if path == spot.path and is_line_of(line, *node.body):
            return True
        for each in inner:
            function = each.function
            if function is not None and each.path == path and is_line_of(line, function):
                return True
    return False


def _gives_nothing(node: ast.expr) -> bool:
    """None, alone or in a tuple beside lists of nothing: `return None, []`."""
    parts = node.elts if isinstance(node, ast.Tuple | ast.List) else [node]
    empty = [isinstance(each, ast.List | ast.Tuple) and not each.elts for each in parts]
    return any(map(_is_none, parts)) and all(_is_none(each) or bare for each, bare in zip(parts, empty, strict=True))


def _is_none(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value is None
