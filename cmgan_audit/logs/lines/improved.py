"""`PESQ improved from 2.07 to 2.20, saving model`: at the epochs that say so, nothing else may say the score.

Keras' checkpoints and PyTorch's usual early stopping (`Validation PESQ increased (2.07 --> 2.20)`) print it. Where the
other epochs print their score plainly, the two make one course. Alone they tell the best so far, and nothing of a fall.
Beside `PESQ decreased from 2.20 to 2.15` they are the whole course.
"""

from __future__ import annotations

import re
from dataclasses import replace

from cmgan_audit.lazy_dataclasses import dataclass
from cmgan_audit.lazy_regex import regex
from cmgan_audit.logs.roles import words_of
from cmgan_audit.logs.series import Run, Series

IMPROVED = "improved"
_SUFFIX, _WORSE = f" ({IMPROVED})", " (worsened)"
# Two prints of one score differ by their rounding alone.
_ROUNDING = 0.006
_BEFORE = r"(?:[-+]?\x00|[-+]?(?:inf|nan|infinity)\b|none\b)"
_GAIN = regex(
    r"\b(?:(?P<better>improved|improves)|(?P<up>increased|increases|rose|went up|raised)"
    r"|(?P<down>decreased|decreases|dropped|drops|reduced|fell|falls|went down|declined)"
    r"|(?P<worse>worsened|degraded|deteriorated|got worse))[:!]?\s*"
    rf"[(\[]?(?:from\s+)?(?:(?:the|its|previous|prev|last|old|best|value|score|of)\s+)*{_BEFORE}\s*(?:to|-+>|=+>|\u2192)\s*(?P<value>\x00)",
    re.IGNORECASE,
)
_NAME = regex(r"(?P<name>[A-Za-z][\w/\-]*(?:\.\w+)*(?: [A-Za-z][\w/\-]*(?:\.\w+)*){0,3}?):?\s+(?:(?:has|is|was)\s+)?$")


@dataclass(frozen=True, slots=True)
class Improvement:
    """Which score a line says to have changed; where that is said, behind the name, and where the new value stands.

    `how` is "better", "worse", "up" or "down".
    """

    name: str
    how: str
    start: int
    end: int
    value: int


def improvement(text: str, start: int) -> Improvement | None:
    """What a line says to have improved or worsened, and to what; None for other lines."""
    gain = _GAIN.search(text, start)
    name = None if gain is None else _NAME.search(text[start : gain.start()])
    if gain is None or name is None:
        return None
    how = next(how for how in ("better", "worse", "up", "down") if gain[how])
    return Improvement(name["name"], how, gain.start(), gain.end(), gain.start("value"))


def named_improved(said: Improvement, higher_is_better: bool | None) -> str:
    """The name of what is only said where the score improved, or where it became worse."""
    is_worse = said.how == "worse" or (said.how == "down" and higher_is_better is True)
    is_worse = is_worse or (said.how == "up" and higher_is_better is False)
    return f"{said.name}{_WORSE if is_worse else _SUFFIX}"


def settle_improved(run: Run) -> None:
    """Put scores that lines say because they improved where the plain ones have a gap; take them out where none are.

    Where other lines say that a score became worse, and none says it plainly, the two are its course.
    """
    for improved in _both_ways([series for series in run.series if series.role.kind == IMPROVED], run):
        run.series.remove(improved)
        plain = [series for series in run.series if _are_of_one_score(series, improved)]
        if len(plain) == 1 and (gaps := _in_gaps(plain[0], improved)):
            at = run.series.index(plain[0])
            merged = plain[0].replaced(sorted([*plain[0], *gaps], key=lambda point: point[2]))
            run.series[at] = replace(merged, seen=plain[0].seen + len(gaps))


def _both_ways(changed: list[Series], run: Run) -> list[Series]:
    """Those of which the log tells one direction alone, or the score itself too; the others become plain courses."""
    by_name = {(series.name, series.x_kind): series for series in changed}
    left = {id(series): series for series in changed}
    for improved in changed:
        name = improved.name.removesuffix(_SUFFIX)
        worse = by_name.get((f"{name}{_WORSE}", improved.x_kind))
        if worse is None or name == improved.name or any(_are_of_one_score(one, improved) for one in run.series):
            continue
        points = sorted([*improved, *worse], key=lambda point: point[2])
        course = replace(improved.replaced(points), name=name, role=replace(improved.role, kind="metric"))
        run.series[run.series.index(improved)] = replace(course, seen=len(points))
        run.series.remove(worse)
        del left[id(improved)], left[id(worse)]
    return list(left.values())


def _are_of_one_score(plain: Series, improved: Series) -> bool:
    a, b = plain.role, improved.role
    if a.kind != "metric" or a.measure != b.measure or plain.x_kind != improved.x_kind or "[rank " in plain.name:
        return False
    if a.measure:
        return a.phase == b.phase or not a.phase or not b.phase
    return words_of(plain.name) == words_of(improved.name.removesuffix(_SUFFIX).removesuffix(_WORSE))


def _in_gaps(plain: Series, improved: Series) -> list[tuple[float, float, int]]:
    """The points at other epochs than those of the plain ones; none where the two disagree at one."""
    said = dict(zip(plain.xs, plain.ys, strict=True))
    if any(x in said and abs(said[x] - y) > _ROUNDING * max(1.0, abs(y)) for x, y, _ in improved):
        return []
    return [point for point in improved if point[0] not in said]
