"""Series that are called after a phase alone, as Demucs and Denoiser keep them: `{"train": 0.021, "valid": 0.024}`.

They hold what is minimised, or an accuracy; the course of the training tells which.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from statistics import median

from cmgan_audit.logs.roles import table, words_of
from cmgan_audit.logs.series import Reading, Run, Series

_FEWEST = 3


def is_bare_phase(name: str) -> bool:
    """Whether a name says nothing but a phase."""
    words = words_of(name)
    return len(words) == 1 and words[0] in table().phases


def settle_bare_phases(readings: Iterable[Reading]) -> None:
    """Make losses of what is called after a phase alone, in runs whose training brings it down."""
    for reading in readings:
        for run in reading.runs:
            for series in _losses(run):
                series.role = replace(series.role, kind="loss", higher_is_better=False)


def _losses(run: Run) -> list[Series]:
    bare = [s for s in run.series if s.role.kind == "other" and not s.role.given and is_bare_phase(s.name)]
    decisive = [s for s in bare if s.role.phase == "train"] or bare
    return bare if decisive and all(map(_comes_down, decisive)) else []


def _comes_down(series: Series) -> bool:
    ys = series.finite().ys
    third = max(1, len(ys) // 3)
    return len(ys) >= _FEWEST and median(ys[-third:]) < median(ys[:third])
