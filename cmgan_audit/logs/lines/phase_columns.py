"""Tables of an epoch in a text log: `Metric  Train  Val` above `PESQ  2.40  2.30`, or `Metric  Noisy  Enhanced`.

Or the other way round: `Phase  Loss  PESQ` above `valid  0.29  2.30`, `System  PESQ  STOI` above
`enhanced  2.64  0.93`, and `CSIG  CBAK  PESQ` above a row of numbers.

Without its head, the first number of such a row would pass for the score.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TypeVar

from cmgan_audit.lazy_dataclasses import dataclass
from cmgan_audit.lazy_regex import regex
from cmgan_audit.logs.lines.plan import Plan, SlotValue
from cmgan_audit.logs.lines.tables import Cell
from cmgan_audit.logs.roles import counter_kind, infer, table
from cmgan_audit.logs.series import Role

_WORDS = regex(r"[A-Za-z]+")
_CELL_SPACE = r"[\s|│]"
_NUMBER = rf"{_CELL_SPACE}+[-+]?\x00"
_ROW = regex(rf"{_CELL_SPACE}*[A-Za-z][\w\-]*(?: [\w\-]+)*:?{_NUMBER}(?:{_NUMBER})+{_CELL_SPACE}*")
_CELL = regex(r"([-+]?)\x00")
# `| pesq_wb | 2.31 |`: a table of names and values, as Stable Baselines prints them.
_PAIR = regex(r"[\s|]*[A-Za-z][\w\-/()]*(?: [\w\-/()]+)*\s*(\|)\s*[-+]?\x00\s*\|?\s*")
_FIRST = frozenset("metric metrics name measure score scores epoch loss".split())
# Names of a head that hold blanks stand two or more of them apart: `SI-SDR (dB)`.
_WIDE_BETWEEN, _BETWEEN = regex(r"\s*[\t|│┃;,]\s*|\s{2,}"), regex(r"\s*[\t|│┃;,]\s*|\s+")
# A table is no longer than this; between a head and its only row stands no more than a rule.
_LINES, _RIGHT_BELOW = 20, 2

_Of = TypeVar("_Of")


def head_of(body: str) -> tuple[str, ...]:
    """The phases that a line without numbers names one beside the other, and nothing else; () for other lines.

    Or the signals that are scored, the network's output among them, and perhaps how far they differ.
    """
    words = _WORDS.findall(body)
    if words and words[0].lower() in _FIRST:
        words = words[1:]
    t, said = table(), [word.lower() for word in words]
    signals = {*t.inputs, *t.outputs, *t.about}
    phases_only = all(word in t.phases for word in said)
    signals_only = all(word in signals for word in said) and not t.outputs.isdisjoint(said)
    if len(words) < 2 or not (phases_only or signals_only) or len(set(words)) < len(words):
        return _measures_of(body)
    return tuple(words)


def _measures_of(body: str) -> tuple[str, ...]:
    """The measures that a line names one beside the other, above rows of phases or of signals: `Phase  Loss  PESQ`.

    () for other lines. Where the column of the phases has a head, too, there may be others that are no measures
    (`Time`); whatever stands above the names of the rows, the rest are measures.
    """
    text = body.strip(" \t|│┃")
    for between in (_WIDE_BETWEEN, _BETWEEN):
        names = between.split(text)
        of_parts = names[0].lower() in table().parts
        known = [infer(name).kind in ("metric", "loss") for name in names]
        of_rows = of_parts or (not known[0] and not counter_kind(names[0]) and all(known[1:]))
        names, known = names[of_rows:], known[of_rows:]
        if len(names) > 1 and len(set(names)) == len(names) and (all(known) or (of_parts and any(known))):
            return tuple(names)
    return ()


def row_name_of(body: str) -> str:
    """The phase that a row of numbers is of, or that it is of the network's output; "" for other rows."""
    word, t = _WORDS.match(body.lstrip(" \t|│┃")), table()
    known = word is not None and word[0].lower() in {*t.phases, *t.outputs}
    return word[0] if word is not None and known else ""


def cells_of(text: str, start: int, first_slot: int) -> tuple[tuple[int, float], ...]:
    """Slot and sign of every number of a line that holds one name and several bare numbers; () for other lines."""
    body = text[start:]
    if not _ROW.fullmatch(body):
        return ()
    return tuple((first_slot + i, -1.0 if cell.group(1) == "-" else 1.0) for i, cell in enumerate(_CELL.finditer(body)))


def with_sign_between(text: str, start: int) -> str:
    """The shape with a colon for the bar between the name and the only number of a line of a table."""
    found = _PAIR.fullmatch(text, start)
    return text if found is None else f"{text[: found.start(1)]}:{text[found.end(1) :]}"


@dataclass(slots=True)
class PhaseColumns:
    """The head that was seen last, and on which line."""

    head: tuple[str, ...] = ()
    line: int = 0

    def values(self, plan: Plan, line: int) -> list[SlotValue]:
        """The values of a line of a table, a phase each; as they are where no head of as many columns is near."""
        if len(plan.cells) != len(self.head) or line - self.line > _LINES:
            return plan.values
        only = plan.row_of
        if plan.row_name:
            return self._of_measures(plan)
        if only is None:
            return plan.values
        t = table()
        return [
            SlotValue(
                f"{only.name} ({word})",
                replace(only.role, phase=t.phases.get(word.lower(), only.role.phase)),
                (slot,),
                sign,
            )
            for word, (slot, sign) in zip(self.head, plan.cells, strict=True)
            if word.lower() not in t.about
        ]

    def of_bare_row(self, row: Sequence[Cell], line: int) -> list[SlotValue]:
        """The values of a row of numbers right below the names of as many measures; none of any other row."""
        if len(row) != len(self.head) or not 0 < line - self.line <= _RIGHT_BELOW:
            return []
        cells = [(name, cell) for name, cell in zip(self.head, row, strict=True) if cell is not None]
        return [
            SlotValue(name, role, (slot,), sign) for name, role, (slot, sign) in _measured(cells) if slot is not None
        ]

    def _of_measures(self, plan: Plan) -> list[SlotValue]:
        """The values of a row of one phase or of the output, a measure each; none where the columns are phases, too."""
        phase = table().phases.get(plan.row_name.lower(), "")
        return [
            SlotValue(f"{name} ({plan.row_name})", replace(role, phase=phase or role.phase), (slot,), sign)
            for name, role, (slot, sign) in _measured(list(zip(self.head, plan.cells, strict=True)))
        ]


def _measured(cells: Sequence[tuple[str, _Of]]) -> list[tuple[str, Role, _Of]]:
    """Name, role and cell of the columns that are measures or losses."""
    named = [(name, infer(name), cell) for name, cell in cells]
    return [(name, role, cell) for name, role, cell in named if role.kind in ("metric", "loss")]
