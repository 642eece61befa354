"""The built-in CMGAN network and the official one on one device: time, peak memory of a GPU, difference.

    git clone https://github.com/ruizhecao96/CMGAN /tmp/cmgan && git -C /tmp/cmgan checkout 3994600
    pip install --target /tmp/einops einops
    PYTHONPATH=/tmp/einops python benchmarks/cmgan_speed_gpu.py /tmp/cmgan/src --device cuda

Same random weights, spectrum in and out, TF32 off. A GPU is alone with its work, so the networks run one after the
other in one process; times are the median of five runs after one that is not counted.

Results: benchmarks/cmgan_speed.md.
"""

from __future__ import annotations

import argparse
import statistics
import time

import torch
from cmgan_speed import SEED, make_network

from cmgan_audit.evaluation.models.devices import open_device

RUNS = 5


def timed(network, spectrum, device):
    """The output, milliseconds of a run, and the megabytes that a run needs at most (None on the CPU)."""
    on_gpu = device.type == "cuda"
    with torch.inference_mode():
        if on_gpu:
            torch.cuda.empty_cache()
            torch.cuda.reset_peak_memory_stats(device)
            before = torch.cuda.memory_allocated(device)
        result = network(spectrum)
        times = []
        for _ in range(RUNS):
            if on_gpu:
                torch.cuda.synchronize(device)
            start = time.perf_counter()
            network(spectrum)
            if on_gpu:
                torch.cuda.synchronize(device)
            times.append(1000 * (time.perf_counter() - start))
        peak = (torch.cuda.max_memory_allocated(device) - before) / 2**20 if on_gpu else None
    output = torch.cat(result, dim=1) if isinstance(result, tuple) else result
    return output, statistics.median(times), peak


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("source", help="src/ of a checkout of ruizhecao96/CMGAN")
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--seconds", type=float, nargs="*", default=[2.0, 6.0, 16.0, 30.0])
    options = parser.parse_args()
    device = open_device(options.device)
    networks = {name: make_network(name, options.source).to(device) for name in ("official", "built-in")}
    for seconds in options.seconds:
        generator = torch.Generator().manual_seed(SEED)
        spectrum = torch.randn(1, 2, int(seconds * 160) + 1, 201, generator=generator).to(device)
        outputs = []
        for name, network in networks.items():
            try:
                output, milliseconds, peak = timed(network, spectrum, device)
            except torch.OutOfMemoryError:
                print(f"{seconds:g} s, {name}: out of memory", flush=True)
                continue
            outputs.append(output)
            memory = "" if peak is None else f", {peak:.0f} MB"
            print(f"{seconds:g} s, {name}: {milliseconds:.1f} ms{memory}", flush=True)
        if len(outputs) == 2:
            difference = (outputs[0] - outputs[1]).abs().max().item()
            print(f"{seconds:g} s, largest difference {difference:.1e} of {outputs[0].abs().max().item():.1f}")


if __name__ == "__main__":
    main()
