"""Schedulers of learning rates and updates of weights, as records."""

from __future__ import annotations

from dataclasses import dataclass

from cmgan_audit.rules.record import Fact, Record, record_kind

BATCH, EPOCH, ANY = "batch", "epoch", "any"


@record_kind("scheduler")
@dataclass(frozen=True, slots=True, kw_only=True)
class Scheduler(Record):
    """A scheduler of a learning rate whose optimiser steps over the batches of a loader.

    Its place is where it is stepped first; where it is made, when it never is.

    Attributes:
        name: its class, "StepLR".
        stepped: whether it is ever stepped.
        pace: once per "batch", once per "epoch" (a pass over the loader), or "any" for another rhythm.
        meant: the pace that its own arguments are given for; "any" when they fit both.
        constants: what these arguments come to at the other pace, as a clause.
        before_update: whether its first step comes before the first step of its optimiser.
        without_metric: whether it waits for a metric that its step is not given.
    """

    name: str
    stepped: Fact
    pace: Fact
    meant: Fact
    constants: str = ""
    before_update: Fact
    without_metric: Fact
