"""`PESQ improved from 2.07 to 2.20, saving model`: at the epochs that say so, nothing else may say the score.

Keras' checkpoints and PyTorch's usual early stopping (`Validation PESQ increased (2.07 --> 2.20)`) print it. Where the
other epochs print their score plainly, the two make one course. Alone they tell the best so far, and nothing of a fall.
"""

from __future__ import annotations

import re
from dataclasses import replace

from cmgan_audit.lazy_dataclasses import dataclass
from cmgan_audit.lazy_regex import regex
from cmgan_audit.logs.roles import words_of
from cmgan_audit.logs.series import Run, Series

IMPROVED = "improved"
_SUFFIX = f" ({IMPROVED})"
# Two prints of one score differ by their rounding alone.
_ROUNDING = 0.006
_BEFORE = r"(?:[-+]?\x00|[-+]?(?:inf|nan|infinity)\b|none\b)"
_GAIN = regex(
    r"\b(?:improved|improves|increased|increases|rose|went up|raised|decreased|decreases|dropped|reduced)[:!]?\s*"
    rf"[(\[]?(?:from\s+)?{_BEFORE}\s*(?:to|-+>|=+>|\u2192)\s*(?P<value>\x00)",
    re.IGNORECASE,
)
_NAME = regex(r"(?P<name>[A-Za-z][\w/\-]*(?:\.\w+)*(?: [A-Za-z][\w/\-]*(?:\.\w+)*){0,3}?):?\s+(?:(?:has|is|was)\s+)?$")


@dataclass(frozen=True, slots=True)
class Improvement:
    """Which score a line says to have improved; where that is said, behind the name, and where the new value stands."""

    name: str
    start: int
    end: int
    value: int


def improvement(text: str, start: int) -> Improvement | None:
    """What a line says to have improved, and to what; None for other lines."""
    gain = _GAIN.search(text, start)
    name = None if gain is None else _NAME.search(text[start : gain.start()])
    if gain is None or name is None:
        return None
    return Improvement(name["name"], gain.start(), gain.end(), gain.start("value"))


def named_improved(name: str) -> str:
    """The name of what is only said where it improved."""
    return f"{name}{_SUFFIX}"


def settle_improved(run: Run) -> None:
    """Put scores that lines say because they improved where the plain ones have a gap; take them out where none are."""
    for improved in [series for series in run.series if series.role.kind == IMPROVED]:
        run.series.remove(improved)
        plain = [series for series in run.series if _are_of_one_score(series, improved)]
        if len(plain) == 1 and (gaps := _in_gaps(plain[0], improved)):
            at = run.series.index(plain[0])
            merged = plain[0].replaced(sorted([*plain[0], *gaps], key=lambda point: point[2]))
            run.series[at] = replace(merged, seen=plain[0].seen + len(gaps))


def _are_of_one_score(plain: Series, improved: Series) -> bool:
    a, b = plain.role, improved.role
    if a.kind != "metric" or a.measure != b.measure or plain.x_kind != improved.x_kind or "[rank " in plain.name:
        return False
    if a.measure:
        return a.phase == b.phase or not a.phase or not b.phase
    return words_of(plain.name) == words_of(improved.name.removesuffix(_SUFFIX))


def _in_gaps(plain: Series, improved: Series) -> list[tuple[float, float, int]]:
    """The points at other epochs than those of the plain ones; none where the two disagree at one."""
    said = dict(zip(plain.xs, plain.ys, strict=True))
    if any(x in said and abs(said[x] - y) > _ROUNDING * max(1.0, abs(y)) for x, y, _ in improved):
        return []
    return [point for point in improved if point[0] not in said]
