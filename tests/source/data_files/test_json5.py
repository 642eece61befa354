"""JSON5: values as the reference library of Python gives them, and exact places."""

from __future__ import annotations

import json
from typing import Any

import json5
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cmgan_audit.source.data_files.formats import dialect_of, read_text
from cmgan_audit.source.data_files.nodes import DataError, plain, scalars

from .test_data_files import JSON_VALUES, same, text_at

KEYS = st.from_regex(r"[A-Za-z_$][A-Za-z0-9_$]{0,5}", fullmatch=True)
# Arrays and objects as people write them: bare keys, comments, trailing commas, single quotes.
DOCUMENTS = st.recursive(
    st.sampled_from(["1", "+2", "-.5", "5.", "0x1F", "1e-3", "true", "null", "'it\\'s'", '"a\\\nb"', "'\\x41\\u00e9'"]),
    lambda inner: st.one_of(
        st.lists(inner, max_size=4).map(lambda items: "[" + "".join(f"{item}, // x\n" for item in items) + "]"),
        st.dictionaries(KEYS, inner, max_size=4).map(
            lambda entries: "{ /* y */" + ",".join(f"\n  {key}: {value}" for key, value in entries.items()) + "}"
        ),
    ),
    max_leaves=12,
)


@settings(deadline=None)
@given(JSON_VALUES, st.sampled_from([None, 2]))
def test_every_json_document_means_the_same(value: Any, indent: int | None) -> None:
    text = json.dumps(value, indent=indent)
    assert same(plain(read_text("c.json5", text, "json5")), json.loads(text))


@settings(deadline=None)
@given(DOCUMENTS)
def test_values_and_places(text: str) -> None:
    node = read_text("c.json5", text, "json5")
    assert same(plain(node), json5.loads(text))
    for scalar in scalars(node):
        assert same(json5.loads(text_at(text, scalar)), scalar.value)


@settings(deadline=None)
@given(st.text("{}[]\"',:01.eE+-x/*truenl \n\\", max_size=24))
def test_no_text_breaks_the_reader(text: str) -> None:
    try:
        read_text("c.json5", text, "json5")
    except DataError as error:
        assert 1 <= error.line <= text.count("\n") + 1


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("", 1),
        ("{a: 1\n b: 2}", 2),
        ("[1 2]", 1),
        ("{1a: 1}", 1),
        ("['a\nb']", 1),
        ("// nothing\n", 2),
        ("/* open\n {a: 1}", 1),
        ("[1,,2]", 1),
        ("{a: .}", 1),
        ("'\\1'", 1),
        ("{a: 1}\n}", 2),
        ("[" * 5000, 1),
    ],
)
def test_what_is_no_json5_says_where(text: str, line: int) -> None:
    with pytest.raises(DataError) as caught:
        read_text("c.json5", text, "json5")
    assert caught.value.line == line


def test_files_are_read_by_their_suffix() -> None:
    assert (dialect_of("a.json5"), dialect_of("b.jsonc")) == ("json5", "json5")
