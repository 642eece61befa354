"""The abstract execution of one script under one launch: what is active now, what was seen, and the limits.

What expressions, statements and calls mean lies in the modules beside this one, as functions of the interpreter.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import field, replace
from typing import Any, NoReturn

from cmgan_audit.finding import Location, Step
from cmgan_audit.lazy_dataclasses import dataclass
from cmgan_audit.program.domain.facts import Facts, Forks
from cmgan_audit.program.domain.joins import join_options
from cmgan_audit.program.domain.open_settings import AskedFor
from cmgan_audit.program.domain.text_tests import exclude
from cmgan_audit.program.domain.values import (
    Arguments,
    Choice,
    DictValue,
    FunctionValue,
    Instance,
    Option,
    Unknown,
    Value,
    changed,
)
from cmgan_audit.program.execution.inside import Inside
from cmgan_audit.program.execution.state import Environment, Journal, Snapshot
from cmgan_audit.program.execution.trace import Condition, Context, Event, Frame, Launch, Loop, Run
from cmgan_audit.program.library.seeding import Generator
from cmgan_audit.program.naming.modules import Module, ModuleIndex
from cmgan_audit.program.naming.names import is_library
from cmgan_audit.source.syntax import positional_parameters
from cmgan_audit.source.tree import SourceTree

# Deterministic limits: the same tree gives the same answer on every machine.
MOST_STEPS = 400_000
# Training code joins about one value per step. Where loops full of undecided branches nest, it is hundreds.
JOINED_PER_STEP = 2
MOST_CALLS_DEEP = 50
MOST_NODES_DEEP = 900


class BudgetExceededError(Exception):
    """The run took more steps than it may; caught where the run began, and noted in `Run.limits`."""


class UnconfiguredError(Exception):
    """The script asks for a configuration file that the launch does not name; caught where the run began."""


class ProgramRaisedError(Exception):
    """On this path the audited program certainly raises: `name` is the exception's class, if it is known."""

    def __init__(self, name: str, location: Location) -> None:
        super().__init__(name)
        self.name = name
        self.location = location


@dataclass(slots=True, eq=False)
class Activation:
    """One call that is being executed.

    `returns` collects the values returned so far, each with the context under which; `on_yield` receives what a
    generator yields; `outer` is the context of the caller.
    """

    module: Module
    environment: Environment
    function: FunctionValue | None = None
    returns: list[Option] = field(default_factory=list)
    on_yield: Callable[[Value], None] | None = None
    loops: int = 0
    outer: Context = field(default_factory=Context)
    outer_facts: Facts = frozenset()


@dataclass(slots=True, eq=False)
class Widening:
    """A cell that a loop changes: its container, its key, what it came to hold, and whether it is a name of a call."""

    container: Any
    key: Any
    after: Any
    local: bool


@dataclass(slots=True, eq=False)
class Exit:
    """A path that left by return, break or continue while another path went on: what it had written by then.

    `snapshot` holds the writes since `mark`; the state at `mark` and the snapshot together are the state of the path.
    """

    kind: str
    owner: Activation
    loop: int
    mark: int
    snapshot: Snapshot
    option: Option


class Interpreter:
    """One abstract execution.

    Attributes:
        tree: the files; `index` finds modules among them.
        run: the entry, its launch, and the events so far.
        journal: every write to names, attributes and items.
        context: active frames, loops, conditions and managers, outermost first.
        facts: the symbolic tests that are decided on the current path.
        exits: paths that have left and are joined where they lead to.
        must_be_configured: the run ends where it asks for a configuration file that the launch does not name.
        must_be_told: the run ends where it asks for an environment variable that the launcher sets and the launch has
            not, since nobody knew that it is asked for.
        must_hold: the file that has to hold every key that is certainly asked of it, "" for none; the run ends, and is
            `unsuited`, where it does not.
        doubts: above 0 where the program may not come, or may go on after an error, though no condition says so.
        forks: the tests of which nothing is known that have parted two sides.
        passed_checks: assertions and `raise` statements that do nothing, since the script would end there.
        steps: how many steps the run has taken, without `supposed_steps`, those in branches that settings keep off,
            `probed_steps`, those of methods that were tried at its end, and `earlier_steps`, those of attempts that
            ended at such a check.
    """

    def __init__(self, tree: SourceTree, index: ModuleIndex, run: Run) -> None:
        self.tree = tree
        self.index = index
        self.run = run
        self.journal = Journal()
        self.context = Context()
        self.facts: Facts = frozenset()
        self.asked_for = AskedFor()
        self.activations: list[Activation] = []
        self.exits: list[Exit] = []
        self.environments: dict[str, Environment] = {}
        self.roots: list[str] = []
        self.added_roots: set[str] = set()
        self.executed: dict[ast.AST, FunctionValue] = {}
        self.kernels: dict[ast.AST, tuple[FunctionValue, ...] | None] = {}
        self.left_out: dict[ast.AST, bool] = {}
        self.built: dict[ast.AST, Instance] = {}
        self.loading: dict[ast.AST, bool] = {}
        self.supposed: list[ast.AST] = []
        self.notes: dict[str, object] = {}
        self.lacking: set[str] = set()
        self.must_be_configured = False
        self.must_be_told = False
        self.must_hold = ""
        self.unsuited = False
        self.forks = Forks()
        self.doubts = 0
        self.passed_checks: frozenset[Location] = frozenset()
        self.widened: dict[ast.AST, list[Widening]] = {}
        self.probing = False
        self.reseeded: dict[Generator, str] = {}
        self.steps = self.supposed_steps = self.probed_steps = self.earlier_steps = 0
        self.allow(MOST_STEPS)
        self.depth = 0

    # What models and facts use

    @property
    def launch(self) -> Launch:
        """The launch that is being followed."""
        return self.run.launch

    @property
    def entry(self) -> str:
        """The path of the script that was started."""
        return self.run.entry

    @property
    def activation(self) -> Activation:
        """The innermost call."""
        return self.activations[-1]

    @property
    def parameters(self) -> dict[str, Value]:
        """The parameters of the innermost call, `self` left out; what `**kwargs` caught stands under its own name."""
        function = self.activation.function
        if function is None:
            return {}
        given = function.node.args
        names = [each.arg for each in positional_parameters(given)][0 if function.bound_to is None else 1 :]
        names += [each.arg for each in given.kwonlyargs]
        held = self.activation.environment.names
        found = {name: held[name] for name in names if name in held}
        caught = held.get(given.kwarg.arg) if given.kwarg is not None else None
        if isinstance(caught, DictValue):
            found |= {key: value for key, value in caught.items.items() if isinstance(key, str)}
        return found

    @property
    def module(self) -> Module:
        """The module of the code that is being executed."""
        return self.activation.module

    def emit(self, event: Event) -> None:
        """Record what was seen."""
        self.run.events.append(event)

    def read(self, value: Value) -> Value:
        """The value as it is on the current path: options that contradict a known fact are left out."""
        if not isinstance(value, Choice) or not self.facts:
            return value
        kept = tuple(option for option in value.options if not exclude(option.facts, self.facts))
        if len(kept) == len(value.options) or not kept:
            return value
        if len(kept) == 1:
            return kept[0].value
        return changed(value, "options", kept)

    def call(self, callee: Value, arguments: Arguments, location: Location) -> Value:
        """The result of calling a value."""
        from cmgan_audit.program.language.calls import call

        return call(self, callee, arguments, location)

    def attribute(self, value: Value, name: str, location: Location) -> Value:
        """The attribute of a value."""
        from cmgan_audit.program.language.attributes import attribute

        return attribute(self, value, name, location)

    def item(self, owner: Value, index: Value, location: Location) -> Value:
        """The item of a value."""
        from cmgan_audit.program.language.subscripts import subscript

        return subscript(self, owner, index, location)

    def set_attribute(self, target: Value, name: str, value: Value, location: Location) -> None:
        """Assign an attribute, with the special methods of the tree, through the journal."""
        from cmgan_audit.program.language.attributes import store

        store(self, target, name, value, location)

    def import_module(self, name: str) -> Value:
        """A module by its absolute name: of the tree, its top level executed once, or a name of a library."""
        from cmgan_audit.program.execution.imports import import_module

        return import_module(self, name)

    def search_in(self, folders: Sequence[str], *, first: bool) -> None:
        """Look for modules in folders of the tree too; those where they are looked for anyway keep their turn."""
        others = [folder for folder in dict.fromkeys(folders) if folder not in self.roots]
        self.added_roots.update(others)
        self.roots = [*others, *self.roots] if first else [*self.roots, *others]

    def roots_for(self, name: str) -> list[str]:
        """The folders where a module is looked for. In an added one, `third_party/torch` is no library's package."""
        return [root for root in self.roots if root not in self.added_roots] if is_library(name) else self.roots

    # Places

    def location(self, node: ast.AST) -> Location:
        """Where a node of the current module stands."""
        return self.activations[-1].module.location(node)

    def text(self, node: ast.AST, limit: int = 80) -> str:
        """The source text of an expression on one line."""
        return self.activations[-1].module.text(node, limit)

    def limit(self, location: Location, note: str) -> None:
        """Record that something could not be followed, once per place."""
        step = Step(location, note)
        if step not in self.run.limits:
            self.run.limits.append(step)

    @contextmanager
    def doubted(self) -> Iterator[None]:
        """Execute what the program may not come to, or where it may go on after an error."""
        self.doubts += 1
        try:
            yield
        finally:
            self.doubts -= 1

    @property
    def in_doubt(self) -> bool:
        """Whether the program may not come here, or may go on after an error here."""
        return bool(self.context.conditions or self.journal.tracking or self.doubts or self.probing)

    def note_missing(self, owner: DictValue) -> None:
        """Remember the file of a mapping that was asked for a key which it does not hold, and has no value for.

        Raises:
            UnconfiguredError: it is the file that has to suit the script, and nothing keeps the program from failing.
        """
        if not (owner.complete and owner.origin) or owner.gives_missing:
            return
        path = owner.origin.partition(": ")[0]
        self.lacking.add(path)
        if path == self.must_hold and not self.in_doubt:
            self.unsuited = True
            raise UnconfiguredError

    # Limits

    def allow(self, steps: int) -> None:
        """Set how many steps the run may have taken before it ends."""
        self.budget = steps
        self.most_joined = steps * JOINED_PER_STEP

    @property
    def all_steps(self) -> int:
        """How many steps all has taken that this run was made with."""
        return self.steps + self.supposed_steps + self.probed_steps + self.earlier_steps

    def count(self) -> None:
        """One more step.

        Raises:
            BudgetExceededError: the run has used up its steps, or has joined too many values; the message says which.
        """
        self.steps += 1
        if self.steps > self.budget or self.journal.joined > self.most_joined:
            self.exceed()

    def exceed(self) -> NoReturn:
        """End the run: a limit is passed.

        Raises:
            BudgetExceededError: always.
        """
        if self.steps > self.budget:
            raise BudgetExceededError(f"more than {self.budget} steps")
        raise BudgetExceededError(f"more than {self.most_joined} values joined where paths meet")

    # Context

    def entered(
        self,
        *,
        frame: Frame | None = None,
        loop: Loop | None = None,
        condition: Condition | None = None,
        managers: Sequence[str] = (),
        facts: Facts = frozenset(),
    ) -> Inside:
        """Execute inside something; afterwards the context is as before."""
        before = self.context
        context = Context(
            (*before.frames, frame) if frame else before.frames,
            (*before.loops, loop) if loop else before.loops,
            (*before.conditions, condition) if condition else before.conditions,
            (*before.managers, *managers) if managers else before.managers,
            before.asserted,
        )
        return Inside(self, context, self.facts | self.forks.lasting(facts) if facts else self.facts)

    def from_now_on(self, condition: Condition) -> None:
        """The other side of a branch has left: the rest of this block runs under this condition."""
        if condition.text:
            self.context = replace(self.context, conditions=(*self.context.conditions, condition))
        self.facts |= self.forks.lasting(condition.facts)

    def assert_facts(self, facts: Facts) -> None:
        """The rest of this block runs only where these tests have come out as they did, under no other condition."""
        self.context = replace(self.context, asserted=self.context.asserted | facts)
        self.facts |= facts

    def forget_names(self, environment: Environment, mark: int) -> None:
        """A call, or a comprehension, that began at `mark` has ended: its names are no part of the state any more."""
        # What the consumer of a generator does runs inside of it, and may have left a loop of its own: the place in the
        # journal that it left at has to stay.
        if all(leaving.mark <= mark for leaving in self.exits):
            self.journal.abandon(environment.names, mark)

    def activated(self, activation: Activation, frame: Frame | None, managers: Sequence[str] = ()) -> Inside:
        """Execute the body of a call, within the context managers of its decorators."""
        activation.outer, activation.outer_facts = self.context, self.facts
        inside = self.entered(frame=frame, managers=managers)
        inside.activation = activation
        return inside


def joined(options: Sequence[Option]) -> Value:
    """One value for what several paths gave."""
    return join_options(options) if options else Unknown(reason="no path gives a value")
