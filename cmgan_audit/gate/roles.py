"""Declarations of roles that no loader answers to: a role that misses its loader does nothing, unseen."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from cmgan_audit.finding import Finding, Location
from cmgan_audit.rules.catalogue import Catalogue

UNMATCHED = "CMG907"


def unmatched_roles(
    patterns: Sequence[str], catalogue: Catalogue, running: Collection[str], source: str
) -> list[Finding]:
    """Make a finding of every declaration that matches no loader.

    Args:
        patterns: the declarations.
        catalogue: holds the rule that these findings are of.
        running: the ids of the rules that ran.
        source: the settings file, relative to the audited folder.
    """
    if UNMATCHED not in running:
        return []
    rule, place = catalogue[UNMATCHED], Location(source, 1)
    return [rule.finding({"pattern": pattern}, location=place, anchor=pattern) for pattern in patterns]
