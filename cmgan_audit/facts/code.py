"""The code that a run executed, as source: which functions, in which role, and the syntax node behind an event.

Values and their order are the trace's part (`facts/scene.py`). Some facts are about the shape of code instead: what a
handler does with a failed metric, what a mean is divided by. Collectors ask here for the source of what really ran, so
that dead code never becomes a fact.
"""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from cmgan_audit.facts.scene import Scene
from cmgan_audit.finding import Location
from cmgan_audit.program.modules import Module
from cmgan_audit.program.sessions import interpreter_of
from cmgan_audit.program.trace import Context, Event

Function = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda


@dataclass(frozen=True, eq=False)
class Reached:
    """A function that the run executed, or the top level of a module (`node` is then the module's tree).

    `name` is qualified ("Trainer.train_step"), "<module>" for a top level.
    """

    module: Module
    node: Function | ast.Module
    name: str

    @property
    def location(self) -> Location:
        """Where it begins."""
        return Location(self.module.path, 1) if isinstance(self.node, ast.Module) else self.module.location(self.node)

    def own_nodes(self) -> Iterator[ast.AST]:
        """Its nodes in the order of the source, without those of functions and classes defined inside it."""
        return iter(self._own_nodes)

    @cached_property
    def _own_nodes(self) -> tuple[ast.AST, ...]:
        found: list[ast.AST] = []
        waiting: list[ast.AST] = list(reversed(_body(self.node)))
        while waiting:
            node = waiting.pop()
            found.append(node)
            if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda | ast.ClassDef):
                waiting.extend(reversed(list(ast.iter_child_nodes(node))))
        return tuple(found)


def _body(node: Function | ast.Module) -> list[ast.AST]:
    return [node.body] if isinstance(node, ast.Lambda) else list(node.body)


@dataclass(eq=False)
class Code:
    """The source behind one run."""

    scene: Scene
    _files: dict[str, _File] = field(default_factory=dict)

    @cached_property
    def reached(self) -> tuple[Reached, ...]:
        """What was executed: top levels of modules, then functions, each in the order of execution."""
        it = interpreter_of(self.scene.run)
        modules = (environment.module for environment in it.environments.values())
        tops = [Reached(module, module.tree, "<module>") for module in modules if module.tree is not None]
        functions = [Reached(value.module, value.node, value.qualname) for value in it.executed.values()]
        return (*tops, *functions)

    @cached_property
    def files(self) -> tuple[str, ...]:
        """The files whose top level was executed; a folder that is imported as a package without a file is none."""
        environments = interpreter_of(self.scene.run).environments
        return tuple(path for path, each in environments.items() if each.module.tree is not None)

    @cached_property
    def contexts(self) -> Mapping[ast.AST, tuple[Context, ...]]:
        """For every function that events happened in: the contexts of those events, callers included."""
        found: dict[ast.AST, dict[int, Context]] = defaultdict(dict)
        for event in self.scene.run.events:
            for frame in event.context.frames:
                if frame.value is not None:
                    found[frame.value.node].setdefault(id(event.context), event.context)
        return {node: tuple(contexts.values()) for node, contexts in found.items()}

    def node_of(self, event: Event) -> ast.AST | None:
        """The expression or statement that an event stands for: the outermost node at exactly its place."""
        return self.node_at(event.location)

    def node_at(self, place: Location) -> ast.AST | None:
        """The outermost expression or statement at exactly a place."""
        file = self._file(place.path)
        return None if file is None else file.nodes.get(_span(place))

    def call_at(self, place: Location) -> ast.Call | None:
        """The call at exactly a place, also where it is a statement of its own."""
        node = self.node_at(place)
        node = node.value if isinstance(node, ast.Expr | ast.Await) else node
        return node if isinstance(node, ast.Call) else None

    def parents(self, path: str, node: ast.AST) -> Iterator[ast.AST]:
        """The nodes that hold a node of a file, innermost first."""
        file = self._file(path)
        while file is not None and node in file.parents:
            node = file.parents[node]
            yield node

    def module(self, path: str) -> Module | None:
        """The module of a file."""
        return interpreter_of(self.scene.run).index.at(path)

    def _file(self, path: str) -> _File | None:
        if path not in self._files:
            module = self.module(path)
            if module is None or module.tree is None:
                return None
            self._files[path] = _File(module)
        return self._files[path]


_Span = tuple[int, int, int | None, int | None]


def _span(place: Location) -> _Span:
    return (place.line, place.column, place.end_line, place.end_column)


class _File:
    """The nodes of one file by place, and the node that holds each."""

    def __init__(self, module: Module) -> None:
        self.nodes: dict[_Span, ast.AST] = {}
        self.parents: dict[ast.AST, ast.AST] = {}
        waiting: list[ast.AST] = [] if module.tree is None else [module.tree]
        while waiting:
            node = waiting.pop()
            if isinstance(node, ast.expr | ast.stmt):
                self.nodes.setdefault(_span(module.location(node)), node)
            for child in ast.iter_child_nodes(node):
                self.parents[child] = node
                waiting.append(child)
