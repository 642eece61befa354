"""What lines of a known shape add to a run: counters, values, lists and resumes, row by row or column by column."""

from __future__ import annotations

import itertools

from cmgan_audit.logs.lines.bare_counters import BareCounters
from cmgan_audit.logs.lines.crossing import CrossingTrainings
from cmgan_audit.logs.lines.echoes import Echoes
from cmgan_audit.logs.lines.headers_below import HeadersBelow
from cmgan_audit.logs.lines.left_out import LeftOut
from cmgan_audit.logs.lines.named_checkpoints import NamedCheckpoints
from cmgan_audit.logs.lines.other_epochs import told_again
from cmgan_audit.logs.lines.phase_columns import PhaseColumns
from cmgan_audit.logs.lines.plan import Plan, SlotValue
from cmgan_audit.logs.lines.printed_lists import PrintedLists
from cmgan_audit.logs.lines.ranks import name_of_rank
from cmgan_audit.logs.lines.targets import Targets
from cmgan_audit.logs.lines.tokens import are_counters, counter, number_in, process
from cmgan_audit.logs.runs import RunBuilder, natural_x
from cmgan_audit.logs.series import EPOCH, INDEX, STEP


class LineValues:
    """Takes over what lines say; `left` counts what was not understood."""

    def __init__(self, builder: RunBuilder) -> None:
        self.builder = builder
        self.left = LeftOut()
        self.echoes = Echoes()
        self.lists = PrintedLists()
        self.bare = BareCounters()
        self.checkpoints = NamedCheckpoints()
        self.below = HeadersBelow()
        self.crossing = CrossingTrainings()
        self._columns = PhaseColumns()
        self._names_epochs = False
        self._said_at: dict[str, int] = {}  # where lines that name a second epoch stood last, by their words
        self._targets = Targets()

    def forget_shapes(self) -> None:
        """The plans that were made so far are thrown away."""
        self._targets = Targets()
        self.echoes = Echoes()

    def group(self, plan: Plan, numbers: list[bytes], first: int, count: int) -> None:
        """Lines of one shape in succession, from the line `first` on; their numbers behind each other."""
        bare = plan.unnamed and (self._names_epochs or not are_counters(numbers, plan))
        in_columns = count > 1 and plan.simple and not self.lists.is_open and not bare
        if in_columns and not self._needs_rows(plan, numbers, first) and self._by_columns(plan, numbers, first, count):
            self.left.used += count
            return
        size = plan.slots
        for i in range(count):
            self.row(plan, numbers[i * size : (i + 1) * size], first + i)

    def _needs_rows(self, plan: Plan, numbers: list[bytes], first: int) -> bool:
        """Whether lines repeat their counter or the message before: two handlers or processes may have printed it."""
        size = plan.slots
        if plan.rank is not None and any(token != b"0" for token in numbers[plan.rank :: size]):
            return True
        if self.echoes.says_again(plan, numbers[:size], first):
            return True
        counter = plan.step if plan.step is not None else plan.epoch
        if counter is None:
            return False
        column = numbers[counter::size]
        return any(map(bytes.__eq__, column, column[1:]))

    def _by_columns(self, plan: Plan, numbers: list[bytes], line: int, count: int) -> bool:
        """Read lines of one shape column by column, epoch by epoch; False, and nothing is read, where steps go back."""
        size, builder, first, last = plan.slots, self.builder, 0, line + count - 1
        if plan.epoch is None:
            if plan.drives and plan.fixed_epoch is not None:
                self._at(plan.fixed_epoch, line)
            if plan.step is not None:
                return self._steps(plan, numbers, line, count)
            spans: list[tuple[bytes | None, int]] = [(None, count)]
        else:
            spans = [(k, sum(1 for _ in g)) for k, g in itertools.groupby(numbers[plan.epoch :: size])]
        for token, length in spans:
            epoch = plan.fixed_epoch
            if token is not None:
                epoch = float(token)
                if plan.drives:
                    self._at(epoch, line)
                    self._names_epochs = self._names_epochs or not plan.unnamed
            rows = numbers[first * size : (first + length) * size]
            for value in plan.values:
                self._column(value, epoch, rows, size, line, length)
            first += length
            line += length
        self.echoes.remember(plan, numbers[-size:], last, builder.current_epoch)
        return True

    def _steps(self, plan: Plan, numbers: list[bytes], line: int, count: int) -> bool:
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
        places = range(line, line + count)
        for value in plan.values:
            ys = [value.sign * float(token) for token in numbers[value.slots[0] :: size]]
            builder.series(value.name, value.role, STEP).extend_points(steps, ys, places)
        self.echoes.remember(plan, numbers[-size:], line + count - 1, builder.current_epoch)
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

    def row(self, plan: Plan, row: list[bytes], line: int) -> None:
        """One line."""
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
            builder.resume(plan.surely, plan.from_checkpoint, None if plan.epoch is None else float(row[plan.epoch]))
            return
        if self.echoes.is_echo(plan, row, line, builder.current_epoch):
            self.left.echoes += 1
            return
        if plan.columns:
            self._columns = PhaseColumns(plan.columns, line)
            return
        values = self._columns.values(plan, line) if plan.cells else plan.values
        self.left.used += 1
        if plan.training is not None and row[plan.training.slot].isdigit():
            number = int(row[plan.training.slot])
            builder.of_training(plan.training.name, number, line)
            said = f"{' '.join(plan.training.name)} {number}"
            (self.crossing.note if plan.values else self.crossing.note_below)(said, line)
        epoch = plan.fixed_epoch if plan.epoch is None else float(row[plan.epoch])
        if plan.other_epoch is not None and epoch is not None:
            again = told_again(plan.other_epoch, row, epoch, builder.run, self._said_at.get(plan.key, 0))
            values = [value for value in values if value not in again]
            self._said_at[plan.key] = line
        step = None if plan.step is None else counter(row[plan.step : plan.step + plan.step_slots])
        if plan.unnamed and (self._names_epochs or not are_counters(row, plan)):
            epoch = step = None
        rank = plan.fixed_rank if plan.rank is None else process(row[plan.rank])
        if epoch is not None:
            if plan.drives and rank == 0:
                self._at(epoch, line)
                self._names_epochs = self._names_epochs or not plan.unnamed
        elif step is not None:
            builder.current_step = step
        if values:
            kind, x = natural_x(builder, epoch, step, 0)
            if kind == "index":
                self.checkpoints.note(line)
                if plan.bare is not None:
                    self.bare.note(line, float(row[plan.bare]), float(row[plan.bare + 1]))
            if plan.simple and kind == EPOCH and not rank:
                for value, series in zip(plan.values, self._targets.of(plan, builder), strict=True):
                    series.append(x, value.sign * float(row[value.slots[0]]), line)
                return
            for value in values:
                self._point(value, row, kind, x, line, rank)
        for name in plan.missing:
            self.left.missing[name] += 1
        for listed in plan.arrays:
            self.lists.take(builder, listed, row, line)

    def bare_row(self, plan: Plan, row: list[bytes], line: int) -> bool:
        """A line of bare numbers; False where no head of as many measures stands right above it."""
        values = self._columns.of_bare_row(plan.row, line)
        kind, x = natural_x(self.builder, None, None, 0)
        for value in values:
            self._point(value, row, kind, x, line)
        self.left.used += bool(values)
        return bool(values)

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
