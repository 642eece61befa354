"""All records of the data path."""

from __future__ import annotations

from collections.abc import Iterable

from cmgan_audit.facts.data.evaluated_sets import evaluation_sets
from cmgan_audit.facts.data.listing_uses import listing_uses
from cmgan_audit.facts.data.own_loaders import own_loaders
from cmgan_audit.facts.data.pair_cuts import pair_cuts
from cmgan_audit.facts.data.splits import validation_splits
from cmgan_audit.facts.data.training_order import training_orders
from cmgan_audit.facts.data.worker_draws import worker_draws
from cmgan_audit.facts.view import View
from cmgan_audit.rules.record import Record


def data_records(view: View) -> Iterable[Record]:
    """What the data path of one run does."""
    yield from evaluation_sets(view)
    yield from listing_uses(view)
    yield from own_loaders(view)
    yield from pair_cuts(view)
    yield from training_orders(view)
    yield from validation_splits(view)
    yield from worker_draws(view)
