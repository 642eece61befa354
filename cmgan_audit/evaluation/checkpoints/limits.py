"""How long a file may keep its reader busy: parts that lie in each other twice double the ways with every level."""

from __future__ import annotations

from pathlib import Path

from cmgan_audit.evaluation.checkpoints.errors import CheckpointError

MOST_STEPS = 500_000
"""A thousand times what a large checkpoint takes; some seconds."""


class Steps:
    """Counts the steps of a walk through what a file holds."""

    def __init__(self, path: Path) -> None:
        """Begin to count.

        Args:
            path: the file, for the error.
        """
        self._path = path
        self._taken = 0

    def count(self) -> None:
        """One more step.

        Raises:
            CheckpointError: there have been too many for any checkpoint.
        """
        self._taken += 1
        if self._taken > MOST_STEPS:
            raise CheckpointError(
                f"{self._path}: its parts contain each other in more than {MOST_STEPS:,} ways, as no checkpoint's do"
            )
