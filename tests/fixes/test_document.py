"""The edit engine: what an edit does not name stays byte for byte as it was."""

from __future__ import annotations

import ast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cmgan_audit.finding import Edit, Location
from cmgan_audit.fixes.document import Document, UnrecognisedShapeError, overlap

CHARACTERS = ["a", "é", "語", "😀", " ", "\t", "\n", "\r\n", "\r", "\f", "\x85", "#"]
TEXTS = st.lists(st.sampled_from(CHARACTERS), max_size=40).map("".join)


@given(TEXTS, st.data())
def test_every_edit_changes_its_own_span_and_nothing_else(text, data):
    document = Document("conf.yaml", text.encode())
    cuts = sorted(data.draw(st.lists(st.integers(0, len(text)), min_size=4, max_size=4)))
    if cuts[1] == cuts[2] and (cuts[0] == cuts[1] or cuts[2] == cuts[3]):
        cuts[2:] = cuts[:2]
    edits = [document.edit(cuts[0], cuts[1], "XY")]
    expected = text[: cuts[0]] + "XY" + text[cuts[1] :]
    if cuts[2:] != cuts[:2]:
        edits.insert(0, document.edit(cuts[2], cuts[3], ""))
        expected = text[: cuts[0]] + "XY" + text[cuts[1] : cuts[2]] + text[cuts[3] :]
    assert document.apply(edits) == expected.encode()


@given(TEXTS, st.booleans())
def test_no_edit_changes_no_byte(text, mark):
    data = (b"\xef\xbb\xbf" if mark else b"") + text.encode()
    assert Document("conf.yaml", data).apply([]) == data


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"\xef\xbb\xbfbatch = 1\r\n# end", b"\xef\xbb\xbfbatch = 4\r\n# end"),
        ("# -*- coding: latin-1 -*-\nname = 'é'\nbatch = 1".encode("latin-1"), None),
    ],
)
def test_byte_order_mark_encoding_and_a_missing_last_newline_survive(data, expected):
    document = Document("train.py", data)
    at = document.text.index("= 1") + 2
    assert document.apply([document.edit(at, at + 1, "4")]) == (expected or data.replace(b"= 1", b"= 4"))


def test_new_lines_take_the_line_end_of_the_file():
    document = Document("train.py", b"a = 1\r\nb = 2\r\n")
    assert document.apply([document.insert(0, "import c\n")]) == b"import c\r\na = 1\r\nb = 2\r\n"


@pytest.mark.parametrize(
    ("path", "data"), [("a.yaml", b"a: \xff"), ("a.py", b"# coding: nonsense\na = 1\n"), ("a.py", b"a = '\xff'\n")]
)
def test_what_is_no_text_is_refused(path, data):
    with pytest.raises(UnrecognisedShapeError, match=path):
        Document(path, data)


def at(start, end, text="", path="a.py"):
    return Edit(path, 1, start, 1, end, text)


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        (at(1, 4), at(3, 6), True),
        (at(1, 4), at(4, 6), False),  # they only touch
        (at(1, 4, "x"), at(1, 4, "x"), False),  # the same change, asked for twice
        (at(1, 4, "x"), at(1, 4, "y"), True),
        (at(2, 2, "x"), at(1, 4), True),  # an insertion into what goes
        (at(4, 4, "x"), at(1, 4), False),
        (at(4, 4, "x"), at(4, 4, "y"), True),  # which comes first?
        (at(1, 4), at(1, 4, "y", "b.py"), False),
    ],
)
def test_edits_that_cannot_both_be_made(one, other, expected):
    assert overlap(one, other) is overlap(other, one) is expected


@given(st.integers(0, 8), st.integers(0, 8), st.integers(0, 8), st.integers(0, 8))
def test_edits_that_do_not_overlap_can_be_applied_together(a, b, c, d):
    one, other = at(1 + min(a, b), 1 + max(a, b), "X"), at(1 + min(c, d), 1 + max(c, d), "YZ")
    document = Document("a.py", b"01234567")
    if not overlap(one, other):
        assert document.apply([one, other]) == document.apply([other, one])


def test_edits_that_overlap_are_refused():
    with pytest.raises(ValueError, match=r"a\.py: edits overlap"):
        Document("a.py", b"01234567").apply([at(1, 4), at(3, 6)])


def test_a_place_without_an_end_is_no_text_to_replace():
    with pytest.raises(UnrecognisedShapeError, match="no single value"):
        Document("a.py", b"x").span(Location("a.py", 1))


def test_replacing_a_value_leaves_the_syntax_tree_alone_elsewhere():
    document = Document("a.py", "x = {'größe': 1}  # größe\n".encode())
    start = document.text.index("1}")
    after = document.apply([document.edit(start, start + 1, "4")]).decode()
    assert ast.dump(ast.parse(after)) == ast.dump(ast.parse(document.text)).replace("value=1", "value=4")
