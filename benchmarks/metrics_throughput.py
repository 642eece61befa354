"""Throughput of the metrics, against CMGAN's own compute_metrics and torchmetrics, and of the worker pool.

    OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 \\
        python benchmarks/metrics_throughput.py --data VOICEBANK --cmgan CHECKOUT [--rounds N] [--out FILE]

VOICEBANK holds clean/ and noisy/ at 16 kHz; CHECKOUT is a temporary checkout of ruizhecao96/CMGAN (commit 3994600). Its
code is imported from there and stays there. torchmetrics is measured if it is installed (pip install torchmetrics).

Everything runs in one process on one thread, in turns, so that another load on the machine hits all alike; figures
are CPU time of that process. The pool is set against the same work in as many plain processes as it has workers.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import multiprocessing
import os
import platform
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from cmgan_audit.evaluation.material.audio import SAMPLE_RATE, Signal, read_audio
from cmgan_audit.evaluation.material.segments import Segment
from cmgan_audit.evaluation.metrics import CompositeScale
from cmgan_audit.evaluation.metrics.scoring import score
from cmgan_audit.evaluation.workers.pool import MetricPool
from cmgan_audit.evaluation.workers.task import Task

FULL_SET = ("pesq", "csig", "cbak", "covl", "ssnr", "stoi")
Pairs = list[tuple[str, Signal, Signal]]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--cmgan", type=Path, required=True)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--copies", type=int, default=6, help="how often the pool gets every utterance")
    parser.add_argument("--out", type=Path)
    arguments = parser.parse_args()
    if os.environ.get("OMP_NUM_THREADS") != "1" or os.environ.get("OPENBLAS_NUM_THREADS") != "1":
        sys.exit("set OMP_NUM_THREADS=1 and OPENBLAS_NUM_THREADS=1: the rates are per core")
    pairs = [
        (path.stem, read_audio(path), read_audio(arguments.data / "noisy" / path.name))
        for path in sorted((arguments.data / "clean").glob("*.wav"))
    ]
    result = {
        "what": "CPU seconds per round over all utterances, median of the rounds; ratios are of these medians",
        "command": "OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 python benchmarks/metrics_throughput.py "
        "--data VOICEBANK --cmgan CHECKOUT",
        "machine": {
            "cores": len(os.sched_getaffinity(0)),
            "python": platform.python_version(),
            "load_average_at_start": round(os.getloadavg()[0], 1),
        },
        "utterances": len(pairs),
        "seconds_of_audio": round(sum(clean.size for _, clean, _ in pairs) / SAMPLE_RATE, 1),
        "rounds": arguments.rounds,
        "full_set": full_set(pairs, arguments.cmgan, arguments.rounds),
        "pesq_pool": pool_rate(arguments.data, [name for name, _, _ in pairs], arguments.rounds, arguments.copies),
    }
    text = json.dumps(result, indent=2)
    print(text)
    if arguments.out:
        arguments.out.write_text(text + "\n", encoding="utf-8")


def full_set(pairs: Pairs, checkout: Path, rounds: int) -> dict[str, object]:
    """The six metrics of the papers: ours, CMGAN's script, torchmetrics; and how far the values are apart."""
    theirs = load_compute_metrics(checkout)
    ours_values = [ours(clean, noisy) for _, clean, noisy in pairs]
    their_values = [theirs(clean, noisy) for _, clean, noisy in pairs]
    ways: dict[str, Callable[[Signal, Signal], object]] = {"cmgan_audit": ours, "cmgan_compute_metrics": theirs}
    peer = torchmetrics_way()
    if peer is not None:
        ways["torchmetrics_three"] = peer
        ways["cmgan_audit_three"] = three
    times: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(rounds):
        for name, way in ways.items():
            start = time.process_time()
            for _, clean, noisy in pairs:
                way(clean, noisy)
            times[name].append(time.process_time() - start)
    median = {name: statistics.median(values) for name, values in times.items()}
    apart = {
        metric: max(abs(mine[metric] - other[metric]) for mine, other in zip(ours_values, their_values, strict=True))
        for metric in FULL_SET
    }
    return {
        "cpu_seconds": {name: round(value, 3) for name, value in median.items()},
        "milliseconds_per_utterance": {name: round(1000 * value / len(pairs), 1) for name, value in median.items()},
        "throughput_against": {
            "cmgan_compute_metrics": round(median["cmgan_compute_metrics"] / median["cmgan_audit"], 2),
            **(
                {"torchmetrics_three": round(median["torchmetrics_three"] / median["cmgan_audit_three"], 2)}
                if peer is not None
                else {}
            ),
        },
        "largest_difference_to_compute_metrics": {name: float(f"{value:.1e}") for name, value in apart.items()},
        "torchmetrics": "not installed"
        if peer is None
        else "has no composite measures: compared on PESQ, STOI and SI-SDR alone, ours on the same three",
    }


def ours(clean: Signal, noisy: Signal) -> dict[str, float]:
    """The full set by this package, on int16 scale."""
    scores = score(clean, noisy, FULL_SET, CompositeScale.INT16)
    return {name: float(entry.value) for name, entry in scores.items() if entry.value is not None}


def three(clean: Signal, noisy: Signal) -> object:
    """What torchmetrics has too, by this package."""
    return score(clean, noisy, ("pesq", "stoi", "si_sdr"), CompositeScale.INT16)


def load_compute_metrics(checkout: Path) -> Callable[[Signal, Signal], dict[str, float]]:
    """CMGAN's script from a temporary checkout, fed on int16 scale as its published log was."""
    place = checkout / "src" / "tools" / "compute_metrics.py"
    spec = importlib.util.spec_from_file_location("cmgan_compute_metrics", place)
    if spec is None or spec.loader is None or not place.exists():
        sys.exit(f"{place}: not a checkout of CMGAN")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)

    def compute(clean: Signal, noisy: Signal) -> dict[str, float]:
        values = module.compute_metrics(clean * 32768, noisy * 32768, SAMPLE_RATE, 0)
        return dict(zip(FULL_SET, map(float, values), strict=True))

    return compute


def torchmetrics_way() -> Callable[[Signal, Signal], object] | None:
    """PESQ, STOI and SI-SDR by torchmetrics, if it is there."""
    if importlib.util.find_spec("torchmetrics") is None:
        return None
    import torch
    from torchmetrics.functional.audio import scale_invariant_signal_distortion_ratio
    from torchmetrics.functional.audio.pesq import perceptual_evaluation_speech_quality
    from torchmetrics.functional.audio.stoi import short_time_objective_intelligibility

    torch.set_num_threads(1)

    def compute(clean: Signal, noisy: Signal) -> object:
        reference, output = torch.from_numpy(clean), torch.from_numpy(noisy)
        return (
            perceptual_evaluation_speech_quality(output, reference, SAMPLE_RATE, "wb"),
            short_time_objective_intelligibility(output, reference, SAMPLE_RATE),
            scale_invariant_signal_distortion_ratio(output, reference),
        )

    return compute


def pool_rate(data: Path, names: list[str], rounds: int, copies: int) -> dict[str, object]:
    """PESQ through the worker pool against the same work in plain processes that do nothing else."""
    cores = len(os.sched_getaffinity(0))
    work = [name for _ in range(copies) for name in names]
    ratios, rates = [], []
    with MetricPool(cores) as pool, multiprocessing.get_context("spawn").Pool(cores) as plain:
        list(pool.run(tasks(data, names)))  # both have started and imported everything
        plain.map(pesq_alone, [(data, name) for name in names], chunksize=1)
        for _ in range(rounds):
            start = time.perf_counter()
            plain.map(pesq_alone, [(data, name) for name in work], chunksize=1)
            plainly = time.perf_counter() - start
            start = time.perf_counter()
            list(pool.run(tasks(data, work)))
            pooled = time.perf_counter() - start
            ratios.append(plainly / pooled)
            rates.append(len(work) / pooled)
    return {
        "workers": cores,
        "utterances_per_second": round(statistics.median(rates), 1),
        "share_of_cores_times_single_core_rate": round(statistics.median(ratios), 3),
        "shares_of_the_rounds": [round(ratio, 3) for ratio in sorted(ratios)],
    }


def tasks(data: Path, names: list[str]) -> list[Task]:
    """PESQ alone on each utterance."""
    sizes = {name: read_audio(data / "clean" / f"{name}.wav").size for name in set(names)}
    return [
        Task(
            position,
            data / "clean" / f"{name}.wav",
            data / "noisy" / f"{name}.wav",
            data / "noisy" / f"{name}.wav",
            Segment(0, sizes[name], "full"),
            ("pesq",),
            CompositeScale.INT16,
            with_facts=False,
        )
        for position, name in enumerate(names)
    ]


def pesq_alone(job: tuple[Path, str]) -> float:
    """What a worker does, without the pool around it."""
    data, name = job
    clean, noisy = (read_audio(data / side / f"{name}.wav") for side in ("clean", "noisy"))
    value = score(clean, noisy, ["pesq"], CompositeScale.INT16)["pesq"].value
    return np.nan if value is None else value


if __name__ == "__main__":
    main()
