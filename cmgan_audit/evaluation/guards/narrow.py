"""The guard of outputs that went through a sample rate of 8 kHz: nothing of the speech is left above 4 kHz."""

from __future__ import annotations

import statistics

from cmgan_audit.evaluation.guards.checks import MOST, Judged
from cmgan_audit.evaluation.material.names import shortened
from cmgan_audit.evaluation.raising import raise_finding
from cmgan_audit.finding import Finding

# Of 14 utterances: outputs of a network -2 to 2, noisy recordings -4 to 4, what went through 8 kHz -26 to -60.
NARROW_DB = -20.0


def check_narrow(system: Judged) -> list[Finding]:
    """A finding where most outputs have lost what their references have above 4 kHz."""
    told = {key[0]: facts.upper_band_db for key, facts in system.facts.items() if facts.upper_band_db is not None}
    narrow = sorted(name for name, level in told.items() if level <= NARROW_DB)
    if system.is_input or not narrow or len(narrow) < MOST * len(told):
        return []
    lost = -statistics.median(told.values())
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
