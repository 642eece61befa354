"""The number of the epoch or the step: where a training begins to count, and whether a checkpoint tells it to go on.

The best score so far is held against the checkpoint in the same way; `best_so_far.py` finds it.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterable, Iterator
from functools import cached_property

from cmgan_audit.facts.bindings import bindings_in, is_parameter
from cmgan_audit.facts.checkpoints.best_so_far import BEST, begun_anew, given_to_attribute, put_under_keys
from cmgan_audit.facts.code import Reached
from cmgan_audit.facts.passes.last_pass import range_behind
from cmgan_audit.facts.values import instances_of
from cmgan_audit.facts.view import View
from cmgan_audit.finding import Location, Step, Trail
from cmgan_audit.lazy_regex import regex
from cmgan_audit.program.domain.values import Const, DictValue, Value
from cmgan_audit.program.execution.trace import CallEvent
from cmgan_audit.program.naming.modules import Module
from cmgan_audit.program.naming.names import canonical
from cmgan_audit.source.syntax import called_name, is_shared, names_in, walk

COUNTER = regex(r"epoch|step|iter", re.IGNORECASE)
_SETTINGS = regex(r"conf|cfg|arg|param|^hp|opt|setting", re.IGNORECASE)
# What a training counts, as a key of a checkpoint; "best_epoch" and "epochs_without_gain" are something else.
_COUNTED = regex(
    r"(last_|start_|current_|cur_|global_|train_)?(epoch|step|iter|iteration)(s|_idx|_num)?", re.IGNORECASE
)
# What a checkpoint holds that no training goes on counting from, as a key of it.
_NO_COUNT = regex(
    r"best|loss|score|metric|pesq|conf|cfg|arg|param|hp|state|dict|model|optim|sched|version", re.IGNORECASE
)
_SETTING = frozenset({"setattr", "__setattr__"})
_NAMESPACES = frozenset({"vars", "globals", "locals"})


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
        return range_behind(node) if isinstance(node, ast.expr) else None

    @property
    def _around(self) -> Reached | None:
        """The function that the loop stands in."""
        return None if self._place is None or self._loop is None else self._around_node(self._place, self._loop)

    def _around_node(self, place: Location, node: ast.AST | None) -> Reached | None:
        return None if node is None else self._view.code.around(place.path, node)

    @cached_property
    def _start(self) -> ast.expr | None:
        """What the loop begins with: the start of its range, or what `while epoch < epochs` asks; None without one."""
        if self._range is not None:
            return self._range.args[0] if len(self._range.args) > 1 else None
        node = self._loop
        match node:
            case ast.For(iter=ast.Call(args=[start, *_]) as call) if called_name(call) == "count":
                return start  # of `itertools.count(start)`
        if isinstance(node, ast.While) and isinstance(node.test, ast.Compare) and len(node.test.ops) == 1:
            return node.test.left
        return None

    @property
    def _counted_up(self) -> set[str]:
        """What a loop without an end of its own counts: `while True: ...; self.step += 1`."""
        match self._loop:
            case ast.While(test=ast.Constant(value=test)) if test:
                counted = (_counted(node) for node in walk(self._loop))
                return {_last(each) for each in counted if each is not None and COUNTER.search(_last(each))}
        return set()

    def goes_on(self, loads: Iterable[CallEvent]) -> bool:
        """Whether the loop counts on from a number that is read from a file: `start = checkpoint["epoch"] + 1`."""
        wanted = self._counted_up if self._start is None else {_last(node) for node in walk(self._start)} - {""}
        return bool(wanted) and any(name in wanted for load in loads for name in self._numbers_read(load))

    def _numbers_read(self, load: CallEvent) -> Iterator[str]:
        """The names and attributes that get the count which stands in a file, as the function of the loop sees them."""
        function = self._around_node(load.location, self._view.code.node_at(load.location))
        here = self._around
        if function is None or here is None:
            return
        bound = bindings_in(function)
        call = self._view.code.call_at(load.location)
        files = {name for name, each in bound.items() if any(one.value is call for one in each)}
        counts = {
            name
            for name, each in bound.items()
            if any(one.value is not None and _reads_count(one.value, files) for one in each)
        }
        shared = {
            name for node in function.own_nodes() if isinstance(node, ast.Global | ast.Nonlocal) for name in node.names
        }
        for name in counts:
            if function.node is here.node or name.startswith("self.") or name in shared:
                yield name.rpartition(".")[2]
        given_back = (node.value for node in function.own_nodes() if isinstance(node, ast.Return) and node.value)
        if any(_reads_count(value, files) or counts & names_in(value) for value in given_back):
            for name, each in bindings_in(here).items():
                if any(isinstance(one.value, ast.expr) and function.name in _called(one.value) for one in each):
                    yield name.rpartition(".")[2]

    def left_behind(self) -> Trail:
        """Where the count begins anew and where it is saved, while nothing reads it; empty if that is not certain."""
        saved = self._saved()
        if saved is None or self._place is None or not self._begins_anew() or self._passes_over_some():
            return ()
        event, key, others = saved
        if self._is_read(others):
            return ()
        return (
            Step(self._place, "the training counts from its beginning again"),
            Step(event.location, f'the count is saved as "{key}", and no load reads it'),
        )

    def best_left_behind(self) -> Trail:
        """Where the search for the best epoch begins anew and where it is saved how far it has come, while nothing
        reads that; empty if that is not certain.

        The first epoch behind the resume is then the best one, whatever came before.
        """
        saved = self._saved()
        if saved is None or self._place is None:
            return ()
        place, held = saved[0].location, saved[0].arguments.get("obj", 0)
        keys = held.items if isinstance(held, DictValue) else ()
        best = next((key for key in self._keys_of_best() if key in keys and BEST.search(key)), "")
        if not best or self._reads(lambda key: BEST.search(key) is not None):
            return ()
        return (
            Step(self._place, "the search for the best begins anew"),
            Step(place, f'how far it has come is saved as "{best}", and no load reads it'),
        )

    def _keys_of_best(self) -> Iterator[str]:
        """The keys that the best score so far is put under, where its search begins as the same in every run."""
        if self._loop is None or self._around is None:
            return
        names = begun_anew(self._loop, self._around, self._modules)
        for key, value in put_under_keys(self._modules) if names else ():
            if not isinstance(value, ast.Compare) and any(_last(part) in names for part in walk(value)):
                yield key

    def _saved(self) -> tuple[CallEvent, str, set[str]] | None:
        """Where a count is saved, under which key, and the keys of what else may be one."""
        for event in self._view.scene.calls:
            held = event.arguments.get("obj", 0) if canonical(event.callee) == "torch.save" else None
            if not isinstance(held, DictValue) or len(held.items) < 2:
                continue
            varying = [key for key, value in held.items.items() if isinstance(key, str) and not _is_settled(value)]
            counted = next((key for key in varying if _COUNTED.fullmatch(key)), "")
            if counted:
                return event, counted, {key for key in varying if not _NO_COUNT.search(key)}
        return None

    def _begins_anew(self) -> bool:
        if self.begins_with_constant:
            return not isinstance(self._loop, ast.For) or names_in(self._loop.target) != {"_"}  # `_` counts nothing
        match self._start:
            case ast.Name(id=name):
                around = self._around
                return around is not None and not is_parameter(around.node, name) and _is_constant(around, name)
            case ast.Attribute(attr=name):
                given = [value for module in self._modules for value in given_to_attribute(module, name)]
                return bool(given) and all(isinstance(value, ast.Constant) for value in given)
        return False

    @property
    def _modules(self) -> list[Module]:
        return list({each.module.path: each.module for each in self._view.code.reached}.values())

    def _passes_over_some(self) -> bool:
        """Whether the body of the loop leaves some passes out by their number: `if epoch < done: continue`."""
        if not isinstance(self._loop, ast.For):
            return False
        numbers = names_in(self._loop.target)
        tests = (node.test for node in walk(self._loop) if isinstance(node, ast.If) and _goes_to_next(node))
        return any(numbers & names_in(test) for test in tests)

    def _is_read(self, others: set[str]) -> bool:
        """Whether any code of the run's files may read a count, of whatever holds it but settings."""
        return self._reads(lambda key: _COUNTED.fullmatch(key) is not None or key in others)

    def _reads(self, wanted: Callable[[str], bool]) -> bool:
        """Whether any code of the run's files may read what stands under a wanted key, of whatever holds it but
        settings: by itself, or with all that is set at once, as in `self.__dict__.update(state)`.
        """
        return any(
            _sets_by_name(node)
            or (
                isinstance(node, ast.expr)
                and any(wanted(key) and not _SETTINGS.search(holder) for holder, key in _keys(node))
            )
            for module in self._modules
            for node in walk(module.tree)
        )


def _is_settled(value: Value) -> bool:
    """Whether something that is saved is always the same, or the state of an object."""
    states = (each.external_name for each in instances_of(value))
    return isinstance(value, Const) or any(name.endswith("state_dict") for name in states)


def _goes_to_next(node: ast.If) -> bool:
    return any(isinstance(each, ast.Continue) for each in node.body)


def _sets_by_name(node: ast.AST) -> bool:
    """Whether attributes are set whose names are values: `setattr(self, key, value)`, `vars(self).update(state)`."""
    match node:
        case ast.Call(args=[_, name, _]) if called_name(node) in _SETTING:
            return not isinstance(name, ast.Constant)
        case ast.Call(func=ast.Attribute(attr="update", value=holder)):
            return _holds_attributes(holder)
        case ast.Assign(targets=[ast.Subscript(value=holder, slice=name)]):
            return _holds_attributes(holder) and not isinstance(name, ast.Constant)
        case ast.Assign(targets=[ast.Attribute(attr="__dict__")]):
            return True
    return False


def _holds_attributes(node: ast.expr) -> bool:
    return _last(node) == "__dict__" or (isinstance(node, ast.Call) and called_name(node) in _NAMESPACES)


def _reads_count(value: ast.expr, files: set[str]) -> bool:
    """Whether an expression reads the count of one of some loaded files."""
    return any(holder in files and _COUNTED.fullmatch(key) for holder, key in _keys(value))


def _called(value: ast.expr) -> set[str]:
    return {called_name(each) for each in walk(value) if isinstance(each, ast.Call)}


def _is_constant(around: Reached, name: str) -> bool:
    if is_shared(around.module.tree, name):
        return False
    bound = [each for each in bindings_in(around).get(name, []) if not each.adds]
    return bool(bound) and all(each.is_flag for each in bound)


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


def _counted(node: ast.AST) -> ast.expr | None:
    """What a statement adds to: `step += 1`, `step = step + 1`."""
    match node:
        case ast.AugAssign(target=target):
            return target
        case ast.Assign(targets=[target], value=ast.BinOp(left=left, op=ast.Add())):
            return target if ast.unparse(target) == ast.unparse(left) else None
    return None


def _last(node: ast.AST) -> str:
    match node:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
    return ""
