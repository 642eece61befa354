"""The built-in CMGAN network against the official one: equality, time and peak memory, same weights, same input.

    git clone https://github.com/ruizhecao96/CMGAN /tmp/cmgan && git -C /tmp/cmgan checkout 3994600
    pip install --target /tmp/einops einops
    PYTHONPATH=/tmp/einops python benchmarks/cmgan_speed.py /tmp/cmgan/src

Each network runs in a process of its own, the two by turns, so that both meet the same state of the machine; times
are of the network alone (spectrum in, spectrum out), the best and the median of several runs. CPU time (user and
system, all threads; the least of the runs) is what other work on the machine disturbs least. The official network runs
with PyTorch's defaults, the built-in one with threads that sleep while they wait, as compare-ckpts runs it. Peak memory
is the process's largest resident set less what it held before the first run. Results: benchmarks/cmgan_speed.md.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import time
from pathlib import Path

SEED = 7


def make_network(which: str, source: str):
    """Network `official` or `built-in`, full size, with the same random weights and batch-norm statistics."""
    import torch

    torch.manual_seed(SEED)
    if which == "official":
        sys.path.insert(0, source)
        from models.generator import TSCNet
    else:
        from cmgan_audit.evaluation.models.cmgan.network import TSCNet
    network = TSCNet(num_channel=64, num_features=201)
    generator = torch.Generator().manual_seed(SEED)
    state = network.state_dict()
    for name in sorted(state):
        if state[name].is_floating_point():
            noise = torch.rand(state[name].shape, generator=generator)
            spread = max(1, state[name].numel() // max(1, len(state[name].shape) and state[name].shape[0])) ** -0.5
            state[name] = 0.5 + noise if name.endswith("running_var") else (noise - 0.5) * 3 * spread
            if ".norm" in name and name.endswith("weight"):
                state[name] = 0.5 + noise
    network.load_state_dict(state)
    return network.eval()


def measure(which: str, source: str, seconds: float, repeats: int) -> None:
    """Run one network and print what was measured; the output goes to a file for comparison."""
    import numpy as np
    import torch

    network = make_network(which, source)
    frames = int(seconds * 160) + 1
    spectrum = torch.randn(1, 2, frames, 201, generator=torch.Generator().manual_seed(SEED))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    times, used = [], []
    with torch.inference_mode():
        for _ in range(repeats):
            start, cpu = time.perf_counter(), time.process_time()
            result = network(spectrum)
            times.append(time.perf_counter() - start)
            used.append(time.process_time() - cpu)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    output = torch.cat(result, dim=1) if isinstance(result, tuple) else result
    np.save(f"/tmp/cmgan_speed_{which}.npy", output.numpy())
    print(json.dumps({"times": times, "cpu": used, "peak_mb": peak / 1024, "threads": torch.get_num_threads()}))


def main() -> None:
    """Compare both networks on inputs of 2 s and 6 s."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("source", help="src/ of a checkout of ruizhecao96/CMGAN")
    parser.add_argument("--seconds", type=float, nargs="*", default=[2.0, 6.0])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--only", choices=("official", "built-in"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.only:
        measure(options.only, options.source, options.seconds[0], options.repeats)
        return
    import numpy as np

    default = {name: value for name, value in os.environ.items() if name != "OMP_WAIT_POLICY"}
    environments = {"official": default, "built-in": {**default, "OMP_WAIT_POLICY": "PASSIVE"}}
    print("| input | network | best | median | CPU | peak memory | ratio: best | median | CPU | largest difference |")
    print("|---|---|---|---|---|---|---|---|---|---|")
    for seconds in options.seconds:
        times: dict[str, list[float]] = {"official": [], "built-in": []}
        used: dict[str, list[float]] = {"official": [], "built-in": []}
        peaks: dict[str, float] = {}
        for _ in range(options.rounds):
            for which, found in times.items():
                command = [sys.executable, str(Path(__file__)), options.source, "--only", which]
                command += ["--seconds", str(seconds), "--repeats", str(options.repeats)]
                done = subprocess.run(command, env=environments[which], check=True, capture_output=True, text=True)
                said = json.loads(done.stdout)
                found += said["times"]
                used[which] += said["cpu"]
                peaks[which] = max(peaks.get(which, 0.0), said["peak_mb"])
        outputs = [np.load(f"/tmp/cmgan_speed_{which}.npy") for which in times]
        difference = np.abs(outputs[0] - outputs[1]).max()
        for which, found in times.items():
            row = f"| {seconds:g} s | {which} | {min(found):.2f} s | {statistics.median(found):.2f} s "
            row += f"| {min(used[which]):.2f} s "
            row += f"| {peaks[which]:.0f} MB "
            if which == "built-in":
                best = min(times["official"]) / min(found)
                middle = statistics.median(times["official"]) / statistics.median(found)
                row += f"({peaks[which] / peaks['official']:.2f}) | {best:.1f} | {middle:.1f} "
                row += f"| {min(used['official']) / min(used['built-in']):.1f} "
                row += f"| {difference:.1e} of {np.abs(outputs[0]).max():.1f} |"
            else:
                row += "| | | | |"
            print(row, flush=True)


if __name__ == "__main__":
    main()
