"""Names that are left half unsaid, because what stands before has said the rest: `Loss train: 0.21 | val: 0.24`."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace

from cmgan_audit.lazy_regex import regex
from cmgan_audit.logs.lines.labels import is_tight
from cmgan_audit.logs.lines.plan import SlotValue
from cmgan_audit.logs.roles import infer, table, words_of
from cmgan_audit.logs.selection.bare_phases import is_bare_phase
from cmgan_audit.logs.series import Role

_ITEMS = "utt|utts|utterances?|files?|samples?|clips?|segments?|sentences?|recordings?|items?|tracks?"
_COUNT_AFTER = regex(rf"\s*(?:{_ITEMS})\b", re.IGNORECASE)
_COUNT_WORD = regex(_ITEMS, re.IGNORECASE)
_PREPOSITION = regex(r"\s*\b(?:over|for|on|of|across|from|in|at|after|during)$", re.IGNORECASE)
_TIME_AFTER = regex(r"\s*(?:s|secs?|seconds?|m|mins?|minutes?|h|hours?|ms|it/s)\b", re.IGNORECASE)
_BATCH_AFTER = regex(r"\s+\[\s*\x00\s*/")
# `PESQ @ 5 dB: 2.10`, `PESQ (SNR=5): 2.10`: in front of the SNR, and from it to the score.
_AT = regex(
    r"(?P<name>[A-Za-z][\w\-]*(?: [A-Za-z][\w\-]*)*?)\s*(?P<at>@|\b(?:at|for|in|under|with|on)\b|[(\[])?"
    r"\s*(?P<snr>\b(?:input\s)?SNR)?\s*(?:\bof\b|=)?\s*$",
    re.IGNORECASE,
)
_NEAR = 60
_SNR_AFTER = regex(r"(?P<unit>\s?dB\b)?(?:\s?SNR\b)?\s*(?:[)\]]\s*[:=]?|[:=])\s*[-+]?\x00", re.IGNORECASE)
_HEADING = regex(r"[A-Za-z][A-Za-z\- ]*")


def of_a_count(label: str, before: str, after: str) -> str:
    """The measure whose items are only counted by a number, as in `PESQ over 824 files: 2.10`; "" for a value."""
    if not _COUNT_AFTER.match(after):
        return ""
    name = _PREPOSITION.sub("", label)
    return name if (name != label or before.rstrip().endswith(("(", "["))) and _is_measured(name) else ""


def of_a_condition(before: str, after: str) -> str:
    """The measure whose mixtures have the SNR that a number says, as in `PESQ @ 5 dB: 2.10`; "" for a value."""
    goes_on = _SNR_AFTER.match(after)
    stands = None if goes_on is None else _AT.search(before[-_NEAR:])
    if stands is None or goes_on is None or not (stands["snr"] or (stands["at"] and goes_on["unit"])):
        return ""
    name = stands["name"]
    return name if is_tight(name) and infer(name).kind == "metric" else ""


def of_a_counter(label: str) -> str:
    """The measure that is named before an epoch, as in `PESQ after epoch 3: 2.10`; "" where none is."""
    name = _PREPOSITION.sub("", label.rpartition(" ")[0])
    return name if _is_measured(name) else ""


def of_a_phase(separated: bool, listed: bool, after: str) -> str | None:
    """What a number counts that stands behind a phase alone: "epoch", "batch" or nothing.

    SEtrain's bars say `validate[3/100]` of an epoch, the meters of PyTorch's examples `Test: [10/40]` of a batch, and
    timm `Train: 3 [10/40 (25%)]` of an epoch and a batch.
    """
    if listed and after.startswith("/"):
        return "batch" if separated else "epoch"
    return "epoch" if separated and not listed and _BATCH_AFTER.match(after) else None


def leaves_it_open(label: str) -> bool:
    """Whether a number has no name of its own, or only that of what was counted, or the unit of an SNR."""
    return not label or label.lower() in ("db", "snr", "db snr") or _COUNT_WORD.fullmatch(label) is not None


def _is_measured(name: str) -> bool:
    return is_tight(name) and infer(name).kind in ("metric", "loss")


def under_a_heading(label: str, texts: Iterable[str]) -> tuple[str, Role] | None:
    """Name and role where only phases or signals are named, under what is measured: `PESQ - train: 2.20, val: 2.10`.

    Args:
        label: the phase or the signal, as in `PESQ - noisy: 1.97, enhanced: 2.64`.
        texts: what may be the heading: what stands before the phase, and at the beginning of the line.
    """
    words, phases = words_of(label), table().phases
    if not _is_side(words):
        return None
    for text in texts:
        heading = text.strip(" -")
        role = infer(heading)
        if len(words_of(heading)) <= 3 and role.kind in ("metric", "loss") and not role.phase:
            return f"{heading} {label}", replace(role, phase=phases.get(words[0], ""))
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
    """`val Loss: 0.21 PESQ: 2.10`: the evaluation that begins the line is that of all its values.

    So is that of the first value for the scores behind it, as in `Val Loss: 0.21 | PESQ: 2.10`.
    """
    word = re.match(r"[A-Za-z]+(?= )", body)
    if {value.role.phase for value in values} - {"", "eval"}:
        return list(values)
    if word is not None and table().phases.get(word.group().lower()) == "eval":
        said, kinds, told = word.group(), {"metric", "loss"}, {""}
    else:
        said, kinds = _evaluation_of_the_first(values), {"metric"}
        told = {value.role.measure for value in values if value.role.phase == "eval"}
    if not said:
        return list(values)
    return [
        replace(value, name=f"{value.name} ({said})", role=replace(value.role, phase="eval"))
        if value.role.kind in kinds
        and not value.role.phase
        and not value.role.given
        and value.role.measure not in told - {""}
        else value
        for value in values
    ]


def _evaluation_of_the_first(values: Sequence[SlotValue]) -> str:
    """The word in the name of a line's first value that says it is of an evaluation; "" where none does."""
    first = next(iter(_measured(values)), None)
    phases = table().phases
    return next((word for word in words_of(first.name) if phases.get(word) == "eval"), "") if first else ""


def in_another_phase(values: Sequence[SlotValue], label: str) -> tuple[str, Role] | None:
    """Name and role where a phase stands alone: it speaks of the value before, if only that lacks this phase."""
    words, phases = words_of(label), table().phases
    phase = phases.get(words[0], "") if len(words) == 1 else ""
    measured = _measured(values)
    if not phase or not measured:
        return None
    first = measured[-1]
    told = {(v.role.kind, v.role.measure) for v in measured if v.role.phase == phase}
    phased = [value for value in measured if value.role.phase]
    without = {value.name for value in phased if (value.role.kind, value.role.measure) not in told}
    if without != {first.name} or first.role.phase == "":
        return None
    name = " ".join(label if word.lower() in phases else word for word in first.name.split())
    return (name if name != first.name else f"{first.name}/{label}"), replace(first.role, phase=phase)


def of_the_other_signal(values: Sequence[SlotValue], label: str) -> tuple[str, Role] | None:
    """Name and role where the other signal is named alone: `PESQ noisy: 1.97 -> enhanced: 2.64` is the PESQ of both."""
    words, t = set(words_of(label)), table()
    if not words or not values or values[-1].role.kind != "metric":
        return None
    first = values[-1]
    for here, there in ((t.outputs, t.inputs), (t.inputs, t.outputs)):
        if words <= here and set(words_of(first.name)) & there:
            name = " ".join(label if set(words_of(word)) & there else word for word in first.name.split())
            return name, first.role
    return None


def of_a_bare_phase(label: str, counted: bool) -> tuple[str, Role] | None:
    """Name and role where a phase names a number: `epoch 003 train=15.7 val=8.4`; its course will tell what it is."""
    return (label, infer(label)) if counted and is_bare_phase(label) else None


def names_a_side(label: str, after: str) -> bool:
    """Whether a name may stand before a number without a sign between: `PESQ: train 2.20, val 2.10`, no seconds."""
    return _is_side(words_of(label)) and not _TIME_AFTER.match(after)


def _is_side(words: Sequence[str]) -> bool:
    """A phase, or the input or the output of the network."""
    t = table()
    return len(words) == 1 and (words[0] in t.phases or words[0] in t.inputs or words[0] in t.outputs)
