"""Lists of whole trainings: `layers=2, units=64, epochs=20 -> PESQ=2.71`, one line, row or record for each of them.

A grid search or an ablation looks like the evaluations of one training that counts nothing. What differs are the
settings: a network keeps its layers while it is trained, and a schedule goes one way, or up and down again.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Mapping, Sequence

from cmgan_audit.logs.roles import counter_kind, infer, table, words_of
from cmgan_audit.logs.series import Run

_FEWEST = 3
# Nearly every row says its settings, and nearly every row has others than the rest.
_MOST = 0.8
# A warm-up or a cycle turns once; the inner one of two nested loops turns at each round of the outer one.
_TURNS = 2
# What somebody chose has few digits (`0.25`, `3e-4`); what is computed or learned has many.
_DIGITS = 2
_BATCH = ("batch",)
_FINAL = "final"
_SAID = (
    "{} values under different settings ({}), and none that counts epochs or steps, as a grid search or an ablation "
    "lists whole trainings: no trend in them"
)


def said_of_trainings(values: int, settings: Sequence[str]) -> str:
    """The note on a list of so many trainings that differ in these settings."""
    return _SAID.format(values, ", ".join(settings[:4]) + (", ..." if len(settings) > 4 else ""))


def settings_of_trainings(rows: Sequence[Mapping[str, float]]) -> list[str]:
    """The settings in which rows differ that are results of different trainings; none where they may be of one.

    Args:
        rows: the numbers of each row by their names, counters among them.
    """
    if len(rows) < _FEWEST:
        return []
    often = Counter(name for row in rows for name in row)
    columns = {name: [row[name] for row in rows if name in row] for name, n in often.items() if n >= _MOST * len(rows)}
    if any(_counts(name, values) for name, values in columns.items()):
        return []
    settings = {name: kind for name in columns if (kind := "fixed" if _is_total(name) else kind_of_setting(name))}
    varying = {name: columns[name] for name in settings if len(set(columns[name])) > 1}
    said = any(_is_total(name) or is_final(name) for name in columns)
    if not _tell_trainings(varying, settings, said, any(map(is_final, columns))):
        return []
    different = {tuple(row.get(name) for name in varying) for row in rows}
    return list(varying) if len(different) >= _MOST * len(rows) else []


def settings_of_runs(runs: Sequence[Run], rows: Sequence[Mapping[str, float]]) -> list[str]:
    """As `settings_of_trainings`, for runs read from these rows; none where the user says what a metric is."""
    given = any(series.role.given for run in runs for series in run.series)
    return [] if given else settings_of_trainings(rows)


def is_batch_size(values: Sequence[float]) -> bool:
    """Whether what is called `batch` is a size: a power of two, as the number of a batch is by chance only."""
    return all(value >= 1 and value.is_integer() and not int(value) & (int(value) - 1) for value in values)


def kind_of_setting(name: str) -> str:
    """ "fixed" for what stays through a training, "scheduled" for what may change in it, "learning rate", or ""."""
    words, t = words_of(name), table()
    role = infer(name).kind
    if role == "learning_rate":
        return "learning rate"
    if role in ("metric", "loss", "best"):
        return ""
    for kind, names in (("fixed", t.fixed_settings), ("scheduled", t.scheduled_settings)):
        if any(words[-len(entry) :] == entry for entry in names):
            return kind
    return "scheduled" if words == _BATCH else ""


def _counts(name: str, values: Sequence[float]) -> bool:
    """Whether a name counts epochs or steps.

    A number of epochs that never changes is the total of each training, and so is one that changes in no order and
    begins at neither 0 nor 1.
    """
    if words_of(name) == _BATCH:
        return not is_batch_size(values)
    if len(set(values)) == 1 or (_is_total(name) and min(values) > 1 and _is_in_no_order(values)):
        return False
    return counter_kind(name) is not None or _is_total(name)


def _is_total(name: str) -> bool:
    return words_of(name) in table().totals


def is_final(name: str) -> bool:
    """`final PESQ`: a training has one, so several are of as many."""
    return _FINAL in words_of(name) and infer(name).kind == "metric"


def _tell_trainings(
    varying: Mapping[str, Sequence[float]], kinds: Mapping[str, str], with_total: bool, final: bool
) -> bool:
    """Whether settings change as they do from training to training, and not by the schedule of one."""
    if any(kinds[name] == "fixed" for name in varying):
        return True
    chosen = [name for name, values in varying.items() if all(map(_is_round, values))]
    scheduled = [name for name in chosen if kinds[name] == "scheduled"]
    if scheduled and (with_total or any(_is_in_no_order(varying[name]) for name in scheduled)):
        return True
    rates = [name for name in chosen if kinds[name] == "learning rate"]
    if final and rates:
        return True
    return bool(scheduled or with_total) and any(_is_in_no_order(varying[name]) for name in rates)


def _is_in_no_order(values: Sequence[float]) -> bool:
    rises = [b > a for a, b in itertools.pairwise(values) if a != b]
    return sum(1 for a, b in itertools.pairwise(rises) if a != b) >= _TURNS


def _is_round(value: float) -> bool:
    return value.is_integer() or value == float(f"{value:.{_DIGITS - 1}e}")
