"""Names that are left half unsaid, because what stands before has said the rest: `Loss train: 0.21 | val: 0.24`."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace

from cmgan_audit.lazy_regex import regex
from cmgan_audit.logs.labels import is_tight
from cmgan_audit.logs.plan import SlotValue
from cmgan_audit.logs.roles import infer, table, words_of
from cmgan_audit.logs.series import Role

_ITEMS = "utt|utts|utterances?|files?|samples?|clips?|segments?|sentences?|recordings?|items?|tracks?"
_COUNT_AFTER = regex(rf"\s*(?:{_ITEMS})\b", re.IGNORECASE)
_COUNT_WORD = regex(_ITEMS, re.IGNORECASE)
_PREPOSITION = regex(r"\s*\b(?:over|for|on|of|across|from|in|at|after|during)$", re.IGNORECASE)
_HEADING = regex(r"[A-Za-z][A-Za-z\- ]*")


def of_a_count(label: str, before: str, after: str) -> str:
    """The measure whose items are only counted by a number, as in `PESQ over 824 files: 2.10`; "" for a value."""
    if not _COUNT_AFTER.match(after):
        return ""
    name = _PREPOSITION.sub("", label)
    return name if (name != label or before.rstrip().endswith(("(", "["))) and _is_measured(name) else ""


def of_a_counter(label: str) -> str:
    """The measure that is named before an epoch, as in `PESQ after epoch 3: 2.10`; "" where none is."""
    name = _PREPOSITION.sub("", label.rpartition(" ")[0])
    return name if _is_measured(name) else ""


def leaves_it_open(label: str) -> bool:
    """Whether a number has no name of its own, or only that of what was counted."""
    return not label or _COUNT_WORD.fullmatch(label) is not None


def _is_measured(name: str) -> bool:
    return is_tight(name) and infer(name).kind in ("metric", "loss")


def under_a_heading(values: Sequence[SlotValue], label: str, texts: Iterable[str]) -> tuple[str, Role] | None:
    """Name and role where only phases are named, under what is measured: `PESQ - train: 2.20, val: 2.10`.

    Args:
        values: the values of the line before this one.
        label: the phase.
        texts: what may be the heading: the beginning of the line, and what stands before the phase.
    """
    words, phases = words_of(label), table().phases
    if len(words) != 1 or words[0] not in phases or _measured(values):
        return None
    for text in texts:
        heading = text.strip(" -")
        role = infer(heading)
        if len(words_of(heading)) <= 3 and role.kind in ("metric", "loss") and not role.phase:
            return f"{heading} {label}", replace(role, phase=phases[words[0]])
    return None


def first_words(text: str) -> str:
    """The words that a text begins with."""
    found = _HEADING.search(text.partition("\0")[0])
    return found.group() if found else ""


def last_words(text: str) -> str:
    """The words that a text ends with, without the signs behind them."""
    return str((_HEADING.findall(text) or [""])[-1])


def _measured(values: Sequence[SlotValue]) -> list[SlotValue]:
    return [value for value in values if value.role.kind in ("metric", "loss")]


def with_phase_of_line(values: Sequence[SlotValue], body: str) -> list[SlotValue]:
    """`val Loss: 0.21 PESQ: 2.10`: the evaluation that begins the line is that of all its values."""
    word = re.match(r"[A-Za-z]+(?= )", body)
    phases = table().phases
    if word is None or phases.get(word.group().lower()) != "eval":
        return list(values)
    if {value.role.phase for value in values} - {"", "eval"}:
        return list(values)
    return [
        replace(value, name=f"{value.name} ({word.group()})", role=replace(value.role, phase="eval"))
        if not value.role.phase and not value.role.given and value.role.kind in ("metric", "loss")
        else value
        for value in values
    ]


def in_another_phase(values: Sequence[SlotValue], label: str) -> tuple[str, Role] | None:
    """Name and role where a phase stands alone: it speaks of the only value before, if that has another phase."""
    words, phases = words_of(label), table().phases
    phase = phases.get(words[0], "") if len(words) == 1 else ""
    measured = _measured(values)
    if not phase or len({value.name for value in measured}) != 1 or measured[0].role.phase in ("", phase):
        return None
    first = measured[0]
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
