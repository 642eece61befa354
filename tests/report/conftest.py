"""One result of an audit that every report of findings is tried on."""

from __future__ import annotations

from pathlib import Path

import pytest

from cmgan_audit.finding import Confidence, Edit, Finding, Fix, Location, Severity, Step
from cmgan_audit.gate.audited import Audited, Coverage
from cmgan_audit.rules.catalogue import load_catalogue
from cmgan_audit.rules.matching import Passed, Unresolved

DATA = """\
import random


class Speech:
    def __getitem__(self, index):
        start = random.randint(0, length - self.cut)
\tfinish = start  # indented by a tab


def load(root, batch_size):
    return DataLoader(
        Speech(root), batch_size)
"""


def place(
    path: str, line: int, column: int = 1, end_column: int | None = None, end_line: int | None = None
) -> Location:
    return Location(path, line, column, end_line or (line if end_column else None), end_column)


@pytest.fixture
def audited(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Audited:
    """Two open findings, one suppressed, one in the baseline, one file that could not be read."""
    (tmp_path / "data set").mkdir()
    (tmp_path / "data set" / "data.py").write_text(DATA, encoding="utf-8")
    (tmp_path / "train.py").write_text('parser.add_argument("--batch_size", default=1)\n', encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    draw = place("data set/data.py", 6, 17, 53)
    loader = place("data set/data.py", 11, 12, 33, 12)
    default = place("train.py", 1, 33, 42)

    def finding(rule: str, message: str, severity: Severity, steps: tuple[Step, ...], **more: object) -> Finding:
        names = {"CMG901": "suppression-without-reason", "CMG903": "unused-suppression"}
        where = steps[0].location
        return Finding(rule, names[rule], severity, Confidence.HIGH, message, where, steps, **more)  # type: ignore[arg-type]

    crop = finding(
        "CMG901",
        "Speech draws | a `random` segment",
        Severity.ERROR,
        (Step(draw, "randint picks the start"), Step(loader, "the loader, of 100 % of the runs, reads it")),
        anchor="Speech.__getitem__",
        fix=Fix("cut at the centre", "unsafe", (Edit("data set/data.py", 6, 17, 6, 53, "0"),)),
    )
    batch = finding(
        "CMG903",
        "one item reaches the loader",
        Severity.WARNING,
        (Step(default, "--batch_size defaults to 1"), Step(loader, "the loader takes it")),
        anchor="load",
    )
    hidden = [
        finding("CMG903", "suppressed", Severity.ERROR, (Step(default, "x"),), anchor="a", suppressed="one clip"),
        finding("CMG903", "known", Severity.ERROR, (Step(default, "x"),), anchor="b", baselined=True),
    ]
    return Audited(
        root=tmp_path,
        findings=(crop, batch, *hidden),
        unresolved=(Unresolved("CMG901", place("train.py", 1), "batch_size: takes **kwargs from build()"),),
        passed=(Passed("CMG903", place("train.py", 1), "drop_last is False"),),
        coverage=Coverage(4, 3, (("old.py", 3, "invalid syntax"),), 9, 7),
        rules={rule.id: rule for rule in load_catalogue() if rule.door == "check"},
        ignored=2,
    )
