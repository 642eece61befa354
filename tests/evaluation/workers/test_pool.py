"""Metric workers: a crash or a hang costs its own row, an error of the input ends the run, nothing imports torch."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterable, Iterator
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path

import numpy as np
import pytest
import soundfile
from pebble import ProcessPool

from cmgan_audit.evaluation.material.audio import AudioError, read_audio
from cmgan_audit.evaluation.material.segments import Segment
from cmgan_audit.evaluation.metrics import METRICS, CompositeScale, Status
from cmgan_audit.evaluation.metrics.scoring import score
from cmgan_audit.evaluation.workers import pool as pool_module
from cmgan_audit.evaluation.workers.pool import MetricPool
from cmgan_audit.evaluation.workers.task import Task

BEHAVIOUR = """
import os, signal, time
from cmgan_audit.evaluation.metrics import MetricScore, Status
from cmgan_audit.evaluation.workers.task import TaskResult

def work(task):
    if "pesq" in task.metrics and task.position % 2:
        {fault}
    return TaskResult({{name: MetricScore(Status.OK, float(task.position)) for name in task.metrics}}, None)
"""


def task(folder: Path, name: str, position: int = 0, metrics: tuple[str, ...] = ("pesq", "stoi")) -> Task:
    clean = folder / "clean" / f"{name}.wav"
    samples = soundfile.info(clean).frames
    return Task(
        position=position,
        clean=clean,
        noisy=folder / "noisy" / f"{name}.wav",
        estimate=folder / "noisy" / f"{name}.wav",
        segment=Segment(0, samples, "full"),
        metrics=metrics,
        scale=CompositeScale.INT16,
        with_facts=True,
    )


def collected(pool: MetricPool, tasks: Iterable[Task]) -> dict[int, dict]:
    found: dict[int, dict] = {}
    for one, result in pool.run(tasks):
        found.setdefault(one.position, {}).update(result.scores)
    return found


def behaving(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fault: str):
    name = f"behaviour_{abs(hash(fault))}"
    (tmp_path / f"{name}.py").write_text(BEHAVIOUR.format(fault=fault))
    monkeypatch.syspath_prepend(str(tmp_path))
    return __import__(name).work


def test_workers_give_what_this_process_would(small_set: Path) -> None:
    metrics = tuple(METRICS)
    with MetricPool(2) as pool:
        found = collected(pool, [task(small_set, "ada_001", 0, metrics), task(small_set, "ben_001", 1, metrics)])
    for position, name in enumerate(("ada_001", "ben_001")):
        clean, noisy = (read_audio(small_set / side / f"{name}.wav") for side in ("clean", "noisy"))
        assert found[position] == score(clean, noisy, metrics, CompositeScale.INT16)


@pytest.mark.parametrize(
    ("fault", "status", "kept"),
    [
        ("os.kill(os.getpid(), signal.SIGSEGV)", Status.METRIC_CRASH, True),
        ("os.kill(os.getpid(), signal.SIGKILL)", Status.METRIC_CRASH, False),
        ("time.sleep(600)", Status.TIMEOUT, False),
    ],
)
def test_a_fault_marks_its_own_row_only(tmp_path, small_set, monkeypatch, fault, status, kept) -> None:
    work = behaving(tmp_path, monkeypatch, fault)
    tasks = [task(small_set, "ada_001", position) for position in range(4)]
    passing: set[str] = set()
    found: dict[int, dict] = {}
    with MetricPool(2, work, deadline=0.5) as pool:
        for one, result in pool.run(tasks):
            found.setdefault(one.position, {}).update(result.scores)
            passing |= result.passing
    assert {position: scores["pesq"].status for position, scores in found.items()} == {
        0: Status.OK,
        1: status,
        2: Status.OK,
        3: status,
    }
    assert all(scores["stoi"].status is Status.OK for scores in found.values())
    assert passing == (set() if kept else {"pesq"})  # what another run may do better is not recorded


def test_what_hangs_on_a_long_recording_is_waited_for_once(tmp_path, small_set, monkeypatch) -> None:
    monkeypatch.setattr(pool_module, "LONG_SECONDS", 1.0)
    monkeypatch.setattr(pool_module, "DEADLINE_PER_SECOND", 0.0)
    runs = tmp_path / "runs"
    work = behaving(tmp_path, monkeypatch, f"open({str(runs)!r}, 'a').write('x'); time.sleep(600)")
    with MetricPool(1, work, deadline=1.0) as pool:
        given = [(one.metrics, result) for one, result in pool.run([task(small_set, "ada_001", 1)])]
    assert {metrics: result.scores[metrics[0]].status for metrics, result in given} == {
        ("pesq",): Status.TIMEOUT,
        ("stoi",): Status.OK,
    }
    assert runs.read_text() == "x"


def test_what_hangs_for_one_output_is_not_waited_for_with_the_next(tmp_path, small_set, monkeypatch) -> None:
    runs = tmp_path / "runs"
    work = behaving(tmp_path, monkeypatch, f"open({str(runs)!r}, 'a').write(task.clean.stem); time.sleep(600)")
    with MetricPool(1, work, deadline=0.5) as pool:
        first = collected(pool, [task(small_set, "ada_001", 1)])
        tried = runs.read_text()
        again = collected(pool, [task(small_set, "ada_001", 3), task(small_set, "ben_001", 4)])
    assert tried and runs.read_text() == tried
    assert first[1]["pesq"].status is again[3]["pesq"].status is Status.TIMEOUT
    assert again[3]["pesq"].detail.startswith("not tried again")
    assert again[3]["stoi"].status is again[4]["pesq"].status is Status.OK


def test_pesq_on_sixty_bursts_of_speech_really_crashes_and_is_contained(tmp_path: Path, small_set: Path) -> None:
    clean = read_audio(small_set / "clean" / "ada_001.wav")
    loudest = int(np.convolve(clean**2, np.ones(4800), "valid").argmax())
    bursts = np.tile(np.concatenate([clean[loudest : loudest + 4800], np.zeros(8000)]), 60)
    noisy = bursts + np.random.default_rng(0).normal(0, 0.01, bursts.size)
    for side, samples in (("clean", bursts), ("noisy", noisy)):
        soundfile.write(small_set / side / "bursts.wav", samples, 16_000, subtype="PCM_16")
    with MetricPool(2) as pool:
        found = collected(
            pool,
            [task(small_set, name, position) for position, name in enumerate(("ada_001", "bursts", "ben_001"))],
        )
    assert found[1]["pesq"].status is Status.METRIC_CRASH
    # A compiler that guards buffers turns the overflow into an abort.
    assert found[1]["pesq"].detail.endswith(("SIGSEGV", "SIGABRT"))
    assert found[1]["stoi"].status is Status.OK
    assert found[0]["pesq"].status is found[2]["pesq"].status is Status.OK


def test_a_file_that_is_not_audio_ends_the_run_with_its_name(small_set: Path) -> None:
    (small_set / "noisy" / "ada_001.wav").write_bytes(b"nothing")
    whole = Segment(0, 100, "full")
    broken = Task(
        0,
        small_set / "clean" / "ada_001.wav",
        small_set / "noisy" / "ada_001.wav",
        small_set / "noisy" / "ada_001.wav",
        whole,
        ("stoi",),
        CompositeScale.INT16,
        False,
    )
    with MetricPool(1) as pool, pytest.raises(AudioError, match=r"ada_001\.wav: not readable"):
        collected(pool, [broken])


@pytest.mark.parametrize("error", [BrokenProcessPool(), RuntimeError("Unexpected error within the Pool")])
def test_workers_that_all_end_between_two_tasks_start_again(
    small_set: Path, monkeypatch: pytest.MonkeyPatch, error: RuntimeError
) -> None:
    def ended(*_: object, **__: object) -> None:
        monkeypatch.undo()
        raise error

    def source() -> Iterator[Task]:
        yield task(small_set, "ada_001", 0, ("ssnr",))
        monkeypatch.setattr(ProcessPool, "schedule", ended)
        yield task(small_set, "ada_001", 1, ("ssnr",))

    with MetricPool(1) as pool:
        assert set(collected(pool, source())) == {0, 1}


def test_tasks_are_drawn_only_as_fast_as_they_are_worked_on(small_set: Path) -> None:
    drawn = 0

    def source():
        nonlocal drawn
        for position in range(40):
            drawn += 1
            yield task(small_set, "ada_001", position, ("ssnr",))

    with MetricPool(1) as pool:
        results = pool.run(source())
        next(results)
        assert drawn <= 4
        results.close()


def test_workers_import_no_torch() -> None:
    loading = "import sys, cmgan_audit.evaluation.workers.preload, cmgan_audit.evaluation.workers.pool"
    program = f"{loading}; print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


LATE = """
import os, signal, sys, time
from cmgan_audit.evaluation.workers import pool

class Start:
    def __reduce__(self):
        return late, ()

def late():
    try:
        os.close(os.open("first", os.O_CREAT | os.O_EXCL))
    except FileExistsError:  # every worker but the first is still starting, as on a crowded machine, when the pool ends
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        open("late", "w").close()
        time.sleep(0.5)
    return int

class Segment:
    length = 16_000

class Task:
    segment = Segment

def work(task):
    while not os.path.exists("late"):
        time.sleep(0.01)
    return task

if __name__ == "__main__":
    pool._start_worker = Start()
    with pool.MetricPool(2, work) as workers:
        print(workers._submit(Task()).result().segment.length)
"""


def test_a_worker_that_is_still_starting_when_all_is_done_says_nothing(tmp_path: Path) -> None:
    (tmp_path / "late.py").write_text(LATE)
    done = subprocess.run([sys.executable, "late.py"], cwd=tmp_path, capture_output=True, text=True, timeout=300)
    assert (done.stdout, done.stderr) == ("16000\n", "")
