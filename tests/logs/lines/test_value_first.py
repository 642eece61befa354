"""Lines that say each value before its name."""

from __future__ import annotations

from pathlib import Path

import pytest

from cmgan_audit.logs.lines.text import read_text
from cmgan_audit.logs.roles import RoleBook

SCORES = [(2.0, 0.88), (2.64, 0.93), (2.2, 0.9), (2.07, 0.89)]


def read(tmp_path: Path, form: str) -> dict[str, tuple[list[float], list[float]]]:
    path = tmp_path / "train.log"
    path.write_text("".join(form.format(e=e, p=p, s=s) + "\n" for e, (p, s) in enumerate(SCORES, start=1)))
    found = read_text(path, "train.log", RoleBook()).runs
    return {s.role.measure: (list(s.xs), list(s.ys)) for run in found for s in run.series if s.role.kind == "metric"}


@pytest.mark.parametrize(
    "form",
    [
        "epoch {e}: 0.3 train loss, 0.2 val loss, {p} PESQ, {s} STOI",
        "Epoch {e}/4 | 0.31 loss | {s} STOI | {p} PESQ",
        "GPU 0 | ep {e}/4 | it 100/100 | 3.2 it/s | 0.31 loss | {s} STOI | {p} PESQ",
        "{e} epochs done | {p} pesq | {s} stoi | 0.31 loss",
        "epoch {e} (312 s) -> {s} val STOI, {p} val PESQ",
        "[INFO] epoch {e} - {s} STOI / {p} PESQ",
        "epoch {e}, loss 0.31, {p} PESQ, {s} STOI",
        "epoch {e}: val {p} PESQ, {s} STOI",
        "epoch {e}: train 0.31 loss, valid {p} PESQ, {s} STOI",
        "epoch {e} {p} PESQ {s} STOI",
        "Epoch {e}/4: {p} PESQ ({s} STOI)",
        "epoch {e} | val SI-SDR [11.0 dB] : {s} STOI : {p} PESQ",
    ],
)
def test_the_name_behind_a_value_is_its_own(tmp_path: Path, form: str) -> None:
    found = read(tmp_path, form)
    assert found["pesq"] == ([1, 2, 3, 4], [p for p, _ in SCORES])
    assert found["stoi"] == ([1, 2, 3, 4], [s for _, s in SCORES])


@pytest.mark.parametrize(
    "form",
    [
        "epoch {e} PESQ {p} STOI {s}",
        "epoch {e} : PESQ : {p} : STOI : {s}",
        "epoch {e} loss 0.31 PESQ {p} STOI {s}",
        "epoch {e}, loss 0.31, PESQ {p}, STOI {s}, 0.001 lr",
        "epoch {e}: PESQ {p} (STOI {s}) 0.3 loss",
        "epoch {e} | PESQ: {p} | STOI: {s} | 3 files, 0.3 loss",
        "epoch {e}, PESQ {p}, STOI {s} (mean), best so far",
        "PESQ {p}, STOI {s} at the end of epoch {e}, saving by loss",
    ],
)
def test_names_before_their_values_stay(tmp_path: Path, form: str) -> None:
    found = read(tmp_path, form)
    assert found["pesq"][1] == [p for p, _ in SCORES]
    assert found["stoi"][1] == [s for _, s in SCORES]


def test_a_number_of_epochs_is_no_value(tmp_path: Path) -> None:
    found = read(tmp_path, "{e}/4 epochs, 0.31 loss, {p} PESQ, {s} STOI")
    assert found["pesq"][1] == [p for p, _ in SCORES]
