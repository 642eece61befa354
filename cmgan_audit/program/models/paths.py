"""Paths as the audited program computes them: `pathlib.Path` and `os.path`.

Where a path leads to in the tree is told by `program/models/files.py`.
"""

from __future__ import annotations

import posixpath
from collections.abc import Callable
from dataclasses import replace

from cmgan_audit.program.domain.joins import branch_of, join, join_each
from cmgan_audit.program.domain.values import Choice, Const, External, Instance, Unknown, Value
from cmgan_audit.program.execution.trace import DecisionEvent
from cmgan_audit.program.models.files import PATH, path_of, resolve
from cmgan_audit.program.models.needed_files import NeededOption
from cmgan_audit.program.models.presence import whether_there
from cmgan_audit.program.models.registry import AttributeRead, ModelCall, attribute, derives, listing, model

for _name in ("PosixPath", "PurePath", "PurePosixPath", "WindowsPath", "PureWindowsPath"):
    derives(f"pathlib.{_name}", PATH)


@model(PATH)
def _path(call: ModelCall) -> Value:
    parts = [path_of(value) for value in call.arguments.positional]
    return call.instance(PATH, path=joined(parts) if parts else Const(value="."))


def joined(parts: list[Value]) -> Value:
    """`os.path.join` of texts; unknown as soon as one is. A path that is still to be given stays that."""
    if len(parts) == 1 and _is_to_be_given(parts[0]):
        return parts[0]
    for position, part in enumerate(parts):
        if isinstance(part, Choice):
            sides = []
            for option in part.options:
                inner = joined([*parts[:position], option.value, *parts[position + 1 :]])
                sides.append((inner, branch_of(option)))
            return join(sides)
    draws = frozenset().union(*(part.draws for part in parts))
    if all(isinstance(part, Const) and isinstance(part.value, str) for part in parts) and parts:
        texts = [str(part.value) for part in parts if isinstance(part, Const)]
        trail = next((part.trail for part in reversed(parts) if part.trail), ())
        told = next((part.overridable for part in parts if isinstance(part, Const) and part.overridable), "")
        return Const(value=posixpath.join(*texts), trail=trail, draws=draws, overridable=told)
    unknown = next((part for part in parts if isinstance(part, Unknown)), None)
    reason = unknown.reason if unknown else "a path at run time"
    made = Unknown(reason=reason, draws=draws, trail=unknown.trail if unknown else ())
    return made.made_from("join", tuple(parts))


def _is_to_be_given(part: Value) -> bool:
    """Whether a path has to be given on the command line: `Path(args.config)` where None stands for it."""
    return isinstance(part, NeededOption) or (
        isinstance(part, Const) and part.value is None and part.overridable.startswith("-")
    )


def _derived(call: ModelCall, path: Value) -> Value:
    """A new Path with this text."""
    return replace(call.instance(PATH, path=path))


def _mapped(value: Value, compute: Callable[[str], str]) -> Value:
    """The text after a pure function of it."""
    if isinstance(value, Choice):
        return join_each(value, lambda one: _mapped(one, compute))
    if isinstance(value, Const) and isinstance(value.value, str):
        try:
            return replace(value, value=compute(value.value))
        except ValueError as error:
            return Unknown(reason=f"a path fails: {error}", draws=value.draws)
    return Unknown(reason="a path at run time", draws=value.draws, trail=value.trail).made_from("path", (value,))


@model(f"{PATH}.__truediv__", f"{PATH}.joinpath")
def _join_path(call: ModelCall) -> Value:
    return _derived(call, joined([path_of(call.receiver), *(path_of(v) for v in call.arguments.positional)]))


@model(f"{PATH}.__rtruediv__")
def _join_before(call: ModelCall) -> Value:
    return _derived(call, joined([*(path_of(v) for v in call.arguments.positional), path_of(call.receiver)]))


@model(f"{PATH}.__str__", f"{PATH}.__fspath__", f"{PATH}.as_posix", "os.fspath", f"{PATH}.__format__")
def _path_text(call: ModelCall) -> Value:
    path = path_of(call.receiver or call.get("path", 0))
    return path if isinstance(path, NeededOption) else _mapped(path, lambda text: posixpath.normpath(text))


@model(f"{PATH}.resolve", f"{PATH}.absolute", f"{PATH}.expanduser")
def _same_path(call: ModelCall) -> Value | None:
    return call.receiver


@model(f"{PATH}.cwd")
def _cwd(call: ModelCall) -> Value:
    return call.instance(PATH, path=Const(value=""))


@model(f"{PATH}.with_suffix")
def _with_suffix(call: ModelCall) -> Value | None:
    suffix = call.text("suffix", 0)
    if suffix is None:
        return None
    return _derived(call, _mapped(path_of(call.receiver), lambda text: posixpath.splitext(text)[0] + suffix))


@model(f"{PATH}.with_name")
def _with_name(call: ModelCall) -> Value | None:
    name = call.text("name", 0)
    if name is None:
        return None
    return _derived(call, _mapped(path_of(call.receiver), lambda text: posixpath.join(posixpath.dirname(text), name)))


@attribute(f"{PATH}.name", f"{PATH}.stem", f"{PATH}.suffix")
def _path_part(read: AttributeRead) -> Value:
    parts: dict[str, Callable[[str], str]] = {
        "name": lambda text: posixpath.basename(text.rstrip("/")),
        "stem": lambda text: posixpath.splitext(posixpath.basename(text.rstrip("/")))[0],
        "suffix": lambda text: posixpath.splitext(posixpath.basename(text.rstrip("/")))[1],
    }
    return _mapped(path_of(read.receiver), parts[read.name])


@attribute(f"{PATH}.parent")
def _parent(read: AttributeRead) -> Value | None:
    if not isinstance(read.receiver, Instance):
        return None
    path = _mapped(path_of(read.receiver), lambda text: posixpath.dirname(text.rstrip("/")))
    return _new_path(read, path)


@attribute(f"{PATH}.parents")
def _parents(read: AttributeRead) -> Value | None:
    path = path_of(read.receiver)
    if not isinstance(read.receiver, Instance) or not isinstance(path, Const):
        return None
    folders: list[Value] = []
    text = str(path.value)
    while text and len(folders) < 12:
        text = posixpath.dirname(text)
        folders.append(_new_path(read, replace(path, value=text)))
    return listing(folders, "tuple")


def _new_path(read: AttributeRead, path: Value) -> Instance:
    assert isinstance(read.receiver, Instance)
    return Instance(
        cls=External(name=PATH), arguments=read.receiver.arguments, location=read.location, attrs={"@path": path}
    )


# os.path


@model("os.path.join", "posixpath.join")
def _os_join(call: ModelCall) -> Value:
    return joined([path_of(value) for value in call.arguments.positional])


@model("os.path.expanduser", "os.path.expandvars", "hydra.utils.to_absolute_path")
def _os_same(call: ModelCall) -> Value:
    return path_of(call.get("path", 0))


@model("os.path.abspath", "os.path.realpath", "os.path.normpath")
def _os_whole(call: ModelCall) -> Value:
    path = path_of(call.get("path", 0))
    return replace(path, value=".") if isinstance(path, Const) and _is_written_empty(path) else path


@model("os.path.dirname", "os.path.basename")
def _os_part(call: ModelCall) -> Value:
    compute = posixpath.dirname if call.callee.endswith("dirname") else posixpath.basename
    return _mapped(path_of(call.get("p", 0)), lambda text: compute(text))


@model("os.path.splitext", "os.path.split")
def _os_split(call: ModelCall) -> Value | None:
    path = path_of(call.get("p", 0))
    compute = posixpath.splitext if call.callee.endswith("splitext") else posixpath.split
    return listing(
        [_mapped(path, lambda text: compute(text)[0]), _mapped(path, lambda text: compute(text)[1])], "tuple"
    )


@model("os.path.exists", "os.path.isfile", "os.path.isdir", f"{PATH}.exists", f"{PATH}.is_file", f"{PATH}.is_dir")
def _exists(call: ModelCall) -> Value:
    """A file of the tree is there; what is not in the tree may be there when the program runs."""
    path = path_of(call.receiver or call.get("path", 0) or call.get("s"))
    it = call.interpreter
    # In a branch that the empty setting keeps off, it stands for the file that would be named.
    if call.callee.startswith("os.path.") and _is_written_empty(path) and not it.probing:
        # Nothing is named, so nothing is there. The test asks for the setting, which may name something.
        it.emit(DecisionEvent(location=call.location, context=it.context, value=path))
        return Const(value=False, trail=path.trail)
    if isinstance(path, Const) and isinstance(path.value, str):
        found = resolve(call, path.value)
        if found is not None and not call.callee.endswith(("isdir", "is_dir")):
            return Const(value=True)
    return whether_there(call, path)


def _is_written_empty(path: Value) -> bool:
    """Whether a path is an empty text that somebody has written; the folder of the tree is an empty text too."""
    if not isinstance(path, Const) or path.value != "" or not path.trail:
        return False
    first = path.trail[0]
    return not first.location.path.endswith(".py") or "''" in first.note or '""' in first.note


@model("os.getcwd", "hydra.utils.get_original_cwd")
def _getcwd(call: ModelCall) -> Value:
    return Const(value="", overridable="the working directory")
