"""The fast way through a long table: blocks of rows that hold nothing but numbers, read column by column.

Only where that gives what the rows give one by one: every column is a number or a counter, cells are plain or empty,
and the counters go on. Everything else is left to the reader of rows.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence

from cmgan_audit.logs.formats.table_head import Table
from cmgan_audit.logs.roles import RoleBook
from cmgan_audit.logs.runs import RunBuilder
from cmgan_audit.logs.series import EPOCH, INDEX, STEP

_PLAIN = ("epoch", "step", "number", "value", "ignored")
Columns = dict[int, list[float | None]]


def is_plain(table: Table) -> bool:
    """Whether the rows of a table may be read column by column: no column names a run, a tag or a part."""
    kinds = [column.kind for column in table.columns]
    names = [column.name for column in table.columns if column.kind in ("number", "value")]
    return (
        table.delimiter in (",", "\t", ";")
        and not table.decimal_comma
        and all(kind in _PLAIN for kind in kinds)
        and max(kinds.count(EPOCH), kinds.count(STEP)) <= 1
        and len(set(names)) == len(names)
    )


def columns_of(texts: Sequence[str], table: Table) -> Columns | None:
    """The numbers of every column by its position; None where a row is not plain."""
    width = len(table.columns)
    rows = [text.split(table.delimiter) for text in texts]
    if any(len(row) != width for row in rows):
        return None
    columns: Columns = {}
    for column, cells in zip(table.columns, zip(*rows, strict=True), strict=True):
        if column.kind == "ignored":
            continue
        try:
            columns[column.position] = list(map(float, cells))
        except ValueError:
            try:
                columns[column.position] = [float(cell) if cell and not cell.isspace() else None for cell in cells]
            except ValueError:
                return None
    return None if any("_" in text for text in texts) else columns


def add_columns(builder: RunBuilder, table: Table, book: RoleBook, columns: Columns, places: Sequence[int]) -> bool:
    """Add the rows; False, and nothing is added, where a counter goes back or is no number."""
    counters = {c.kind: columns[c.position] for c in table.columns if c.kind in (EPOCH, STEP)}
    kind = EPOCH if EPOCH in counters else STEP if STEP in counters else INDEX
    xs = [x for x in counters.get(kind, []) if x is not None]
    named = [(c, role) for c in table.columns if c.kind in ("number", "value") and (role := book.of(c.name))]
    if kind != INDEX and (len(xs) < len(places) or any(not a <= b for a, b in itertools.pairwise(xs))):
        return False
    if kind == EPOCH and not builder.is_at_or_before(xs[0]):
        return False
    if kind == STEP and not all(builder.goes_on(column.name, xs[0]) for column, _ in named):
        return False
    if kind == EPOCH:
        for place, (before, x) in zip(places, itertools.pairwise([builder.current_epoch, *xs]), strict=True):
            if x is not None and x != before:
                builder.epoch(x, place)
    for column, role in sorted(named, key=lambda pair: _first(columns[pair[0].position])):
        filled = [y is not None for y in columns[column.position]]
        ys = [y for y in columns[column.position] if y is not None]
        if ys:
            series = builder.series(column.name, role, kind)
            order = itertools.compress(xs, filled) if xs else map(float, itertools.count(series.seen))
            series.extend_points(list(itertools.islice(order, len(ys))), ys, list(itertools.compress(places, filled)))
    return True


def _first(values: Sequence[float | None]) -> int:
    """In which row a column is filled for the first time: in this order the rows would make their series."""
    return next((row for row, value in enumerate(values) if value is not None), len(values))
