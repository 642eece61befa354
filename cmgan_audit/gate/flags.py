"""The flags of the command line over the settings of a project."""

from __future__ import annotations

import datetime
import functools
from dataclasses import replace
from pathlib import Path

from cmgan_audit.gate.check import Auditor
from cmgan_audit.gate.door import collect, load_kinds, mend
from cmgan_audit.gate.selection import DOOR, of_door
from cmgan_audit.gate.settings import Settings, find_settings, settle_rules
from cmgan_audit.lazy_dataclasses import dataclass
from cmgan_audit.rules.catalogue import Catalogue, load_catalogue
from cmgan_audit.rules.profile import is_own_file


@dataclass(frozen=True, slots=True)
class Flags:
    """What the command line says; None where it says nothing and the settings hold."""

    select: tuple[str, ...] | None = None
    ignore: tuple[str, ...] | None = None
    fail_on: str | None = None
    preview: bool = False
    profile: str | None = None
    rules: tuple[Path, ...] = ()
    jobs: int | None = None
    cached: bool = False

    def settings(self, root: Path) -> Settings:
        """Return the settings that hold for a folder: those of its project, and the flags over them.

        Raises:
            UsageError: the settings or the rules that they name are wrong.
        """
        found = find_settings(root.absolute())
        catalogue = self._catalogue(found)
        found = settle_rules(found, catalogue)
        return replace(
            found,
            select=of_door(found.select, catalogue, DOOR) if self.select is None else self.select,
            ignore=found.ignore if self.ignore is None else self.ignore,
            fail_on=self.fail_on or found.fail_on,
            preview=self.preview or found.preview,
            profile=found.profile if self.profile is None else _from_here(self.profile),
        )

    def auditor(self, settings: Settings) -> Auditor:
        """Return the auditor for these settings."""
        load_kinds()
        door = functools.partial(collect, jobs=self.jobs, cached=self.cached)
        return Auditor(self._catalogue(settings), settings, door, datetime.date.today(), mend=mend)

    def _catalogue(self, settings: Settings) -> Catalogue:
        return _load((*(settings.folder / folder for folder in settings.rules), *self.rules))


def _from_here(profile: str) -> str:
    """A profile as the command line names it: a file is relative to the working folder, not to the settings."""
    return str(Path(profile).absolute()) if is_own_file(profile) else profile


@functools.cache
def _load(folders: tuple[Path, ...]) -> Catalogue:
    """The catalogue with further folders; reading it takes longer than most questions to it."""
    return load_catalogue(folders, examples=False)  # nobody who audits looks at them
