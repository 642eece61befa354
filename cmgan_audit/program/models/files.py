"""Files that the audited program opens: paths inside the tree, open files, their content as text.

A path of the audited program is relative to the root of the tree (`__file__` of src/train.py is "src/train.py"), so
that paths computed from `__file__` lead to the right file.
"""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Sequence
from dataclasses import field, replace

from cmgan_audit.finding import Location
from cmgan_audit.lazy_dataclasses import dataclass
from cmgan_audit.program.domain.joins import Branch, join, same
from cmgan_audit.program.domain.reasons import naming, not_in_tree
from cmgan_audit.program.domain.values import Choice, Const, External, Instance, Unknown, Value
from cmgan_audit.program.execution.interpreter import UnconfiguredError
from cmgan_audit.program.execution.trace import DecisionEvent
from cmgan_audit.program.models.registry import AttributeRead, ModelCall, attribute, derives, model
from cmgan_audit.program.models.standing_in import moved, standing_in

PATH = "pathlib.Path"
FILE = "io.TextIOWrapper"
for _name in ("PosixPath", "PurePath", "PurePosixPath", "WindowsPath", "PureWindowsPath"):
    derives(f"pathlib.{_name}", PATH)
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


@dataclass(frozen=True, slots=True, kw_only=True)
class NeededOption(Unknown):
    """The value of an argument that must be given at launch: `flag` as it is written, "" for a positional word."""

    flag: str = ""


def path_of(value: Value | None) -> Value:
    """The text of a path: of a string, a `Path`, an open file or the content of one."""
    if isinstance(value, Instance):
        held = value.attrs.get("@path")
        if held is not None:
            return held
    if isinstance(value, FileContent):
        return value.path
    if isinstance(value, Choice):
        return join([(path_of(o.value), Branch(o.condition, o.facts)) for o in value.options])
    return value if value is not None else Unknown(reason="no path is given")


def resolve(call: ModelCall, text: str) -> str | None:
    """The file of the tree that a path means when the program opens it: relative to where the command runs, to the
    script that was started, to the root, to the file that opens it, and to the folders above the script."""
    found = call.interpreter.tree.resolve(text, _bases(call))
    return found if found is not None or not text.startswith("/") else moved(call, text)


def _bases(call: ModelCall) -> list[str]:
    interpreter = call.interpreter
    entry = posixpath.dirname(interpreter.entry)
    bases = []
    if interpreter.launch.location is not None and interpreter.launch.location.path != interpreter.entry:
        bases.append(posixpath.dirname(interpreter.launch.location.path))
    bases += [entry, "", posixpath.dirname(call.location.path)]
    while entry:
        entry = posixpath.dirname(entry)
        bases.append(entry)
    return list(dict.fromkeys(bases))


def each_path(call: ModelCall, path: Value, read: Callable[[str], Value]) -> Value:
    """What `read` makes of every file that the path may be; unknown with the reason where it leads to none."""
    if isinstance(path, Choice):
        return join([(each_path(call, o.value, read), Branch(o.condition, o.facts)) for o in path.options])
    if isinstance(path, Const) and isinstance(path.value, str):
        found = resolve(call, path.value)
        told = option_of(path, call.interpreter.launch.argv)  # a launch can name another
        if found is None and told is None and not _is_written(call, path.value):
            found = standing_in(call, path.value, _bases(call))
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


def note_needed(call: ModelCall, path: Value) -> None:
    """Remember that a configuration file was asked for and not found, and how a launch could name one.

    Where several were, the first that a launch could name is remembered, else the first.

    Raises:
        UnconfiguredError: a launch could name it, and the run is of no use without.
    """
    it = call.interpreter
    first = it.notes.setdefault("configuration", path)
    if option_of(first, it.launch.argv) is None and option_of(path, it.launch.argv) is not None:
        first = it.notes["configuration"] = path
    if it.must_be_configured and not it.probing and option_of(first, it.launch.argv) is not None:
        raise UnconfiguredError


def option_of(wanted: object, argv: Sequence[str] = ()) -> str | None:
    """The option that takes the path; empty for a positional word, None when the path comes from elsewhere.

    Where the code itself writes the file's name, the option names a folder: `join(args.train_dir, "noisy.json")`. A
    word of the command line may name a file that the tree does not have, since it was renamed.
    """
    if isinstance(wanted, NeededOption):
        return wanted.flag
    if isinstance(wanted, Const) and isinstance(wanted.value, str) and wanted.value:
        for before, word in zip(("", *argv), argv, strict=False):
            if word == wanted.value:
                return before if before.startswith("-") else ""
            if word.startswith("-") and word.partition("=")[2] == wanted.value:
                return word.partition("=")[0]
    if isinstance(wanted, Const) and wanted.overridable.startswith("-"):
        written = repr(str(wanted.value).replace("\\", "/").rpartition("/")[2])
        return None if any(step.note == written for step in wanted.trail) else wanted.overridable
    return None


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
    here = [path for place, path in files if place == _here(call)]
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
                sides.append((inner, Branch(option.condition, option.facts)))
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
        return join([(_mapped(o.value, compute), Branch(o.condition, o.facts)) for o in value.options])
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
    from cmgan_audit.program.models.registry import listing

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


@model("os.path.expanduser", "os.path.expandvars")
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
    from cmgan_audit.program.models.registry import listing

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
    return Unknown(reason="whether a file is there", draws=path.draws)


def _is_written_empty(path: Value) -> bool:
    """Whether a path is an empty text that somebody has written; the folder of the tree is an empty text too."""
    if not isinstance(path, Const) or path.value != "" or not path.trail:
        return False
    first = path.trail[0]
    return not first.location.path.endswith(".py") or "''" in first.note or '""' in first.note


@model("os.getcwd", "hydra.utils.get_original_cwd")
def _getcwd(call: ModelCall) -> Value:
    return Const(value="", overridable="the working directory")


@model("hydra.utils.to_absolute_path")
def _to_absolute(call: ModelCall) -> Value:
    return path_of(call.get("path", 0))
