"""The installed commands write the pages."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import soundfile

from tests.report.html.conftest import AUDIO

COMMAND = Path(sys.executable).with_name("cmgan-audit")


def run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([COMMAND, *arguments], cwd=folder, capture_output=True, text=True, timeout=120)


def test_compare_ckpts_writes_a_report_with_sound_and_equal_bytes(tmp_path: Path) -> None:
    shutil.copytree(AUDIO, tmp_path / "test", ignore=shutil.ignore_patterns("*.py"))
    for name, share in (("epoch_1", 0.2), ("epoch_2 <b>", 0.6)):
        (tmp_path / name).mkdir()
        for path in sorted((AUDIO / "clean").iterdir()):
            clean, rate = soundfile.read(path)
            noisy, _ = soundfile.read(AUDIO / "noisy" / path.name)
            soundfile.write(tmp_path / name / path.name, (1 - share) * clean + share * noisy, rate)
    common = (
        "compare-ckpts",
        "epoch_1",
        "epoch_2 <b>",
        "--data",
        "test",
        "--metrics",
        "ssnr",
        "--cache",
        "cache",
        "-q",
    )
    done = run(tmp_path, *common, "--out", "one")
    assert done.returncode == 1, done.stderr
    assert "one/report.html" in done.stdout
    page = (tmp_path / "one" / "report.html").read_text(encoding="utf-8")
    assert "epoch_2 &lt;b&gt; scores worse than epoch_1: segmental SNR" in page
    assert page.count("data:audio/flac") == 3 * 4
    assert (
        "cmgan-audit compare-ckpts epoch_1 &#39;epoch_2 &lt;b&gt;&#39; --data test --metrics ssnr --out audit/" in page
    )
    run(tmp_path, *common, "--out", "two", "--jobs", "1", "--quiet")
    assert (tmp_path / "two" / "report.html").read_text(encoding="utf-8") == page


def test_check_writes_a_page(tmp_path: Path) -> None:
    (tmp_path / "train.py").write_text("from torch.utils.data import DataLoader\n", encoding="utf-8")
    done = run(tmp_path, "check", "--format", "html", "--output", "check.html")
    assert done.returncode == 0 and done.stdout == "", done.stderr
    page = (tmp_path / "check.html").read_text(encoding="utf-8")
    assert page.startswith("<!doctype html>") and "Nothing found: 1 file read" in page
