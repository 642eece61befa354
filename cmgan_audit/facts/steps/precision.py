"""Mixed precision: which networks run in float16, and whether their gradients are scaled."""

from __future__ import annotations

from collections.abc import Sequence

from cmgan_audit.facts.adversarial.losses import Losses
from cmgan_audit.facts.classes import bare_network
from cmgan_audit.facts.passes.loops import is_kept
from cmgan_audit.facts.passes.modes import gradients_off
from cmgan_audit.facts.scene import Scene, Use
from cmgan_audit.facts.steps.actions import Action
from cmgan_audit.facts.values import fact_of
from cmgan_audit.finding import Step
from cmgan_audit.lazy_dataclasses import dataclass
from cmgan_audit.program.domain.values import Arguments, Const, External, Value
from cmgan_audit.program.execution.trace import CallEvent
from cmgan_audit.program.naming.names import canonical
from cmgan_audit.rules.record import Fact, Known, OneOf, Unknown, certainly

_AUTOCAST = "torch.autocast"
_HALVES = frozenset({"torch.float16", "torch.half"})


@dataclass(frozen=True, slots=True)
class _Setting:
    """How an autocast is set up."""

    device: Value | None
    dtype: Value | None
    enabled: Value | None


def runs_in_half(scene: Scene, start: int, backward: Action, losses: Losses) -> Fact:
    """Whether gradients of a backward pass come through a network that runs under an autocast to float16.

    Between it and the pass before, a network counts unless all that the loss takes from it is detached; an earlier call
    counts where the loss was certainly computed from it: a discriminator may learn from the same output in between.

    Args:
        scene: the run.
        start: the position of the pass before.
        backward: the backward pass; only what happens in its innermost loop counts.
        losses: of the run.
    """
    end, loop = backward.position, backward.event.context.loops[-1]
    runs = [
        use
        for use in scene.of("run")
        if use.position < end
        and loop in use.event.context.loops
        and use.on is not None
        and is_kept(scene, use.on)  # a loss computes in float32 under autocast: it multiplies by no weights
    ]
    casts = [
        (position, event)
        for position, event in enumerate(scene.run.events)
        if position < end and isinstance(event, CallEvent) and canonical(event.callee) == _AUTOCAST
    ]
    answers = [
        (use, _in_half(use, casts))
        for use in runs
        if not gradients_off(scene, use.position, use.event.context.managers)
    ]
    for wanted in (_is_on, _is_open):
        for use, answer in answers:
            if not wanted(answer) or use.on is None:
                continue
            if start < use.position:
                if not losses.misses(backward, bare_network(use.on)):
                    return answer
            elif losses.come_through(backward, use.event):
                return answer
    return Known(False)


def _is_on(fact: Fact) -> bool:
    return certainly(fact, True)


def _is_open(fact: Fact) -> bool:
    return isinstance(fact, OneOf | Unknown)


def _in_half(use: Use, casts: Sequence[tuple[int, CallEvent]]) -> Fact:
    depth = use.event.context.managers.count(_AUTOCAST)
    if depth == 0:
        return Known(False)
    around = [
        event
        for position, event in casts
        if position < use.position and event.context.managers.count(_AUTOCAST) == depth - 1
    ]
    here = Step(use.event.location, "a network runs under autocast here")
    if not around:
        return Known(True, (here,))  # `@autocast` without arguments: float16 on a GPU
    return _to_half(around[-1], here)


def _to_half(event: CallEvent, here: Step) -> Fact:
    setting = _setting(event.arguments)
    if isinstance(setting.device, Const) and str(setting.device.value).startswith("cpu") and setting.dtype is None:
        return Known(False)  # bfloat16 is the default there
    if setting.dtype is not None:
        if not isinstance(setting.dtype, External):
            return Unknown("the type that autocast computes in is not known", setting.dtype.trail)
        if canonical(setting.dtype.name) not in _HALVES:
            return Known(False)
    made = Step(event.location, "autocast computes in float16 here")
    enabled = fact_of(setting.enabled, True)
    if isinstance(enabled, Known):
        trail = (made, here, *enabled.trail)
        return Known(bool(enabled.value), trail, enabled.condition, enabled.confidence)
    return enabled


def _setting(arguments: Arguments) -> _Setting:
    """The arguments of `torch.autocast(device, dtype, enabled)` or of `torch.cuda.amp.autocast(enabled, dtype)`."""
    first = arguments.get("device_type", 0)
    of_cuda = isinstance(first, Const) and isinstance(first.value, bool)
    if of_cuda or (not arguments.positional and "device_type" not in arguments.keywords):
        return _Setting(None, arguments.get("dtype", 1), arguments.get("enabled", 0))
    return _Setting(first, arguments.get("dtype", 1), arguments.get("enabled", 2))
