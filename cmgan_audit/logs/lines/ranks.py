"""Values of processes other than the first are kept apart by their names, and not judged.

Where the first says nothing, what was taken for a process is none: a machine is called `gpu-1`, a training runs on the
second of two devices. Then the lowest number stands for all.
"""

from __future__ import annotations

from dataclasses import replace

from cmgan_audit.lazy_regex import regex
from cmgan_audit.logs.series import Run

_SUFFIX = regex(r" \[rank (\d+)\]$")


def name_of_rank(name: str, rank: int) -> str:
    """The name of a series of this process; that of the first is as it is."""
    return f"{name} [rank {rank}]" if rank else name


def settle_ranks(run: Run) -> None:
    """Take the lowest process for the first where the first has no values at all."""
    found = [_SUFFIX.search(series.name) for series in run.series]
    ranks = [int(match.group(1)) for match in found if match is not None]
    if not ranks or len(ranks) < len(found):
        return
    suffix = f" [rank {min(ranks)}]"
    run.series = [replace(series, name=series.name.removesuffix(suffix)) for series in run.series]
