"""Records of several runs: one where the runs agree, one per configuration where they do not.

Loaders have their own merging (`facts/loading/merging.py`), since they are told apart by their datasets and roles too.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Sequence
from typing import Any

from cmgan_audit.facts.as_shown import Way, as_shown, way_of
from cmgan_audit.facts.loading.merging import digest
from cmgan_audit.facts.values import under
from cmgan_audit.lazy_dataclasses import dataclass
from cmgan_audit.rules.record import Known, OneOf, Record, Unknown, certainly


@dataclass(frozen=True, slots=True)
class Observed:
    """A record as one run gives it, and the launch configuration of that run ("" for the bare script).

    `script`: the one that runs. `unshown`: it is bare, and all that the tree ships starts it with words.
    """

    record: Record
    condition: str
    script: str = ""
    unshown: bool = False


def merge_observed(observed: Iterable[Observed]) -> list[Record]:
    """One record per thing and way in which it is set up.

    A thing is known by its kind, its place and its anchor. Where the runs agree, the first record stands. Where they
    differ, what a run could not find out is dropped when another run found it out; of the ways that are left each
    keeps a record, and the facts that differ name the launch configuration.
    """
    groups: dict[object, list[Observed]] = {}
    for each in observed:
        record = each.record
        groups.setdefault((type(record), record.location, record.anchor), []).append(each)
    return [record for group in groups.values() for record in _ways(group)]


def _ways(group: Sequence[Observed]) -> list[Record]:
    ways: dict[object, list[Observed]] = {}
    for each in group:
        ways.setdefault(_signature(each.record), []).append(each)
    found = list(ways.values())
    if len(found) > 1:
        least = min(_unknowns(way[0].record) for way in found)
        found = [way for way in found if _unknowns(way[0].record) == least]
        found = [each.group for each in as_shown([_way(way) for way in found])]
    kept = [way[0] for way in found]
    if len(kept) == 1:
        return [kept[0].record]
    differing = [
        name for name in _facts(kept[0].record) if len({digest(getattr(each.record, name)) for each in kept}) > 1
    ]
    return [_named(each, differing) for each in kept]


def _way(group: list[Observed]) -> Way:
    record = group[0].record
    used = getattr(record, "iterated", None)
    facts = [getattr(record, name) for name in _facts(record)]
    return way_of(group, facts, used=used is None or certainly(used, True))


def _facts(record: Record) -> list[str]:
    """The names of the fields that hold a fact."""
    names = (entry.name for entry in dataclasses.fields(record))
    return [name for name in names if isinstance(getattr(record, name), Known | OneOf | Unknown)]


def _signature(record: Record) -> tuple[object, ...]:
    return tuple((name, digest(getattr(record, name))) for name in _facts(record))


def _unknowns(record: Record) -> int:
    return sum(isinstance(getattr(record, name), Unknown) for name in _facts(record))


def _named(each: Observed, differing: Sequence[str]) -> Record:
    if not each.condition:
        return each.record
    named: Any = {name: under(getattr(each.record, name), each.condition) for name in differing}
    return dataclasses.replace(each.record, **named)
