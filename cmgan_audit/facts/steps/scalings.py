"""Collects updates as mixed precision sees them: float16 before them, and what a GradScaler does about it."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Sequence

from cmgan_audit.facts.adversarial.holders import Holders
from cmgan_audit.facts.adversarial.losses import Losses
from cmgan_audit.facts.frameworks import OWN_ORDER
from cmgan_audit.facts.optimisers import is_scaler
from cmgan_audit.facts.steps.actions import CLIP, SCALE, STEP, UNSCALE, UPDATE, Action
from cmgan_audit.facts.steps.precision import runs_in_half
from cmgan_audit.facts.steps.records import Scaling
from cmgan_audit.facts.steps.windows import Update, updates_in
from cmgan_audit.facts.values import class_name, fact_of, instances_of, is_among
from cmgan_audit.facts.view import View
from cmgan_audit.finding import Step
from cmgan_audit.program.domain.values import Instance
from cmgan_audit.program.execution.trace import CallEvent, innermost_function
from cmgan_audit.program.naming.modules import Module
from cmgan_audit.program.naming.names import canonical
from cmgan_audit.rules.record import NO, YES, Fact, Known, Unknown
from cmgan_audit.source.syntax import walk


def scalings_of(view: View) -> Iterable[Scaling]:
    """The updates of a run in which autocast or a GradScaler takes part."""
    if not view.scene.is_reached or not _is_mixed(view):
        return []
    found: list[Scaling] = []
    for update in updates_in(view, view.actions):
        if update.backwards and not any(_is_foreign(each) for each in update.backwards):
            record = _scaling(view, update, view.actions, first=not found)
            if record is not None:
                found.append(record)
    return found


def _is_mixed(view: View) -> bool:
    return any(
        canonical(event.callee) == "torch.autocast" or event.callee.endswith("GradScaler") for event in view.scene.calls
    )


def _is_foreign(backward: Action) -> bool:
    return canonical(backward.event.callee).startswith(OWN_ORDER)


def _scaling(view: View, update: Update, actions: Sequence[Action], *, first: bool) -> Scaling | None:
    scales = {backward: _scale_before(update, backward) for backward in update.backwards}
    if len({each is None for each in scales.values()}) != 1:
        scales = {backward: scales[backward] for backward in _own_backwards(view, update)}
    if len({each is None for each in scales.values()}) != 1:
        return None  # one backward pass is scaled and another is not: whose gradients step here is not known
    backward, scale = list(scales.items())[-1]
    context = backward.event.context
    place = backward.event.location
    scaler_on = _enabled(scale)
    is_scaled = scale is not None and scaler_on != NO
    return Scaling(
        location=place,
        anchor=f"{innermost_function(context)}.{class_name(update.optimiser)}",
        trail=(
            Step(place, "the gradients are computed here"),
            Step(update.step.event.location, "the optimiser steps here"),
        ),
        optimiser=class_name(update.optimiser),
        half=runs_in_half(view.scene, update.start_of(backward), backward, Losses(view.flow)),
        scaled=Known(True, (Step(scale.event.location, "the loss is scaled here"),)) if scale and is_scaled else NO,
        scaler_on=scaler_on,
        through_scaler=_through(update.step),
        scaler_updated=_updated(update.step, actions),
        clips_scaled=_clips_scaled(update, backward),
        idle_scaler=_idle(view, actions) if first else NO,
    )


def _own_backwards(view: View, update: Update) -> list[Action]:
    """The backward passes that come to the networks of the optimiser; none where these are not known."""
    held, losses = Holders(view.scene).of(update.optimiser), Losses(view.flow)
    return [each for each in update.backwards if held.complete and losses.reaches(each, held)]


def _scale_before(update: Update, backward: Action) -> Action | None:
    """The scaling of the loss of a backward pass; of one by several scalers that by one that is known."""
    start = update.start_of(backward)
    found = [each for each in update.inside if each.kind == SCALE and start < each.position < backward.position]
    return next((each for each in found if each.on), found[0] if found else None)


def _enabled(scale: Action | None) -> Fact:
    if scale is None:
        return NO
    if not scale.on:
        return Unknown("the scaler is not known")
    facts = [fact_of(each.arguments.get("enabled", 4), True) for each in scale.on]
    fact = facts[0]
    return NO if isinstance(fact, Known) and not fact.value else fact


def _through(step: Action) -> Fact:
    place = step.event.location
    if step.scaler or step.event.callee.startswith("?"):
        return Known(True, (Step(place, "the optimiser steps through the scaler here"),))
    return Known(False, (Step(place, "the optimiser steps here, past the scaler"),))


def _updated(step: Action, actions: Sequence[Action]) -> Fact:
    updates = [each for each in actions if each.kind == UPDATE]
    if any(not each.on or any(each.concerns(scaler) for scaler in step.scaler) for each in updates):
        return YES
    return Known(False, (Step(step.event.location, "no update() of this scaler was found"),))


def _clips_scaled(update: Update, backward: Action) -> Fact:
    between = [each for each in update.inside if backward.position < each.position < update.step.position]
    for each in between:
        if each.kind == UNSCALE:
            return NO
        if each.kind == CLIP:
            return Known(True, (Step(each.event.location, "gradients are clipped here"),))
    return NO


def _idle(view: View, actions: Sequence[Action]) -> Fact:
    """Whether a GradScaler of the run takes part in nothing."""
    kinds = (SCALE, UNSCALE, UPDATE)
    if any(each.kind in kinds and not each.on for each in actions):
        return NO  # something scales that could not be told
    used = [on for each in actions if each.kind in kinds for on in each.on]
    used += [scaler for each in actions if each.kind == STEP for scaler in each.scaler]
    for event in view.scene.calls:
        for scaler in instances_of(event.result):
            if scaler.location != event.location or not is_scaler(scaler) or _is_off(scaler):
                continue
            if is_among(scaler, used) or _is_given_away(view, scaler):
                continue
            if not any(map(_scales, _modules_of(view, scaler))):
                return Known(True, (Step(event.location, "this GradScaler scales nothing"),))
    return NO


def _modules_of(view: View, scaler: Instance) -> Iterator[Module]:
    """The modules that make a scaler and that are given it."""
    calls = view.scene.calls
    here = view.code.module(scaler.location.path)
    given = {event.location for event in calls if _is_among(scaler, event)}
    below = [frame.value for event in calls for frame in event.context.frames if frame.call in given]
    found = {id(value.module): value.module for value in below if value is not None}
    if here is not None:
        found[id(here)] = here
    yield from found.values()


def _scales(module: Module) -> bool:
    """Whether code scales and steps by one object, on whichever side of a setting: this run passes over it."""
    if module.parsed is None or ".scale(" not in module.parsed.text:
        return False
    called = [
        (node.func.attr, ast.unparse(node.func.value))
        for node in walk(module.parsed.tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in ("scale", "step")
    ]
    scaling = {owner for member, owner in called if member == "scale"}
    return any(owner in scaling for member, owner in called if member == "step")


def _is_off(scaler: Instance) -> bool:
    enabled = fact_of(scaler.arguments.get("enabled", 4), True)
    return not (isinstance(enabled, Known) and enabled.value)


def _is_given_away(view: View, scaler: Instance) -> bool:
    """Whether a call that cannot be looked into gets a scaler."""
    for event in view.scene.calls:
        library = isinstance(event.result, Instance) and bool(event.result.external_name)
        if library or event.callee.startswith("?"):
            if _is_among(scaler, event):
                return True
    return False


def _is_among(scaler: Instance, event: CallEvent) -> bool:
    """Whether a call is given a scaler."""
    given = event.arguments.every
    return any(is_among(scaler, instances_of(value)) for value in given)
