"""Windows of a list that are held out one after the other, as folds of a cross-validation are.

A loop that goes from window to window reads all of a list, whatever its order. Where a pass takes a window and, beside
it, all that is left of the list, each pass has a part of its own. That is read from the source: `[name for name in
names if name not in held]`, `set(names) - set(held)`, `del rest[a:b]` of a copy, and all folds of a list but one.

Windows of one item are the same ones in every order. What is left is no part of its own where it is only drawn from at
random, as noise for the recordings of the window is, or averaged, as a jackknife does.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Set

from cmgan_audit.facts.data.glances import is_told
from cmgan_audit.facts.items.cuts import PICKS
from cmgan_audit.facts.view import View
from cmgan_audit.lazy_dataclasses import dataclass
from cmgan_audit.source.syntax import NamedFunction, called_name, children, first_of, names_in, walk

_COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.GeneratorExp)
_DIFFERENCES = frozenset({"difference", "setdiff1d"})
_COPIES = frozenset({"list", "copy", "deepcopy"})
# Calls that take some of many, at random or the nearest, or make one number of all.
_DRAWS = PICKS | frozenset(
    "shuffle randint randrange integers min max argmin argmax mean fmean average median std stdev var".split()
)
_FORGETS = frozenset({"pop", "remove", "discard"})
_HANDING_ON = frozenset("list sorted tuple set array asarray len".split())


def is_held_out(view: View, path: str, window: ast.Subscript) -> bool:
    """Whether a loop uses what is left of a list beside a window of it, or all windows but one.

    Args:
        view: the run.
        path: the file.
        window: a subscript of the list, by bounds that the loop counts on.
    """
    if not isinstance(window.slice, ast.Slice) or window.slice.lower is None or _is_of_one(window.slice):
        return False
    outer = list(view.code.parents(path, window))
    statement = first_of(outer, ast.stmt)
    loop = first_of(outer, ast.For)
    held = frozenset({ast.unparse(window), *_given_to(statement)})
    rest = _Rest(view, path, window.slice, frozenset({ast.unparse(window.value)}), held)
    if loop is not None and any(map(rest.is_used_by, walk(loop))):
        return True
    folds = gathered(outer, statement)
    scope = next((each for each in outer if isinstance(each, NamedFunction | ast.Module)), None)
    return bool(folds) and scope is not None and any(rest.leaves_one_out(each, folds) for each in walk(scope))


def _is_of_one(cut: ast.Slice) -> bool:
    """Whether a window holds one item: `names[i:i + 1]`."""
    match cut.upper:
        case ast.BinOp(left=left, op=ast.Add(), right=ast.Constant(value=1)) if cut.lower is not None:
            return ast.unparse(left) == ast.unparse(cut.lower)
    return False


@dataclass(frozen=True, slots=True, eq=False)
class _Rest:
    """What a window leaves of its list.

    Attributes:
        view: the run.
        path: the file.
        cut: the bounds of the window.
        whole: what the list is called.
        held: how the window is written, and the names that it was given.
    """

    view: View
    path: str
    cut: ast.Slice
    whole: Set[str]
    held: Set[str]

    def is_used_by(self, node: ast.AST) -> bool:
        """Whether an expression or a statement of the loop makes it, for more than to tell or to draw from it."""
        match node:
            case ast.Compare(ops=[ast.NotIn() | ast.In() as asked], comparators=[right]) if _speaks_of(
                right, self.held
            ):
                return self._is_asked_of_all(node, asked)
            case ast.BinOp(left=ast.Call() as left, op=ast.Sub(), right=right) if called_name(left) == "set":
                found = self._is_of_all(left) and _speaks_of(right, self.held)
            case ast.Call() if called_name(node) in _DIFFERENCES:
                found = self._is_of_all(node) and any(_speaks_of(each, self.held) for each in node.args)
            case ast.Delete(targets=[ast.Subscript(value=ast.Name(id=rest), slice=cut)]):
                found = ast.dump(cut) == ast.dump(self.cut) and self._is_copy(node, rest)
                return found and not self._is_only_drawn_from(node, rest)
            case ast.For(iter=drawn, target=ast.Name(id=each)) if _speaks_of(drawn, self.held):
                copies = (rest for rest in _losing(node, each) if self._is_copy(node, rest))
                return any(not self._is_only_drawn_from(node, rest) for rest in copies)
            case _:
                return False
        return found and not self._comes_to_nothing(node)

    def leaves_one_out(self, loop: ast.AST, folds: Set[str]) -> bool:
        """Whether a loop over numbers gathers, in each pass, all folds but the one of its number.

        Args:
            loop: a node of the function with the folds.
            folds: what their list is called.
        """
        if not isinstance(loop, ast.For):
            return False
        counters = names_in(loop.target)
        for inner in walk(loop):
            if inner is loop or not isinstance(inner, (ast.For, *_COMPREHENSIONS)) or not _speaks_of(inner, folds):
                continue
            drawn = inner.generators if not isinstance(inner, ast.For) else [inner]
            if _tells_apart(inner, counters, names_in(*(each.target for each in drawn))):
                if isinstance(inner, ast.For):
                    return any(not self._is_only_drawn_from(inner, name) for name in _growing(inner))
                return _holds_folds(inner, folds) and not self._comes_to_nothing(inner)
        return False

    def _is_of_all(self, node: ast.AST) -> bool:
        """Whether an expression speaks of the list beside the window."""
        return _speaks_of(node, self.whole, self.held)

    def _is_asked_of_all(self, test: ast.Compare, asked: ast.cmpop) -> bool:
        """Whether each name of the list is asked whether it is in the window, and something is done if it is not."""
        for outer in self.view.code.parents(self.path, test):
            match outer:
                case ast.If(body=body, orelse=other):
                    if all(map(_only_forgets, other if isinstance(asked, ast.In) else body)):
                        return False
                case ast.ListComp() | ast.SetComp() | ast.GeneratorExp() if isinstance(asked, ast.NotIn):
                    drawn = any(self._is_of_all(each.iter) for each in outer.generators)
                    return drawn and not self._comes_to_nothing(outer)
                case ast.For(iter=drawn):
                    return self._is_of_all(drawn)
                case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.Lambda():
                    return False
        return False

    def _is_copy(self, node: ast.AST, name: str) -> bool:
        """Whether the loop around a statement makes a name a copy of the list: `rest = list(names)`."""
        loop = first_of(self.view.code.parents(self.path, node), ast.For)
        for each in walk(loop):
            match each:
                case ast.Assign(targets=[ast.Name(id=given)], value=ast.Call() as value) if given == name:
                    if called_name(value) in _COPIES and self._is_of_all(value):
                        return True
                case ast.Assign(
                    targets=[ast.Name(id=given)], value=ast.Subscript(value=owner, slice=ast.Slice(None, None))
                ):
                    if given == name and ast.unparse(owner) in self.whole:
                        return True
        return False

    def _comes_to_nothing(self, made: ast.AST) -> bool:
        return is_told(self.view, self.path, made) or self._is_drawn_from(made)

    def _is_drawn_from(self, inner: ast.AST, names: int = 2) -> bool:
        """Whether what stands at a node is there to be drawn from or averaged, also by so many names."""
        for outer in self.view.code.parents(self.path, inner):
            match outer:
                case ast.Attribute(attr="remove" | "append" | "extend") | ast.Subscript(ctx=ast.Del()):
                    return True  # it only gets longer or shorter
                case ast.Subscript(slice=index) if index is not inner:
                    return any(isinstance(each, ast.Call) and called_name(each) in _DRAWS for each in walk(index))
                case ast.Call() if called_name(outer) in _DRAWS or self._are_put_beside(outer):
                    return True
                case ast.Assign(targets=[ast.Name(id=name)]) if names:
                    return self._is_only_drawn_from(outer, name, names - 1)
                case ast.stmt():
                    return False
                case ast.Call() if called_name(outer) not in _HANDING_ON:
                    return False
            inner = outer
        return False

    def _are_put_beside(self, call: ast.Call) -> bool:
        """Whether a call gives each of the window one of the others: `zip(held, rest)`."""
        return called_name(call) == "zip" and any(ast.unparse(each) in self.held for each in call.args)

    def _is_only_drawn_from(self, node: ast.AST, name: str, names: int = 2) -> bool:
        """Whether all that the function around a node does with a name is to draw from it."""
        around = self.view.code.around(self.path, node)
        reads = [
            each
            for each in (around.own_nodes() if around is not None else ())
            if isinstance(each, ast.Name) and each.id == name and isinstance(each.ctx, ast.Load)
        ]
        return bool(reads) and all(self._is_drawn_from(each, names) for each in reads)


def _losing(loop: ast.For, item: str) -> Iterator[str]:
    """The names of what a loop takes its items out of: `rest.remove(name)`."""
    for node in walk(loop):
        match node:
            case ast.Call(func=ast.Attribute(value=ast.Name(id=rest), attr="remove"), args=[ast.Name(id=taken)]):
                if taken == item:
                    yield rest


def _growing(loop: ast.For) -> Iterator[str]:
    """The names of what a loop makes longer: `train += folds[other]`, `train.extend(folds[other])`."""
    for node in walk(loop):
        match node:
            case ast.Call(
                func=ast.Attribute(value=ast.Name(id=name), attr="append" | "extend"),
                args=[ast.Name() | ast.Subscript()],
            ):
                yield name
            case ast.AugAssign(target=ast.Name(id=name), op=ast.Add()):
                yield name
            case ast.Assign(targets=[ast.Name(id=name)], value=ast.BinOp(left=ast.Name(id=left), op=ast.Add())):
                if left == name:
                    yield name


def _holds_folds(made: ast.ListComp | ast.SetComp | ast.GeneratorExp, folds: Set[str]) -> bool:
    """Whether a comprehension holds folds or what lies in them, and not a number of each: `[len(folds[k]) for ...]`."""
    inside = (isinstance(each.iter, ast.Subscript) and _speaks_of(each.iter, folds) for each in made.generators)
    return isinstance(made.elt, ast.Name | ast.Subscript) or any(inside)


def _only_forgets(statement: ast.stmt) -> bool:
    """Whether a statement only takes something out of what is kept of an item: `del cache[name]`."""
    match statement:
        case ast.Expr(value=ast.Call(func=ast.Attribute(attr=name))):
            return name in _FORGETS
    return isinstance(statement, ast.Delete | ast.Pass | ast.Continue)


def _given_to(statement: ast.stmt | None) -> Set[str]:
    """The names that a statement gives what it makes of a window, but for those of all windows so far."""
    if not isinstance(statement, ast.Assign):
        return frozenset()
    targets = {each.id for each in statement.targets if isinstance(each, ast.Name)}
    return targets - names_in(statement.value)  # `done = done + names[a:b]`


def _speaks_of(node: ast.AST, texts: Set[str], but: Set[str] = frozenset()) -> bool:
    """Whether an expression of a node is one of some texts; what is one of others is not looked into."""
    if isinstance(node, ast.expr):
        text = ast.unparse(node)
        if text in but:
            return False
        if text in texts:
            return True
    return any(_speaks_of(each, texts, but) for each in children(node))


def gathered(outer: list[ast.AST], statement: ast.stmt | None) -> Set[str]:
    """What a list of all windows is called: `folds = [names[...] for ...]`, `folds.append(names[...])`.

    Args:
        outer: what holds a window, innermost first.
        statement: the statement among it; None where there is none.
    """
    match statement:
        case ast.Assign(value=ast.ListComp() as made) if made in outer:
            return _given_to(statement)
        case ast.Expr(value=ast.Call(func=ast.Attribute(value=ast.Name(id=folds), attr="append"))):
            return {folds}
    return frozenset()


def _tells_apart(node: ast.AST, some: Set[str], others: Set[str]) -> bool:
    """Whether a node asks whether one of some names and one of others are the same: `if other != fold`."""
    for test in walk(node):
        match test:
            case ast.Compare(left=ast.Name(id=a), ops=[ast.NotEq() | ast.Eq()], comparators=[ast.Name(id=b)]):
                if (a in some and b in others) or (a in others and b in some):
                    return True
    return False
