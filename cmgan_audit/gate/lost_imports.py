"""Imports that lead nowhere since a module went: what they brought is followed no more, so its findings look mended."""

from __future__ import annotations

import ast
import posixpath
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path

from cmgan_audit.gate.git import Repository
from cmgan_audit.program.execution.depth import deeply
from cmgan_audit.program.naming.names import is_library
from cmgan_audit.rules.matching import Unresolved
from cmgan_audit.source.python_file import ParsedFile
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
    words = {_stem(path).rpartition("/")[2].encode() for path in gone}
    tree = SourceTree(root, exclude)
    there = {_stem(path) for path in tree.python_files}
    there |= {above for stem in there for above in _above(stem)}
    found: list[Unresolved] = []
    for path in tree.python_files:
        content = tree.read_bytes(path) or b""
        parsed = tree.parsed(path) if any(word in content for word in words) else None  # to parse is what costs
        for node, name, stems in _imports(parsed) if parsed is not None else ():
            lost = next((each for each in sorted(gone) if _stem(each) in stems), None)
            # A module of that name elsewhere may be on the path; it is what is followed then.
            if parsed is None or lost is None or any(f"/{stem}".endswith(f"/{name}") for stem in there):
                continue
            note = f"this import fails: {lost} is there no more; what follows of it is not known"
            found.append(Unresolved("CMG101", parsed.location(node), note))
    return found


def _stem(path: str) -> str:
    """What an import calls a file, with slashes for dots."""
    return path.removesuffix(".py").removesuffix("/__init__")


def _above(path: str) -> list[str]:
    """The folders around a path, the nearest first, that of the tree ("") left out."""
    parts = path.split("/")[:-1]
    return ["/".join(parts[:count]) for count in range(len(parts), 0, -1)]


def _imports(parsed: ParsedFile) -> Iterator[tuple[ast.stmt, str, set[str]]]:
    """The imports of a file that nothing catches: each name in them, and the stems of the files that it may mean."""
    caught = {
        inner
        for each in ast.walk(parsed.tree)
        if isinstance(each, ast.Try)
        for statement in each.body
        for inner in ast.walk(statement)
    }
    for node in ast.walk(parsed.tree):
        if node in caught:
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
                yield node, name.replace(".", "/"), _meant(name, level, parsed.path)


def _meant(name: str, level: int, path: str) -> set[str]:
    """The stems of the files that a name may mean in a file: from its own folder, or from one around it."""
    around = [*_above(path), ""]
    places: Collection[str] = around[level - 1 : level] if level else around
    return {posixpath.join(place, name.replace(".", "/")) for place in places}
