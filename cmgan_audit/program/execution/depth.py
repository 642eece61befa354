"""How Python itself is set up while a tree is audited: room for deep recursion, and seldom a search for dead cycles.

Nested code of the audited program nests calls of ours; our own limits end first.
"""

from __future__ import annotations

import gc
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

T = TypeVar("T")

_RECURSION = 30_000
# Python writes no whole number of more than 4300 digits, and a program may hold one: `0xffff...`. This many take some
# milliseconds.
_DIGITS = 20_000
# Address space, not memory: only what is used is ever taken. Smaller ones are for machines that limit it.
_STACKS = (512 << 20, 128 << 20, 32 << 20)


# An audit makes millions of objects that live as long as a run: looking for dead ones among them every 700 objects, as
# Python does by default, takes a quarter of the time.
COLLECT_EVERY = (100_000, 20, 10)
WORTH_A_SEARCH = 40_000


@contextmanager
def rare_collections() -> Iterator[None]:
    """Let Python look for unreachable cycles seldom, and never among what is there already: modules, for the most."""
    before = gc.get_threshold()
    gc.set_threshold(*COLLECT_EVERY)
    gc.freeze()  # also sets the count of new objects, by which `forget_young` decides, to zero
    try:
        yield
    finally:
        gc.unfreeze()
        gc.set_threshold(*before)


def forget_young() -> None:
    """Free what the last script left: its state is full of cycles, and a search of what is young finds most of it.

    What a small one left is not worth the search: it is found with that of the next.
    """
    made, searched, _ = gc.get_count()
    if searched or made > WORTH_A_SEARCH:
        gc.collect(1)


@contextmanager
def deep_recursion() -> Iterator[None]:
    """Let Python itself recurse deeply, and write long numbers."""
    before, digits = sys.getrecursionlimit(), sys.get_int_max_str_digits()
    sys.setrecursionlimit(max(before, _RECURSION))
    sys.set_int_max_str_digits(_DIGITS)
    try:
        yield
    finally:
        sys.setrecursionlimit(before)
        sys.set_int_max_str_digits(digits)


def deeply(action: Callable[[], T]) -> T:
    """Do something on a stack that is large enough for `deep_recursion`, which a process's own stack is not.

    Parts of Python that are written in C (its parser, `repr`, comparisons) end the process when their stack is full.
    """
    results: list[T] = []
    errors: list[BaseException] = []

    def run() -> None:
        try:
            with deep_recursion(), rare_collections():
                results.append(action())
        except BaseException as error:  # noqa: BLE001 - handed to the thread that waits
            errors.append(error)

    thread = _started(run)
    if thread is None:
        return action()
    thread.join()
    if errors:
        raise errors[0]
    return results[0]


def _started(run: Callable[[], None]) -> threading.Thread | None:
    """A thread with the largest stack that the system gives; None when it gives none at all."""
    before = threading.stack_size()
    for size in _STACKS:
        try:
            threading.stack_size(size)
            thread = threading.Thread(target=run, name="audit", daemon=True)
            thread.start()
        except (ValueError, RuntimeError, MemoryError):
            continue
        else:
            return thread
        finally:
            threading.stack_size(before)
    return None
