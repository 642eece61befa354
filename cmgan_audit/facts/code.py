"""The code that a run executed, as source: which functions, in which role, and the syntax node behind an event.

Values and their order are the trace's part (`facts/scene.py`). Some facts are about the shape of code instead: what a
handler does with a failed metric, what a mean is divided by. Collectors ask here for the source of what really ran, so
that dead code never becomes a fact.
"""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property

from cmgan_audit.facts.scene import Scene
from cmgan_audit.finding import Location, Step
from cmgan_audit.lazy_dataclasses import dataclass
from cmgan_audit.program.domain.values import Const, Value
from cmgan_audit.program.execution.sessions import interpreter_of
from cmgan_audit.program.execution.trace import CallEvent, Context, DecisionEvent, Event, Frame
from cmgan_audit.program.language.functions import qualified
from cmgan_audit.program.naming.modules import Module
from cmgan_audit.source.discovery import kind_of
from cmgan_audit.source.syntax import Function, NamedFunction, Outline, outline_of, walk

# The calls on the stack, outermost first: which activation of a function is meant.
Stack = tuple[Location, ...]
# A place, and the calls under which it was come to.
_Asked = tuple[Location, Stack]
_CALL, _FORWARD = ".__call__", ".forward"  # the call of a torch module runs its `forward`


def steps_through(frames: Iterable[Frame]) -> list[Step]:
    """The calls on a way, each as a step of a trail."""
    return [Step(frame.call, f"{frame.function.rpartition('.')[2]}() is called here") for frame in frames]


def stack_of(context: Context) -> Stack:
    """The calls on the stack of an event."""
    return tuple(frame.call for frame in context.frames)


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

    def own_nodes(self) -> tuple[ast.AST, ...]:
        """Its nodes in the order of the source, without those of functions and classes defined inside it."""
        return () if self.module.parsed is None else outline_of(self.module.parsed).own(self.node)


@dataclass(eq=False)
class Code:
    """The source behind one run."""

    scene: Scene

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
        for key, context in {id(event.context): event.context for event in self.scene.run.events}.items():
            for frame in context.frames:
                if frame.value is not None:
                    found[frame.value.node].setdefault(key, context)
        return {node: tuple(contexts.values()) for node, contexts in found.items()}

    @cached_property
    def activations(self) -> Mapping[Stack, ast.AST]:
        """The function behind every stack of calls, whether events happened in it or it only stores."""
        found: dict[Stack, ast.AST] = {}
        contexts = (context for each in self.contexts.values() for context in each)
        for frames in {id(context.frames): context.frames for context in contexts}.values():
            calls = tuple(frame.call for frame in frames)
            for depth, frame in enumerate(frames, start=1):
                if frame.value is not None:
                    found.setdefault(calls[:depth], frame.value.node)
        named = self._named
        for (place, stack), event in self.calls.items():
            node = named.get(event.callee)
            if node is None and event.callee.endswith(_CALL):
                node = named.get(event.callee.removesuffix(_CALL) + _FORWARD)
            if node is not None:
                found.setdefault((*stack, place), node)
        return found

    @cached_property
    def _named(self) -> Mapping[str, ast.AST]:
        """The executed functions by the names that calls give them, where one name means one function."""
        found: dict[str, set[ast.AST]] = defaultdict(set)
        for function in interpreter_of(self.scene.run).executed.values():
            found[qualified(function)].add(function.node)
        return {name: nodes.pop() for name, nodes in found.items() if len(nodes) == 1}

    @property
    def calls(self) -> Mapping[tuple[Location, Stack], CallEvent]:
        """The first call at every place, under every stack of calls."""
        return self._by_place[0]

    @property
    def decisions(self) -> Mapping[tuple[Location, Stack], Value]:
        """What the settings held that were asked at a place, the last time, under every stack of calls."""
        return self._by_place[1]

    @property
    def changing(self) -> frozenset[_Asked]:
        """Where the settings that were asked held one thing in one pass of a loop and another one in the next."""
        return self._by_place[2]

    @cached_property
    def _by_place(self) -> tuple[dict[_Asked, CallEvent], dict[_Asked, Value], frozenset[_Asked]]:
        calls: dict[_Asked, CallEvent] = {}
        decisions: dict[_Asked, Value] = {}
        changing: set[_Asked] = set()
        frames: tuple[Frame, ...] = ()
        stack: Stack = ()
        for event in self.scene.run.events:
            if event.context.frames is not frames:  # most events happen where the one before happened
                frames, stack = event.context.frames, stack_of(event.context)
            if isinstance(event, DecisionEvent):
                earlier = decisions.setdefault((event.location, stack), event.value)
                if isinstance(earlier, Const) and isinstance(event.value, Const) and earlier.value != event.value.value:
                    changing.add((event.location, stack))
                decisions[event.location, stack] = event.value
            elif isinstance(event, CallEvent):
                calls.setdefault((event.location, stack), event)
        return calls, decisions, frozenset(changing)

    def node_of(self, event: Event) -> ast.AST | None:
        """The expression or statement that an event stands for: the outermost node at exactly its place."""
        return self.node_at(event.location)

    def node_at(self, place: Location) -> ast.AST | None:
        """The outermost expression or statement at exactly a place."""
        outline = self._outline(place.path)
        return None if outline is None else outline.at(place)

    def call_at(self, place: Location) -> ast.Call | None:
        """The call at exactly a place, also where it is a statement of its own."""
        node = self.node_at(place)
        node = node.value if isinstance(node, ast.Expr | ast.Await) else node
        return node if isinstance(node, ast.Call) else None

    def is_statement(self, event: Event) -> bool:
        """Whether a call is a statement of its own: it happens for what it does, and nobody takes its answer."""
        return isinstance(self.node_at(event.location), ast.Expr)

    def parents(self, path: str, node: ast.AST) -> Iterator[ast.AST]:
        """The nodes that hold a node of a file, innermost first."""
        outline = self._outline(path)
        return iter(()) if outline is None else outline.parents(node)

    def holders(self, path: str, node: ast.AST) -> Iterator[ast.AST]:
        """The expressions around a node of a file, innermost first, and last the statement that they belong to."""
        for each in self.parents(path, node):
            yield each
            if isinstance(each, ast.stmt):
                return

    def around(self, path: str, node: ast.AST) -> Reached | None:
        """The innermost function that a node of a file stands in, or the top of the module; None in other files."""
        module = self.module(path)
        if module is None or module.tree is None:
            return None
        for each in self.parents(path, node):
            if isinstance(each, NamedFunction):
                return Reached(module, each, each.name)
        return Reached(module, module.tree, "<module>")

    def module(self, path: str) -> Module | None:
        """The module of a file of code; None for a file of settings, where values come from too."""
        return interpreter_of(self.scene.run).index.at(path) if kind_of(path) in ("python", "notebook") else None

    def nodes(self, path: str) -> list[ast.AST]:
        """All nodes of a file; none of one that is no code, or that could not be parsed."""
        module = self.module(path)
        return walk(None if module is None else module.tree)

    def place_of(self, path: str, node: ast.AST) -> Location:
        """Where a node of a file stands."""
        module = self.module(path)
        return Location(path, getattr(node, "lineno", 1)) if module is None else module.location(node)

    def _outline(self, path: str) -> Outline | None:
        module = self.module(path)
        return None if module is None or module.parsed is None else outline_of(module.parsed)
