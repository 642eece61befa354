"""Means that a Lightning module takes at the end of a validation over what its steps returned or kept.

`self.log` weighs a batch by its size. `torch.stack(outputs).mean()` does not: it is a mean of batch means.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from dataclasses import replace

from cmgan_audit.facts.averages.means import means_of
from cmgan_audit.facts.averages.outputs import averaged, put_under, taken_of_each
from cmgan_audit.facts.averages.summed import sums_items
from cmgan_audit.facts.averages.taking_in import (
    Intake,
    Mean,
    intake_of,
    intakes,
    is_measure,
    is_weighted,
    one_pass,
)
from cmgan_audit.facts.code import Reached, Stack, stack_of
from cmgan_audit.facts.scene import Pass
from cmgan_audit.facts.view import View
from cmgan_audit.program.domain.values import ClassValue, Const, FunctionValue, Instance
from cmgan_audit.program.language.classes import class_attribute

# The hooks behind the steps of a stage, which see what those returned or kept.
_ENDS = {
    "validation_step": ("validation_epoch_end", "on_validation_epoch_end"),
    "test_step": ("test_epoch_end", "on_test_epoch_end"),
}
_TRAINER = "lightning.pytorch.Trainer"


class _NoCount:
    """The hooks at the end see lists, and the length of a list is told from the list itself."""

    def counts(self, _node: ast.expr) -> bool:
        """Whether an expression is the number of batches: never."""
        return False


def epoch_end_means(view: View, single: Pass) -> Iterator[Mean]:
    """The means over all batches of one pass that Lightning makes over a loader."""
    if not single.event.framework.startswith("lightning.") or single.event.role != "eval" or is_cut_short(view, single):
        return
    for step, module, stack in _steps(view, single):
        once = list(one_pass(step.node)) if isinstance(step.node, ast.FunctionDef) else []
        for end in _ends(module, step):
            for taken, node in _means(once, end):
                if not sums_items(view, taken.value, step.module.path, stack):
                    yield Mean(taken, node, end, step)


def is_cut_short(view: View, single: Pass) -> bool:
    """Whether a trainer draws a number or a part of all batches that was set: the last one is rarely among them."""
    stage = "test" if single.event.framework.endswith(".test") else "val"
    trainers = view.scene.named(lambda name: name == _TRAINER)
    limits = [event.arguments.keywords.get(f"limit_{stage}_batches") for event in trainers]
    return any(isinstance(limit, Const) and _is_less_than_all(limit.value) for limit in limits)


def _is_less_than_all(limit: object) -> bool:
    """Whether a limit of Lightning is a number of batches, or a part of them: 1.0 and None stand for all."""
    return (isinstance(limit, int) and not isinstance(limit, bool)) or (isinstance(limit, float) and limit < 1)


def _last(name: str) -> str:
    return name.rpartition(".")[2]


def _steps(view: View, single: Pass) -> Iterator[tuple[Reached, Instance, Stack]]:
    """The steps that a pass takes, with the module that each is a method of and a stack of calls inside it."""
    seen: set[ast.AST] = set()
    for event in view.scene.calls:
        frames = event.context.frames if single.holds(event.context) else ()
        for value in (frame.value for frame in frames if _last(frame.function) in _ENDS):
            if value is not None and isinstance(value.bound_to, Instance) and value.node not in seen:
                seen.add(value.node)
                yield Reached(value.module, value.node, value.qualname), value.bound_to, stack_of(event.context)


def _ends(module: Instance, step: Reached) -> Iterator[Reached]:
    """The hooks of the same module behind the steps of a stage."""
    if not isinstance(module.cls, ClassValue):
        return
    for name in _ENDS[_last(step.name)]:
        found = class_attribute(module.cls, name)
        if found is not None and isinstance(found[0], FunctionValue):
            yield Reached(found[0].module, found[0].node, found[0].qualname)


def _means(step: Sequence[ast.AST], end: Reached) -> Iterator[tuple[Intake, ast.AST]]:
    """What a step gives and the end averages: lists of the module that the step fills, and what the step returns."""
    nodes = end.own_nodes()
    for taken in intakes(step):
        if taken.kind == "list" and taken.target.startswith("self."):
            named = [replace(taken, target=name) for name in _names_of(taken.target, nodes)]
            found = [node for each in named for node in means_of(each, nodes, _NoCount())]
            yield from ((taken, node) for node in found[:1])
    yield from _means_of_parts(step, nodes)
    outputs = _outputs_of(end)
    if outputs is None:
        return
    for node in nodes:
        key = _averaged(node, outputs)
        if key is None:
            continue
        given = _given(step, key.value) if isinstance(key, ast.Constant) else _returned(step)
        if given is None or is_weighted(given[1]):
            continue
        text = f"{ast.unparse(key)} {ast.unparse(given[1])}"
        if is_measure(text):
            name = str(key.value) if isinstance(key, ast.Constant) else outputs
            yield Intake(given[0], name, given[1], "list"), node


def _means_of_parts(step: Sequence[ast.AST], end: Sequence[ast.AST]) -> Iterator[tuple[Intake, ast.AST]]:
    """The means of one part of what a step keeps of each batch: `mean([x["loss"] for x in self.outputs])`."""
    for statement in step:
        kept = intake_of(statement)
        if kept is None or kept.kind != "list" or not kept.target.startswith("self."):
            continue
        for name in _names_of(kept.target, end):
            for node in end:
                key = _averaged(node, name)
                part = _part(step, kept.value, key.value) if isinstance(key, ast.Constant) else None
                if part is None or is_weighted(part) or not is_measure(f"{ast.unparse(node)} {ast.unparse(part)}"):
                    continue
                assert isinstance(key, ast.Constant)
                shown = key.value if isinstance(key.value, str) else ast.unparse(part)
                yield Intake(statement, shown, part, "list"), node


def _names_of(attribute: str, nodes: Sequence[ast.AST]) -> list[str]:
    """A list of the module, and the names that the end of an epoch gives it: `outputs = self.outputs`."""
    names = [attribute]
    for node in nodes:
        match node:
            case ast.Assign(targets=[ast.Name(id=name)], value=value) if ast.unparse(value) == attribute:
                names.append(name)
    return names


def _part(step: Sequence[ast.AST], kept: ast.expr, key: object) -> ast.expr | None:
    """What a step keeps under a key, or at a place, of each batch: written out, or filled under a name."""
    written = [kept]
    for node in step:
        match node, kept:
            case ast.Assign(targets=[ast.Name(id=name)], value=value), ast.Name(id=wanted) if name == wanted:
                written.append(value)
            case (
                ast.Call(
                    func=ast.Attribute(value=ast.Name(id=name), attr="insert"), args=[ast.Constant(value=place), value]
                ),
                ast.Name(id=wanted),
            ) if name == wanted and place == key:
                return value
    for each in written:
        if isinstance(each, ast.Dict) and isinstance(key, str):
            return put_under([each], key)
        if isinstance(each, ast.Tuple | ast.List) and isinstance(key, int) and -len(each.elts) <= key < len(each.elts):
            return each.elts[key]
    return None


def _outputs_of(end: Reached) -> str | None:
    """The name under which a hook is handed what the steps have returned."""
    parameters = end.node.args.args if isinstance(end.node, ast.FunctionDef) else []
    return parameters[1].arg if len(parameters) > 1 else None


def _averaged(node: ast.AST, outputs: str) -> ast.Constant | ast.Name | None:
    """What is averaged: the key in `mean([x["loss"] for x in outputs])`, or the outputs themselves."""
    values = averaged(node, outputs, _NoCount())
    if isinstance(values, ast.Name):
        return values if values.id == outputs else None
    match taken_of_each(values, outputs):
        case ast.Subscript(slice=ast.Constant() as key):
            return key
        case ast.Name() as whole:
            return whole
    return None


def _given(step: Sequence[ast.AST], key: object) -> tuple[ast.AST, ast.expr] | None:
    """What a step puts under a key into a dictionary that is written out in it."""
    value = put_under(step, key)
    return None if value is None else (value, value)


def _returned(step: Sequence[ast.AST]) -> tuple[ast.AST, ast.expr] | None:
    """The one value that a step returns."""
    returns = [node for node in step if isinstance(node, ast.Return)]
    value = returns[0].value if len(returns) == 1 else None
    return (returns[0], value) if value is not None else None
