"""Audio for the tests: the bundled pairs, and test sets made from them; small models that need not load torch again."""

from __future__ import annotations

import os
import random
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import soundfile
import torch

from cmgan_audit.evaluation.models.hosted import host, process

AUDIO = Path(__file__).parents[2] / "fixtures" / "audio"


def write(path: Path, samples: np.ndarray, rate: int = 16_000, subtype: str = "PCM_16") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, samples, rate, subtype=subtype)
    return path


def read(path: Path) -> np.ndarray:
    return soundfile.read(path)[0]


@pytest.fixture
def test_set(tmp_path: Path) -> Path:
    """A copy of the bundled pairs: `clean/` and `noisy/`."""
    return Path(shutil.copytree(AUDIO, tmp_path / "set", ignore=shutil.ignore_patterns("*.py", "*.md")))


@pytest.fixture
def small_set(tmp_path: Path) -> Path:
    """Three of the bundled pairs."""
    for name in ("ada_001", "ben_001", "cleo_001"):
        for side in ("clean", "noisy"):
            (tmp_path / "set" / side).mkdir(parents=True, exist_ok=True)
            shutil.copy(AUDIO / side / f"{name}.wav", tmp_path / "set" / side)
    return tmp_path / "set"


@pytest.fixture
def outputs(tmp_path: Path) -> Callable[..., Path]:
    """Make a folder of outputs: `change(name, clean, noisy)` gives the samples, or None for no file."""

    def make(
        data: Path, label: str, change: Callable[[str, np.ndarray, np.ndarray], np.ndarray | None], **kwargs
    ) -> Path:
        folder = tmp_path / label
        folder.mkdir()
        for path in sorted((data / "clean").iterdir()):
            samples = change(path.stem, read(path), read(data / "noisy" / path.name))
            if samples is not None:
                write(folder / path.name, samples, **kwargs)
        return folder

    return make


@pytest.fixture(scope="session")
def voicebank() -> Path:
    folder = os.environ.get("CMGAN_AUDIT_DATA")
    if not folder:
        pytest.skip("CMGAN_AUDIT_DATA (folder with voicebank/ and logs/) is not set")
    return Path(folder) / "voicebank"


def _serve() -> None:
    """In a child of this process: serve as `python -m cmgan_audit.evaluation.models.hosted.host` does, then end."""
    try:
        os.closerange(3, 1024)  # among them what would tell the parent that a program could not be started
        sys.stderr = os.fdopen(2, "w", buffering=1, closefd=False)
        torch.set_num_threads(1)  # the threads of the parent are not there
        random.seed()
        np.random.seed()
        host.serve(*host._private_streams())
    finally:
        os._exit(0)


@pytest.fixture
def forked_hosts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Processes for users' code begin as copies of this one, which has loaded torch; loading is most of their time.

    All else is theirs: their pipes, their group, their end.
    """

    def start(command: list[str], **options: object) -> subprocess.Popen[bytes]:
        return subprocess.Popen(command, preexec_fn=_serve, **options)  # type: ignore[call-overload]

    monkeypatch.setattr(process, "subprocess", SimpleNamespace(**{**vars(subprocess), "Popen": start}))
