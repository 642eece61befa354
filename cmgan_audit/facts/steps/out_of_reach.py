"""The lines that a run may have come to on a way that was not followed, without those that it cannot come to.

Where gradients are never seen to be set back, or a scheduler never to step, a line that would do it may still have been
reached on a way that was not followed. The other trainings of a repository are no such lines: a function of
another script, of which other names were imported, and a trainer that no object is of.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from cmgan_audit.facts.code import Reached
from cmgan_audit.facts.values import instances_of
from cmgan_audit.facts.view import View
from cmgan_audit.program.domain.values import ClassValue, External, FunctionValue, Instance, Value
from cmgan_audit.program.execution.trace import CallEvent
from cmgan_audit.program.naming.modules import Module
from cmgan_audit.source.syntax import walk

_DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
_Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef


def lines_in_reach(view: View) -> Iterator[tuple[str, int, str]]:
    """The lines of the files that a run executed code of, each with its path and number, without comments."""
    reached = view.code.reached
    executed: set[ast.AST] = {each.node for each in reached}
    modules = {each.module.path: each.module for each in reached}
    apart = _Apart(view)
    for path in sorted(modules):
        module = modules[path]
        out = [node for node in _outermost(module) if not _holds_any(node, executed) and apart.is_apart(module, node)]
        left_out = {number for node in out for number in range(node.lineno, (node.end_lineno or node.lineno) + 1)}
        for number, line in enumerate((view.tree.text(path) or "").splitlines(), start=1):
            if number not in left_out:
                yield path, number, line.partition("#")[0]


def _outermost(module: Module) -> list[_Definition]:
    return [node for node in module.tree.body if isinstance(node, _DEFINITIONS)] if module.tree is not None else []


def _holds_any(definition: _Definition, executed: set[ast.AST]) -> bool:
    return any(node in executed for node in walk(definition))


class _Apart:
    """What of the code of a run's files has nothing to do with it: asked for few definitions, and rarely."""

    def __init__(self, view: View) -> None:
        self._classes = _classes_of_objects(view)
        self._entry = view.scene.run.entry
        self._read: dict[str, set[str]] = {}
        for each in view.code.reached:
            self._read.setdefault(each.module.path, set()).update(_names_read(each, self._entry))
        self._modules = {each.module.path: each.module for each in view.code.reached}

    def is_apart(self, module: Module, definition: _Definition) -> bool:
        """Whether no executed code can have called a definition, as far as names tell.

        A decorator may have put it where it is looked up by another name.
        """
        if definition.decorator_list or definition in self._classes:
            return False
        name = definition.name
        for path, read in self._read.items():
            if path == module.path and name in read:
                return False
            if path != module.path and name in read and not _has_its_own(self._modules[path], name):
                return False
            if any(word.endswith(f".{name}") for word in read):
                return False
        return True


def _has_its_own(module: Module, name: str) -> bool:
    """Whether a module gives a name to something else than what it imports."""
    return any(node.name == name for node in _outermost(module))


def _names_read(reached: Reached, entry: str) -> Iterator[str]:
    """The names that code reads; `module.name` with its dots, and so what a text names in that way."""
    imported = _imported(reached.module)
    skipped: set[ast.AST] = set()
    if isinstance(reached.node, ast.Module) and reached.module.path != entry:
        for statement in reached.node.body:
            if isinstance(statement, ast.If) and any(
                isinstance(each, ast.Name) and each.id == "__name__" for each in walk(statement.test)
            ):
                skipped.update(walk(statement))  # what a file does when it is the script, and here it is not
    for node in reached.own_nodes():
        if node in skipped:
            continue
        match node:
            case ast.Name(id=name, ctx=ast.Load()):
                yield name
            case ast.Attribute(value=ast.Name(id=holder), attr=name) if holder in imported:
                yield f"{holder}.{name}"
            case ast.Attribute(value=ast.Attribute(), attr=name) if _root(node) in imported:
                yield f".{name}"
            case ast.Constant(value=str() as text) if "." in text and len(text.split()) == 1:
                yield text


def _root(node: ast.expr) -> str:
    while isinstance(node, ast.Attribute):
        node = node.value
    return node.id if isinstance(node, ast.Name) else ""


def _imported(module: Module) -> set[str]:
    """The names that the imports of a file bind, in functions too."""
    nodes = walk(module.tree) if module.tree is not None else []
    return {
        (alias.asname or alias.name).partition(".")[0]
        for node in nodes
        if isinstance(node, ast.Import | ast.ImportFrom)
        for alias in node.names
    }


def _classes_of_objects(view: View) -> set[ast.AST]:
    """The classes of the tree that an object of the run is of, with what these derive from."""
    found: set[ast.AST] = set()
    frames = {id(event.context): event.context.frames for event in view.scene.run.events}.values()
    values = [frame.value.bound_to for each in frames for frame in each if isinstance(frame.value, FunctionValue)]
    calls = (event for event in view.scene.run.events if isinstance(event, CallEvent))
    for value in (*values, *(each for event in calls for each in instances_of(event.result))):
        _add(value.cls if isinstance(value, Instance) else value, found)
    return found


def _add(cls: Value | None, found: set[ast.AST]) -> None:
    if isinstance(cls, ClassValue) and cls.node not in found:
        found.add(cls.node)
        for base in cls.bases:
            if not isinstance(base, External):
                _add(base, found)
