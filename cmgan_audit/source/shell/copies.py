"""Files of settings that a launcher copies before it starts a script: `cp conf/large.yaml exp/config.yaml`."""

from __future__ import annotations

import posixpath
from collections.abc import Sequence

from cmgan_audit.source.discovery import kind_of
from cmgan_audit.source.shell.expansion import UnknownWord

_COPYING = frozenset({"cp", "mv", "ln", "install", "rsync"})
# Commands that change a file where it lies.
_EDITING = frozenset({"sed", "perl", "yq"})


class Copies:
    """The copies that a launcher has made so far, by their paths from where it was started."""

    def __init__(self) -> None:
        self._originals: dict[str, str] = {}

    def note(self, words: Sequence[str], folder: str) -> None:
        """A command that may copy a file; the name of the copy need not be known, as long as it is called the same.

        Args:
            words: of the command.
            folder: the one that it runs in.
        """
        paths = [word for word in words[1:] if not word.startswith("-")]
        if words[0] in _EDITING:
            for path in paths:
                self._originals.pop(_from_start(folder, path), None)  # what it says now stands nowhere
        if words[0] not in _COPYING or len(paths) != 2:
            return
        source, target = paths
        if isinstance(source, UnknownWord) or kind_of(source) != "data":
            return
        if kind_of(target) != "data":
            target = posixpath.join(target, posixpath.basename(source))  # into a folder
        original = _from_start(folder, source)
        self._originals[_from_start(folder, target)] = self._originals.get(original, original)

    def original(self, word: str, folder: str) -> str:
        """A word of a command with the file that was copied in place of its copy: `--config=exp/config.yaml`."""
        flag, equals, path = word.rpartition("=")
        found = self._originals.get(_from_start(folder, path)) if self._originals else None
        if found is None:
            return word
        return f"{flag}{equals}{found if posixpath.isabs(found) else posixpath.relpath(found, folder or '.')}"


def _from_start(folder: str, path: str) -> str:
    return posixpath.normpath(posixpath.join(folder, path))
