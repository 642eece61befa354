"""The baseline: findings that are known and do not fail the gate, by rule and symbolic place instead of line."""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import field, replace
from pathlib import Path
from typing import Any

from cmgan_audit.errors import UsageError
from cmgan_audit.finding import Finding, fingerprint_of
from cmgan_audit.gate.git import Repository
from cmgan_audit.gate.torn import is_torn, sides
from cmgan_audit.lazy_dataclasses import dataclass

SCHEMA = "cmgan-audit/baseline/v1"
STALE = "CMG906"


@dataclass(frozen=True, slots=True)
class Entry:
    """One known finding: what makes its fingerprint, the fingerprint, how often it occurs, and the line it is on."""

    rule: str
    path: str
    anchor: str
    fingerprint: str
    count: int = 1
    line: int = field(default=1, compare=False)

    def under(self, path: str) -> Entry:
        """The same in another file, or as that file's path reads from elsewhere."""
        return replace(self, path=path, fingerprint=fingerprint_of(self.rule, path, self.anchor))


@dataclass(frozen=True, slots=True)
class Baseline:
    """The known findings of a folder, and the commit at which they were written down (for renamed files).

    `root` is the folder, None where the file does not say it. `complete` is false where the entries are those of
    another folder: that one of them is not found says nothing then. `file` is where they were read from.
    """

    entries: tuple[Entry, ...] = ()
    commit: str | None = None
    root: Path | None = None
    complete: bool = True
    file: Path | None = None

    def seen_from(self, root: Path) -> Baseline:
        """The same as it reads from a folder inside of its own, or from one around it."""
        here, own = root.resolve(), self.root
        if own is None or own == here or not (own.is_relative_to(here) or here.is_relative_to(own)):
            return self
        moved = []
        for entry in self.entries:
            name = Path(os.path.relpath(own / entry.path, here)).as_posix()  # settings may lie above both
            moved.append(entry.under(name))
        return replace(self, entries=tuple(moved), root=here, complete=False)


def read_baseline(path: Path) -> Baseline:
    """Read a baseline file.

    Raises:
        UsageError: the file cannot be read, is no baseline, or has marks of a merge.
    """
    text = _text(path)
    if is_torn(text):
        said = "has marks of a merge; --prune-baseline keeps the entries of both sides that are still found"
        raise UsageError(f"baseline {path}: {said}")
    return _read(path, text)


def read_both_sides(path: Path) -> Baseline:
    """Read a baseline file; of one that a merge left torn the entries of both sides.

    Raises:
        UsageError: the file cannot be read or is no baseline.
    """
    text = _text(path)
    if not is_torn(text):
        return _read(path, text)
    ours, theirs = (_read(path, side) for side in sides(text))
    entries = {entry.fingerprint: entry for entry in ours.entries}
    for entry in theirs.entries:
        same = entries.get(entry.fingerprint)
        if same is None or same.count < entry.count:
            entries[entry.fingerprint] = entry
    return replace(ours, entries=ordered(entries.values()))


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise UsageError(
            f"baseline {path}: cannot be read: {error.strerror or error}; --write-baseline makes one"
        ) from error
    except ValueError as error:
        raise UsageError(f"baseline {path}: is not UTF-8: {error}") from error


def _read(path: Path, text: str) -> Baseline:
    try:
        document = json.loads(text)
    except ValueError as error:
        raise UsageError(f"baseline {path}: is not JSON: {error}") from error
    schema = document.get("schema") if isinstance(document, dict) else None
    if schema != SCHEMA:
        said = "is no baseline" if schema is None else f"'schema' is {schema!r}"
        raise UsageError(f"baseline {path}: {said}; this version reads {SCHEMA!r}, which --write-baseline makes")
    findings = document.get("findings")
    if not isinstance(findings, list):
        raise UsageError(f"baseline {path}: 'findings' is not a list")
    commit, root = document.get("commit"), document.get("root")
    entries = (_entry(path, number, each) for number, each in enumerate(findings))
    return Baseline(
        tuple(replace(entry, line=text.count("\n", 0, text.find(entry.fingerprint)) + 1) for entry in entries),
        commit if isinstance(commit, str) else None,
        (path.parent / root).resolve() if isinstance(root, str) else None,
        file=path,
    )


def _entry(path: Path, number: int, content: Any) -> Entry:
    place = f"baseline {path}: findings[{number}]"
    if not isinstance(content, dict):
        raise UsageError(f"{place} is not an object")
    for key in ("rule", "path", "anchor", "fingerprint"):
        if not isinstance(content.get(key), str):
            raise UsageError(f"{place}: {key!r} is not a text")
    count = content.get("count", 1)
    if isinstance(count, bool) or not isinstance(count, int) or count < 1:
        raise UsageError(f"{place}: 'count' is {count!r}, not a whole number from 1 on")
    return Entry(content["rule"], content["path"], content["anchor"], content["fingerprint"], count)


def baseline_of(findings: Sequence[Finding], root: Path) -> Baseline:
    """Make a baseline of the findings that are not suppressed."""
    kept = [finding for finding in findings if finding.suppressed is None and finding.rule != STALE]
    counts = Counter(finding.fingerprint for finding in kept)
    entries = {
        finding.fingerprint: Entry(
            finding.rule,
            "" if finding.location is None else finding.location.path,
            finding.anchor,
            finding.fingerprint,
            counts[finding.fingerprint],
        )
        for finding in kept
    }
    return Baseline(ordered(entries.values()), Repository(root).head(), root.resolve())


def ordered(entries: Iterable[Entry]) -> tuple[Entry, ...]:
    """Entries in the order of the file."""
    return tuple(sorted(entries, key=lambda entry: (entry.path, entry.rule, entry.anchor)))


def write_baseline(path: Path, baseline: Baseline) -> None:
    """Write a baseline file; equal findings at one commit give equal bytes.

    Raises:
        UsageError: the file cannot be written.
    """
    root = _beside(path, baseline.root)
    document = {
        "schema": SCHEMA,
        "commit": baseline.commit,
        **({} if root is None else {"root": root}),
        "findings": [
            {
                "rule": entry.rule,
                "path": entry.path,
                "anchor": entry.anchor,
                "fingerprint": entry.fingerprint,
                **({"count": entry.count} if entry.count > 1 else {}),
            }
            for entry in baseline.entries
        ],
    }
    try:
        path.write_text(json.dumps(document, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    except OSError as error:
        raise UsageError(f"baseline {path}: cannot be written: {error.strerror or error}") from error


def _beside(path: Path, root: Path | None) -> str | None:
    """How the folder reads from the baseline file, where one of them lies in the other."""
    home = path.parent.resolve()
    if root is None or not (root.is_relative_to(home) or home.is_relative_to(root)):
        return None
    return Path(os.path.relpath(root, home)).as_posix()
