"""Metric workers: separate processes, one core each, that may crash or hang without taking the run along.

PESQ is C code with globals that holds the GIL and ends the process on some inputs, so it never runs in threads nor in
this process. A task whose worker dies is done again in parts, and what dies again is marked in its own row.
"""

from __future__ import annotations

import contextlib
import ctypes
import multiprocessing
import os
import signal
import sys
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, Future, wait
from concurrent.futures import TimeoutError as FutureTimeoutError
from multiprocessing import synchronize
from pathlib import Path
from typing import Any, TypeAlias

from pebble import ProcessExpired, ProcessPool

from cmgan_audit.errors import InputError
from cmgan_audit.evaluation.material.audio import SAMPLE_RATE
from cmgan_audit.evaluation.material.segments import Segment
from cmgan_audit.evaluation.metrics import MetricScore, Status
from cmgan_audit.evaluation.workers.task import ISOLATED, Task, TaskResult, work_on

ONE_THREAD = dict.fromkeys(
    ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS", "VECLIB_MAXIMUM_THREADS"), "1"
)
# All metrics together take 0.1 s of processor time per second of audio, of ten seconds as of ten minutes (PESQ 0.03); a
# worker on a crowded machine gets thrice that and a minute more. PESQ may go on for ever on recordings with more bursts
# of speech than it has room for, and nobody should wait for it as long as the recording is.
DEADLINE_SECONDS = 60.0
DEADLINE_PER_SECOND = 0.3
# From here on PESQ gets a worker of its own at once: after a hang the other metrics would have to be done again.
LONG_SECONDS = 60.0
WAITING_PER_WORKER = 3
MAX_RESTARTS = 3
ENDLESS = "not tried again: for another output on this reference the metric did not end before its deadline"
# Faults of the program itself: the same input gives them again. A worker killed from outside is another matter.
FAULTS = frozenset(-number for number in (signal.SIGSEGV, signal.SIGABRT, signal.SIGFPE, signal.SIGILL, signal.SIGBUS))


_Attempt: TypeAlias = tuple[Path, Segment, str]
"""Reference, its stretch, and the mode of PESQ."""


class WorkerError(InputError):
    """No metric worker stays alive."""


class MetricPool:
    """A pool of metric workers. Use as a context manager."""

    def __init__(
        self, jobs: int, work: Callable[[Task], TaskResult] = work_on, deadline: float = DEADLINE_SECONDS
    ) -> None:
        """Prepare `jobs` workers; they start with the first task. `deadline`: seconds per task."""
        self._jobs = jobs
        self._work = work
        self._deadline = deadline
        self._pool: ProcessPool | None = None
        self._endless: set[_Attempt] = set()

    def __enter__(self) -> MetricPool:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End the workers, whatever they are doing."""
        if self._pool is not None:
            self._pool.stop()  # type: ignore[no-untyped-call]
            self._pool.join()
            self._pool = None

    def run(self, tasks: Iterable[Task]) -> Iterator[tuple[Task, TaskResult]]:
        """Work on tasks and give each result as it comes, in any order.

        `tasks` is drawn only as fast as the workers follow, so it may run a model: at most a few outputs wait in
        memory. A task may come back in several parts; together they hold a score for each of its metrics.

        Raises:
            AuditError: what a worker raised about its input.
            WorkerError: the workers end as soon as they start.
        """
        source = (part for task in tasks for part in (task.parts() if self._is_apart(task) else [task]))
        running: dict[Future[TaskResult], Task] = {}
        limit = self._jobs * WAITING_PER_WORKER
        restarts = 0
        drained = False
        while True:
            while not drained and len(running) < limit:
                task = next(source, None)
                if task is None:
                    drained = True
                elif _attempt(task) in self._endless:
                    yield task, _failed(task, FutureTimeoutError(), ENDLESS)
                else:
                    running[self._submit(task)] = task
            if not running:
                return
            done, _ = wait(running, return_when=FIRST_COMPLETED)
            lost: list[Task] = []
            for future in done:
                task = running.pop(future)
                error = future.exception()
                if error is None:
                    yield task, future.result()
                elif isinstance(error, (ProcessExpired, FutureTimeoutError)):
                    parts = task.parts()
                    if len(parts) > 1:
                        running.update({self._submit(part): part for part in parts})
                    else:
                        attempt = _attempt(task)
                        if attempt is not None and isinstance(error, FutureTimeoutError):
                            self._endless.add(attempt)
                        yield task, _failed(task, error)
                elif isinstance(error, BrokenExecutor):
                    lost.append(task)
                else:
                    raise error
            if lost:
                restarts += 1
                if restarts > MAX_RESTARTS:
                    raise WorkerError("the metric workers end as soon as they start; --jobs 1 needs less memory")
                lost.extend(running.values())
                running.clear()
                self.close()
                running = {self._submit(task): task for task in lost}

    def _is_apart(self, task: Task) -> bool:
        """Whether the parts of a task run one by one from the start."""
        is_long = task.segment.length > LONG_SECONDS * SAMPLE_RATE
        return is_long or any(_attempt(part) in self._endless for part in task.parts())

    def _submit(self, task: Task) -> Future[TaskResult]:
        if self._pool is None:
            with _one_thread_each():
                self._pool = ProcessPool(self._jobs, initializer=_start_worker, context=_context())
                # Starts the workers while the variables are set; they inherit them.
                return self._schedule(self._pool, task)
        return self._schedule(self._pool, task)

    def _schedule(self, pool: ProcessPool, task: Task) -> Future[TaskResult]:
        seconds = self._deadline + DEADLINE_PER_SECOND * task.segment.length / SAMPLE_RATE
        future: Future[TaskResult]
        try:
            future = pool.schedule(self._work, args=[task], timeout=seconds)
        except RuntimeError as error:
            # All workers ended since the last one was heard of (pebble says so in a plain RuntimeError): the task is
            # lost as those that wait are.
            future = Future()
            future.set_exception(BrokenExecutor(str(error)))
        return future


def _attempt(task: Task) -> _Attempt | None:
    """What decides whether PESQ ends on a task: the speech that it finds in the reference. None without PESQ.

    Whether it ends its process depends on the output too (one that is half silent may get a score), and that is soon
    known: it is tried with each.
    """
    mode = next((group[0] for group in ISOLATED if set(task.metrics) & set(group)), None)
    return None if mode is None else (task.clean, task.segment, mode)


def _failed(task: Task, error: BaseException, why: str = "the metric did not end before its deadline") -> TaskResult:
    if isinstance(error, ProcessExpired):
        code = int(error.exitcode or 0)
        score = MetricScore(Status.METRIC_CRASH, detail=f"the metric's process ended with {_exit_name(code)}")
        # A worker that something outside killed (out of memory) may well succeed next time: do not keep that.
        passing = code not in FAULTS
    else:
        score, passing = MetricScore(Status.TIMEOUT, detail=why), True
    names = frozenset(task.metrics)
    return TaskResult(dict.fromkeys(names, score), None, names if passing else frozenset())


def _exit_name(code: int) -> str:
    if code < 0:
        with contextlib.suppress(ValueError):
            return signal.Signals(-code).name
    return f"exit status {code}"


class _KeptLocks:
    """A context of multiprocessing whose locks live as long as the pool that uses it.

    A pool that is stopped lets go of its locks, and their names with them, before it ends its workers. One that is
    still starting then finds no lock of that name, and complains on stderr of a run in which nothing went wrong.
    """

    def __init__(self, context: multiprocessing.context.BaseContext) -> None:
        self._context = context
        self._locks: list[synchronize.RLock] = []

    def RLock(self) -> synchronize.RLock:  # noqa: N802 - the name that multiprocessing has for it
        """A lock that is kept."""
        lock = self._context.RLock()
        self._locks.append(lock)
        return lock

    def __getattr__(self, name: str) -> Any:
        return getattr(self._context, name)


def _context() -> _KeptLocks:
    # Never fork this process: it may hold torch and its threads. The fork server stays small and starts workers fast.
    if "forkserver" not in multiprocessing.get_all_start_methods():
        return _KeptLocks(multiprocessing.get_context("spawn"))
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["cmgan_audit.evaluation.workers.preload"])
    return _KeptLocks(context)


@contextlib.contextmanager
def _one_thread_each() -> Iterator[None]:
    before = {name: os.environ.get(name) for name in ONE_THREAD}
    os.environ.update(ONE_THREAD)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def _start_worker() -> None:
    """Ctrl-C is the parent's business, and a worker ends with its parent even if that one is killed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if sys.platform == "linux":
        set_parent_death_signal = 1  # PR_SET_PDEATHSIG; also ends a worker that hangs inside C code
        ctypes.CDLL(None, use_errno=True).prctl(set_parent_death_signal, signal.SIGKILL, 0, 0, 0)
