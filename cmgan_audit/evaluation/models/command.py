"""`--enhance-command`: any program that reads a noisy wav file and writes an enhanced one."""

from __future__ import annotations

import contextlib
import hashlib
import os
import shlex
import shutil
import signal
import string
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from cmgan_audit.errors import UsageError
from cmgan_audit.evaluation.checkpoints.bundles import path_digest
from cmgan_audit.evaluation.checkpoints.errors import CheckpointError
from cmgan_audit.evaluation.checkpoints.naming import read_name
from cmgan_audit.evaluation.models.enhancer import SAMPLE_RATE, ModelError, Samples
from cmgan_audit.finding import JsonValue

PLACEHOLDERS = ("checkpoint", "noisy", "out")
DEFAULT_SECONDS = 600.0


def parse_command(command: str) -> tuple[str, ...]:
    """The arguments of a command line with its placeholders left in; no shell is involved.

    Raises:
        UsageError: a placeholder is missing or unknown, or the program is not there.
    """
    try:
        arguments = tuple(shlex.split(command))
        used = {name for part in arguments for _, name, _, _ in string.Formatter().parse(part) if name is not None}
    except ValueError as error:
        raise UsageError(f"--enhance-command {command!r}: {error}") from error
    unknown = sorted(used - set(PLACEHOLDERS))
    if unknown:
        raise UsageError(f"--enhance-command: {{{unknown[0]}}} is none of {{checkpoint}}, {{noisy}}, {{out}}")
    missing = sorted({"noisy", "out"} - used)
    if missing:
        raise UsageError(f"--enhance-command: {{{missing[0]}}} is missing; the command reads {{noisy}}, writes {{out}}")
    if shutil.which(arguments[0]) is None:
        raise UsageError(f"--enhance-command: there is no program {arguments[0]}")
    return arguments


class CommandEnhancer:
    """A program that is run once an utterance, on temporary 16 kHz PCM16 wav files."""

    def __init__(self, arguments: tuple[str, ...], checkpoint: Path, seconds: float = DEFAULT_SECONDS) -> None:
        self._arguments = arguments
        self._checkpoint = checkpoint
        self._seconds = seconds
        self._name = Path(arguments[0]).name
        if not checkpoint.exists():
            raise CheckpointError(f"{checkpoint}: there is no such file")
        self._sha256 = path_digest(checkpoint)
        self._folder = tempfile.TemporaryDirectory(prefix="cmgan-audit-")

    @property
    def identity(self) -> str:
        """Hex digest of the command, of the files that it names, and of the checkpoint."""
        total = hashlib.sha256(b"command 1")
        for argument in self._arguments:
            path = Path(argument)
            total.update(f"{path.name}\0{path_digest(path) if path.is_file() else ''}\0".encode())
        total.update(self._sha256.encode())
        return total.hexdigest()

    def describe(self) -> Mapping[str, JsonValue]:
        """The command, the file, its epoch."""
        return {
            "model": shlex.join(self._arguments),
            "path": str(self._checkpoint),
            "sha256": self._sha256,
            "epoch": read_name(self._checkpoint.name).epoch,
            "parameters": None,
            "device": "as the command decides",
            "settings": {},
        }

    def enhance(self, noisy: Samples) -> Samples:
        """Enhance one utterance; see `Enhancer.enhance`."""
        import soundfile

        folder = Path(self._folder.name)
        source, target = folder / "noisy.wav", folder / "enhanced.wav"
        target.unlink(missing_ok=True)
        soundfile.write(source, noisy, SAMPLE_RATE, subtype="PCM_16")
        values = {"checkpoint": str(self._checkpoint.absolute()), "noisy": str(source), "out": str(target)}
        self._run([argument.format(**values) for argument in self._arguments])
        try:
            enhanced, rate = soundfile.read(target, dtype="float32", always_2d=True)
        except (OSError, RuntimeError) as error:  # soundfile's own error is a RuntimeError
            raise ModelError(f"{self._name}: wrote no audio to {{out}}") from error
        if rate != SAMPLE_RATE or enhanced.shape[1] != 1:
            raise ModelError(
                f"{self._name}: wrote {enhanced.shape[1]} channels at {rate} Hz, where mono 16000 Hz is needed"
            )
        return np.ascontiguousarray(enhanced[:, 0], dtype=np.float32)

    def _run(self, arguments: list[str]) -> None:
        """Run the command; what it prints goes to stderr, and it is killed with its children at the time limit."""
        child = subprocess.Popen(
            arguments, stdin=subprocess.DEVNULL, stdout=sys.stderr.fileno(), start_new_session=True
        )
        try:
            status = child.wait(timeout=self._seconds)
        except subprocess.TimeoutExpired as error:
            raise ModelError(f"{self._name}: took more than {self._seconds:g} s and was stopped") from error
        finally:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(child.pid, signal.SIGKILL)
            child.wait()
        if status:
            raise ModelError(f"{self._name}: ended with status {status} (its messages are above)")

    def enhance_batch(self, noisy: Samples) -> Samples:
        """Enhance utterances one by one."""
        rows = [self.enhance(row) for row in noisy]
        if len({len(row) for row in rows}) > 1:
            raise ModelError(f"{self._name}: wrote different lengths for utterances of equal length")
        return np.stack(rows)

    def close(self) -> None:
        """Remove the temporary files."""
        self._folder.cleanup()
