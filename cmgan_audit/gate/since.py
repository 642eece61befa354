"""`--since REF`: the whole tree is audited at both commits, and only what is new is left."""

from __future__ import annotations

import contextlib
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from cmgan_audit.finding import Finding
from cmgan_audit.gate.counterparts import Counterparts
from cmgan_audit.gate.git import Repository
from cmgan_audit.gate.known import Changed, KnownFindings, is_changed
from cmgan_audit.gate.older_names import OlderNames
from cmgan_audit.source.discovery import kind_of

# Audits a folder as the tree at hand is audited.
AuditTree = Callable[[Path], Sequence[Finding]]


def under_pre_commit(reference: str, environment: Mapping[str, str]) -> str:
    """What the reference of a pre-commit hook stands for.

    At a push, and with `--from-ref`, what is looked at is committed already: beside HEAD nothing of it would be new.
    pre-commit then says from where it looks, and means the changes since the two parted.

    Args:
        reference: what `--since` names.
        environment: the variables of the process.
    """
    start = environment.get("PRE_COMMIT_FROM_REF", "")
    return f"{start}..." if reference == "HEAD" and start else reference


def earlier_commit(reference: str, root: Path) -> str | None:
    """Return the full hash of the commit to compare with; None before the first commit, when everything is new.

    Args:
        reference: a commit, branch or tag; `main...` for the commit at which the checked-out one left main.
        root: the audited folder.

    Raises:
        GitError: the folder is in no git repository, or the reference names no commit.
    """
    repository = Repository(root)
    if reference == "HEAD" and repository.head() is None and repository.exists():
        return None  # as a pre-commit hook sees it
    return repository.commit(reference)


def new_since(commit: str, root: Path, findings: Sequence[Finding], audit_tree: AuditTree) -> tuple[list[Finding], int]:
    """Return the findings that the tree at a commit did not have, and how many it had already.

    Files that git sees as renamed are compared under their older name, and so are renamed classes, functions and
    variables, functions that came out of others, and values that went into a new file of settings. What stands now
    where an older finding stood is that one, whatever it is called; what is called as one was, but stands in what was
    changed, where no older one stood, is new. In a new finding the step on a changed line comes first: it tells the
    reader of the change why it appears now. A finding in a file that git ignores, such as a checkpoint beside the code,
    or in a checkpoint whose age the repository tells, cannot be looked for in the older tree: it is new where its trail
    passes a changed line, or with its file.

    Args:
        commit: the full hash of the commit.
        root: the audited folder, with uncommitted changes.
        findings: what was found there.
        audit_tree: audits another folder in the same way.

    Raises:
        GitError: git cannot read the commit.
    """
    repository = Repository(root)
    older = OlderNames(repository, commit)
    changed = repository.changed_lines(commit)
    tracked, differ = repository.tracked(commit), repository.changed_files(commit)
    dated = {name for name in tracked if not kind_of(name) and name not in differ}
    seen = {*tracked, *changed} - dated
    with laid_out(repository, commit) as before:
        earlier = [finding for finding in audit_tree(before) if finding.suppressed is None]
        known = {finding.fingerprint: finding.rule for finding in earlier}
        left = KnownFindings(Counter(finding.fingerprint for finding in earlier), known, lambda: changed)
        waiting = [*range(len(findings))]
        for name in older.stages:
            waiting = left.unknown(findings, waiting, name)
        places = Counterparts(before, root, older.files)
        waiting = left.unknown_by_place(findings, waiting, earlier, places)
    new = []
    for finding in (findings[number] for number in waiting):
        if finding.location is not None and finding.location.path not in seen and not _is_new(finding, changed):
            continue
        new.append(_changed_first(finding, changed))
    return new, len(findings) - len(new)


@contextlib.contextmanager
def laid_out(repository: Repository, commit: str) -> Iterator[Path]:
    """The folder as it was at a commit, in a folder that is there meanwhile.

    Raises:
        GitError: git cannot read the commit.
    """
    with tempfile.TemporaryDirectory(prefix="cmgan-audit-") as folder:
        before = Path(folder) / "tree"
        before.mkdir()
        repository.lay_out(commit, before)
        yield before


def _is_new(finding: Finding, changed: Changed) -> bool:
    return any(is_changed(step.location, changed) for step in finding.trail)


def _changed_first(finding: Finding, changed: Changed) -> Finding:
    first = next((step for step in finding.trail if is_changed(step.location, changed)), None)
    if first is None or first is finding.trail[0]:
        return finding
    return replace(finding, trail=(first, *(step for step in finding.trail if step is not first)))
