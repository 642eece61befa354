"""Walks over the numbers of one masked shape, from name to name: what each number is, by what stands around it."""

from __future__ import annotations

import re
from dataclasses import replace

from cmgan_audit.lazy_regex import regex
from cmgan_audit.logs.lines.bare_counters import bare_counters, epoch_and_batch, parts
from cmgan_audit.logs.lines.events import says_loaded, says_resumed
from cmgan_audit.logs.lines.glued_counters import glued_epoch, glued_rank, glues_counter, is_before_epoch, letter_epoch
from cmgan_audit.logs.lines.implied import (
    first_words,
    in_another_phase,
    last_words,
    leaves_it_open,
    names_a_side,
    of_a_bare_phase,
    of_a_condition,
    of_a_count,
    of_a_counter,
    of_a_phase,
    of_the_other_signal,
    under_a_heading,
    with_phase_of_line,
)
from cmgan_audit.logs.lines.improved import IMPROVED, improvement, named_improved
from cmgan_audit.logs.lines.labels import (
    constant_of,
    counter_of,
    is_arrow,
    is_bound,
    is_change,
    is_of_another_kind,
    is_option,
    is_part_of_word,
    is_share,
    is_tight,
    label_before,
    numbers_something,
    words_as_written,
)
from cmgan_audit.logs.lines.list_shapes import ListShape, Numbers, lists_of, without
from cmgan_audit.logs.lines.plan import OtherEpoch, Plan, SlotArray, SlotValue, TrainingName
from cmgan_audit.logs.lines.prefixes import SLOT, USED
from cmgan_audit.logs.lines.running_means import says_mean, with_means
from cmgan_audit.logs.roles import RoleBook, counter_kind, table, words_of
from cmgan_audit.logs.selection.batches import named_by_batch
from cmgan_audit.logs.series import Role

_CONSTANT = regex(r"(?<![\w.\-+])[-+]?(?:nan|inf|infinity|none|null|n/a)(?![\w/])", re.IGNORECASE)
_ATOM = regex(r"\x00(?:,\x00)*|" + _CONSTANT.pattern, re.IGNORECASE)
# `[train] loss=0.3, pesq=2.1, [valid] loss=0.4`: the phase of all that follows.
_PHASE_IN_BRACKETS = regex(r"\[\s*([A-Za-z]+)\s*\]")
_BEST = regex(r"\bbest\b", re.IGNORECASE)
_LIST_GOES_ON = regex(r"\.?\s*,?\s+[-\x00]|\.?\s*$")
_SAVED = regex(r"\b(?:sav(?:ed|ing)(?! dict)|checkpoint)\b", re.IGNORECASE)
_ELSEWHERE = regex(r"\b(?:best|sav(?:ed|ing)|from|until|every|patience|stopping|improvement)\b", re.IGNORECASE)
# Between the numbers of a long list.
_AMONG_OTHERS = frozenset((",", ", ", ",-", ", -"))

# `loss=0.31/0.28`: what the two numbers are of.
FIRST, SECOND = "train", "val"


class LabelledLine:
    """Walks over the numbers of one masked shape, label by label."""

    def __init__(self, plan: Plan, masked: str, start: int, book: RoleBook) -> None:
        self.plan, self.text, self.start, self.book = plan, masked, start, book
        self.slot_of: dict[int, int] = {}
        number = 0
        for position, char in enumerate(masked):
            if char in (SLOT, USED):
                self.slot_of[position] = number
                number += 1
        self.phase = ""
        self.announced = ""
        self.last: str = ""  # "counter", "value", "array", "missing" or "": what the number before was
        self.last_label = ""
        self.named = ""  # a measure that was named, and then not its value but an epoch or a number of files
        self.context = ""
        self.epoch_behind = False  # `3/40 epoch 12.3 s`: the word stands behind its number
        self.array: list[tuple[int | None, float]] = []

    def read(self) -> None:
        """Write into the plan what the line says."""
        plan = self.plan
        plan.surely = says_resumed(plan.body)
        plan.resume = plan.surely or says_loaded(plan.body)
        if plan.resume:
            return
        self._improvement()
        self._lists()
        text, end = self.text, self.start
        for atom in _ATOM.finditer(text, self.start):
            before = text[end : atom.start()]
            end = atom.end()
            if not (before in _AMONG_OTHERS and text[end : end + 1] == "," and self._among_others(atom, before)):
                self._number(atom, before)
        self._close_array()
        self._bare_counters()
        values = with_phase_of_line(plan.values, plan.body)
        known = {plan.epoch, plan.bare, *(slot for value in values for slot in value.slots)}
        of_a_batch = any(self.slot_of[at] not in known for at in parts(self.text, self.start))
        plan.values = with_means(named_by_batch(values) if of_a_batch else values)
        if plan.epoch is None:
            plan.fixed_epoch = glued_epoch(text, self.start)
        if plan.epoch is None and plan.fixed_epoch is None and plan.step is None and plan.bare is None and plan.values:
            plan.fixed_epoch = letter_epoch(text, self.start)
        plan.fixed_rank = glued_rank(text) if plan.rank is None else 0
        has_epoch = plan.epoch is not None or plan.fixed_epoch is not None
        short = len(words_of(plan.body)) <= 14 and not _ELSEWHERE.search(plan.body)
        if not (has_epoch or plan.step is not None or (short and not plan.values)):
            plan.training = None  # a result of one of them, in a list of all
        plan.drives = has_epoch and (short or any(v.role.kind in ("metric", "loss") for v in plan.values))

    def first_of_row(self, cells: tuple[tuple[int, float], ...]) -> SlotValue | None:
        """The first value of `| PESQ | 1.97 | 2.64 |`; None where the first cell names no metric and no loss."""
        name = re.split(r"[\x00+-]", self.text[self.start :], maxsplit=1)[0].strip(" \t|│:")
        role = self._role(name, separated=True)
        return SlotValue(name, role, (cells[0][0],), cells[0][1]) if role is not None else None

    def _bare_counters(self) -> None:
        """Take the pairs in brackets that begin the line for counters, where no word counts and something is said."""
        plan = self.plan
        named = plan.epoch is not None or plan.step is not None or glues_counter(self.text, self.start)
        slots = [] if named or not plan.values else [self.slot_of[at] for at in bare_counters(self.text, self.start)]
        both = [] if named or slots or not plan.values else epoch_and_batch(self.text, self.start)
        if len(slots) == 4:
            plan.epoch, plan.step = slots[0], slots[2]
        elif both:
            plan.epoch, plan.step = (self.slot_of[at] for at in both)
            plan.unnamed = True
        elif slots:
            plan.bare = slots[0]

    def in_slots(self, numbers: Numbers) -> Numbers:
        """Numbers of a list by their slots in place of their positions."""
        return tuple((None if at is None else self.slot_of[at], value) for at, value in numbers)

    def _improvement(self) -> None:
        """Take the score out of `PESQ improved from 2.07 to 2.20`; what it was before is that of an earlier line."""
        found = improvement(self.text, self.start)
        role = None if found is None else self._role(found.name, separated=True)
        if found is None or role is None or role.kind not in ("metric", "best") or role.given:
            return
        slot = self.slot_of[found.value]
        self.plan.values.append(
            SlotValue(named_improved(found, role.higher_is_better), replace(role, kind=IMPROVED), (slot,))
        )
        marks = "".join(USED if char in (SLOT, USED) else " " for char in self.text[found.start : found.end])
        self.text = self.text[: found.start] + marks + self.text[found.end :]

    def _lists(self) -> None:
        """Take the lists out of the line that Python or JSON has printed under a name."""
        taken: list[ListShape] = []
        for found in lists_of(self.text, self.start):
            before = self.text[taken[-1].end if taken else self.start : found.start].rpartition(SLOT)[2]
            label, separated, _, _ = label_before(before)
            counter = counter_of(label) if separated else None
            counter = counter_kind(label) if counter in (None, "run") else counter
            role = None if counter else self._role(label, separated)
            if counter or role is not None:
                slots = self.in_slots(found.numbers)
                self.plan.arrays.append(SlotArray(label, slots, role, counter or "", True, found.open))
                taken.append(found)
        if taken:
            self.text = without(self.text, taken, USED)

    def _number(self, atom: re.Match[str], before: str) -> None:
        text, plan, start, end = self.text, self.plan, atom.start(), atom.end()
        slots = tuple(self.slot_of[i] for i in range(start, end) if text[i] == SLOT)
        sign, signed = 1.0, False
        if (
            slots
            and before[-1:] in ("-", "+")
            and (len(before) < 2 or not (before[-2].isalnum() or before[-2] in ")\x01"))
        ):
            sign, signed = (-1.0 if before[-1] == "-" else 1.0), True
            before = before[:-1]
        after = text[end : end + 16]
        if slots and (measured := of_a_condition(before, after)):
            self.named, self.last = measured, ""
            return
        if slots and (is_part_of_word(after) or before.endswith("@")):  # of `Acc@1 71.2` the 1 is part of the name
            self.last = ""
            return
        if before.strip(" \t\"'") == "/" and self.last:
            self._second(atom, slots, sign)
            return
        if self.last == "value" and slots and is_arrow(before + "-" * (sign < 0)) and self._after_arrow(slots):
            return
        for phase in _PHASE_IN_BRACKETS.finditer(before):
            self._note_context(phase.group(1))
        label, separated, listed, context = label_before(before)
        if self.last == "value" and slots and (before.strip() == "(" or says_mean(label)):
            if self._in_brackets(slots, after):
                return
        if not label and self.last == "array" and before.strip(" \t,") == "":
            self.array.extend((slot, sign) for slot in slots)
            return
        self._close_array()
        self._note_context(context)
        self.context = context
        named, self.named = self.named, ""
        if slots and (counted := of_a_count(label, before, after)):
            self.named, self.last = counted, ""
            return
        if named and slots and separated and leaves_it_open(label):
            self._value(named, separated, listed, slots, sign, atom, after)
            return
        if slots and before.strip() != "/" and self._stands_before_epoch(label, separated, text[end:]):
            self.epoch_behind = True
            self._counter("epoch", slots, label)
            return
        if not label or (plan.epoch is None and plan.step is None and is_option(before)):
            self.last = ""
            return
        counter = counter_of(label)
        if counter is None and slots and all(word in table().phases for word in words_of(label)):
            counter = of_a_phase(separated, listed, after)
        if counter and slots:
            if not is_share(after) and not (counter == "epoch" and self._is_of_the_best(before)):
                self._counter(counter, slots, label)
            return
        if is_bound(before) or (is_share(after) and is_change(self.book.of(label), signed)):
            self.last = ""
            return
        self._value(label, separated, listed, slots, sign, atom, after)

    def _among_others(self, atom: re.Match[str], before: str) -> bool:
        """Take `, 0.31,` in the middle of many; False where a number's surroundings may still say what it is.

        A line may hold thousands of them, and every line another number.
        """
        slot = self.slot_of.get(atom.start())
        if slot is None or atom.end() - atom.start() > 1 or self.last not in ("", "array") or self.named:
            return False
        if self.last == "array":
            self.array.append((slot, -1.0 if before.endswith("-") else 1.0))
        else:
            self.context = ""
        return True

    def _is_of_the_best(self, before: str) -> bool:
        """Whether an epoch is that of the best value before it: `best pesq so far 2.64 (epoch 5)`, `best 2.64 @ 5`."""
        return before.lstrip(" \t,")[:1] in ("(", "[", "@") and "best" in words_of(self.last_label)

    def _stands_before_epoch(self, label: str, separated: bool, after: str) -> bool:
        """Whether a number is that of the epoch because the word stands behind it, or behind the total of epochs."""
        if counter_kind(label) is not None or counter_of(label) == "run":
            return False
        return is_before_epoch(after, lambda: numbers_something(label) or self._role(label, separated) is not None)

    def _counter(self, kind: str, slots: tuple[int, ...], label: str) -> None:
        plan = self.plan
        if kind == "epoch" and plan.epoch is None and not self.announced:
            plan.epoch = slots[0]
        elif kind == "epoch" and plan.epoch is not None and plan.other_epoch is None and not self.epoch_behind:
            plan.other_epoch = OtherEpoch(slots[0])
        elif kind == "step" and plan.step is None:
            plan.step, plan.step_slots = slots[0], len(slots)
        elif kind == "rank" and plan.rank is None:
            plan.rank = slots[0]
        elif kind == "run" and plan.training is None:
            plan.training = TrainingName(words_of(label), slots[0])
        self._note_context(label)
        self.last, self.named = "counter", of_a_counter(label)

    def _note_context(self, text: str) -> None:
        """Words that stand beside the labels: the phase of what follows, and whether the line repeats a best value."""
        for word in words_as_written(text):
            if word.lower() in table().phases:
                self.phase = word
        if _BEST.search(text):
            self.announced = "best"
        elif _SAVED.search(text) and not self.announced:
            self.announced = "saved"

    def _value(
        self,
        label: str,
        separated: bool,
        listed: bool,
        slots: tuple[int, ...],
        sign: float,
        atom: re.Match[str],
        after: str,
    ) -> None:
        role = None if is_of_another_kind(label, after) else self._role(label, separated)
        self.last_label = label
        if role is None and slots and (separated or names_a_side(label, after)):
            first = not any(value.role.kind in ("metric", "loss") for value in self.plan.values)
            headings = [last_words(self.context), *([first_words(self.plan.body)] if first else [])]
            implied = (
                in_another_phase(self.plan.values, label)
                or of_the_other_signal(self.plan.values, label)
                or under_a_heading(label, headings)
                or of_a_bare_phase(label, first and self.plan.epoch is not None)
            )
            if implied is not None:
                self.plan.values.append(SlotValue(implied[0], implied[1], slots, sign))
                self.last = "value"
                return
        if role is None:
            self.last = ""
            if separated and slots and len(self.plan.unknown) < 20:
                self.plan.unknown.append(label)
            return
        if listed and slots and _LIST_GOES_ON.match(after):
            self.last, self.array = "array", [(slots[0], sign)]
            return
        name, role = self._named(label, role)
        if slots:
            self.plan.values.append(SlotValue(name, role, slots, sign))
            self.last = "value"
            return
        constant = constant_of(atom.group())
        self.last = "missing" if constant is None else "value"
        if constant is None:
            self.plan.missing.append(name)
        elif separated or self.plan.values or self.plan.epoch is not None or self.plan.step is not None:
            self.plan.values.append(SlotValue(name, role, (), 1.0, constant))
        else:
            self.last = ""  # prose, in which "the loss nan" is no print of it

    def _in_brackets(self, slots: tuple[int, ...], after: str) -> bool:
        """`loss 0.123 (0.140)`: perhaps the mean so far; its series will tell."""
        first = self.plan.values[-1]
        if not after.lstrip().startswith(")") or first.role.kind not in ("metric", "loss"):
            return False
        self.plan.values[-1] = replace(first, mean=slots)
        self.last = ""
        return True

    def _after_arrow(self, slots: tuple[int, ...]) -> bool:
        """`PESQ: 1.97 -> 2.64`: a score before and after enhancement; `improved from 2.60 to 2.64`: a best value."""
        first = self.plan.values[-1]
        if first.role.kind != "metric" or first.role.given or _ELSEWHERE.search(self.plan.body):
            return False
        self.plan.values[-1] = replace(first, name=f"{first.name} (before)")
        self.plan.values.append(SlotValue(f"{first.name} (after)", first.role, slots))
        self.last = "value"
        return True

    def _role(self, label: str, separated: bool) -> Role | None:
        role = self.book.of(label)
        if role is None:
            return None
        if self.book.is_given(label):
            return role
        if role.kind == "other":
            return None
        return role if separated or is_tight(label) else None

    def _named(self, label: str, role: Role) -> tuple[str, Role]:
        """Adds what the line says around the label: the phase, or that the value is announced again.

        A name with a phase of its own ends the one that stood before: `training done, val loss 0.2, PESQ 2.1`.
        """
        if role.phase and role.phase != table().phases.get(self.phase.lower()):
            self.phase = ""
        if not role.phase and self.phase and not role.given:
            role = replace(role, phase=table().phases[self.phase.lower()])
            label = f"{label} ({self.phase})"
        if self.announced and role.kind == "metric":
            role = replace(role, kind=self.announced)
            label = f"{label} ({self.announced})"
        return label, role

    def _second(self, atom: re.Match[str], slots: tuple[int, ...], sign: float) -> None:
        """`loss=0.31/0.28`: training, then evaluation. `Epoch 7/120`: of a total, no value."""
        plan = self.plan
        if self.last == "value" and plan.values and not plan.values[-1].role.phase:
            first = plan.values[-1]
            plan.values[-1] = replace(first, name=f"{first.name}/{FIRST}", role=replace(first.role, phase="train"))
            label = first.name
        elif self.last == "missing" and plan.missing:
            label = plan.missing[-1]
        else:
            self.last = self.last if self.last == "counter" else ""
            return
        role = self.book.of(label)
        self.last = ""
        if role is None or role.phase:
            return
        name, role = f"{label}/{SECOND}", replace(role, phase="eval")
        constant = None if slots else constant_of(atom.group())
        if slots or constant is not None:
            plan.values.append(SlotValue(name, role, slots, sign, constant))

    def _close_array(self) -> None:
        if self.last == "array" and self.array:
            goes_on = "]" not in self.plan.body.rpartition("[")[2]
            self.plan.arrays.append(SlotArray(self.last_label, tuple(self.array), open=goes_on))
        self.array = []
        if self.last == "array":
            self.last = ""
