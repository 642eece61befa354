"""Files that the audited program opens: where their paths lead, open files, their content as text.

A path of the audited program is relative to the root of the tree (`__file__` of src/train.py is "src/train.py"), so
that paths computed from `__file__` lead to the right file.
"""

from __future__ import annotations

import posixpath
from collections.abc import Callable
from dataclasses import field

from cmgan_audit.finding import Location
from cmgan_audit.lazy_dataclasses import dataclass
from cmgan_audit.program.domain.joins import join_each, same
from cmgan_audit.program.domain.reasons import naming, not_in_tree
from cmgan_audit.program.domain.values import Choice, Const, Instance, Unknown, Value
from cmgan_audit.program.models.needed_files import bases_of, note_needed, option_of
from cmgan_audit.program.models.registry import ModelCall, derives, model
from cmgan_audit.program.models.standing_in import moved, standing_in

PATH = "pathlib.Path"
FILE = "io.TextIOWrapper"
derives("codecs.open", "builtins.open")
derives("io.open", "builtins.open")


@dataclass(frozen=True, slots=True, kw_only=True)
class FileContent(Unknown):
    """The text of a file; `path` says which."""

    path: Value


@dataclass(frozen=True, slots=True, kw_only=True)
class SettingsText(Unknown):
    """The text that a dictionary or list is written as: `json.dumps(config)`; who reads it again gets a copy."""

    settings: Value


def path_of(value: Value | None) -> Value:
    """The text of a path: of a string, a `Path`, an open file or the content of one."""
    if isinstance(value, Instance):
        held = value.attrs.get("@path")
        if held is not None:
            return held
    if isinstance(value, FileContent):
        return value.path
    if isinstance(value, Choice):
        return join_each(value, path_of)
    return value if value is not None else Unknown(reason="no path is given")


def resolve(call: ModelCall, text: str) -> str | None:
    """The file of the tree that a path means when the program opens it: relative to where the command runs, to the
    script that was started, to the root, to the file that opens it, and to the folders above the script."""
    found = call.interpreter.tree.resolve(text, bases_of(call))
    return found if found is not None or not text.startswith("/") else moved(call, text)


def each_path(call: ModelCall, path: Value, read: Callable[[str], Value]) -> Value:
    """What `read` makes of every file that the path may be; unknown with the reason where it leads to none."""
    if isinstance(path, Choice):
        return join_each(path, lambda one: each_path(call, one, read))
    if isinstance(path, Const) and isinstance(path.value, str):
        found = resolve(call, path.value)
        told = option_of(path, call.interpreter.launch.argv)  # a launch can name another
        if found is None and told is None and not _is_written(call, path.value):
            found = standing_in(call, path.value, bases_of(call))
        if found is not None:
            if _is_named(call, path.value):
                call.interpreter.notes["configured"] = found
            return read(found)
        if not _is_data(call, path.value):
            note_needed(call, path)
        return Unknown(reason=not_in_tree(path.value), trail=path.trail)
    note_needed(call, path)
    if not isinstance(path, Unknown):
        return Unknown(reason="which file is not known", trail=path.trail)
    return Unknown(reason=naming(f"which file is read is not known: {path.reason}", path.reason), trail=path.trail)


def _is_named(call: ModelCall, text: str) -> bool:
    """Whether a launch names a path."""
    return any(text in (word, word.partition("=")[2]) for word in call.interpreter.launch.argv)


def _is_data(call: ModelCall, text: str) -> bool:
    """Whether a file that a launch names beside its configuration is made by an earlier step, as a list of utterances.

    The tree has no such folder and no file of such a name.
    """
    if "configured" not in call.interpreter.notes or not _is_named(call, text):
        return False
    folder, _, name = posixpath.normpath(text).rpartition("/")
    files = call.interpreter.tree.data_files
    return bool(folder) and not any(f"/{folder}/" in f"/{path}" or posixpath.basename(path) == name for path in files)


# Opening and reading


@model("builtins.open")
def _open(call: ModelCall) -> Value | None:
    given = call.get("file", 0) or call.get("filename")
    return _opened(call, path_of(given), call.text("mode", 1))


@model(f"{PATH}.open")
def _path_open(call: ModelCall) -> Value | None:
    return _opened(call, path_of(call.receiver), call.text("mode", 0))


@dataclass(slots=True)
class _Opened:
    """The files that were opened to read, each with the calls around, and the paths that were opened to write."""

    files: list[tuple[tuple[Location, ...], Value]] = field(default_factory=list)
    written: set[str] = field(default_factory=set)


def _opened(call: ModelCall, path: Value, mode: str | None) -> Value:
    opened = call.interpreter.notes.setdefault("opened", _Opened())
    if isinstance(opened, _Opened) and (mode is None or "r" in mode):
        opened.files.append((_here(call), path))
    elif isinstance(opened, _Opened) and isinstance(path, Const):
        opened.written.add(str(path.value))
    return call.instance(FILE, path=path)


def _is_written(call: ModelCall, text: str) -> bool:
    """Whether the program has opened a file to write it itself."""
    opened = call.interpreter.notes.get("opened")
    return isinstance(opened, _Opened) and text in opened.written


def read_here(call: ModelCall) -> Value | None:
    """The path of the one file that the function which is being executed has opened to read; None for several.

    A text that was put together line by line, without its comments, comes from there.
    """
    opened = call.interpreter.notes.get("opened")
    files = opened.files if isinstance(opened, _Opened) else []
    frames = _here(call)
    here = [path for place, path in files if place == frames]
    return here[0] if here and all(same(path, here[0]) for path in here) else None


def _here(call: ModelCall) -> tuple[Location, ...]:
    return tuple(frame.call for frame in call.interpreter.context.frames)


@model(f"{FILE}.__enter__")
def _enter(call: ModelCall) -> Value | None:
    return call.receiver


@model(f"{FILE}.read", f"{PATH}.read_text", f"{PATH}.read_bytes", f"{FILE}.getvalue")
def _read(call: ModelCall) -> Value | None:
    path = path_of(call.receiver)
    name = str(path.value) if isinstance(path, Const) else "a file"
    return FileContent(reason=f"the content of {name}", path=path, trail=path.trail)


# pathlib
