"""The guard of outputs that are the noisy input or the clean reference themselves, all of them or some."""

from __future__ import annotations

from cmgan_audit.evaluation.guards.checks import MOST, Facts, Judged
from cmgan_audit.evaluation.material.names import shortened
from cmgan_audit.evaluation.raising import raise_finding
from cmgan_audit.finding import Finding, JsonValue, Severity

FEWEST_COPIES = 2
# dB that an output must be closer to its original than noisy and clean are to each other. On recordings with next to no
# noise the least enhancement leaves as little of a difference as rounding does.
COPY = 20.0
CERTAIN_COPY = 40.0  # where not nearly all are: a network that takes a hundredth of the noise away did its work


def check_copies(system: Judged, noisy_facts: Facts) -> list[Finding]:
    """A finding where outputs of a system are copies: an error where nearly all are, else a warning.

    Args:
        system: what is judged.
        noisy_facts: of the noisy recordings. One that is the clean recording needs no enhancement, and what leaves it
            alone is a copy of both; such a single pair is no fault of the system.
    """
    if system.is_input or not system.facts:
        return []
    clean_already = {utterance for (utterance, _), facts in noisy_facts.items() if facts.copy_of == "clean"}
    total = len(system.facts)
    findings: list[Finding] = []
    for rule, source in (("CMG709", "noisy"), ("CMG714", "clean")):
        hit = [
            (utterance, facts.copy_margin)
            for (utterance, _), facts in system.facts.items()
            if facts.copy_of == source and facts.copy_margin >= COPY
        ]
        nearly_all = len(hit) >= MOST * total
        copies = [name for name, margin in hit if nearly_all or (margin >= CERTAIN_COPY and name not in clean_already)]
        names = sorted(set(copies))
        if not nearly_all and len(names) < FEWEST_COPIES:
            continue
        evidence: dict[str, JsonValue] = {"checkpoint": system.name, "outputs": len(copies)}
        if not nearly_all:
            evidence["utterances"] = list[JsonValue](names)
        findings.append(
            raise_finding(
                rule,
                system.name,
                evidence,
                severity=Severity.ERROR if nearly_all else Severity.WARNING,
                checkpoint=system.name,
                n=len(copies),
                total=total,
                names="" if nearly_all else f": {shortened(names)}",
            )
        )
    return findings
