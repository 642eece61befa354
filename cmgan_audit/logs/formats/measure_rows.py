"""Tables on their side: a row per measure and a column per epoch, as pandas' `df.T.to_csv()` writes a history."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence

from cmgan_audit.lazy_dataclasses import dataclass
from cmgan_audit.lazy_regex import regex
from cmgan_audit.logs.formats.cells import parse_number
from cmgan_audit.logs.formats.table_head import Table, is_name_column, split_cells
from cmgan_audit.logs.roles import RoleBook, counter_kind, doubt_of_step, infer
from cmgan_audit.logs.runs import RunBuilder
from cmgan_audit.logs.series import EPOCH, STEP, Reading
from cmgan_audit.statistics.trend import levels

_COUNTED = regex(r"([A-Za-z]+)[ _\-]?(\d+)$")
# So many columns are a course; and so many, where only a loss that comes down over them says that they count.
_FEWEST, _FEWEST_UNSAID = 3, 5
# The course of a loss is looked at in so many stretches.
_STRETCHES = 6


@dataclass(frozen=True, slots=True)
class Counted:
    """What the columns of a table on its side count, and where they stand."""

    kind: str
    at: tuple[float, ...]


def counted_columns(table: Table, lines: Sequence[tuple[int, str]]) -> Counted | None:
    """The epochs or steps that head the columns of a table on its side; None where the table stands upright.

    `metric,epoch_1,epoch_2,...` says so, and so does `epoch,1,2,...`, as the head or below one of numbers from 0 or 1
    on. These alone may be folds or utterances as well, `batch_1` those of a test set, and `steps,1,5,10` of the
    sampling: they are of the training where a loss comes down over them.
    """
    (first, *cells), *rows = (_cells(text, table) for _, text in lines)
    roles = [infer(name).kind for name, *_ in rows]
    if len(cells) < _FEWEST or ("metric" not in roles and "loss" not in roles):
        return None
    words = [_COUNTED.match(cell) for cell in cells]
    names = [word[1] if word else first for word in words]
    kinds = {counter_kind(name) for name in names}
    at = _rising([word[2] if word else cell for word, cell in zip(words, cells, strict=True)], table)
    if len(kinds) > 1 or not at:
        return None
    if _surely_counts(names[0]):
        return Counted(kinds.pop() or EPOCH, at)
    unsaid = is_name_column(first) and not any(words) and at[0] in (0, 1) and at[-1] == at[0] + len(at) - 1
    if unsaid:
        for name, *numbers in rows:
            if _surely_counts(name) and len(counted := _rising(numbers, table)) == len(cells):
                return Counted(counter_kind(name) or EPOCH, counted)
    kind = kinds.pop() or (EPOCH if unsaid else "")
    losses = (numbers for role, (_, *numbers) in zip(roles, rows, strict=True) if role == "loss")
    course = len(cells) >= _FEWEST_UNSAID and any(_comes_down(numbers, table) for numbers in losses)
    return Counted(kind, at) if kind and course else None


def _surely_counts(name: str) -> bool:
    kind = counter_kind(name)
    return kind == EPOCH or (kind == STEP and not doubt_of_step(name))


def _rising(cells: Sequence[str], table: Table) -> tuple[float, ...]:
    """The numbers of cells that count; () for others."""
    numbers = [parse_number(cell, table.decimal_comma) for cell in cells]
    at = tuple(number for number in numbers if number is not None and number.is_integer())
    return at if len(at) == len(cells) and all(a < b for a, b in itertools.pairwise(at)) else ()


def _comes_down(cells: Sequence[str], table: Table) -> bool:
    """Whether a loss is lower from each stretch of its course to the next."""
    numbers = [number for cell in cells if (number := parse_number(cell, table.decimal_comma)) is not None]
    _, course = levels(range(len(numbers)), numbers, _STRETCHES)
    return len(course) > 1 and all(a > b for a, b in itertools.pairwise(course))


def read_on_its_side(
    lines: Iterator[tuple[int, str]], table: Table, counted: Counted, source: str, book: RoleBook
) -> Reading:
    """Read the rows of such a table, a series each; what has no number in a column has no point there."""
    builder = RunBuilder(source)
    for place, text in lines:
        name, *cells = _cells(text, table)
        role = book.of(name)
        if role is None or counter_kind(name):
            continue
        series = builder.series(name, role, counted.kind)
        for at, cell in zip(counted.at, cells, strict=False):
            value = parse_number(cell, table.decimal_comma)
            if value is not None:
                series.append(at, value, place)
    return Reading(source, "csv", builder.finish())


def _cells(text: str, table: Table) -> list[str]:
    return [cell.strip().strip("\"'") for cell in split_cells(text, table.delimiter)] or [""]
