"""Which class of the tree an annotation names: what settings that are given for it become an object of."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from itertools import islice

from cmgan_audit.program.domain.values import ClassValue
from cmgan_audit.program.execution.state import Environment
from cmgan_audit.program.language.classes import constructor_of, order_of_bases
from cmgan_audit.source.syntax import single_parameters, walk

# Annotations that name several things of which a value is one.
_CHOICES = frozenset({"Optional", "Union", "Annotated"})
_ALIASES = ("alias", "validation_alias")


def annotated_class(made: ClassValue, name: str) -> ClassValue | None:
    """The first class of the tree that the annotation of a constructor's parameter, or of a field, names."""
    return next(annotated_classes(made, name), None)


def annotated_classes(made: ClassValue, name: str) -> Iterator[ClassValue]:
    """The classes of the tree that the annotation of a constructor's parameter, or of a field, names."""
    constructor = constructor_of(made)
    if constructor is not None:
        annotations = {each.arg: each.annotation for each in single_parameters(constructor.node.args)}
        yield from _named(annotations.get(name), constructor.closure)
        return
    for declared, owner in islice(_declarations(made, name), 1):
        yield from _named(declared.annotation, owner.closure)


def aliases_of(cls: ClassValue, name: str) -> list[str]:
    """Other keys under which a field may be given: `Field(1, alias="batch-size")`, `AliasChoices("batch", "bs")`."""
    parts = (part for declared, _ in _declarations(cls, name) for part in walk(declared))
    told = (part.value for part in parts if isinstance(part, ast.keyword) and part.arg in _ALIASES)
    texts = (part.value for value in told for part in walk(value) if isinstance(part, ast.Constant))
    return [text for text in texts if isinstance(text, str)]


def _declarations(cls: ClassValue, name: str) -> Iterator[tuple[ast.AnnAssign, ClassValue]]:
    """The declarations of a field, `batch: int = 8`, with their classes; the one that counts comes first."""
    for owner in (base for base in order_of_bases(cls) if isinstance(base, ClassValue)):
        for node in owner.node.body:
            if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and node.target.id == name:
                yield node, owner


def _named(annotation: ast.expr | None, scope: object) -> Iterator[ClassValue]:
    if annotation is None or not isinstance(scope, Environment):
        return
    for word in _alternatives(annotation):
        found = scope.scope_of(word)
        held = found.names[word] if found is not None else None
        if isinstance(held, ClassValue):
            yield held


def _alternatives(annotation: ast.expr) -> Iterator[str]:
    """The names that a value itself may be of: not those of what it holds, as in `dict[str, Config]`."""
    match annotation:
        case ast.Name(id=name):
            yield name
        case ast.BinOp(left=left, op=ast.BitOr(), right=right):
            yield from _alternatives(left)
            yield from _alternatives(right)
        case ast.Subscript(value=ast.Name(id=owner) | ast.Attribute(attr=owner), slice=inner) if owner in _CHOICES:
            for each in inner.elts if isinstance(inner, ast.Tuple) else [inner]:
                yield from _alternatives(each)
