"""Pairs of a generator and a network that judges what it puts out, as records."""

from __future__ import annotations

from cmgan_audit.lazy_dataclasses import dataclass
from cmgan_audit.rules.record import Fact, Record, record_kind


@record_kind("game")
@dataclass(frozen=True, slots=True, kw_only=True)
class Game(Record):
    """A step of the optimiser of a discriminator, beside the optimiser of the generator whose output it judges.

    Attributes:
        generator: the class of the network that is judged, "TSCNet".
        discriminator: the class of the network that judges, "Discriminator".
        leaked: whether the discriminator's step also uses gradients of the generator's loss; placed at the step.
        undetached: whether the discriminator's own loss runs back into the generator; placed where the discriminator
            is called.
        taken_up: whether the generator's step uses what that loss leaves in it.
    """

    generator: str
    discriminator: str
    leaked: Fact
    undetached: Fact
    taken_up: Fact
