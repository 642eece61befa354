"""The static door: a folder in, records out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import field, replace
from pathlib import Path
from types import MappingProxyType

from cmgan_audit.facts.collectors import TREE_COLLECTORS
from cmgan_audit.facts.loading.declared import NO_ROLES, DeclaredRoles
from cmgan_audit.facts.loading.merging import merge
from cmgan_audit.facts.observing import merge_observed
from cmgan_audit.facts.records import Loader
from cmgan_audit.facts.units.answer import Follower
from cmgan_audit.facts.units.cache import AnswerCache
from cmgan_audit.facts.units.following import ALONE, Effort, answers_of
from cmgan_audit.finding import Step
from cmgan_audit.lazy_dataclasses import dataclass
from cmgan_audit.program.execution.depth import deeply
from cmgan_audit.rules.matching import Unresolved
from cmgan_audit.rules.record import Known, OneOf, Record, Unknown
from cmgan_audit.source.consulted import Consulted, Questions
from cmgan_audit.source.tree import SourceTree
from cmgan_audit.source.user_cache import cache_folder

# The name of the answer about a whole tree among those about its scripts.
_WHOLE = "tree"


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
    """What the collectors made of a tree.

    Attributes:
        records: what rules judge.
        coverage: how much was seen.
        unresolved: what the collectors themselves could not find out.
        unmatched: the declarations of roles that no loader answers to.
        asked: the questions to the tree that all this was made from; empty where nobody keeps it.
    """

    records: tuple[Record, ...] = ()
    coverage: Coverage = field(default_factory=Coverage)
    unresolved: tuple[Unresolved, ...] = ()
    unmatched: tuple[str, ...] = ()
    asked: Questions = field(default=(), compare=False)


def collect(
    root: Path,
    exclude: Sequence[str] = (),
    declared: DeclaredRoles = NO_ROLES,
    overlay: Mapping[str, bytes] = MappingProxyType({}),
    effort: Effort = ALONE,
) -> Collected:
    """Collect the records of a training repository.

    Args:
        root: its folder, or a single Python file.
        exclude: patterns of paths that are left out, as in .gitignore.
        declared: roles of loaders that the project declares.
        overlay: contents that count instead of those on disk, by path: what files would hold after a fix.
        effort: how many processes, and whether earlier answers may be used; it changes nothing of the result.

    Raises:
        InputError: there is nothing to analyse.
        UsageError: the project declares two roles for one loader.
    """

    def work() -> Collected:
        tree = SourceTree(root, exclude, overlay=overlay)
        collected = _followed(tree, declared, effort, kept=not overlay)
        if not root.is_dir():
            return collected
        # Not kept: what lies beside the code, and how old it is, is no question that is put to the tree.
        with tree.watched() as more:
            beside = [record for look in TREE_COLLECTORS for record in look(tree, exclude, collected.records)]
        return replace(collected, records=(*collected.records, *beside), asked=_all_asked(tree, collected.asked, more))

    return deeply(work)


def _followed(tree: SourceTree, declared: DeclaredRoles, effort: Effort, *, kept: bool) -> Collected:
    folder = cache_folder(tree.root) if effort.cached and kept else None
    cache = None if folder is None else AnswerCache(folder, tree, repr(declared))
    known = cache.read(_WHOLE, Collected) if cache is not None else None
    if known is not None:
        return known
    with tree.watched() as consulted:
        collected = _computed(tree, declared, effort, cache)
    if cache is not None:
        settled = tree.settled(consulted)
        collected = replace(collected, asked=settled.questions())
        cache.write(_WHOLE, collected, settled)
    return collected


def _all_asked(tree: SourceTree, asked: Questions, more: Consulted) -> Questions:
    """All questions to a tree; every listed file counts, since each may hold a comment that suppresses a finding."""
    if not asked:
        return ()
    listed = (tree.python_files, tree.notebooks, tree.data_files, tree.launcher_files, tree.requirement_files)
    every = Consulted(*map(set, asked))
    every.add(tree.settled(more))
    every.contents.update(path for group in listed for path in group)
    return every.questions()


def _computed(tree: SourceTree, declared: DeclaredRoles, effort: Effort, cache: AnswerCache | None) -> Collected:
    answers = answers_of(Follower(tree, declared), effort, cache)
    seen = [each for answer in answers for each in answer.seen]
    loaders = merge(seen)
    records = (*_records(loaders), *merge_observed(each for answer in answers for each in answer.observed))
    used = {each.loader.declared for each in seen}
    unmatched = tuple(pattern for pattern in declared if pattern not in used)
    limits = [step for answer in answers for step in answer.limits]
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
    # A notebook whose broken cells are left out is read all the same.
    unread = [path for path in files & {path for path, _, _ in failed} if tree.parsed(path) is None]
    places: dict[object, bool] = {}
    for loader in loaders:
        places[loader.location] = places.get(loader.location, True) and isinstance(loader.batch_size, Known | OneOf)
    return Coverage(
        files=len(files),
        parsed=len(files) - len(unread),
        failed=failed,
        loaders=len(places),
        loaders_resolved=sum(places.values()),
    )


def _unresolved(loaders: Sequence[Loader], limits: Sequence[Step]) -> tuple[Unresolved, ...]:
    """What rules cannot say by themselves: evaluation loaders with an unknown batch, and where execution stopped."""
    found = [
        Unresolved("CMG202", loader.location, f"batch_size: {loader.batch_size.reason}")
        for loader in loaders
        if isinstance(loader.batch_size, Unknown) and loader.evaluates
    ]
    found += [Unresolved("CMG101", step.location, step.note) for step in limits]
    return tuple(dict.fromkeys(found))
