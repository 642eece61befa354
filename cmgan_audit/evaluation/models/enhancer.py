"""What the evaluation asks of a model: one small interface, and the errors that go with it. Light: no torch."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol, TypeAlias, runtime_checkable

import numpy as np
import numpy.typing as npt

from cmgan_audit.errors import InputError, UsageError
from cmgan_audit.evaluation.checkpoints.errors import CheckpointError
from cmgan_audit.finding import JsonValue

__all__ = ["SAMPLE_RATE", "CheckpointError", "CodeError", "DeviceError", "Enhancer", "ModelError", "Samples"]

SAMPLE_RATE = 16_000
"""Every model of this package takes and gives audio at 16 kHz."""

Samples: TypeAlias = npt.NDArray[np.float32]
"""Audio at 16 kHz in [-1, 1]: shape [samples], or [batch, samples] where a batch is meant."""


class ModelError(InputError):
    """A model cannot be built or run, or returned something that is not audio; names the model and the value."""


class CodeError(ModelError):
    """A user's code cannot be imported, or its network not be built: whichever checkpoint is meant to go into it."""


class DeviceError(UsageError):
    """The device that was asked for is not there."""


@runtime_checkable
class Enhancer(Protocol):
    """A model with its weights, ready to enhance; used by one thread at a time.

    An enhancer promises shape and dtype only. What it returns may still be NaN, silent, or of another length than
    its input (a network that drops the tail): judging that is the guards' work, so that it ends as the status of
    a row and not as the end of the run.
    """

    @property
    def identity(self) -> str:
        """Hex digest of all that decides the output: weights by tensor content, code version, inference settings.

        The same weights under another file name have the same identity; the device does not enter.
        """
        ...

    def describe(self) -> Mapping[str, JsonValue]:
        """What it is, for reports: at least `model`, `path`, `sha256` (of the file), `epoch` (int or None),
        `parameters` (count), `device`, `settings` (mapping of inference settings).
        """
        ...

    def enhance(self, noisy: Samples) -> Samples:
        """Enhance one utterance: float32 [samples] in, float32 [samples] out, at the level of the input.

        Raises:
            ModelError: the model failed on this input, or returned something that is not float32 audio.
        """
        ...

    def enhance_batch(self, noisy: Samples) -> Samples:
        """Enhance utterances of equal length: float32 [batch, samples] in and out, equal to `enhance` row by row.

        Raises:
            ModelError: as for `enhance`.
        """
        ...

    def close(self) -> None:
        """Release processes and memory; calling it twice is fine."""
        ...
