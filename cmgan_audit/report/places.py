"""Paths as CI systems need them: they start from the folder in which the command runs, usually the checkout."""

from __future__ import annotations

import posixpath
from pathlib import Path

from cmgan_audit.finding import Location
from cmgan_audit.gate.audited import Audited


class FromHere:
    """Paths of findings as they read from the current folder, if the audited folder lies in it."""

    def __init__(self, audited: Audited) -> None:
        root, here = audited.root.resolve(), Path.cwd()
        inside = root != here and root.is_relative_to(here)
        self._prefix = root.relative_to(here).as_posix() if inside else ""

    @property
    def root(self) -> str:
        """The audited folder itself."""
        return self._prefix or "."

    def path(self, path: str) -> str:
        """A path that starts from the audited folder; settings and baseline may lie above it."""
        return posixpath.normpath(posixpath.join(self._prefix, path))

    def place(self, place: Location) -> str:
        """Path and line."""
        return f"{self.path(place.path)}:{place.line}"
