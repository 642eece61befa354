"""Gradient accumulation: over how many steps of a loader the optimiser sums gradients before it steps."""

from __future__ import annotations

import ast

from cmgan_audit.facts.frameworks import accumulating_argument
from cmgan_audit.facts.scene import Made, Scene
from cmgan_audit.facts.values import fact_of
from cmgan_audit.finding import Confidence, Step
from cmgan_audit.program.names import canonical
from cmgan_audit.program.trace import Condition, Context
from cmgan_audit.program.values import Const, DictValue, Value
from cmgan_audit.rules.record import Fact, Known, Unknown
from cmgan_audit.source.syntax import walk


def accumulation_of(scene: Scene, made: Made) -> Fact:
    """The steps whose gradients are summed for one optimiser step on batches of this loader."""
    for event in scene.calls:
        name = accumulating_argument(canonical(event.callee))
        value = event.arguments.get(name) if name else None
        if value is not None:
            return fact_of(value, 1)
    every = [
        use for single in scene.passes_over(made.loader) for use in scene.of("step") if single.holds(use.event.context)
    ]
    guarded = [(use, guard) for use in every for guard in use.event.context.conditions if _divisor(guard) is not None]
    if not every or len({use.event.location for use, _ in guarded}) < len({use.event.location for use in every}):
        return Known(1)
    use, guard = guarded[0]
    divisor = _divisor(guard)
    step = Step(guard.location, f"the optimiser steps where {guard.text}")
    if isinstance(divisor, int):
        return Known(divisor, (step,))
    found = numbers_called(scene, use.event.context, str(divisor).rpartition(".")[2])
    if len({value.value for value in found}) == 1:
        known = found[0]
        confidence = Confidence.MEDIUM if known.overridable else Confidence.HIGH
        return Known(known.value, (*known.trail, step), confidence=confidence)
    return Unknown(f"the optimiser at {use.event.location} steps where {guard.text}", (step,))


def numbers_called(scene: Scene, context: Context, name: str) -> list[Const]:
    """The whole numbers that a run keeps under a name: parameters, attributes, keys of settings.

    A branch that stays open keeps only its source text, so the number in `step % args.accumulate` is found by its name.
    """
    found: list[Value | None] = [store.value for store in scene.stores if store.name == name]
    calls = {frame.call for frame in context.frames}
    for event in scene.calls:
        given = event.arguments
        if event.location in calls:
            function = next((frame.value for frame in context.frames if frame.call == event.location), None)
            names = [] if function is None else [parameter.arg for parameter in function.node.args.args]
            skipped = int(bool(names) and names[0] in ("self", "cls") and len(given.positional) < len(names))
            found += [value for own, value in zip(names[skipped:], given.positional, strict=False) if own == name]
        found.append(given.keywords.get(name))
        held = [*given.positional, *given.keywords.values(), event.result]
        found += [value.items.get(name) for value in held if isinstance(value, DictValue)]
    return [value for value in found if isinstance(value, Const) and type(value.value) is int]


def _divisor(guard: Condition) -> int | str | None:
    """K in `(step + 1) % K == 0`: a number, the text of an expression, or None when the test is no such thing."""
    try:
        tree = ast.parse(guard.text.strip(), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    if isinstance(tree, ast.UnaryOp) and isinstance(tree.op, ast.Not):
        if isinstance(tree.operand, ast.BinOp):  # `if not step % K:`
            return _modulus(tree.operand)
        return None
    for node in walk(tree):
        if isinstance(node, ast.Compare) and len(node.ops) == 1 and isinstance(node.ops[0], ast.Eq):
            found = _modulus(node.left) if isinstance(node.left, ast.BinOp) else None
            if found is not None:
                return found
    return None


def _modulus(node: ast.BinOp) -> int | str | None:
    if not isinstance(node.op, ast.Mod):
        return None
    if isinstance(node.right, ast.Constant) and isinstance(node.right.value, int):
        return node.right.value
    return ast.unparse(node.right)
