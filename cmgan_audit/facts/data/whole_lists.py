"""Whether datasets of two classes take one whole list of the training, so that they have the same recordings.

Training and evaluation sets often have a class each, the one with random cuts and the other without. Which recordings
there are is said where such a set is made: two that say it in the same words have the same.
"""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from pathlib import PurePosixPath

from cmgan_audit.facts.classes import bound_arguments
from cmgan_audit.facts.data.alike import has_recordings
from cmgan_audit.facts.loading.roles import path_leaning
from cmgan_audit.lazy_regex import regex
from cmgan_audit.program.domain.values import ClassValue, Const, External, Instance
from cmgan_audit.program.naming.modules import Module
from cmgan_audit.source.syntax import methods_of, walk

_STAR = "*"  # what a file imports by a star may be any name
_NAME = regex(r"id='([\w.]+)'")
_OF_SELF = regex(r"Attribute\(value=Name\(id='self', ctx=Load\(\)\), attr='(\w+)'")


def read_one_list(one: Instance, other: Instance) -> bool:
    """Whether objects of two classes were given one list or folder of the training, of which neither leaves out a part.

    Args:
        one: an object.
        other: one of another class.
    """
    if not isinstance(one.cls, ClassValue) or not isinstance(other.cls, ClassValue) or one.cls.node is other.cls.node:
        return False
    mine, its = _texts_given(one.cls, one), _texts_given(other.cls, other)
    if len(mine) != 1 or list(mine.values()) != list(its.values()) or path_leaning(*mine.values()) < 1:
        return False
    words = _words_of_list(one.cls, *mine)
    return words is not None and words == _words_of_list(other.cls, *its) and _mean_the_same(one.cls, other.cls, words)


def _mean_the_same(one: ClassValue, other: ClassValue, words: list[str]) -> bool:
    """Whether what two classes say in the same words is the same: they stand in one file, or in files of one folder
    that import each name from the same place."""
    if one.module is other.module:
        return True
    names = {name for each in words for name in _NAME.findall(each)} | {_STAR}
    imports = [_imports(each.module) for each in (one, other)]
    bound = [_bound(each.module) for each in (one, other)]
    alike = PurePosixPath(one.module.path).parent == PurePosixPath(other.module.path).parent
    return alike and all(
        imports[0].get(name) == imports[1].get(name) and not (name in bound[0] or name in bound[1]) for name in names
    )


def _imports(module: Module) -> dict[str, set[tuple[str, str]]]:
    """The names that a file imports anywhere, each with all the places where it may come from."""
    found: dict[str, set[tuple[str, str]]] = defaultdict(set)
    for node in walk(module.tree):
        match node:
            case ast.Import(names=names):
                for each in names:
                    found[(each.asname or each.name).partition(".")[0]].add((each.name, ""))
            case ast.ImportFrom(names=names):
                origin = "." * node.level + (node.module or "")
                for each in names:
                    found[each.asname or each.name].add((origin, each.name))
    return found


def _bound(module: Module) -> set[str]:
    """The names that a file gives something itself, at its top or below."""
    found: set[str] = set()
    for node in walk(module.tree):
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            found.add(node.name)
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            found.add(node.id)
    return found


def _texts_given(cls: ClassValue, made: Instance) -> dict[str, str]:
    """The texts that an object was given, by parameter; none where something may have been given beside them."""
    if made.arguments.open_kwargs or made.arguments.spread:
        return {}
    given = bound_arguments(cls, made.arguments)
    return {name: each.value for name, each in given.items() if isinstance(each, Const) and isinstance(each.value, str)}


def _words_of_list(cls: ClassValue, path: str) -> list[str] | None:
    """The statements with which a class finds its recordings, whatever its own names are.

    None where it may take a part of them: it asks or cuts something where it is made, goes by another parameter, a
    method or an attribute of its class, or gives other items than one for each of the list.
    """
    methods = methods_of(cls.node)
    made = methods.get("__init__")
    if made is None or not has_recordings(cls) or not all(isinstance(each, External) for each in cls.bases):
        return None
    if any(isinstance(node, ast.Slice | ast.If | ast.IfExp | ast.While) for node in walk(made)):
        return None
    if any(isinstance(node, ast.comprehension) and node.ifs for node in walk(made)):
        return None
    statements, of_list = _about(made, path)
    others = {each.arg for each in (*made.args.args[1:], *made.args.kwonlyargs)} - {path}
    read = {name for each in statements for name in _names_in(each)}
    if read & (others | {"super"}) or any(name.startswith("self.") for name in read - of_list):
        return None
    if not _gives_each(methods, of_list):
        return None
    order: dict[str, int] = {}
    said = (_OF_SELF.sub(lambda name: f"id='self.{name[1]}'", ast.dump(each)) for each in statements)
    return [_NAME.sub(lambda name: _renamed(name, of_list, order), each) for each in said]


def _about(made: ast.FunctionDef, path: str) -> tuple[list[ast.stmt], set[str]]:
    """The statements that a path goes through, and the names of all that is made of it."""
    statements, of_list = [], {path}
    for each in (single for statement in made.body for single in _singly(statement)):
        if not of_list.isdisjoint(_names_in(each)):
            statements.append(each)
            of_list |= _names_in(each, ast.Store)
    return statements, of_list


def _singly(statement: ast.stmt) -> list[ast.stmt]:
    """The assignments that stand in one line: `self.names, self.rate = names, rate`."""
    match statement:
        case ast.Assign(targets=[ast.Tuple(elts=targets)], value=ast.Tuple(elts=values)) if len(targets) == len(values):
            pairs = zip(targets, values, strict=True)
            return [ast.copy_location(ast.Assign([target], value), statement) for target, value in pairs]
    return [statement]


def _names_in(node: ast.AST, context: type[ast.expr_context] = ast.expr_context) -> set[str]:
    """The names and the attributes of `self` that are read or given in a statement."""
    return {
        ast.unparse(part)
        for part in walk(node)
        if (isinstance(part, ast.Name) or (isinstance(part, ast.Attribute) and ast.unparse(part.value) == "self"))
        and isinstance(part.ctx, context)
    }


def _renamed(name: re.Match[str], own: set[str], order: dict[str, int]) -> str:
    return f"id={order.setdefault(name[1], len(order))}" if name[1] in own else name[0]


def _gives_each(methods: dict[str, ast.FunctionDef], of_list: set[str]) -> bool:
    """Whether a set is as long as its list, and an item is that of its own place in it."""
    length, item = methods.get("__len__"), methods.get("__getitem__")
    if length is None or item is None or len(item.args.args) != 2:
        return False
    if ast.unparse(length.body[-1]) not in {f"return len({name})" for name in of_list}:
        return False
    index = item.args.args[1].arg
    reckoned = (node for node in walk(item) if isinstance(node, ast.BinOp | ast.AugAssign))
    return not any(isinstance(part, ast.Name) and part.id == index for node in reckoned for part in walk(node))
