"""Which findings are known already: each known one answers for one finding of its fingerprint."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence

from cmgan_audit.finding import Finding, Location
from cmgan_audit.gate.counterparts import Counterparts, elsewhere
from cmgan_audit.gate.older_names import is_of_script

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
        places: Counterparts,
    ) -> list[int]:
        """Which of some findings do not stand where one stood that is not found any more, whatever it is called now.

        Those known by their names that stand in what was changed, where no known one stood, are looked for too.

        Args:
            findings: all findings.
            waiting: the numbers of those that are looked for.
            earlier: what was found when they were known, with its places then.
            places: where those places are now.
        """
        earlier = [old for old in earlier if old.suppressed is None]
        mistaken = [*self._elsewhere(findings, earlier, places)]
        for number in mistaken:
            self.left[self.found.pop(number)] += 1
        unknown = []
        for number in sorted((*waiting, *mistaken)):
            finding = findings[number]
            same = (
                old.fingerprint
                for old in earlier
                if self.left[old.fingerprint] and old.rule == finding.rule and _stands_at(finding, old, places)
            )
            if not self._take(number, next(same, None)):
                unknown.append(number)
        return unknown

    def in_changed_files(self, findings: Sequence[Finding]) -> list[int]:
        """The numbers of findings that are known and stand in files that changed since.

        Of a finding about a script as a whole the place says little: it may have a loop before the one that it had.
        """
        changed = self._changed() if self.found else {}
        numbers = (number for number in self.found if not is_of_script(findings[number].anchor))
        return [number for number in numbers if (place := findings[number].location) and place.path in changed]

    def in_changed_places(self, findings: Sequence[Finding], places: Counterparts) -> Mapping[str, list[int]]:
        """The numbers of those of them that stand in what came or was changed, by what they are known as."""
        by_mark: dict[str, list[int]] = {}
        for number in self.in_changed_files(findings):
            if (place := findings[number].location) and places.is_changed(place):
                by_mark.setdefault(self.found[number], []).append(number)
        return by_mark

    def _elsewhere(
        self, findings: Sequence[Finding], earlier: Sequence[Finding], places: Counterparts
    ) -> Iterator[int]:
        """The numbers of findings in what was changed that stand where none stood of those that they are known as."""
        for mark, numbers in self.in_changed_places(findings, places).items():
            if there := [finding for finding in earlier if finding.fingerprint == mark]:
                others = elsewhere([findings[number] for number in numbers], there, places)
                yield from (number for number in numbers if findings[number] in others)

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


def _stands_at(finding: Finding, old: Finding, places: Counterparts) -> bool:
    return finding.location is not None and old.location is not None and places.is_at(finding.location, old.location)
