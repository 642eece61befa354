"""Datasets that several loaders draw parts of: what they are called tells nothing about either part."""

from __future__ import annotations

from cmgan_audit.facts.scene import Made, Scene
from cmgan_audit.facts.values import instances_of, is_none, share_one
from cmgan_audit.program.domain.values import ClassValue, Instance, Value


def datasets_of_others(scene: Scene, made: Made) -> list[Instance]:
    """What other loaders draw from: both parts of a split lie in one folder, which tells nothing about either."""
    others = (each for each in scene.made if each is not made and not _draw_alike(each, made))
    return [dataset for other in others for dataset in _all_within(other.arguments.get("dataset", 0))]


def _draw_alike(one: Made, other: Made) -> bool:
    """Whether two loaders draw the whole of one dataset, as where every evaluation makes its own: no parts of it."""
    for made in (one, other):
        given = (made.arguments.get("sampler", 3), made.arguments.get("batch_sampler", 4))
        if any(each is not None and not is_none(each) for each in given):
            return False
    mine, others = one.datasets, other.datasets
    return share_one(mine, others)


def _all_within(value: Value | None, depth: int = 3) -> list[Instance]:
    """A dataset, and those that it takes parts of."""
    found: list[Instance] = []
    for dataset in instances_of(value):
        found.append(dataset)
        if depth and not isinstance(dataset.cls, ClassValue):
            for position in range(2):
                found += _all_within(dataset.arguments.get("dataset" if position == 0 else "", position), depth - 1)
    return found
