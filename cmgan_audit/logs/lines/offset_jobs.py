"""Two trainings that print into one file without a word that tells them apart, each at steps of its own.

`step 5000`, `step 1000`, `step 6000`, `step 2000`, ...: read as one they would be a training that is restarted at every
line. Apart, each counts on in steps of equal size, and from one to the other the log leaps forward too: a training that
was stopped again and again goes back, but not forward otherwise than it counts.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from statistics import median

from cmgan_audit.logs.runs import RunBuilder

# So many lines of each show that it counts on; from one to the other the steps go back again and again.
_FEWEST, _TURNS = 5, 4
# That many steps of a training are of equal size.
_REGULAR = 0.8
# Two trainings that run side by side print about as often; a few lines out of step are none.
_UNEVEN = 4
# A longer log is left as it is.
_MOST = 1 << 16


def part_offset_jobs(builder: RunBuilder) -> None:
    """Make a run of each of two trainings that take turns."""
    steps = builder.steps()
    back = sum(b < a for (_, a), (_, b) in itertools.pairwise(steps))
    if not 2 * _FEWEST <= len(steps) <= _MOST or back < _TURNS:
        return
    jobs = _counting_on(steps)
    counts = sorted(len({step for _, step in job}) for job in jobs)
    if len(jobs) != 2 or counts[0] * _UNEVEN < counts[1] or back < counts[0] // 2:
        return
    if not all(map(_is_regular, jobs)) or 2 * _leaps(steps, jobs) < back:
        return
    names = {place: f"job {number}" for number, job in enumerate(jobs, start=1) for place, _ in job}
    builder.part(lambda place: names.get(place, ""), set(names.values()))


def _counting_on(steps: Sequence[tuple[int, float]]) -> list[list[tuple[int, float]]]:
    """The lines by the training that they go on with; no more than three trainings, which are too many."""
    jobs: list[list[tuple[int, float]]] = []
    last: list[tuple[int, float]] = []
    for place, step in steps:
        before = [job for job in jobs if job[-1][1] <= step]
        if last and last[-1][1] == step:
            job = last  # another line of the same step
        elif before:
            job = max(before, key=lambda one: (_next(one) == step, one[-1][1]))
        elif len(jobs) > 2:
            break
        else:
            jobs.append(job := [])
        job.append((place, step))
        last = job
    return jobs


def _next(job: Sequence[tuple[int, float]]) -> float | None:
    """The step after the last, by the size of the one before; None where only one is known."""
    last = job[-1][1]
    before = next((step for _, step in reversed(job) if step != last), None)
    return None if before is None else 2 * last - before


def _is_regular(job: Sequence[tuple[int, float]]) -> bool:
    sizes = _sizes(job)
    return len(sizes) + 1 >= _FEWEST and sum(size == median(sizes) for size in sizes) >= _REGULAR * len(sizes)


def _sizes(job: Sequence[tuple[int, float]]) -> list[float]:
    """How far it counts on, from step to step."""
    counted = dict.fromkeys(step for _, step in job)
    return [b - a for a, b in itertools.pairwise(counted)]


def _leaps(steps: Sequence[tuple[int, float]], jobs: Sequence[Sequence[tuple[int, float]]]) -> int:
    """How often the log goes forward by another size than that of its trainings."""
    usual = {median(_sizes(job)) for job in jobs}
    return sum(b > a and b - a not in usual for (_, a), (_, b) in itertools.pairwise(steps))
