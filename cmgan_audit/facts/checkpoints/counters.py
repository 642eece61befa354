"""The number of the epoch or the step: where a training begins to count, and whether a checkpoint tells it to go on."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator
from functools import cached_property

from cmgan_audit.facts.bindings import bindings_in
from cmgan_audit.facts.code import Reached
from cmgan_audit.facts.view import View
from cmgan_audit.finding import Step, Trail
from cmgan_audit.lazy_regex import regex
from cmgan_audit.program.domain.values import Const, DictValue
from cmgan_audit.program.execution.trace import CallEvent
from cmgan_audit.program.naming.modules import Module
from cmgan_audit.program.naming.names import canonical
from cmgan_audit.source.syntax import walk

COUNTER = regex(r"epoch|step|iter", re.IGNORECASE)
_SETTINGS = regex(r"conf|cfg|arg|param|^hp|opt|setting", re.IGNORECASE)
# What a training counts, as a key of a checkpoint; "best_epoch" and "epochs_without_gain" are something else.
_COUNTED = regex(
    r"(last_|start_|current_|cur_|global_|train_)?(epoch|step|iter|iteration)(s|_idx|_num)?", re.IGNORECASE
)


class Counting:
    """How the outermost loop around the first step counts."""

    def __init__(self, view: View, start: int) -> None:
        self._view = view
        loops = view.scene.run.events[start].context.loops if start else ()
        self._place = loops[0].location if loops else None
        self._loop = view.code.node_at(loops[0].location) if loops else None

    @property
    def begins_with_constant(self) -> bool:
        """Whether the loop says so by itself: `for epoch in range(100)`."""
        match self._range:
            case ast.Call(args=[_]):
                return True
            case ast.Call(args=[first, _, *_]):
                return isinstance(first, ast.Constant)
        return False

    @cached_property
    def _range(self) -> ast.Call | None:
        node = self._loop.iter if isinstance(self._loop, ast.For) else self._loop
        return (
            node if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "range" else None
        )

    @cached_property
    def _start(self) -> ast.expr | None:
        """What the loop begins with: the start of its range, or what `while epoch < epochs` asks; None without one."""
        if self._range is not None:
            return self._range.args[0] if len(self._range.args) > 1 else None
        node = self._loop
        if isinstance(node, ast.While) and isinstance(node.test, ast.Compare) and len(node.test.ops) == 1:
            return node.test.left
        return None

    def goes_on(self, loads: Iterable[CallEvent]) -> bool:
        """Whether the loop begins with a number that is read from a file: `start = checkpoint["epoch"] + 1`."""
        wanted = set() if self._start is None else {_last(node) for node in walk(self._start)} - {""}
        return any(name in wanted for load in loads for name in self._numbers_read(load))

    def _numbers_read(self, load: CallEvent) -> Iterator[str]:
        """The names and attributes that get the count which stands in a file, in the function that loads it."""
        code = self._view.code
        node = code.node_at(load.location)
        function = None if node is None else code.around(load.location.path, node)
        bound = {} if function is None else bindings_in(function)
        files = {name for name, each in bound.items() if any(one.value is code.call_at(load.location) for one in each)}
        for name, each in bound.items():
            read = (key for one in each if one.value is not None for holder, key in _keys(one.value) if holder in files)
            if any(_COUNTED.fullmatch(key) for key in read):
                yield name.rpartition(".")[2]

    def left_behind(self) -> Trail:
        """Where the count begins anew and where it is saved, while nothing reads it; empty if that is not certain."""
        saved = self._saved()
        if saved is None or self._place is None or not self._begins_anew() or self._is_read():
            return ()
        event, key = saved
        return (
            Step(self._place, "the training counts from its beginning again"),
            Step(event.location, f'the count is saved as "{key}", and no load reads it'),
        )

    def _saved(self) -> tuple[CallEvent, str] | None:
        for event in self._view.scene.calls:
            held = event.arguments.get("obj", 0) if canonical(event.callee) == "torch.save" else None
            if isinstance(held, DictValue) and len(held.items) > 1:
                for key, value in held.items.items():
                    if isinstance(key, str) and _COUNTED.fullmatch(key) and not isinstance(value, Const):
                        return event, key
        return None

    def _begins_anew(self) -> bool:
        if self.begins_with_constant:
            return True
        match self._start:
            case ast.Name(id=name):
                around = self._view.code.around(self._place.path, self._loop) if self._place and self._loop else None
                return around is not None and name not in _parameters(around) and _is_constant(around, name)
            case ast.Attribute(attr=name):
                given = [value for module in self._modules for value in _given_to(module, name)]
                return bool(given) and all(isinstance(value, ast.Constant) for value in given)
        return False

    @property
    def _modules(self) -> list[Module]:
        return list({each.module.path: each.module for each in self._view.code.reached}.values())

    def _is_read(self) -> bool:
        """Whether any code of the run's files reads a count under a key, of whatever holds it but settings."""
        return any(
            _COUNTED.fullmatch(key) and not _SETTINGS.search(holder)
            for module in self._modules
            for node in (walk(module.tree) if module.tree is not None else ())
            if isinstance(node, ast.expr)
            for holder, key in _keys(node)
        )


def _is_constant(around: Reached, name: str) -> bool:
    bound = [each for each in bindings_in(around).get(name, []) if not each.adds]
    return bool(bound) and all(each.is_flag for each in bound)


def _parameters(around: Reached) -> set[str]:
    arguments = getattr(around.node, "args", None)
    return {each.arg for each in walk(arguments) if isinstance(each, ast.arg)} if arguments is not None else set()


def _given_to(module: Module, attribute: str) -> Iterator[ast.expr]:
    for node in walk(module.tree) if module.tree is not None else ():
        match node:
            case ast.Assign(targets=targets, value=value):
                for target in targets:
                    for part in walk(target):
                        if isinstance(part, ast.Attribute) and part.attr == attribute:
                            yield value
            case ast.For(target=target, iter=value):
                if any(isinstance(part, ast.Attribute) and part.attr == attribute for part in walk(target)):
                    yield value


def _keys(value: ast.expr) -> Iterator[tuple[str, str]]:
    """The keys that an expression reads, each with the name of what holds it: `int(state["epoch"]) + 1`."""
    for node in walk(value):
        match node:
            case ast.Subscript(value=holder, slice=ast.Constant(value=str() as key), ctx=ast.Load()):
                yield _last(holder), key
            case ast.Call(
                func=ast.Attribute(value=holder, attr="get" | "pop"), args=[ast.Constant(value=str() as key), *_]
            ):
                yield _last(holder), key


def _last(node: ast.AST) -> str:
    match node:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
    return ""
