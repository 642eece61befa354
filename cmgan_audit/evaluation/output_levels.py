"""The guard of what most metrics do not notice: level, sign and offset of the outputs against their references."""

from __future__ import annotations

import math
import statistics

from cmgan_audit.evaluation.guards import Judged
from cmgan_audit.evaluation.raising import raise_finding
from cmgan_audit.finding import Finding, JsonValue

LEVEL_DB = 3.0  # a network that takes some speech with the noise stays above it; half the gain is 6 dB
OFFSET = 0.1  # of the reference's effective value
AGREE = 0.8


def check_levels(system: Judged) -> list[Finding]:
    """A finding where most outputs of a system are too loud or quiet, upside down, or have a mean."""
    known = [facts for facts in system.facts.values() if facts.gain and facts.offset is not None]
    if system.is_input or not known:
        return []
    levels = [20.0 * math.log10(abs(facts.gain)) for facts in known if facts.gain]
    offsets = [facts.offset for facts in known if facts.offset is not None]
    level, offset = statistics.median(levels), statistics.median(offsets)
    turned = sum(facts.gain < 0.0 for facts in known if facts.gain)
    moved = sum(level * one > 0.0 and abs(one) >= LEVEL_DB for one in levels)
    shifted = sum(offset * one > 0.0 and abs(one) >= OFFSET for one in offsets)
    told = []
    if abs(level) >= LEVEL_DB and moved >= AGREE * len(known):
        told.append(f"are {abs(level):.1f} dB {'louder' if level > 0 else 'quieter'} than the reference ({moved}")
    if turned >= AGREE * len(known):
        told.append(f"have the sign of the reference turned ({turned}")
    if shifted >= AGREE * len(known):
        told.append(f"have an offset of {100 * offset:+.0f} % of the reference's effective value ({shifted}")
    if not told:
        return []
    evidence: dict[str, JsonValue] = {
        "checkpoint": system.name,
        "level_db": round(level, 3),
        "offset": round(offset, 4),
        "turned": turned,
        "outputs": len(known),
    }
    words = " and ".join(f"{one} of {len(known)})" for one in told)
    return [raise_finding("CMG716", system.name, evidence, checkpoint=system.name, told=words)]
