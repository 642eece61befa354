"""The static door as the gate uses it: a folder in, records out."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from cmgan_audit.gate.audited import CollectedLike


def collect(root: Path, exclude: Sequence[str]) -> CollectedLike:
    """Collect the records of a training repository, without the paths that its settings exclude.

    Raises:
        InputError: the folder holds no Python file.
    """
    from cmgan_audit.facts.audit import collect as collect_facts  # the collectors are only loaded when they run

    return collect_facts(root, exclude)


def load_kinds() -> None:
    """Make the kinds of record known, so that rules can be checked against them."""
    import cmgan_audit.facts.audit  # noqa: F401 - importing declares them
