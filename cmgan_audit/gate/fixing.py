"""`--fix` and `--diff`: fixes are tried in memory, held against another audit, and kept when their finding is gone.

Fixes whose edits overlap wait for the next round, in which the tree is audited again with those made so far. A fix
after which its finding is still there, or has only become undecidable, or after which a file no longer parses, is taken
back. Nothing is written here (`gate/writing.py` does).
"""

from __future__ import annotations

import ast
import warnings
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import field, replace
from pathlib import Path

from cmgan_audit.finding import Edit, Finding
from cmgan_audit.fixes.document import Document, overlap
from cmgan_audit.gate.audited import Audited
from cmgan_audit.lazy_dataclasses import dataclass
from cmgan_audit.source.data_files.formats import dialect_of, read_data
from cmgan_audit.source.data_files.nodes import DataError

# One round for the findings themselves, more for edits that overlap and for what only shows after a fix.
MOST_ROUNDS = 8

# Audits the folder with contents that count instead of those on disk.
AuditWith = Callable[[Mapping[str, bytes]], Audited]
_Key = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Change:
    """A file before and after the fixes."""

    before: bytes
    after: bytes


@dataclass(frozen=True, slots=True)
class Fixed:
    """What fixing came to.

    Attributes:
        audited: the audit of the fixed tree; its `fixed` are the findings that are mended.
        changes: the files that differ, by path.
    """

    audited: Audited
    changes: Mapping[str, Change]


def applicable(finding: Finding, *, unsafe: bool) -> bool:
    """Whether a finding has edits that may be made."""
    fix = finding.fix
    return fix is not None and bool(fix.edits) and (unsafe or fix.safety == "safe")


def fix_tree(root: Path, audit: AuditWith, *, unsafe: bool) -> Fixed:
    """Mend what can be mended, in memory.

    Args:
        root: the audited folder.
        audit: audits it, with contents that count instead of those on disk.
        unsafe: also make fixes that change what the program computes.
    """
    state = _State(root, audit({}))
    refused: set[_Key] = set()
    mended: list[Finding] = []
    for _ in range(MOST_ROUNDS):
        open_fixes = [each for each in state.audited.open if applicable(each, unsafe=unsafe)]
        chosen = _without_overlap(each for each in open_fixes if _key(each) not in refused)
        if not chosen:
            break
        state, made = _make(state, chosen, audit)
        mended += made
        refused |= {_key(finding) for finding in chosen if finding not in made}
    return Fixed(replace(state.audited, fixed=tuple(mended)), state.changes())


def _make(state: _State, chosen: list[Finding], audit: AuditWith) -> tuple[_State, list[Finding]]:
    """Make some fixes, without those that do not mend their finding; the state after them, and those made."""
    parsing = [finding for finding in chosen if state.still_parses([finding])]
    while parsing:
        tried = state.with_edits(parsing, audit)
        mending = [finding for finding in parsing if not _remains(finding, state.audited, tried.audited)]
        if len(mending) == len(parsing):
            return tried, parsing
        parsing = mending
    return state, []


def _key(finding: Finding) -> _Key:
    return (finding.rule, finding.fingerprint)


def _without_overlap(findings: Iterable[Finding]) -> list[Finding]:
    """The findings, in order, whose edits do not overlap with those of an earlier one."""
    taken: list[Edit] = []
    chosen = []
    for finding in findings:
        edits = finding.fix.edits if finding.fix is not None else ()
        if not any(overlap(one, other) for one in edits for other in taken):
            chosen.append(finding)
            taken += edits
    return chosen


def _remains(finding: Finding, before: Audited, after: Audited) -> bool:
    """Whether a finding is still there after its fix, or nobody can tell any more."""
    if _count(after.open)[_key(finding)] >= _count(before.open)[_key(finding)]:
        return True
    return _undecided(finding.rule, after) > _undecided(finding.rule, before)


def _count(findings: Iterable[Finding]) -> Counter[_Key]:
    return Counter(_key(finding) for finding in findings)


def _undecided(rule: str, audited: Audited) -> int:
    return sum(each.rule == rule for each in audited.unresolved)


@dataclass(slots=True)
class _State:
    """The tree as it is with the fixes so far."""

    root: Path
    audited: Audited
    contents: dict[str, bytes] = field(default_factory=dict)

    def still_parses(self, findings: Sequence[Finding]) -> bool:
        """Whether every file parses after some fixes."""
        return all(_parses(path, content) for path, content in self._edited(findings).items())

    def with_edits(self, findings: Sequence[Finding], audit: AuditWith) -> _State:
        """The state after some more fixes."""
        contents = {**self.contents, **self._edited(findings)}
        return _State(self.root, audit(contents), contents)

    def _edited(self, findings: Sequence[Finding]) -> dict[str, bytes]:
        by_path: dict[str, list[Edit]] = {}
        for finding in findings:
            for edit in finding.fix.edits if finding.fix is not None else ():
                by_path.setdefault(edit.path, []).append(edit)
        return {path: Document(path, self._content(path)).apply(edits) for path, edits in by_path.items()}

    def _content(self, path: str) -> bytes:
        return self.contents[path] if path in self.contents else (self.root / path).read_bytes()

    def changes(self) -> dict[str, Change]:
        """The files that differ from those on disk."""
        pairs = {path: Change((self.root / path).read_bytes(), after) for path, after in sorted(self.contents.items())}
        return {path: change for path, change in pairs.items() if change.before != change.after}


def _parses(path: str, content: bytes) -> bool:
    if path.endswith((".py", ".pyw")):
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                ast.parse(content)
        except (SyntaxError, ValueError):
            return False
        return True
    dialect = dialect_of(path)
    if dialect is None:
        return True  # a launcher: words of its lines were changed, never their shape
    try:
        read_data(path, content, dialect)
    except DataError:
        return False
    return True
