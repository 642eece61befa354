"""What somebody has to give before a checkpoint is loaded: a setting, or the path of its file."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Sequence

from cmgan_audit.facts.checkpoints.guards import Setting
from cmgan_audit.facts.checkpoints.restoring import Batch
from cmgan_audit.facts.checkpoints.wording import A_START, CHECKPOINT, RESUME
from cmgan_audit.facts.view import View
from cmgan_audit.finding import Step
from cmgan_audit.lazy_regex import regex
from cmgan_audit.program.domain.reasons import GIVEN_AT_START, Cause, cause_of
from cmgan_audit.program.domain.values import Const, Instance, Unknown, Value, options_of
from cmgan_audit.program.execution.trace import Launch
from cmgan_audit.program.models.files import path_of
from cmgan_audit.program.models.needed_files import NeededOption

# An option that numbers a stored state, with a default that numbers none: training begins at step 0 or epoch 0.
_NUMBERS_NONE = regex(r"(-\S*(?:resum|continu|restor|step|epoch|iter)\S*) defaults to (?:0|-\d+)", re.IGNORECASE)

# A setting as the trail tells of it, and the name of one that says where to load from, not where a run lies.
_SETTING = regex(r"(?P<key>\S+) is (?P<value>.+) in \S+")
_TO_LOAD_FROM = regex(
    r"resum|restor|pre_?train|fine_?tun|warm_?start|(?<![a-z])load(?!er)|(init|start|continue)\w*_from", re.IGNORECASE
)
_OPTION = regex(r"(?<!\S)--?[A-Za-z][\w-]*")
_TEXTS = frozenset({"str", "+"})  # how a text is put together
_PUT_TOGETHER = _TEXTS | {"join", "/", "path"}


def maybe_missing(settings: Sequence[Setting]) -> str:
    """A setting that has to be there for a load, and of which some ways through the program leave nothing."""
    for setting in settings:
        held = [option.value for option in options_of(setting.value)] if setting.taken else []
        if len(held) > 1 and any(isinstance(value, Const) and not value.value for value in held):
            return setting.text
    return ""


def path_of_caller(batch: Batch) -> str:
    """The parameter that a path comes from in code that no script reaches: who calls it says what is loaded."""
    paths = [path_of(value) for event in batch.loads for value in event.arguments.positional[:1]]
    by_caller = any(isinstance(path, Unknown) and cause_of(path.reason) is Cause.CALLER for path in paths)
    return "the path" if by_caller else ""


def numbers_none(path: Value) -> str:
    """The option that numbers the stored state in a path and whose default numbers none; "" where none does.

    `torch.load("model_%d.pt" % args.restore_step)` finds no file while restore_step is 0, and `try` passes over that.
    """
    found = [_NUMBERS_NONE.fullmatch(step.note) for step in path.trail]
    return next((match[1] for match in found if match is not None), "")


def says_file(path: Const, settings: str | None) -> bool:
    """Whether settings tell the file of a path, not only a folder on the way to it.

    `checkpoint: stage1/model_100.pt` does, and so do `epoch: 100` for `f"model_{epoch}.pt"` and a folder that is named
    to load from (`resume_from: runs/stage1`); `name: small` does not where the program looks into `runs/small` for a
    `model.pt` of its own.
    """
    name = posixpath.basename(str(path.value))
    stem = posixpath.splitext(name)[0]
    if name in (settings or "") or any(stem in step.note for step in path.trail):
        return True
    said = [_SETTING.fullmatch(step.note) for step in path.trail]
    return any(each and (_TO_LOAD_FROM.search(each["key"]) or _is_word_of(each["value"], name)) for each in said)


def _is_word_of(value: str, name: str) -> bool:
    """Whether a value stands in the name of a file: 100 in "model_0100.pt", not 1; "small" in "small-best.pt"."""
    text = re.escape(posixpath.basename(value.strip("'\"")))
    around = rf"(?<!\d)0*{text}(?!\d)" if text.isdigit() else rf"(?<![^\W_]){text}(?![^\W_])"
    return bool(text) and re.search(around, name) is not None


def names_only_folder(path: Value, launch: Launch) -> bool:
    """Whether the command line gives the folder of a path, and the program itself writes the name of the file.

    It may also read it where an earlier run noted which file is its newest (`model/checkpoint`, `runs/latest.txt`).
    """
    if isinstance(path, Unknown) and path.computed is not None and path.computed.operation in _PUT_TOGETHER:
        last = path.computed.operands[-1]
        if path.computed.operation == "path":  # the same, as a text
            return names_only_folder(last, launch)
        if path.computed.operation in _TEXTS:
            return isinstance(last, Const) and not last.overridable and bool(str(last.value).rpartition("/")[1])
        if isinstance(last, Instance):
            return last.external_name.startswith("io.")
        return isinstance(last, Const) and not last.overridable and bool(last.value)
    if not isinstance(path, Const) or not isinstance(path.value, str):
        return False
    name = posixpath.basename(path.value)
    words = {step.location for step in launch.steps}
    given = [step.note for step in path.trail if step.location in words]
    return bool(name) and bool(given) and not any(note.endswith(name) for note in given)


def options_of_step(step: Step) -> list[str]:
    """The option that a step speaks of, if it does of one."""
    return _OPTION.findall(step.note)[:1]


def options_of_path(path: Value) -> list[str]:
    """The options that give a path or a part of it, by its way."""
    own = path.overridable if isinstance(path, Const) else ""
    return [*(option for step in path.trail for option in options_of_step(step)), own, *_options_in(path)]


def folder_options(path: Value, launch: Launch) -> list[str]:
    """The options of a command line whose words are folders that a path begins with."""
    found = []
    for before, word in zip(("", *launch.argv), launch.argv, strict=False):
        head, equals, joined = word.partition("=")
        option, folder = (head, joined) if equals and head.startswith("-") else (before, word)
        starts = isinstance(path, Const) and bool(folder) and str(path.value).startswith(folder.rstrip("/") + "/")
        found += [option] if starts and option.startswith("-") else []
    return found


def speaks_of_one(path: Value) -> bool:
    """Whether what is given of a path is called after a checkpoint or weights to start from: `--resume_from runs/a`."""
    names = [*options_of_path(path), *(step.note.partition(" ")[0] for step in path.trail)]
    return any(CHECKPOINT.search(name) or A_START.search(name) for name in names)


def is_folder_of_one(path: Value, launch: Launch) -> bool:
    """Whether a command line gives the folder of what a training goes on from or starts from.

    `--checkpoint_dir` may just as well be where the run writes.
    """
    return any(RESUME.search(option) or A_START.search(option) for option in folder_options(path, launch))


def is_open(value: object) -> bool:
    """Whether a value is only known once somebody has typed it, or a part of it where it is a text."""
    if not isinstance(value, Unknown):
        return False
    parts = value.computed.operands if value.computed is not None and value.computed.operation in _TEXTS else ()
    return cause_of(value.reason) in GIVEN_AT_START or any(map(is_open, parts))


def in_own_folder(view: View, path: Value) -> bool:
    """Whether a required option names the folder of a path, and the run writes checkpoints into that folder too.

    `--exp` says where a run keeps what it makes: what it finds there an earlier run has left.
    """
    asked = set() if isinstance(path, NeededOption) else _options_in(path)
    if not asked:
        return False
    written = view.scene.named(lambda name: name == "torch.save")
    return any(asked & _options_in(path_of(event.arguments.get("f", 1))) for event in written)


def _options_in(path: Value, depth: int = 8) -> set[str]:
    """The required options that a path is put together of."""
    if isinstance(path, NeededOption):
        return {path.flag} - {""}
    if not isinstance(path, Unknown) or path.computed is None or not depth:
        return set()
    return {flag for each in path.computed.operands for flag in _options_in(each, depth - 1)}


def is_unread(value: Value) -> bool:
    """Whether a value stands in a file of settings that the tree does not have, or whoever calls the code gives it."""
    return isinstance(value, Unknown) and cause_of(value.reason) in (Cause.MISSING_FILE, Cause.CALLER)
