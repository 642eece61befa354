"""Names that are left half unsaid, because the number before has said the rest: `Loss train: 0.21 | val: 0.24`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from cmgan_audit.logs.plan import SlotValue
from cmgan_audit.logs.roles import table, words_of
from cmgan_audit.logs.series import Role


def in_another_phase(values: Sequence[SlotValue], label: str) -> tuple[str, Role] | None:
    """Name and role where a phase stands alone: it speaks of the only value before, if that has another phase."""
    words, phases = words_of(label), table().phases
    phase = phases.get(words[0], "") if len(words) == 1 else ""
    if not phase or len(values) != 1 or values[0].role.kind not in ("metric", "loss"):
        return None
    (first,) = values
    if first.role.phase in ("", phase):
        return None
    name = " ".join(label if word.lower() in phases else word for word in first.name.split())
    return (name if name != first.name else f"{first.name}/{label}"), replace(first.role, phase=phase)


def of_the_output(values: Sequence[SlotValue], label: str) -> tuple[str, Role] | None:
    """Name and role where only the output is named: `PESQ noisy: 1.97 -> enhanced: 2.64` is the PESQ of both."""
    words, t = set(words_of(label)), table()
    if not words or not words <= t.outputs or not values:
        return None
    first = values[-1]
    if first.role.kind != "metric" or not set(words_of(first.name)) & t.inputs:
        return None
    return " ".join(label if set(words_of(word)) & t.inputs else word for word in first.name.split()), first.role
