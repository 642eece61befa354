"""Whether two datasets were made alike: the same class, given the same, but for how an item is cut."""

from __future__ import annotations

import ast
import re
from collections.abc import Sequence

from cmgan_audit.facts.classes import bound_arguments, tree_classes
from cmgan_audit.facts.name_words import name_words
from cmgan_audit.lazy_regex import regex
from cmgan_audit.program.domain.values import (
    Choice,
    ClassValue,
    Const,
    DictValue,
    External,
    FunctionValue,
    HeapValue,
    Instance,
    ListValue,
    Symbol,
    Unknown,
    Value,
)
from cmgan_audit.source.syntax import called_name, methods_of, names_in, walk

PATHS = ("pathlib.", "os.path.")
_READS = regex(r"load|read|open|join|list|glob|path|file", re.IGNORECASE)
_FINDS_FILES = regex(r"load|read|open|glob|listdir|scandir|walk|file", re.IGNORECASE)
# Parameters that say how an item is cut and computed, not which items there are.
_OF_ITEMS = frozenset(
    "aug augment augmentation augmentations cache crop cut device duration fft frames hop len length normalise"
    " normalize pad padding random sec seconds segment shuffle stride transform transforms win window".split()
)
# Parameters that may pick a part of the recordings.
_OF_SETS = frozenset("train test valid val eval dev split mode subset part fold phase stage set type".split())


def are_alike(one: Instance, other: Instance, *, but: str = "") -> bool:
    """Whether two objects of a class of the tree were given the same, but for how an item is cut.

    Args:
        one: an object.
        other: another one.
        but: a parameter that is not looked at.
    """
    if (
        not isinstance(one.cls, ClassValue)
        or not isinstance(other.cls, ClassValue)
        or one.cls.node is not other.cls.node
    ):
        return False
    if one.arguments.open_kwargs or other.arguments.open_kwargs or one.arguments.spread or other.arguments.spread:
        return False
    mine, its = bound_arguments(one.cls, one.arguments), bound_arguments(other.cls, other.arguments)
    if len(one.arguments.positional) != len(other.arguments.positional) and not mine:
        return False
    differing = [name for name in {**mine, **its} if name != but and not _given_the_same(mine.get(name), its.get(name))]
    return all(_is_of_items(one.cls, name, (mine.get(name), its.get(name))) for name in differing)


def has_recordings(cls: ClassValue) -> bool:
    """Whether a class, or one that it derives from, looks for files or reads them; one that does not makes its items.

    Args:
        cls: a class of the tree.
    """
    for node in (node for each in tree_classes(cls) for node in walk(each.node)):
        if isinstance(node, ast.Call):
            name = called_name(node)
            if _FINDS_FILES.search(name) or (name == "join" and len(node.args) > 1):
                return True
    return False


def _given_the_same(one: Value | None, other: Value | None) -> bool:
    return one is not None and other is not None and are_equal(one, other)


def _is_of_items(cls: ClassValue, parameter: str, given: Sequence[Value | None]) -> bool:
    """Whether a parameter only says how an item is cut and computed: by its name, or by what the class does with it.

    Whatever it is called, texts may name lists of recordings, and what bounds a slice may pick some of them.
    """
    words = set(name_words(parameter))
    if words & _OF_ITEMS and not words & _OF_SETS:
        texts = any(isinstance(each, Const) and isinstance(each.value, str) for each in given)
        return not texts and not any(isinstance(each, Instance) for each in given) and not _picks(cls, parameter)
    return _only_decides_on_items(cls.node, cls.bases, parameter)


def _picks(cls: ClassValue, parameter: str) -> bool:
    """Whether what is done once, where the set is made, may pick recordings by a parameter: a slice or a file."""
    made = methods_of(cls.node).get("__init__")
    if made is None:
        return any(_picks(base, parameter) for base in cls.bases if isinstance(base, ClassValue))
    names = {parameter}
    for node in walk(made):
        if isinstance(node, ast.Assign) and any(_names_one_of(part, {parameter}) for part in walk(node.value)):
            names |= {ast.unparse(target) for target in node.targets}
    for node in walk(made):
        if isinstance(node, ast.Slice) or (isinstance(node, ast.Call) and _READS.search(called_name(node))):
            if any(_names_one_of(part, names) for part in walk(node)):
                return True
    return False


def _names_one_of(node: ast.AST, names: set[str]) -> bool:
    return isinstance(node, ast.Name | ast.Attribute) and ast.unparse(node) in names


def _only_decides_on_items(cls: ast.ClassDef, bases: Sequence[Value], parameter: str) -> bool:
    """Whether a parameter is kept as it is, and asked for nothing but what is done to an item: `if self.train: cut`."""
    methods = methods_of(cls)
    if not {"__init__", "__getitem__"} <= set(methods) or not all(isinstance(each, External) for each in bases):
        return False
    # Which values are allowed picks nothing: `assert mode in ("train", "valid")`.
    allowed = {part for node in walk(methods["__init__"]) if _only_allows(node) for part in walk(node)}
    made = [node for node in walk(methods["__init__"]) if node not in allowed]
    stores = [
        node.targets[0].attr
        for node in made
        if isinstance(node, ast.Assign)
        and isinstance(node.value, ast.Name)
        and node.value.id == parameter
        and isinstance(node.targets[0], ast.Attribute)
    ]
    if len(stores) != 1 or sum(isinstance(node, ast.Name) and node.id == parameter for node in made) != 1:
        return False
    item = methods["__getitem__"]
    paths = _read_from(item)
    chosen = (
        part for node in walk(item) if isinstance(node, ast.Assign) and _gives(node, paths) for part in walk(node)
    )
    choosing = {node for node in chosen if isinstance(node, ast.IfExp)}
    asked = [node for node in walk(item) if isinstance(node, ast.If | ast.IfExp) and node not in choosing]
    asked = [node for node in asked if not _finds_recordings(node, paths)]
    decides = {part for node in asked for part in _reads_of(node.test, stores[0])}
    return all(read in decides for read in _reads_of(cls, stores[0]))


def _only_allows(node: ast.AST) -> bool:
    """Whether a statement only checks what was given, and finds nothing by it."""
    return isinstance(node, ast.Assert) and not any(isinstance(part, ast.Call | ast.NamedExpr) for part in walk(node))


def _reads_of(node: ast.AST, attribute: str) -> list[ast.AST]:
    parts = (part for part in walk(node) if isinstance(part, ast.Attribute) and isinstance(part.ctx, ast.Load))
    return [part for part in parts if part.attr == attribute]


def _read_from(function: ast.AST) -> set[str]:
    """The names of which a function makes the path of what it reads: `join(folder, name)`, `read(path)`."""
    calls = [node for node in walk(function) if isinstance(node, ast.Call) and _READS.search(called_name(node))]
    paths = [part for call in calls for part in (call.args if called_name(call) == "join" else call.args[:1])]
    return names_in(*paths)


def _gives(node: ast.Assign, names: set[str]) -> bool:
    targets = (part for target in node.targets for part in walk(target) if isinstance(part, ast.Name))
    return any(target.id in names and isinstance(target.ctx, ast.Store) for target in targets)


def _finds_recordings(node: ast.If | ast.IfExp, paths: set[str]) -> bool:
    """Whether something in a branch may choose or read a recording, `paths` being the names of what is read."""
    for part in walk(node):
        if isinstance(part, ast.Call) and _READS.search(called_name(part)):
            return True
        if isinstance(part, ast.Assign) and _gives(part, paths):
            return True
        if isinstance(part, ast.Subscript) and ast.unparse(part.value).startswith("self."):
            return True
    return False


def are_equal(one: Value, other: Value) -> bool:
    """Whether two values are certainly the same one."""
    match one, other:
        case Const(), Const():
            return type(one.value) is type(other.value) and one.value == other.value
        case Unknown(), Unknown():
            return (one.first or one) is (other.first or other)
        case Symbol(), Symbol():
            return one.formula == other.formula
        case External(), External():
            return one.name == other.name
        case FunctionValue(), FunctionValue():
            return one.node is other.node and one.bound_to is other.bound_to
        case ClassValue(), ClassValue():
            return one.node is other.node
        case Choice(), Choice():
            return _match([each.value for each in one.options], [each.value for each in other.options])
        case HeapValue(), HeapValue() if one == other:
            return True
        case ListValue(), ListValue():
            return one.complete and other.complete and _match(one.items, other.items)
        case DictValue(), DictValue():
            whole = one.complete and other.complete and list(one.items) == list(other.items)
            return whole and _match(list(one.items.values()), list(other.items.values()))
        case Instance(), Instance() if one.external_name.startswith(PATHS):
            same = one.external_name == other.external_name
            return same and _match(one.arguments.positional, other.arguments.positional)
        case Instance(), Instance():
            return are_alike(one, other)
    return False


def _match(some: Sequence[Value], others: Sequence[Value]) -> bool:
    return len(some) == len(others) and all(are_equal(*pair) for pair in zip(some, others, strict=True))
