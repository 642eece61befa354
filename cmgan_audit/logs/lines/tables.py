"""Tables that a text log prints row by row, with progress bars and messages between the rows: fastai's, for example.

    epoch     train_loss  valid_loss  pesq      time
    0         0.312       0.298       2.104     00:12

A head names its columns, one of which counts; a row holds as many numbers, and counts on.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence

from cmgan_audit.lazy_regex import regex
from cmgan_audit.logs.lines.prefixes import SLOT
from cmgan_audit.logs.roles import RoleBook, counter_kind, infer
from cmgan_audit.logs.runs import RunBuilder
from cmgan_audit.logs.series import EPOCH, STEP

_BETWEEN = regex(r"\s{2,}|\s*[\t|│┃;,]\s*")
_BETWEEN_CELLS = regex(r"[\s|│┃;,]+")
_CELL = regex(
    r"(?P<sign>[-+]?)(?:(?P<slot>\x00)(?:/\x00)?%?|(?P<word>nan|inf(?:inity)?))$|(?P<other>\x00(?::\x00)+(?:\.\x00)?|-+"
    r"|\x00(?:m?s|min|m\d+s|h\d+m(?:\d+s)?))$",
    re.IGNORECASE,
)
_FEWEST = 3
_LONGEST_NAME = 40

Cell = tuple[int | None, float] | None


def columns_of(body: str) -> tuple[str, ...]:
    """The names of the columns that a line without numbers is made of, one of them a counter; () for other lines."""
    text = body.strip(" \t|│┃")
    for names in (_BETWEEN.split(text), text.split()):
        known = [counter_kind(name) or infer(name).kind for name in names]
        if (
            len(names) >= _FEWEST
            and sum(kind in (EPOCH, STEP) for kind in known) == 1
            and any(kind in ("metric", "loss") for kind in known)
            and all(0 < len(name) <= _LONGEST_NAME and any(map(str.isalpha, name)) for name in names)
        ):
            return tuple(names)
    return ()


def cells_of_row(text: str, first_slot: int) -> tuple[Cell, ...]:
    """The cells of a line of bare numbers: slot and sign, None for times and dashes; () for other lines."""
    cells: list[Cell] = []
    slot = first_slot
    pieces = _BETWEEN_CELLS.split(text.strip(" \t|│┃\r"))
    for piece in pieces[: _mark_behind(pieces)]:
        found = _CELL.match(piece)
        if found is None:
            return ()
        sign = -1.0 if found.group("sign") == "-" else 1.0
        if found.group("slot"):
            cells.append((slot, sign))
        elif found.group("word"):
            cells.append((None, sign * math.inf if found.group("word").lower().startswith("inf") else math.nan))
        else:
            cells.append(None)
        slot += piece.count("\0")
    return tuple(cells) if len(cells) >= _FEWEST else ()


def _mark_behind(pieces: Sequence[str]) -> int:
    """Where the words begin that stand behind the last number of a row: `<- best`, `*`, `- saved`."""
    last = max((i for i, piece in enumerate(pieces) if SLOT in piece or _CELL.match(piece)), default=len(pieces) - 1)
    mark = last + 1
    while mark < len(pieces) and mark > 1 and not pieces[mark - 1].strip("-"):
        mark -= 1
    return mark


class OpenTable:
    """A head that was seen, and how far its rows have counted."""

    def __init__(self, names: tuple[str, ...], book: RoleBook) -> None:
        self._names = names
        self._counter = next(i for i, name in enumerate(names) if counter_kind(name))
        self._kind = counter_kind(names[self._counter]) or EPOCH
        self._roles = [None if i == self._counter else book.of(name) for i, name in enumerate(names)]
        self._last: float | None = None
        self._more: int | None = None  # by how many cells its rows are longer than its head

    def fits(self, cells: tuple[Cell, ...]) -> bool:
        """Whether a line has a cell for every column, and a number where the column counts.

        pandas prints the number of the row in front, in a column that its head does not name.
        """
        more = len(cells) - len(self._names)
        if more not in (0, 1) or (self._more is not None and more != self._more):
            return False
        return cells[self._counter + more] is not None and not (more and cells[0] is None)

    def take(self, builder: RunBuilder, cells: tuple[Cell, ...], row: Sequence[bytes], line: int) -> bool:
        """Read one row; False where it does not count on, and so belongs to something else."""
        more = len(cells) - len(self._names)
        cells = cells[more:]
        counter = cells[self._counter]
        at = math.nan if counter is None else _value(counter, row)
        if not at.is_integer() or at < 0 or (self._last is not None and at <= self._last):
            return False
        self._last, self._more = at, more
        if self._kind == EPOCH:
            builder.epoch(at, line)
        for name, role, cell in zip(self._names, self._roles, cells, strict=True):
            if role is None or role.kind == "other" or cell is None:
                continue
            builder.add(name, role, self._kind, at, _value(cell, row), line)
        return True


def _value(cell: tuple[int | None, float], row: Sequence[bytes]) -> float:
    slot, sign = cell
    return sign if slot is None else sign * float(row[slot])
