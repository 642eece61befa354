"""The event files of one folder are one run and its restarts; `add_scalars` folders belong to the folder above.

So do `train` and `validation`, into which Keras and whoever has a writer for each phase write the same tags.
"""

from __future__ import annotations

import operator
from array import array
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from cmgan_audit.errors import InputError
from cmgan_audit.lazy_dataclasses import dataclass
from cmgan_audit.logs.formats.event_file import Scalars, read_scalars
from cmgan_audit.logs.roles import RoleBook, table, words_of
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
    groups: dict[str, list[_Member]] = defaultdict(list)
    phases = _phase_folders(folders)
    for folder, members in folders.items():
        main, phase = _main_tag(folder, members), phases.get(folder, "")
        target = str(Path(folder).parent).replace("\\", "/") if main or phase else folder
        for _, source, scalars in members:
            groups[target].append(_Member(source, bool(main or phase), _names(folder, main, phase, scalars), scalars))
    readings: list[Reading] = []
    for folder in sorted(groups.keys() | notes.keys()):
        runs = _same_run(groups[folder])
        shown = folder if len(runs) == 1 else ""
        readings.extend(_read_folder(shown, members, book) for members in runs)
        if notes[folder]:
            readings.append(Reading(folder, "tensorboard", notes=notes[folder]))
    return readings


@dataclass(frozen=True, slots=True)
class _Member:
    """An event file, whether it is only a part of what its run writes, and what the series of its tags are called."""

    source: str
    is_part: bool
    names: Mapping[str, str]
    scalars: Scalars


def _same_run(members: list[_Member]) -> list[list[_Member]]:
    """Files that write the same tags continue each other; files with nothing in common are runs of their own."""
    runs: list[tuple[set[str], list[_Member]]] = []
    for member in sorted(members, key=lambda member: member.source):
        tags = set(member.scalars.tags)
        home = next((run for run in runs if member.is_part or run[0] & tags or not run[0] or not tags), None)
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


def _phase_folders(folders: Iterable[str]) -> dict[str, str]:
    """What the folders are called that lie beside each other, one for the training and one for its evaluation."""
    known = table().phases
    siblings: dict[Path, list[str]] = defaultdict(list)
    for folder in folders:
        if Path(folder).name.lower() in known:
            siblings[Path(folder).parent].append(folder)
    both = [here for here in siblings.values() if len({known[Path(folder).name.lower()] for folder in here}) > 1]
    return {folder: Path(folder).name for here in both for folder in here}


def _names(folder: str, main: str, phase: str, scalars: Scalars) -> dict[str, str]:
    """What the series are called: by their tags, and by what the folder adds that these do not say."""
    sub = Path(folder).name.removeprefix(main.replace("/", "_") + "_") if main else ""
    names = {tag: f"{tag}/{sub}" if sub else tag for tag in scalars.tags}
    phases = table().phases
    return {tag: f"{phase}/{n}" if phase and phases.keys().isdisjoint(words_of(n)) else n for tag, n in names.items()}


def _read_folder(folder: str, members: list[_Member], book: RoleBook) -> Reading:
    source = folder if folder and len(members) > 1 else members[0].source
    notes: list[Note] = []
    builder = RunBuilder(source, places="record")
    for number, member in enumerate(members):
        named, scalars = member.names, member.scalars
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
        _place_in_files(run, [member.source for member in members])
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
