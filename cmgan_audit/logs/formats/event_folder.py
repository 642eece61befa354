"""The event files of one folder are one run and its restarts; `add_scalars` folders belong to the folder above."""

from __future__ import annotations

import operator
from array import array
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from cmgan_audit.errors import InputError
from cmgan_audit.logs.formats.event_file import Scalars, read_scalars
from cmgan_audit.logs.roles import RoleBook
from cmgan_audit.logs.runs import RunBuilder
from cmgan_audit.logs.series import STEP, Note, Reading, Run

# Records of later files of one folder get places behind those of the earlier ones.
_FILE_SPAN = 1 << 40


def read_event_files(files: Sequence[tuple[Path, str]], book: RoleBook) -> list[Reading]:
    """Read event files, a reading per folder; `files` are paths with the names to show.

    Raises:
        InputError: an only file is no event file; among several it is noted instead.
    """
    folders: dict[str, list[tuple[Path, str, Scalars]]] = defaultdict(list)
    notes: dict[str, list[Note]] = defaultdict(list)
    for path, source in files:
        folder = str(Path(source).parent).replace("\\", "/")
        try:
            scalars = read_scalars(path, source)
        except InputError as error:
            if len(files) == 1:
                raise
            notes[folder].append(Note(source, 0, str(error).partition(": ")[2]))
            continue
        folders[folder].append((path, source, scalars))
    groups: dict[str, list[tuple[str, str, Scalars]]] = defaultdict(list)
    for folder, members in folders.items():
        main = _main_tag(folder, members)
        for _, source, scalars in members:
            target = str(Path(folder).parent).replace("\\", "/") if main else folder
            groups[target].append((source, main, scalars))
    readings: list[Reading] = []
    for folder in sorted(groups.keys() | notes.keys()):
        runs = _same_run(groups[folder])
        shown = folder if len(runs) == 1 else ""
        readings.extend(_read_folder(shown, members, book) for members in runs)
        if notes[folder]:
            readings.append(Reading(folder, "tensorboard", notes=notes[folder]))
    return readings


def _same_run(members: list[tuple[str, str, Scalars]]) -> list[list[tuple[str, str, Scalars]]]:
    """Files that write the same tags continue each other; files with nothing in common are runs of their own."""
    runs: list[tuple[set[str], list[tuple[str, str, Scalars]]]] = []
    for member in sorted(members, key=lambda member: member[0]):
        tags = set(member[2].tags)
        home = next((run for run in runs if member[1] or run[0] & tags or not run[0] or not tags), None)
        if home is None:
            runs.append((tags, [member]))
        else:
            home[0].update(tags)
            home[1].append(member)
    return [run for _, run in runs]


def _main_tag(folder: str, members: list[tuple[Path, str, Scalars]]) -> str:
    """The tag of `add_scalars(tag, {...})`, whose folder is called `tag_subtag`; "" for an ordinary folder."""
    tags = {tag for _, _, scalars in members for tag in scalars.tags}
    if len(tags) != 1:
        return ""
    tag = tags.pop()
    return tag if Path(folder).name.startswith(tag.replace("/", "_") + "_") else ""


def _read_folder(folder: str, members: list[tuple[str, str, Scalars]], book: RoleBook) -> Reading:
    source = folder if folder and len(members) > 1 else members[0][0]
    notes: list[Note] = []
    builder = RunBuilder(source, places="record")
    for number, (name, main, scalars) in enumerate(members):
        sub = Path(name).parent.name.removeprefix(main.replace("/", "_") + "_") if main else ""
        named = {tag: f"{tag}/{sub}" if sub else tag for tag in scalars.tags}
        roles = {tag: role for tag, name in named.items() if (role := book.of(name)) is not None}
        if all(_goes_on(builder, named[tag], scalars.tags[tag].steps) for tag in roles):
            for tag, role in roles.items():
                column = scalars.tags[tag]
                places = [place + number * _FILE_SPAN for place in column.places]
                builder.series(named[tag], role, STEP).extend_points(array("d", column.steps), column.values, places)
        else:
            for tag, step, value, record in scalars.points:
                if tag in roles:
                    builder.add(named[tag], roles[tag], STEP, float(step), value, record + number * _FILE_SPAN)
        notes.extend(scalars.notes)
    runs = builder.finish()
    for run in runs:
        _place_in_files(run, [name for name, _, _ in members])
    return Reading(source, "tensorboard", runs, notes)


def _goes_on(builder: RunBuilder, name: str, steps: array[int]) -> bool:
    """Whether the steps of a tag never go back, neither among themselves nor behind those that were read before."""
    return all(map(operator.le, steps, steps[1:])) and builder.goes_on(name, float(steps[0]))


def _place_in_files(run: Run, names: Sequence[str]) -> None:
    """Say in which file a run begins, and number the records of restarts within their file."""
    number, run.first_place = divmod(run.first_place, _FILE_SPAN)
    if run.label and len(names) > 1:
        run.label = f"{run.label.partition(',')[0]}, from {Path(names[number]).name}"
    run.restarts = [replace(restart, place=restart.place % _FILE_SPAN) for restart in run.restarts]
