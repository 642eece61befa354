"""Paths as CI systems need them: they start from the checkout, or from the folder in which the command runs."""

from __future__ import annotations

import os
import posixpath
from pathlib import Path

from cmgan_audit.finding import Location
from cmgan_audit.gate.audited import Audited
from cmgan_audit.gate.recall import CHECKOUTS


class FromHere:
    """Paths of findings as they read from the checkout or the current folder, if the audited folder lies in it."""

    def __init__(self, audited: Audited) -> None:
        root, here = audited.root.resolve(), _checkout()
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


def _checkout() -> Path:
    """The folder that a CI system names as the checkout, if the command runs in it; else the current folder.

    A step may run in a folder of the checkout (`working-directory`), where paths from there would name other files.
    """
    here = Path.cwd()
    named = (Path(os.environ[name]).resolve() for name in CHECKOUTS if os.environ.get(name))
    return next((checkout for checkout in named if here.is_relative_to(checkout)), here)
