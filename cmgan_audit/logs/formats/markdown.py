"""Markdown: the tables of a report; without any that holds evaluations, its text is read as a log is.

A report compares systems, test sets and settings more often than epochs. Without an epoch or a step beside them, the
order of its numbers is that of the writer, and they are no training.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from cmgan_audit.errors import InputError
from cmgan_audit.lazy_regex import regex
from cmgan_audit.logs.formats.delimited import read_table
from cmgan_audit.logs.lines.text import read_text
from cmgan_audit.logs.opening import read_blocks
from cmgan_audit.logs.roles import RoleBook
from cmgan_audit.logs.series import INDEX, Note, Reading

_RULE = regex(r"^\s*\|?\s*:?-+:?\s*(?:\|\s*:?-+:?\s*)*\|?\s*$")
_HEADING = regex(r"^#+\s+(.*\S)")

Lines = list[tuple[int, str]]


def read_markdown(path: Path, source: str, book: RoleBook) -> Reading:
    """Read every table of a Markdown file; a table is a run, labelled with the heading above it.

    Raises:
        InputError: the file cannot be opened.
    """
    reading = Reading(source, "csv")
    without_trend: list[Note] = []
    for heading, table in _tables(path, source):
        try:
            found = read_table(iter(table), source, heading or "table", book)
        except InputError:
            continue  # words only
        if _leave_out_unordered(found):
            found.notes.append(Note(source, 0, "a table without epochs or steps: no trend in it", of_a_list=True))
        for run in found.runs:
            run.label = " ".join(part for part in (heading, run.label) if part)
        notes = [note if note.line else replace(note, line=table[0][0]) for note in found.notes]
        reading.runs += found.runs
        if found.runs:
            reading.notes += notes
        else:
            without_trend += notes
    if any(series.role.kind == "metric" for run in reading.runs for series in run.series):
        return reading
    text = read_text(path, source, book)
    text.notes = without_trend + text.notes
    for name in _leave_out_unordered(text):
        said = f"{name}: values in a text without epochs or steps: no trend in them"
        text.notes.append(Note(source, 0, said, of_a_list=True))
    return text


def _leave_out_unordered(reading: Reading) -> list[str]:
    """Take out what stands over the order of its lines alone; the names of the metrics among it."""
    taken: list[str] = []
    for run in reading.runs:
        taken += [s.name for s in run.series if s.x_kind == INDEX and s.role.kind == "metric"]
        run.series = [s for s in run.series if s.x_kind != INDEX]
    reading.runs = [run for run in reading.runs if run.series or run.printed]
    return list(dict.fromkeys(taken))


def _tables(path: Path, source: str) -> Iterator[tuple[str, Lines]]:
    """Tables with the heading before them: lines with `|`, of which the second is a rule."""
    heading, lines = "", Lines()
    for number, text in _numbered(path, source):
        if "|" in text:
            lines.append((number, text))
            continue
        if _is_table(lines):
            yield heading, lines
        lines = []
        found = _HEADING.match(text)
        heading = found.group(1) if found else heading
    if _is_table(lines):
        yield heading, lines


def _is_table(lines: Lines) -> bool:
    return len(lines) > 2 and bool(_RULE.match(lines[1][1]))


def _numbered(path: Path, source: str) -> Iterator[tuple[int, str]]:
    number = 0
    for block in read_blocks(path, source):
        for text in block.decode("utf-8", errors="replace").splitlines():
            number += 1
            yield number, text
