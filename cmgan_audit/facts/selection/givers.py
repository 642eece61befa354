"""What gives a number, told apart by how it is called: `ratio(x, y)` and `ratio(x, y, negative=True)` are two."""

from __future__ import annotations

import ast
from collections.abc import Hashable, Iterable

from cmgan_audit.facts.slices import Found
from cmgan_audit.facts.view import View
from cmgan_audit.lazy_dataclasses import dataclass
from cmgan_audit.lazy_regex import regex
from cmgan_audit.program.domain.values import (
    Arguments,
    BoundMethod,
    Choice,
    ClassValue,
    Const,
    External,
    FunctionValue,
    Instance,
    ListValue,
    Value,
)
from cmgan_audit.program.naming.names import canonical

_OBJECT = regex(r"(?:\w+\.)*_*[A-Z]\w*\.(?:__call__|forward)")
_CLASS = regex(r"(?:\w+\.)*_*[A-Z]\w*")
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
# How deep losses hold losses: a wrapper for permutations around a scaled one around the loss itself.
_DEEPEST = 4


@dataclass(frozen=True, slots=True)
class Giver:
    """What a call runs: a function of the tree, or the class of the object that is called, by its qualified name.

    `settings` is what that object was made with and what the call is told beside its signals. They may turn the number
    round: a class that is made with `negative=True` for the training may be made without for the scores.
    """

    code: ast.AST | str
    settings: Hashable

    def name(self, view: View) -> str:
        """The function or class as the field speaks of it."""
        name = self.code if isinstance(self.code, str) else ""
        name = next((each.name for each in view.code.reached if each.node is self.code), name)
        for method in (".forward", ".__call__"):
            name = name.removesuffix(method)
        return name.rpartition(".")[2]


def giver_of(view: View, here: Found) -> Giver | None:
    """What a call runs; None for what is neither of the tree nor an object of a smaller library."""
    place = view.code.place_of(here.path, here.node)
    event = view.code.calls.get((place, here.stack))
    settings = () if event is None else (_setting(event.receiver), _settings(event.arguments))
    function = view.code.activations.get((*here.stack, place))
    if isinstance(function, _FUNCTIONS):
        return Giver(function, settings)
    called = "" if event is None else canonical(event.callee)
    return Giver(called, settings) if _OBJECT.fullmatch(called) and not called.startswith("torch.") else None


def _settings(given: Arguments, depth: int = _DEEPEST) -> Hashable:
    by_name = ((name, _setting(value, depth)) for name, value in sorted(given.keywords.items()))
    return (_all(given.positional, depth), tuple(by_name))


def _all(values: Iterable[Value], depth: int) -> Hashable:
    return tuple(_setting(value, depth) for value in values)


def _setting(value: Value | None, depth: int = _DEEPEST) -> Hashable:
    """A setting in a form in which equal ones are equal; None for signals and what is not known."""
    if depth == 0:
        return None
    match value:
        case Const(value=constant):
            return type(constant).__name__, repr(constant)
        case External(name=name):
            return canonical(name)
        case FunctionValue(node=node, bound_to=receiver):
            return node, _setting(receiver, depth - 1)
        case ClassValue(node=node):
            return node
        case BoundMethod(receiver=receiver, name=name):
            return name, _setting(receiver, depth - 1)
        case ListValue(items=items):
            return _all(items, depth - 1)
        case Choice(options=options):
            return _all((option.value for option in options), depth - 1)
        case Instance(cls=cls, arguments=given) if isinstance(cls, ClassValue) or _CLASS.fullmatch(value.external_name):
            return _setting(cls, depth - 1), _settings(given, depth - 1)
    return None
