"""Means that a Lightning module takes at the end of a validation over what its steps returned or kept.

`self.log` weighs a batch by its size. `torch.stack(outputs).mean()` does not: it is a mean of batch means.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence

from cmgan_audit.facts.averages.means import means_of, with_equal_weights
from cmgan_audit.facts.averages.taking_in import Intake, intakes, is_measure, is_weighted, sums_items
from cmgan_audit.facts.code import Reached, stack_of
from cmgan_audit.facts.scene import Pass
from cmgan_audit.facts.view import View
from cmgan_audit.lazy_dataclasses import dataclass
from cmgan_audit.program.domain.values import Const
from cmgan_audit.program.execution.trace import CallEvent

_STEPS = frozenset({"validation_step", "test_step"})
_ENDS = frozenset({"validation_epoch_end", "on_validation_epoch_end", "test_epoch_end", "on_test_epoch_end"})
_TRAINER = "lightning.pytorch.Trainer"


class _NoCount:
    """The hooks at the end see lists, and the length of a list is told from the list itself."""

    def counts(self, _node: ast.expr) -> bool:
        """Whether an expression is the number of batches: never."""
        return False


@dataclass(frozen=True, slots=True, eq=False)
class EndMean:
    """A mean at the end of an epoch: what a step gives, the mean, and the functions of both."""

    taken: Intake
    node: ast.AST
    step: Reached
    end: Reached


def epoch_end_means(view: View, single: Pass) -> Iterator[EndMean]:
    """The means over all batches of one pass that Lightning makes over a loader."""
    if not single.event.framework.startswith("lightning.") or single.event.role != "eval" or _is_cut_short(view):
        return
    hooks = [each for each in view.code.reached if isinstance(each.node, ast.FunctionDef)]
    ends = [each for each in hooks if _last(each.name) in _ENDS]
    for step in (each for each in hooks if _last(each.name) in _STEPS) if ends else ():
        inside = _call_inside(view, single, step)
        if inside is None:
            continue
        path, stack = step.module.path, stack_of(inside.context)
        for end in ends:
            for taken, node in _means(step.own_nodes(), end):
                if not sums_items(view.slicer, taken.value, path, stack):
                    yield EndMean(taken, node, step, end)


def _is_cut_short(view: View) -> bool:
    """Whether a trainer draws a number of batches that somebody has set: the last one is rarely among them."""
    limits = (
        event.arguments.keywords.get("limit_val_batches") for event in view.scene.named(lambda name: name == _TRAINER)
    )
    return any(
        isinstance(limit, Const) and isinstance(limit.value, int) and not isinstance(limit.value, bool)
        for limit in limits
    )


def _last(name: str) -> str:
    return name.rpartition(".")[2]


def _call_inside(view: View, single: Pass, step: Reached) -> CallEvent | None:
    """A call that a step makes in a pass: how its code is reached there."""
    place = step.location
    last = getattr(step.node, "end_lineno", None) or place.line
    return next(
        (
            event
            for event in view.scene.calls
            if event.location.path == place.path
            and place.line < event.location.line <= last
            and single.holds(event.context)
        ),
        None,
    )


def _means(step: Sequence[ast.AST], end: Reached) -> Iterator[tuple[Intake, ast.AST]]:
    """What a step gives and the end averages: lists of the module that the step fills, and what the step returns."""
    nodes = end.own_nodes()
    for taken in intakes(step):
        if taken.kind == "list" and taken.target.startswith("self."):
            yield from ((taken, node) for node in list(means_of(taken, nodes, _NoCount()))[:1])
    outputs = _outputs_of(end)
    if outputs is None:
        return
    for node in nodes:
        key = _averaged(node, outputs) if isinstance(node, ast.Call) else None
        if key is None:
            continue
        given = _given(step, key.value) if isinstance(key, ast.Constant) else _returned(step)
        if given is None or is_weighted(given[1]):
            continue
        text = f"{ast.unparse(key)} {ast.unparse(given[1])}"
        if is_measure(text):
            name = str(key.value) if isinstance(key, ast.Constant) else outputs
            yield Intake(given[0], name, given[1], "list"), node


def _outputs_of(end: Reached) -> str | None:
    """The name under which a hook is handed what the steps have returned."""
    parameters = end.node.args.args if isinstance(end.node, ast.FunctionDef) else []
    return parameters[1].arg if len(parameters) > 1 else None


def _averaged(node: ast.Call, outputs: str) -> ast.Constant | ast.Name | None:
    """What a call averages: the key in `mean([x["loss"] for x in outputs])`, or the outputs themselves."""
    values = with_equal_weights(node)
    match values:
        case ast.Name(id=name) if name == outputs:
            return values
        case ast.ListComp(
            elt=element, generators=[ast.comprehension(target=ast.Name(id=each), iter=ast.Name(id=source), ifs=[])]
        ) if source == outputs:
            match element:
                case ast.Subscript(value=ast.Name(id=name), slice=ast.Constant() as key) if name == each:
                    return key
                case ast.Name(id=name) if name == each:
                    return element
    return None


def _given(step: Sequence[ast.AST], key: object) -> tuple[ast.AST, ast.expr] | None:
    """What a step puts under a key into a dictionary that is written out in it."""
    for node in step:
        if isinstance(node, ast.Dict):
            for name, value in zip(node.keys, node.values, strict=True):
                if isinstance(name, ast.Constant) and name.value == key:
                    return value, value
    return None


def _returned(step: Sequence[ast.AST]) -> tuple[ast.AST, ast.expr] | None:
    """The one value that a step returns."""
    returns = [node for node in step if isinstance(node, ast.Return)]
    value = returns[0].value if len(returns) == 1 else None
    return (returns[0], value) if value is not None else None
