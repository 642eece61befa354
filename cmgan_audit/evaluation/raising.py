"""Findings of the measured rules: the words stand in the catalogue, the numbers come from here."""

from __future__ import annotations

import functools

from cmgan_audit.finding import Finding, JsonValue, Severity
from cmgan_audit.rules.catalogue import Catalogue, load_catalogue

DOOR = "compare-ckpts"


@functools.cache
def measured_rules() -> Catalogue:
    """The rules that this door raises."""
    return Catalogue(rule for rule in load_catalogue() if rule.raised_by == DOOR)


def raise_finding(
    rule_id: str,
    anchor: str,
    evidence: dict[str, JsonValue],
    *,
    severity: Severity | None = None,
    **words: object,
) -> Finding:
    """Make a finding of a measured rule.

    Args:
        rule_id: a rule of the catalogue with `raised_by: compare-ckpts`.
        anchor: what it is about (a checkpoint, a folder); makes the fingerprint.
        evidence: the numbers that it rests on.
        severity: where the rule has several; else the rule's own.
        words: fill the holes of the rule's message.
    """
    return measured_rules()[rule_id].finding(words, anchor=anchor, evidence=evidence, severity=severity)
