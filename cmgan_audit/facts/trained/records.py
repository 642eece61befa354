"""Checkpoint files and the settings of the code as records."""

from __future__ import annotations

from cmgan_audit.lazy_dataclasses import dataclass
from cmgan_audit.rules.record import Fact, Record, record_kind


@record_kind("applied_setting")
@dataclass(frozen=True, slots=True, kw_only=True)
class AppliedSetting(Record):
    """A number of the configuration where it takes effect in a training script.

    Attributes:
        family: what it sets ("learning rate", "FFT size").
        value: the number.
    """

    family: str
    value: Fact


@record_kind("trained_file")
@dataclass(frozen=True, slots=True, kw_only=True)
class TrainedFile(Record):
    """Checkpoint files of one folder that tell the same of the settings that they were trained with.

    Attributes:
        files: the first of them, and how many more there are, as text.
        same_settings: whether they were trained with what the code sets now; its trail leads through the code.
        told_by: "content" (the settings lie in the file) or "history" (it is older than a change of the code).
        comparison: what was compared, as a clause.
    """

    files: str
    same_settings: Fact
    told_by: str
    comparison: str
