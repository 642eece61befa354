"""Loaders of several runs: one record where the runs agree, one per configuration where they do not."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from cmgan_audit.facts.as_shown import Way, as_shown, way_of
from cmgan_audit.facts.records import OTHER, TRAIN, Loader
from cmgan_audit.facts.values import under
from cmgan_audit.finding import Location
from cmgan_audit.lazy_dataclasses import dataclass
from cmgan_audit.rules.record import Fact, Known, OneOf, Unknown, certainly

# The facts whose values may come from a launch or a configuration file.
_BY_LAUNCH = ("batch_size", "accumulated_batch", "shuffle", "drop_last", "num_workers")


@dataclass(frozen=True, slots=True)
class Seen:
    """A loader as one run makes it, and the launch configuration of that run ("" for the bare script).

    `script`: the one that runs. `unshown`: it is bare, and all that the tree ships starts it with words.
    """

    loader: Loader
    condition: str
    script: str = ""
    unshown: bool = False


def merge(seen: Iterable[Seen]) -> list[Loader]:
    """One record per loader and way in which it is set up.

    A loader is known by the place that makes it, the place that makes its dataset, and its role. Where all runs agree,
    the first record stands. Where they differ, each way keeps its record, and the facts that differ name the launch
    configuration. What a run could not find out is dropped when another run found it out.
    """
    groups: dict[object, list[Seen]] = {}
    for each in _told_elsewhere(list(seen)):
        groups.setdefault(_identity(each.loader), []).append(each)
    merged = [loader for group in groups.values() for loader in _ways(_by_processes(group))]
    return _without_vague(merged)


def _told_elsewhere(seen: Sequence[Seen]) -> Iterable[Seen]:
    """Let a sampler that another run tells the epoch count as told where that is no other loop.

    A run that only evaluates makes the training loader too and ends before its loop; one that does not know whether
    it is distributed makes the sampler and may pass over what is done for it.
    """
    told: dict[object, list[Loader]] = {}
    for each in seen:
        if each.loader.sampler is not None and certainly(each.loader.sampler.follows_epoch, True):
            told.setdefault((each.loader.location, each.loader.sampler.location), []).append(each.loader)
    for each in seen:
        yield dataclasses.replace(each, loader=_told_as(each.loader, told))


def _told_as(loader: Loader, told: Mapping[object, Sequence[Loader]]) -> Loader:
    sampler = loader.sampler
    if sampler is None or certainly(sampler.follows_epoch, True):
        return loader
    others = told.get((loader.location, sampler.location), ())
    there = {place for other in others for place in (*_trained_at(other), *_drawn_at(other))}
    if not others or not (_trained_at(loader) or _drawn_at(loader)) <= there:
        return loader
    follows = next(other.sampler for other in others if other.sampler is not None)
    sampler = dataclasses.replace(sampler, follows_epoch=follows.follows_epoch, epoch_evidence=follows.epoch_evidence)
    return dataclasses.replace(loader, sampler=sampler)


def _trained_at(loader: Loader) -> set[Location]:
    """The loops over a loader that train: a pass for statistics beside them has no epoch."""
    return {loop.location for loop in loader.loops if certainly(loop.role, TRAIN)}


def _drawn_at(loader: Loader) -> set[Location]:
    """The first loop over a loader, whatever it does; none where no loop draws from it."""
    drawn = loader.iterated
    return {drawn.location} if isinstance(drawn, Known) and drawn.value is True and drawn.location else set()


def _identity(loader: Loader) -> tuple[object, ...]:
    dataset = loader.dataset
    made = (dataset.location, dataset.name) if dataset is not None else None
    return (loader.location, made, digest(loader.role))


def _by_processes(group: Sequence[Seen]) -> list[Seen]:
    """Let the batch of a process among several stay open where the same run makes the loader for one process alone.

    `4 // gpus` where a DistributedSampler shares the items out, 4 elsewhere: whether there are several, and how many,
    depends on the machine. What one process gets alone is known.
    """
    alone: dict[str, list[Known]] = {}
    for each in group:
        batch = each.loader.batch_size
        if isinstance(batch, Known) and not _is_shared_out(each.loader):
            alone.setdefault(each.condition, []).append(batch)
    return [_among_several(each, alone.get(each.condition, ())) for each in group]


def _is_shared_out(loader: Loader) -> bool:
    return loader.sampler is not None and certainly(loader.sampler.shards, True)


def _among_several(seen: Seen, alone: Sequence[Known]) -> Seen:
    batch = seen.loader.batch_size
    if not alone or not isinstance(batch, Known) or not _is_shared_out(seen.loader):
        return seen
    if batch.value in {each.value for each in alone}:
        return seen
    formula = f"{alone[0].value} in one process, {batch.value} in each of several"
    several = Unknown("the batch depends on the number of processes", batch.trail, formula)
    return dataclasses.replace(seen, loader=dataclasses.replace(seen.loader, batch_size=several))


def _ways(group: Sequence[Seen]) -> list[Loader]:
    ways: dict[object, list[Seen]] = {}
    for each in group:
        ways.setdefault(_signature(each.loader), []).append(each)
    kept = list(ways.values())
    if len(kept) > 1:
        resolved = [way for way in kept if not _vague(way[0].loader)]
        kept = resolved or kept[:1]
        kept = [each.group for each in as_shown([_way(group) for group in kept])]
    if len(kept) == 1:
        return [_joined(kept[0])]
    differing = [name for name in _BY_LAUNCH if len({digest(getattr(way[0].loader, name)) for way in kept}) > 1]
    crops = {digest(way[0].loader.dataset.random_crop) for way in kept if way[0].loader.dataset is not None}
    return [_named(_joined(way), way[0].condition, differing, crops=len(crops) > 1) for way in kept]


def _way(group: list[Seen]) -> Way:
    used = any(certainly(each.loader.iterated, True) for each in group)
    return way_of(group, [getattr(group[0].loader, name) for name in _BY_LAUNCH], used=used)


def _joined(way: Sequence[Seen]) -> Loader:
    """The record of runs that agree; drawn from in one of them is drawn from."""
    first = way[0].loader
    drawn = next((each.loader for each in way if certainly(each.loader.iterated, True)), first)
    return dataclasses.replace(first, iterated=drawn.iterated, left_early=drawn.left_early, loops=drawn.loops)


def _named(loader: Loader, condition: str, differing: Sequence[str], *, crops: bool) -> Loader:
    """The record with the launch configuration on the facts that differ; `crops`: the dataset cuts in some only."""
    if not condition:
        return loader
    named: Any = {name: under(getattr(loader, name), condition) for name in differing}
    if crops and loader.dataset is not None:
        crop = under(loader.dataset.random_crop, condition)
        named["dataset"] = dataclasses.replace(loader.dataset, random_crop=crop)
    return dataclasses.replace(loader, **named)


def _signature(loader: Loader) -> tuple[object, ...]:
    dataset, sampler = loader.dataset, loader.sampler
    facts = [loader.batch_size, loader.accumulation, loader.shuffle, loader.drop_last]
    facts += [dataset.random_crop] if dataset is not None else []
    if sampler is not None:
        facts += [sampler.shards, sampler.pads, sampler.shuffles, sampler.follows_epoch, sampler.once]
    loops = tuple(
        (loop.location, digest(loop.role), digest(loop.eval_mode), digest(loop.no_grad), digest(loop.train_mode))
        for loop in loader.loops
    )
    return (*(digest(fact) for fact in facts), sampler.location if sampler is not None else None, loops)


def digest(fact: Fact) -> object:
    """What two facts must share to say the same: values and the place where each is set."""
    if isinstance(fact, Known):
        return (repr(fact.value), fact.location)
    if isinstance(fact, OneOf):
        return tuple((repr(option.value), option.location, option.condition) for option in fact.options)
    return "unknown"


def _vague(loader: Loader) -> bool:
    return isinstance(loader.batch_size, Unknown) and not loader.batch_size.formula


def _without_vague(loaders: Sequence[Loader]) -> list[Loader]:
    """Leave out records with an unknown role, or none, where the same place has one that trains or evaluates."""
    known: set[Location] = {loader.location for loader in loaders if _serves(loader)}
    return [loader for loader in loaders if _serves(loader) or loader.location not in known]


def _serves(loader: Loader) -> bool:
    return isinstance(loader.role, Known) and loader.role.value != OTHER
