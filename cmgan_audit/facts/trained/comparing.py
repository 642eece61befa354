"""The settings that lie in a checkpoint, held against those of the code."""

from __future__ import annotations

import math
from collections.abc import Iterable

from cmgan_audit.facts.trained.families import BATCH, FFT, HOP, RATE, SEGMENT, WINDOW, family_of, is_of_training
from cmgan_audit.facts.trained.settings import CodeSettings, CodeValue
from cmgan_audit.lazy_dataclasses import dataclass
from cmgan_audit.source.checkpoints.embedded import Embedded, embedded_values

_SINKS = {
    BATCH: "the training loader gets",
    RATE: "the optimiser gets",
    SEGMENT: "the training set takes",
    FFT: "the STFT gets",
    HOP: "the STFT gets",
    WINDOW: "the STFT gets",
}
# A configuration of another project has other keys beside it.
_SHARED = 0.5


@dataclass(frozen=True, slots=True)
class Compared:
    """One setting of a checkpoint and of the code: the keys that lead to it, its number there, and the code's value."""

    place: str
    held: float
    value: CodeValue
    family: str
    same: bool

    @property
    def clause(self) -> str:
        """What was compared, as text."""
        return f"{self.place} is {_number(self.held)} in it, {_SINKS[self.family]} {_number(self.value.number)} now"


def compare(content: object, settings: CodeSettings) -> list[Compared]:
    """The settings of a checkpoint that the code sets too; those that differ first."""
    found = []
    for each in embedded_values(content):
        family = family_of(each.place[-1])
        held = _as_number(each.value) if family else None
        if held is None or not is_of_training(each.place) or not _is_of_this_code(each, settings):
            continue
        values = settings.comparable(family, each.place[-1])
        same = [value for value in values if _agrees(held, value, family, each.place[-1])]
        if values and (same or not settings.writes(each.place[-1], held)):
            found.append(Compared(".".join(each.place), held, (same or list(values))[0], family, bool(same)))
    return sorted(found, key=lambda each: (each.same, list(_SINKS).index(each.family), each.place))


def has_batch_size(content: object) -> bool:
    """Whether a checkpoint says with which batch it was trained."""
    return any(family_of(each.place[-1]) == BATCH for each in embedded_values(content))


def _agrees(held: float, value: CodeValue, family: str, key: str) -> bool:
    """Whether the code sets the same number.

    A rate is often multiplied on its way to one of two optimisers: where a line writes it under the same key, that
    number counts. Of others either may be what was saved: what is written, or what became of it.
    """
    numbers: Iterable[float | None] = (value.number, value.written)
    if family == RATE and value.written is not None and key.lower() in value.words:
        numbers = (value.written,)
    return any(number is not None and math.isclose(held, number, rel_tol=1e-6) for number in numbers)


def _is_of_this_code(each: Embedded, settings: CodeSettings) -> bool:
    known = sum(key in settings.words for key in each.beside)
    return each.place[-1] in settings.words and known >= _SHARED * len(each.beside)


def _as_number(value: object) -> float | None:
    if isinstance(value, bool) or value is None:
        return None
    if isinstance(value, str):
        if len(value) > 30:
            return None
        try:
            value = float(value)  # 5e-4 is a text in YAML 1.1
        except ValueError:
            return None
    if not isinstance(value, int | float) or abs(value) > 1e15 or not math.isfinite(value):
        return None
    return float(value)


def _number(number: float) -> str:
    return f"{number:.10g}"
