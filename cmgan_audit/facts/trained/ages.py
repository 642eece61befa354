"""Checkpoints without settings in them, held against the commit that last changed the training batch size."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property

from cmgan_audit.facts.trained.families import BATCH
from cmgan_audit.facts.trained.settings import CodeSettings, CodeValue
from cmgan_audit.source.git_index import tracked_files
from cmgan_audit.source.history import History, ValueChange
from cmgan_audit.source.tree import SourceTree


@dataclass(frozen=True, slots=True)
class Change:
    """A change of the batch size that the code sets."""

    value: CodeValue
    change: ValueChange

    @property
    def clause(self) -> str:
        """What changed, as text."""
        day = datetime.datetime.fromtimestamp(self.change.time, datetime.UTC).date().isoformat()
        by = (
            f"commit {self.change.commit[:7]} ({day})"
            if self.change.commit
            else f"an edit that is not committed ({day})"
        )
        return f"{by} changed the batch size from {self.change.before} to {self.value.written:g}"


class Ages:
    """The ages of files and of the batch sizes of a tree; git is asked when the first question comes."""

    def __init__(self, tree: SourceTree, settings: CodeSettings) -> None:
        self._tree = tree
        self._settings = settings
        self._history = History(tree.root)

    def overtaken_by(self, path: str) -> Change | None:
        """The change of the batch size that a checkpoint is older than; None where a way to train has not changed."""
        if not self._changes:
            return None
        first = min(self._changes, key=lambda each: each.change.time)
        return first if self._written(path) < first.change.time else None

    @cached_property
    def _changes(self) -> list[Change]:
        """The last change at every place that sets a batch size; none where one of them is as old as its history."""
        places = {value.place: value for value in self._settings.of(BATCH)}
        changes = list(self._changed(places.values()))
        return changes if len(changes) == len(places) else []

    def _changed(self, values: Iterable[CodeValue]) -> Iterator[Change]:
        for value in values:
            place = value.place
            if value.written is None or place is None or place.end_column is None:
                continue
            change = self._history.last_change(place.path, place.line, place.column - 1, place.end_column - 1)
            if change is not None:
                yield Change(value, change)

    def _written(self, path: str) -> float:
        """When a file was written at the latest: a checkout gives every file a new time, its commit keeps the old."""
        modified = (self._tree.root / path).stat().st_mtime
        committed = self._history.committed(path) if path in self._tracked else None
        return modified if committed is None else min(modified, committed)

    @cached_property
    def _tracked(self) -> frozenset[str]:
        return tracked_files(self._tree.root)
