"""How many steps all launches of one script may take together, and what is left out because of it.

A script that is shipped with thirty launches of a hundred thousand steps each takes minutes, and the last of them
seldom tell what the first ones did not.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import field

from cmgan_audit.finding import Location, Step
from cmgan_audit.lazy_dataclasses import dataclass
from cmgan_audit.program.execution.sessions import interpreter_of
from cmgan_audit.program.execution.trace import Launch, Run
from cmgan_audit.source.data_files.formats import dialect_of

# A training script of a large framework takes a hundred thousand steps, and comes with a dozen configurations.
MOST_STEPS_OF_A_SCRIPT = 500_000
# Nothing but the first launch that gets what it asks for.
FIRST_ONLY = 0


@dataclass(slots=True, eq=False)
class Spending:
    """What the runs of one script have taken so far.

    Attributes:
        most: after how many steps no other launch is begun; one that is begun is followed to its end.
        spent: the steps of all runs, those that only showed that they lack a configuration among them.
        whole: whether one of the runs has what it asks for: until then the next launch is tried, whatever it takes.
        left_out: the launches that were not begun, each with why, by what tells them apart.
    """

    most: int
    spent: int = 0
    whole: bool = False
    left_out: dict[tuple[object, ...], tuple[str, Launch]] = field(default_factory=dict)

    def affordable(self, launches: Iterable[Launch]) -> Iterator[Launch]:
        """The launches in their order, as long as there are steps left when one is begun."""
        for launch in launches:
            if self.whole and self.spent > self.most:
                self.leave_out([launch], f"more than {self.most} steps" if self.most else "the tree is too large")
            else:
                yield launch

    def leave_out(self, launches: Iterable[Launch], why: str) -> None:
        """Remember launches that are not begun."""
        for launch in launches:
            self.left_out.setdefault(told_apart_by(launch), (why, launch))

    def note(self, run: Run, *, whole: bool) -> Run:
        """Count the steps of a run; `whole` says whether it has what it asks for."""
        self.spent += interpreter_of(run).all_steps
        self.whole = self.whole or whole
        return run

    def told(self, runs: Sequence[Run]) -> list[Run]:
        """The runs of a script, with what was left out told in the limits of each: those of some are not looked at."""
        followed = {told_apart_by(run.launch) for run in runs}
        left: dict[str, list[Launch]] = {}
        for words, (why, launch) in self.left_out.items():
            if words not in followed:
                left.setdefault(why, []).append(launch)
        for run in runs:
            for why, launches in left.items():
                note = f"{why}: launches of {run.entry} that are not followed, from this one on: {len(launches)}"
                run.limits.append(Step(launches[0].location or Location(run.entry, 1), note))
        return list(runs)


def told_apart_by(launch: Launch) -> tuple[object, ...]:
    """What tells one launch from another: its words, from where they name files, and what it sets."""
    names_file = any(dialect_of(word.rpartition("=")[2]) for word in launch.argv)
    folder = posixpath.dirname(launch.location.path) if names_file and launch.location else ""
    return (launch.argv, folder, tuple(launch.environment.items()), launch.ranked)
