"""From a checkpoint file to an enhancer, and how long that enhancer will take."""

from __future__ import annotations

import os
import time
from pathlib import Path

import numpy as np

from cmgan_audit.errors import UsageError
from cmgan_audit.evaluation.models.enhancer import SAMPLE_RATE, Enhancer

BUILT_IN_MODELS = ("cmgan",)

_PROBE_SECONDS = 1.0


def open_checkpoint(
    path: Path,
    model: str = "cmgan",
    device: str = "cpu",
    *,
    official_chunking: bool = False,
    weights: str | None = None,
) -> Enhancer:
    """Load a checkpoint file into a built-in model.

    Args:
        path: the checkpoint file, in any form that `cmgan_audit.evaluation.checkpoints` reads.
        model: name of a built-in model.
        device: `cpu`, `cuda` or `cuda:N`.
        official_chunking: cut inputs above 16 s into equal pieces that do not see each other, as CMGAN's published
            evaluation does, instead of enhancing them whole.
        weights: which set of weights to take from a file that holds several (for example `ema`).

    Raises:
        CheckpointError: the file cannot be read, or its weights do not fit the network.
        DeviceError: the device is not there.
        UsageError: there is no built-in model of this name.
    """
    if model not in BUILT_IN_MODELS:
        raise UsageError(f"--model {model}: not one of the built-in models ({', '.join(BUILT_IN_MODELS)})")
    wait_politely()
    from cmgan_audit.evaluation.models.cmgan.enhancer import open_cmgan

    return open_cmgan(path, device=device, official_chunking=official_chunking, weights=weights)


def wait_politely() -> None:
    """Let torch's threads sleep at their barriers; has effect only before torch is first imported.

    By default they spin. Where metric workers use the same cores, a spinning thread takes the time that the other
    thread needs to arrive: on two cores with one other busy process, inference was 5 to 20 times slower for it.
    """
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")


def estimate_seconds(enhancer: Enhancer, seconds_of_audio: float) -> float:
    """Estimate how long an enhancer takes for an amount of audio, from one timed probe of a second of noise.

    Args:
        enhancer: any enhancer; its first call (which may warm up) is not timed. Both are of a whole second: a network
            may well not take less.
        seconds_of_audio: total length of the audio to enhance.

    Returns:
        Seconds of wall-clock time, a rough figure: cost grows a little faster than linearly with utterance length.

    Raises:
        ModelError: the model fails on the probe, which says little about recordings.
    """
    probe = np.random.default_rng(0).normal(0.0, 0.05, int(_PROBE_SECONDS * SAMPLE_RATE)).astype(np.float32)
    enhancer.enhance(probe)
    start = time.perf_counter()
    enhancer.enhance(probe)
    return (time.perf_counter() - start) * seconds_of_audio / _PROBE_SECONDS
