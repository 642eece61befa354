"""A setting of a training, as a record."""

from __future__ import annotations

from cmgan_audit.lazy_dataclasses import dataclass
from cmgan_audit.rules.record import Fact, Known, Record, record_kind

_NONE = Known(None)


@record_kind("hyperparameter")
@dataclass(frozen=True, slots=True, kw_only=True)
class Hyperparameter(Record):
    """A value that reaches a training, beside that of a profile.

    Attributes:
        name: what it is, by the names of profiles ("generator_lr").
        what: the same as a clause ("the learning rate of TSCNet").
        value: the value that arrives.
        reference: the value of the profile.
        profile: the profile's name.
        source: where the profile's value is published.
    """

    name: str
    what: str
    value: Fact
    reference: Fact = _NONE
    profile: str = ""
    source: str = ""
