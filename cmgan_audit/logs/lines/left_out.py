"""What a text log holds that was not used: counted while it is read, and said at the end."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import field

from cmgan_audit.lazy_dataclasses import dataclass
from cmgan_audit.logs.lines.plan import Plan
from cmgan_audit.logs.series import Note

# A longer line is data, not a message.
LONG_LINE = 20_000
_NAMED = 5


def counted(number: int, word: str, verb: str) -> str:
    """`1 line holds`, `2 lines hold`: a number with its noun and its verb."""
    return f"{number} {word} {verb}s" if number == 1 else f"{number} {word}s {verb}"


@dataclass(slots=True)
class LeftOut:
    """Counts of lines and numbers that gave no point of a series, by the reason."""

    with_numbers: int = 0
    used: int = 0
    echoes: int = 0
    per_item: int = 0
    unreadable: int = 0
    long_lines: int = 0
    cut: bool = False
    unknown: Counter[str] = field(default_factory=Counter)
    missing: Counter[str] = field(default_factory=Counter)

    def account(self, plans: Iterable[Plan]) -> None:
        """Count what the lines of these shapes had that was not used."""
        for plan in plans:
            if plan.slots:
                self.with_numbers += plan.lines
            if plan.per_item:
                self.per_item += plan.lines
            for name in plan.unknown:
                self.unknown[name] += plan.lines

    def notes(self, source: str) -> Iterator[Note]:
        """A sentence for every reason."""
        for text in self._sentences():
            yield Note(source, 0, text)

    def _sentences(self) -> Iterator[str]:
        unused = self.with_numbers - self.used - self.echoes - self.per_item
        if unused > 0:
            names = ", ".join(f"{name} ({count})" for name, count in self.unknown.most_common(_NAMED))
            named = f"; names without a role: {names} (--role NAME=ROLE)" if names else ""
            yield f"{counted(unused, 'line', 'hold')} numbers that are no metric and no loss{named}"
        if self.echoes:
            yield f"{counted(self.echoes, 'line', 'repeat')} the line of another log handler; counted once"
        if self.per_item:
            yield f"{counted(self.per_item, 'line', 'name')} an utterance or a file: values of single items, left out"
        if self.unreadable:
            plural = "s" * (self.unreadable != 1)
            yield f"{self.unreadable} number{plural} with commas could not be read without guessing"
        if self.long_lines:
            yield f"{self.long_lines} line{'s' * (self.long_lines != 1)} longer than {LONG_LINE} characters left out"
        if self.cut:
            yield "the last line is cut in the middle of a number, and left out"
        for name, count in self.missing.most_common(_NAMED):
            yield f"{name} has no value on {count} line{'s' * (count != 1)} (None or N/A)"
