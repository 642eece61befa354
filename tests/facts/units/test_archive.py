"""Records as text and back: equal, with what they share still shared, and nothing that could run."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cmgan_audit.facts.records import Dataset, Loader
from cmgan_audit.facts.units.archive import pack, unpack
from cmgan_audit.finding import Confidence, Location, Step
from cmgan_audit.rules.record import Known, OneOf, Unknown

constants = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.complex_numbers(allow_nan=False)
    | st.text(st.characters(exclude_categories=()))
    | st.binary(),
    lambda inner: (
        st.lists(inner, max_size=3).map(tuple)
        | st.lists(inner, max_size=3)
        | st.frozensets(st.text(), max_size=3)
        | st.dictionaries(st.text() | st.integers(), inner, max_size=3)
    ),
    max_leaves=8,
)
places = st.builds(Location, st.text(), st.integers(1), st.integers(1), st.none() | st.integers(1))
trails = st.lists(st.builds(Step, places, st.text()), max_size=3).map(tuple)
known = st.builds(Known, constants, trails, st.text(), st.sampled_from(Confidence))
facts = (
    known | st.builds(OneOf, st.lists(known, min_size=1, max_size=2).map(tuple), trails) | st.builds(Unknown, st.text())
)


@given(facts)
def test_a_fact_comes_back_as_it_was(fact: Known | OneOf | Unknown) -> None:
    assert unpack(pack(fact)) == fact


def test_values_that_json_has_no_word_for() -> None:
    assert math.isnan(unpack(pack(math.nan)))
    assert unpack(pack((math.inf, -math.inf, 10**5000, True, 1, 1.0))) == (math.inf, -math.inf, 10**5000, True, 1, 1.0)
    assert [type(each) for each in unpack(pack((True, 1, 1.0)))] == [bool, int, float]


def test_what_two_records_share_they_still_share() -> None:
    place = Location("train.py", 3)
    data = Dataset(location=place, name="Pairs", random_crop=Known(True))
    fact = Known(4)
    first, second = (
        Loader(
            location=place,
            role=Known(role),
            batch_size=fact,
            accumulation=fact,
            accumulated_batch=fact,
            shuffle=fact,
            drop_last=fact,
            num_workers=fact,
            iterated=fact,
            dataset=data,
        )
        for role in ("train", "eval")
    )
    read: Any = unpack(pack((first, second)))
    assert read == (first, second)
    assert read[0].dataset is read[1].dataset
    assert read[0] is not read[1]


def test_only_data_is_written() -> None:
    with pytest.raises(TypeError, match="is no data that a record may hold"):
        pack(Known(print))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{}",
        "null",
        "[[], [], [\"r\", 0]]",
        "[[[\"os:system\", [\"command\"]]], [[0, \"true\"]], [\"r\", 0]]",
        "[[[\"cmgan_audit.cli.app:main\", []]], [[0]], [\"r\", 0]]",
        "[[[\"cmgan_audit.finding:Location\", [\"colour\"]]], [[0, 1]], [\"r\", 0]]",
        "[[[\"cmgan_audit.finding:Location\", [\"path\", \"line\"]]], [[0, 1]], [\"r\", 0]]",
        "[[], [], " + "[\"t\", " * 100_000 + "]" * 100_000 + "]",
    ],
)  # fmt: skip
def test_text_that_no_archive_wrote_is_refused(text: str) -> None:
    with pytest.raises((ValueError, RecursionError)):
        unpack(text)


def test_an_archive_is_plain_json() -> None:
    assert json.loads(pack(Known(4, condition="README.md: -b 4")))
