"""Finds logs: files as given, folders searched; tells the formats apart by name and content."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import field
from pathlib import Path

from cmgan_audit.errors import InputError, MissingPathError
from cmgan_audit.lazy_dataclasses import dataclass
from cmgan_audit.lazy_regex import regex
from cmgan_audit.logs.formats.cells import BARS, RULES, parse_number
from cmgan_audit.logs.formats.checkpoint_names import SUFFIXES, read_checkpoints
from cmgan_audit.logs.formats.delimited import read_delimited
from cmgan_audit.logs.formats.event_folder import read_event_files
from cmgan_audit.logs.formats.json_documents import read_json, read_jsonl, read_yaml
from cmgan_audit.logs.formats.markdown import read_markdown
from cmgan_audit.logs.formats.mlflow_folder import metrics_folder, read_mlflow
from cmgan_audit.logs.formats.notebook import read_notebook
from cmgan_audit.logs.formats.pattern import read_pattern
from cmgan_audit.logs.formats.wandb_file import read_wandb
from cmgan_audit.logs.lines.text import read_text
from cmgan_audit.logs.opening import peek
from cmgan_audit.logs.roles import RoleBook
from cmgan_audit.logs.selection.bare_phases import settle_bare_phases
from cmgan_audit.logs.selection.directions import settle_directions
from cmgan_audit.logs.selection.interleaved import separate
from cmgan_audit.logs.series import Note, Reading

_SKIPPED_FOLDERS = {"node_modules", "__pycache__", "site-packages", ".git", ".venv", "venv", ".mypy_cache"}
_LOG_SUFFIXES = {
    ".csv",
    ".tsv",
    ".json",
    ".jsonl",
    ".ndjson",
    ".log",
    ".out",
    ".txt",
    ".gz",
    ".err",
    ".stdout",
    ".wandb",
}
_NOT_LOGS = regex(
    r"^(?:requirements.*\.txt|package(?:-lock)?\.json|tsconfig\.json|wandb-metadata\.json|config.*\.(?:json|ya?ml)"
    r"|conda-environment\.yaml|debug-(?:internal|core)\.log|readme.*|licen[cs]e.*|.*\.lock)$",
    re.IGNORECASE,
)
_LOG_NAME = regex(r"(?:^|[_\-.])(?:log|logs|nohup|stdout|stderr|output|history)(?:$|[_\-.\d])", re.IGNORECASE)
_CMGAN_CHECKPOINT = regex(r"epoch_?\d+_-?\d+(?:\.\d+)?$")
_PEEK = 1 << 16
# No text has many of these: all control characters but tabs, line ends, backspaces and escapes.
_CONTROLS = [chr(i) for i in (*range(8), *range(14, 27), *range(28, 32))]
_MOST_CONTROLS = 0.05
# What a machine that went down leaves of blocks that were never written.
_ZEROS = regex("\0{16,}")


@dataclass(slots=True)
class Search:
    """What was found: readings with series, files that hold none, and files that could not be read."""

    readings: list[Reading] = field(default_factory=list)
    failed: list[Note] = field(default_factory=list)
    without_series: list[str] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)


@dataclass(slots=True)
class _Together:
    """Files that are read with others of their folder; those of metrics by the folder of their run."""

    events: list[tuple[Path, str]] = field(default_factory=list)
    checkpoints: dict[str, list[Path]] = field(default_factory=dict)
    metrics: dict[Path, list[tuple[Path, str]]] = field(default_factory=dict)


def read_logs(
    paths: Sequence[Path] | Mapping[Path, str], book: RoleBook, pattern: re.Pattern[str] | None = None
) -> Search:
    """Read every log among the paths; folders are searched.

    An only file that cannot be read is an error. Of several, the others are read: `logs/*.log` may hold one to which
    nothing has been written yet.

    Args:
        paths: files and folders, perhaps with what each is called in the report.
        book: the roles of series by their names.
        pattern: how text logs are read, if not by what is known of them.

    Raises:
        MissingPathError: a path is not there.
        InputError: the only file cannot be read.
    """
    found = Search()
    together = _Together()
    called = paths if isinstance(paths, Mapping) else {}
    for given in paths:
        if given.is_dir():
            for path in _walk(given):
                _sort_in(path, _shown(path), False, found, together, book, pattern)
        elif given.exists():
            shown = called.get(given) or _shown(given)
            _sort_in(given, shown, len(paths) == 1, found, together, book, pattern)
        else:
            raise MissingPathError(f"{given}: no such file or folder")
    if together.events:
        _keep(found, read_event_files(together.events, book))
    for folder, members in sorted(together.checkpoints.items()):
        _keep(found, [read_checkpoints(members, folder, book)])
    for metrics, files in sorted(together.metrics.items()):
        _keep(found, [read_mlflow(files, metrics, _shown(metrics), book)])
    separate(found.readings)
    settle_directions(found.readings)
    settle_bare_phases(found.readings)
    return found


def _shown(path: Path) -> str:
    return path.as_posix()


def _walk(folder: Path) -> list[Path]:
    out: list[Path] = []
    for base, folders, names in os.walk(folder):
        folders[:] = sorted(f for f in folders if f not in _SKIPPED_FOLDERS and not (Path(base) / f).is_symlink())
        inside = metrics_folder(Path(base, "metric")) is not None
        out.extend(Path(base) / name for name in sorted(names) if inside or _may_be_log(name))
    return out


def _may_be_log(name: str) -> bool:
    if _NOT_LOGS.match(name):
        return False
    suffix = Path(name).suffix.lower()
    if "tfevents" in name or suffix in _LOG_SUFFIXES or _is_checkpoint(name):
        return True
    if suffix in (".yaml", ".yml"):
        return "summary" in name
    return not suffix and bool(_LOG_NAME.search(name))


def _is_checkpoint(name: str) -> bool:
    """By its ending, or as CMGAN's trainer names them: `CMGAN_epoch_7_0.105`."""
    return name.lower().endswith(SUFFIXES) or bool(_CMGAN_CHECKPOINT.search(name))


def _sort_in(
    path: Path,
    source: str,
    only: bool,
    found: Search,
    together: _Together,
    book: RoleBook,
    pattern: re.Pattern[str] | None,
) -> None:
    try:
        if (folder := metrics_folder(path)) is not None:
            together.metrics.setdefault(folder, []).append((path, source))
            return
        kind = format_of(path, source)
        if kind == "tensorboard":
            together.events.append((path, source))
        elif kind == "checkpoint":
            together.checkpoints.setdefault(path.parent.as_posix(), []).append(path)
        else:
            _keep(found, [_read(path, source, kind, book, pattern)])
    except InputError as error:
        if only:
            raise
        found.failed.append(Note(source, 0, str(error).removeprefix(f"{source}").lstrip(": ")))


def _keep(found: Search, readings: list[Reading]) -> None:
    for reading in readings:
        if any(run.series or run.printed for run in reading.runs):
            found.readings.append(reading)
        else:
            found.without_series.append(reading.path)
            found.notes.extend(reading.notes)


def _read(path: Path, source: str, kind: str, book: RoleBook, pattern: re.Pattern[str] | None) -> Reading:
    if pattern is not None and kind in ("text", "markdown"):
        return read_pattern(path, source, book, pattern)
    readers = {
        "csv": read_delimited,
        "json": read_json,
        "jsonl": read_jsonl,
        "yaml": read_yaml,
        "markdown": read_markdown,
        "notebook": read_notebook,
        "wandb": read_wandb,
        "text": read_text,
    }
    return readers[kind](path, source, book)


def format_of(path: Path, source: str) -> str:
    """The format of a file: by its name where that is sure, else by its first 64 kB.

    Raises:
        InputError: it cannot be opened, is empty or is binary.
    """
    suffix = path.suffix.lower()
    if "tfevents" in path.name:
        return "tensorboard"
    if _is_checkpoint(path.name):
        return "checkpoint"
    if suffix == ".wandb":
        return "wandb"
    head, whole = peek(path, source, _PEEK)
    if not head.strip():
        raise InputError(f"{source}: empty: nothing has been written to it")
    head = _ZEROS.sub("\n", head)
    if sum(map(head.count, _CONTROLS)) > _MOST_CONTROLS * len(head):
        raise InputError(f"{source}: binary data, no log (text, CSV, JSON, notebooks, event files and run-*.wandb are)")
    if suffix == ".gz":
        suffix = Path(path.stem).suffix.lower()
    if suffix in (".csv", ".tsv"):
        return "csv"
    if suffix in (".yaml", ".yml"):
        return "yaml"
    if suffix in (".md", ".markdown"):
        return "markdown"
    if suffix == ".ipynb":
        return "notebook"
    return _by_content(head, suffix, whole)


def _by_content(head: str, suffix: str, whole: bool) -> str:
    lines = [line for line in head.splitlines() if line.strip()]
    lines = lines if whole or len(lines) < 2 else lines[:-1]
    if suffix in (".jsonl", ".ndjson"):
        return "jsonl"
    first_record = _is_record(lines[0])
    if first_record and len(lines) > 1 and _is_record(lines[1]):
        return "jsonl"
    if suffix == ".json" or first_record:
        return "json"
    if head.lstrip()[:1] in "{[" and whole and _is_json(head):
        return "json"
    return "csv" if _is_table(lines[:12]) else "text"


def _is_record(line: str) -> bool:
    if not line.lstrip().startswith("{"):
        return False
    return _is_json(line)


def _is_json(text: str) -> bool:
    try:
        return isinstance(json.loads(text), dict | list)
    except (ValueError, RecursionError):
        return False


def _is_table(lines: list[str]) -> bool:
    """Whether lines of a .txt or .log are a table: names, then rows that are mostly numbers, as many as the names."""
    lines = [line.translate(BARS) for line in lines if not line.lstrip().startswith("#")]
    for delimiter in (",", "\t", ";", "|", None):
        cells = [line.strip("| \r").split(delimiter) for line in lines if set(line) - RULES]
        if len(cells) < 2 or len(cells[0]) < 2 or any(len(row) != len(cells[0]) for row in cells):
            continue
        if any(":" in cell or "=" in cell for cell in cells[0]):
            continue
        body = [cell for row in cells[1:] for cell in row]
        numbers = sum(parse_number(cell.strip(), delimiter != ",") is not None or not cell.strip() for cell in body)
        if numbers >= 0.6 * len(body):
            return True
    return False
