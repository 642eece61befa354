"""What every reader makes of a log: runs, each with named series of numbers over epochs or steps."""

from __future__ import annotations

import math
from array import array
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import field

from cmgan_audit.lazy_dataclasses import dataclass

EPOCH = "epoch"
STEP = "step"
INDEX = "index"
# A series that is longer is thinned: a log of millions of steps fits into the memory, and is judged in seconds.
POINT_LIMIT = 1 << 17


@dataclass(frozen=True, slots=True)
class Role:
    """What a series is, read from its name by the table roles.yaml or given with `--role`.

    Attributes:
        kind: "metric", "loss", "learning_rate", "count" (utterances of an evaluation), "best" (a best value that the
            log announces), "saved" (of a checkpoint), "running mean" (until it is settled), "other".
        measure: the metric's key in roles.yaml ("pesq", "stoi", ...), "" for everything else.
        phase: "train", "eval" or "" when the name does not say.
        network: "generator", "discriminator" or "".
        higher_is_better: None when unknown.
        given: the user said so with `--role`.
    """

    kind: str
    measure: str = ""
    phase: str = ""
    network: str = ""
    higher_is_better: bool | None = None
    given: bool = False

    def __str__(self) -> str:
        words = (self.phase, self.network, self.measure if self.kind == "metric" else "", self.kind.replace("_", " "))
        return " ".join(word for word in words if word)


@dataclass(slots=True)
class Series:
    """One name's numbers in the order in which the log has them.

    `limit` bounds the memory: a longer series keeps every second point, then every fourth, and so on (`stride`);
    `seen` still counts all of them.
    """

    name: str
    role: Role
    x_kind: str
    limit: int | None = None
    xs: array[float] = field(default_factory=lambda: array("d"))
    ys: array[float] = field(default_factory=lambda: array("d"))
    places: array[int] = field(default_factory=lambda: array("q"))
    seen: int = 0
    stride: int = 1

    def append(self, x: float, y: float, place: int) -> None:
        """Add one point; `place` is its line, row or record in the file, counted from 1 (0: unknown)."""
        if self.stride == 1 or self.seen % self.stride == 0:
            self.xs.append(x)
            self.ys.append(y)
            self.places.append(place)
            if self.limit is not None and len(self.ys) > self.limit:
                self._thin()
        self.seen += 1

    def extend_points(self, xs: Sequence[float], ys: Sequence[float], places: Sequence[int]) -> None:
        """Add many points in their order."""
        kept = slice(-self.seen % self.stride, None, self.stride)
        self.xs.extend(xs[kept])
        self.ys.extend(ys[kept])
        self.places.extend(places[kept])
        self.seen += len(ys)
        self._thin()

    def extend(self, x: float, numbers: Sequence[bytes], first_place: int, sign: float = 1.0) -> None:
        """Add a block of numbers as printed, all at the same x and on consecutive lines from `first_place`."""
        self.extend_kept(x, numbers[-self.seen % self.stride :: self.stride], len(numbers), first_place, sign)

    def extend_kept(self, x: float, kept: Sequence[bytes], count: int, first_place: int, sign: float = 1.0) -> None:
        """As `extend` with `count` numbers, of which only every `stride`-th is handed over."""
        values = map(float, kept)
        self.ys.extend(values if sign > 0 else map(float.__neg__, values))
        self.xs.extend([x] * len(kept))
        offset = -self.seen % self.stride
        self.places.extend(range(first_place + offset, first_place + count, self.stride))
        self.seen += count
        self._thin()

    def _thin(self) -> None:
        while self.limit is not None and len(self.ys) > self.limit:
            self.xs, self.ys, self.places = self.xs[::2], self.ys[::2], self.places[::2]
            self.stride *= 2

    def __len__(self) -> int:
        return len(self.ys)

    def __iter__(self) -> Iterator[tuple[float, float, int]]:
        return zip(self.xs, self.ys, self.places, strict=True)

    def replaced(self, keep: Iterable[tuple[float, float, int]]) -> Series:
        """The same series with other points."""
        points = list(keep)
        series = Series(self.name, self.role, self.x_kind, self.limit, seen=self.seen, stride=self.stride)
        series.xs.extend(p[0] for p in points)
        series.ys.extend(p[1] for p in points)
        series.places.extend(p[2] for p in points)
        return series

    def finite(self) -> Series:
        """Without NaN and infinity."""
        if all(map(math.isfinite, self.ys)):
            return self
        return self.replaced(p for p in self if math.isfinite(p[1]))


@dataclass(frozen=True, slots=True)
class Restart:
    """Training went on from a checkpoint: first epoch or step after it, last before it, and where the log says so.

    `said`: it also speaks of the checkpoint, or of a process that starts. `anew`: the epochs of the log begin anew
    there, and are counted on.
    """

    x: float
    before: float
    place: int
    said: bool = False
    anew: bool = False


@dataclass(slots=True)
class PrintedBatch:
    """Per-utterance values that a log prints as an array (`PESQ:  [ 2.67 -1. 3.7]`): counted, never a series."""

    values: int = 0
    sentinels: int = 0
    first_place: int = 0

    def add(self, later: PrintedBatch) -> None:
        """Count those of a later part of the log with them."""
        self.values += later.values
        self.sentinels += later.sentinels
        self.first_place = self.first_place or later.first_place


@dataclass(slots=True)
class Run:
    """One training run found in a log.

    Attributes:
        source: the file, or the folder of event files, as given and found.
        label: tells runs of one source apart ("run 2 of 5, fold 2, from line 861"); "" for an only run.
        named: what the log calls it ("fold 2"), if anything.
        superseded: number of points that a resumed run computed again; the later value counts.
        unsaid: at which epochs or steps the log says that a score was no better, and not the score.
    """

    source: str
    label: str = ""
    named: str = ""
    series: list[Series] = field(default_factory=list)
    restarts: list[Restart] = field(default_factory=list)
    printed: dict[str, PrintedBatch] = field(default_factory=dict)
    first_place: int = 0
    last_place: int = 0
    superseded: int = 0
    unsaid: set[tuple[str, float]] = field(default_factory=set)

    @property
    def title(self) -> str:
        """Source and label in one line."""
        return f"{self.source} ({self.label})" if self.label else self.source


@dataclass(frozen=True, slots=True)
class Note:
    """Something in a file that was not understood, or was left out on purpose: said, never silent.

    `of_a_list`: numbers were left out because they are in no order of a training. `of_damage`: the file is damaged, and
    what follows was not read.
    """

    path: str
    line: int
    text: str
    of_a_list: bool = False
    of_damage: bool = False

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.text}" if self.line else f"{self.path}: {self.text}"


@dataclass(slots=True)
class Reading:
    """What one file, or one folder of event files, holds."""

    path: str
    format: str
    runs: list[Run] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)
