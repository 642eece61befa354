"""Methods of a network in which it does not run: those that tell something of it, set something, or rearrange it.

`model.has_speaker_embedding()` and `model.remove_weight_norm()` are calls on a network like `model.decode(x)`, and say
nothing of the mode or the gradients in which it runs. What such a method of the tree calls is read from its source. One
that never mentions its network, `model.overlap_and_add(parts, hop)`, is a function that only lies there; where another
network runs in it, that is seen inside of the call.
"""

from __future__ import annotations

import ast
import builtins
from collections.abc import Collection

from cmgan_audit.program.domain.values import Arguments, ClassValue, FunctionValue, Instance
from cmgan_audit.program.language.classes import class_attribute
from cmgan_audit.source.syntax import walk

# `map` and `filter` call what they are given, which may be a layer.
_BUILTINS = frozenset(dir(builtins)) - {"map", "filter"}
# Functions of torch.nn.utils that change how weights are kept.
_REARRANGING = frozenset(
    "weight_norm remove_weight_norm spectral_norm remove_spectral_norm remove_parametrizations".split()
)
# What is called on objects of Python and of torch without computing anything from a signal.
_PLAIN_MEMBERS = frozenset(
    "append copy_ debug dim endswith extend fill_ format get info item items join keys named_parameters numel nelement "
    "pop remove requires_grad_ size split startswith uniform_ update values warn warning zero_".split()
)
_DEEPEST = 4


class ToldOnly:
    """Tells the calls of one run in which a network is only asked or changed; each method is read once."""

    def __init__(self, bookkeeping: Collection[str]) -> None:
        self._plain = _PLAIN_MEMBERS | _REARRANGING | frozenset(bookkeeping)
        self._known: dict[tuple[ast.AST, ast.AST, bool], bool] = {}

    def is_so(self, network: Instance, member: str, arguments: Arguments) -> bool:
        """Whether a method of the tree leaves its network at rest; False where its code is not known."""
        asked = not arguments.positional and not arguments.keywords
        return self._rests(network.cls, member, asked, _DEEPEST)

    def _rests(self, cls: object, member: str, asked: bool, depth: int) -> bool:
        if not isinstance(cls, ClassValue) or not depth:
            return False
        found = class_attribute(cls, member)
        method = None if found is None else found[0]
        if not isinstance(method, FunctionValue) or isinstance(method.node, ast.Lambda):
            return False
        if not _mentions_itself(method.node):
            return True
        key = (cls.node, method.node, asked)
        if key not in self._known:
            self._known[key] = False  # one that calls itself is not understood
            self._known[key] = self._is_plain(method.node, cls, asked, depth)
        return self._known[key]

    def _is_plain(self, method: ast.AST, cls: ClassValue, asked: bool, depth: int) -> bool:
        """Whether nothing in a method computes; what it is given may be part of a signal."""
        nodes = walk(method)
        own = {node.name for node in nodes if isinstance(node, ast.FunctionDef) and node is not method}
        # A name that the method sets or is given is none of Python's: `for filter in self.filters: x = filter(x)`.
        bound = {node.id for node in nodes if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
        bound.update(node.arg for node in nodes if isinstance(node, ast.arg))
        plain = (_BUILTINS | _REARRANGING | own) - bound
        for node in nodes:
            if isinstance(node, ast.BinOp) and (not asked or isinstance(node.op, ast.MatMult)):
                return False
            if isinstance(node, ast.Yield | ast.YieldFrom | ast.Await):
                return False
            if isinstance(node, ast.Call) and not self._is_plain_call(node.func, plain, cls, depth):
                return False
        return True

    def _is_plain_call(self, function: ast.expr, plain: Collection[str], cls: ClassValue, depth: int) -> bool:
        match function:
            case ast.Name(id=name):
                return name in plain
            case ast.Attribute(value=ast.Name(id="self"), attr=name):
                return name in self._plain or self._rests(cls, name, False, depth - 1)
            case ast.Attribute(attr=name):
                return name in self._plain
        return False


def _mentions_itself(method: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    """Whether a method asks its object for anything, by its name, through `super()` or as all that stands there."""
    if any(isinstance(each, ast.Name) and each.id == "staticmethod" for each in method.decorator_list):
        return False
    parameters = [*method.args.posonlyargs, *method.args.args]
    names = {parameters[0].arg if parameters else "self", "super", "locals"}
    return not parameters or any(isinstance(node, ast.Name) and node.id in names for node in walk(method))
