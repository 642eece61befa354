"""Text logs: prints, Python logging, progress bars, nohup files; streamed, in bounded memory.

A block of lines is split once into words and numbers; lines of one shape are read together (shapes.py).
"""

from __future__ import annotations

import gc
import itertools
from pathlib import Path

from cmgan_audit.lazy_regex import regex
from cmgan_audit.logs.lines.as_shown import as_shown, in_parts
from cmgan_audit.logs.lines.bare_counters import BareCounters
from cmgan_audit.logs.lines.crossing import CrossingTrainings
from cmgan_audit.logs.lines.echoes import Echoes
from cmgan_audit.logs.lines.endings import Endings
from cmgan_audit.logs.lines.hashes import HashedShapes
from cmgan_audit.logs.lines.headers_below import HeadersBelow
from cmgan_audit.logs.lines.left_out import LONG_LINE, LeftOut
from cmgan_audit.logs.lines.named_checkpoints import NamedCheckpoints
from cmgan_audit.logs.lines.names_above import NamesAbove, is_only_a_number, may_name
from cmgan_audit.logs.lines.no_better import note_no_better
from cmgan_audit.logs.lines.offset_jobs import part_offset_jobs
from cmgan_audit.logs.lines.phase_columns import PhaseColumns
from cmgan_audit.logs.lines.phase_heads import PhaseHeads
from cmgan_audit.logs.lines.plan import Plan, SlotValue
from cmgan_audit.logs.lines.printed_lists import PrintedLists
from cmgan_audit.logs.lines.ranks import name_of_rank
from cmgan_audit.logs.lines.settings import leave_out_trainings
from cmgan_audit.logs.lines.settling import settle
from cmgan_audit.logs.lines.steady import SteadyShape, is_thinned
from cmgan_audit.logs.lines.tables import OpenTable
from cmgan_audit.logs.lines.targets import Targets
from cmgan_audit.logs.lines.tokens import are_counters, counter, ends_in_a_number, is_cut_off, number_in, process
from cmgan_audit.logs.named_values import Blocks, leave_out_named
from cmgan_audit.logs.opening import BLOCK, read_blocks
from cmgan_audit.logs.roles import RoleBook
from cmgan_audit.logs.runs import RunBuilder, natural_x
from cmgan_audit.logs.series import EPOCH, INDEX, STEP, Reading

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
    scan.bare.put_below(reading)
    leave_out_named(reading, text)
    scan.bare.settle(reading)
    scan.checkpoints.settle(reading)
    scan.below.settle(reading)
    return reading


class _TextScan:
    """The state of reading one text log."""

    def __init__(self, source: str, book: RoleBook) -> None:
        self.source, self.book = source, book
        self.builder = RunBuilder(source)
        self.plans: dict[bytes, Plan] = {}
        self.shapes = HashedShapes(book)
        self.line = 1
        self.left = LeftOut()
        self.echoes = Echoes()
        self.lists = PrintedLists()
        self.columns = PhaseColumns()
        self.heads = PhaseHeads()
        self.endings = Endings()
        self.bare = BareCounters()
        self.checkpoints = NamedCheckpoints()
        self.below = HeadersBelow()
        self.crossing = CrossingTrainings()
        self.names_epochs = False
        self.names_above = NamesAbove(book)
        self.table: OpenTable | None = None
        self.steady: SteadyShape | None = None
        self.targets = Targets()

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
        before = None if plan is None else self.echoes.last_of(plan)
        if before is None or parts[-1].strip() not in (b"", b"."):
            return False
        self.left.cut = is_cut_off(parts[-2], before[-1])
        return self.left.cut

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
                self.crossing.note_hash(plan.of_hash, self.line, count)
            if plan.head:
                self.table = OpenTable(plan.head, self.book)
            if plan.row and self.table is not None and self.table.fits(plan.row) and not self.lists.is_open:
                self._table_rows(self.table, plan, numbers[position : position + size], count)
            elif count == 1 and plan.useful:
                self._row(plan, numbers[position : position + size], self.line)
            elif plan.useful or self.lists.is_open:
                self._group(plan, numbers[position : position + size], count)
                if (
                    count >= _STEADY
                    and is_thinned(plan, self.builder)
                    and (self.steady is None or self.steady.plan is not plan)
                ):
                    self.steady = SteadyShape(shape, plan)
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
            self._row(*found)

    def _table_rows(self, table: OpenTable, plan: Plan, numbers: list[bytes], count: int) -> None:
        for i in range(count):
            row = numbers[i * plan.slots : (i + 1) * plan.slots]
            if table.take(self.builder, plan.row, row, self.line + i):
                self.left.used += 1

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
        self.left.used += count
        self.line += count

    def _plan(self, shape: bytes) -> Plan:
        if len(self.plans) >= _SHAPE_LIMIT:
            self.left.account(self.plans.values())
            self.plans.clear()
            self.shapes.forget()
            self.targets = Targets()
            self.echoes = Echoes()
        if len(shape) > LONG_LINE:
            self.left.long_lines += 1
            plan = Plan(shape.count(b"\0"))
        else:
            plan = self.shapes.plan(shape)
        plan.names_below, plan.is_number = may_name(shape, plan), is_only_a_number(shape)
        self.plans[shape] = plan
        return plan

    def _group(self, plan: Plan, numbers: list[bytes], count: int) -> None:
        bare = plan.unnamed and (self.names_epochs or not are_counters(numbers, plan))
        in_columns = plan.simple and not self.lists.is_open and not bare
        if count > 1 and in_columns and not self._needs_rows(plan, numbers) and self._columns(plan, numbers, count):
            self.left.used += count
            return
        size = plan.slots
        for i in range(count):
            self._row(plan, numbers[i * size : (i + 1) * size], self.line + i)

    def _needs_rows(self, plan: Plan, numbers: list[bytes]) -> bool:
        """Whether lines repeat their counter or the message before: two handlers or processes may have printed it."""
        size = plan.slots
        if plan.rank is not None and any(token != b"0" for token in numbers[plan.rank :: size]):
            return True
        if self.echoes.says_again(plan, numbers[:size], self.line):
            return True
        counter = plan.step if plan.step is not None else plan.epoch
        if counter is None:
            return False
        column = numbers[counter::size]
        return any(map(bytes.__eq__, column, column[1:]))

    def _columns(self, plan: Plan, numbers: list[bytes], count: int) -> bool:
        """Read lines of one shape column by column, epoch by epoch; False, and nothing is read, where steps go back."""
        size, builder, first = plan.slots, self.builder, 0
        if plan.epoch is None:
            if plan.drives and plan.fixed_epoch is not None:
                self._at(plan.fixed_epoch, self.line)
            if plan.step is not None:
                return self._steps(plan, numbers, count)
            spans: list[tuple[bytes | None, int]] = [(None, count)]
        else:
            spans = [(k, sum(1 for _ in g)) for k, g in itertools.groupby(numbers[plan.epoch :: size])]
        for token, length in spans:
            line = self.line + first
            epoch = plan.fixed_epoch
            if token is not None:
                epoch = float(token)
                if plan.drives:
                    self._at(epoch, line)
                    self.names_epochs = self.names_epochs or not plan.unnamed
            rows = numbers[first * size : (first + length) * size]
            for value in plan.values:
                self._column(value, epoch, rows, size, line, length)
            first += length
        self.echoes.remember(plan, numbers[-size:], self.line + count - 1, builder.current_epoch)
        return True

    def _steps(self, plan: Plan, numbers: list[bytes], count: int) -> bool:
        """Read lines that count steps and no epochs; False, and nothing is read, where the steps go back."""
        size, builder = plan.slots, self.builder
        if plan.step is None or plan.step_slots > 1 or any(not value.slots for value in plan.values):
            return False
        steps = list(map(float, numbers[plan.step :: size]))
        names = {value.name for value in plan.values}
        if len(names) < len(plan.values) or steps != sorted(steps):
            return False
        if plan.fixed_epoch is not None or not all(builder.goes_on(name, steps[0]) for name in names):
            return False
        builder.current_step = steps[-1]
        places = range(self.line, self.line + count)
        for value in plan.values:
            ys = [value.sign * float(token) for token in numbers[value.slots[0] :: size]]
            builder.series(value.name, value.role, STEP).extend_points(steps, ys, places)
        self.echoes.remember(plan, numbers[-size:], self.line + count - 1, builder.current_epoch)
        return True

    def _column(
        self, value: SlotValue, epoch: float | None, rows: list[bytes], size: int, line: int, length: int
    ) -> None:
        kind, x = natural_x(self.builder, epoch, None, 0)
        if not value.slots:
            for i in range(length):
                self._point(value, rows[i * size : (i + 1) * size], kind, x, line + i)
            return
        series = self.builder.series(value.name, value.role, kind)
        if kind == INDEX:
            ys = [value.sign * float(token) for token in rows[value.slots[0] :: size]]
            order = [float(i) for i in range(series.seen, series.seen + length)]
            series.extend_points(order, ys, range(line, line + length))
            return
        series.extend(x, rows[value.slots[0] :: size], line, value.sign)

    def _row(self, plan: Plan, row: list[bytes], line: int) -> None:
        builder = self.builder
        if self.lists.is_open:
            if plan.rest is not None:
                self.lists.go_on(plan.rest, row)
                self.left.used += 1
                return
            self.lists.close()
        if plan.checkpoint is not None:
            self.checkpoints.say(plan.checkpoint, row)
        if plan.process:
            builder.process_start(line)
            return
        if plan.resume:
            builder.resume(plan.surely)
            return
        if self.echoes.is_echo(plan, row, line, builder.current_epoch):
            self.left.echoes += 1
            return
        if plan.columns:
            self.columns = PhaseColumns(plan.columns, line)
            return
        values = self.columns.values(plan, line) if plan.cells else plan.values
        self.left.used += 1
        if plan.training is not None and row[plan.training.slot].isdigit():
            number = int(row[plan.training.slot])
            builder.of_training(plan.training.name, number, line)
            said = f"{' '.join(plan.training.name)} {number}"
            (self.crossing.note if plan.values else self.crossing.note_below)(said, line)
        epoch = plan.fixed_epoch if plan.epoch is None else float(row[plan.epoch])
        step = None if plan.step is None else counter(row[plan.step : plan.step + plan.step_slots])
        if plan.unnamed and (self.names_epochs or not are_counters(row, plan)):
            epoch = step = None
        rank = plan.fixed_rank if plan.rank is None else process(row[plan.rank])
        if epoch is not None:
            if plan.drives and rank == 0:
                self._at(epoch, line)
                self.names_epochs = self.names_epochs or not plan.unnamed
        elif step is not None:
            builder.current_step = step
        if values:
            kind, x = natural_x(builder, epoch, step, 0)
            if kind == "index":
                self.checkpoints.note(line)
                if plan.bare is not None:
                    self.bare.note(line, float(row[plan.bare]), float(row[plan.bare + 1]))
            if plan.simple and kind == EPOCH and not rank:
                for value, series in zip(plan.values, self.targets.of(plan, builder), strict=True):
                    series.append(x, value.sign * float(row[value.slots[0]]), line)
                return
            for value in values:
                self._point(value, row, kind, x, line, rank)
        for name in plan.missing:
            self.left.missing[name] += 1
        for listed in plan.arrays:
            self.lists.take(builder, listed, row, line)

    def _at(self, epoch: float, line: int) -> None:
        """The log comes to an epoch."""
        self.builder.epoch(epoch, line)
        self.below.note(line, epoch)

    def _point(self, value: SlotValue, row: list[bytes], kind: str, x: float, line: int, rank: int = 0) -> None:
        y = number_in(row, value)
        if y is None:
            self.left.unreadable += 1
            return
        name = name_of_rank(value.name, rank)
        if kind == EPOCH:
            self.builder.series(name, value.role, kind).append(x, y, line)
        elif kind == STEP:
            self.builder.add(name, value.role, kind, x, y, line)
        else:
            series = self.builder.series(name, value.role, kind)
            series.append(float(series.seen), y, line)

    def finish(self) -> Reading:
        """The runs, and what was not understood, counted."""
        self._named_above()
        self.left.account(self.plans.values())
        notes = [*self.left.notes(self.source), *self.lists.settle(self.source)]
        self.crossing.settle(self.builder)
        part_offset_jobs(self.builder)
        runs = self.builder.finish(self.line - 1)
        for run in runs:
            self.endings.settle(run, self.below)
            settle(run, self.shapes, self.heads)
        return Reading(self.source, "text", runs, notes)
