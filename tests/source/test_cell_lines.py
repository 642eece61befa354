"""Lines of notebook cells, found again from places in the file."""

from __future__ import annotations

import ast
import json

from hypothesis import given
from hypothesis import strategies as st

from cmgan_audit.finding import Location
from cmgan_audit.source.notebook import CellLines, parse_notebook
from cmgan_audit.source.python_file import ParsedFile

NAMES = st.from_regex(r"[a-z]{1,8}", fullmatch=True).map("n_".__add__)
TEXTS = st.text(st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\u2028\u2029\x85"), max_size=12)
STATEMENTS = st.builds("{} = {!r}; {} = {}".format, NAMES, TEXTS, NAMES, st.integers(0, 9))
CELLS = st.lists(st.tuples(st.sampled_from(["code", "markdown"]), st.lists(STATEMENTS, min_size=1, max_size=4)))


def notebook(cells, *, whole: bool, indent: int | None, escaped: bool) -> str:
    """A notebook whose cells hold their source as one string, or as a list of lines."""
    listed = []
    for kind, lines in cells:
        source = "\n".join(lines)
        listed.append({"cell_type": kind, "outputs": [], "source": source if whole else source.splitlines(True)})
    return json.dumps({"cells": listed, "metadata": {}, "nbformat": 4}, indent=indent, ensure_ascii=escaped)


@given(cells=CELLS, whole=st.booleans(), indent=st.sampled_from([None, 1]))
def test_every_name_is_found_at_its_place_in_its_cell(cells, whole, indent):
    text = notebook(cells, whole=whole, indent=indent, escaped=False)
    parsed = parse_notebook("n.ipynb", text.encode())
    assert isinstance(parsed, ParsedFile)
    lines = CellLines(text)
    for node in ast.walk(parsed.tree):
        if isinstance(node, ast.Name):
            found = lines.at(parsed.location(node))
            assert found is not None
            line, place = found
            assert line.text[place.column - 1 : (place.end_column or 0) - 1] == node.id
            assert line.text == cells[line.cell - 1][1][line.number - 1]


@given(text=TEXTS, line=st.integers(-2, 9), column=st.integers(-2, 400))
def test_places_that_are_in_no_cell_have_no_line(text, line, column):
    for content in (
        text,
        "[]",
        "{",
        '{"cells": 3}',
        notebook([("code", ["a = 1"])], whole=False, indent=1, escaped=True),
    ):
        found = CellLines(content).at(Location("n.ipynb", line, column, line, column + 3))
        assert found is None or found[0].text == "a = 1"


def test_a_statement_over_several_lines_is_marked_to_the_end_of_its_first():
    text = notebook([("code", ["f(", "  1)"])], whole=False, indent=None, escaped=True)
    parsed = parse_notebook("n.ipynb", text.encode())
    assert isinstance(parsed, ParsedFile)
    line, place = CellLines(text).at(parsed.location(parsed.tree.body[0])) or (None, None)
    assert (line and line.text) == "f("
    assert (place and (place.line, place.end_line)) == (1, 2)


def test_the_lines_around_one_stay_in_its_cell():
    text = notebook(
        [("code", ["a = 1", "b = 2"]), ("code", ["c = 3", "d = 4", "e = 5"])], whole=True, indent=None, escaped=True
    )
    lines = CellLines(text)
    parsed = parse_notebook("n.ipynb", text.encode())
    assert isinstance(parsed, ParsedFile)
    found = lines.at(parsed.location(parsed.tree.body[2]))
    assert found is not None
    assert [each.text for each in lines.around(found[0], 1)] == ["c = 3", "d = 4"]
