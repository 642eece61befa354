"""The shipped table of crop noise and what follows from it."""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cmgan_audit.errors import UsageError
from cmgan_audit.statistics.crop_change import Explanation, crop_noise, explain_change
from cmgan_audit.statistics.crop_noise import crop_spread, crop_table, half_width, sd_of_mean

ROOT = Path(__file__).resolve().parents[2]


def test_two_seconds_over_the_whole_test_set() -> None:
    assert half_width(824, 2) == pytest.approx(0.020, abs=0.003)
    assert sd_of_mean(25, 2) == pytest.approx(0.046, abs=0.006)
    assert half_width(824, 2, level=0.99) > half_width(824, 2)


def test_measured_lengths_are_not_interpolated() -> None:
    for seconds, spread in zip(crop_table().lengths, crop_table().spreads, strict=True):
        assert crop_spread(seconds) is spread
        assert not spread.interpolated


@given(st.floats(0.3, 2.0))
def test_between_measured_lengths_the_spread_lies_between_theirs(seconds: float) -> None:
    spread = crop_spread(seconds)
    table = crop_table()
    below = max(index for index, length in enumerate(table.lengths) if length <= seconds)
    above = min(index for index, length in enumerate(table.lengths) if length >= seconds)
    assert table.spreads[above].within - 1e-12 <= spread.within <= table.spreads[below].within + 1e-12
    assert spread.interpolated == (seconds not in table.lengths)


def test_shorter_crops_are_noisier() -> None:
    within = [spread.within for spread in crop_table().spreads]
    assert within == sorted(within, reverse=True)


@pytest.mark.parametrize("seconds", [0.25, 2.01, 10, -1, math.nan, math.inf])
def test_nothing_is_said_about_other_lengths(seconds: float) -> None:
    with pytest.raises(UsageError, match=r"measured from 0.3 to 2 s"):
        half_width(824, seconds)


def test_no_utterances() -> None:
    with pytest.raises(UsageError, match="0 utterances"):
        half_width(0, 2)
    with pytest.raises(UsageError, match="at least 1"):
        crop_noise(crop_spread(2), 0)


@pytest.mark.parametrize(
    ("n", "before", "after", "expected"),
    [
        (824, 2.64, 2.20, Explanation.BEYOND),
        (824, 2.2148, 2.2043, Explanation.INSIDE),
        (10, 2.64, 2.20, Explanation.UNDECIDED),
        (50, 2.64, 2.20, Explanation.BEYOND),
        (824, 2.20, 2.64, Explanation.BEYOND),
        (824, 2.5, 2.5, Explanation.INSIDE),
    ],
)
def test_the_quoted_changes(n: int, before: float, after: float, expected: Explanation) -> None:
    assert explain_change(crop_noise(crop_spread(2), n), after - before) is expected


def test_all_utterances_are_the_same_utterances() -> None:
    noise = crop_noise(crop_spread(2), 824)
    assert noise.half_width_other_utterances == pytest.approx(noise.half_width)
    part = crop_noise(crop_spread(2), 400)
    assert part.half_width_other_utterances > 3 * part.half_width
    assert crop_noise(crop_spread(2), 2000).test_set == 2000


def test_the_table_is_what_the_script_makes(tmp_path: Path) -> None:
    if "CMGAN_AUDIT_DATA" not in os.environ:
        pytest.skip("CMGAN_AUDIT_DATA does not name the folder with the measured crops")
    made = tmp_path / "crop_noise.json"
    subprocess.run([sys.executable, ROOT / "scripts" / "make_crop_noise_table.py", "--out", made], check=True)
    shipped = ROOT / "cmgan_audit" / "statistics" / "data" / "crop_noise.json"
    assert json.loads(made.read_text()) == json.loads(shipped.read_text())
