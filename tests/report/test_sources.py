"""Lines of source as reports show them."""

from __future__ import annotations

import ast
import json
from pathlib import Path

import pytest

from cmgan_audit.finding import Location, Step
from cmgan_audit.report.ansi import Ink
from cmgan_audit.report.frame import draw
from cmgan_audit.report.sources import Sources
from cmgan_audit.source.notebook import parse_notebook
from cmgan_audit.source.python_file import ParsedFile


@pytest.fixture(params=[None, 1])
def steps(request, tmp_path):
    """Three places in two cells of a notebook, which is one single line or many."""
    cells = [("markdown", "# Title"), ("code", "size = 'a\"b'; batch = 1\nsame = 2"), ("code", "x = batch")]
    listed = [{"cell_type": kind, "source": text.splitlines(True)} for kind, text in cells]
    text = json.dumps({"cells": listed, "nbformat": 4}, indent=request.param)
    (tmp_path / "n.ipynb").write_text(text, encoding="utf-8")
    parsed = parse_notebook("n.ipynb", text.encode())
    assert isinstance(parsed, ParsedFile)
    values = [node.value for node in parsed.tree.body if isinstance(node, ast.Assign)]
    return [Step(parsed.location(values[index]), note) for index, note in ((1, "set"), (3, "used"), (2, "other"))]


def test_a_notebook_is_shown_by_cell_and_line(steps, tmp_path):
    drawn = draw(steps, Sources(tmp_path), Ink(), "red")
    first = steps[0].location
    assert drawn == [
        f"   --> n.ipynb:{first.line}:{first.column} (cell 2, line 1)",
        "    |",
        "2:1 | size = 'a\"b'; batch = 1",
        "    |                       ^ set",
        "...",
        "3:1 | x = batch",
        "    |     ----- used",
        "...",
        "2:2 | same = 2",
        "    |        - other",
        "    |",
    ]


def test_a_place_outside_of_all_cells_has_no_line(tmp_path):
    (tmp_path / "n.ipynb").write_text("{}", encoding="utf-8")
    shown = Sources(tmp_path).shown(Location("n.ipynb", 1))
    assert (shown.text, shown.label, shown.where) == (None, "1", "")


def test_a_byte_order_mark_is_no_part_of_the_first_line(tmp_path):
    (tmp_path / "a.py").write_bytes(b"\xef\xbb\xbfx = 1\n")
    assert Sources(tmp_path).shown(Location("a.py", 1)).text == "x = 1"


def test_a_checkpoint_has_no_lines(tmp_path: Path) -> None:
    (tmp_path / "last.pt").write_bytes(b"PK\x03\x04\x00\x00\x08\x08 torch")
    assert Sources(tmp_path).shown(Location("last.pt", 1)).text is None
