"""The guard of checkpoints that cannot be used: a file that was cut off, weights of another network, broken recordings.

One of these among several says nothing about the others, so they are compared without it, and nothing of it is hidden.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from cmgan_audit.errors import AuditError
from cmgan_audit.evaluation.checkpoints.errors import CheckpointError
from cmgan_audit.evaluation.material.audio import AudioError
from cmgan_audit.evaluation.material.names import shortened
from cmgan_audit.evaluation.models.enhancer import ModelError
from cmgan_audit.evaluation.raising import raise_finding
from cmgan_audit.finding import Finding

# What is wrong with one checkpoint. A missing device, a wrong option or another sample rate is mended for all at once
# by the command line, and ends the run.
OF_ONE_CHECKPOINT = (CheckpointError, ModelError, AudioError)
REASONS_SHOWN = 3

Unusable = Mapping[str, AuditError]
"""Checkpoints that cannot be used, by name, each with the reason."""


def check_unusable(unusable: Unusable) -> list[Finding]:
    """A finding for every checkpoint that takes no part."""
    return [
        raise_finding("CMG719", name, {"checkpoint": name, "reason": str(error)}, checkpoint=name, reason=error)
        for name, error in unusable.items()
    ]


def told(unusable: Unusable) -> str:
    """How many cannot be used, and why, in one sentence."""
    count = "1 checkpoint" if len(unusable) == 1 else f"{len(unusable)} checkpoints"
    alike: dict[str, list[str]] = {}
    for name, why in unusable.items():
        alike.setdefault(re.sub(rf"[^\s:]*{re.escape(name)}", "", str(why)), []).append(name)
    reasons = [
        f"{unusable[first]}{f'; the same for {shortened(others)}' if others else ''}"
        for first, *others in alike.values()
    ]
    rest = f"; and {len(reasons) - REASONS_SHOWN} more" if len(reasons) > REASONS_SHOWN else ""
    return f"{count} cannot be used: {'; '.join(reasons[:REASONS_SHOWN])}{rest}"


def passed_over(names: Sequence[str]) -> list[str]:
    """The sentence on files that were named among the checkpoints and are none; none where there were none."""
    is_none = "it is no checkpoint" if len(names) == 1 else "they are no checkpoints"
    return [f"passed over, as content and name say that {is_none} of the network: {shortened(names)}"] if names else []
