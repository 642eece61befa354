"""The fixture repositories are real training programs: made by their script, and one epoch of each really runs."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("torch")

ROOT = Path(__file__).resolve().parents[2]
REPOS = ROOT / "fixtures" / "repos"
AUDIO = ROOT / "fixtures" / "audio"


def test_broken_is_what_the_script_makes_of_fixed() -> None:
    spec = importlib.util.spec_from_file_location("make_repos", REPOS / "make.py")
    assert spec is not None and spec.loader is not None
    make = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(make)
    on_disk = {
        path.relative_to(REPOS / "broken").as_posix(): path.read_text(encoding="utf-8")
        for path in (REPOS / "broken").rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert on_disk == make.broken_files()


@pytest.mark.parametrize("state", ["broken", "fixed"])
def test_one_epoch_of_training_runs(state: str, tmp_path: Path) -> None:
    corpus = tmp_path / "corpus"
    names = sorted(path.name for path in (AUDIO / "clean").glob("*.wav"))
    for split, chosen in (("train", names[:4]), ("test", names[4:6])):
        for kind in ("clean", "noisy"):
            folder = corpus / split / kind
            folder.mkdir(parents=True)
            for name in chosen:
                (folder / name).write_bytes((AUDIO / kind / name).read_bytes())
    command = [sys.executable, "-B", "train.py", "--data_dir", corpus, "--out", tmp_path / "runs"]
    command += ["--epochs", "1", "--cut_len", "8000", "--workers", "0"]
    environment = {**os.environ, "CUDA_VISIBLE_DEVICES": "", "OMP_NUM_THREADS": "1"}
    run = subprocess.run(
        command, cwd=REPOS / state, env=environment, capture_output=True, text=True, check=False, timeout=300
    )
    assert run.returncode == 0, run.stderr
    assert "test loss: " in run.stderr
    assert run.stderr.count("critic loss: ") == {"broken": 4, "fixed": 1}[state]  # steps an epoch: 4 items / batch
    assert (tmp_path / "runs" / "epoch_000.pth").stat().st_size > 1000
