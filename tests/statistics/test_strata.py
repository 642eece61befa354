"""Strata: merging never loses a row, prefixes stay in proportion."""

from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from cmgan_audit.statistics.strata import MIN_ROWS, merge_small, nested_order

LABELS = st.lists(st.sampled_from([f"s{index}" for index in range(12)]), min_size=1, max_size=80)


@given(LABELS)
def test_every_merged_stratum_is_large_enough(labels: list[str]) -> None:
    codes = merge_small(labels)
    sizes = Counter(codes)
    assert len(codes) == len(labels)
    assert sorted(sizes) == list(range(len(sizes)))
    assert min(sizes.values()) >= min(MIN_ROWS, len(labels))


@given(LABELS)
def test_rows_of_one_stratum_stay_together(labels: list[str]) -> None:
    codes = merge_small(labels)
    assert len(set(zip(labels, codes, strict=True))) == len(set(labels))


def test_large_strata_are_left_alone_and_small_ones_join_each_other() -> None:
    labels = ["a"] * 10 + ["b"] * 2 + ["c"] * 10 + ["d"] * 3
    codes = merge_small(labels)
    assert codes[10] == codes[24]
    assert len({codes[0], codes[10], codes[12]}) == 3


def test_a_single_small_stratum_joins_the_smallest_large_one() -> None:
    codes = merge_small(["a"] * 10 + ["b"] * 6 + ["c"])
    assert codes[-1] == codes[10] != codes[0]


@given(st.dictionaries(st.text("abcdef", min_size=1, max_size=5), st.sampled_from("xyz"), min_size=1, max_size=60))
def test_every_prefix_is_stratified(strata: dict[str, str]) -> None:
    order = nested_order(list(strata), strata)
    assert sorted(order) == sorted(strata)
    sizes = Counter(strata.values())
    for length in range(1, len(order) + 1):
        found = Counter(strata[name] for name in order[:length])
        for stratum, size in sizes.items():
            assert abs(found[stratum] - length * size / len(order)) <= len(sizes)


def test_the_order_does_not_depend_on_how_the_names_come() -> None:
    names = [f"p232_{index:03d}" for index in range(50)]
    strata = {name: str(index % 4) for index, name in enumerate(names)}
    assert nested_order(names, strata) == nested_order(names[::-1], dict(reversed(strata.items())))


def test_a_prefix_has_nothing_to_do_with_the_position_in_the_set() -> None:
    names = [f"p232_{index:03d}" for index in range(400)]
    first = nested_order(names)[:100]
    assert 150 < sum(int(name[-3:]) for name in first) / 100 < 250
