"""Use several cores by giving each whole pieces of work, rather than a share of every operator.

Between two operators torch's threads meet at a barrier. A piece of a feature map that fits a core's cache is done in a
fraction of a millisecond, so waking the other thread costs more than it brings: a conformer on two cores took longer
than on one. Pieces that do not see each other need one barrier, at their end.
"""

from __future__ import annotations

import contextlib
import functools
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import torch

Piece = TypeVar("Piece")
Done = TypeVar("Done")

MOST_THREADS = 8
"""More threads wait for each other: between operators each needs Python's lock.

Of the time of a piece of the full-size network 5 to 11 % is not spent in proportion to its size, of the bundled small
one 22 to 33 %: no number of threads comes below about a tenth, or a third, of the time of one.
"""


@contextlib.contextmanager
def on_few_cores() -> Iterator[None]:
    """Let torch use at most `MOST_THREADS` threads inside, and as many as before afterwards."""
    before = torch.get_num_threads()
    torch.set_num_threads(min(before, MOST_THREADS))
    try:
        yield
    finally:
        torch.set_num_threads(before)


def on_all_cores(work: Callable[[Piece], Done], pieces: Sequence[Piece]) -> list[Done]:
    """Do `work` on every piece, on as many threads as torch may use, each running its operators alone.

    Args:
        work: called without gradients, in any order, at the same time as others; operators of torch release Python's
            lock while they compute.
        pieces: more of them than threads, for balance.

    Returns:
        What `work` returned, in the order of the pieces.
    """
    threads = torch.get_num_threads()
    if threads == 1 or len(pieces) == 1:
        return [work(piece) for piece in pieces]

    def in_thread(piece: Piece) -> Done:
        with torch.inference_mode():  # a mode belongs to one thread
            return work(piece)

    return list(_threads(threads).map(in_thread, pieces))


@functools.cache
def _threads(count: int) -> ThreadPoolExecutor:
    """That many threads, started, in each of which torch uses one thread."""
    started = threading.Barrier(count + 1)

    def start() -> None:
        torch.get_num_threads()  # a thread's first question sets it to the others' number: so before
        torch.set_num_threads(1)
        started.wait()

    pool = ThreadPoolExecutor(count, thread_name_prefix="cmgan", initializer=start)
    for _ in range(count):
        pool.submit(int)
    started.wait()
    torch.set_num_threads(count)  # the last call also sets what later threads start with
    return pool
