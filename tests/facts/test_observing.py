"""Records of several runs of one script are joined, or told apart by the launch that makes the difference."""

from __future__ import annotations

from cmgan_audit.facts.observing import Observed, merge_observed
from cmgan_audit.finding import Location, Step
from cmgan_audit.lazy_dataclasses import dataclass
from cmgan_audit.rules.record import Fact, Known, Record, Unknown

NO = Known(False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Thing(Record):
    size: Fact
    flag: Fact = NO


def thing(size: Fact, line: int = 3) -> Thing:
    return Thing(location=Location("train.py", line), size=size)


def known(value: int, line: int) -> Known:
    return Known(value, (Step(Location("run.sh", line), "is set here"),))


def test_runs_that_agree_give_one_record():
    assert len(merge_observed([Observed(thing(known(4, 1)), ""), Observed(thing(known(4, 1)), "run.sh")])) == 1


def test_things_at_two_places_stay_two():
    assert len(merge_observed([Observed(thing(Known(1)), ""), Observed(thing(Known(1), line=9), "")])) == 2


def test_what_one_run_cannot_tell_another_may():
    merged = merge_observed([Observed(thing(Unknown("no default")), ""), Observed(thing(known(2, 1)), "run.sh")])
    assert [record.size.value for record in merged] == [2]


def test_ways_that_differ_name_their_launch():
    merged = merge_observed([Observed(thing(known(4, 1)), ""), Observed(thing(known(1, 2)), "run.sh: --size 1")])
    assert [(record.size.value, record.size.condition) for record in merged] == [(4, ""), (1, "run.sh: --size 1")]
    assert all(record.flag.condition == "" for record in merged)
