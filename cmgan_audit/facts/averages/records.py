"""Means over the batches of a loader, as records."""

from __future__ import annotations

from cmgan_audit.lazy_dataclasses import dataclass
from cmgan_audit.rules.record import Fact, Known, Record, record_kind


@record_kind("batch_mean")
@dataclass(frozen=True, slots=True, kw_only=True)
class BatchMean(Record):
    """A pass over a loader whose per-batch values are averaged with equal weight for every batch.

    Attributes:
        names: what is averaged, as text ("gen_loss_total, disc_loss_total").
        equal_weights: whether every batch weighs the same whatever its size; placed at the mean, its trail leads from
            there to where the value of a batch is taken in.
        role: of the loader.
        batch_size: of the loader, per process.
        drop_last: whether the loader leaves its last incomplete batch out.
        even: whether the number of its items is known, and a multiple of the batch size.
    """

    names: str
    equal_weights: Fact
    role: Fact
    batch_size: Fact
    drop_last: Fact
    even: Fact = Known(False)
