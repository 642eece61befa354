"""Imports that lead nowhere since a module went: what they brought is followed no more, so its findings look mended."""

from __future__ import annotations

import ast
import posixpath
import re
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path

from cmgan_audit.gate.git import Repository
from cmgan_audit.program.execution.depth import deeply
from cmgan_audit.program.naming.names import is_library
from cmgan_audit.rules.matching import Unresolved
from cmgan_audit.source.absent_modules import may_come
from cmgan_audit.source.python_file import ParsedFile
from cmgan_audit.source.syntax import excused
from cmgan_audit.source.tree import SourceTree


def lost_imports(commit: str, root: Path, exclude: Sequence[str]) -> list[Unresolved]:
    """Imports of modules that were there at a commit and are no more, where nothing else has come in their place.

    Args:
        commit: the full hash of the commit.
        root: the audited folder, with uncommitted changes.
        exclude: patterns of paths in it that are left out.

    Raises:
        GitError: git cannot read the commit.
    """
    gone = Repository(root).gone_programs(commit)
    return deeply(lambda: _lost_imports(gone, root, exclude)) if gone else []


def _lost_imports(gone: Collection[str], root: Path, exclude: Sequence[str]) -> list[Unresolved]:
    by_stem = {_stem(path): path for path in sorted(gone)}
    words = {stem.rpartition("/")[2].encode() for stem in by_stem}
    tree = SourceTree(root, exclude)
    there = {_stem(path) for path in tree.python_files}
    there |= {above for stem in there for above in _above(stem)}
    ends = {end for stem in there for end in _ends(stem)}
    found: list[Unresolved] = []
    for path in tree.python_files:
        # To parse is what costs.
        named = not words.isdisjoint(re.findall(rb"\w+", tree.read_bytes(path) or b""))
        parsed = tree.parsed(path) if named else None
        for node, name, stems in _imports(parsed) if parsed is not None else ():
            lost = min(by_stem.keys() & stems, default="")
            # A module of that name elsewhere may be on the path; it is what is followed then.
            if parsed is None or not lost or lost in there or name in ends or may_come(tree, lost):
                continue
            note = f"this import fails: {by_stem[lost]} is there no more; what follows of it is not known"
            found.append(Unresolved("CMG101", parsed.location(node), note))
            break  # the file is not executed any further
    return found


def _stem(path: str) -> str:
    """What an import calls a file, with slashes for dots."""
    return path.removesuffix(".py").removesuffix("/__init__")


def _above(path: str) -> list[str]:
    """The folders around a path, the nearest first, that of the tree ("") left out."""
    parts = path.split("/")[:-1]
    return ["/".join(parts[:count]) for count in range(len(parts), 0, -1)]


def _ends(path: str) -> list[str]:
    """A path without the first of its folders, the first two, and so on."""
    parts = path.split("/")
    return ["/".join(parts[count:]) for count in range(len(parts))]


def _imports(parsed: ParsedFile) -> Iterator[tuple[ast.stmt, str, set[str]]]:
    """The imports of a file that nothing catches: the stems of the files that each name in them may mean.

    Before these, how the name may end a path anywhere; "" where it starts from the file's own folder.
    """
    passed_over = excused(parsed.tree)
    for node in ast.walk(parsed.tree):
        if node in passed_over:
            continue
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            inside = [".".join(filter(None, (node.module, alias.name))) for alias in node.names]
            names = [*([node.module] if node.module else []), *inside]
        else:
            continue
        level = node.level if isinstance(node, ast.ImportFrom) else 0
        for name in names:
            if level or not is_library(name):
                yield node, "" if level else name.replace(".", "/"), _meant(name, level, parsed.path)


def _meant(name: str, level: int, path: str) -> set[str]:
    """The stems of the files that a name may mean in a file: from its own folder, or from one around it."""
    around = [*_above(path), ""]
    places: Collection[str] = around[level - 1 : level] if level else around
    return {posixpath.join(place, name.replace(".", "/")) for place in places}
