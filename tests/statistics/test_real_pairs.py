"""Simulated checkpoints from real audio: enhanced speech with a growing share of the noise mixed back in."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from cmgan_audit.statistics.compare import compare_checkpoints
from cmgan_audit.statistics.verdict import Verdict

SHARES = (0.0, 0.1, 0.2, 0.4, 0.8)


@pytest.fixture(scope="module")
def scores() -> dict[str, dict[str, float]]:
    """PESQ of `enhanced + a * (noisy - enhanced)` for every share a, named by it, and of the noisy speech."""
    if "CMGAN_AUDIT_DATA" not in os.environ:
        pytest.skip("CMGAN_AUDIT_DATA does not name the folder with voicebank/")
    import soundfile
    from pesq import pesq

    folder = Path(os.environ["CMGAN_AUDIT_DATA"]) / "voicebank"
    table: dict[str, dict[str, float]] = {str(share): {} for share in SHARES} | {"noisy": {}}
    for path in sorted((folder / "clean").glob("*.wav")):
        clean, rate = soundfile.read(path)
        noisy, _ = soundfile.read(folder / "noisy" / path.name)
        enhanced, _ = soundfile.read(folder / "enhanced_cmgan" / path.name)
        for share in SHARES:
            mixed = enhanced + share * (noisy - enhanced)
            table[str(share)][path.stem] = float(pesq(rate, clean, mixed, "wb"))
        table["noisy"][path.stem] = float(pesq(rate, clean, noisy, "wb"))
    return table


def test_more_noise_scores_lower(scores: dict[str, dict[str, float]]) -> None:
    means = [sum(scores[str(share)].values()) / len(scores[str(share)]) for share in SHARES]
    assert means == sorted(means, reverse=True)


def test_a_series_that_gets_noisier_regresses(scores: dict[str, dict[str, float]]) -> None:
    found = compare_checkpoints(scores, [str(share) for share in SHARES], baseline="noisy")
    for one in found:
        expected = Verdict.IMPROVED if one.family == "baseline" else Verdict.REGRESSED
        assert one.verdict is expected, one
        if one.family == "best":
            assert one.baseline == "0.0"


def test_a_series_that_gets_cleaner_improves(scores: dict[str, dict[str, float]]) -> None:
    found = compare_checkpoints(scores, [str(share) for share in reversed(SHARES)])
    assert {one.verdict for one in found} == {Verdict.IMPROVED}
    assert all(one.share_worse < 0.1 for one in found)
