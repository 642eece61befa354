"""Where a loss compares an estimate with its reference: at one level, or one of the two normalised and one not."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from cmgan_audit.facts.levels.level import Level, Levels
from cmgan_audit.facts.losses import is_loss
from cmgan_audit.facts.name_words import name_words
from cmgan_audit.facts.runtime.flow import Node
from cmgan_audit.facts.view import View
from cmgan_audit.finding import Location, Step
from cmgan_audit.lazy_dataclasses import dataclass
from cmgan_audit.lazy_regex import regex
from cmgan_audit.program.domain.values import Value
from cmgan_audit.rules.record import Fact, Known, Record, record_kind
from cmgan_audit.source.syntax import arguments_of, words_in

_SIGNALS = frozenset("clean speech wave waveform wav audio ref reference".split())
_SCALES = regex(rb"sqrt|std|norm|max|rms|mean|pow|\*\*", re.IGNORECASE)


@record_kind("level_pair")
@dataclass(frozen=True, slots=True, kw_only=True)
class LevelPair(Record):
    """An estimate and a reference that meet in a training loss.

    Attributes:
        normalised: which of them is scaled by a factor computed from the data: "estimate", "reference" or "both".
        same_level: whether both are at one level; placed where they meet.
        balanced: whether another term of the same loss compares the two at one level.
    """

    normalised: str
    same_level: Fact
    balanced: Fact


@dataclass(frozen=True, slots=True)
class _Meeting:
    """Two values that a term of a loss compares; `at` tells which of its two operands is the reference."""

    location: Location
    estimate: Level
    reference: Level
    at: int

    @property
    def same(self) -> bool:
        return self.estimate.factors == self.reference.factors


def level_pairs(view: View) -> list[Record]:
    """The estimates and references of a run that trains, where a factor computed from the data scales one of them."""
    if not view.scene.trains or not view.mentions(_SCALES):
        return []
    levels = Levels(view.flow, view.tree)
    found: dict[Location, Record] = {}
    for loss, place in view.flow.losses():
        meetings = list(_meetings(view, levels, loss))
        balanced = any(each.same for each in meetings)
        for each in meetings:
            found.setdefault(each.location, _record(each, levels, place, balanced=balanced))
    return list(found.values())


def _meetings(view: View, levels: Levels, loss: Value) -> Iterator[_Meeting]:
    nodes = list(view.flow.behind(loss))
    for node in nodes:
        levels.of(node.value)  # every factor that is applied anywhere is known before any two are compared
    for node in nodes:
        sides = [levels.of(side) for side in _sides(node)]
        signals = [level for level in sides if level is not None and level.sources]
        if node.location is None or len(signals) != 2 or signals[0].network == signals[1].network:
            continue
        at = int(signals[0].network)
        meeting = _Meeting(node.location, signals[1 - at], signals[at], at)
        if not (meeting.estimate.factors or meeting.reference.factors):
            continue
        if meeting.same or (
            _is_one_sided(meeting) and (_is_scaled(meeting, levels) or _is_called_signal(view, meeting))
        ):
            yield meeting


def _sides(node: Node) -> tuple[Value, ...]:
    if node.operation == "-":
        return node.operands[:2]
    if is_loss(node.operation):
        return node.operands[1:3] if node.operation.endswith(".__call__") else node.operands[:2]
    return ()


def _is_one_sided(meeting: _Meeting) -> bool:
    """Whether one of the two is as the loader gives it; each normalised by itself is another thing."""
    return bool(meeting.estimate.factors) != bool(meeting.reference.factors)


def _is_scaled(meeting: _Meeting, levels: Levels) -> bool:
    """Whether the reference is scaled by a factor of the other signal, here or elsewhere: labels never are.

    Where the dataset scales, it is enough that the reference is a recording too.
    """
    by_dataset = any(levels.scaled.get(factor, set()) & levels.recordings for factor in meeting.estimate.factors)
    if by_dataset and meeting.reference.sources and meeting.reference.sources <= levels.recordings:
        return True
    return any(
        meeting.reference.sources & levels.scaled.get(factor, set())
        and not levels.origins[factor] <= meeting.reference.sources
        for factor in meeting.estimate.factors | meeting.reference.factors
    )


def _is_called_signal(view: View, meeting: _Meeting) -> bool:
    """Whether a reference at its original level is called a signal where it is compared."""
    node = view.code.node_at(meeting.location)
    operands: list[ast.expr] = []
    if isinstance(node, ast.BinOp):
        operands = [node.left, node.right]
    elif isinstance(node, ast.Call):
        operands = arguments_of(node)
    if meeting.reference.factors or meeting.at >= len(operands):
        return False
    return any(word in _SIGNALS for text in words_in(operands[meeting.at]) for word in name_words(text))


def _record(meeting: _Meeting, levels: Levels, loss: Location, *, balanced: bool) -> LevelPair:
    factors = meeting.estimate.factors | meeting.reference.factors
    who = "both" if meeting.same else "estimate" if meeting.estimate.factors else "reference"
    other = {"estimate": "reference", "reference": "estimate", "both": ""}[who]
    met = f"the {who} is normalised, the {other} is not" if other else "both are normalised by one factor"
    applied = {levels.applied[factor] for factor in factors if factor in levels.applied}
    places = sorted(applied, key=lambda place: (place.path, place.line, place.column))
    steps = (
        Step(meeting.location, met),
        *(Step(place, "a factor that was computed from the data is applied here") for place in places),
        Step(loss, "it is a part of the loss that is minimised here"),
    )
    return LevelPair(
        location=meeting.location,
        anchor=who,
        normalised=who,
        same_level=Known(meeting.same, steps),
        balanced=Known(balanced),
    )
