"""What a baseline says about an audit, and the baseline that takes its place: renamed things stay known."""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path

from cmgan_audit.errors import UsageError
from cmgan_audit.finding import Finding, Location
from cmgan_audit.gate.audited import Audited
from cmgan_audit.gate.baseline import STALE, Baseline, Entry, ordered
from cmgan_audit.gate.counterparts import Counterparts
from cmgan_audit.gate.git import GitError, Repository
from cmgan_audit.gate.known import Changed, KnownFindings
from cmgan_audit.gate.older_names import OlderNames
from cmgan_audit.gate.since import AuditTree, laid_out
from cmgan_audit.lazy_dataclasses import dataclass
from cmgan_audit.rules.catalogue import Catalogue


@dataclass(frozen=True, slots=True)
class Applied:
    """Findings with the known ones marked, and the entries that nothing matches any more."""

    findings: tuple[Finding, ...]
    stale: tuple[Entry, ...]


def apply_baseline(findings: Sequence[Finding], baseline: Baseline, root: Path, audit_tree: AuditTree) -> Applied:
    """Mark the findings that the baseline knows.

    A finding is looked up as it would have been then, too: in a file that git sees as renamed since, in a class or
    function that was renamed or came out of another one, about a variable that was renamed or a value that went into a
    new file of settings. Where entries of its rule are left, or a known one stands in what was changed, the tree
    of then is audited again, for what stands now where one of them stood.

    Args:
        findings: all findings.
        baseline: the known ones, as they read from the folder.
        root: the audited folder.
        audit_tree: audits another folder in the same way.
    """
    past = _Past(baseline, root)
    known = KnownFindings(
        Counter({entry.fingerprint: entry.count for entry in baseline.entries}),
        {entry.fingerprint: entry.rule for entry in baseline.entries},
        lambda: past.changed_lines,
    )
    open_ones = [number for number, finding in enumerate(findings) if finding.suppressed is None]
    waiting = known.unknown(findings, open_ones, lambda finding: finding)
    for older in past if waiting and known.left.total() else ():
        for stage in older.stages:
            with contextlib.suppress(GitError):  # a partial clone lacks the older text: all keep their names then
                waiting = known.unknown(findings, waiting, stage)
    looked = False
    for older in past:
        rules = {findings[number].rule for number in waiting}
        gone = any(known.left[entry.fingerprint] for entry in baseline.entries if entry.rule in rules)
        if not gone and (looked or not known.in_changed_files(findings)):
            continue
        with contextlib.suppress(GitError), laid_out(Repository(root), older.commit) as before:
            places = Counterparts(before, root, older.files)
            if gone or known.in_changed_places(findings, places):
                waiting = known.unknown_by_place(findings, waiting, audit_tree(before), places)
            looked = True
    found = {*open_ones} - {*waiting}
    left = ((entry, known.left[entry.fingerprint]) for entry in baseline.entries)
    return Applied(
        tuple(replace(each, baselined=True) if number in found else each for number, each in enumerate(findings)),
        tuple(replace(entry, count=count) for entry, count in left if count),
    )


def lacks_history(baseline: Baseline, root: Path) -> bool:
    """Whether the commit of a baseline is none that a shallow clone holds: what was renamed since may then look new."""
    repository = Repository(root)
    if baseline.commit is None or not repository.exists():
        return False
    return repository.is_shallow() and not repository.has(baseline.commit)


def prune(baseline: Baseline, audited: Audited, root: Path, audit_tree: AuditTree) -> Baseline:
    """Return the baseline without the entries that nothing matches; entries of rules that did not run stay.

    Args:
        baseline: what is pruned.
        audited: the audit of the folder, without a baseline.
        root: the folder.
        audit_tree: audits another folder in the same way.

    Raises:
        UsageError: it is the baseline of another folder.
    """
    if not baseline.seen_from(root).complete:
        raise UsageError(f"--prune-baseline: the baseline is that of {baseline.root}; prune it there")
    stale = {
        entry.fingerprint: entry.count
        for entry in apply_baseline(audited.findings, baseline, root, audit_tree).stale
        if entry.rule in audited.rules
    }
    kept = [replace(entry, count=entry.count - stale.get(entry.fingerprint, 0)) for entry in baseline.entries]
    return replace(baseline, entries=tuple(entry for entry in kept if entry.count))


def with_commit_of(before: Baseline, made: Baseline, findings: Sequence[Finding], root: Path) -> Baseline:
    """A new baseline with the commit of the one whose place it takes, where all names read the same there.

    So a branch that writes the file anew does not change that line, and nothing about it has to be merged.
    """
    with contextlib.suppress(GitError):
        older = next(iter(_Past(before, root)), None)
        if older is not None and older.commit == before.commit:
            same = all(older.of_variable(finding).fingerprint == finding.fingerprint for finding in findings)
            return replace(made, commit=before.commit) if same else made
    return made


def with_others(made: Baseline, before: Baseline, running: Collection[str]) -> Baseline:
    """A baseline of the rules that ran, with the entries that an older one has of other rules.

    Args:
        made: the findings of the rules that ran.
        before: the baseline that it takes the place of.
        running: the ids of the rules that ran.
    """
    seen = before if made.root is None else before.seen_from(made.root)
    newer: dict[str, str] = {}
    with contextlib.suppress(GitError):
        for older in () if made.root is None else _Past(seen, made.root):
            newer = {old: new for new, old in older.files.items()} | newer
    others = [
        entry.under(newer[entry.path]) if entry.path in newer else entry
        for entry in seen.entries
        if entry.rule not in running
    ]
    return replace(made, entries=ordered([*made.entries, *others]))


class _Past:
    """The names that hold in a baseline, as far as git tells: those of the commit that it names, and those of the last
    commit that changed its file, which also stands for a commit that is gone (a branch was squashed or rebased).
    """

    def __init__(self, baseline: Baseline, root: Path) -> None:
        self._baseline = baseline
        self._repository = Repository(root)

    def __iter__(self) -> Iterator[OlderNames]:
        return (OlderNames(self._repository, commit) for commit in self._commits)

    @cached_property
    def changed_lines(self) -> Changed:
        """The lines that changed since; none where git does not tell."""
        with contextlib.suppress(GitError):
            return self._repository.changed_lines(self._commits[-1]) if self._commits else {}
        return {}

    @cached_property
    def _commits(self) -> list[str]:
        named, file = self._baseline.commit, self._baseline.file
        if named is None or not self._repository.exists():
            return []
        last = None if file is None else self._repository.last_change(file)
        found = [named if self._repository.has(named) else None, last]
        return [*dict.fromkeys(commit for commit in found if commit is not None)]


def stale_findings(stale: Sequence[Entry], catalogue: Catalogue, running: Collection[str], path: str) -> list[Finding]:
    """Make a finding of every entry of a rule that ran and that nothing matches any more.

    Args:
        stale: the entries.
        catalogue: holds the rule that these findings are of.
        running: the ids of the rules that ran.
        path: the baseline file, relative to the audited folder.
    """
    rule = catalogue[STALE]
    if rule.id not in running:
        return []
    return [
        rule.finding(
            {"known": entry.rule, "place": f"{entry.path} {entry.anchor}".strip(), "baseline": path},
            location=Location(path, entry.line),
            anchor=entry.fingerprint,
        )
        for entry in stale
        if entry.rule in running
    ]
