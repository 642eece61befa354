"""Audio for the tests: the bundled pairs, and test sets made from them in a temporary folder."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile

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
