"""A text log as a test writes it, and what is read of it."""

from __future__ import annotations

from pathlib import Path

from cmgan_audit.logs.lines.text import read_text
from cmgan_audit.logs.roles import RoleBook
from cmgan_audit.logs.series import Reading, Series

PESQ = [2.1, 2.35, 2.5, 2.58]


def read(tmp_path: Path, content: str | bytes) -> Reading:
    path = tmp_path / "train.log"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return read_text(path, "train.log", RoleBook())


def only(reading: Reading, measure: str = "pesq", kind: str = "metric") -> Series:
    found = [s for run in reading.runs for s in run.series if s.role.measure == measure and s.role.kind == kind]
    assert len(found) == 1, [s.name for run in reading.runs for s in run.series]
    return found[0]


def named(reading: Reading) -> dict[str, list[float]]:
    return {s.name: list(s.ys) for run in reading.runs for s in run.series}
