"""Writing fixed files: all or none, each in one step, with the mode that it had, and nothing outside of the folder."""

from __future__ import annotations

import difflib
import os
import re
import tempfile
from collections.abc import Mapping
from dataclasses import field
from pathlib import Path

from cmgan_audit.errors import InputError
from cmgan_audit.finding import Finding
from cmgan_audit.fixes.document import Document
from cmgan_audit.gate.audited import Audited
from cmgan_audit.gate.fixing import AuditWith, Change, fix_tree
from cmgan_audit.lazy_dataclasses import dataclass


@dataclass(slots=True)
class Fixes:
    """What the command line asks of fixes: which ones, and whether to write them or to show them.

    Attributes:
        unsafe: also those that change what the program computes.
        write: into the files; otherwise `diff` shows them.
        made: the findings that are mended, so far.
        diff: the changes so far, as a unified diff with paths as they read from the current folder.
    """

    unsafe: bool
    write: bool
    made: list[Finding] = field(default_factory=list)
    diff: str = ""

    def make(self, root: Path, audit: AuditWith) -> Audited:
        """Fix one folder; return the audit of what stands in its files afterwards.

        Args:
            root: the folder.
            audit: audits it, with contents that count instead of those on disk.
        """
        fixed = fix_tree(root, audit, unsafe=self.unsafe)
        self.made += fixed.audited.fixed
        if self.write:
            write_changes(root, fixed.changes)
            return fixed.audited
        self.diff += diff(root, fixed.changes)
        return audit({})


def write_changes(root: Path, changes: Mapping[str, Change]) -> None:
    """Write the changed files.

    Every new content is written beside its file first; only when all are there do they take the files' places.

    Args:
        root: the audited folder.
        changes: the files by path.

    Raises:
        InputError: a file lies outside of the folder, has changed meanwhile, or cannot be written.
    """
    ready: list[tuple[Path, Path]] = []
    try:
        for path, change in changes.items():
            target = _target(root, path, change)
            ready.append((_beside(target, change.after), target))
        for temporary, target in ready:
            temporary.replace(target)
    except OSError as error:
        raise InputError(f"{error.filename or root}: cannot be written: {error.strerror or error}") from error
    finally:
        for temporary, _ in ready:
            temporary.unlink(missing_ok=True)


def _target(root: Path, path: str, change: Change) -> Path:
    folder = root.resolve()
    target = (folder / path).resolve()
    if not target.is_relative_to(folder) or not target.is_file():
        raise InputError(f"{path}: is no file inside {root}, so it is not written")
    if target.read_bytes() != change.before:
        raise InputError(f"{path}: has changed while it was audited, so it is not written")
    if not os.access(target, os.W_OK):
        raise InputError(f"{path}: is read-only, so it is not written")
    return target


def _beside(target: Path, content: bytes) -> Path:
    handle, name = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
    with os.fdopen(handle, "wb") as file:
        file.write(content)
        os.fchmod(file.fileno(), target.stat().st_mode & 0o7777)
    return Path(name)


def diff(root: Path, changes: Mapping[str, Change]) -> str:
    """The changes as a unified diff that `git apply` and `patch -p1` read in the current folder.

    Line ends stay as they are in the files. A folder outside of the current one is the diff's own root.
    """
    here, folder = Path.cwd(), root.resolve()
    inner = folder.relative_to(here).as_posix() if folder.is_relative_to(here) else "."
    prefix = "" if inner == "." else f"{inner}/"
    return "".join(_diff_of(prefix + path, change) for path, change in changes.items())


def _diff_of(path: str, change: Change) -> str:
    before, after = (Document(path, content).text for content in (change.before, change.after))
    lines = difflib.unified_diff(_lines(before), _lines(after), f"a/{path}", f"b/{path}")
    return "".join(line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in lines)


def _lines(text: str) -> list[str]:
    """The lines of a text as `patch` counts them, with their ends."""
    return re.findall(r"[^\n]*\n|[^\n]+$", text)
