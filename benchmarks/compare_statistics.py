"""How long the statistics of a comparison take: K checkpoints x n utterances, all families, strata, groups.

    python benchmarks/compare_statistics.py --out benchmarks/results/compare_statistics.txt

Synthetic scores: the numbers do not matter for the time, their shape does. `holes` leaves out one utterance in a
hundred per checkpoint, each its own, which is the slow case (no two checkpoints share their rows).
"""

from __future__ import annotations

import argparse
import os
import resource
import statistics
import sys
import time
from pathlib import Path

import numpy as np

from cmgan_audit.statistics.compare import compare_checkpoints
from cmgan_audit.statistics.own_spread import own_sd_of_mean
from cmgan_audit.statistics.paired import typical_difference
from cmgan_audit.statistics.sequential import plan_looks

CASES = [(3, 824, False), (30, 824, False), (120, 824, False), (120, 824, True)]


def scores(k: int, n: int, holes: bool) -> dict[str, dict[str, float]]:
    rng = np.random.default_rng(0)
    difficulty = rng.normal(2.5, 0.6, n)
    names = [f"p{232 if index < n // 2 else 257}_{index:03d}" for index in range(n)]
    table = {}
    for system in [*(f"epoch {index}" for index in range(k)), "noisy"]:
        values = difficulty + rng.normal(0, 0.14, n)
        kept = rng.random(n) > 0.01 if holes else np.ones(n, dtype=bool)
        table[system] = {name: float(v) for name, v, keep in zip(names, values, kept, strict=True) if keep}
    return table


def measure(k: int, n: int, holes: bool) -> tuple[float, float]:
    table = scores(k, n, holes)
    order = list(table)[:-1]
    utterances = sorted({name for rows in table.values() for name in rows})
    strata = {name: f"{name[:4]} {index % 20:02d}" for index, name in enumerate(utterances)}
    speakers = {"speaker": {name: name[:4] for name in utterances}}
    start = time.perf_counter()
    compare_checkpoints(table, order, baseline="noisy", strata=strata, groupings=speakers)
    shared = [name for name in utterances if all(name in table[system] for system in order)]
    matrix = np.array([[table[system][name] for system in order] for name in shared])
    own_sd_of_mean(matrix)
    typical_difference(matrix[:, -1] - matrix[:, 0])
    full = time.perf_counter() - start
    start = time.perf_counter()
    compare_checkpoints(table, order, baseline="noisy", strata=strata, look=plan_looks(n).look(1))
    return full, time.perf_counter() - start


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, help="write the table here too")
    parser.add_argument("--runs", type=int, default=3)
    arguments = parser.parse_args()
    lines = [f"{'checkpoints':>11} {'utterances':>10} {'holes':>5} {'all statistics':>15} {'one look':>9}"]
    for k, n, holes in CASES:
        runs = [measure(k, n, holes) for _ in range(arguments.runs)]
        full, look = (statistics.median(one[index] for one in runs) for index in (0, 1))
        lines.append(f"{k:>11} {n:>10} {'yes' if holes else 'no':>5} {full:>13.2f} s {look:>7.2f} s")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    load = os.getloadavg()[0]
    lines.append(f"median of {arguments.runs} runs; peak memory {peak:.0f} MB; Python {sys.version.split()[0]}")
    lines.append(f"{os.cpu_count()} cores, load average {load:.1f} (above the number of cores: others were at work)")
    text = "\n".join(["$ python benchmarks/compare_statistics.py", *lines]) + "\n"
    print(text, end="")
    if arguments.out is not None:
        arguments.out.parent.mkdir(parents=True, exist_ok=True)
        arguments.out.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
