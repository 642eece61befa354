"""The guard of samples with few different values, as 8 bits a sample leave them: what the file's format did to a sound.

Values are counted and no header is asked: 8-bit audio stays coarse in whatever file it is copied to, and so does audio
that was written too quietly for 16 bits.
"""

from __future__ import annotations

from cmgan_audit.evaluation.guards.checks import MOST, Facts, Judged
from cmgan_audit.evaluation.material.names import shortened
from cmgan_audit.evaluation.raising import raise_finding
from cmgan_audit.finding import Finding, JsonValue

COARSE = 256  # different values that 8 bits can hold; a 16-bit recording of a sentence has ten thousand


def check_coarse(system: Judged) -> list[Finding]:
    """A finding where most outputs have so few values, and their references have more."""
    if system.is_input:
        return []
    coarse = [key[0] for key, facts in system.facts.items() if 0 < facts.values <= COARSE < facts.reference_values]
    return _told(system.name, coarse, len(system.facts), "outputs")


def check_coarse_set(noisy_facts: Facts) -> list[Finding]:
    """A finding where most pairs of the test set have, on one side or on both."""
    coarse = [
        key[0]
        for key, facts in noisy_facts.items()
        if 0 < facts.values <= COARSE or 0 < facts.reference_values <= COARSE
    ]
    return _told("test set", coarse, len(noisy_facts), "pairs")


def _told(name: str, coarse: list[str], total: int, what: str) -> list[Finding]:
    if not coarse or len(coarse) < MOST * total:
        return []
    evidence: dict[str, JsonValue] = {"checkpoint": name, "coarse": len(coarse), "of": total}
    names = shortened(sorted(set(coarse)))
    return [
        raise_finding("CMG720", name, evidence, checkpoint=name, n=len(coarse), total=total, what=what, names=names)
    ]
