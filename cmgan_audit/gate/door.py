"""The static door as the gate uses it: a folder in, records out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

from cmgan_audit.facts.loading.declared import NO_ROLES, DeclaredRoles
from cmgan_audit.finding import Finding
from cmgan_audit.gate.audited import CollectedLike, Look, Parameters
from cmgan_audit.rules.matching import Matches
from cmgan_audit.rules.record import Record


def collect(
    root: Path,
    exclude: Sequence[str],
    declared: DeclaredRoles = NO_ROLES,
    overlay: Mapping[str, bytes] = MappingProxyType({}),
    *,
    jobs: int | None = None,
    cached: bool = False,
) -> CollectedLike:
    """Collect the records of a training repository, without the paths that its settings exclude.

    Args:
        root: its folder.
        exclude: patterns of paths that are left out.
        declared: roles of loaders that the project declares.
        overlay: contents that count instead of those on disk, by path.
        jobs: the largest number of processes; by default as many as there are processors.
        cached: whether answers of earlier audits are used and new ones kept.

    Raises:
        InputError: the folder holds no Python file.
        UsageError: the project declares two roles for one loader.
    """
    from cmgan_audit.facts.audit import collect as collect_facts  # the collectors are only loaded when they run
    from cmgan_audit.facts.units.following import Effort
    from cmgan_audit.facts.units.workers import usual_jobs

    effort = Effort(usual_jobs() if jobs is None else jobs, cached)
    return collect_facts(root, exclude, declared, overlay, effort)


def mend(
    findings: Sequence[Finding], matches: Matches, records: Sequence[Record], parameters: Parameters, look: Look
) -> list[Finding]:
    """The same findings, each with the edits that would mend it, or why its shape gets none.

    Args:
        findings: what the rules found.
        matches: what the rules said, with the records behind each finding.
        records: all records of the tree.
        parameters: per rule, what the rules went by.
        look: the folder as the collectors saw it.
    """
    from cmgan_audit.fixes.repair import FIXERS, with_fixes
    from cmgan_audit.source.tree import SourceTree

    if not any(finding.rule in FIXERS for finding in findings):
        return list(findings)
    tree = SourceTree(look.root, look.exclude, overlay=look.overlay)
    return with_fixes(findings, matches.subjects, records, parameters, tree)


def load_kinds() -> None:
    """Make the kinds of record known, so that rules can be checked against them."""
    import cmgan_audit.facts.audit  # noqa: F401 - importing declares them
