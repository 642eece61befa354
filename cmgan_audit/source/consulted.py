"""What an answer about a tree was made from: every question that was put to the file system, to be put again later.

An answer may be used again exactly when all these questions still have the same answers. A question about a file that
is not there counts too: an import that finds nothing today may find something tomorrow.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import field
from typing import TYPE_CHECKING

from cmgan_audit.lazy_dataclasses import dataclass
from cmgan_audit.lean_hashes import blake2b

if TYPE_CHECKING:
    from cmgan_audit.source.tree import SourceTree

Answered = dict[str, dict[str, str]]
# Contents, places, folders, what starts scripts; paths only.
Questions = tuple[tuple[str, ...], ...]


@dataclass(slots=True)
class Consulted:
    """Questions to a tree: contents of files, where paths lead, which paths are folders, what starts a script."""

    contents: set[str] = field(default_factory=set)
    located: set[str] = field(default_factory=set)
    folders: set[str] = field(default_factory=set)
    started: set[str] = field(default_factory=set)

    def add(self, other: Consulted) -> None:
        """What another answer, which is part of this one, was made from."""
        self.contents |= other.contents
        self.located |= other.located
        self.folders |= other.folders
        self.started |= other.started

    def questions(self) -> Questions:
        """The questions alone, to be made into a `Consulted` elsewhere."""
        return tuple(tuple(sorted(group)) for group in (self.contents, self.located, self.folders, self.started))

    def answered(self, tree: SourceTree) -> Answered:
        """The questions with the answers that hold now."""
        return {
            "contents": {path: digest_of(tree, path) for path in sorted(self.contents)},
            "located": {path: _led(tree, path) for path in sorted(self.located)},
            "folders": {path: repr(tree.is_folder(path)) for path in sorted(self.folders)},
            "started": {path: _starts(tree, path) for path in sorted(self.started)},
        }


def still_holds(answered: Mapping[str, Mapping[str, str]], tree: SourceTree) -> bool:
    """Whether every question still has the same answer; the likeliest changes are looked at first."""
    return (
        all(digest_of(tree, path) == known for path, known in answered["contents"].items())
        and all(_led(tree, path) == known for path, known in answered["located"].items())
        and all(repr(tree.is_folder(path)) == known for path, known in answered["folders"].items())
        and all(_starts(tree, path) == known for path, known in answered["started"].items())
    )


def digest_of(tree: SourceTree, path: str) -> str:
    """A digest of a file's content; "" when it cannot be read."""
    content = tree.glance(path)
    return "" if content is None else digest(content)


def digest(*parts: bytes) -> str:
    """A short digest of bytes, each part told apart from the next."""
    made = blake2b(digest_size=16)
    for part in parts:
        made.update(len(part).to_bytes(8, "big"))
        made.update(part)
    return made.hexdigest()


def digest_of_words(words: Iterable[str]) -> str:
    """A digest of texts; file names may hold what no encoding has."""
    return digest(*(word.encode("utf-8", "surrogatepass") for word in words))


def _led(tree: SourceTree, path: str) -> str:
    return repr(tree.resolve(path) if path.startswith("/") else tree.locate(path))


def _starts(tree: SourceTree, path: str) -> str:
    return digest_of_words(repr(command) for command in tree.launches(path))
