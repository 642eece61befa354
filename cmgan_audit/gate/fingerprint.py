"""Fingerprints that tell findings apart and stay the same when lines move."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from cmgan_audit.finding import Finding
from cmgan_audit.lean_hashes import sha256


def fingerprints(findings: Iterable[Finding]) -> list[str]:
    """Return one fingerprint per finding, each different.

    A rule may find the same symbolic place twice (two draws in one `__getitem__`): its ordinal tells them apart.
    """
    seen: Counter[str] = Counter()
    found = []
    for finding in findings:
        base = finding.fingerprint
        seen[base] += 1
        found.append(base if seen[base] == 1 else sha256(f"{base}\0{seen[base]}".encode()).hexdigest()[:16])
    return found
