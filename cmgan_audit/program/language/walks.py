"""Loops over `os.walk`, which give folders in order when the loop sorts the names that the walk goes on with."""

from __future__ import annotations

import ast

from cmgan_audit.lazy_regex import regex
from cmgan_audit.program.domain.listings import settled_value
from cmgan_audit.program.domain.values import Instance, ListValue, Value
from cmgan_audit.source.syntax import walk

_WALKS = regex(r"os\.f?walk|(?:pathlib\.Path|\?)\.walk")


def walked(node: ast.For | ast.AsyncFor, iterable: Value, item: Value) -> Value:
    """What one pass of a loop over a walk gets: folder, names of folders, names of files, as far as they are in order.

    `folders.sort()` and `folders[:] = sorted(folders)` decide which folder comes next. An item of any other loop is
    given back as it is.
    """
    if not isinstance(iterable, Instance) or not _WALKS.fullmatch(iterable.external_name):
        return item
    match node.target:
        case ast.Tuple(elts=[_, ast.Name(id=folders), ast.Name(id=files), *_]):
            ordered = _sorted_in_place(node)
            known = (folders in ordered, folders in ordered, files in ordered)
            return ListValue(items=[settled_value(item) if each else item for each in known], kind="tuple")
    return item


def _sorted_in_place(loop: ast.For | ast.AsyncFor) -> set[str]:
    """The names of the lists that a loop sorts where they are."""
    found: set[str] = set()
    for node in walk(loop):
        match node:
            case ast.Call(func=ast.Attribute(value=ast.Name(id=name), attr="sort")):
                found.add(name)
            case ast.Assign(
                targets=[ast.Subscript(value=ast.Name(id=name), slice=ast.Slice(lower=None, upper=None))],
                value=ast.Call(func=ast.Name(id="sorted" | "natsorted")),
            ):
                found.add(name)
    return found
