"""Checkpoints without settings in them, held against the commit that last changed the training batch size."""

from __future__ import annotations

import datetime
from functools import cached_property

from cmgan_audit.facts.trained.families import BATCH
from cmgan_audit.facts.trained.settings import CodeSettings, CodeValue
from cmgan_audit.finding import Location
from cmgan_audit.lazy_dataclasses import dataclass
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
        self._changes: dict[Location | None, Change | None] = {}

    def overtaken_by(self, path: str) -> Change | None:
        """The change of the batch size that a checkpoint is older than; None where a way to train has not changed."""
        places = {value.place: value for value in self._settings.near(path).of(BATCH)}
        changes = [self._change(value) for value in places.values()]
        known = [change for change in changes if change is not None]
        if not known or len(known) < len(changes):
            return None
        first = min(known, key=lambda each: each.change.time)
        return first if self._written(path) < first.change.time else None

    def _change(self, value: CodeValue) -> Change | None:
        """The last change at the place that sets a batch size; None where it is as old as its history."""
        if value.place not in self._changes:
            self._changes[value.place] = self._changed(value)
        return self._changes[value.place]

    def _changed(self, value: CodeValue) -> Change | None:
        place = value.place
        if value.written is None or place is None or place.end_column is None:
            return None
        content = self._tree.read_bytes(place.path) or b""
        change = self._history.last_change(place.path, content, place.line, place.column - 1, place.end_column - 1)
        return None if change is None else Change(value, change)

    def _written(self, path: str) -> float:
        """When a file was written at the latest: a checkout gives every file a new time, its commit keeps the old."""
        modified = (self._tree.root / path).stat().st_mtime
        committed = self._history.committed(path) if path in self._tracked else None
        return modified if committed is None else min(modified, committed)

    @cached_property
    def _tracked(self) -> frozenset[str]:
        return tracked_files(self._tree.root)
