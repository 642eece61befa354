"""Collects where gradients are clipped, and whether a step ever uses what is left of them.

What is clipped for nothing has been set back before every step that comes after it, going once around the loop over
batches (`rings.py`). A network that is clipped to some effect as well is left alone: its other clip may be one of a
helper that treats all networks alike, or a way to ask for a norm.
"""

from __future__ import annotations

import ast
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from cmgan_audit.facts.adversarial.holders import disjoint
from cmgan_audit.facts.steps.actions import CLIP, Action
from cmgan_audit.facts.steps.records import Clip
from cmgan_audit.facts.steps.rings import Ring, Rings
from cmgan_audit.facts.steps.windows import actions_by_hand, with_networks
from cmgan_audit.facts.values import class_name, fact_of
from cmgan_audit.facts.view import View
from cmgan_audit.finding import Location, Step
from cmgan_audit.program.execution.trace import Loop, innermost_function
from cmgan_audit.rules.record import NO, Fact, Known
from cmgan_audit.source.syntax import arguments_named

# A limit above this one lets all gradients of a training that works pass: who gives it asks for their norm.
_LARGEST_LIMIT = 100.0


def clips_of(view: View) -> Iterable[Clip]:
    """The places in loops over batches where gradients are clipped by hand."""
    actions = actions_by_hand(view)
    if not any(each.kind == CLIP for each in actions):
        return []
    rings = Rings(view, with_networks(view, actions))
    places: dict[Location, list[tuple[Action, Ring | None]]] = {}
    for each in actions:
        if each.kind == CLIP and _limits(view, each):
            places.setdefault(each.event.location, []).append((each, rings.around(each)))
    return _judged(places, rings)


def _judged(places: Mapping[Location, Sequence[tuple[Action, Ring | None]]], rings: Rings) -> list[Clip]:
    """A record per place; one that more than one call comes to does nothing only where each of them does nothing."""
    found = {
        place: [_clip(clip, ring) for clip, ring in calls if ring is not None]
        for place, calls in places.items()
        if all(ring is not None for _, ring in calls)
    }
    idle = {place for place, clips in found.items() if all(map(_is_idle, clips))}
    acting = [clip for place, calls in places.items() if place not in idle for clip, _ in calls]
    records: list[Clip] = []
    for place, (first, *_) in found.items():
        ring = places[place][0][1]
        assert ring is not None
        beside = [rings.networks(each) for each in acting if _is_in(each, ring.loop)]
        treated = any(not each.complete or not disjoint(each, ring.held) for each in beside)
        records.append(replace(first, empty=NO, late=NO, foreign=NO) if place not in idle or treated else first)
    return records


def _is_in(action: Action, loop: Loop) -> bool:
    """Whether something happens in a loop; one in a function is another one with each call."""
    return any(each.location == loop.location for each in action.event.context.loops)


def _is_idle(clip: Clip) -> bool:
    return any(fact is not NO for fact in (clip.empty, clip.late, clip.foreign))


def _clip(clip: Action, ring: Ring) -> Clip:
    empty = _empty(ring)
    late, foreign = (NO, NO) if empty is not NO else (_late(ring.own_step_before(), ring), _foreign(ring))
    if empty is NO and late is NO and foreign is NO:  # `clip(); zero_grad(); backward(); step()`
        late = _late(ring.own_step_around(), ring)
    network = class_name(ring.held.networks[0])
    return Clip(
        location=clip.event.location,
        anchor=f"{innermost_function(clip.event.context)}.{network}",
        network=network,
        empty=empty,
        late=late,
        foreign=foreign,
    )


def _empty(ring: Ring) -> Fact:
    """Whether the gradients were set back before the clip, and a backward pass fills them only after it."""
    return _shown_by(
        (ring.set_back_before(), "these gradients are set back here"),
        (ring.filling_after(), "they are computed only here, after the clip"),
    )


def _late(step: Action | None, ring: Ring) -> Fact:
    """Whether a step before the clip has used the gradients, and they are set back before the next one."""
    return _shown_by(
        (step, "the optimiser has already stepped on these gradients here"),
        (ring.set_back_after(), "they are set back here, before its next step"),
    )


def _foreign(ring: Ring) -> Fact:
    """Whether the clip stands before the step of other networks."""
    if ring.own_step_before() is not None:
        return NO
    return _shown_by(
        (ring.foreign_step_after(), "the step that follows is of other networks"),
        (ring.set_back_after(), "the clipped gradients are set back here, before the step that would use them"),
    )


def _shown_by(*actions: tuple[Action | None, str]) -> Fact:
    """That something is so, if all the actions that show it happen, each with what it shows; else `NO`."""
    steps = tuple(Step(action.event.location, shown) for action, shown in actions if action is not None)
    return Known(True, steps) if len(steps) == len(actions) else NO


def _limits(view: View, clip: Action) -> bool:
    """Whether a call is there to clip, and not only for the norm that it returns."""
    arguments = clip.event.arguments
    given = arguments.get("clip_value", 1) if "max_norm" not in arguments.keywords else arguments.keywords["max_norm"]
    limit = fact_of(given, None)
    if isinstance(limit, Known) and isinstance(limit.value, int | float):
        return not math.isnan(limit.value) and limit.value <= _LARGEST_LIMIT
    call = view.code.call_at(clip.event.location)
    if call is None:
        return False
    parents = view.code.parents(clip.event.location.path, call)
    holder = next((each for each in parents if not isinstance(each, ast.IfExp)), None)
    named = [*call.args[1:2], *arguments_named(call, "max_norm", "clip_value")]
    return isinstance(holder, ast.Expr) or any("clip" in ast.unparse(each).lower() for each in named)
