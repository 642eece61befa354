"""Datasets that are streams: they order and split their items themselves."""

from __future__ import annotations

from cmgan_audit.facts.classes import library_bases
from cmgan_audit.program.domain.values import Instance


def is_stream(dataset: Instance) -> bool:
    """Whether a dataset derives from torch's IterableDataset."""
    return any(name.endswith("IterableDataset") or name.startswith("webdataset.") for name in library_bases(dataset))
