"""How fast `trend` reads logs: text logs of a recognised and of a mixed format, and event files against TensorBoard.

A table with scores of every training step is read and judged too, against Python's `csv` that only reads it; and so
are ten times as many steps in every form, which shows how time and memory grow.

    python benchmarks/log_speed.py --megabytes 1000

Writes its logs into a temporary folder and removes them. One core; peak memory is that of the reading process.
"""

from __future__ import annotations

import argparse
import csv
import random
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

SCALARS = 100_000


def step_lines(rng: random.Random, megabytes: int, path: Path, digits: str) -> None:
    """CMGAN's own line, `GPU: 0, Epoch 19, Step 500, loss: ..., disc_loss: ...`, with an evaluation per epoch."""
    form = "GPU: 0, Epoch @, Step {}, loss: {:" + digits + "}, disc_loss: {:" + digits + "}\n"
    epoch = [form.format(step * 10, 0.1 + rng.random() / 50, rng.random() / 100) for step in range(500)]
    epoch.append("GPU: 0, Test Gen loss: 0.101234, Disc loss: 0.004211, PESQ: 2.51\n")
    write_epochs(path, epoch, megabytes)


def mixed_lines(rng: random.Random, megabytes: int, path: Path) -> None:
    """Timestamps, two handlers, free text, layer tables among the values."""
    lines = ["2024-05-01 10:11:12,345 - trainer - INFO - --- Epoch @ Training ---\n"]
    for step in range(40):
        value = f"Epoch @ | Step {step * 25} | Train Loss G: {rng.random():.4f} | Train Loss D: {rng.random():.4f}"
        lines.append(f"2024-05-01 10:11:{step:02d},345 - trainer - INFO - {value}\n{value}\n")
        lines.append(
            f"utterance p{rng.randrange(225, 380)}_{rng.randrange(400):03d} took {rng.random():.3f}s on cuda:0\n"
        )
    lines.append("│    └─TSCB: 2-2                                        [4, 64, 321, 101]         --\n" * 5)
    lines.append("Validation: PESQ=2.5123, STOI=0.9312, epoch @ done\n")
    write_epochs(path, lines, megabytes)


def write_epochs(path: Path, epoch: list[str], megabytes: int) -> None:
    """The same lines again and again with the next epoch's number, until the file is large enough."""
    text = "".join(epoch)
    left, number = megabytes * 1_000_000, 0
    with path.open("wb") as stream:
        while left > 0:
            number += 1
            left -= stream.write(text.replace("@", str(number)).encode())


def read_once(path: Path) -> tuple[float, float]:
    """CPU seconds and peak megabytes of one reading in a fresh process (wall time would time the neighbours too)."""
    code = (
        "import resource, sys, time; from pathlib import Path; from cmgan_audit.logs.lines.text import read_text;"
        "from cmgan_audit.logs.roles import RoleBook; t = time.process_time();"
        "r = read_text(Path(sys.argv[1]), 'log', RoleBook()); s = time.process_time() - t;"
        "print(s, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)"
    )
    done = subprocess.run([sys.executable, "-c", code, str(path)], check=True, capture_output=True, text=True)
    seconds, peak = map(float, done.stdout.split())
    return seconds, peak


def text_benchmark(folder: Path, megabytes: int, repeats: int) -> None:
    rng = random.Random(7)
    cases = {
        "recognised, six decimals": lambda p: step_lines(rng, megabytes, p, ".6f"),
        "recognised, all digits": lambda p: step_lines(rng, megabytes, p, ""),
        "mixed (general scan)": lambda p: mixed_lines(rng, megabytes, p),
    }
    for name, make in cases.items():
        path = folder / "bench.log"
        make(path)
        size = path.stat().st_size / 1e6
        runs = [read_once(path) for _ in range(repeats)]
        speed = statistics.median(size / seconds for seconds, _ in runs)
        print(f"{name:26s} {size:7.0f} MB  {speed:6.1f} MB/s  peak {max(peak for _, peak in runs):5.0f} MB", flush=True)
        path.unlink()


def event_benchmark(folder: Path, repeats: int) -> None:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
    from torch.utils.tensorboard import SummaryWriter

    from cmgan_audit.logs.formats.event_file import read_scalars

    writer = SummaryWriter(str(folder))
    rng = random.Random(3)
    for step in range(SCALARS // 4):
        for tag in ("Loss/train", "Loss/discriminator", "lr", "metric/pesq"):
            writer.add_scalar(tag, rng.random(), step)
    writer.close()
    path = next(folder.glob("*tfevents*"))
    ours, theirs = [], []
    for _ in range(repeats):
        start = time.perf_counter()
        scalars = read_scalars(path, "events")
        ours.append(time.perf_counter() - start)
        start = time.perf_counter()
        accumulator = EventAccumulator(str(path), size_guidance={"scalars": 0})
        accumulator.Reload()
        theirs.append(time.perf_counter() - start)
    mine = {tag: list(zip(one.steps, one.values, strict=True)) for tag, one in scalars.tags.items()}
    equal = all(mine[tag] == [(e.step, e.value) for e in accumulator.Scalars(tag)] for tag in mine)
    us, them = statistics.median(ours), statistics.median(theirs)
    print(
        f"event file, {SCALARS} scalars: ours {us:.2f} s, EventAccumulator {them:.2f} s, "
        f"ratio {them / us:.1f}, equal: {equal}"
    )


def step_scores(path: Path, steps: int) -> None:
    """PESQ and SI-SDR of every step, that fall slowly; one in fifty stands far above its neighbours."""
    rng = random.Random(5)
    with path.open("w") as stream:
        stream.write("step,loss,pesq,si_sdr\n")
        for step in range(steps):
            level = 2.9 - 0.6 * step / steps + rng.gauss(0, 0.02) + (rng.random() if rng.random() < 0.02 else 0)
            stream.write(f"{step},{rng.random():.4f},{level:.4f},{8 + 2 * level:.4f}\n")


def judging_benchmark(folder: Path, repeats: int) -> None:
    from cmgan_audit.logs.judging import judge
    from cmgan_audit.logs.roles import RoleBook
    from cmgan_audit.logs.search import read_logs
    from cmgan_audit.logs.selection.judged import Question
    from cmgan_audit.rules.catalogue import load_catalogue

    catalogue = load_catalogue()
    selected = frozenset(rule.id for rule in catalogue if rule.door == "trend")
    for steps in (SCALARS // 10, SCALARS):
        path = folder / "steps.csv"
        step_scores(path, steps)
        ours, theirs = [], []
        for _ in range(repeats):
            start = time.process_time()
            judge(read_logs([path], RoleBook()).readings, Question(("pesq", "si_sdr")), catalogue, selected)
            ours.append(time.process_time() - start)
            start = time.process_time()
            with path.open(newline="") as stream:
                _ = [{name: float(cell) for name, cell in row.items()} for row in csv.DictReader(stream)]
            theirs.append(time.process_time() - start)
        us, them = statistics.median(ours), statistics.median(theirs)
        print(
            f"scores of {steps} steps, read and judged: {us:.2f} CPU s, csv.DictReader (reads only) {them:.2f} CPU s, "
            f"ratio {us / them:.1f}",
            flush=True,
        )


FORMS = {
    "steps.csv": "{step},{loss:.4f},{pesq:.4f}\n",
    "steps.jsonl": '{{"step": {step}, "loss": {loss:.4f}, "pesq": {pesq:.4f}}}\n',
    "steps.log": "step {step}, loss: {loss:.4f}, pesq: {pesq:.4f}\n",
    "epochs.log": "2024-05-01 12:00:00,123 - INFO - Epoch {epoch}, Step {step}, loss: {loss:.4f}, PESQ: {pesq:.4f}\n",
    "bars.log": "\rEpoch {epoch}: {step}it [00:10, 9.1it/s, loss={loss:.4f}, pesq={pesq:.4f}]",
}


def growth_benchmark(folder: Path) -> None:
    """CPU seconds and peak memory of the whole command, for ten times and a hundred times as many steps."""
    for name, form in FORMS.items():
        for steps in (SCALARS // 10, SCALARS, 10 * SCALARS):
            rng = random.Random(5)
            path = folder / name
            with path.open("w") as stream:
                stream.write("step,loss,pesq\n" if path.suffix == ".csv" else "")
                for step in range(steps):
                    pesq = 2.9 - 0.6 * step / steps + rng.gauss(0, 0.1)
                    stream.write(form.format(step=step, epoch=step // 5000, loss=rng.random(), pesq=pesq))
            command = [sys.executable, "-m", "cmgan_audit", "trend", str(path), "--quiet", "--fail-on", "never"]
            before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
            watched = [sys.executable, "-c", WATCH, *command]
            peak = subprocess.run(watched, check=True, capture_output=True, text=True).stdout
            used = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime - before
            size = path.stat().st_size / 1e6
            print(f"{name:12s} {steps:8d} steps {size:5.0f} MB  {used:5.1f} CPU s  peak {int(peak):4d} MB", flush=True)
            path.unlink()


# Runs a command and prints the peak memory of it alone, in megabytes.
WATCH = (
    "import resource, subprocess, sys; subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL);"
    "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024)"
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--megabytes", type=int, default=200)
    parser.add_argument("--repeats", type=int, default=3)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        text_benchmark(Path(folder), given.megabytes, given.repeats)
        judging_benchmark(Path(folder), given.repeats)
        growth_benchmark(Path(folder))
        event_benchmark(Path(folder), given.repeats)
    print(f"this process: peak {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MB")


if __name__ == "__main__":
    main()
