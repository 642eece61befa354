"""What PESQ is given: the rate and the mode, and which of its two signals is called the reference."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator, Sequence

from cmgan_audit.facts.metrics.scoring import Scoring, Spot
from cmgan_audit.facts.metrics.signals import Pair, swapped_at
from cmgan_audit.facts.values import fact_of
from cmgan_audit.facts.view import View
from cmgan_audit.finding import Confidence, Location, Step
from cmgan_audit.lazy_dataclasses import dataclass
from cmgan_audit.lazy_regex import regex
from cmgan_audit.program.domain.values import Arguments, Const, Instance, Value
from cmgan_audit.program.execution.trace import CallEvent
from cmgan_audit.program.naming.names import canonical
from cmgan_audit.rules.record import Fact, Known, OneOf, Record, record_kind

_FUNCTIONAL = "torchmetrics.functional.audio."
_NARROW = regex(r"nb|narrow|8k|_n_?b|telephone", re.IGNORECASE)
RATES = (8000, 16000)


@record_kind("pesq_call")
@dataclass(frozen=True, slots=True, kw_only=True)
class PesqCall(Record):
    """A computation of PESQ.

    Attributes:
        rate: the sampling rate that it is told, in Hz.
        mode: "wb" or "nb".
        raises: whether this rate and mode cannot go together, so that no score is ever computed.
        narrow: whether the narrow-band score of 16 kHz audio is taken, and it is the only PESQ of its function and is
            not called narrow-band.
        misplaced: whether a rate stands where a signal belongs, or is given twice: the order of another package.
        order: the order that this package takes its arguments in.
        swapped: whether the names of the signals say that reference and estimate stand in each other's place.
        given: the two signals as text, in the order of the call.
    """

    rate: Fact
    mode: Fact
    raises: Fact
    narrow: Fact
    misplaced: Fact
    order: str
    swapped: Fact
    given: str


@dataclass(frozen=True, slots=True)
class _Signature:
    """Where the arguments of a PESQ function stand, by keyword and position."""

    reference: tuple[str, int]
    estimate: tuple[str, int]
    rate: tuple[str, int] | None
    mode: tuple[str, int] | None
    default: str = "wb"

    @property
    def places(self) -> list[tuple[str, int]]:
        """What it is given and where."""
        return [each for each in (self.reference, self.estimate, self.rate, self.mode) if each is not None]


_SIGNATURES = {
    "pesq.pesq": _Signature(("ref", 1), ("deg", 2), ("fs", 0), ("mode", 3)),
    "pesq.pesq_batch": _Signature(("ref", 1), ("deg", 2), ("fs", 0), ("mode", 3)),
    "pesqc2.pesq": _Signature(("ref", 1), ("deg", 2), ("fs", 0), ("mode", 3)),
    "pypesq.pesq": _Signature(("ref", 0), ("deg", 1), None, None),
}
_TORCHMETRICS = _Signature(("target", 1), ("preds", 0), ("fs", 2), ("mode", 3))
_OF_OBJECT = _Signature(("target", 1), ("preds", 0), ("fs", 0), ("mode", 1))


def pesq_calls(view: View, scored: Sequence[Scoring]) -> Iterator[PesqCall]:
    """The computations of PESQ in a run, each place once.

    A helper that is called more than once, and once with its signals in each other's place, is told as that call.
    """
    found: dict[Location, PesqCall] = {}
    for scoring in scored:
        if scoring.metric == "PESQ" and scoring.way:
            record = _record(view, scoring, scored)
            if record is not None and not _is_told(found.get(record.location)):
                if record.location not in found or _is_told(record):
                    found[record.location] = record
    yield from found.values()


def _is_told(record: PesqCall | None) -> bool:
    """Whether the signals of a computation stand in each other's place."""
    return record is not None and isinstance(record.swapped, Known) and record.swapped.value is True


def _record(view: View, scoring: Scoring, scored: Sequence[Scoring]) -> PesqCall | None:
    event = scoring.event
    signature, told = _signature_of(event)
    node = _call_at(scoring.way[0])
    if signature is None or node is None:
        return None
    here = Step(event.location, "PESQ is computed here")
    rate = fact_of(_argument(told, signature.rate), None, missing="the rate is not given")
    mode = fact_of(_argument(told, signature.mode), signature.default)
    pair = Pair.of(node, signature.reference, signature.estimate)
    swapped: Fact = Known(False, (here,))
    given = "" if pair is None else pair.text
    if pair is not None:
        place, sentence, called = swapped_at(view, scoring, pair)
        if place is not None:
            given = called
            swapped = Known(True, (Step(place, sentence), here), confidence=Confidence.LOW)
    return PesqCall(
        location=event.location,
        anchor=scoring.way[0].name,
        rate=rate,
        mode=mode,
        raises=_both(rate, mode, _cannot, here),
        narrow=_both(rate, mode, _is_narrow, here) if not _is_meant(view, scoring, scored) else Known(False),
        misplaced=Known(_is_misplaced(event.arguments, signature), (here,)),
        order=", ".join(name for name, _ in sorted(signature.places, key=lambda place: place[1])),
        swapped=swapped,
        given=given,
    )


def _signature_of(event: CallEvent) -> tuple[_Signature | None, Arguments]:
    """How a PESQ function takes its arguments, and the arguments that tell rate and mode; None for others."""
    name = canonical(event.callee)
    signature = _SIGNATURES.get(name)
    if name.startswith(_FUNCTIONAL):
        signature = _TORCHMETRICS
    elif signature is None and name.startswith("torchmetrics.") and isinstance(event.receiver, Instance):
        return _OF_OBJECT, event.receiver.arguments
    return signature, event.arguments


def _is_misplaced(given: Arguments, signature: _Signature) -> bool:
    """Whether a number stands where a signal belongs, or the rate is given by name and its place is taken too."""
    rate = signature.rate
    if rate is not None and rate[0] in given.keywords and rate[1] < len(given.positional):
        return True
    signals = (given.get(*place) for place in (signature.reference, signature.estimate))
    return any(isinstance(each, Const) and isinstance(each.value, int | float) for each in signals)


def _call_at(spot: Spot) -> ast.Call | None:
    node = spot.node.value if isinstance(spot.node, ast.Expr) else spot.node
    return node if isinstance(node, ast.Call) else None


def _argument(arguments: Arguments, place: tuple[str, int] | None) -> Value | None:
    return None if place is None else arguments.get(*place)


def _cannot(rate: object, mode: object) -> bool:
    return rate not in RATES or (mode == "wb" and rate == 8000) or mode not in ("wb", "nb")


def _is_narrow(rate: object, mode: object) -> bool:
    return mode == "nb" and rate == 16000


def _both(rate: Fact, mode: Fact, judge: Callable[[object, object], bool], here: Step) -> Fact:
    """A judgement of rate and mode together; False where one of them is not known."""
    found = []
    for first in _options(rate):
        for second in _options(mode):
            if not (first.condition and second.condition and first.condition != second.condition):
                trail = (*first.trail, *(step for step in second.trail if step not in first.trail), here)
                condition = first.condition or second.condition
                confidence = min(first.confidence, second.confidence)
                found.append(Known(judge(first.value, second.value), trail, condition, confidence))
    if not found:
        return Known(False, (here,))
    return found[0] if len(found) == 1 else OneOf(tuple(found), (here,))


def _options(fact: Fact) -> tuple[Known, ...]:
    if isinstance(fact, OneOf):
        return fact.options
    return (fact,) if isinstance(fact, Known) and fact.value is not None else ()


def _is_meant(view: View, scoring: Scoring, scored: Sequence[Scoring]) -> bool:
    """Whether a narrow-band score is meant: its name says so, or the wide-band one is computed beside it."""
    spot = scoring.way[0]
    beside = [each for each in scored if each.metric == "PESQ" and each.way and each.way[0].function is spot.function]
    if any(_says_wide(each) for each in beside):
        return True
    words = [spot.name.rpartition(".")[2]]
    for parent, _ in spot.parents(view.code):
        if isinstance(parent, ast.Assign):
            words += [ast.unparse(target) for target in parent.targets]
        elif isinstance(parent, ast.Dict):
            words += [ast.unparse(key) for key in parent.keys if key is not None]
    return any(_NARROW.search(word) for word in words)


def _says_wide(scoring: Scoring) -> bool:
    signature, told = _signature_of(scoring.event)
    mode = fact_of(_argument(told, ("mode", 3) if signature is None else signature.mode), "wb")
    return any(option.value == "wb" for option in _options(mode))
