"""Callbacks of trainers that keep a model or end a training by a number that the trainer collects."""

from __future__ import annotations

import ast

from cmgan_audit.facts.checkpoints.restoring import member_of
from cmgan_audit.facts.scene import Pass
from cmgan_audit.facts.values import constant, instances_of, share_one
from cmgan_audit.facts.view import View
from cmgan_audit.lazy_regex import regex
from cmgan_audit.program.domain.values import Const, DictValue, Value
from cmgan_audit.program.execution.trace import CallEvent
from cmgan_audit.program.models.frameworks.transformers_ import given_to_trainer
from cmgan_audit.program.naming.names import canonical

# What Lightning adds to the name of a number that is logged per step and per epoch.
PER = regex(r"_(?:epoch|step)$")
# Settings of a trainer that loads the checkpoint with the best evaluation when it ends.
_SETTINGS = ("transformers.TrainingArguments", "transformers.Seq2SeqTrainingArguments")


def monitors(event: CallEvent) -> bool:
    """Whether a call sets up a selection by a framework."""
    name = canonical(event.callee)
    if name.endswith(("ModelCheckpoint", "EarlyStopping")) and name.startswith("lightning."):
        monitor = monitor_of(event)
        return monitor is not None and not (isinstance(monitor, Const) and monitor.value is None)
    if name in _SETTINGS:
        return constant(event.arguments.get("load_best_model_at_end")) is True
    return member_of(event) == "save_and_keep_only" and bool({"min_keys", "max_keys"} & event.arguments.keywords.keys())


def belongs_to(view: View, event: CallEvent, single: Pass) -> bool:
    """Whether a selection may be one of the trainer that makes a pass; one by settings is of whom they were given."""
    if canonical(event.callee) not in _SETTINGS:
        return not single.event.framework.startswith("transformers.")
    settings = [
        given_to_trainer(trainer, "args")
        for call in view.scene.named(lambda name: name.endswith(".train"))
        if call.location == single.event.location
        for trainer in instances_of(call.receiver)
    ]
    given = [each for value in settings if value is not None for each in instances_of(value)]
    return share_one(given, instances_of(event.result))


def monitor_of(event: CallEvent) -> Value | None:
    """The name of the number that a callback goes by."""
    return event.arguments.get("monitor", 2 if canonical(event.callee).endswith("ModelCheckpoint") else 0)


def watches(event: CallEvent, position: int, count: int) -> bool:
    """Whether a selection goes by the number that one of several validation loaders gives.

    Lightning names the numbers of several loaders apart: "val_loss/dataloader_idx_0". Which one another name stands for
    is not known.
    """
    if count < 2:
        return True
    name = constant(monitor_of(event))
    return isinstance(name, str) and name.endswith(f"/dataloader_idx_{position}")


def chooses(view: View, event: CallEvent) -> bool:
    """Whether a checkpoint callback keeps some models and not others, or its best one is asked for afterwards.

    `save_top_k=-1` keeps them all: then its monitor only goes into names.
    """
    kept = constant(event.arguments.get("save_top_k", 5))
    if not canonical(event.callee).endswith("ModelCheckpoint") or kept not in (-1, 0):
        return True
    return any(
        isinstance(node, ast.Attribute)
        and node.attr == "best_model_path"
        and not any(isinstance(parent, ast.JoinedStr) for parent in view.code.parents(reached.module.path, node))
        for reached in view.code.reached
        for node in reached.own_nodes()
    ) or any(constant(each.arguments.get("ckpt_path")) == "best" for each in view.scene.calls)


def logged_in_training_only(view: View, event: CallEvent) -> bool:
    """Whether the number that a selection goes by is logged by training steps and nowhere else."""
    name = constant(monitor_of(event))
    if not isinstance(name, str):
        return False
    names = {name, PER.sub("", name)}
    places = {
        any(frame.function.endswith(".training_step") for frame in each.context.frames)
        for each in view.scene.calls
        if member_of(each) in ("log", "log_dict") and names & logged_by(each)
    }
    return places == {True}


def logged_by(event: CallEvent) -> set[str]:
    """The names of the numbers that a call of `log` or `log_dict` gives."""
    given = event.arguments.get("name", 0) or event.arguments.get("dictionary", 0)
    if isinstance(given, DictValue):
        return {key for key in given.items if isinstance(key, str)}
    text = constant(given)
    return {text} if isinstance(text, str) else set()
