"""Files that `torch.load` reads: whether somebody gives them, and whether what they hold may run."""

from __future__ import annotations

import ast
import posixpath
from collections.abc import Iterable, Iterator
from typing import TypeGuard

from cmgan_audit.facts.checkpoints.given import in_own_folder
from cmgan_audit.facts.checkpoints.records import FileLoad
from cmgan_audit.facts.checkpoints.whole_states import whole_state
from cmgan_audit.facts.checkpoints.wording import A_START
from cmgan_audit.facts.code import stack_of
from cmgan_audit.facts.slices import Found
from cmgan_audit.facts.values import constant, is_from_settings
from cmgan_audit.facts.view import View
from cmgan_audit.finding import Step
from cmgan_audit.lazy_dataclasses import dataclass
from cmgan_audit.lazy_regex import regex
from cmgan_audit.program.domain.reasons import Cause, cause_of
from cmgan_audit.program.domain.values import Const, External, Unknown, Value, options_of
from cmgan_audit.program.execution.trace import CallEvent, innermost_function
from cmgan_audit.program.models.files import path_of
from cmgan_audit.program.models.needed_files import NeededOption
from cmgan_audit.program.naming.names import canonical
from cmgan_audit.rules.record import Fact, Known

_JOINS = frozenset({"join", "str", "+"})
_NUMBERS = ("builtins.int", "builtins.float")
_MOVES = frozenset({"os.rename", "os.replace", "shutil.move", "shutil.copy", "shutil.copy2", "shutil.copyfile"})
_PATH_MOVES = frozenset({"pathlib.Path.rename", "pathlib.Path.replace"})
_OPEN = "*"
_FIELD = regex(r"\{[^{}]*\}|%[-+ #\d.]*[a-z]")  # where "net_{:03d}.pt" and "net_%03d.pt" take a value


def file_loads(view: View) -> Iterator[FileLoad]:
    """Every `torch.load` of a run, those in branches that a setting keeps off included."""
    off = (event for supposed in view.scene.run.supposed for event in supposed.events)
    saved: _Saved | None = None
    for event in (*view.scene.calls, *off):
        if not isinstance(event, CallEvent) or canonical(event.callee) != "torch.load":
            continue
        saved = _saved(view) if saved is None else saved
        path = path_of(event.arguments.get("f", 0))
        here = (Step(event.location, "the file is unpickled here"),)
        yield FileLoad(
            location=event.location,
            anchor=innermost_function(event.context),
            given=_given(view, event, path, saved),
            typed=Known(_is_typed(view, path), path.trail),
            pickle=Known(_pickle(event), here),
            old_torch=view.torch.may_be(below="2.6", path=event.location.path),
            older_than_flag=view.torch.allows(below="1.13", path=event.location.path),
            only_weights=whole_state(view, event),
        )


@dataclass(frozen=True, slots=True)
class _Saved:
    """What a run writes with `torch.save`, as far as it is known: whole paths, and the folders of others too; `values`
    are all the paths, also those of which nothing is known but that they are the same."""

    paths: frozenset[str]
    folders: frozenset[str]
    values: tuple[Value, ...]

    def lies_beside(self, path: Const) -> bool:
        """Whether a file lies where the run keeps its own: an earlier run, or another script, has left it there.

        What is called pretrained comes from elsewhere, wherever it lies.
        """
        folder, name = posixpath.split(posixpath.normpath(str(path.value)))
        return folder in self.folders and not path.overridable and not A_START.search(name)


def _saved(view: View) -> _Saved:
    written = [event for event in view.scene.calls if canonical(event.callee) == "torch.save"]
    paths = [path for event in written for path in _ways(event.arguments.get("f", 1))]
    whole, forms = _texts(paths), set(map(_written, paths))
    for event in view.scene.calls:  # written beside, and moved or copied to its place once it is whole
        moved = _moved(event)
        if moved is not None and not forms.isdisjoint(map(_written, moved[0])):
            whole |= _texts(moved[1])
            forms |= set(map(_written, moved[1]))
    return _Saved(whole, frozenset(map(_folder, paths)) - {""}, tuple(paths))


def _moved(event: CallEvent) -> tuple[list[Value], list[Value]] | None:
    """What a call moves or copies, and where to: `os.replace(part, whole)`, `part.replace(whole)` of a path."""
    callee, given = canonical(event.callee), event.arguments
    if callee in _MOVES:
        return _ways(given.get("src", 0)), _ways(given.get("dst", 1))
    if callee in _PATH_MOVES:
        return _ways(event.receiver), _ways(given.get("target", 0))
    return None


def _ways(path: Value | None) -> list[Value]:
    return [option.value for option in options_of(path_of(path))]


def _texts(paths: Iterable[Value]) -> frozenset[str]:
    return frozenset(str(path.value) for path in paths if isinstance(path, Const))


def _folder(path: Value) -> str:
    """The folder of a path that the program itself names; "" where it names none, or only a part of it."""
    folder = posixpath.normpath(posixpath.dirname(_written(path)))
    return "" if folder == "." or _OPEN in folder else folder


def _written(path: Value, depth: int = 8) -> str:
    """A path as a text in which `_OPEN` stands for what is not known: "saved/net_*.pt"."""
    if isinstance(path, Const):
        return str(path.value)
    if not isinstance(path, Unknown) or path.computed is None or not depth:
        return _OPEN
    parts = [_written(each, depth - 1) for each in path.computed.operands]
    match path.computed.operation:
        case "join":
            return posixpath.join("", *parts)
        case "str" | "+":
            return "".join(parts)
        case "path":
            return parts[-1]
        case "%" | "format":
            return _FIELD.sub(_OPEN, parts[0])
    return _OPEN


def _given(view: View, event: CallEvent, path: Value, saved: _Saved) -> Fact:
    steps = (*path.trail, Step(event.location, "the file is loaded here"))
    if isinstance(path, Const) and (path.value is not None or _is_to_be_named(view, event, path)):
        own = str(path.value) in saved.paths or saved.lies_beside(path)
        return Known(not (own or (view.scene.trains and _is_numbered(view, path))), steps)
    if any(each is path for each in saved.values):
        return Known(False, steps)  # wherever it lies: what is found there was put there by an earlier run
    if view.scene.trains and (not _is_typed(view, path) or in_own_folder(view, path)):
        return Known(False, steps)  # a training that computes the path looks into its own folder
    return Known(True, steps)


def _is_to_be_named(view: View, event: CallEvent, path: Const) -> bool:
    """Whether a file that is None is to be named, by settings or in the code, and not looked for behind a flag."""
    call = view.code.call_at(event.location)
    if is_from_settings(path.trail) or call is None or not call.args:
        return is_from_settings(path.trail)
    here = Found(call.args[0], event.location.path, stack_of(event.context))
    sources = [source.node for source, _ in view.slicer.sources(here)]
    return bool(sources) and all(isinstance(each, ast.Constant) for each in sources)


def _is_numbered(view: View, path: Const) -> bool:
    """Whether only a number of a path may be typed: `"saved/net_%d.pt" % opt.epoch` names one of the own files.

    Of the options in one path its way tells a single one, and who may change it another.
    """
    asked = view.scene.named(lambda name: name.endswith(".add_argument")) if path.overridable.startswith("-") else []
    told = [each for each in asked if any(constant(flag) == path.overridable for flag in each.arguments.positional)]
    on_way = [each for each in asked if any(step.location.lies_in(each.location) for step in path.trail)]
    kinds = [each.arguments.get("type") for each in (*told, *on_way)]
    return bool(told) and all(isinstance(kind, External) and kind.name in _NUMBERS for kind in kinds)


def _is_typed(view: View, path: Value) -> bool:
    """Whether a path may be typed by whoever starts the program."""
    words = {step.location for step in view.scene.run.launch.steps}
    for option in options_of(path):
        held = option.value
        if isinstance(held, Const) and _begins_in_program(view, held):
            continue
        if isinstance(held, NeededOption) or (isinstance(held, Const) and held.overridable):
            return True
        if any(step.location in words for step in held.trail):
            return True
        if isinstance(held, Unknown) and cause_of(held.reason) is Cause.LAUNCHER:
            return True
        if isinstance(_beginning(held), NeededOption):
            return True
    return False


def _begins_in_program(view: View, path: Const) -> bool:
    """Whether the program says where a path begins, and only what comes further on may be typed.

    `Path("checkpoints", args.model, "latest.pt")` lies in the program's own folder, whatever model is named.
    """
    launch = view.scene.run.launch
    words = [(word.rpartition("=")[2], step.location) for word, step in zip(launch.argv, launch.steps, strict=False)]
    asked = view.scene.named(lambda name: name.endswith(".add_argument"))
    defaults = [(each, constant(each.arguments.get("default"))) for each in asked]
    typed: list[object] = [word for word, place in words if any(step.location == place for step in path.trail)]
    if path.overridable:
        told = [text for each, text in defaults if path.overridable in map(constant, each.arguments.positional)]
        typed += told or [""]
    whole = posixpath.normpath(str(path.value))
    may_begin = {posixpath.normpath(text) for text in (*dict(words), *(text for _, text in defaults)) if _is_text(text)}
    begins = any(text == "." or whole.startswith(text) for text in may_begin)
    return bool(typed) and not begins and all(_is_text(text) and str(text) in whole for text in typed)


def _is_text(value: object) -> TypeGuard[str]:
    return isinstance(value, str) and bool(value)


def _beginning(path: Value) -> Value:
    """What a path that is put together begins with: `f"{args.init}/best.pt"` lies in a folder that somebody names."""
    while isinstance(path, Unknown) and path.computed is not None and path.computed.operation in _JOINS:
        parts = (each for each in path.computed.operands if not (isinstance(each, Const) and each.value == ""))
        first = next(parts, None)
        if first is None:
            break
        path = first
    return path


def _pickle(event: CallEvent) -> str:
    flag = event.arguments.get("weights_only")
    if flag is None:
        return "by default"
    if isinstance(flag, Const):
        return "by default" if flag.value is None else "never" if flag.value else "always"
    return "never"  # a flag that is passed on: the caller has thought of it
