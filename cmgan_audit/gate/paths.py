"""From the paths on the command line to one result: each folder is a training repository of its own."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

from cmgan_audit.errors import InputError, MissingPathError
from cmgan_audit.finding import Finding, Fix, Location, Step
from cmgan_audit.gate.audited import Audited, Coverage
from cmgan_audit.rules.matching import Passed, Unresolved
from cmgan_audit.source.discovery import discover, kind_of
from cmgan_audit.source.git_index import repository_of

# Names of files in one folder.
Names = frozenset[str]
EVERYTHING: Names = frozenset()

CODE = ("python", "notebook")


def root_of(path: Path) -> Path:
    """Return the folder to audit for a path of the command line: a folder itself, or the folder of a file.

    A file of settings or a launcher may lie in a folder without code. What it is for lies in one of those around it:
    the nearest with code is taken, within the repository, or outside of one within the current folder.

    Raises:
        MissingPathError: there is no such path.
    """
    if not path.exists():
        raise MissingPathError(f"{path}: no such file or folder")
    if path.is_dir():
        return path
    if kind_of(path.name) in CODE:
        return path.parent
    return next((folder for folder in _around(path) if _code(folder, ())), path.parent)


def _around(path: Path) -> Iterator[Path]:
    """The folders around a file, from the inner one to the top of its repository, or to the current folder."""
    inner, here = path.absolute().parent, Path.cwd()
    repository = repository_of(inner)
    top = here if repository is None else repository[0]
    if not inner.is_relative_to(top):
        return
    for folder in (inner, *inner.parents):
        yield folder if path.is_absolute() else Path(os.path.relpath(folder, here))
        if folder == top:
            return


def asked_for(paths: Sequence[Path]) -> dict[Path, Names]:
    """The folders to audit for the paths of a command line, each once, and the files in it that are asked for.

    No names stand for the folder as a whole.

    Raises:
        MissingPathError: there is no such path.
        InputError: a file is none that an audit reads, or a link out of its folder.
    """
    folders: dict[Path, Path] = {}
    names: dict[Path, Names] = {}
    for path in paths:
        root = root_of(path)
        folder = folders.setdefault(root.resolve(), root)
        if path.is_dir():
            names[folder] = EVERYTHING
            continue
        if not kind_of(path.name):
            raise InputError(f"{path}: not a Python file, notebook, configuration, launcher or list of requirements")
        if names.get(folder) != EVERYTHING:
            names[folder] = names.get(folder, EVERYTHING) | {_name_in(folder, path)}
    return names


def _name_in(folder: Path, path: Path) -> str:
    """The name that a file is found under in a folder: for a link to one that lies there too, that of the file itself.

    Raises:
        InputError: it is a link out of the folder, which is not followed.
    """
    named = Path(os.path.relpath(path.absolute(), folder.absolute())).as_posix()
    if path.is_symlink() and path.suffix == ".sh":  # which is run where the link lies
        return named
    real = Path(os.path.relpath(path.resolve(), folder.resolve())).as_posix()
    if real.startswith("../"):
        raise InputError(f"{path}: a link to {path.resolve()}, outside of {folder}; ask for that file itself")
    return real


def outside_of(asked: Mapping[Path, Names]) -> Iterator[tuple[Path, Path]]:
    """The folders of single files, with the repository around each whose other folders are not looked at."""
    for root, names in asked.items():
        repository = repository_of(root.absolute()) if names else None
        if repository is not None and repository[0].resolve() != root.resolve():
            yield root, repository[0]


def outermost(asked: Mapping[Path, Names], exclude: Callable[[Path], Sequence[str]]) -> dict[Path, Names]:
    """Without what is audited with a folder around it anyway, so that nothing is found twice.

    What that folder leaves out (its ignore file, `exclude`) and is asked for by itself stays.

    Args:
        asked: folders, with the files in each that are asked for.
        exclude: the patterns of paths that the audit of a folder leaves out.
    """
    around = [root for root, names in asked.items() if names == EVERYTHING]

    def is_covered(inner: Path, names: Names) -> bool:
        for outer in around:
            if outer.resolve() in inner.resolve().parents:
                prefix = inner.resolve().relative_to(outer.resolve()).as_posix()
                wanted = {f"{prefix}/{name}" for name in names or _code(inner, ())}
                if wanted <= _code(outer, exclude(outer)):
                    return True
        return False

    return {root: names for root, names in asked.items() if not is_covered(root, names)}


def _code(root: Path, exclude: Sequence[str]) -> set[str]:
    files = discover(root, exclude).files
    return {name for kind in CODE for name in files[kind]}


def audit_paths(asked: Mapping[Path, Names], audit: Callable[[Path, Names], Audited]) -> Audited:
    """Audit each folder and join the results; paths of findings start from the one folder, or from the common one.

    Args:
        asked: the folders, with the files in each that are asked for.
        audit: audits one folder, for some files.
    """
    results = [audit(root, names) for root, names in asked.items()]
    return results[0] if len(results) == 1 else _join(results)


def part_of(audited: Audited, names: Names) -> Audited:
    """The part of the audit of a folder that is asked for: all of it, or what touches some files.

    Raises:
        InputError: none of the files could be read.
    """
    if not names:
        return audited

    def touches(finding: Finding) -> bool:
        places = [step.location for step in finding.trail]
        return any(place.path in names for place in (finding.location, *places) if place is not None)

    unread = {path: f"{path}:{line}: {reason}" for path, line, reason in audited.coverage.failed}
    if all(name in unread and not name.endswith(".ipynb") for name in names):  # of a notebook, a cell may be left out
        raise InputError(f"could not be read: {'; '.join(unread[name] for name in sorted(names))}")
    return replace(
        audited,
        findings=tuple(finding for finding in audited.findings if touches(finding)),
        unresolved=tuple(each for each in audited.unresolved if each.location.path in names),
        passed=tuple(each for each in audited.passed if each.location.path in names),
    )


def _join(results: Sequence[Audited]) -> Audited:
    root = Path(os.path.commonpath([result.root.absolute() for result in results]))
    moved = [_moved(result, root) for result in results]
    return Audited(
        root=root,
        findings=tuple(finding for result in moved for finding in result.findings),
        unresolved=tuple(each for result in moved for each in result.unresolved),
        passed=tuple(each for result in moved for each in result.passed),
        coverage=Coverage(
            files=sum(result.coverage.files for result in moved),
            parsed=sum(result.coverage.parsed for result in moved),
            failed=tuple(each for result in moved for each in result.coverage.failed),
            loaders=sum(result.coverage.loaders for result in moved),
            loaders_resolved=sum(result.coverage.loaders_resolved for result in moved),
        ),
        rules={name: rule for result in moved for name, rule in result.rules.items()},
        ignored=sum(result.ignored for result in moved),
        older=sum(result.older for result in moved),
        fixed=tuple(finding for result in moved for finding in result.fixed),
    )


def _moved_fix(fix: Fix, prefix: str) -> Fix:
    return replace(fix, edits=tuple(replace(edit, path=prefix + edit.path) for edit in fix.edits))


_Placed = TypeVar("_Placed", Step, Unresolved, Passed)


def _moved(audited: Audited, root: Path) -> Audited:
    """The same result with paths that start from another folder."""
    inner = audited.root.absolute().relative_to(root).as_posix()
    prefix = "" if inner == "." else f"{inner}/"

    def place(location: Location) -> Location:
        return replace(location, path=prefix + location.path)

    def put(placed: _Placed) -> _Placed:
        return replace(placed, location=place(placed.location))

    def moved(finding: Finding) -> Finding:
        return replace(
            finding,
            location=None if finding.location is None else place(finding.location),
            trail=tuple(put(step) for step in finding.trail),
            fix=None if finding.fix is None else _moved_fix(finding.fix, prefix),
        )

    return replace(
        audited,
        root=root,
        findings=tuple(moved(finding) for finding in audited.findings),
        fixed=tuple(moved(finding) for finding in audited.fixed),
        unresolved=tuple(put(each) for each in audited.unresolved),
        passed=tuple(put(each) for each in audited.passed),
        coverage=replace(
            audited.coverage,
            failed=tuple((prefix + path, line, reason) for path, line, reason in audited.coverage.failed),
        ),
    )
