"""Methods of texts, numbers, lists and dictionaries."""

from __future__ import annotations

import ast
from dataclasses import replace
from typing import Any

from cmgan_audit.finding import Location
from cmgan_audit.program.domain.containers import lifted, plain
from cmgan_audit.program.domain.numbers import drawn
from cmgan_audit.program.domain.values import (
    Arguments,
    Const,
    Constant,
    DictValue,
    Instance,
    ListValue,
    Unknown,
    Value,
)
from cmgan_audit.program.execution.interpreter import Interpreter
from cmgan_audit.program.library.dictionaries import DICT_METHODS, fill_dictionary
from cmgan_audit.program.library.lists import LIST_METHODS

_TYPES = (
    "builtins.dict.",
    "builtins.list.",
    "builtins.str.",
    "collections.OrderedDict.",
    "collections.UserDict.",
    "collections.defaultdict.",
)
_OF_NETWORKS = "torch.nn.Module."
_TEXT_METHODS = frozenset(
    [
        "lower",
        "upper",
        "strip",
        "lstrip",
        "rstrip",
        "title",
        "capitalize",
        "casefold",
        "swapcase",
        "replace",
        "removeprefix",
        "removesuffix",
        "split",
        "rsplit",
        "splitlines",
        "partition",
        "rpartition",
        "startswith",
        "endswith",
        "find",
        "rfind",
        "index",
        "rindex",
        "count",
        "isdigit",
        "isalpha",
        "isalnum",
        "isspace",
        "isnumeric",
        "isupper",
        "islower",
        "join",
        "format",
        "zfill",
        "ljust",
        "rjust",
        "center",
        "expandtabs",
        "encode",
        "decode",
        "hex",
        "is_integer",
        "bit_length",
        "conjugate",
    ]
)


def container_method(
    it: Interpreter, receiver: Value, name: str, arguments: Arguments, location: Location
) -> Value | None:
    """The result of a method of a text, number, list or dictionary; None when it has no such method."""
    if isinstance(receiver, Const):
        return _text_method(receiver, name, arguments)
    if isinstance(receiver, DictValue):
        handler = DICT_METHODS.get(name)
        return (
            handler(it, receiver, arguments, location)
            if handler
            else _operator(it, receiver, name, arguments, location)
        )
    if isinstance(receiver, ListValue):
        handler_of_list = LIST_METHODS.get(name)
        if handler_of_list is None:
            return _operator(it, receiver, name, arguments, location)
        return handler_of_list(it, receiver, arguments)
    return None


def _operator(
    it: Interpreter, receiver: DictValue | ListValue, name: str, arguments: Arguments, location: Location
) -> Value | None:
    """What an operator does that is called by the name of its method: `self.__setitem__(key, value)`."""
    from cmgan_audit.program.language.operators import compare
    from cmgan_audit.program.language.subscripts import delete_item, store_item, subscript

    match name, arguments.positional:
        case "__getitem__", (index,):
            return subscript(it, receiver, index, location)
        case "__setitem__", (index, value):
            store_item(it, receiver, index, value, location)
            return Const(value=None)
        case "__delitem__", (index,):
            delete_item(it, receiver, index)
            return Const(value=None)
        case "__contains__", (item,):
            return compare(it, ast.In, item, receiver)
        case "__init__", _ if isinstance(receiver, DictValue):
            fill_dictionary(it, receiver, arguments)
            return Const(value=None)
    return None


def unbound_method(it: Interpreter, name: str, arguments: Arguments, location: Location) -> Value | None:
    """The result of a method that is called through its type: `dict.get(self, name)`; None for anything else."""
    if name.startswith(_OF_NETWORKS) and arguments.positional and name.rpartition(".")[2][:1].islower():
        return _of_network(it, name, arguments, location)
    if not name.startswith(_TYPES) or not arguments.positional:
        return None
    receiver = it.read(arguments.positional[0])
    if isinstance(receiver, Instance):
        receiver = receiver.attrs.get("@items", receiver)
    rest = Arguments(
        positional=arguments.positional[1:], keywords=arguments.keywords, open_kwargs=arguments.open_kwargs
    )
    return container_method(it, receiver, name.rpartition(".")[2], rest, location)


def _of_network(it: Interpreter, name: str, arguments: Arguments, location: Location) -> Value | None:
    """`torch.nn.Module.eval(net)`, which passes a method of the class of `net` over."""
    from cmgan_audit.program.library.answers import call_library

    receiver = it.read(arguments.positional[0])
    rest = replace(arguments, positional=arguments.positional[1:])
    return call_library(it, name, receiver, rest, location) if isinstance(receiver, Instance) else None


def _text_method(receiver: Const, name: str, arguments: Arguments) -> Value | None:
    if name not in _TEXT_METHODS or not hasattr(receiver.value, name):
        return None
    positional = [plain(value) for value in arguments.positional]
    keywords = {key: plain(value) for key, value in arguments.keywords.items()}
    sources = (receiver, *arguments.every)
    unknown = Unknown(reason=f"{name}() of what is not known", draws=drawn(*sources)).made_from(name, sources)
    if any(part is None for part in (*positional, *keywords.values())) or arguments.open_kwargs:
        return _unknown_parts(name) or unknown
    if not _affordable(receiver.value, name, [part[0] for part in positional if part]):
        return unknown
    method = getattr(receiver.value, name)
    try:
        result = method(
            *(part[0] for part in positional if part), **{key: part[0] for key, part in keywords.items() if part}
        )
    except (ArithmeticError, TypeError, ValueError, LookupError, AttributeError) as error:
        return Unknown(reason=f"{name}() fails: {error}", draws=drawn(*sources))
    return lifted(result, *sources)


def _affordable(value: Constant, name: str, arguments: list[Any]) -> bool:
    """Padding and formatting with huge widths is not computed."""
    if name in ("zfill", "ljust", "rjust", "center", "expandtabs"):
        return all(not isinstance(argument, int) or argument < 10_000 for argument in arguments)
    if name == "format":
        return isinstance(value, str) and not any(len(part) > 4 for part in _digits(value))
    if name in ("replace", "join"):
        size = sum(len(a) for a in arguments if isinstance(a, str | list | tuple))
        return isinstance(value, str | bytes) and (len(value) + 1) * (size + 1) < 1_000_000
    return True


def _digits(text: str) -> list[str]:
    return "".join(character if character.isdigit() else " " for character in text).split()


def _unknown_parts(name: str) -> Value | None:
    """`split` of something keeps being a list of unknown length, so that loops over it are followed."""
    return None if name not in ("split", "splitlines") else ListValue(items=[], complete=False)
