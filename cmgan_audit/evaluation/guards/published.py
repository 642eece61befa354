"""The noisy self-check: recomputed PESQ of the noisy recordings against the published values of the same utterances.

Agreement proves the recordings and the PESQ build before any model is judged. The package holds the published numbers
of all 824 VoiceBank+DEMAND test utterances (official CMGAN repository, int16 scale); no audio.
"""

from __future__ import annotations

import csv
import functools
from collections.abc import Iterable, Mapping, Sequence
from importlib.resources import files

from cmgan_audit.evaluation.raising import raise_finding
from cmgan_audit.finding import Finding, Severity
from cmgan_audit.lazy_dataclasses import dataclass

EXACT = 1e-4
CLOSE = 0.05  # another resampler from 48 kHz moves a row by less than this
CHECKED_ROWS = 24  # enough to prove a set and a PESQ build when the noisy input is not scored anyway
NAMES_SHARE = 0.9


@functools.cache
def published_rows() -> Mapping[str, Mapping[str, float]]:
    """Utterance -> metric -> published value of the noisy signal, in the order of the test set."""
    text = files("cmgan_audit.evaluation").joinpath("data/voicebank_demand_noisy.csv").read_text(encoding="utf-8")
    return {
        row.pop("utterance"): {metric: float(value) for metric, value in row.items()}
        for row in csv.DictReader(text.splitlines())
    }


def is_published_set(names: Iterable[str]) -> bool:
    """Whether these are names of the published test set: nine of ten of them, at least."""
    listed = list(names)
    known = sum(name in published_rows() for name in listed)
    return bool(listed) and known >= NAMES_SHARE * len(listed)


def rows_to_check(names: Sequence[str]) -> list[str]:
    """Utterances that the check recomputes, spread evenly over those that have a published value."""
    known = [name for name in names if name in published_rows()]
    if len(known) <= CHECKED_ROWS:
        return known
    return [known[index * len(known) // CHECKED_ROWS] for index in range(CHECKED_ROWS)]


@dataclass(frozen=True, slots=True)
class SelfCheck:
    """Result of the self-check.

    Attributes:
        rows: utterances compared.
        exact: of these, how many agree within 1e-4.
        close: how many agree within 0.05.
        largest: largest absolute difference, and at which utterance.
        at: that utterance.
    """

    rows: int
    exact: int
    close: int
    largest: float
    at: str

    @property
    def result(self) -> str:
        """`exact`, `close` (the same recordings, resampled otherwise) or `different`."""
        if self.exact == self.rows:
            return "exact"
        return "close" if self.close >= 0.95 * self.rows else "different"


def self_check(noisy_pesq: Mapping[str, float]) -> SelfCheck | None:
    """Compare recomputed whole-utterance PESQ of the noisy signal with the published rows; None without any."""
    published = published_rows()
    differences = {
        name: abs(value - published[name]["pesq"]) for name, value in noisy_pesq.items() if name in published
    }
    if not differences:
        return None
    at = max(sorted(differences), key=lambda name: differences[name])
    return SelfCheck(
        rows=len(differences),
        exact=sum(value <= EXACT for value in differences.values()),
        close=sum(value <= CLOSE for value in differences.values()),
        largest=differences[at],
        at=at,
    )


def check_published(check: SelfCheck | None) -> list[Finding]:
    """A finding where names say VoiceBank+DEMAND and the numbers say otherwise."""
    if check is None or check.result == "exact":
        return []
    return [
        raise_finding(
            "CMG711",
            "data",
            {"rows": check.rows, "exact": check.exact, "largest_difference": check.largest, "at": check.at},
            severity=Severity.NOTE if check.result == "close" else Severity.WARNING,
            n=check.rows - check.exact,
            total=check.rows,
            largest=f"{check.largest:.4f}",
            at=check.at,
        )
    ]
