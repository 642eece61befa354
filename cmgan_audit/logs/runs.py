"""Tells runs and restarts apart while a log is read, and collects each run's series."""

from __future__ import annotations

import itertools
from bisect import bisect_right
from collections.abc import Callable, Mapping, Sequence
from dataclasses import field

from cmgan_audit.lazy_dataclasses import dataclass
from cmgan_audit.logs.begun_again import begun_again
from cmgan_audit.logs.counted_on import count_on
from cmgan_audit.logs.mentions import join_mentions, take_back_mentions
from cmgan_audit.logs.selection.batches import of_a_batch
from cmgan_audit.logs.series import EPOCH, INDEX, POINT_LIMIT, STEP, PrintedBatch, Restart, Role, Run, Series
from cmgan_audit.logs.steps_of_epochs import over_epochs

# A resumed process repeats at most this share of the epochs before it, or this many; farther back is another run.
_OVERLAP_SHARE = 0.5
_OVERLAP = 3
# Trainings that take turns step back from one to the other so often; one that was restarted, once.
_FEWEST_CROSSINGS = 2
# So many rows show in which order they stand.
_FEWEST_ROWS = 3
# Where the log came to an epoch is kept so many times.
_MOST_MARKS = 1 << 16


# Epoch or step, value, and place.
Point = tuple[float, float, int]


@dataclass(slots=True)
class _Doubt:
    """How many runs there were, and what the last one had come to, where the log named another training."""

    runs: int
    epoch: float | None
    step: float | None
    first: float | None
    last: float | None
    names: set[tuple[str, ...]] = field(default_factory=set)


class RunBuilder:
    """Collects points; starts a new run when the epochs begin anew, notes a restart when they step back a little.

    A reader calls `epoch` whenever the log says at which epoch it is, `process_start` and `resume` where the log shows
    a new process or a loaded checkpoint, and `add` or `series` for points. `places` says what the places of points are:
    lines, or the records of a document.
    """

    def __init__(self, source: str, places: str = "line") -> None:
        self.source, self.places = source, places
        self.current_epoch: float | None = None
        self.current_step: float | None = None
        self._runs: list[Run] = []
        self._came_to: list[list[tuple[int, float]]] = []  # per run, where the log came to which epoch
        self._by_key: dict[tuple[str, str], Series] = {}
        self._first: float | None = None
        self._last: float | None = None
        self._new_process = False
        self._resumed = False
        self._from_checkpoint = False
        self._given = False  # whether the training began with a checkpoint of another one
        self._named: dict[tuple[str, ...], list[int]] = {}
        self._no_trainings: set[tuple[str, ...]] = set()
        self._doubt: _Doubt | None = None
        self._stepped_back: list[Run] = []  # runs that begin with an earlier epoch, and nothing says why
        self._anew: list[Run] = []  # runs that went on from a checkpoint of the one before, and count anew
        self._open(0)

    @property
    def run(self) -> Run:
        """The run that is being collected."""
        return self._runs[-1]

    def _open(self, place: int) -> None:
        self._runs.append(Run(self.source, first_place=place))
        self._came_to.append([])
        self._by_key = {}
        self._first = self._last = None
        self.current_epoch = self.current_step = None

    def process_start(self, place: int) -> None:
        """The log shows the start of a process: settings printed, a logger set up."""
        self._new_process = True
        self._resumed = self._from_checkpoint = False
        self.run.last_place = max(self.run.last_place, place - 1)

    def of_training(self, name: tuple[str, ...], number: int, place: int) -> None:
        """The log names the training that follows, as `Fold 2`; another number than before begins another run.

        Until its epochs begin anew that is doubtful: a seed may be set in every epoch, and an evaluation have folds.
        One that was named earlier begins none: the lines of several stand among each other.
        """
        if name in self._no_trainings:
            return
        known = self._named.setdefault(name, [])
        if number not in known:
            if known:
                self._doubt = self._doubt or _Doubt(
                    len(self._runs), self.current_epoch, self.current_step, self._first, self._last
                )
                self._doubt.names.add(name)
                self.run.last_place = max(self.run.last_place, place - 1)
                self._open(place)
                self._named = {name: known}
            known.append(number)
            said = f"{' '.join(name)} {number}"
            self.run.named = self.run.named if self.run.named and self.run.series else said

    def _settle_doubt(self, epoch: float) -> None:
        """See by its first epoch whether a named training goes on where the one before it was."""
        doubt = self._doubt
        if doubt is None or doubt.first is None or doubt.last is None:
            self._doubt = None
        elif self._first is not None:
            self._doubt = None if epoch != self._first else doubt
        elif epoch > doubt.first and epoch >= doubt.last - _OVERLAP:
            self._join(doubt)

    def _join(self, doubt: _Doubt) -> None:
        """Put the doubtful runs back to the one that they are parts of; their names say nothing of trainings."""
        parts = self._runs[doubt.runs :]
        del self._runs[doubt.runs :], self._came_to[doubt.runs :]
        self._doubt = None
        self._no_trainings |= doubt.names
        self.run.named = ""
        self._by_key = {(series.name, series.x_kind): series for series in self.run.series}
        self.current_epoch, self.current_step = doubt.epoch, doubt.step
        self._first, self._last = doubt.first, doubt.last
        for part in parts:
            for series in part.series:
                of_epoch = series.x_kind == INDEX and doubt.epoch is not None
                to = self.series(series.name, series.role, EPOCH if of_epoch else series.x_kind)
                for x, y, place in series:
                    to.append(doubt.epoch if of_epoch and doubt.epoch is not None else x, y, place)
            self.run.unsaid |= part.unsaid
            for name, batch in part.printed.items():
                self.printed(name).add(batch)

    def resume(self, surely: bool = True, named: bool = False, epoch: float | None = None) -> None:
        """The log says that training goes on from a checkpoint; without `surely`, that some checkpoint was loaded.

        `named`: it also says from which one, so that a training that counts anew is the one before; not if that one
        never came to the `epoch` of the checkpoint, or only began with it.
        """
        self._resumed = True
        if epoch is not None and self._first is not None and self._last is not None:
            named = named and self._first < epoch <= self._last + 1
        self._from_checkpoint = self._from_checkpoint or named
        self._new_process = self._new_process or surely

    def epoch(self, value: float, place: int) -> None:
        """The log is now at this epoch."""
        if value == self.current_epoch and not (self._new_process or self._resumed):
            return
        if self._doubt is not None:
            self._settle_doubt(value)
        self.current_epoch = value
        if self._first is None:
            self._given = self._from_checkpoint
        self._advance(value, place, self._first, self._last)
        if self._first is None:
            self._first = value
            self.run.first_place = self.run.first_place or place
        self._last = value if self._last is None else max(self._last, value)
        if len(self._came_to[-1]) < _MOST_MARKS:
            self._came_to[-1].append((place, value))

    def _advance(self, value: float, place: int, first: float | None, last: float | None) -> None:
        """Compare a new epoch or step with those before it: a step back is a restart or another run."""
        if (
            last is not None
            and first is not None
            and (value < last or (self._new_process and value <= last + 1) or (self._resumed and value <= last))
        ):
            back = last + 1 - value
            near = back <= max(_OVERLAP, _OVERLAP_SHARE * (last - first))
            from_start = value <= first and not (self._resumed and near)
            said = self._new_process or self._resumed
            if near and not from_start:
                self.run.restarts.append(Restart(value, last, place, said))
                self._last = value
            else:
                self._begin_run(value, place)
                if not said:
                    self._stepped_back.append(self.run)
                if self._from_checkpoint and value <= first and not self._given:
                    self._anew.append(self.run)
                else:
                    self._given = self._from_checkpoint
        elif last is not None and self._new_process and value > last + 1:
            if self._resumed and value <= last + _OVERLAP:
                self.run.restarts.append(Restart(value, last, place, said=True))
            else:
                self._begin_run(value, place)
        self._new_process = self._resumed = self._from_checkpoint = False

    def _begin_run(self, value: float, place: int) -> None:
        epoch, step = self.current_epoch, self.current_step
        self.run.last_place = max(self.run.last_place, place - 1)
        self._open(place)
        self.current_epoch, self.current_step = epoch, step
        self._first = value

    def series(self, name: str, role: Role, x_kind: str) -> Series:
        """The series of this name in the current run, made when it is new."""
        found = self._by_key.get((name, x_kind))
        if found is None:
            found = self._by_key[name, x_kind] = Series(name, role, x_kind, POINT_LIMIT)
            self.run.series.append(found)
        return found

    def add(self, name: str, role: Role, x_kind: str, x: float, y: float, place: int) -> None:
        """Add one point. Steps that go back tell runs and restarts apart where there are no epochs."""
        if x_kind == STEP and self.current_epoch is None:
            series = self._by_key.get((name, x_kind))
            if series is not None and len(series) and x < series.xs[-1] and not self._restarted_since(series):
                self._advance(x, place, series.xs[0], series.xs[-1])
        series = self.series(name, role, x_kind)
        series.append(x, y, place)

    def goes_on(self, name: str, step: float) -> bool:
        """Whether a point at this step is one more of its series, and no restart, as `add` sees it."""
        series = self._by_key.get((name, STEP))
        return self.current_epoch is not None or series is None or not len(series) or step >= series.xs[-1]

    def is_at_or_before(self, epoch: float) -> bool:
        """Whether the log has come to this epoch at most, and nothing says that what follows is another process."""
        at = self.current_epoch
        return at is not None and at <= epoch and not (self._new_process or self._resumed)

    def _restarted_since(self, series: Series) -> bool:
        return bool(self.run.restarts) and self.run.restarts[-1].place > series.places[-1]

    def printed(self, name: str) -> PrintedBatch:
        """The counter of per-utterance values that the log prints under this name."""
        return self.run.printed.setdefault(name, PrintedBatch())

    def steps(self) -> list[tuple[int, float]]:
        """At which place the log was at which step; nothing where scores or losses stand at epochs."""
        series = [
            s for run in self._runs for s in run.series if s.role.kind in ("metric", "loss") and s.x_kind != INDEX
        ]
        if any(s.x_kind == EPOCH or s.stride > 1 for s in series):
            return []
        return sorted({(place, x) for s in series for x, _, place in s})

    def part(self, name_at: Callable[[int], str], names: set[str]) -> None:
        """Make a run of the points of each name.

        Nothing where the names share no series, where all of them count on together (a training that names another file
        in every epoch), or where one of them begins anew.

        Args:
            name_at: of which training the line at a place is; "" for lines of none.
            names: of all that there are.
        """
        parts: dict[str, dict[tuple[str, str], list[Point]]] = {name: {} for name in sorted(names)}
        roles: dict[tuple[str, str], Role] = {}
        for series in (series for run in self._runs for series in run.series):
            key = series.name, series.x_kind
            roles.setdefault(key, series.role)
            for point in series:
                if name := name_at(point[2]):
                    parts[name].setdefault(key, []).append(point)
        shared = set.intersection(*(set(part) for part in parts.values()))
        if not any(_cross([part[key] for part in parts.values()], key[1]) for key in shared):
            return
        builders = [_built(self.source, name, part, roles) for name, part in parts.items()]
        if any(len(builder._runs) > 1 for builder in builders):
            return
        for run in self._runs:
            run.series = [series.replaced(p for p in series if not name_at(p[2])) for series in run.series]
            run.series = [series for series in run.series if len(series)]
            run.restarts, run.named = [], ""
        marks = [mark for came_to in self._came_to for mark in came_to]
        for builder in builders:
            self._runs.append(builder.run)
            self._came_to.append([mark for mark in marks if name_at(mark[0]) == builder.run.named])

    def finish(self, last_place: int = 0) -> list[Run]:
        """All runs that hold numbers, labelled, with superseded points of resumed runs left out."""
        self.run.last_place = max(self.run.last_place, last_place)
        for run, came_to in zip(self._runs, self._came_to, strict=True):
            _settle_steps(run, came_to)
        join_mentions(self._runs, self._came_to, self._stepped_back)
        for run, came_to in zip(self._runs, self._came_to, strict=True):
            if not _counts_twice(run):
                take_back_mentions(run, came_to)
        count_on(self._runs, self._came_to, self._anew)
        runs = [part for run in self._runs if run.series or run.printed for part in begun_again(run)]
        for run in runs:
            if _counts_twice(run):
                run.restarts.clear()
            run.series = [_latest(series, run) for series in run.series]
        if len(runs) > 1:
            for number, run in enumerate(runs, start=1):
                named = f", {run.named}" if run.named else ""
                span = f", from {self.places} {run.first_place}" if run.first_place else ""
                run.label = f"run {number} of {len(runs)}{named}{span}"
        return runs


def _cross(courses: Sequence[Sequence[Point]], x_kind: str) -> bool:
    """Whether series, perhaps of several trainings, step back again and again from one to the other."""
    together = sorted((place, x, at) for at, course in enumerate(courses) for x, _, place in course)
    back = sum(a[2] != b[2] and b[1] <= a[1] for a, b in itertools.pairwise(together))
    return x_kind == INDEX or back >= _FEWEST_CROSSINGS


def _built(
    source: str, name: str, part: Mapping[tuple[str, str], Sequence[Point]], roles: Mapping[tuple[str, str], Role]
) -> RunBuilder:
    """The run of one of several trainings, with its restarts; several where it begins anew."""
    builder = RunBuilder(source)
    points = sorted((place, x, y, key) for key, course in part.items() for x, y, place in course)
    for place, x, y, key in points:
        if key[1] == EPOCH:
            builder.epoch(x, place)
        builder.add(key[0], roles[key], key[1], x, y, place)
    builder.run.named, builder.run.last_place = name, points[-1][0]
    builder.run.first_place = points[0][0]
    return builder


def from_first_to_last(runs: list[Run]) -> list[Run]:
    """One run where a table's rows stand from the last epoch to the first: every row has begun another."""
    if len(runs) < _FEWEST_ROWS or any(run.restarts or run.superseded for run in runs):
        return runs
    names = dict.fromkeys((series.name, series.x_kind) for run in runs for series in run.series)
    parts = [[s for run in runs for s in run.series if (s.name, s.x_kind) == name] for name in names]
    for part in parts:
        xs = [x for series in part for x in series.xs]
        if any(a <= b for a, b in itertools.pairwise(xs)):
            return runs
    series = [part[0].replaced(sorted(point for one in part for point in one)) for part in parts]
    return [Run(runs[0].source, series=series, first_place=runs[0].first_place, last_place=runs[-1].last_place)]


def _settle_steps(run: Run, came_to: Sequence[tuple[int, float]]) -> None:
    """Values at steps that begin anew in every epoch belong to their epoch, beside others that sum it up."""
    places, epochs = [place for place, _ in came_to], [epoch for _, epoch in came_to]
    summed = {series.name for series in run.series if series.x_kind == EPOCH}
    for at, series in enumerate(run.series):
        moved = over_epochs(series, places, epochs)
        if moved is not series:
            moved.name = of_a_batch(series.name) if series.name in summed else series.name
            run.series[at] = moved


def _counts_twice(run: Run) -> bool:
    """Whether what looks like restarts is one counter from 1 beside one from 0: `Epoch 1/40`, then `epoch 0 | loss`."""
    back = [restart.before - restart.x for restart in run.restarts]
    reached = max((restart.before for restart in run.restarts), default=0.0)
    return len(back) >= _OVERLAP and all(step == 1 for step in back) and 2 * len(back) >= reached


def _latest(series: Series, run: Run) -> Series:
    """Where a resumed run computed epochs again, the later value counts; lines of several processes are sorted."""
    if all(a <= b for a, b in zip(series.xs, series.xs[1:], strict=False)) and not run.restarts:
        return series
    if not run.restarts:
        return series.replaced(sorted(series, key=lambda point: point[0]))
    kept: list[tuple[float, float, int]] = []
    resumed = sorted(restart.place for restart in run.restarts)
    for point in series:
        while kept and _superseded(kept[-1], point, resumed):
            kept.pop()
            run.superseded += 1
        kept.append(point)
    return series if len(kept) == len(series) else series.replaced(kept)


def _superseded(old: tuple[float, float, int], new: tuple[float, float, int], resumed: Sequence[int]) -> bool:
    """Whether a point was computed again: behind one of the places, in their order, at which training was resumed."""
    if old[0] != new[0]:
        return old[0] > new[0]
    return bisect_right(resumed, old[2]) < bisect_right(resumed, new[2])


def natural_x(builder: RunBuilder, epoch: float | None, step: float | None, index: int) -> tuple[str, float]:
    """Over what a point is drawn: its own epoch or step, else the epoch or step that the log is at, else its order."""
    if epoch is not None:
        return EPOCH, epoch
    if step is not None:
        return STEP, step
    if builder.current_epoch is not None:
        return EPOCH, builder.current_epoch
    if builder.current_step is not None:
        return STEP, builder.current_step
    return "index", float(index)
