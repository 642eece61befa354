"""What training makes smaller or larger: what a backward pass starts from is a loss, by whichever name and formula.

The losses and metrics of torch and a few libraries are known by name. The rest of the field's losses (negative SI-SNR,
weighted sums over spectra) are functions and classes of the repository or of smaller libraries, and the training that
steps along their gradients says which of their values are the better ones.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from functools import cached_property

from cmgan_audit.facts.code import Reached, stack_of
from cmgan_audit.facts.selection.givers import Giver, giver_of
from cmgan_audit.facts.selection.ways import was_taken
from cmgan_audit.facts.slices import Found
from cmgan_audit.facts.values import constant
from cmgan_audit.facts.view import View

# What gives a number, and the item of what it returns (None for the whole).
Part = tuple[Giver, int | None]
# The sign of a factor; 0 where it is open.
Sign = Callable[[Found], int]
# What passes a number on: a mean of losses is made smaller with them.
_PASSING = frozenset("mean sum scale unsqueeze squeeze float to cuda item".split())
_STEP_OF_FRAMEWORK = "training_step"
_DEEPEST = 12
_MOST_STEPS = 400


class Minimised:
    """What training makes smaller or larger."""

    def __init__(self, view: View, sign: Sign) -> None:
        self._view = view
        self._sign = sign

    def by(self, here: Found, item: int | None) -> tuple[str, bool] | None:
        """What a call runs, by name, and whether training makes what it gives smaller.

        Args:
            here: the call.
            item: which item of its value is meant.

        Returns:
            None where training makes it neither smaller nor larger, or both.
        """
        giver = giver_of(self._view, here)
        smaller = None if giver is None else self._found.get((giver, item))
        return None if giver is None or smaller is None else (giver.name(self._view), smaller)

    def name_of(self, formula: ast.AST) -> str:
        """The name of the loss that an expression writes out: `loss = ((estimate - clean) ** 2).mean()`.

        Args:
            formula: the expression.

        Returns:
            "" where no backward pass starts from it: `loss.backward()`.
        """
        return self._search.formulas.get(formula, "")

    @cached_property
    def _found(self) -> dict[Part, bool]:
        return {part: next(iter(ways)) for part, ways in self._search.found.items() if len(ways) == 1}

    @cached_property
    def _search(self) -> _Search:
        search = _Search(self._view, self._sign)
        if any(constant(each.arguments.get("maximize")) is True for each in self._view.scene.calls):
            return search  # an optimiser that makes its loss larger; which one steps along which loss is not asked
        for start in (*_backward_passes(self._view), *_returned_to_framework(self._view)):
            search.follow(start, None, smaller=True, depth=0)
            search.name(start)
        return search


def _backward_passes(view: View) -> Iterator[Found]:
    """What backward passes start from: `loss.backward()`, `scaler.scale(loss).backward()`, `fabric.backward(loss)`."""
    for use in view.scene.of("backward"):
        event = use.event
        call = view.code.call_at(event.location)
        if call is None or not isinstance(call.func, ast.Attribute):
            continue
        node = call.args[0] if call.args and not isinstance(call.args[0], ast.Constant) else call.func.value
        yield Found(node, event.location.path, stack_of(event.context))


def _returned_to_framework(view: View) -> Iterator[Found]:
    """What the training steps that a framework calls return, which it steps along."""
    for reached in view.code.reached:
        if reached.name.rpartition(".")[2] != _STEP_OF_FRAMEWORK:
            continue
        for context in view.code.contexts.get(reached.node, ())[:1]:
            frames = context.frames
            depth = next(
                number for number, each in enumerate(frames, 1) if each.value and each.value.node is reached.node
            )
            if not _is_called_by_name(view.code.call_at(frames[depth - 1].call)):
                stack = tuple(frame.call for frame in frames[:depth])
                yield from (Found(value, reached.module.path, stack) for value in _returned(reached))


def _is_called_by_name(call: ast.Call | None) -> bool:
    """Whether it is the tree that calls a training step: what becomes of its value is seen there."""
    match call:
        case ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name)):
            return name == _STEP_OF_FRAMEWORK
    return False


def _returned(function: Reached) -> Iterator[ast.expr]:
    """The loss that a training step returns, alone or in a dictionary."""
    for node in function.own_nodes():
        match node:
            case ast.Return(value=ast.Dict(keys=keys, values=values)):
                named = zip(keys, values, strict=True)
                yield from (each for key, each in named if isinstance(key, ast.Constant) and key.value == "loss")
            case ast.Return(value=ast.expr() as value):
                yield value


class _Search:
    """Goes back from losses to the functions that give them."""

    def __init__(self, view: View, sign: Sign) -> None:
        self._view = view
        self._sign = sign
        self._left = _MOST_STEPS
        self.found: dict[Part, set[bool]] = {}
        self.formulas: dict[ast.AST, str] = {}  # the name that each is given

    def name(self, start: Found) -> None:
        """Note the formula of the loss itself, where it is given a name: no summand of it, and nothing turned round."""
        if isinstance(start.node, ast.Name | ast.Attribute):
            sources = self._view.slicer.sources(start)
            if all(item is None and self._change(each) == 1 for each, item in sources):
                self.formulas |= {each.node: ast.unparse(start.node) for each, _ in sources}

    def follow(self, here: Found, item: int | None, *, smaller: bool, depth: int) -> None:
        """Note what gives a number that is made smaller (or larger)."""
        self._left -= 1
        if depth > _DEEPEST or self._left < 0:
            return
        match here.node:
            case ast.Name() | ast.Attribute(value=ast.Name(id="self")):
                self._named(here, item, smaller=smaller, depth=depth)
            case ast.UnaryOp(op=ast.USub(), operand=operand):
                self._on(here, operand, smaller=not smaller, depth=depth)
            case ast.BinOp(left=left, op=ast.Add(), right=right):
                self._on(here, left, smaller=smaller, depth=depth)
                self._on(here, right, smaller=smaller, depth=depth)
            case ast.BinOp(left=left, op=ast.Sub(), right=right):
                self._on(here, left, smaller=smaller, depth=depth)
                self._on(here, right, smaller=not smaller, depth=depth)
            case ast.BinOp(left=left, op=ast.Mult(), right=right):
                self._factor(here, left, right, smaller=smaller, depth=depth)
                self._factor(here, right, left, smaller=smaller, depth=depth)
            case ast.BinOp(left=left, op=ast.Div(), right=right) if not isinstance(right, ast.Call):
                self._on(here, left, smaller=smaller, depth=depth)
            case ast.Call():
                self._called(here, here.node, item, smaller=smaller, depth=depth)

    def _on(self, here: Found, node: ast.expr, *, smaller: bool, depth: int) -> None:
        self.follow(here.beside(node), None, smaller=smaller, depth=depth + 1)

    def _factor(self, here: Found, node: ast.expr, factor: ast.expr, *, smaller: bool, depth: int) -> None:
        sign = self._sign(here.beside(factor))
        if sign:
            self._on(here, node, smaller=smaller is (sign > 0), depth=depth)

    def _named(self, here: Found, item: int | None, *, smaller: bool, depth: int) -> None:
        """Follow what a name was given, and what was added to it; nothing where it may have been turned round."""
        sources = self._view.slicer.sources(here, item)
        changes = [self._change(each) for each, _ in sources]
        if 0 in changes:
            return
        for (each, which), change in zip(sources, changes, strict=True):
            if change is not None:
                self.follow(each, which, smaller=smaller is (change > 0), depth=depth + 1)

    def _change(self, source: Found) -> int | None:
        """With which sign a statement adds to a name or gives it; 0 where it turns it round, None where it scales."""
        match next(self._view.code.parents(source.path, source.node), None):
            case ast.AugAssign(op=ast.Sub()):
                return -1
            case ast.AugAssign(op=ast.Mult() | ast.Div()):
                return None if self._sign(source) > 0 else 0
            case ast.AugAssign(op=op) if not isinstance(op, ast.Add):
                return 0
        return 1

    def _inside(self, here: Found, item: int | None, *, smaller: bool, depth: int) -> bool:
        """Follow what a function of the tree returns; whether its ways do not contradict each other.

        `return -value if self.training else value` is a loss in one and a score in the other of them.
        """
        before, ways, texts = self.found, list[dict[Part, set[bool]]](), set[str]()
        for each, which in self._view.slicer.sources(here, item):
            for way in _alternatives(each):
                texts.add(ast.unparse(way.node))
                self.found = {}
                self.follow(way, which, smaller=smaller, depth=depth + 1)
                ways.append(self.found)
                if was_taken(self._view, way) is not False:
                    for part, signs in self.found.items():
                        before.setdefault(part, set()).update(signs)
        self.found = before
        if any(f"-{text}" in texts for text in texts):
            return False
        return all(one[part] == other[part] for one in ways for other in ways for part in one.keys() & other.keys())

    def _called(self, here: Found, node: ast.Call, item: int | None, *, smaller: bool, depth: int) -> None:
        giver = giver_of(self._view, here)
        if giver is not None:
            one_way = self._inside(here, item, smaller=smaller, depth=depth)
            # `norm(x - y)` is not what is trained with.
            if one_way and (len(node.args) + len(node.keywords) > 1 or depth <= 1):
                self.found.setdefault((giver, item), set()).add(smaller)
            return
        match node:
            case ast.Call(func=ast.Attribute(attr="scale"), args=[given]):
                self._on(here, given, smaller=smaller, depth=depth)
            case ast.Call(func=ast.Attribute(value=owner, attr=method), args=[]) if method in _PASSING:
                self._on(here, owner, smaller=smaller, depth=depth)
            case ast.Call(func=ast.Attribute(attr=method) | ast.Name(id=method), args=[given, *_]) if (
                method in _PASSING
            ):
                self._on(here, given, smaller=smaller, depth=depth)


def _alternatives(found: Found) -> Iterator[Found]:
    """The values of which a conditional expression gives one."""
    if isinstance(found.node, ast.IfExp):
        for node in (found.node.body, found.node.orelse):
            yield from _alternatives(found.beside(node))
    else:
        yield found
