"""The metrics of an MLflow run as its file store keeps them: `mlruns/0/RUN/metrics/val_pesq`, a file for each.

Source: MLflow's FileStore: a line is `timestamp value step` (in older stores without the step); a `/` in the name of a
metric is a folder below `metrics`, and `meta.yaml` and `tags` lie beside that.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path

from cmgan_audit.errors import InputError
from cmgan_audit.finding import JsonValue
from cmgan_audit.lazy_dataclasses import dataclass
from cmgan_audit.logs.formats.records import Records
from cmgan_audit.logs.opening import read_blocks
from cmgan_audit.logs.roles import RoleBook
from cmgan_audit.logs.series import Note, Reading

_METRICS = "metrics"


def metrics_folder(path: Path) -> Path | None:
    """The folder with the metrics of a run in which a file lies; None for any other file."""
    return next((one for one in path.parents if one.name == _METRICS and _is_run(one.parent)), None)


def _is_run(folder: Path) -> bool:
    return (folder / "meta.yaml").is_file() and (folder / "tags").is_dir()


@dataclass(frozen=True, slots=True)
class _Point:
    """One value of a metric; `step` is None where the store has none."""

    name: str
    time: int
    value: float
    step: int | None


def read_mlflow(files: Sequence[tuple[Path, str]], folder: Path, source: str, book: RoleBook) -> Reading:
    """Read the metrics of one run; values that were logged at one step are one record.

    Args:
        files: the files of metrics, with the names to show.
        folder: that in which they lie.
        source: what the folder is called in the report.
        book: the roles of series by their names.
    """
    notes: list[Note] = []
    points: list[_Point] = []
    for path, shown in files:
        try:
            points.extend(_points(path, shown, folder, notes))
        except InputError as error:
            notes.append(Note(shown, 0, str(error).removeprefix(shown).lstrip(": ")))
    records = Records(source, book)
    for number, record in enumerate(_records(points), start=1):
        records.add(record, number)
    return records.reading("mlflow", notes)


def _points(path: Path, source: str, folder: Path, notes: list[Note]) -> Iterator[_Point]:
    name, broken = path.relative_to(folder).as_posix(), 0
    for line in b"".join(read_blocks(path, source)).splitlines():
        match line.split():
            case [time, value, *step] if len(step) < 2:
                try:
                    yield _Point(name, int(time), float(value), int(step[0]) if step else None)
                except ValueError:
                    broken += 1
            case _:
                broken += 1
    if broken:
        notes.append(Note(source, 0, f"{broken} line{'s' * (broken != 1)} without a time and a value, left out"))


def _records(points: Sequence[_Point]) -> Iterator[dict[str, JsonValue]]:
    """What was logged at one step, in the order of time; at a step that came again, another time."""
    counted = len({point.step for point in points}) > 1
    logged: Counter[tuple[str, int | None]] = Counter()
    together: defaultdict[tuple[int | None, int], list[_Point]] = defaultdict(list)
    for point in points:
        step = point.step if counted else None  # who gives no step gets 0 for each
        together[step, logged[point.name, step]].append(point)
        logged[point.name, step] += 1
    for (step, _), members in sorted(together.items(), key=lambda item: min(point.time for point in item[1])):
        values: dict[str, JsonValue] = {point.name: point.value for point in members}
        yield values if step is None else {"step": step, **values}
