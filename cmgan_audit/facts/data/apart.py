"""Items of two lists that one loop takes side by side, and that nothing brings together.

A script that brings the clean and the noisy recordings to another rate may go through both folders in one loop: which
name meets which is nothing to it, as long as each file is read and written by its own name. What an item comes to
carries the number of its list, from statement to statement, also into a function of the same file; where one
expression has several numbers, or something keeps what comes of an item in the order of the loop, the items meet.
"""

from __future__ import annotations

import ast
import itertools
from collections.abc import Iterable, Mapping, Sequence, Set

from cmgan_audit.facts.view import View
from cmgan_audit.lazy_dataclasses import dataclass
from cmgan_audit.program.execution.trace import Event
from cmgan_audit.source.statements import SAYS, calls_one
from cmgan_audit.source.syntax import (
    bound_in,
    called_name,
    children,
    first_of,
    methods_of,
    names_in,
    single_parameters,
    walk,
)

_Lists = frozenset[int]  # the numbers of the lists whose items something comes of
_NONE: _Lists = frozenset()
_DEEPEST = 3
# What calls a function that it is handed, with what comes behind that.
_CALLS = frozenset({"partial", "submit", "apply_async"})


def zipped_apart(view: View, event: Event) -> bool:
    """Whether it is a `for` loop that goes through `zip(first, second)`, and the items of the two never meet in it."""
    zipped, path = view.code.call_at(event.location), event.location.path
    if zipped is None:
        return False
    loop = first_of(view.code.parents(path, zipped), ast.stmt)
    if not isinstance(loop, ast.For) or not any(each is zipped for each in walk(loop.iter)):
        return False
    calls = [called_name(each) for each in walk(loop.iter) if isinstance(each, ast.Call)]
    items = loop.target.elts[-1] if "enumerate" in calls and isinstance(loop.target, ast.Tuple) else loop.target
    names = items.elts if isinstance(items, ast.Tuple) else []
    return len(names) == len(zipped.args) and _apart(view, path, loop, names)


def read_apart(view: View, first: Event, second: Event) -> bool:
    """Whether a `for` loop reads `first[i]` and `second[i]`, and the two never meet in it."""
    path, nodes = first.location.path, [view.code.node_of(each) for each in (first, second)]
    items = [each for each in nodes if isinstance(each, ast.Subscript)]
    around = [[each for each in view.code.parents(path, item) if isinstance(each, ast.For)] for item in items]
    loop = next((each for each in around[0] if each in around[-1]), None) if len(items) == len(nodes) else None
    return loop is not None and _apart(view, path, loop, items)


def _apart(view: View, path: str, loop: ast.For, items: Sequence[ast.expr]) -> bool:
    """Whether items stay apart in a loop, each as it is written there; what the loop counts belongs to all of them."""
    module = view.code.module(path)
    tree = None if module is None else module.tree
    functions = {each.name: each for each in getattr(tree, "body", ()) if isinstance(each, ast.FunctionDef)}
    owner = first_of(view.code.parents(path, loop), ast.ClassDef)
    functions |= {f"self.{name}": each for name, each in (methods_of(owner) if owner is not None else {}).items()}
    modules = {each.asname or each.name for each in walk(tree) if isinstance(each, ast.alias)}
    added = [each.target for each in walk(loop) if isinstance(each, ast.AugAssign)]
    counted = dict.fromkeys((each.id for each in bound_in(loop.target, *added)), frozenset(range(len(items))))
    held = {ast.unparse(each): frozenset({number}) for number, each in enumerate(items)}
    return not _Course(functions, modules, counted | held).meet(loop.body)


@dataclass(slots=True)
class _Course:
    """What the code in a block holds of the items, from statement to statement."""

    functions: Mapping[str, ast.FunctionDef]
    modules: Set[str]
    held: dict[str, _Lists]
    asked: _Lists = _NONE  # whose items decide whether the block is come to
    depth: int = 0

    def meet(self, block: Iterable[ast.stmt]) -> bool:
        """Whether items of several lists meet in some statements, or in one that all of them come to."""
        return any(map(self._meets, block))

    def _meets(self, statement: ast.stmt) -> bool:
        match statement:
            case ast.Assign(value=value, targets=targets):
                return self._is_bound(value, targets)
            case ast.AugAssign(value=value) | ast.Assert(test=value):
                return len(self._of(value)) > 1
            case ast.Expr(value=value):
                return not calls_one(statement, SAYS) and (len(self._of(value)) > 1 or self._is_kept(value))
            case ast.If(test=asked, body=body, orelse=other):
                return self._parts(self._of(asked), body, other)
            case ast.For(iter=drawn, target=target, body=body, orelse=other):
                return self._is_bound(drawn, [target]) or self._parts(self._of(drawn), body, other)
            case ast.With(items=items, body=body):
                bound = [(each.context_expr, [each.optional_vars] if each.optional_vars else []) for each in items]
                return any(itertools.starmap(self._is_bound, bound)) or self.meet(body)
            case ast.Try(body=body, handlers=handlers, orelse=other, finalbody=last):
                return any(map(self.meet, (body, *(each.body for each in handlers), other, last)))
            case ast.Continue() | ast.Break() | ast.Return(value=None):
                return bool(self.asked)  # an item of one list decides what becomes of that of the other one
            case ast.Pass() | ast.Raise() | ast.Delete():
                return False
        return any(self._of(each) for each in children(statement))

    def _is_bound(self, value: ast.expr, targets: list[ast.expr]) -> bool:
        """Whether a value is of several lists, or is kept in something else than names, which hold it from here on."""
        lists = self._of(value)
        for target in targets:
            self.held.update((each.id, lists) for each in bound_in(target))
        kept = any(isinstance(each, ast.Attribute | ast.Subscript) for target in targets for each in walk(target))
        return len(lists) > 1 or (kept and bool(lists))

    def _parts(self, asked: _Lists, *blocks: list[ast.stmt]) -> bool:
        """Whether items meet in blocks of which each may be come to."""
        if len(asked | self.asked) > 1:
            return True
        before, after = self.held, dict(self.held)
        for block in blocks:
            inner = _Course(self.functions, self.modules, dict(before), self.asked | asked, self.depth)
            if inner.meet(block):
                return True
            for name, lists in inner.held.items():
                after[name] = after.get(name, _NONE) | lists
        self.held = after
        return False

    def _is_kept(self, value: ast.expr) -> bool:
        """Whether what comes of an item goes to an object of the program's own, which may keep it for the other one."""
        match value:
            case ast.Call(func=ast.Attribute(value=owner, attr=called)):
                own = called not in _CALLS and self.modules.isdisjoint(names_in(owner)) and not self._of(owner)
                return own and bool(self._of(value))
            case ast.Yield() | ast.YieldFrom():
                return bool(self._of(value))
        return False

    def _of(self, node: ast.AST) -> _Lists:
        """Of which lists something is that an expression gives."""
        if isinstance(node, ast.Name | ast.Subscript):
            known = self.held.get(ast.unparse(node))
            if known is not None:
                return known | self.asked
        if isinstance(node, ast.Call) and self._runs_apart(node):
            return _NONE
        return self.asked.union(*map(self._of, children(node)))

    def _runs_apart(self, call: ast.Call) -> bool:
        """Whether a call is of a function of the file that gives nothing, and in which the items stay apart too."""
        given = list(call.args)
        called = given.pop(0) if called_name(call) in _CALLS and given else call.func
        function = self.functions.get(ast.unparse(called))
        if function is None or self.depth >= _DEEPEST or function.args.vararg or function.args.kwarg:
            return False
        if any(isinstance(each, ast.Starred) for each in given) or any(each.arg is None for each in call.keywords):
            return False
        names = [each.arg for each in single_parameters(function.args) if each.arg != "self"]
        held = dict(zip(names, map(self._of, given), strict=False))
        held.update((each.arg or "", self._of(each.value)) for each in call.keywords)
        return not _Course(self.functions, self.modules, held, self.asked, self.depth + 1).meet(function.body)
