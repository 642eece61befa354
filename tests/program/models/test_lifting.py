"""Documents as values: every scalar with its place, and what is the same in every run made once."""

from __future__ import annotations

import json

import pytest

from cmgan_audit.program.domain.values import Const, DictValue, ListValue, Unknown
from cmgan_audit.program.models.lifting import MOST_NODES, lift
from cmgan_audit.source.data_files.json_file import read_json
from cmgan_audit.source.data_files.nodes import DataNode, Mapping, Sequence


def document(content: object) -> DataNode:
    node = read_json("data/names.json", json.dumps(content))
    assert isinstance(node, Mapping | Sequence)
    return node


def test_the_names_of_a_long_list_are_made_once_and_its_lists_for_each_run() -> None:
    node = document([f"p{number}.wav" for number in range(1000)])
    first, second = lift(node, "data/names.json"), lift(node, "data/names.json")
    assert isinstance(first, ListValue) and isinstance(second, ListValue)
    assert first.items is not second.items
    assert all(one is other for one, other in zip(first.items, second.items, strict=True))
    last = first.items[-1]
    assert isinstance(last, Const) and last.value == "p999.wav"
    assert [step.note for step in last.trail] == ["[999] is 'p999.wav' in names.json"]


def test_one_list_under_two_keys_and_in_two_files_says_where_it_is() -> None:
    node = document({"train": [1] * 300, "valid": [1] * 300})
    for path in ("a/names.json", "b/more.json"):
        lifted = lift(node, path)
        assert isinstance(lifted, DictValue)
        for key in ("train", "valid"):
            held = lifted.items[key]
            assert isinstance(held, ListValue)
            assert held.items[0].trail[0].note == f"{key}[0] is 1 in {path.rpartition('/')[2]}"


def test_lists_within_a_long_list_are_different_ones_in_each_run() -> None:
    node = document([[number] for number in range(300)])
    first, second = lift(node, "names.json"), lift(node, "names.json")
    assert isinstance(first, ListValue) and isinstance(second, ListValue)
    assert first.items[0] != second.items[0]


@pytest.mark.parametrize(("before", "known"), [(0, MOST_NODES - 2), (MOST_NODES - 302, 300), (MOST_NODES - 301, 299)])
def test_a_document_is_cut_behind_so_many_values(before: int, known: int) -> None:
    """The list itself, the one around it and what stands before it count, too."""
    content = [0] * (MOST_NODES + 5) if not before else [*([[]] * before), [1] * 400]
    lifted = lift(document([content]) if not before else document(content), "names.json")
    assert isinstance(lifted, ListValue)
    held = lifted.items[-1]
    assert isinstance(held, ListValue)
    assert sum(isinstance(item, Const) for item in held.items) == known
    assert isinstance(held.items[-1], Unknown)
