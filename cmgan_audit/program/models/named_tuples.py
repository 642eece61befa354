"""Classes that `collections.namedtuple` makes: as if they were written out as `class Name(NamedTuple)`."""

from __future__ import annotations

import ast
import keyword

from cmgan_audit.finding import Location
from cmgan_audit.program.domain.values import ClassValue, Const, External, ListValue, Value
from cmgan_audit.program.models.registry import ModelCall, model


@model("collections.namedtuple")
def _namedtuple(call: ModelCall) -> Value | None:
    """The class; None where its name or its fields are not known."""
    name, fields = call.text("typename", 0), _fields(call.get("field_names", 1))
    if name is None or fields is None or not all(map(_is_name, (name, *fields))):
        return None
    namespace: dict[str, Value] = {}
    defaults = call.get("defaults")
    if isinstance(defaults, ListValue) and defaults.complete:
        given = defaults.items[: len(fields)]
        namespace.update(zip(fields[len(fields) - len(given) :], given, strict=True))
    return ClassValue(
        node=_written_out(name, fields, call.location),
        module=call.interpreter.module,
        qualname=name,
        bases=(External(name="typing.NamedTuple"),),
        namespace=namespace,
    )


def _fields(value: Value | None) -> list[str] | None:
    """The names of the fields: a list of texts, or one text with blanks or commas between them."""
    if isinstance(value, Const) and isinstance(value.value, str):
        return value.value.replace(",", " ").split()
    if not isinstance(value, ListValue) or not value.complete:
        return None
    texts = [item.value for item in value.items if isinstance(item, Const) and isinstance(item.value, str)]
    return texts if len(texts) == len(value.items) else None


def _is_name(text: str) -> bool:
    return text.isidentifier() and not keyword.iskeyword(text)


def _written_out(name: str, fields: list[str], location: Location) -> ast.ClassDef:
    """The syntax of the class, at the place of the call."""
    body = "".join(f"\n    {field}: object" for field in fields) or "\n    pass"
    node = ast.parse(f"class {name}:{body}").body[0]
    assert isinstance(node, ast.ClassDef)
    for part in ast.walk(node):
        if isinstance(part, ast.stmt | ast.expr):
            part.lineno, part.col_offset = location.line, location.column - 1
            part.end_lineno, part.end_col_offset = location.end_line, (location.end_column or 1) - 1
    return node
