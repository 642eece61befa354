"""Scores that other programs computed, as rows of the same table: CSV (long or wide) and VERSA's JSON lines."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from cmgan_audit.errors import InputError, cannot_be_read
from cmgan_audit.evaluation.metrics import METRICS, Status
from cmgan_audit.evaluation.scores.table import Row
from cmgan_audit.finding import JsonValue
from cmgan_audit.lazy_dataclasses import dataclass
from cmgan_audit.lazy_regex import regex
from cmgan_audit.statistics.score_csv import (
    NO_VALUES,
    SYSTEM_COLUMNS,
    UTTERANCE_COLUMNS,
    VALUE_COLUMNS,
    ScoreLine,
    parse_scores,
)

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
# Rows below (or above) those of the utterances; as one more utterance they would narrow every interval.
STATISTICS = frozenset(("mean", "average", "avg", "median", "std", "sd", "stddev", "stdev", "var", "variance"))
STATISTICS |= {"min", "max", "sum", "total", "overall"}
AROUND_STATISTICS = frozenset(("score", "scores", "over", "of", "all", "and", "n", "files", "utterances"))
# Columns that count or describe the rows.
NO_METRICS = frozenset((*UTTERANCE_COLUMNS, *SYSTEM_COLUMNS, "epoch", "segment", "status", "index", "idx", "#"))
_UNNAMED = regex(r"unnamed: \d+")  # pandas' name for a column without one, mostly the index
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
        what = "the row" if len(self.summaries) == 1 else "the rows"
        return f"{self.path.name}: no utterance, and left out: {what} {', '.join(self.summaries)}"


def read_scores(path: Path) -> ExternalScores:
    """Read a file of scores.

    A CSV file is long (columns utterance, metric, value, and perhaps checkpoint, segment, status: what this command
    writes) or wide (a column per metric; columns of words are labels, and those that number the rows no metrics), with
    commas, semicolons or tabs. JSON lines hold an object per utterance, with its name under `key`, as VERSA writes
    them. Without a column for it, the checkpoint is named after the file. A value that a metric cannot have (PESQ 0.0,
    which some programs write for a failure) becomes a failed row, never a number. Rows named after a statistic
    (`mean`) are no utterances.

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
    """Whether a row of this name holds a statistic of the others: `mean`, `Average:`, `mean (824 files)`."""
    words = re.findall(r"[^\W\d_]+|\d+", name.casefold())
    told = [word for word in words if not word.isdigit()]
    # A number that nothing explains is an utterance's.
    explained = len(told) == len(words) or not STATISTICS.issuperset(told)
    return bool(told) and told[0] in STATISTICS and explained and (STATISTICS | AROUND_STATISTICS).issuperset(told)


def _csv_rows(path: Path, text: str) -> Iterator[Row]:
    table = parse_scores(text, f"--scores {path}")
    utterance = _column(table.columns, UTTERANCE_COLUMNS)
    if utterance is None:
        raise InputError(f"--scores {path}: no column for the utterance ({', '.join(UTTERANCE_COLUMNS[:4])}, ...)")
    value = _column(table.columns, VALUE_COLUMNS) if "metric" in table.columns else None
    metrics = [name for name in table.columns if _is_metric(name, table.lines)]
    checkpoints = _checkpoints([entry.cells for entry in table.lines])
    for entry, checkpoint in zip(table.lines, checkpoints, strict=True):
        cells = entry.cells
        scored = _Scored(checkpoint or path.stem, Path(cells[utterance]).stem, cells.get("segment") or SEGMENT)
        place = f"--scores {path}:{entry.line}"
        if value:
            yield _row(place, scored, cells["metric"], cells[value], cells.get("status"))
        else:
            for name in metrics:
                yield _row(place, scored, name, cells[name])


def _is_metric(column: str, lines: Sequence[ScoreLine]) -> bool:
    """Whether a column of a wide table holds scores; else it counts the rows, or labels them (the kind of noise)."""
    if column in NO_METRICS or _UNNAMED.fullmatch(column):
        return False
    cells = {entry.cells[column].casefold() for entry in lines} - {""}
    words = cells - NO_VALUES
    numbers = any(_is_number(word) for word in words)
    return known_name(column) in METRICS or numbers or bool(cells and not words)


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _checkpoints(entries: Sequence[Mapping[str, str]]) -> list[str]:
    """The checkpoint of every row, "" where no column tells it; epochs of one system are checkpoints."""
    system = next((name for name in SYSTEM_COLUMNS if any(name in entry for entry in entries)), "")
    told = [(entry.get(system, ""), entry.get("epoch", "")) for entry in entries]
    if len(set(told)) == len({name for name, _ in told}):
        return [name or epoch for name, epoch in told]
    return [f"{name} epoch {epoch}" if name and epoch else name or epoch for name, epoch in told]


def _json_rows(path: Path, text: str) -> Iterator[Row]:
    entries: list[tuple[int, dict[str, JsonValue]]] = []
    for line, raw in enumerate(text.splitlines(), 1):
        if not raw.strip():
            continue
        try:
            entry = json.loads(raw)
        except ValueError as error:
            raise InputError(f"--scores {path}:{line}: not JSON: {error}") from error
        if not isinstance(entry, dict) or _column(list(entry), UTTERANCE_COLUMNS) is None:
            raise InputError(f"--scores {path}:{line}: an object with the utterance under `key` is needed")
        entries.append((line, entry))
    told = [{name.lower(): str(value) for name, value in entry.items() if value is not None} for _, entry in entries]
    for (line, entry), cells, checkpoint in zip(entries, told, _checkpoints(told), strict=True):
        utterance = Path(cells.get(_column(list(cells), UTTERANCE_COLUMNS) or "", "")).stem
        for metric, value in entry.items():
            is_score = isinstance(value, int | float) and not isinstance(value, bool)
            if is_score and metric.strip().lower() not in NO_METRICS:
                scored = _Scored(checkpoint or path.stem, utterance, SEGMENT)
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


def known_name(metric: str) -> str:
    """A metric's name here, of what another program calls it."""
    name = metric.strip().lower()
    return SAME_METRIC.get(name, name)


def _row(place: str, scored: _Scored, metric: str, text: str, status: str | None = None) -> Row:
    """One score as a row; `place` is the file and line that it stands in, for errors."""
    metric = known_name(metric)
    if not scored.utterance or not metric:
        raise InputError(f"{place}: utterance or metric is empty")
    if status and status != Status.OK.value:
        if status not in list(Status):
            raise InputError(f"{place}: status {status}: not one of {', '.join(Status)}")
        return scored.row(metric, None, Status(status), "failed in the program that scored it")
    if text.casefold() in NO_VALUES:
        return scored.row(metric, None, Status.METRIC_CRASH, "no number")
    try:
        value = float(text)
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
