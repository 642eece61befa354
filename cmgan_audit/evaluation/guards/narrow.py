"""The guard of outputs that went through a sample rate of 8 kHz: nothing of the speech is left above 4 kHz."""

from __future__ import annotations

import statistics

from cmgan_audit.evaluation.guards.checks import MOST, Facts, Judged
from cmgan_audit.evaluation.material.names import shortened
from cmgan_audit.evaluation.raising import raise_finding
from cmgan_audit.finding import Finding

# Of 14 utterances: outputs of a network -2 to 2, noisy recordings -4 to 4, what went through 8 kHz -26 to -60.
NARROW_DB = -20.0
ENOUGH = 0.5  # share of the utterances that must have speech above 4 kHz: a set at 8 kHz may hold some that are clipped


def check_narrow(system: Judged, noisy_facts: Facts) -> list[Finding]:
    """A finding where most outputs have lost what references and noisy recordings have above 4 kHz.

    Args:
        system: its outputs are judged.
        noisy_facts: facts of the noisy recordings; what is not in these, a network that removes noise cannot keep.
    """
    if system.is_input:
        return []
    given = {key for key, facts in noisy_facts.items() if not _is_narrow(facts.upper_band_db)}
    levels = {key: facts.upper_band_db for key, facts in system.facts.items() if key in given and not facts.fault}
    told = [level for level in levels.values() if level is not None]
    narrow = sorted(key[0] for key, level in levels.items() if _is_narrow(level))
    if not narrow or len(narrow) < MOST * len(told) or len(told) < ENOUGH * len(levels):
        return []
    lost = -statistics.median(told)
    return [
        raise_finding(
            "CMG721",
            system.name,
            {"checkpoint": system.name, "narrow": len(narrow), "of": len(told), "lost_db": round(lost, 1)},
            checkpoint=system.name,
            n=len(narrow),
            total=len(told),
            lost=f"{lost:.0f}",
            names=shortened(narrow),
        )
    ]


def _is_narrow(level: float | None) -> bool:
    return level is not None and level <= NARROW_DB
