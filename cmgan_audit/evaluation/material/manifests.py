"""Lists and tables of recordings that training repositories keep: CSV, TSV, JSON, JSON lines, Kaldi's SCP, plain lists.

A list names the recordings of one side, a table those of both. Paths are taken below the folder of the file, else as
they stand; a placeholder at their beginning (`{data_root}/...`, `$data_root/...`) stands for that folder.
"""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TypeVar

from cmgan_audit.errors import InputError
from cmgan_audit.evaluation.material.listing import AUDIO_SUFFIXES
from cmgan_audit.lazy_dataclasses import dataclass
from cmgan_audit.lazy_regex import regex

# Words in the names of columns, the plainest first: `noisy_wav`, `mix_path`; a column `noise_wav` is the noise alone.
ROLE_WORDS = {"clean": ("clean", "target", "reference", "ref"), "noisy": ("noisy", "mixture", "mix", "input")}
NAME_COLUMNS = ("id", "utterance", "utt", "utt_id", "uttid", "key", "name", "filename", "file_id", "fileid")
_PLACEHOLDER = regex(r"^(?:\{\w+\}|\$\{?\w+\}?)/*")

Found = TypeVar("Found")
Entry = tuple[str, Mapping[str, str]]
"""An entry of a file: its name ("" where the file gives none), and its texts by column."""


def read_list(path: Path, role: str) -> dict[str, Path]:
    """The recordings of one side by name: the name that the file gives, else the file name.

    Raises:
        InputError: not such a list, or a name stands in it twice.
    """
    entries = _entries(path)
    column = _column(path, entries, role) if len(_recording_columns(entries)) > 1 else _recording_columns(entries)[0]
    found: dict[str, Path] = {}
    for name, texts in entries:
        if column in texts:
            place = _place(path, texts[column])
            _add(path, found, name or place.stem, place)
    return found


@dataclass(frozen=True, slots=True)
class Table:
    """The pairs of a table by name, clean recording first, and the names of entries that have one side only."""

    pairs: Mapping[str, tuple[Path, Path]]
    only_clean: tuple[str, ...] = ()
    only_noisy: tuple[str, ...] = ()


def read_table(path: Path) -> Table:
    """Read a table; the name of a pair is the one that the file gives, else that of the noisy recording.

    Raises:
        InputError: not such a table, or a name stands in it twice.
    """
    entries = _entries(path)
    columns = [_column(path, entries, role) for role in ROLE_WORDS]
    if columns[0] == columns[1]:
        raise InputError(f"{path}: one column, {columns[0]}, for both sides; name them clean and noisy")
    found: dict[str, tuple[Path, Path]] = {}
    alone: dict[int, list[str]] = {0: [], 1: []}
    for name, texts in entries:
        sides = [_place(path, texts[column]) if texts.get(column, "").strip() else None for column in columns]
        clean, noisy = sides
        if clean is not None and noisy is not None:
            _add(path, found, name or noisy.stem, (clean, noisy))
            continue
        for side, place in enumerate(sides):
            if place is not None:
                alone[side].append(name or place.stem)
    return Table(dict(sorted(found.items())), tuple(sorted(alone[0])), tuple(sorted(alone[1])))


def _add(path: Path, found: dict[str, Found], name: str, value: Found) -> None:
    if name in found:
        raise InputError(f"{path}: {name} stands in it twice")
    found[name] = value


def _entries(path: Path) -> list[Entry]:
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: not readable as a list of recordings: {error}") from error
    suffix = path.suffix.lower()
    if suffix in (".json", ".jsonl", ".ndjson"):
        entries = list(_of_json(path, text))
    elif suffix in (".csv", ".tsv"):
        entries = list(_of_table(text, "\t" if suffix == ".tsv" else ","))
    else:
        entries = list(_of_lines(path, text))
    if not _recording_columns(entries):
        raise InputError(
            f"{path}: names no recordings ({', '.join(f'*{one}' for one in AUDIO_SUFFIXES)}); a list is CSV or TSV "
            "with a header, JSON, JSON lines, or lines of `path` or `name path`"
        )
    return entries


def _of_lines(path: Path, text: str) -> Iterator[Entry]:
    """`path`, or `name path` as in Kaldi's wav.scp."""
    for line in filter(None, map(str.strip, text.splitlines())):
        first, _, rest = line.partition("\t") if "\t" in line else line.partition(" ")
        # What is a file as a whole is a path with spaces in it.
        named = bool(rest) and not _is_recording(first) and not _place(path, line).is_file()
        yield (first, {"path": rest.strip()}) if named else ("", {"path": line})


def _of_table(text: str, delimiter: str) -> Iterator[Entry]:
    for row in csv.DictReader(text.splitlines(), delimiter=delimiter):
        yield _entry("", {str(column): value for column, value in row.items() if isinstance(value, str)})


def _of_json(path: Path, text: str) -> Iterator[Entry]:
    try:
        document = json.loads(text)
    except ValueError:
        try:
            document = [json.loads(line) for line in text.splitlines() if line.strip()]
        except ValueError as error:
            raise InputError(f"{path}: not readable as JSON: {error}") from error
    # A single number or text is a document as well.
    listed = document if isinstance(document, list) else []
    items = document.items() if isinstance(document, Mapping) else (("", item) for item in listed)
    for name, item in items:
        if isinstance(item, Mapping):
            yield _entry(str(name), {str(key): value for key, value in item.items() if isinstance(value, str)})
        elif isinstance(item, str):
            yield str(name), {"path": item}
        elif isinstance(item, list) and item and isinstance(item[0], str):  # [path, number of samples]
            yield str(name), {"path": item[0]}


def _entry(name: str, texts: Mapping[str, str]) -> Entry:
    named = {column.strip().lower(): value for column, value in texts.items()}
    given = (named[column] for column in NAME_COLUMNS if named.get(column))
    own = name or next(given, "")
    return Path(own).stem if _is_recording(own) else own, texts


def _recording_columns(entries: Sequence[Entry]) -> list[str]:
    """Columns that hold recordings, in the order of the file."""
    return list(dict.fromkeys(key for _, texts in entries for key, text in texts.items() if _is_recording(text)))


def _column(path: Path, entries: Sequence[Entry], role: str) -> str:
    columns = [column for column in _recording_columns(entries) if column.strip().lower() not in NAME_COLUMNS]
    for word in ROLE_WORDS[role]:
        named = [column for column in columns if word in re.split(r"[^a-z]+", column.lower())]
        if len(named) == 1:
            return named[0]
    raise InputError(
        f"{path}: no telling which column holds the {role} recordings: {', '.join(columns)}; "
        f"name it {role}, or give lists with --clean and --noisy"
    )


def _is_recording(text: str) -> bool:
    return text.strip().lower().endswith(AUDIO_SUFFIXES)


def _place(path: Path, text: str) -> Path:
    """Where a recording is: below the folder of the list, else as written."""
    written = text.strip()
    below = path.parent / _PLACEHOLDER.sub("", written).lstrip("/" if _PLACEHOLDER.match(written) else "")
    return below if below.is_file() else Path(written)
