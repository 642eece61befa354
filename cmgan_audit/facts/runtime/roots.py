"""Roots on the way from a network to its loss: infinite slope at exactly zero, NaN after the chain rule."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from cmgan_audit.facts.code import stack_of
from cmgan_audit.facts.runtime.flow import Node
from cmgan_audit.facts.runtime.signs import Least, least
from cmgan_audit.facts.values import class_name, constant
from cmgan_audit.facts.view import View
from cmgan_audit.finding import Location, Step
from cmgan_audit.lazy_dataclasses import dataclass
from cmgan_audit.lazy_regex import regex
from cmgan_audit.program.domain.values import Value
from cmgan_audit.rules.record import Fact, Known, Record, certainly, record_kind
from cmgan_audit.source.statements import before, leaves
from cmgan_audit.source.syntax import Function, walk

_ROOTS = regex(rb"sqrt|\*\*|pow\(|hypot")
# What a test asks of a tensor before it compares: `error.item() > 0`.
_READ = frozenset({"item", "detach", "min", "amin"})


@record_kind("root")
@dataclass(frozen=True, slots=True, kw_only=True)
class Root(Record):
    """A root, or a power between 0 and 1, that gradients pass on their way from the training loss to a network.

    Attributes:
        form: how it is written, without its argument ("torch.sqrt", "** 0.3").
        zero: whether its argument can be exactly zero; placed at the root.
    """

    form: str
    zero: Fact


def roots_of(view: View) -> list[Record]:
    """The roots of a run between its networks and its training loss, each once."""
    if not view.scene.trains or not view.mentions(_ROOTS):
        return []
    flow = view.flow
    found: dict[Location, Record] = {}
    for loss, place in flow.losses():
        for node in flow.behind(loss):
            for record in _record(view, node, place):
                if record.location not in found or certainly(record.zero, True):
                    found[record.location] = record
    return list(found.values())


def _record(view: View, node: Node, loss: Location) -> Iterator[Root]:
    flow = view.flow
    form, arguments = _form(node)
    if not form or node.location is None or not arguments:
        return
    learned = next((each for value in arguments for each in flow.behind(value) if flow.is_learned(each)), None)
    if learned is None:
        return
    lows = [least(flow, value) for value in arguments]
    if Least.OPEN in lows and form != "torch.hypot":
        return
    zero = form == "torch.hypot" or Least.ZERO in lows
    if zero and _is_asked(view, node, node.location):
        return
    steps = [Step(node.location, f"{form} of something that {Least.ZERO.value if zero else Least.POSITIVE.value}")]
    if zero:
        if learned.event is not None and learned.event.receiver is not None:
            name = class_name(learned.event.receiver)
            steps.append(Step(learned.event.location, f"it depends on what {name} puts out"))
        steps.append(Step(loss, "gradients come back through it from this loss"))
    yield Root(location=node.location, anchor=form, form=form, zero=Known(zero, tuple(steps)))


def _form(node: Node) -> tuple[str, tuple[Value, ...]]:
    """How a root is written, and its arguments; an empty form for anything else."""
    operands = node.operands
    member = node.operation.rpartition(".")[2] or node.operation
    if node.operation.startswith(("numpy.", "math.", "builtins.")):
        return "", ()
    if member in ("sqrt", "sqrt_", "rsqrt", "rsqrt_"):
        return f"torch.{member.removesuffix('_')}", operands[:1]
    if member == "hypot":
        return "torch.hypot", operands[:2]
    if (node.operation == "**" or member in ("pow", "pow_", "float_power")) and len(operands) >= 2:
        exponent = operands[1]
        number = constant(exponent)
        if isinstance(number, int | float) and not isinstance(number, bool) and number < 1 and number != 0:
            return f"** {number:.3g}", operands[:1]
    return "", ()


def _is_asked(view: View, node: Node, place: Location) -> bool:
    """Whether a root is only taken behind a test of its argument: `torch.sqrt(error) if error > 0 else error`, or of
    what passed one: `power[power > 0].sqrt()`."""
    root = view.code.node_at(place)
    match root:
        case ast.BinOp(left=argument):
            arguments = [argument]
        case ast.Call(func=ast.Attribute(value=owner), args=args):
            arguments = [owner, *args[:1]]
        case _:
            return False
    if any(isinstance(each, ast.Subscript) and _is_masked(view, node, place, each) for each in arguments):
        return True
    texts = frozenset(map(ast.unparse, arguments))
    inner: ast.AST = root
    for outer in view.code.parents(place.path, root):
        if isinstance(outer, ast.If | ast.IfExp) and inner is not outer.test and _compares(outer.test, texts):
            return True
        if any(
            isinstance(each, ast.If) and leaves(each.body) and _compares(each.test, texts)
            for each in before(inner, outer)
        ):
            return True
        if isinstance(outer, Function):
            break
        inner = outer
    return False


def _is_masked(view: View, node: Node, place: Location, picked: ast.Subscript) -> bool:
    """Whether a tensor is indexed by a comparison of its own values, by name too: `mask = power > 0`."""
    masks = [picked.slice]
    if isinstance(picked.slice, ast.Name) and node.event is not None:
        masks = view.slicer.given(picked.slice, place.path, stack_of(node.event.context))
    return bool(masks) and all(_compares(mask, frozenset({ast.unparse(picked.value)})) for mask in masks)


def _compares(test: ast.expr, texts: frozenset[str]) -> bool:
    """Whether a test compares what is written in one of some ways."""
    compared: list[ast.expr] = []
    for part in walk(test):
        if isinstance(part, ast.Compare):
            compared += [part.left, *part.comparators]
    return any(ast.unparse(_bare(each)) in texts for each in compared)


def _bare(compared: ast.expr) -> ast.expr:
    match compared:
        case ast.Call(func=ast.Attribute(value=tensor, attr=read)) if read in _READ:
            return _bare(tensor)
    return compared
