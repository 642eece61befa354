"""A user's model as an `Enhancer`: asked over pipes, started again if it dies, stopped if it hangs."""

from __future__ import annotations

import contextlib
import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, field
from pathlib import Path

import numpy as np

from cmgan_audit.evaluation.checkpoints.bundles import path_digest
from cmgan_audit.evaluation.checkpoints.naming import read_name
from cmgan_audit.evaluation.models.enhancer import SAMPLE_RATE, CodeError, ModelError, Samples
from cmgan_audit.evaluation.models.hosted.process import Host
from cmgan_audit.evaluation.models.hosted.wire import Header
from cmgan_audit.finding import JsonValue
from cmgan_audit.lazy_dataclasses import dataclass

CODE_VERSION = 2
"""Raised whenever a change to the pipelines around users' networks can change the output."""

_STARTS = 3


@dataclass(frozen=True, slots=True)
class TimeLimits:
    """How long a user's code may take, in seconds.

    Attributes:
        opening: importing it, building the model, loading the checkpoint.
        utterance: one utterance, besides
        per_second: a second of its audio.
    """

    opening: float = 120.0
    utterance: float = 60.0
    per_second: float = 60.0


@dataclass(frozen=True, slots=True)
class CodeModel:
    """Which code to run.

    Attributes:
        kind: `factory` (a callable of checkpoint path and device), `network` (a network class), or `onnx` (the
            checkpoint is the model, there is no code).
        code: `PATH.py:name` or `package.module:name`; the name of the runtime for `onnx`.
        root: folder that is put on the child's sys.path; files below it are part of the identity.
        pipeline: for `network`: `cmgan` or `waveform`.
        kwargs: for `network`: arguments of the class.
        weights: for `network`: word of the name of the set of weights to take.
    """

    kind: str
    code: str
    root: Path
    pipeline: str = "cmgan"
    kwargs: Mapping[str, JsonValue] = field(default_factory=dict)
    weights: str | None = None


class HostedEnhancer:
    """A user's model in a process of its own."""

    def __init__(self, model: CodeModel, checkpoint: Path, device: str, limits: TimeLimits | None = None) -> None:
        self._model = model
        self._checkpoint = checkpoint
        self._device = device
        self._limits = limits or TimeLimits()
        self._sha256 = path_digest(checkpoint)
        self._starts = 0
        self._host: Host | None = None
        self._said = self._start()

    def _start(self) -> Header:
        """Start the child and let it load the model."""
        self._starts += 1
        host = Host(self._model.code)
        model: Header = {
            "kind": self._model.kind,
            "code": self._model.code,
            "root": str(self._model.root),
            "pipeline": self._model.pipeline,
            "kwargs": dict(self._model.kwargs),
            "weights": self._model.weights,
            "checkpoint": str(self._checkpoint.absolute()),
            "device": self._device,
        }
        limit = self._limits.opening
        try:
            try:
                host.ask({"do": "import", **model}, None, limit, "importing it")
            except ModelError as error:
                raise CodeError(str(error)) from error
            said, _ = host.ask({"do": "open", **model}, None, limit, f"loading {self._checkpoint}")
        except CodeError:
            host.close()
            raise
        except ModelError as error:
            host.close()
            if str(self._checkpoint) in str(error):
                raise
            # What the user's code says of a broken file seldom says which of several it was.
            raise ModelError(f"{self._checkpoint}: {error}") from error
        except BaseException:
            host.close()
            raise
        self._host = host
        return said

    @property
    def _label(self) -> str:
        """The code's name without the folders of this machine."""
        return self._model.code.rpartition("/")[2]

    @property
    def identity(self) -> str:
        """Hex digest of the user's source files, arguments, pipeline, code version and the checkpoint's bytes."""
        settings = {**asdict(self._model), "root": "", "code": self._label}
        parts = [CODE_VERSION, settings, self._said["digest"], self._sha256]
        return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()

    def describe(self) -> Mapping[str, JsonValue]:
        """Code, file, epoch, size, device and settings."""
        settings: dict[str, JsonValue] = {"kind": self._model.kind}
        if self._model.kind == "network":
            settings |= {"pipeline": self._model.pipeline, "kwargs": dict(self._model.kwargs)}
        return {
            "model": self._label,
            "path": str(self._checkpoint),
            "sha256": self._sha256,
            "weights": self._said.get("weights"),
            "passed_over": self._said.get("passed_over", []),
            "chosen_by": "the factory" if self._model.kind == "factory" else None,
            "epoch": self._said.get("epoch", read_name(self._checkpoint.name).epoch),
            "parameters": self._said["parameters"],
            "device": self._device,
            "settings": settings,
        }

    def enhance(self, noisy: Samples) -> Samples:
        """Enhance one utterance; see `Enhancer.enhance`."""
        if noisy.ndim != 1:
            raise ModelError(f"{self._model.code}: one utterance has shape [samples], not {list(noisy.shape)}")
        if self._host is None or not self._host.alive:
            if self._starts >= _STARTS:
                raise ModelError(f"{self._model.code}: its process died {_STARTS} times and is not started again")
            self.close()
            self._start()
        assert self._host is not None
        seconds = self._limits.utterance + self._limits.per_second * len(noisy) / SAMPLE_RATE
        _, enhanced = self._host.ask({"do": "enhance"}, noisy, seconds, "enhancing an utterance")
        return enhanced

    def enhance_batch(self, noisy: Samples) -> Samples:
        """Enhance utterances one by one: nobody knows whether a user's network keeps those of a batch apart."""
        rows = [self.enhance(row) for row in noisy]
        if len({len(row) for row in rows}) > 1:
            raise ModelError(f"{self._model.code}: returned different lengths for utterances of equal length")
        return np.stack(rows)

    def close(self) -> None:
        """End the child process."""
        if self._host is not None:
            self._host.close()
            self._host = None

    def __del__(self) -> None:
        with contextlib.suppress(AttributeError):  # the constructor may have failed before
            self.close()
