"""Scores that other programs computed, as rows of the same table: CSV (long or wide) and VERSA's JSON lines."""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Iterator, Sequence
from pathlib import Path

from cmgan_audit.errors import InputError, cannot_be_read
from cmgan_audit.evaluation.metrics import METRICS, Status
from cmgan_audit.evaluation.scores.table import Row
from cmgan_audit.lazy_dataclasses import dataclass

UTTERANCE_COLUMNS = (
    *("utterance", "key", "utt", "utt_id", "utterance_id", "file", "filename", "file_name", "filepath", "file_path"),
    *("wav", "wav_name", "audio", "path", "clip", "sample", "name", "id"),
)
CHECKPOINT_COLUMNS = ("checkpoint", "system", "model", "epoch")
SEGMENT = "external"
# What other programs call the metrics that we know.
SAME_METRIC = {
    "pesq_wb": "pesq",
    "wb_pesq": "pesq",
    "nb_pesq": "pesq_nb",
    "sisdr": "si_sdr",
    "si_snr": "si_sdr",
    "ssnr_db": "ssnr",
    "segsnr": "ssnr",
}
DELIMITERS = ",;\t"
# Rows below (or above) those of the utterances; as one more utterance they would narrow every interval.
SUMMARY_ROWS = frozenset(("mean", "average", "avg", "median", "std", "sd", "stddev", "stdev", "var", "variance"))
SUMMARY_ROWS |= {"min", "max", "sum", "total", "overall", "mean score", "average score", "avg score"}
NO_VALUES = frozenset(("n/a", "na", "none", "null", "-", "--", "fail", "failed", "error"))
MARGIN = 0.01  # beyond a metric's range by this much is rounding; more is no score


@dataclass(frozen=True, slots=True)
class ExternalScores:
    """Rows of a file, the checkpoints in it in the order of their first row, and its metrics.

    `summaries` are the names of rows that sum up the others, which are left out.
    """

    path: Path
    rows: tuple[Row, ...]
    checkpoints: tuple[str, ...]
    metrics: tuple[str, ...]
    summaries: tuple[str, ...] = ()

    @property
    def remark(self) -> str:
        """What was left out, "" for nothing."""
        if not self.summaries:
            return ""
        return f"{self.path.name}: no utterance, and left out: the row {', '.join(self.summaries)}"


def read_scores(path: Path) -> ExternalScores:
    """Read a file of scores.

    A CSV file is long (columns utterance, metric, value, and perhaps checkpoint, segment, status: what this command
    writes) or wide (a column per metric; columns of words are labels), with commas, semicolons or tabs. JSON lines
    hold an object per utterance, with its name under `key`, as VERSA writes them. Without a column for it, the
    checkpoint is named after the file. A value that a metric cannot have (PESQ 0.0, which some programs write for a
    failure) becomes a failed row, never a number. Rows named after a statistic (`mean`) are no utterances.

    Raises:
        InputError: not such a file; the message names the line.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise cannot_be_read(f"--scores {path}", error) from error
    held = list(_json_rows(path, text) if text.lstrip().startswith("{") else _csv_rows(path, text))
    rows = tuple(row for row in held if not _sums_up(row.utterance))
    if not rows:
        raise InputError(f"--scores {path}: holds no scores{' of single utterances' if held else ''}")
    _refuse_repeats(path, rows)
    return ExternalScores(
        path,
        rows,
        tuple(dict.fromkeys(row.checkpoint for row in rows)),
        tuple(dict.fromkeys(row.metric for row in rows)),
        tuple(dict.fromkeys(row.utterance for row in held if _sums_up(row.utterance))),
    )


def _sums_up(name: str) -> bool:
    """Whether a row of this name holds a statistic of the others."""
    return name.casefold().replace("_", " ").strip(" :*()") in SUMMARY_ROWS


def _csv_rows(path: Path, text: str) -> Iterator[Row]:
    lines = text.splitlines()
    delimiter = max(DELIMITERS, key=lines[0].count) if lines else ","
    reader = csv.DictReader(lines, delimiter=delimiter)
    columns = [column for column in reader.fieldnames or [] if column]
    utterance = _column(columns, UTTERANCE_COLUMNS)
    if utterance is None:
        raise InputError(f"--scores {path}: no column for the utterance ({', '.join(UTTERANCE_COLUMNS[:4])}, ...)")
    checkpoint = _column(columns, CHECKPOINT_COLUMNS)
    long_form = "metric" in columns and "value" in columns
    entries = list(reader)
    if delimiter != ",":  # there a comma is a decimal one
        entries = [{column: _with_point(cell) for column, cell in entry.items() if column} for entry in entries]
    labels = {column for column in columns if _holds_words([entry[column] for entry in entries])}
    named = {utterance, checkpoint, "segment", "status", *labels}
    for line, entry in enumerate(entries, 2):
        name = (entry[checkpoint] if checkpoint else "") or path.stem
        spoken = Path(entry[utterance] or "").stem
        scored = _Scored(name, spoken, entry.get("segment") or SEGMENT)
        place = f"--scores {path}:{line}"
        if long_form:
            yield _row(place, scored, entry["metric"] or "", entry["value"], entry.get("status"))
        else:
            for column in columns:
                if column not in named:
                    yield _row(place, scored, column, entry[column])


def _with_point(cell: str | None) -> str | None:
    """A number with a decimal comma as one with a point."""
    whole, comma, rest = (cell or "").strip().partition(",")
    is_number = comma and rest.isdigit() and whole.lstrip("+-").isdigit()
    return f"{whole}.{rest}" if is_number else cell


def _holds_words(cells: Sequence[str | None]) -> bool:
    """Whether a column holds several words and no number: labels such as the kind of noise, and no metric."""
    words = {cell.strip().casefold() for cell in cells if cell and cell.strip()} - NO_VALUES
    return len(words) > 1 and not any(_is_number(word) for word in words)


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _json_rows(path: Path, text: str) -> Iterator[Row]:
    for line, raw in enumerate(text.splitlines(), 1):
        if not raw.strip():
            continue
        try:
            entry = json.loads(raw)
        except ValueError as error:
            raise InputError(f"--scores {path}:{line}: not JSON: {error}") from error
        utterance = _column(list(entry), UTTERANCE_COLUMNS) if isinstance(entry, dict) else None
        if utterance is None:
            raise InputError(f"--scores {path}:{line}: an object with the utterance under `key` is needed")
        checkpoint = _column(list(entry), CHECKPOINT_COLUMNS)
        name = str(entry[checkpoint]) if checkpoint else path.stem
        for metric, value in entry.items():
            if metric not in (utterance, checkpoint) and isinstance(value, int | float) and not isinstance(value, bool):
                scored = _Scored(name, Path(str(entry[utterance])).stem, SEGMENT)
                yield _row(f"--scores {path}:{line}", scored, metric, str(value))


@dataclass(frozen=True, slots=True)
class _Scored:
    """What a score is of."""

    checkpoint: str
    utterance: str
    segment: str

    def row(self, metric: str, value: float | None, status: Status, detail: str = "") -> Row:
        """The row of one metric."""
        return Row(self.checkpoint, self.utterance, self.segment, metric, value, status, detail)


def _row(place: str, scored: _Scored, metric: str, text: str | None, status: str | None = None) -> Row:
    """One score as a row; `place` is the file and line that it stands in, for errors."""
    metric = SAME_METRIC.get(metric.strip().lower(), metric.strip().lower())
    if not scored.utterance or not metric:
        raise InputError(f"{place}: utterance or metric is empty")
    if status and status != Status.OK.value:
        if status not in list(Status):
            raise InputError(f"{place}: status {status}: not one of {', '.join(Status)}")
        return scored.row(metric, None, Status(status), "failed in the program that scored it")
    if text is not None and text.strip().casefold() in NO_VALUES:
        return scored.row(metric, None, Status.METRIC_CRASH, "no number")
    try:
        value = float(text or "nan")
    except ValueError as error:
        raise InputError(f"{place}: {metric}: {text!r} is not a number") from error
    impossible = _impossible(metric, value)
    if impossible:
        return scored.row(metric, None, Status.METRIC_CRASH, impossible)
    return scored.row(metric, value, Status.OK)


def _impossible(metric: str, value: float) -> str:
    """Why a number cannot be a score of this metric, "" if it can."""
    if not math.isfinite(value):
        return "no number"
    known = METRICS.get(metric)
    if known is None:
        return ""
    low = known.low is not None and value < known.low - MARGIN
    high = known.high is not None and value > known.high + MARGIN
    return f"{value:g} is outside the range of {known.label}, {known.low:g} to {known.high:g}" if low or high else ""


def _refuse_repeats(path: Path, rows: Sequence[Row]) -> None:
    seen: set[tuple[str, str, str, str]] = set()
    for row in rows:
        key = (row.checkpoint, row.utterance, row.segment, row.metric)
        if key in seen:
            raise InputError(f"--scores {path}: {row.metric} of {row.utterance} ({row.checkpoint}) stands there twice")
        seen.add(key)


def _column(columns: Sequence[str], wanted: Sequence[str]) -> str | None:
    lowered = {column.strip().lower(): column for column in columns}
    return next((lowered[name] for name in wanted if name in lowered), None)
