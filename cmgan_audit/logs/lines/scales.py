"""The scale of a score that is printed beside it: `PESQ (0-1): 0.47`, `PESQ (1-4.5) 2.64`, `PESQ = 2.64/4.50`.

Neither is a value. What stands behind a slash is told from the score of a second split (`loss=0.31/0.28`) by its
course: a scale ends at the same round number in every evaluation.
"""

from __future__ import annotations

from dataclasses import replace

from cmgan_audit.lazy_regex import regex
from cmgan_audit.logs.lines.labelled import FIRST, SECOND
from cmgan_audit.logs.lines.prefixes import USED
from cmgan_audit.logs.roles import infer
from cmgan_audit.logs.selection.batches import is_of_a_batch, of_a_batch, without_batch
from cmgan_audit.logs.series import Run, Series

_BOUND = r"[-+\u2212]?\x00"
_UNIT = r"\s?(?:%|/|(?:m?s|secs?|seconds?|min|minutes?|h|files?|utterances?)\b)"
# The score stands behind it; what has a unit is a time or a number of files, and no score.
_RANGE = regex(
    rf"[(\[]\s*{_BOUND}\s*(?:[-\u2013\u2014~,]|\.\.+|to)\s*{_BOUND}\s*[)\]](?=\s*[:=]|\s+{_BOUND}(?!{_UNIT}))"
)
# What PESQ, a MOS, a share and percent end at.
_TOPS = (1.0, 4.5, 4.549, 4.55, 4.64, 4.644, 4.65, 5.0, 10.0, 100.0)


_NAME = regex(r"[A-Za-z][\w \-]*$")


def without_ranges(masked: str, start: int) -> str:
    """The shape with the marks of used numbers in front of a score's name, for those of the range behind it."""
    for found in _RANGE.finditer(masked, start):
        name = _NAME.search(masked[start : found.start()])
        if name is not None and infer(name.group()).kind == "metric":
            begin = start + name.start()
            moved = f"{USED}{USED}{name.group()}".ljust(found.end() - begin)
            masked = masked[:begin] + moved + masked[found.end() :]
    return masked


def settle_tops(run: Run) -> None:
    """Give a score the plain name where what stands behind its slash is the top of its scale."""
    by_name = {(series.name, series.x_kind): series for series in run.series}
    for series in list(run.series):
        whole = without_batch(series.name)
        name = whole.removesuffix(f"/{FIRST}")
        marked = of_a_batch if is_of_a_batch(series.name) else str
        top = by_name.get((marked(f"{name}/{SECOND}"), series.x_kind))
        if name != whole and top is not None and _is_top(top, series):
            run.series.remove(top)
            series.name, series.role = marked(name), replace(series.role, phase=infer(name).phase)


def _is_top(top: Series, scores: Series) -> bool:
    ends = set(top.ys)
    return (
        scores.role.kind == "metric"
        and len(ends) == 1
        and ends <= set(_TOPS)
        and not any(y > max(ends) for y in scores.ys)
    )
