"""Modules that a tree does not hold as Python files: whether they may be there all the same when a script runs."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator

from cmgan_audit.lazy_regex import regex
from cmgan_audit.source.path_patterns import PathPatterns
from cmgan_audit.source.tree import SourceTree

# The forms of a module other than Python that is followed: excluded or broken, built or to be built, typed, a notebook.
_FORMS = (".py", ".pyi", ".pyx", ".so", ".pyd", ".c", ".cpp", ".cu", ".ipynb")
# What compilers of other languages call the modules that they write.
_GENERATED = regex(r".*_pb2(?:_grpc)?")
# Where it stands which modules are built, written or fetched when a tree is installed.
_INSTALLING = ("setup.py", "setup.cfg", "pyproject.toml", "CMakeLists.txt", ".gitmodules")


def may_come(tree: SourceTree, path: str) -> bool:
    """Whether a module may be there when the script runs: in another form, or built, generated, ignored or fetched."""
    folder, _, name = path.rpartition("/")
    if tree.is_folder(path) or any(tree.locate(f"{path}{form}") for form in _FORMS) or _GENERATED.fullmatch(name):
        return True
    word = re.compile(rf"\b{re.escape(name)}\b")
    for above in _with_those_above(folder):
        if any(word.search(_text(tree, above, each)) for each in _INSTALLING):
            return True
        ignored = PathPatterns(_text(tree, above, ".gitignore").splitlines())
        below = posixpath.relpath(path, above or ".")
        if ignored.match(f"{below}.py") or ignored.match(f"{below}/"):
            return True
    return False


def _with_those_above(folder: str) -> Iterator[str]:
    while folder:
        yield folder
        folder = posixpath.dirname(folder)
    yield ""


def _text(tree: SourceTree, folder: str, name: str) -> str:
    found = tree.locate(posixpath.join(folder, name))
    return (found and tree.text(found)) or ""
