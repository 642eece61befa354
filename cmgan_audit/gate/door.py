"""The static door as the gate uses it: a folder in, records out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

from cmgan_audit.facts.declared import NO_ROLES, DeclaredRoles
from cmgan_audit.gate.audited import CollectedLike


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


def load_kinds() -> None:
    """Make the kinds of record known, so that rules can be checked against them."""
    import cmgan_audit.facts.audit  # noqa: F401 - importing declares them
