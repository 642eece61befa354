"""Transforms that are written as a module of torch, and draw at random in training mode only: `if self.training:`."""

from __future__ import annotations

import ast

from cmgan_audit.facts.classes import bare_network, is_network
from cmgan_audit.facts.code import Code
from cmgan_audit.facts.conditions import is_taken, test_behind
from cmgan_audit.facts.items.passable import depth_of
from cmgan_audit.facts.passes.modes import OPEN, mode_after
from cmgan_audit.facts.passes.part_switches import SOME_PARTS
from cmgan_audit.facts.scene import Scene
from cmgan_audit.program.domain.values import Instance
from cmgan_audit.program.execution.trace import Context
from cmgan_audit.source.operands import sure_operands

NEVER = "never"


def kept_by_mode(code: Code, context: Context) -> str:
    """What the mode of a transform says about a place in it: NEVER reached, OPEN, or "" where no mode keeps it away.

    Args:
        code: the source behind the run.
        context: the calls and open tests around the place.
    """
    answers = set()
    for condition in context.conditions:
        test, depth = test_behind(code, condition), depth_of(context.frames, condition.location)
        wanted = _wanted(test, taken=is_taken(code, condition, test)) if test is not None and depth else None
        function = context.frames[depth - 1].value if depth else None
        module = function.bound_to if function is not None else None
        if wanted is not None and isinstance(module, Instance) and _has_mode(module):
            mode = _mode(code.scene, module)
            answers.add(OPEN if mode == OPEN else "" if (mode == "train") is wanted else NEVER)
    return next((answer for answer in (NEVER, OPEN) if answer in answers), "")


def _wanted(test: ast.expr, *, taken: bool) -> bool | None:
    """Whether a branch is for the training mode, True, or for the other, False; None where it does not ask for it."""
    for asked, holds in sure_operands(test, taken=taken):
        match asked:
            case ast.Attribute(value=ast.Name(id="self"), attr="training"):
                return holds
    return None


def _has_mode(module: Instance) -> bool:
    return is_network(module) and "training" not in module.attrs


def _mode(scene: Scene, module: Instance) -> str:
    """The mode in which a module stays when all is set up."""
    switches = [
        use
        for use in scene.of("eval", "train", SOME_PARTS)
        if use.on is not None and scene.reaches(bare_network(use.on), module)
    ]
    if any(use.event.context.conditions for use in switches) or len({mode_after(use) for use in switches}) > 1:
        return OPEN
    return mode_after(switches[-1]) if switches else "train"
