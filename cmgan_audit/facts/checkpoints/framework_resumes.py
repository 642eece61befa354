"""Resumes that a training framework does itself, by an argument of its own."""

from __future__ import annotations

import re
from collections.abc import Iterator

from cmgan_audit.facts.checkpoints.given import names_only_folder, says_file, speaks_of_one
from cmgan_audit.facts.checkpoints.guards import Guards, asks_for_files_only
from cmgan_audit.facts.checkpoints.records import Resume
from cmgan_audit.facts.checkpoints.wording import A_START, CHECKPOINT
from cmgan_audit.facts.classes import library_bases
from cmgan_audit.facts.view import View
from cmgan_audit.finding import Confidence, Step, Trail
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
    for event in view.scene.calls:
        for name in _names(event):
            if name in _ARGUMENTS:
                yield from _named_in_the_call(view, event, *_ARGUMENTS[name])
            elif name in ("speechbrain.Brain.fit", "speechbrain.core.Brain.fit") and _recovers(view, event):
                yield _resume(event, (), "fit() recovers the newest checkpoint by itself")


def _named_in_the_call(view: View, event: CallEvent, argument: str, position: int | None) -> Iterator[Resume]:
    """The checkpoints that an argument may name; one that somebody types at the launch is meant.

    Where only the folder of the run is typed, and the training begins anew unless a file lies in it, none is asked for:
    `ckpt_path=last if (last := runs / args.name / "last.ckpt").exists() else None`.
    """
    launch = view.scene.run.launch
    typed = {step.location for step in launch.steps}
    value = event.arguments.get(argument, position)
    options = options_of(value) if value is not None else ()
    or_none = any(isinstance(option.value, Const) and not option.value.value for option in options)
    for option in options:
        held = path_of(option.value)
        is_looked_for = or_none and asks_for_files_only(option.condition)
        if is_looked_for and names_only_folder(held, launch) and not speaks_of_one(held):
            yield _resume(event, (), f"{argument} is what lies in the folder of the run")
        elif (
            _names_a_checkpoint(held)
            and not any(step.location in typed for step in held.trail)
            and not _decided_by_word(view, event, held)
        ):
            medium = isinstance(held, Const) and bool(held.overridable)
            way = () if _tells_folder(view, held) else held.trail
            yield _resume(event, way, f"{argument} is {_shown(held)}", Confidence.MEDIUM if medium else Confidence.HIGH)


def _decided_by_word(view: View, event: CallEvent, path: Value) -> bool:
    """Whether a word of the command line decides that a checkpoint is taken: `last if args.resume else None`.

    What it sets is called after a checkpoint, or is the folder that the path begins with: `--from_run runs/a`.
    """
    guards = Guards(view.code)
    words = {step.location for step in view.scene.run.launch.steps}
    return any(
        setting.taken
        and any(step.location in words for step in setting.value.trail)
        and (CHECKPOINT.search(setting.text) or A_START.search(setting.text) or _begins(path, setting.value))
        for guard in (*guards.of(event), *guards.around_way(path.trail, event))
        for setting in guards.settings(guard)
    )


def _begins(path: Value, start: Value) -> bool:
    if not isinstance(path, Const) or not isinstance(start, Const) or not isinstance(start.value, str):
        return False
    return bool(start.value) and str(path.value).startswith(start.value)


def _tells_folder(view: View, path: Value) -> bool:
    """Whether settings tell where a run lies (`out_dir: out`), and the program itself which file it takes there."""
    if not isinstance(path, Const) or not isinstance(path.value, str) or not path.trail:
        return False
    settings = path.trail[0].location.path
    return not settings.endswith((".py", ".ipynb")) and not says_file(path, view.tree.text(settings))


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


def _resume(event: CallEvent, way: Trail, how: str, confidence: Confidence = Confidence.HIGH) -> Resume:
    return Resume(
        location=event.location,
        anchor=canonical(event.callee),
        unasked=Known(True, (*way, Step(event.location, how)), confidence=confidence),
        how=how,
        what="everything that the trainer holds",
        complete=Known(True),
    )
