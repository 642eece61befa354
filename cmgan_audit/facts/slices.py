"""What a value was made from, read backwards through the source that a run executed.

The interpreter knows settings, but a measured number (`val_loss`, `best_pesq`) is only "computed at run time" to it. A
slice answers where such a number comes from: the calls, comparisons and loops behind an expression, each with the
stack of calls in which it stands, so that one `evaluate()` that serves two loaders is told apart by its caller.
"""

from __future__ import annotations

import ast
from collections import defaultdict, deque
from collections.abc import Iterator
from dataclasses import field
from functools import cached_property
from itertools import islice

from cmgan_audit.facts.bindings import Binding, bindings_in, bound_argument, handed_on, is_parameter, reaching
from cmgan_audit.facts.code import Code, Reached, Stack
from cmgan_audit.facts.values import same_object
from cmgan_audit.finding import Location
from cmgan_audit.lazy_dataclasses import dataclass
from cmgan_audit.program.domain.values import Instance
from cmgan_audit.program.execution.trace import CallEvent
from cmgan_audit.source.syntax import arguments_of, children

_MOST_STEPS = 4_000
_MOST_CALLS = 12  # of a method that fills what an object holds: a tracker's training updates come before the others
_LOOPS = (ast.For, ast.AsyncFor, ast.ListComp, ast.SetComp, ast.GeneratorExp, ast.DictComp)


@dataclass(frozen=True, slots=True, eq=False)
class Found:
    """A node behind a value: the file and the stack of calls in which it stands."""

    node: ast.AST
    path: str
    stack: Stack

    def beside(self, node: ast.AST) -> Found:
        """Another node of the same file, in the same calls."""
        return Found(node, self.path, self.stack)


@dataclass(slots=True)
class Slice:
    """What is behind an expression, each nearest first: calls, comparisons, loops in which it is gathered, and what is
    read by a name, `settings["valid"]` or `args.valid_list`."""

    calls: list[Found] = field(default_factory=list)
    named: list[Found] = field(default_factory=list)
    compares: list[Found] = field(default_factory=list)
    loops: list[Found] = field(default_factory=list)


# Which part of a value is meant: the place in a tuple, or the key of an entry; None for all of it.
Item = int | str | None


@dataclass(frozen=True, slots=True, eq=False)
class _Task:
    node: ast.AST
    function: Reached
    stack: Stack
    item: Item = None

    @property
    def key(self) -> _Key:
        return id(self.node), id(self.stack), self.item


# What a task is about: the node, the stack (every stack is one object within a run) and the item.
_Key = tuple[int, int, Item]


class Slicer:
    """Slices of one run. Many of its values have the same ones behind them: every step backwards is taken once."""

    def __init__(self, code: Code) -> None:
        self._code = code
        self._bindings: dict[ast.AST, dict[str, list[Binding]]] = {}
        self._stacks_known: dict[Stack, Stack] = {}
        self._steps: dict[tuple[_Key, int], tuple[tuple[_Task, ...], Slice]] = {}
        self._owners_at: dict[Location, tuple[str, ...]] = {}

    def behind(self, node: ast.AST, path: str, stack: Stack) -> Slice:
        """What is behind an expression.

        Args:
            node: the expression.
            path: its file.
            stack: the calls in which it is evaluated.
        """
        found = Slice()
        stack = self._one(stack)
        function = self._function_around(Found(node, path, stack))
        waiting = deque([_Task(node, function, stack)] if function is not None else [])
        seen: set[_Key] = set()
        while waiting and len(seen) < _MOST_STEPS:
            task = waiting.popleft()
            key = task.key
            if key not in seen:
                seen.add(key)
                tasks, near = self._step(task)
                waiting.extend(tasks)
                found.calls += near.calls
                found.named += near.named
                found.compares += near.compares
                found.loops += near.loops
        return found

    def given(self, name: ast.Name, path: str, stack: Stack) -> list[ast.expr]:
        """The expressions that a name may have been given where it is read, in its function or at the top level.

        Args:
            name: the name.
            path: its file.
            stack: the calls in which it is read.
        """
        function = self._function(path, self._one(stack))
        if function is None:
            return []
        bound = reaching(self._bound(function).get(name.id, []), name, [name, *self._code.parents(path, name)])
        top = self._tops.get(path)
        if not bound and top is not None and top is not function and not is_parameter(function.node, name.id):
            bound = self._bound(top).get(name.id, [])
        return [each.value for each in bound if each.value is not None]

    def sources(self, found: Found, item: int | None = None) -> list[tuple[Found, int | None]]:
        """One step back from a name, an attribute of `self` or the call of a function of the tree.

        Args:
            found: the name, attribute or call.
            item: which item of its value is meant.

        Returns:
            The expressions that it stands for, each with the item of it that is meant; none where there is no code.
        """
        assert isinstance(found.node, ast.expr)
        stack = self._one(found.stack)
        function = self._function_around(found)
        if function is None:
            return []
        task, node, near = _Task(found.node, function, stack, item), found.node, Slice()
        tasks: Iterator[_Task] = iter(())
        match node:
            case ast.Name():
                tasks = self._names(task, node.id, node, near)
            case ast.Attribute(value=ast.Name(id="self")):
                tasks = self._of_self(task, f"self.{node.attr}", near)
            case ast.Call() if (*stack, self._code.place_of(found.path, node)) in self._code.activations:
                tasks = self._of_call(task, node)
        found_at = ((Found(each.node, each.function.module.path, each.stack), each.item) for each in tasks)
        places = ((each, which if isinstance(which, int) else None) for each, which in found_at)
        return [(each, which) for each, which in places if not self._is_test(each)]

    def _is_test(self, found: Found) -> bool:
        """Whether an expression is what a branch asks, which decides about a flag but is not its value."""
        parent = next(self._code.parents(found.path, found.node), None)
        return isinstance(parent, ast.If) and parent.test is found.node

    def _step(self, task: _Task) -> tuple[tuple[_Task, ...], Slice]:
        """The tasks behind a task, and what it finds by itself."""
        key = (task.key, id(task.function.node))
        step = self._steps.get(key)
        if step is None:
            near = Slice()
            step = self._steps[key] = (tuple(self._expand(task, near)), near)
        return step

    def _one(self, stack: Stack) -> Stack:
        """The one object that stands for all equal stacks."""
        return self._stacks_known.setdefault(stack, stack)

    def event(self, found: Found) -> CallEvent | None:
        """The call that the run has made at a place, in the calls in which it stands."""
        return self._code.calls.get((self.location(found), found.stack))

    def location(self, found: Found) -> Location:
        """Where a node of a slice stands."""
        return self._code.place_of(found.path, found.node)

    # Functions and their activations

    @cached_property
    def _reached(self) -> dict[ast.AST, Reached]:
        return {reached.node: reached for reached in self._code.reached}

    @cached_property
    def _tops(self) -> dict[str, Reached]:
        tops = (reached for reached in self._code.reached if isinstance(reached.node, ast.Module))
        return {reached.module.path: reached for reached in tops}

    @cached_property
    def _stacks(self) -> dict[ast.AST, list[Stack]]:
        """The stacks under which a function was executed."""
        found: dict[ast.AST, list[Stack]] = defaultdict(list)
        for stack, node in self._code.activations.items():
            found[node].append(stack)
        return found

    @cached_property
    def _attributes(self) -> dict[str, list[tuple[Binding, Reached]]]:
        """The assignments to attributes of `self`, by name."""
        found: dict[str, list[tuple[Binding, Reached]]] = defaultdict(list)
        for reached in self._code.reached:
            for name, bound in self._bound(reached).items():
                if name.startswith("self."):
                    found[name].extend((each, reached) for each in bound)
        return found

    def _function(self, path: str, stack: Stack) -> Reached | None:
        node = self._code.activations.get(stack) if stack else None
        reached = self._reached.get(node) if node is not None else self._tops.get(path)
        return reached if reached is not None and reached.module.path == path else self._tops.get(path)

    def _function_around(self, found: Found) -> Reached | None:
        """The function that an expression stands in: a framework calls several from one place.

        The `forward` of a network is read here though the run has not gone through it.
        """
        parents = self._code.parents(found.path, found.node)
        node = next((each for each in parents if each in self._reached or isinstance(each, ast.FunctionDef)), None)
        module = self._code.module(found.path)
        if isinstance(node, ast.FunctionDef) and node not in self._reached and module is not None:
            return Reached(module, node, node.name)
        return self._reached[node] if node is not None else self._tops.get(found.path)

    def _bound(self, function: Reached) -> dict[str, list[Binding]]:
        if function.node not in self._bindings:
            self._bindings[function.node] = bindings_in(function)
        return self._bindings[function.node]

    # One step backwards

    def _expand(self, task: _Task, found: Slice) -> Iterator[_Task]:
        node, path = task.node, task.function.module.path
        here = Found(node, path, task.stack)
        if isinstance(node, _LOOPS):
            found.loops.append(here)
        match node:
            case ast.Name():
                yield from self._names(task, node.id, node, found)
            case ast.Attribute(value=ast.Name(id="self")):
                yield from self._of_self(task, f"self.{node.attr}", found)
            case ast.Attribute():
                found.named.append(here)
                yield _Task(node.value, task.function, task.stack)
                yield from self._of_object(node, found)
            case ast.Subscript():
                index = node.slice.value if isinstance(node.slice, ast.Constant) else None
                if isinstance(index, str):
                    found.named.append(here)
                yield _Task(node.value, task.function, task.stack, index if isinstance(index, int | str) else None)
            case ast.Tuple() | ast.List() if isinstance(task.item, int) and task.item < len(node.elts):
                yield _Task(node.elts[task.item], task.function, task.stack)
            case ast.Dict() | ast.Call(func=ast.Name(id="dict")) if (entry := _entry(node, task.item)) is not None:
                yield _Task(entry, task.function, task.stack)
            case ast.Call():
                found.calls.append(here)
                yield from self._of_call(task, node)
            case ast.Lambda() | ast.Constant():
                return
            case _:
                if isinstance(node, ast.Compare):
                    found.compares.append(here)
                for child in children(node):
                    if isinstance(child, ast.expr | ast.comprehension | ast.keyword):
                        yield _Task(child, task.function, task.stack)

    def _names(self, task: _Task, name: str, use: ast.AST, found: Slice) -> Iterator[_Task]:
        bound = self._bound(task.function).get(name, [])
        parents = [use, *self._code.parents(task.function.module.path, use)]
        near = reaching(bound, use, parents)
        if near:
            for each in near:
                yield from self._of_binding(each, task, found)
            if all(each.adds for each in near) and task.stack and not isinstance(task.function.node, ast.Module):
                yield from self._of_parameter(task, name)  # what was given stays a part of it
        elif not isinstance(task.function.node, ast.Module):
            if task.stack:  # `batch = prepare(batch)`: what is read here was given, whatever the name holds later
                yield from self._of_parameter(task, name)
            top = None if is_parameter(task.function.node, name) else self._tops.get(task.function.module.path)
            for each in self._bound(top).get(name, []) if top is not None and not bound else ():
                assert top is not None
                yield from self._of_binding(each, _Task(use, top, self._one(())), found)

    def _of_binding(self, bound: Binding, task: _Task, found: Slice) -> Iterator[_Task]:
        path = task.function.module.path
        item = task.item if bound.item is None else bound.item
        if isinstance(item, str) and (bound.adds or isinstance(bound.statement, ast.For | ast.AsyncFor)):
            if bound.entry not in (None, item):
                return  # another entry than the one that is read
            item = None
        if bound.value is not None:
            yield _Task(bound.value, task.function, task.stack, item)
        for parent in (bound.statement, *self._code.parents(path, bound.statement)):
            if parent is task.function.node:
                break
            if isinstance(parent, ast.For | ast.AsyncFor):
                found.loops.append(Found(parent, path, task.stack))
            if isinstance(parent, ast.If) and bound.is_flag:
                yield _Task(parent.test, task.function, task.stack)

    def _of_self(self, task: _Task, name: str, found: Slice) -> Iterator[_Task]:
        for bound, reached in self._attributes.get(name, ()):
            for stack in self._of_the_same(task.stack, self._stacks.get(reached.node, [])):
                task_there = _Task(bound.statement, reached, self._one(stack), task.item)
                yield from self._of_binding(bound, task_there, found)

    def _of_object(self, node: ast.Attribute, found: Slice) -> Iterator[_Task]:
        """What an attribute of an object was given in its methods: `stopper.step(loss)` sets `stopper.stop`."""
        bindings = self._attributes.get(f"self.{node.attr}", ())
        owner = ast.unparse(node.value) if bindings else ""
        for bound, reached in bindings:
            stacks = (each for each in self._stacks.get(reached.node, ()) if self._is_called_on(owner, each))
            for stack in islice(stacks, _MOST_CALLS):
                yield from self._of_binding(bound, _Task(bound.statement, reached, self._one(stack)), found)

    def _is_called_on(self, owner: str, stack: Stack) -> bool:
        """Whether a stack goes through a method of an object, or a call of it, by the name of the object."""
        return any(owner in self._owners(place) for place in stack)

    def _owners(self, place: Location) -> tuple[str, ...]:
        """The names of objects that a call at a place may be of: `net` and `net.encode` where it is `net.encode(x)`.

        Thousands of stacks go through few places.
        """
        if place not in self._owners_at:
            call = self._code.call_at(place)
            called = call.func if call is not None else None
            whole = [called] if isinstance(called, ast.Name | ast.Attribute) else []
            holding = [called.value] if isinstance(called, ast.Attribute) else []
            self._owners_at[place] = tuple(ast.unparse(each) for each in (*whole, *holding))
        return self._owners_at[place]

    def _of_the_same(self, here: Stack, stacks: list[Stack]) -> list[Stack]:
        """The calls of a method that may be of the object whose method runs, and not surely of another one."""
        if here in stacks:
            return [here]
        own = self._owner(here)
        others = (each for each in stacks if own is None or self._may_be(own, self._owner(each)))
        return list(islice(others, _MOST_CALLS))

    def _owner(self, stack: Stack) -> Instance | None:
        """The object whose method a stack ends in; None where that is not known."""
        event = self._code.calls.get((stack[-1], stack[:-1])) if stack else None
        owner = None if event is None else event.receiver or event.result
        return owner if isinstance(owner, Instance) else None

    @staticmethod
    def _may_be(own: Instance, other: Instance | None) -> bool:
        return other is None or same_object(own, other) or own.cls is not other.cls

    def _of_parameter(self, task: _Task, name: str) -> Iterator[_Task]:
        call = self._code.call_at(task.stack[-1])
        stack = self._one(task.stack[:-1])
        caller = self._function(task.stack[-1].path, stack)
        if call is None or caller is None or isinstance(task.function.node, ast.Module):
            return
        handed = handed_on(task.function.node, call, name)
        given = [bound_argument(task.function.node, call, name)] if handed is None else handed
        yield from (_Task(each, caller, stack) for each in given if each is not None)

    def _of_call(self, task: _Task, node: ast.Call) -> Iterator[_Task]:
        stack = self._one((*task.stack, self._code.place_of(task.function.module.path, node)))
        function = self._reached.get(self._code.activations[stack]) if stack in self._code.activations else None
        if function is None:
            if isinstance(node.func, ast.Attribute):
                yield _Task(node.func.value, task.function, task.stack)
            for argument in arguments_of(node):
                yield _Task(argument, task.function, task.stack)
            return
        if isinstance(function.node, ast.Lambda):
            yield _Task(function.node.body, function, stack)
            return
        for inner in function.own_nodes():
            if isinstance(inner, ast.Return) and inner.value is not None:
                yield _Task(inner.value, function, stack, task.item)
                if isinstance(inner.value, ast.Constant):
                    parents = self._code.parents(function.module.path, inner)
                    tests = [parent.test for parent in parents if isinstance(parent, ast.If)]
                    yield from (_Task(test, function, stack) for test in tests)


def _entry(node: ast.Dict | ast.Call, key: Item) -> ast.expr | None:
    """What a display of a dictionary, or a call of `dict`, holds under a key; None where that is not certain."""
    if isinstance(node, ast.Call):
        return next((each.value for each in node.keywords if each.arg == key and key is not None), None)
    found = None
    for name, value in zip(node.keys, node.values, strict=True):
        if not isinstance(name, ast.Constant):
            return None  # `**others`, or a key that is computed
        if name.value == key:
            found = value
    return found
