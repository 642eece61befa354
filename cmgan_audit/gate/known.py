"""Which findings are known already: each known one answers for one finding of its fingerprint."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence

from cmgan_audit.finding import Finding, Location

# Per file the lines that are new or changed, None for all of them.
Changed = Mapping[str, set[int] | None]


class KnownFindings:
    """Fingerprints of known findings, each as often as none has been found for it yet.

    Args:
        left: how often each is known; what is found is taken out.
        rules: the rule of each.
        changed: asks for the lines that changed since they were known.
    """

    def __init__(self, left: Counter[str], rules: Mapping[str, str], changed: Callable[[], Changed]) -> None:
        self.left = left
        self.found: dict[int, str] = {}  # numbers of findings, and what they were known as
        self._rules = rules
        self._changed = changed

    def unknown(
        self, findings: Sequence[Finding], waiting: Sequence[int], name: Callable[[Finding], Finding]
    ) -> list[int]:
        """Which of some findings are not known, by their numbers.

        Where there are more findings at a symbolic place than are known, those on lines that did not change are known.

        Args:
            findings: all findings.
            waiting: the numbers of those that are looked for.
            name: gives a finding the names that it had when it was known.
        """
        rules = {self._rules[mark] for mark, count in self.left.items() if count}  # to look up names takes time
        marks = {number: name(findings[number]).fingerprint for number in waiting if findings[number].rule in rules}
        wanted = Counter(marks.values())
        if any(count > self.left[mark] > 0 for mark, count in wanted.items()):
            changed = self._changed()
            waiting = sorted(waiting, key=lambda number: _newness(findings[number], changed))
        return sorted(number for number in waiting if not self._take(number, marks.get(number)))

    def unknown_by_place(
        self,
        findings: Sequence[Finding],
        waiting: Sequence[int],
        earlier: Sequence[Finding],
        is_at: Callable[[Location, Location], bool],
    ) -> list[int]:
        """Which of some findings do not stand where one stood that is not found any more, whatever it is called now.

        Args:
            findings: all findings.
            waiting: the numbers of those that are looked for.
            earlier: what was found when they were known, with its places then.
            is_at: tells of a place and an earlier one whether they are the same.
        """
        unknown = []
        for number in waiting:
            finding = findings[number]
            same = (
                old.fingerprint
                for old in earlier
                if self.left[old.fingerprint] and old.rule == finding.rule and _stands_at(finding, old, is_at)
            )
            if not self._take(number, next(same, None)):
                unknown.append(number)
        return unknown

    def give_back(self, numbers: Iterable[int]) -> None:
        """Forget that these findings were known: what they were known as has not been found."""
        for number in numbers:
            self.left[self.found.pop(number)] += 1

    def _take(self, number: int, mark: str | None) -> bool:
        if mark is None or not self.left[mark]:
            return False
        self.left[mark] -= 1
        self.found[number] = mark
        return True


def is_changed(place: Location, changed: Changed) -> bool:
    """Whether a place has a line that is new or changed."""
    lines = changed.get(place.path, set())
    return lines is None or any(line in lines for line in range(place.line, (place.end_line or place.line) + 1))


def _newness(finding: Finding, changed: Changed) -> tuple[bool, int]:
    here = finding.location is not None and is_changed(finding.location, changed)
    return here, sum(is_changed(step.location, changed) for step in finding.trail)


def _stands_at(finding: Finding, old: Finding, is_at: Callable[[Location, Location], bool]) -> bool:
    return finding.location is not None and old.location is not None and is_at(finding.location, old.location)
