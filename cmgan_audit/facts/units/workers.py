"""Units in several processes: each follows its share of the tree, and the answers come back as archives."""

from __future__ import annotations

import gc
import os
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

from cmgan_audit.facts.units.archive import pack, unpack
from cmgan_audit.program.execution.depth import deeply, forget_young

# What is left has to take this long by what was done until now, or a second process is of no use.
_WORTH_SECONDS = 1.0
_FEWEST = 4
_MOST_JOBS = 16

_Result = TypeVar("_Result")
_work: Callable[[str], object] | None = None


def usual_jobs() -> int:
    """One process per processor that this one may use, where processes can be forked safely."""
    if sys.platform != "linux":
        return 1
    return min(len(os.sched_getaffinity(0)), _MOST_JOBS)


def worked(units: Sequence[str], work: Callable[[str], _Result], jobs: int) -> Iterator[tuple[str, _Result]]:
    """Every unit with its result, in the order of the units.

    Args:
        units: what is to be done.
        work: does one unit; the result is data that an archive can hold, so that it means the same in every process.
        jobs: the largest number of processes at a time.

    Raises:
        AuditError: what `work` raises.
    """
    waiting = list(reversed(units))
    began = time.monotonic()

    def is_small() -> bool:
        each = (time.monotonic() - began) / max(1, len(units) - len(waiting))
        return len(waiting) < _FEWEST or each * len(waiting) < _WORTH_SECONDS

    while waiting and (jobs < 2 or is_small()):
        unit = waiting.pop()
        yield unit, work(unit)
    if not waiting:
        return
    for unit, result in _in_processes(waiting[::-1], work, min(jobs, len(waiting))):
        waiting.remove(unit)
        yield unit, result
    for unit in waiting:  # a process was killed: what it left is done here
        yield unit, work(unit)


def _in_processes(units: Sequence[str], work: Callable[[str], _Result], jobs: int) -> Iterator[tuple[str, _Result]]:
    global _work
    import multiprocessing
    from concurrent.futures import ProcessPoolExecutor
    from concurrent.futures.process import BrokenProcessPool

    if "fork" not in multiprocessing.get_all_start_methods():
        return
    before, _work = _work, work
    forget_young()
    gc.freeze()  # before the fork: whoever searched these objects would copy the memory that the processes share
    try:
        with ProcessPoolExecutor(jobs, mp_context=multiprocessing.get_context("fork")) as pool:
            futures = [(unit, pool.submit(_do, unit)) for unit in units]
            try:
                for unit, future in futures:
                    yield unit, unpack(future.result())
            except BrokenProcessPool:
                return
            finally:
                pool.shutdown(cancel_futures=True)
    finally:
        _work = before
        gc.freeze()  # answers live until the end


def _do(unit: str) -> str:
    work = _work
    if work is None:
        raise RuntimeError("a process without work")

    def told() -> str:
        answer = pack(work(unit))
        forget_young()  # now: `deeply` never searches what was there when it began
        return answer

    try:
        return deeply(told)
    except KeyboardInterrupt:  # a pool would hand it to the one that waits and go on with the next unit
        os._exit(1)
