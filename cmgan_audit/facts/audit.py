"""The static door: a folder in, records out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType

from cmgan_audit.facts.collectors import COLLECTORS
from cmgan_audit.facts.declared import NO_ROLES, DeclaredRoles
from cmgan_audit.facts.loaders import loaders_of
from cmgan_audit.facts.merging import Seen, merge
from cmgan_audit.facts.names import Assigned
from cmgan_audit.facts.observing import Observed, merge_observed
from cmgan_audit.facts.records import Loader
from cmgan_audit.facts.requirements import TorchRange
from cmgan_audit.facts.roles import leaning
from cmgan_audit.facts.scene import look_at
from cmgan_audit.facts.view import View
from cmgan_audit.finding import Step
from cmgan_audit.program.runs import execute
from cmgan_audit.rules.matching import Unresolved
from cmgan_audit.rules.record import Fact, Known, OneOf, Record, Unknown
from cmgan_audit.source.tree import SourceTree


@dataclass(frozen=True, slots=True)
class Coverage:
    """How much of a tree was seen.

    Attributes:
        files: number of Python files and notebooks.
        parsed: those of them that could be read.
        failed: what could not be read, with line and reason.
        loaders: number of places that make a data loader.
        loaders_resolved: those of them whose batch size is known.
    """

    files: int = 0
    parsed: int = 0
    failed: tuple[tuple[str, int, str], ...] = ()
    loaders: int = 0
    loaders_resolved: int = 0


@dataclass(frozen=True, slots=True)
class Collected:
    """What the collectors made of a tree; `unmatched` are the declarations of roles that no loader answers to."""

    records: tuple[Record, ...] = ()
    coverage: Coverage = field(default_factory=Coverage)
    unresolved: tuple[Unresolved, ...] = ()
    unmatched: tuple[str, ...] = ()


def collect(
    root: Path,
    exclude: Sequence[str] = (),
    declared: DeclaredRoles = NO_ROLES,
    overlay: Mapping[str, bytes] = MappingProxyType({}),
) -> Collected:
    """Collect the records of a training repository.

    Args:
        root: its folder, or a single Python file.
        exclude: patterns of paths that are left out, as in .gitignore.
        declared: roles of loaders that the project declares.
        overlay: contents that count instead of those on disk, by path: what files would hold after a fix.

    Raises:
        InputError: there is nothing to analyse.
        UsageError: the project declares two roles for one loader.
    """
    tree = SourceTree(root, exclude, overlay=overlay)
    assigned = Assigned(tree)
    torch = TorchRange(tree)
    seen: list[Seen] = []
    observed: list[Observed] = []
    limits: list[Step] = []
    for run in execute(tree):
        scene = look_at(run)
        if scene.made or scene.trains or leaning(Path(run.entry).stem) > 0:
            limits.extend(run.limits)  # elsewhere nothing that the rules ask about can be lost
        view = View(tree, scene, assigned, torch, tuple(loaders_of(scene, assigned, declared)))
        seen.extend(Seen(loader, run.launch.condition) for loader in view.loaders)
        found = (record for collector in COLLECTORS for record in collector(view))
        observed.extend(Observed(record, run.launch.condition) for record in found)
    loaders = merge(seen)
    records = (*_records(loaders), *merge_observed(observed))
    used = {each.loader.declared for each in seen}
    unmatched = tuple(pattern for pattern in declared if pattern not in used)
    return Collected(records, _coverage(tree, loaders), _unresolved(loaders, limits), unmatched)


def _records(loaders: Sequence[Loader]) -> list[Record]:
    """The loaders and their neighbours, each record once."""
    found: dict[int, Record] = {}
    for loader in loaders:
        neighbours = (loader, loader.dataset, loader.sampler, *loader.loops, *loader.norms)
        found.update({id(record): record for record in neighbours if record is not None})
    return list(found.values())


def _coverage(tree: SourceTree, loaders: Sequence[Loader]) -> Coverage:
    tree.parse_all()
    files = {*tree.python_files, *tree.notebooks}
    failed = tuple((failure.path, failure.line, failure.reason) for failure in tree.failures)
    places: dict[object, bool] = {}
    for loader in loaders:
        places[loader.location] = places.get(loader.location, True) and _is_known(loader.batch_size)
    return Coverage(
        files=len(files),
        parsed=len(files - {path for path, _, _ in failed}),
        failed=failed,
        loaders=len(places),
        loaders_resolved=sum(places.values()),
    )


def _unresolved(loaders: Sequence[Loader], limits: Sequence[Step]) -> tuple[Unresolved, ...]:
    """What rules cannot say by themselves: evaluation loaders with an unknown batch, and where execution stopped."""
    found = [
        Unresolved("CMG202", loader.location, f"batch_size: {loader.batch_size.reason}")
        for loader in loaders
        if isinstance(loader.batch_size, Unknown) and isinstance(loader.role, Known) and loader.role.value == "eval"
    ]
    found += [Unresolved("CMG101", step.location, step.note) for step in limits]
    return tuple(dict.fromkeys(found))


def _is_known(fact: Fact) -> bool:
    return isinstance(fact, Known | OneOf)
