"""Models behind one small interface: the built-in CMGAN network, and whatever networks people bring.

    from cmgan_audit.evaluation.models import open_checkpoint
    enhancer = open_checkpoint(Path("CMGAN_epoch_7_0.105"))
    enhanced = enhancer.enhance(noisy)          # float32 [samples] at 16 kHz, in and out

Importing this package imports numpy but not torch; opening a checkpoint does.
"""

from __future__ import annotations

from cmgan_audit.evaluation.models.enhancer import (
    SAMPLE_RATE,
    CheckpointError,
    DeviceError,
    Enhancer,
    ModelError,
    Samples,
)
from cmgan_audit.evaluation.models.opening import estimate_seconds, open_checkpoint

__all__ = [
    "SAMPLE_RATE",
    "CheckpointError",
    "DeviceError",
    "Enhancer",
    "ModelError",
    "Samples",
    "estimate_seconds",
    "open_checkpoint",
]
