"""Reasons for which a value is unknown and that facts ask for: one wording each, behind the name of what is unknown."""

from __future__ import annotations

ONLY_AT_LAUNCH = "is only known when the launcher runs"
NOT_IN_TREE = "is not in the tree"
