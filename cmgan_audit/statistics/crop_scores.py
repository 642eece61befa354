"""The spread of random crops, measured from a table of scores of repeated crops. Pure Python."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from statistics import fmean, variance

from cmgan_audit.errors import InputError, UsageError
from cmgan_audit.lazy_dataclasses import dataclass
from cmgan_audit.statistics.crop_noise import CropSpread
from cmgan_audit.statistics.score_csv import (
    NO_VALUES,
    SYSTEM_COLUMNS,
    UTTERANCE_COLUMNS,
    VALUE_COLUMNS,
    parse_scores,
)


@dataclass(frozen=True, slots=True)
class MeasuredSpread:
    """The spread of crops found in a score table.

    Attributes:
        spread: of the system whose crops vary most.
        system: that system, "" where the table names none.
        utterances: utterances with at least two scored crops.
        crops: scored crops of them.
        failed: rows of this system without a score, in neither number.
    """

    spread: CropSpread
    system: str
    utterances: int
    crops: int
    failed: int


def spread_of_crops(by_utterance: Mapping[str, Sequence[float]]) -> tuple[float, float]:
    """SD of a crop around its utterance, and SD of a crop of a freshly drawn utterance.

    One-way random-effects analysis of variance: within is the root mean square over utterances (each counts once,
    however many crops it has); an utterance's mean is itself estimated from its crops, and their part of the variance
    of the means is taken out of the spread between utterances.

    Args:
        by_utterance: utterance -> scores of its crops; at least two utterances, at least two crops of each.
    """
    variances = [variance(scores) for scores in by_utterance.values()]
    within = fmean(variances)
    in_means = fmean(one / len(scores) for one, scores in zip(variances, by_utterance.values(), strict=True))
    between = max(variance(fmean(scores) for scores in by_utterance.values()) - in_means, 0.0)
    return math.sqrt(within), math.sqrt(within + between)


def measure_spread(path: Path, metric: str = "pesq", where: Mapping[str, str] | None = None) -> MeasuredSpread:
    """Measure the spread of random crops from a CSV file with a row per crop.

    Columns are found by name: the utterance (`utterance`, `utt`, `file`, ...), the score (the metric's name, or `value`
    or `score`), and if present `checkpoint` / `system`, `metric` (other metrics are passed over) and `status` (`ok`).
    A compare-ckpts `scores.csv` is such a table. Where there are several crops of an utterance in one
    `epoch`, each epoch is a system; where every epoch has one, epochs are what repeats the crops. Cells are parted by
    commas, semicolons or tabs.

    Args:
        path: the file.
        metric: which metric to read.
        where: column -> value; only rows that have these values count.

    Raises:
        UsageError: the file lacks a column, or `where` names one that is not there.
        InputError: the file cannot be read, a score is not a number, or no utterance has two crops.
    """
    table: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    failed: Counter[str] = Counter()
    rows = list(_rows(path, metric.lower(), where or {}))
    crops = Counter((row.system, row.epoch, row.utterance) for row in rows if row.score is not None)
    repeated = Counter((system, epoch) for (system, epoch, _), count in crops.items() if count > 1)
    epochs_apart = max(repeated.values(), default=0) > 1  # a row that stands there twice is no second crop of all
    for row in rows:
        named = (row.system, f"epoch {row.epoch}" if row.epoch and epochs_apart else "")
        system, utterance, score = " ".join(filter(None, named)), row.utterance, row.score
        if score is None:
            failed[system] += 1
        else:
            table[system][utterance].append(score)
    return widest_spread(table, failed, source=str(path))


def widest_spread(
    scores: Mapping[str, Mapping[str, Sequence[float]]],
    failed: Mapping[str, int],
    *,
    source: str,
    seconds: float | None = None,
) -> MeasuredSpread:
    """The spread of the system whose crops vary most.

    Args:
        scores: system -> utterance -> scores of its random crops.
        failed: system -> crops without a score.
        source: where the scores come from, for the message of an error.
        seconds: length of the crops, if known.

    Raises:
        InputError: no system has two utterances with two scored crops each.
    """
    found: list[MeasuredSpread] = []
    for system, rows in scores.items():
        repeated = {utterance: values for utterance, values in rows.items() if len(values) > 1}
        if len(repeated) > 1:
            within, total = spread_of_crops(repeated)
            crops = sum(map(len, repeated.values()))
            lost = failed.get(system, 0)
            spread = CropSpread(seconds, within, total, failure_rate=lost / (crops + lost))
            found.append(MeasuredSpread(spread, system, len(repeated), crops, lost))
    if not found:
        raise InputError(
            f"{source}: fewer than two utterances have two or more scores; the spread of random crops needs several "
            "crops of each utterance, a row per crop"
        )
    return max(found, key=lambda one: one.spread.within)


@dataclass(frozen=True, slots=True)
class _Row:
    """A row that counts; the score is None for a failed one, system and epoch are "" where no column tells them."""

    system: str
    epoch: str
    utterance: str
    score: float | None


def _rows(path: Path, metric: str, where: Mapping[str, str]) -> Iterator[_Row]:
    """Every row that counts."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror or error}") from error
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: not a UTF-8 text file (byte {error.start})") from error
    table = parse_scores(text, str(path))
    names = table.columns
    for column in where:
        if column.lower() not in names:
            raise UsageError(f"{path}: no column {column}; there are {', '.join(names) or 'none'}")
    utterance = _column(path, names, "utterance", UTTERANCE_COLUMNS)
    value = _column(path, names, "score", (metric, *VALUE_COLUMNS))
    system = next((name for name in SYSTEM_COLUMNS if name in names), "")
    for entry in table.lines:
        row = entry.cells
        if row.get("metric", metric).lower() != metric:
            continue
        if any(row[column.lower()] != wanted for column, wanted in where.items()):
            continue
        score = _score(path, entry.line, row[value])
        if row.get("status", "ok") != "ok":
            score = None
        yield _Row(row.get(system, ""), row.get("epoch", ""), row[utterance], score)


def _column(path: Path, names: Sequence[str], what: str, candidates: Sequence[str]) -> str:
    for candidate in candidates:
        if candidate in names:
            return candidate
    raise UsageError(
        f"{path}: no column for the {what} (one of {', '.join(candidates)}); there are {', '.join(names) or 'none'}"
    )


def _score(path: Path, line: int, text: str) -> float | None:
    if text.lower() in NO_VALUES:
        return None
    try:
        score = float(text)
    except ValueError:
        raise InputError(f"{path}:{line}: the score {text!r} is not a number") from None
    if not math.isfinite(score):
        raise InputError(f"{path}:{line}: the score {text} is not finite; leave failed rows empty or mark their status")
    return score
