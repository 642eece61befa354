"""Resumes that a training framework does itself, by an argument of its own."""

from __future__ import annotations

import re
from collections.abc import Iterator
from collections.abc import Set as AbstractSet

from cmgan_audit.facts.checkpoints.records import Resume
from cmgan_audit.facts.classes import library_bases
from cmgan_audit.facts.view import View
from cmgan_audit.finding import Confidence, Location, Step
from cmgan_audit.lazy_regex import regex
from cmgan_audit.program.domain.values import ClassValue, Const, Instance, Listing, Unknown, Value, options_of
from cmgan_audit.program.execution.trace import CallEvent
from cmgan_audit.program.language.classes import class_attribute
from cmgan_audit.program.models.files import path_of
from cmgan_audit.program.naming.names import canonical
from cmgan_audit.rules.record import Known

# The call of a framework and its argument that names the checkpoint to go on from.
_ARGUMENTS = {
    "lightning.pytorch.Trainer.fit": ("ckpt_path", 4),
    "lightning.pytorch.Trainer": ("resume_from_checkpoint", None),
    "transformers.Trainer.train": ("resume_from_checkpoint", 0),
    "transformers.Seq2SeqTrainer.train": ("resume_from_checkpoint", 0),
}
_FINDS = regex(r"last|latest|newest|glob|find", re.IGNORECASE)


def framework_resumes(view: View) -> Iterator[Resume]:
    """The trainings that a framework continues from a checkpoint in this run."""
    typed = {step.location for step in view.scene.run.launch.steps}
    for event in view.scene.calls:
        for name in _names(event):
            if name in _ARGUMENTS:
                yield from _named_in_the_call(event, *_ARGUMENTS[name], typed)
            elif name in ("speechbrain.Brain.fit", "speechbrain.core.Brain.fit") and _recovers(view, event):
                yield _resume(event, Const(value=True), "fit() recovers the newest checkpoint by itself")


def _named_in_the_call(
    event: CallEvent, argument: str, position: int | None, typed: AbstractSet[Location]
) -> Iterator[Resume]:
    """The checkpoints that an argument may name; one that somebody types at the launch is meant."""
    value = event.arguments.get(argument, position)
    for option in options_of(value) if value is not None else ():
        held = path_of(option.value)
        if _names_a_checkpoint(held) and not any(step.location in typed for step in held.trail):
            yield _resume(event, held, f"{argument} is {_shown(held)}")


def _names(event: CallEvent) -> set[str]:
    name = canonical(event.callee)
    if isinstance(event.receiver, Instance) and not event.receiver.external_name:
        member = name.rpartition(".")[2]
        return {name, *(f"{base}.{member}" for base in library_bases(event.receiver))}
    return {name}


def _names_a_checkpoint(value: Value) -> bool:
    if isinstance(value, Const):
        return value.value is True or (isinstance(value.value, str) and bool(value.value))
    if isinstance(value, Unknown):  # one of the files of a folder
        return any(isinstance(draw, Listing) for draw in value.draws)
    return isinstance(value, Instance) and bool(_FINDS.search(value.external_name.rpartition(".")[2]))


def _shown(value: Value) -> str:
    return repr(value.value) if isinstance(value, Const) else "what is found"


def _recovers(view: View, fit: CallEvent) -> bool:
    """Whether a Brain looks for its newest checkpoint when it begins to fit: one with an `on_fit_start` of its own does
    only where that calls the one of the framework."""
    brain = fit.receiver
    if not isinstance(brain, Instance):
        return False
    given = brain.attrs.get("checkpointer") or brain.arguments.keywords.get("checkpointer")
    if given is None or (isinstance(given, Const) and given.value is None):
        return False
    if not isinstance(brain.cls, ClassValue) or class_attribute(brain.cls, "on_fit_start") is None:
        return True
    return any(
        event.callee.endswith("Brain.on_fit_start")
        and bool(event.context.frames)
        and event.context.frames[-1].call == fit.location
        for event in view.scene.calls
    )


def _resume(event: CallEvent, value: Value, how: str) -> Resume:
    medium = isinstance(value, Const) and bool(value.overridable)
    trail = (*value.trail, Step(event.location, how))
    return Resume(
        location=event.location,
        anchor=canonical(event.callee),
        unasked=Known(True, trail, confidence=Confidence.MEDIUM if medium else Confidence.HIGH),
        how=how,
        what="everything that the trainer holds",
        complete=Known(True),
    )
