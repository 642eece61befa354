"""Speakers and conditions of a test set, and stratified subsets of it.

Within a speaker of the VoiceBank+DEMAND test set, the position mod 20 is the SNR and noise type; position counts in
the published list, so that a part of the set gets the same labels as the whole.
"""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import field
from pathlib import Path

from cmgan_audit.errors import InputError, cannot_be_read
from cmgan_audit.evaluation.guards.published import is_published_set, published_rows
from cmgan_audit.evaluation.material.names import shortened
from cmgan_audit.lazy_dataclasses import dataclass
from cmgan_audit.lazy_regex import regex
from cmgan_audit.statistics.strata import nested_order

CONDITIONS = 20
SNRS = 4
_SPEAKER = regex(r"([^_\-.]+)[_\-.]")


@dataclass(frozen=True, slots=True)
class Strata:
    """Labels of the utterances.

    Attributes:
        labels: utterance -> stratum, for stratified subsets and standard errors; empty where nothing is known.
        groupings: name of a grouping -> utterance -> group, for the report.
        source: where the labels come from, in a few words.
    """

    labels: Mapping[str, str] = field(default_factory=dict)
    groupings: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    source: str = "none"


def infer_strata(names: Sequence[str]) -> Strata:
    """Labels from the names alone: speaker x condition for VoiceBank+DEMAND, else the speaker where a prefix tells."""
    if is_published_set(names):
        return _voicebank(names)
    speakers = {name: found[1] for name in names if (found := _SPEAKER.match(name))}
    sizes = Counter(speakers.values())
    # A prefix is a speaker if it repeats: `utt_001` is one prefix, `a_1, b_1, c_1` are many.
    if len(speakers) < len(names) or not 2 <= len(sizes) <= len(names) // 2:
        return Strata()
    return Strata(speakers, {"speaker": speakers}, "speaker (name prefix)")


def read_strata(path: Path, names: Sequence[str]) -> Strata:
    """Labels from a CSV file with a column `utterance` and one or more columns of labels.

    Raises:
        InputError: not such a file, or an utterance of the test set is not in it.
    """
    try:
        with path.open(newline="", encoding="utf-8-sig") as stream:
            reader = csv.DictReader(stream)
            columns = [column for column in reader.fieldnames or [] if column and column != "utterance"]
            if not columns or "utterance" not in (reader.fieldnames or []):
                raise InputError(f"{path}: needs a header with the column utterance and a column of labels")
            table = {
                Path(row["utterance"] or "").stem: {column: row[column] or "" for column in columns} for row in reader
            }
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise cannot_be_read(f"--strata {path}", error) from error
    missing = [name for name in names if name not in table]
    if missing:
        raise InputError(f"{path}: has no row for {shortened(missing)}")
    groupings = {column: {name: table[name][column] for name in names} for column in columns}
    labels = {name: " / ".join(table[name][column] for column in columns) for name in names}
    return Strata(labels, groupings, f"{path.name} ({', '.join(columns)})")


def limited(names: Sequence[str], limit: int, strata: Strata) -> list[str]:
    """A stratified subset of that size, in the order of `names`; the same names give the same subset everywhere."""
    if limit >= len(names):
        return list(names)
    chosen = set(nested_order(list(names), strata.labels or None)[:limit])
    return [name for name in names if name in chosen]


def _voicebank(names: Sequence[str]) -> Strata:
    position: dict[str, int] = {}
    seen: Counter[str] = Counter()
    for name in published_rows():
        speaker = name.split("_")[0]
        position[name] = seen[speaker]
        seen[speaker] += 1
    known = [name for name in names if name in position]
    speakers = {name: name.split("_")[0] for name in known}
    labels = {name: f"{speakers[name]} condition {position[name] % CONDITIONS:02d}" for name in known}
    snrs = {name: f"position mod 4 = {position[name] % SNRS}" for name in known}
    return Strata(labels, {"speaker": speakers, "snr": snrs}, "speaker x condition of VoiceBank+DEMAND")
