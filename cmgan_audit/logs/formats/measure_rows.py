"""Tables on their side: a row per measure and a column per epoch, as pandas' `df.T.to_csv()` writes a history."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence

from cmgan_audit.lazy_dataclasses import dataclass
from cmgan_audit.lazy_regex import regex
from cmgan_audit.logs.formats.cells import parse_number
from cmgan_audit.logs.formats.table_head import Table, is_name_column, split_cells
from cmgan_audit.logs.roles import RoleBook, counter_kind, infer
from cmgan_audit.logs.runs import RunBuilder
from cmgan_audit.logs.series import EPOCH, Reading

_COUNTED = regex(r"([A-Za-z]+)[ _\-]?(\d+)$")
# So many columns are a course.
_FEWEST = 3


@dataclass(frozen=True, slots=True)
class Counted:
    """What the columns of a table on its side count, and where they stand."""

    kind: str
    at: tuple[float, ...]


def counted_columns(table: Table, lines: Sequence[tuple[int, str]]) -> Counted | None:
    """The epochs or steps that head the columns of a table on its side; None where the table stands upright.

    `metric,epoch_1,epoch_2,...` says so, and so does `epoch,1,2,...`. Bare numbers below nothing that counts may be
    folds as well: they are the rows of a history that was turned where one of the measures is a loss.
    """
    (_, head), *rows = lines
    first, *cells = _cells(head, table)
    roles = [infer(_cells(text, table)[0]).kind for _, text in rows]
    if len(cells) < _FEWEST or ("metric" not in roles and "loss" not in roles):
        return None
    words = [_COUNTED.match(cell) for cell in cells]
    kinds = {counter_kind(word[1]) or "" if word else "" for word in words}
    if kinds == {""} and (counter_kind(first) or (is_name_column(first) and "loss" in roles)):
        numbers = [parse_number(cell, table.decimal_comma) for cell in cells]
        kind = counter_kind(first) or EPOCH
    else:
        numbers = [float(word[2]) if word else None for word in words]
        kind = kinds.pop() if len(kinds) == 1 else ""
    at = [number for number in numbers if number is not None and number.is_integer()]
    if not kind or len(at) < len(cells) or any(a >= b for a, b in itertools.pairwise(at)):
        return None
    return Counted(kind, tuple(at))


def read_on_its_side(
    lines: Iterator[tuple[int, str]], table: Table, counted: Counted, source: str, book: RoleBook
) -> Reading:
    """Read the rows of such a table, a series each; what has no number in a column has no point there."""
    builder = RunBuilder(source)
    for place, text in lines:
        name, *cells = _cells(text, table)
        role = book.of(name)
        if role is None:
            continue
        series = builder.series(name, role, counted.kind)
        for at, cell in zip(counted.at, cells, strict=False):
            value = parse_number(cell, table.decimal_comma)
            if value is not None:
                series.append(at, value, place)
    return Reading(source, "csv", builder.finish())


def _cells(text: str, table: Table) -> list[str]:
    return [cell.strip().strip("\"'") for cell in split_cells(text, table.delimiter)] or [""]
