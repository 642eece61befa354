"""What training makes smaller or larger: what a backward pass starts from is a loss, by whichever name and formula.

The losses and metrics of torch and a few libraries are known by name. The rest of the field's losses (negative SI-SNR,
weighted sums over spectra) are functions and classes of the repository or of smaller libraries, and the training that
steps along their gradients says which of their values are the better ones.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cached_property

from cmgan_audit.facts.code import stack_of
from cmgan_audit.facts.slices import Found
from cmgan_audit.facts.view import View
from cmgan_audit.lazy_regex import regex
from cmgan_audit.program.naming.names import canonical
from cmgan_audit.source.syntax import walk

# What gives a number (a function of the tree, or the qualified name of a class whose objects are called), and the item
# of what it returns (None for the whole).
Part = tuple[ast.AST | str, int | None]
# The sign of a factor; 0 where it is open.
Sign = Callable[[Found], int]
# What passes a number on: a mean of losses is made smaller with them.
_PASSING = frozenset("mean sum scale unsqueeze squeeze float to cuda item".split())
_STEP_OF_FRAMEWORK = "training_step"
_DEEPEST = 12
_MOST_STEPS = 400
_OBJECT = regex(r"(?:\w+\.)*_*[A-Z]\w*\.(?:__call__|forward)")
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)


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
        giver = _giver(self._view, here)
        smaller = None if giver is None else self._found.get((giver, item))
        if giver is None or smaller is None:
            return None
        name = giver if isinstance(giver, str) else ""
        name = next((each.name for each in self._view.code.reached if each.node is giver), name)
        for method in (".forward", ".__call__"):
            name = name.removesuffix(method)
        return name.rpartition(".")[2], smaller

    @cached_property
    def _found(self) -> dict[Part, bool]:
        search = _Search(self._view, self._sign)
        for start in (*_backward_passes(self._view), *_returned_to_framework(self._view)):
            search.follow(start, None, smaller=True, depth=0)
        return {part: ways.pop() for part, ways in search.found.items() if len(ways) == 1}


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
    """What the training steps of a framework return, which it steps along."""
    for function, contexts in view.code.contexts.items():
        if isinstance(function, _FUNCTIONS) and function.name == _STEP_OF_FRAMEWORK:
            frames = contexts[0].frames
            depth = next(
                number for number, frame in enumerate(frames, 1) if frame.value and frame.value.node is function
            )
            module = frames[depth - 1].value
            assert module is not None
            stack = tuple(frame.call for frame in frames[:depth])
            for value in _returned(function):
                yield Found(value, module.module.path, stack)


def _returned(function: ast.AST) -> Iterator[ast.expr]:
    """The loss that a training step returns, alone or in a dictionary."""
    for node in walk(function):
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

    def follow(self, here: Found, item: int | None, *, smaller: bool, depth: int) -> None:
        """Note what gives a number that is made smaller (or larger)."""
        self._left -= 1
        if depth > _DEEPEST or self._left < 0:
            return
        match here.node:
            case ast.Name() | ast.Attribute(value=ast.Name(id="self")):
                for each, which in self._view.slicer.sources(here, item):
                    if self._is_kept(each):
                        self.follow(each, which, smaller=smaller, depth=depth + 1)
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
        self.follow(replace(here, node=node), None, smaller=smaller, depth=depth + 1)

    def _factor(self, here: Found, node: ast.expr, factor: ast.expr, *, smaller: bool, depth: int) -> None:
        sign = self._sign(replace(here, node=factor))
        if sign:
            self._on(here, node, smaller=smaller is (sign > 0), depth=depth)

    def _is_kept(self, source: Found) -> bool:
        """Whether a number is what a statement gives, or a sum to which that is added."""
        statement = next(self._view.code.parents(source.path, source.node), None)
        return not isinstance(statement, ast.AugAssign) or isinstance(statement.op, ast.Add)

    def _called(self, here: Found, node: ast.Call, item: int | None, *, smaller: bool, depth: int) -> None:
        giver = _giver(self._view, here)
        if giver is not None:
            if len(node.args) + len(node.keywords) > 1 or depth <= 1:  # `norm(x - y)` is not what is trained with
                self.found.setdefault((giver, item), set()).add(smaller)
            for each, which in self._view.slicer.sources(here, item):
                self.follow(each, which, smaller=smaller, depth=depth + 1)
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


def _giver(view: View, here: Found) -> ast.AST | str | None:
    """The function of the tree that a call runs, or the class of the object that it calls; None for anything else."""
    place = view.code.place_of(here.path, here.node)
    function = view.code.activations.get((*here.stack, place))
    if isinstance(function, _FUNCTIONS):
        return function
    event = view.code.calls.get((place, here.stack))
    called = "" if event is None else canonical(event.callee)
    return called if _OBJECT.fullmatch(called) and not called.startswith("torch.") else None
