"""Imports that end a script with an error: what they should have brought is followed no more, nor are its findings.

Only those are told that are certainly executed, of what Python would look for in this tree, and only where nothing
may put it there before the script runs.
"""

from __future__ import annotations

import ast
import posixpath
import re
from collections.abc import Sequence

from cmgan_audit.lazy_regex import regex
from cmgan_audit.program.domain.values import External, ModuleValue, Unknown, Value
from cmgan_audit.program.execution.interpreter import Interpreter
from cmgan_audit.program.naming.modules import Module
from cmgan_audit.program.naming.names import is_library
from cmgan_audit.source.absent_modules import may_come
from cmgan_audit.source.syntax import excused

# What may give a module names that do not stand in its text, or a package modules that do not lie in its folder.
_DYNAMIC = regex(r"\bimport\s*\*|\b(?:__getattr__|__path__|globals|vars|exec|setattr|sys\.modules)\b")
_FAILS = "this import fails: "


def tell_broken(it: Interpreter, node: ast.ImportFrom, source: Value, name: str) -> None:
    """Say that `from source import name` fails, where it does."""
    if isinstance(source, ModuleValue):
        why = "" if it.in_doubt else _undefined(it, node, source.module, name)
        if why:
            _tell(it, node, why)
    elif node.module and isinstance(source, Unknown if node.level else External):
        tell_absent(it, node, node.module, node.level)


def tell_absent(it: Interpreter, node: ast.stmt, name: str, level: int = 0) -> None:
    """Say that a module that a statement imports is not in the folder where it belongs, where there is one."""
    path = "" if it.in_doubt else _absent(it, name, level)
    if path:
        _tell(it, node, f"there is no {posixpath.basename(path)} in {posixpath.dirname(path) or 'this folder'}")


def _tell(it: Interpreter, node: ast.stmt, why: str) -> None:
    ended = any(step.note.startswith(_FAILS) for step in it.run.limits)  # by one before, so it does not come here
    if not ended and (it.module.tree is None or node not in excused(it.module.tree)):
        it.limit(it.location(node), f"{_FAILS}{why}; what follows of it is not known")


def _undefined(it: Interpreter, node: ast.ImportFrom, module: Module, name: str) -> str:
    """Why a module of the tree has no such name; "" where it may have it."""
    if name.startswith("__") or not (node.level or it.index.is_below(module.name, it.roots)):
        return ""
    if module.is_package and _may_come(it, posixpath.join(module.folder, name)):
        return ""
    if module.parsed is None:
        own = it.index.holds_files(module.folder) and (node.level or not _is_installed(it, module.name))
        return f"there is no {name} in {module.folder}" if own else ""
    spelled = _DYNAMIC.search(module.parsed.text) or re.search(rf"\b{re.escape(name)}\b", module.parsed.text)
    return "" if spelled else f"{module.path} defines no {name}"


def _absent(it: Interpreter, name: str, level: int) -> str:
    """Where the first module of a dotted name should lie that is not there; "" where no folder of the tree is meant."""
    roots = tuple(it.roots)
    if level:
        above = it.module.folder.split("/") if it.module.folder else []
        if len(above) < level - 1:
            return ""
        roots = ("/".join(above[: len(above) - level + 1]),)
    return it.index.once(("absent", name, level > 0, roots), lambda: _absent_below(it, name, roots, relative=level > 0))


def _absent_below(it: Interpreter, name: str, roots: Sequence[str], *, relative: bool) -> str:
    if not relative and _is_installed(it, name):
        return ""
    parts = name.split(".")
    for root in roots:
        for count in range(len(parts) - 1, -1 if relative else 0, -1):
            folder = posixpath.join(root, *parts[:count])
            text = _text_of_package(it, folder)
            if text is not None:
                path = posixpath.join(folder, parts[count])
                return "" if _DYNAMIC.search(text) or _may_come(it, path) else path
    return ""


def _is_installed(it: Interpreter, name: str) -> bool:
    """Whether Python finds a library of this name: it takes one rather than a folder that is no package."""
    top = name.partition(".")[0]
    if any(it.tree.locate(posixpath.join(root, top, "__init__.py")) for root in it.roots):
        return False
    return is_library(name) or bool(it.index.once(("required", top), lambda: _required(it, top)))


def _required(it: Interpreter, top: str) -> str:
    """The file of requirements that asks for a library; "" where none does."""
    asked = re.compile(rf"^[\s\"']*{re.escape(top)}\b", re.MULTILINE)  # also `google-cloud-storage` for `google`
    return next((path for path in it.tree.requirement_files if asked.search(it.tree.text(path) or "")), "")


def _may_come(it: Interpreter, path: str) -> bool:
    return bool(it.index.once(("may come", path), lambda: path if may_come(it.tree, path) else ""))


def _text_of_package(it: Interpreter, folder: str) -> str | None:
    """What is executed when a folder is imported; None of one that holds no Python file itself."""
    if not it.index.holds_files(folder):  # of a repository in this one that was not fetched, or of data
        return None
    begins = it.tree.locate(posixpath.join(folder, "__init__.py"))
    return (begins and it.tree.text(begins)) or ""
