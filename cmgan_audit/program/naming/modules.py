"""Modules of the audited tree: which file an import means, as Python and as people who move folders would find it."""

from __future__ import annotations

import ast
import copy
import posixpath
from collections import defaultdict
from collections.abc import Callable, Hashable, Sequence

from cmgan_audit.finding import Location
from cmgan_audit.lazy_dataclasses import dataclass
from cmgan_audit.program.naming.names import MODELLED, is_library
from cmgan_audit.source.consulted import Consulted
from cmgan_audit.source.python_file import ParsedFile
from cmgan_audit.source.tree import SourceTree


@dataclass(slots=True, eq=False)
class Module:
    """A Python file, or a folder that is imported as a namespace package (then `parsed` is None).

    `name` is dotted as it was first imported; `folder` is where its relative imports start.
    """

    name: str
    path: str
    folder: str
    parsed: ParsedFile | None

    @property
    def tree(self) -> ast.Module | None:
        """The syntax tree; None for a folder."""
        return None if self.parsed is None else self.parsed.tree

    def location(self, node: ast.AST) -> Location:
        """Where a node of this file stands."""
        return Location(self.path, 1) if self.parsed is None else self.parsed.location(node)

    def text(self, node: ast.AST, limit: int = 120) -> str:
        """The source text of a node on one line, cut after `limit` characters."""
        return "" if self.parsed is None else self.parsed.segment(node, limit)

    @property
    def is_package(self) -> bool:
        """Whether modules can lie below this one."""
        return self.parsed is None or self.path.endswith("__init__.py")


class ModuleIndex:
    """All Python files of a tree by the names under which they can be imported; parses a file when it is asked for.

    A module is named as it was first imported, so every script gets modules of its own: `afresh`.
    """

    def __init__(self, sources: SourceTree) -> None:
        self.sources = sources
        self._modules: dict[str, Module] = {}
        self._files = {path for path in sources.python_files if path.endswith(".py")}
        self._holding = {posixpath.dirname(path) for path in self._files}
        self._folders: set[str] = set()
        self._answers: dict[Hashable, tuple[str, Consulted]] = {}
        self._ends: dict[str, list[str]] = defaultdict(list)
        for path in sorted(self._files):
            folder = posixpath.dirname(path)
            while folder and folder not in self._folders:
                self._folders.add(folder)
                self._ends[posixpath.basename(folder)].append(folder)
                folder = posixpath.dirname(folder)
            self._ends[posixpath.basename(path)[:-3]].append(path)

    def afresh(self) -> ModuleIndex:
        """The same files, none of them imported yet."""
        index = copy.copy(self)
        index._modules = {}
        return index

    def once(self, question: Hashable, answer: Callable[[], str]) -> str:
        """What the files of the tree say to a question that every script puts again; worked out the first time."""
        if question not in self._answers:
            with self.sources.watched() as consulted:
                found = answer()
            self._answers[question] = found, consulted
            return found
        found, consulted = self._answers[question]
        self.sources.depends_on(consulted)
        return found

    def at(self, path: str, name: str = "") -> Module | None:
        """The module of one file; None when it cannot be parsed."""
        if path not in self._modules:
            parsed = self.sources.parsed(path)
            if parsed is None:
                return None
            stem = posixpath.splitext(path)[0].replace("/", ".")
            self._modules[path] = Module(name or stem.removesuffix(".__init__"), path, posixpath.dirname(path), parsed)
        return self._modules[path]

    def absolute(self, name: str, roots: Sequence[str], importer: Module | None) -> Module | None:
        """The module that `import name` means: the first root that has it, else the nearest folder that does."""
        below = name.replace(".", "/")
        for root in roots:
            path = self._path_of(posixpath.join(root, below) if root else below)
            if path is not None:
                return None if self._is_modelled(name, root, importer) else self._named(path, name)
        if is_library(name):
            return None
        near = importer.path if importer else ""
        candidates = []
        first = name.partition(".")[0]
        for start in self._ends.get(first, ()):
            root = posixpath.dirname(start)
            path = self._path_of(posixpath.join(root, below) if root else below)
            if path is not None:
                candidates.append((_distance(root, near), path))
        return self._named(min(candidates)[1], name) if candidates else None

    def is_below(self, name: str, roots: Sequence[str]) -> bool:
        """Whether Python finds a module or package of this name in one of the folders that imports start from."""
        return any(self._path_of(posixpath.join(root, name.replace(".", "/"))) is not None for root in roots)

    def holds_files(self, folder: str) -> bool:
        """Whether a folder, "" for that of the tree, holds Python files itself."""
        return folder in self._holding

    def _is_modelled(self, name: str, root: str, importer: Module | None) -> bool:
        """Whether a package of the tree is a framework that is known by what it does.

        Its recipes are then judged as they would be outside of its own repository, where it is installed. Its own
        files, among themselves, are code like any other.
        """
        top = name.partition(".")[0]
        if top not in MODELLED:
            return False
        package = posixpath.join(root, top)
        inside = importer is not None and importer.path.startswith(f"{package}/")
        return not inside and f"{package}/{MODELLED[top]}" in self._files

    def relative(self, level: int, name: str, importer: Module) -> Module | None:
        """The module that `from ..name import x` means, counted from the importing file's folder."""
        folder = importer.folder
        for _ in range(level - 1):
            folder = posixpath.dirname(folder)
        target = posixpath.join(folder, name.replace(".", "/")) if name else folder
        path = self._path_of(target)
        return None if path is None else self._named(path, target.replace("/", "."))

    def child(self, package: Module, name: str) -> Module | None:
        """A module below a package."""
        if not package.is_package:
            return None
        path = self._path_of(posixpath.join(package.folder, name))
        return None if path is None else self._named(path, f"{package.name}.{name}")

    def _path_of(self, stem: str) -> str | None:
        stem = posixpath.normpath(stem)
        for path in (f"{stem}/__init__.py", f"{stem}.py"):
            if path in self._files:
                return path
        return stem if stem in self._folders else None

    def _named(self, path: str, name: str) -> Module | None:
        if path.endswith(".py"):
            return self.at(path, name)
        if path not in self._modules:
            self._modules[path] = Module(name, path, path, None)
        return self._modules[path]


def _distance(root: str, near: str) -> tuple[int, int]:
    """How far a folder is from a file: steps up from the file to their common folder, then steps down."""
    a = [part for part in root.split("/") if part]
    b = near.split("/")[:-1]
    common = 0
    for x, y in zip(a, b, strict=False):
        if x != y:
            break
        common += 1
    return (len(b) - common, len(a) - common)
