"""Outputs and test sets of which 8 bits a sample are left, whatever the file says."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from cmgan_audit.finding import Severity
from tests.evaluation.conftest import read, write
from tests.evaluation.helpers import compared, half, rules


def rounded(signal: np.ndarray, bits: int) -> np.ndarray:
    return np.round(signal * 2.0 ** (bits - 1)) / 2.0 ** (bits - 1)


@pytest.mark.parametrize(
    ("change", "subtype"),
    [
        (lambda signal: signal, "PCM_U8"),
        (lambda signal: signal, "ULAW"),
        (lambda signal: rounded(signal, 8), "PCM_16"),  # copied into a finer file
        (lambda signal: 0.001 * signal, "PCM_16"),  # so quiet that 16 bits are as coarse
    ],
)
def test_outputs_with_few_values(
    small_set: Path, outputs: Callable[..., Path], change: Callable[[np.ndarray], np.ndarray], subtype: str
) -> None:
    made = outputs(small_set, "a", lambda name, clean, noisy: change(half(name, clean, noisy)), subtype=subtype)
    (finding,) = (one for one in compared(small_set, made).findings if one.rule == "CMG720")
    assert finding.message.startswith("a: 3 of 3 outputs hold at most 256 different values")
    assert finding.severity is Severity.WARNING


@pytest.mark.parametrize("subtype", ["PCM_16", "PCM_24", "FLOAT"])
def test_outputs_that_are_fine_or_single_ones_that_are_not(
    small_set: Path, outputs: Callable[..., Path], subtype: str
) -> None:
    made = outputs(
        small_set,
        "a",
        lambda name, clean, noisy: rounded(half(name, clean, noisy), 8 if name == "ada_001" else 12),
        subtype=subtype,
    )
    assert "CMG720" not in rules(compared(small_set, made))


def test_a_test_set_with_few_values_is_told_once(small_set: Path, outputs: Callable[..., Path]) -> None:
    made = outputs(small_set, "a", half, subtype="PCM_U8")
    for path in small_set.glob("clean/*.wav"):
        write(path, read(path), subtype="PCM_U8")
    (finding,) = (one for one in compared(small_set, made, baseline="noisy").findings if one.rule == "CMG720")
    assert finding.message.startswith("test set: 3 of 3 pairs hold at most 256 different values")
