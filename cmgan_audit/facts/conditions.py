"""The tests behind branches: which side was taken, and why one could not be decided.

`len(wav) > self.cut` depends on the recording: the branch is taken for some items. `self.training_split` with a value
that nobody knows depends on how the program is started: then nothing can be said.
"""

from __future__ import annotations

import ast
from collections.abc import Collection

from cmgan_audit.facts.code import Code
from cmgan_audit.program.domain.joins import opposite
from cmgan_audit.program.domain.values import Choice, ClassValue, Const, Instance, Value
from cmgan_audit.program.domain.values import Unknown as UnknownValue
from cmgan_audit.program.execution.trace import Condition
from cmgan_audit.program.language.attributes import present
from cmgan_audit.program.language.classes import class_attribute
from cmgan_audit.source.operands import expression_of, operands
from cmgan_audit.source.syntax import names_in, walk

# So much of a test is never cut away where it is told.
_SURELY_WRITTEN = 60


def open_setting(condition: Condition, owner: Instance | None) -> str:
    """The setting of an object that leaves a branch open, "" when the branch depends on data.

    Args:
        condition: the undecided branch.
        owner: the object whose method was executed; its attributes are `self.x` in the condition.
    """
    tree = expression_of(condition.text)
    for part, _ in operands(tree, taken=True) if tree is not None else ():
        flags = [
            node.attr
            for node in walk(part)
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "self"
        ]
        calls = any(isinstance(node, ast.Call) for node in walk(part))
        if calls or not flags or names_in(part) - {"self"} or owner is None:
            continue
        for flag in flags:
            value = owner.attrs.get(flag)
            if value is not None and _is_open(value if _has_by_class(owner, flag) else present(value)):
                return f"{ast.unparse(part)}"
    return ""


def as_read(text: str) -> str:
    """A condition as a person would write it: `not (not split)` is `split`."""
    match expression_of(text):
        case ast.UnaryOp(op=ast.Not(), operand=ast.UnaryOp(op=ast.Not(), operand=inner)):
            return as_read(ast.unparse(inner))
        case ast.UnaryOp(op=ast.Not(), operand=ast.Compare(left=left, ops=[ast.In()], comparators=[right])):
            return f"{ast.unparse(left)} not in {ast.unparse(right)}"
    return text


def _has_by_class(owner: Instance, name: str) -> bool:
    """Whether an object has an attribute also where nobody set it. Without that, the object itself is not there where
    the attribute is missing: it was made on another path."""
    return isinstance(owner.cls, ClassValue) and class_attribute(owner.cls, name) is not None


def _is_open(value: Value) -> bool:
    return isinstance(value, UnknownValue | Choice) and not isinstance(value, Const) and not value.draws


def test_behind(code: Code, condition: Condition) -> ast.expr | None:
    """The whole test behind a branch; its text in the trace may be shortened."""
    node = code.node_at(condition.location)
    if isinstance(node, ast.If | ast.While | ast.IfExp):
        return node.test
    return node if isinstance(node, ast.expr) else None


def is_taken(code: Code, condition: Condition, test: ast.expr) -> bool:
    """Whether a branch was taken where its test is true."""
    module = code.module(condition.location.path)
    start = "" if module is None else module.text(test)[:_SURELY_WRITTEN]
    for text, taken in ((condition.text, True), (opposite(condition.text), False)):
        if start and text.startswith(start):
            return taken
    return not condition.text.startswith("not ")


def exclude(texts: Collection[str], others: Collection[str]) -> bool:
    """Whether one of some tests, as they were taken, is the other side of one of others."""
    return not {_sides(text) for text in texts}.isdisjoint((test, not taken) for test, taken in map(_sides, others))


def _sides(text: str) -> tuple[str, bool]:
    """A test without what denies it, and whether it was true: `not (x > 1)` and `not flag` were not."""
    taken = True
    while text.startswith("not "):
        denied = text.removeprefix("not ")
        if denied.startswith("(") and denied.endswith(")"):
            denied = denied[1:-1]
        elif not denied.replace(".", "_").isidentifier():
            break  # `not a and b` denies a only
        text, taken = denied, not taken
    return text, taken
