"""Text logs: prints, Python logging, progress bars, nohup files; streamed, in bounded memory.

A block of lines is split once into words and numbers; lines of one shape are read together (shapes.py).
"""

from __future__ import annotations

import gc
import itertools
from pathlib import Path

from cmgan_audit.lazy_regex import regex
from cmgan_audit.logs.lines.as_shown import as_shown, in_parts
from cmgan_audit.logs.lines.endings import Endings
from cmgan_audit.logs.lines.hashes import HashedShapes
from cmgan_audit.logs.lines.left_out import LONG_LINE
from cmgan_audit.logs.lines.line_values import LineValues
from cmgan_audit.logs.lines.names_above import NamesAbove, is_only_a_number, may_name
from cmgan_audit.logs.lines.no_better import note_no_better
from cmgan_audit.logs.lines.offset_jobs import part_offset_jobs
from cmgan_audit.logs.lines.phase_heads import PhaseHeads
from cmgan_audit.logs.lines.plan import Plan
from cmgan_audit.logs.lines.settings import leave_out_trainings
from cmgan_audit.logs.lines.settling import settle
from cmgan_audit.logs.lines.steady import SteadyShape, is_thinned
from cmgan_audit.logs.lines.tables import OpenTable
from cmgan_audit.logs.lines.tokens import ends_in_a_number, is_cut_off
from cmgan_audit.logs.named_values import Blocks, leave_out_named
from cmgan_audit.logs.opening import BLOCK, read_blocks
from cmgan_audit.logs.roles import RoleBook
from cmgan_audit.logs.runs import RunBuilder
from cmgan_audit.logs.series import EPOCH, Reading

_SHAPE_LIMIT = 20_000
# So many equal lines in a row make a shape worth jumping over; this far is read before the next try.
_STEADY = 64
_AHEAD = 2048

# One charset and a look behind, so that the search skips words at full speed; signs stay in the words, and so does the
# number in `Prec@1`, `Accuracy@5`.
_NUMBER = regex(rb"([0-9](?<![A-Za-z0-9_.].)(?<![cCyY]@.)[0-9]*(?:\.[0-9]*)?(?:[eE][-+]?[0-9]+)?)")


def read_text(path: Path, source: str, book: RoleBook) -> Reading:
    """Read a text log.

    Raises:
        InputError: the file cannot be opened.
    """
    return read_printed(lambda: read_blocks(path, source), source, book)


def read_printed(text: Blocks, source: str, book: RoleBook) -> Reading:
    """Read what a program has printed; `text` gives it, in blocks of whole lines, as often as it is asked."""
    scan = _TextScan(source, book)
    collecting = gc.isenabled()
    gc.disable()  # nothing here makes cycles, and the collector would walk over every list of numbers
    try:
        for block in text():
            for part in in_parts(as_shown(block), BLOCK):
                scan.block(part)
    finally:
        if collecting:
            gc.enable()
    reading = scan.finish()
    leave_out_trainings(reading, text)
    scan.values.bare.put_below(reading)
    leave_out_named(reading, text)
    scan.values.bare.settle(reading)
    scan.values.checkpoints.settle(reading)
    scan.values.below.settle(reading)
    return reading


class _TextScan:
    """The state of reading one text log."""

    def __init__(self, source: str, book: RoleBook) -> None:
        self.source, self.book = source, book
        self.builder = RunBuilder(source)
        self.values = LineValues(self.builder)
        self.plans: dict[bytes, Plan] = {}
        self.shapes = HashedShapes(book)
        self.line = 1
        self.heads = PhaseHeads()
        self.endings = Endings()
        self.names_above = NamesAbove(book)
        self.table: OpenTable | None = None
        self.steady: SteadyShape | None = None

    def block(self, block: bytes) -> None:
        """Read one block of whole lines; the last of a log may be cut off where it was being written."""
        start = block.rfind(b"\n") + 1
        if start < len(block) and ends_in_a_number(block[start:]):
            self._whole(block[:start])
            if not self._is_cut(block[start:]):
                self._whole(block[start:])
        else:
            self._whole(block)

    def _is_cut(self, line: bytes) -> bool:
        """Whether a number without decimals ends a line where the one before of its shape had several."""
        parts = _NUMBER.split(line)
        shape = b"\0".join(parts[::2])
        plan = self.names_above.plan(shape) or self.plans.get(shape)
        before = None if plan is None else self.values.echoes.last_of(plan)
        if before is None or parts[-1].strip() not in (b"", b"."):
            return False
        self.values.left.cut = is_cut_off(parts[-2], before[-1])
        return self.values.left.cut

    def _whole(self, block: bytes) -> None:
        position, ahead = 0, _AHEAD
        while position < len(block):
            end = self.steady.end(block, position) if self.steady is not None else position
            if self.steady is not None and end > position:
                self._jump(block[position:end], self.steady)
                position, ahead = end, _AHEAD
                continue
            if self.steady is None or ahead >= len(block) - position:
                end = len(block)
            else:
                end = block.find(b"\n", position + ahead) + 1 or len(block)
                ahead *= 2
            self._lines(block[position:end])
            position = end

    def _lines(self, block: bytes) -> None:
        parts = _NUMBER.split(block)
        shapes = b"\0".join(parts[::2]).split(b"\n")
        if shapes and shapes[-1] == b"":
            shapes.pop()
        numbers = parts[1::2]
        position, plans = 0, self.plans
        for shape, group in itertools.groupby(shapes):
            count = len(list(group))
            plan = plans.get(shape) or self._plan(shape)
            if self.names_above.waiting is not None:
                self._named_above(plan.is_number)
            plan.lines += count
            size = plan.slots * count
            if plan.announces:
                self.heads.say(plan.announces, self.line)
            if plan.ends:
                self.endings.say(plan.body, self.line, count)
            if plan.of_hash and plan.training is None:
                self.values.crossing.note_hash(plan.of_hash, self.line, count)
            elif plan.tag and plan.training is None:
                self.values.crossing.note_tag(plan, self.line, count)
            if plan.head:
                self.table = OpenTable(plan.head, self.book)
            if plan.row and self.table is not None and self.table.fits(plan.row) and not self.values.lists.is_open:
                self._table_rows(self.table, plan, numbers[position : position + size], count)
            elif count == 1 and plan.useful:
                self.values.row(plan, numbers[position : position + size], self.line)
            elif plan.useful or self.values.lists.is_open:
                self.values.group(plan, numbers[position : position + size], self.line, count)
                if (
                    count >= _STEADY
                    and is_thinned(plan, self.builder)
                    and (self.steady is None or self.steady.plan is not plan)
                ):
                    self.steady = SteadyShape(shape, plan)
            elif plan.row and count == 1 and self.values.bare_row(plan, numbers[position : position + size], self.line):
                pass
            elif count == 1 and plan.is_number:
                self.names_above.take(shape, numbers[position : position + size], self.line)
            self.names_above.passed(shape, plan, numbers, position + size)
            if plan.no_better:
                note_no_better(self.builder, plan, numbers[position : position + size], count)
            position += size
            self.line += count

    def _named_above(self, goes_on: bool = False) -> None:
        """Read the value on the line before, which stands below its name; not if a column of numbers goes on."""
        if (found := self.names_above.waited(goes_on)) is not None:
            self.values.row(*found)

    def _table_rows(self, table: OpenTable, plan: Plan, numbers: list[bytes], count: int) -> None:
        for i in range(count):
            row = numbers[i * plan.slots : (i + 1) * plan.slots]
            if table.take(self.builder, plan.row, row, self.line + i):
                self.values.left.used += 1

    def _jump(self, block: bytes, steady: SteadyShape) -> None:
        """Read every stride-th line of a run of equal shape and epoch, count the others."""
        self._named_above()
        self.names_above.passed(b"", steady.plan, [], 0)
        plan, builder = steady.plan, self.builder
        lines = block.split(b"\n")
        lines.pop()
        count = len(lines)
        first = _NUMBER.split(lines[0])[1::2]
        if plan.rank is None or first[plan.rank] == b"0":
            epoch = float(first[plan.epoch or 0])
            builder.epoch(epoch, self.line)
            for value in plan.values:
                series = builder.series(value.name, value.role, EPOCH)
                kept = lines[-series.seen % series.stride :: series.stride]
                numbers = _NUMBER.split(b"\n".join(kept))[1::2]
                series.extend_kept(epoch, numbers[value.slots[0] :: plan.slots], count, self.line, value.sign)
        plan.lines += count
        self.values.left.used += count
        self.line += count

    def _plan(self, shape: bytes) -> Plan:
        if len(self.plans) >= _SHAPE_LIMIT:
            self.values.left.account(self.plans.values())
            self.plans.clear()
            self.shapes.forget()
            self.values.forget_shapes()
        if len(shape) > LONG_LINE:
            self.values.left.long_lines += 1
            plan = Plan(shape.count(b"\0"))
        else:
            plan = self.shapes.plan(shape)
        plan.names_below, plan.is_number = may_name(shape, plan), is_only_a_number(shape)
        self.plans[shape] = plan
        return plan

    def finish(self) -> Reading:
        """The runs, and what was not understood, counted."""
        self._named_above()
        self.values.left.account(self.plans.values())
        notes = [*self.values.left.notes(self.source), *self.values.lists.settle(self.source)]
        self.values.crossing.settle(self.builder)
        part_offset_jobs(self.builder)
        runs = self.builder.finish(self.line - 1)
        for run in runs:
            self.endings.settle(run, self.values.below)
            settle(run, self.shapes, self.heads)
        return Reading(self.source, "text", runs, notes)
