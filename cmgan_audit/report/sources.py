"""Lines of source, as a report shows them: of a file, or of the cell of a notebook that a place points into."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import field
from pathlib import Path

from cmgan_audit.finding import Location
from cmgan_audit.lazy_dataclasses import dataclass
from cmgan_audit.source.notebook import CellLines

# A finding may stand at a checkpoint: gigabytes without lines.
_LARGEST = 60_000_000
_HEAD = 1_000


@dataclass(frozen=True, slots=True)
class Shown:
    """A line to show.

    Attributes:
        label: its number; in a notebook the cell's and its own, "12:3".
        order: cell (0 in other files) and line, to tell neighbours and repeated lines.
        text: the line without its end; None where there is none to show.
        place: the place, with lines and columns that count in the text that is shown.
    """

    label: str
    order: tuple[int, int]
    text: str | None
    place: Location

    @property
    def where(self) -> str:
        """What a person needs beside the place in the file: the cell of a notebook."""
        return f"cell {self.order[0]}, line {self.order[1]}" if self.order[0] else ""


@dataclass(slots=True)
class Sources:
    """Source files, read once; a file that cannot be read as lines has none."""

    root: Path
    _lines: dict[str, list[str]] = field(default_factory=dict)
    _notebooks: dict[str, CellLines] = field(default_factory=dict)

    def shown(self, place: Location) -> Shown:
        """Return the line of a place."""
        if place.path.endswith(".ipynb"):
            found = self._cells(place.path).at(place)
            if found is not None:
                line, inside = found
                return Shown(f"{line.cell}:{line.number}", (line.cell, line.number), line.text, inside)
            return Shown(str(place.line), (0, place.line), None, place)
        lines = self._text(place.path)
        text = lines[place.line - 1] if 1 <= place.line <= len(lines) else None
        return Shown(str(place.line), (0, place.line), text, place)

    def around(self, place: Location, reach: int) -> Iterator[Shown]:
        """The lines at most `reach` lines before and after a place, itself included."""
        if place.path.endswith(".ipynb"):
            cells = self._cells(place.path)
            found = cells.at(place)
            for line in () if found is None else cells.around(found[0], reach):
                here = Location(place.path, line.number)
                yield Shown(f"{line.cell}:{line.number}", (line.cell, line.number), line.text, here)
            return
        for number in range(max(1, place.line - reach), place.line + reach + 1):
            shown = self.shown(Location(place.path, number))
            if shown.text is not None:
                yield shown

    def _text(self, path: str) -> list[str]:
        if path not in self._lines:
            text = self._read(path)
            # Only the ends of line that editors count: a form feed inside a line must not shift the frame.
            self._lines[path] = text.replace("\r\n", "\n").replace("\r", "\n").split("\n") if text else []
        return self._lines[path]

    def _cells(self, path: str) -> CellLines:
        if path not in self._notebooks:
            self._notebooks[path] = CellLines(self._read(path))
        return self._notebooks[path]

    def _read(self, path: str) -> str:
        try:
            with (self.root / path).open("rb") as file:
                content = file.read(_LARGEST + 1)
        except (OSError, ValueError):
            return ""
        is_text = len(content) <= _LARGEST and b"\0" not in content[:_HEAD]
        return content.decode("utf-8-sig", errors="replace") if is_text else ""
