"""Files that a program asks for and nobody names: which option would name one, or give a part of its path."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Sequence
from dataclasses import field

from cmgan_audit.lazy_dataclasses import dataclass
from cmgan_audit.program.domain.values import Const, ListValue, Unknown, Value
from cmgan_audit.program.execution.interpreter import UnconfiguredError
from cmgan_audit.program.models.registry import ModelCall

_OPEN = "\0"  # stands in a path for what an option gives
_JOINED = {"str": "", "+": "", "join": "/"}


@dataclass(frozen=True, slots=True, kw_only=True)
class NeededOption(Unknown):
    """The value of an argument that must be given at launch: `flag` as it is written, "" for a positional word."""

    flag: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class NeededPart(NeededOption):
    """A path of which an argument gives a part: `join("config", args.corpus, "train.yaml")`.

    `words` are those with which it leads to a file of the tree, each with that file.
    """

    words: dict[str, str] = field(default_factory=dict)


def bases_of(call: ModelCall) -> list[str]:
    """The folders to which a path of the program may be relative."""
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


def note_needed(call: ModelCall, path: Value) -> None:
    """Remember that a configuration file was asked for and not found, and how a launch could name one.

    Where several were, the first that a launch could name is remembered, else the first.

    Raises:
        UnconfiguredError: a launch could name it, and the run is of no use without.
    """
    it = call.interpreter
    path = _part_of_path(call, path)
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


# Paths of which an option gives a part


def _part_of_path(call: ModelCall, path: Value) -> Value:
    """A path that an option completes, with the words that lead to files of the tree; any other path as it is."""
    parts = _parts(path) if isinstance(path, Unknown) and not isinstance(path, NeededOption) else None
    asked = [part for part in parts or () if isinstance(part, NeededOption)]
    if not parts or len({part.flag for part in asked}) != 1:
        return path
    text = "".join(_OPEN if isinstance(part, NeededOption) else str(part) for part in parts)
    words: dict[str, str] = {}
    for base in bases_of(call):
        for word, file in _leading_to(call.interpreter.tree.data_files, base, text):
            if not asked[0].choices or word in asked[0].choices:
                words.setdefault(word, file)
    if not words:
        return path
    return NeededPart(reason=asked[0].reason, trail=asked[0].trail, flag=asked[0].flag, words=words)


def _parts(value: Value) -> list[str | NeededOption] | None:
    """The texts that a path is put together from, and what has to be given; None where anything else goes in."""
    if isinstance(value, NeededOption):
        return [value]
    if isinstance(value, Const):
        return [str(value.value)]
    computed = value.computed if isinstance(value, Unknown) else None
    if computed is None:
        return None
    if computed.operation == "%":
        text, given = computed.operands
        return _formatted(text, given.items if isinstance(given, ListValue) and given.complete else [given], "%s", "%")
    if computed.operation == "format":
        return _formatted(computed.operands[0], computed.operands[1:], "{}", "{")
    between = _JOINED.get(computed.operation)
    if between is None:
        return None
    found: list[str | NeededOption] = []
    for number, operand in enumerate(computed.operands):
        inner = _parts(operand)
        if inner is None:
            return None
        found += [between, *inner] if number and between else inner
    return found


def _formatted(text: Value, values: Sequence[Value], place: str, sign: str) -> list[str | NeededOption] | None:
    """The parts of `"%s/%s" % values` or `"{}/{}".format(*values)`, where every value is put in as it is."""
    pieces = text.value.split(place) if isinstance(text, Const) and isinstance(text.value, str) else []
    if len(pieces) != len(values) + 1 or any(sign in piece for piece in pieces):
        return None
    found: list[str | NeededOption] = [pieces[0]]
    for value, piece in zip(values, pieces[1:], strict=True):
        inner = _parts(value)
        if inner is None:
            return None
        found += [*inner, piece]
    return found


def _leading_to(files: Sequence[str], base: str, text: str) -> list[tuple[str, str]]:
    """The words with which a path leads to one of the files. At its beginning a word may be a path of its own."""
    path = posixpath.normpath(posixpath.join(base, text))
    before, *after = path.split(_OPEN)
    pattern = re.compile(
        re.escape(before)
        + (r"([^/]+)" if posixpath.normpath(text).split(_OPEN)[0] else r"(.+)")
        + r"\1".join(map(re.escape, after))
    )
    return [(match[1], file) for file in files if (match := pattern.fullmatch(file)) is not None]
