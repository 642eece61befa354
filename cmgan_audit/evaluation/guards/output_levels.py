"""The guard of what most metrics do not notice: level, sign and offset of the outputs against their references."""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterator, Sequence

from cmgan_audit.evaluation.guards.checks import Judged
from cmgan_audit.evaluation.raising import raise_finding
from cmgan_audit.finding import Finding, JsonValue

LEVEL_DB = 3.0  # a network that takes some speech with the noise stays above it; half the gain is 6 dB
OFFSET = 0.1  # of the reference's effective value
INT16_DB = 20.0 * math.log10(32768.0)
AGREE = 0.8  # share of the outputs; the rest may differ by themselves


def check_levels(system: Judged) -> list[Finding]:
    """A finding where most outputs of a system are too loud or quiet, upside down, or have a mean."""
    # A large offset hides the speech: then there is no gain to be told, and the offset all the more.
    gains = [facts.gain for facts in system.facts.values() if facts.gain]
    typical = statistics.median(map(abs, gains)) if gains else 1.0
    # Of an output that is louder than its reference the offset is, too.
    offsets = [
        facts.offset / max(1.0, abs(facts.gain or typical))
        for facts in system.facts.values()
        if facts.offset is not None
    ]
    if system.is_input or not offsets:
        return []
    told = [*_levels(gains), *_offset(offsets)]
    if not told:
        return []
    evidence: dict[str, JsonValue] = {
        "checkpoint": system.name,
        "level_db": round(statistics.median(map(_decibels, gains)), 3) if gains else None,
        "offset": round(statistics.median(offsets), 4),
        "turned": sum(gain < 0.0 for gain in gains),
        "outputs": len(offsets),
    }
    return [raise_finding("CMG716", system.name, evidence, checkpoint=system.name, told=" and ".join(told))]


def _levels(gains: Sequence[float]) -> Iterator[str]:
    if not gains:
        return
    levels = [_decibels(gain) for gain in gains]
    level, turned = statistics.median(levels), sum(gain < 0.0 for gain in gains)
    moved = sum(level * one > 0.0 and abs(one) >= LEVEL_DB for one in levels)
    if abs(level) >= LEVEL_DB and moved >= AGREE * len(gains):
        direction = "louder" if level > 0 else "quieter"
        scale = ", as samples on the scale of int16 are" if abs(level - INT16_DB) < LEVEL_DB else ""
        yield f"are {abs(level):.1f} dB {direction} than the reference ({moved} of {len(gains)}){scale}"
    if turned >= AGREE * len(gains):
        yield f"have the sign of the reference turned ({turned} of {len(gains)})"


def _offset(offsets: Sequence[float]) -> Iterator[str]:
    offset = statistics.median(offsets)
    shifted = sum(offset * one > 0.0 and abs(one) >= OFFSET for one in offsets)
    if shifted >= AGREE * len(offsets):
        share = f"{100 * offset:+.0f} % of the reference's effective value"
        yield f"have an offset of {share} ({shifted} of {len(offsets)})"


def _decibels(gain: float) -> float:
    return 20.0 * math.log10(abs(gain))
