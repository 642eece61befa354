"""What a collector is given: one run with its events sorted, its loaders as records, and the code that it executed."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import field

from cmgan_audit.facts.code import Code
from cmgan_audit.facts.loading.names import Assigned
from cmgan_audit.facts.records import Loader
from cmgan_audit.facts.requirements import TorchRange
from cmgan_audit.facts.runtime.flow import Flow
from cmgan_audit.facts.scene import Made, Scene
from cmgan_audit.facts.slices import Slicer
from cmgan_audit.facts.steps.actions import Action, actions_of
from cmgan_audit.lazy_dataclasses import dataclass
from cmgan_audit.program.execution.trace import Context, Loop
from cmgan_audit.rules.record import Known, Record, certainly
from cmgan_audit.source.tree import SourceTree


@dataclass(slots=True, eq=False)
class View:
    """One run as collectors look at it.

    Attributes:
        tree: the files of the audited tree.
        scene: the events of the run, sorted.
        assigned: the names that results of calls are assigned to.
        torch: the versions of torch that the tree allows.
        loaders: the loaders that this run makes, as records, in the order of `scene.made`.
        code: the source of what the run executed.
        flow: what the values of the run were computed from; made when it is first asked for, and shared.
        slicer: what stands behind an expression of the source; likewise.
    """

    tree: SourceTree
    scene: Scene
    assigned: Assigned
    torch: TorchRange
    loaders: tuple[Loader, ...] = ()
    code: Code = field(init=False)
    _roles: dict[Loop, str] | None = None
    _flow: Flow | None = None
    _actions: tuple[Action, ...] | None = None
    _slicer: Slicer | None = None

    def __post_init__(self) -> None:
        self.code = Code(self.scene)

    @property
    def flow(self) -> Flow:
        """What the values of the run were computed from."""
        if self._flow is None:
            self._flow = Flow(self.scene)
        return self._flow

    @property
    def actions(self) -> tuple[Action, ...]:
        """What the run does to losses, gradients and rates, in order."""
        if self._actions is None:
            self._actions = tuple(actions_of(self.scene.run))
        return self._actions

    @property
    def slicer(self) -> Slicer:
        """What stands behind an expression of the source."""
        if self._slicer is None:
            self._slicer = Slicer(self.code)
        return self._slicer

    def mentions(self, wanted: re.Pattern[bytes]) -> bool:
        """Whether a file that the run executed code of holds something, wherever in it that is."""
        return any(wanted.search(self.tree.read_bytes(path) or b"") for path in self.code.files)

    @property
    def made_loaders(self) -> Iterator[tuple[Made, Loader]]:
        """The loaders of the run in the order in which they are made, each with its record."""
        return zip(self.scene.made, self.loaders, strict=True)

    def made_for(self, role: str) -> Iterator[Made]:
        """The loaders that certainly serve a role (TRAIN, EVAL)."""
        return (made for made, record in self.made_loaders if certainly(record.role, role))

    def roles_in(self, context: Context) -> frozenset[str]:
        """The roles ("train", "eval") of the loaders whose loops an event happens in; empty outside of such loops."""
        roles = self._known_roles()
        return frozenset(roles[loop] for loop in context.loops if loop in roles)

    def role_at(self, context: Context) -> str:
        """The role of the innermost loader's loop that an event happens in; "" outside of such loops."""
        roles = self._known_roles()
        return next((roles[loop] for loop in reversed(context.loops) if loop in roles), "")

    def role_of(self, loop: Loop) -> str:
        """The role of the loader that a loop draws from; "" where it draws from none, or the role is not known."""
        return self._known_roles().get(loop, "")

    def _known_roles(self) -> dict[Loop, str]:
        if self._roles is None:
            self._roles = self._roles_of_loops()
        return self._roles

    def _roles_of_loops(self) -> dict[Loop, str]:
        found: dict[Loop, str] = {}
        for made, record in self.made_loaders:
            if isinstance(record.role, Known):
                for single in self.scene.passes_over(made.loader):
                    found[single.event.loop] = record.role.value
        return found


# Looks at one run and makes records of what it does.
Collector = Callable[[View], Iterable[Record]]

# Looks at the files of a tree, without the excluded patterns, beside the records of all its runs.
TreeCollector = Callable[[SourceTree, Sequence[str], Sequence[Record]], Iterable[Record]]
