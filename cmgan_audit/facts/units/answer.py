"""What the runs of one unit, a script or a function that no script reaches, tell about a tree."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from cmgan_audit.facts.collectors import COLLECTORS
from cmgan_audit.facts.loading.declared import DeclaredRoles
from cmgan_audit.facts.loading.loaders import loaders_of
from cmgan_audit.facts.loading.merging import Seen
from cmgan_audit.facts.loading.names import Assigned
from cmgan_audit.facts.loading.roles import leaning
from cmgan_audit.facts.observing import Observed
from cmgan_audit.facts.requirements import TorchRange
from cmgan_audit.facts.scene import look_at
from cmgan_audit.facts.view import View
from cmgan_audit.finding import Location, Step
from cmgan_audit.lazy_dataclasses import dataclass
from cmgan_audit.program.execution.depth import forget_young
from cmgan_audit.program.execution.sessions import interpreter_of, let_go
from cmgan_audit.program.execution.trace import Run
from cmgan_audit.program.launches.runs import Program, executed_by, imported_by
from cmgan_audit.program.launches.spending import MOST_STEPS_OF_A_SCRIPT
from cmgan_audit.program.launches.unreached import Place
from cmgan_audit.source.consulted import Consulted
from cmgan_audit.source.discovery import Failure
from cmgan_audit.source.tree import SourceTree

Unit = str | Place


@dataclass(frozen=True, slots=True)
class Answer:
    """What one unit tells; data only.

    Attributes:
        seen: the loaders of its runs.
        observed: the other records of its runs.
        limits: where execution stopped and something that rules ask about may be lost.
        failures: the files that it asked for and that could not be read.
        imported: the files whose top level it executed.
        executed: the functions with a loader inside that it executed.
        steps: how many steps its runs took.
    """

    seen: tuple[Seen, ...] = ()
    observed: tuple[Observed, ...] = ()
    limits: tuple[Step, ...] = ()
    failures: tuple[Failure, ...] = ()
    imported: tuple[str, ...] = ()
    executed: tuple[Location, ...] = ()
    steps: int = 0


class Follower:
    """Follows the units of one tree and takes what they tell."""

    def __init__(self, tree: SourceTree, declared: DeclaredRoles) -> None:
        self.tree = tree
        self.program = Program(tree)
        self._declared = declared
        self._assigned = Assigned(tree)
        self._torch = TorchRange(tree)
        self._followed = 0

    def follow(self, unit: Unit, most_steps: int = MOST_STEPS_OF_A_SCRIPT) -> tuple[Answer, Consulted]:
        """The answer of one unit, and what it was made from.

        Once the launches of a script have taken `most_steps`, no other is begun, and its limits tell of those.

        Raises:
            UsageError: the project declares two roles for one loader.
        """
        if self._followed:
            forget_young()
        self._followed += 1
        with self.tree.watched() as consulted:
            runs = self.program.runs_of(unit, most_steps) if isinstance(unit, str) else [self.program.run_of(unit)]
            answer = self._taken(runs, consulted)
        for run in runs:
            let_go(run)
        if isinstance(unit, str):
            self.tree.forget(unit)  # a script is seldom imported, and every tree has many
        return answer, consulted

    def _taken(self, runs: Sequence[Run], consulted: Consulted) -> Answer:
        seen: list[Seen] = []
        observed: list[Observed] = []
        limits: list[Step] = []
        for run in runs:
            scene = look_at(run)
            loaders = tuple(loaders_of(scene, self._assigned, self._declared))
            view = View(self.tree, scene, self._assigned, self._torch, loaders)
            seen.extend(Seen(loader, run.launch.condition, run.entry, run.launch.unshown) for loader in view.loaders)
            found = (record for collector in COLLECTORS for record in collector(view))
            observed.extend(Observed(record, run.launch.condition, run.entry, run.launch.unshown) for record in found)
            if scene.made or scene.trains or leaning(Path(run.entry).stem) > 0:
                limits.extend(run.limits)  # elsewhere nothing that the rules ask about can be lost
        return Answer(
            seen=tuple(seen),
            observed=tuple(observed),
            limits=tuple(dict.fromkeys(limits)),
            failures=self.tree.failures_among(consulted),
            imported=tuple(sorted(imported_by(runs))),
            executed=tuple(sorted(self._with_loader(runs), key=str)),
            steps=sum(interpreter_of(run).all_steps for run in runs),
        )

    def _with_loader(self, runs: Sequence[Run]) -> list[Location]:
        """The executed functions that somebody may ask for: those of files that speak of loaders."""
        executed = executed_by(runs)
        files = {place.path for place in executed}
        speaking = {path for path in files if b"DataLoader" in (self.tree.read_bytes(path) or b"")}
        return [place for place in executed if place.path in speaking]
