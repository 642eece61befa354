"""Undecided branches: every side is executed on the same start state, then what they left behind is joined.

A side may end normally, leave by return, break or continue (its state is kept as an `Exit` until the function or
loop ends), or raise (then it is dropped).
"""

from __future__ import annotations

import ast
import enum
from collections.abc import Callable, Sequence
from itertools import islice
from typing import Generic, TypeVar

from cmgan_audit.finding import Location
from cmgan_audit.lazy_dataclasses import dataclass
from cmgan_audit.program.domain.bounds import decided
from cmgan_audit.program.domain.facts import Facts
from cmgan_audit.program.domain.joins import Branch, branch_of, join, opposite
from cmgan_audit.program.domain.listings import without_listings
from cmgan_audit.program.domain.text_tests import test_of, told
from cmgan_audit.program.domain.values import (
    BoundMethod,
    Choice,
    ClassValue,
    Const,
    DictValue,
    Draw,
    External,
    FunctionValue,
    Instance,
    ListValue,
    ModuleValue,
    Option,
    Symbol,
    TextTest,
    Unknown,
    Value,
    may_be_absent,
    options_of,
)
from cmgan_audit.program.execution.interpreter import Activation, Exit, Interpreter, ProgramRaisedError
from cmgan_audit.program.execution.state import Snapshot
from cmgan_audit.program.execution.trace import Condition, DecisionEvent
from cmgan_audit.program.library.draws import GENERATORS
from cmgan_audit.program.naming.names import canonical

T = TypeVar("T")

# Classes of libraries whose objects have no length that could be zero, and so are true; optimisers, schedulers and
# generators of random numbers are other such families. A loader has a length, but one without a batch trains nothing.
_NEVER_EMPTY = frozenset(
    "argparse.ArgumentParser torch.device torch.nn.parallel.DistributedDataParallel torch.nn.parallel.DataParallel "
    "torch.cuda.amp.GradScaler torch.amp.GradScaler torch.utils.data.DataLoader".split()
)


class Flow(enum.Enum):
    """How a block of statements ended."""

    NEXT = "next"
    RETURN = "return"
    BREAK = "break"
    CONTINUE = "continue"


@dataclass(frozen=True, slots=True)
class Side(Generic[T]):
    """One side of a branch: when it is taken, where that is decided, and what happens then."""

    branch: Branch
    location: Location
    run: Callable[[], T]


@dataclass(slots=True)
class _Outcome(Generic[T]):
    """How a side ended, and how tests came out on the way there: its own, and those of branches in it that left."""

    side: Side[T]
    facts: Facts
    result: T
    snapshot: Snapshot
    exits: list[Exit]
    built: dict[ast.AST, Instance]


def _explored(it: Interpreter, sides: Sequence[Side[T]]) -> list[_Outcome[T]]:
    """Run every side from the state as it is now, and take its writes back.

    Raises:
        ProgramRaisedError: every side raises; what they had written by then stays, as after any other statement that
            raises: who looks at the objects of a run that ends here finds them as they were made.
    """
    outcomes: list[_Outcome[T]] = []
    raised: list[tuple[Snapshot, Branch]] = []
    last = ("", sides[0].location)  # not the error itself: it holds its way, and so this name
    mark, before, known = it.journal.mark(), len(it.built), it.facts
    several = len(sides) > 1
    for side in sides:
        first_exit = len(it.exits)
        condition = Condition(side.branch.text, side.location, side.branch.facts) if side.branch.text else None
        it.doubts += several  # a side may have no text, as the entries of a table by a key that is not known
        try:
            with it.entered(condition=condition, facts=side.branch.facts):
                result = side.run()
                facts = it.facts - known
        except ProgramRaisedError as error:
            last = (error.name, error.location)
            raised.append((it.journal.written_since(mark), side.branch))
        else:
            built = dict(islice(it.built.items(), before, None))
            outcomes.append(_Outcome(side, facts, result, it.journal.written_since(mark), [], built))
        finally:
            it.doubts -= several
            while len(it.built) > before:  # what one side alone has made is another one on the next, and followed again
                it.built.popitem()
        rebase(it, first_exit, mark)
        it.journal.rollback(mark)
    if not outcomes:
        it.journal.merge(raised)
        raise ProgramRaisedError(*last)
    return outcomes


def _keep_built(it: Interpreter, outcomes: Sequence[_Outcome[T]]) -> None:
    """Of each layer that the sides of a branch built, the first one; what they wrote into it is written by now."""
    for outcome in outcomes:
        for definition, instance in outcome.built.items():
            it.built.setdefault(definition, instance)


def rebase(it: Interpreter, first_exit: int, mark: int) -> None:
    """Express the exits made since then relative to an earlier mark, before the journal is rolled back to it."""
    for leaving in it.exits[first_exit:]:
        if leaving.mark > mark:
            base = it.journal.written_since(mark, leaving.mark)
            leaving.snapshot = {**base, **leaving.snapshot}
            leaving.mark = mark


def fork(it: Interpreter, sides: Sequence[Side[Flow]], draws: frozenset[Draw] = frozenset()) -> Flow:
    """Execute statements on every side; what is not left early is joined.

    Raises:
        ProgramRaisedError: every side raises.
    """
    outcomes = _explored(it, sides)
    mark = it.journal.mark()
    going = [outcome for outcome in outcomes if outcome.result is Flow.NEXT]
    leaving = [outcome for outcome in outcomes if outcome.result is not Flow.NEXT]
    if not going:
        going, leaving = leaving[-1:], leaving[:-1]
    for outcome in leaving:
        it.exits.append(_exit(it, outcome.result.value, outcome.side.branch, outcome.snapshot, mark))
    if len(going) == 1:
        it.journal.apply(going[0].snapshot)
        side = going[0].side
        if len(sides) > 1:
            it.from_now_on(Condition(side.branch.text, side.location, going[0].facts))
    else:
        it.journal.merge([(outcome.snapshot, outcome.side.branch) for outcome in going], without_listings(draws))
    _keep_built(it, going)
    return going[0].result


def choose(it: Interpreter, sides: Sequence[Side[Value]], draws: frozenset[Draw] = frozenset()) -> Value:
    """Evaluate an expression on every side; values and states are joined.

    Raises:
        ProgramRaisedError: every side raises.
    """
    outcomes = _explored(it, sides)
    draws = without_listings(draws)
    it.journal.merge([(outcome.snapshot, outcome.side.branch) for outcome in outcomes], draws)
    _keep_built(it, outcomes)
    return join([(outcome.result, outcome.side.branch) for outcome in outcomes], draws)


def _exit(it: Interpreter, kind: str, branch: Branch, snapshot: Snapshot, mark: int) -> Exit:
    owner = it.activation
    return Exit(kind, owner, owner.loops, mark, snapshot, Option(Const(value=None), branch.text, branch.facts))


def leave(it: Interpreter, kind: Flow) -> None:
    """Keep the state of the current path as an exit of the current call or loop; the caller goes on elsewhere."""
    it.exits.append(_exit(it, kind.value, Branch(""), {}, it.journal.mark()))


def arrive(it: Interpreter, kind: Flow, owner: Activation, loop: int, *, alone: bool) -> None:
    """Join the paths that left to here with the current one; with `alone`, no current path exists."""
    mine = [
        e for e in it.exits if e.kind == kind.value and e.owner is owner and (kind is Flow.RETURN or e.loop == loop)
    ]
    if not mine:
        return
    it.exits = [e for e in it.exits if e not in mine]
    if alone:
        first = min(mine, key=lambda leaving: leaving.mark)
        for leaving in mine:
            if leaving.mark > first.mark:
                leaving.snapshot = {**it.journal.written_since(first.mark, leaving.mark), **leaving.snapshot}
                leaving.mark = first.mark
        it.journal.rollback(first.mark)
        it.journal.merge([(e.snapshot, branch_of(e.option)) for e in mine])
        return
    for leaving in mine:
        there = {**it.journal.held_before(leaving.mark), **leaving.snapshot}
        branch = branch_of(leaving.option)
        other = Branch(opposite(branch.text) if branch.text else "")
        it.journal.merge([({}, other), (there, branch)])


def reads_setting(node: ast.AST) -> bool:
    """Whether an expression may read a setting: a name, an attribute, an item, `get(...)` or `getattr(...)`."""
    if isinstance(node, ast.Call):
        called = node.func
        named = called.attr if isinstance(called, ast.Attribute) else getattr(called, "id", "")
        return named in ("get", "getattr")
    return isinstance(node, ast.Name | ast.Attribute | ast.Subscript)


def asked(it: Interpreter, node: ast.expr, value: Value) -> Value:
    """Note that a decision asks for a setting that holds a value with a way, or is open."""
    if reads_setting(node) and not it.probing:
        settled = isinstance(value, Const | Choice) and any(option.value.trail for option in options_of(value))
        if settled or isinstance(value, Unknown):
            it.emit(DecisionEvent(location=it.location(node), context=it.context, value=value))
    return value


def sides_of(it: Interpreter, test: Value, text: str) -> tuple[Branch, Branch]:
    """Both sides of an undecided test: taken, and not taken.

    A test of which nothing is known has a fact of its own each time: what one side gave a name is not what the name
    holds where a later test shows that the other side was taken, as `if optimizer is not None:` does.
    """
    facts_true: Facts = frozenset()
    facts_false: Facts = frozenset()
    if isinstance(test, Symbol):
        formula, outcome = stripped(test.formula)
        facts_true, facts_false = frozenset({(formula, outcome)}), frozenset({(formula, not outcome)})
    elif isinstance(test, Choice) and (shared := test_of(test)) is not None:
        return sides_of(it, shared, text)
    elif isinstance(test, Choice) and all(isinstance(option.value, Const) for option in test.options):
        facts_true, facts_false = _shared_facts(it, test, taken=True), _shared_facts(it, test, taken=False)
    else:
        formula, outcome = it.asked_for.truth_of(test) or (it.forks.new(), True)
        facts_true, facts_false = frozenset({(formula, outcome)}), frozenset({(formula, not outcome)})
        if isinstance(test, Choice):
            facts_true |= _shared_facts(it, test, taken=True)
            facts_false |= _shared_facts(it, test, taken=False)
    return Branch(text, facts_true), Branch(opposite(text), facts_false)


def _shared_facts(it: Interpreter, test: Choice, *, taken: bool) -> Facts:
    """What holds on one side of a test that came out one way here and another way there: of one whether a network is
    wrapped, where it is on machines of several cards; of `a and b`, where it is taken, that both are true."""
    held: list[Facts] = []
    for option in test.options:
        if not isinstance(option.value, Const):
            formula, outcome = it.asked_for.truth_of(option.value) or ("", True)
            held.append(option.facts | ({(formula, outcome is taken)} if formula else frozenset()))
        elif bool(option.value.value) is taken:
            held.append(option.facts)
    return frozenset.intersection(*held) if held else frozenset()


def stripped(formula: str) -> tuple[str, bool]:
    """A formula without leading negations, and whether it holds when the whole holds."""
    outcome = True
    while formula.startswith("not (") and formula.endswith(")"):
        formula, outcome = formula[5:-1], not outcome
    return formula, outcome


def truth(it: Interpreter, value: Value) -> bool | None:
    """Whether a value is true as a test; None when that is not decided."""
    match value:
        case Const():
            return bool(value.value)
        case Symbol():
            formula, outcome = stripped(value.formula)
            if (formula, True) in it.facts:
                return outcome
            if (formula, False) in it.facts:
                return not outcome
            verdict = decided(formula, it.facts)
            return None if verdict is None else verdict is outcome
        case TextTest():
            return _told_before(it, value)
        case Unknown(outcome=bool(outcome)):
            return outcome
        case ListValue():
            return bool(value.items) if value.complete else None
        case DictValue():
            if any(not may_be_absent(item) for item in value.items.values()):
                return True
            return False if value.complete and not value.items else None
        case Choice() if (told_of_all := _told_before(it, value)) is not None:
            return told_of_all
        case FunctionValue() | ClassValue() | ModuleValue() | External():
            return True
        case Instance():
            known = _truth_of_instance(value)
            return _told_before(it, value) if known is None else known
        case BoundMethod() | Unknown():
            return _told_before(it, value)
    verdicts = {truth(it, option.value) for option in options_of(value) if option.value is not value}
    return verdicts.pop() if len(verdicts) == 1 else None


def _told_before(it: Interpreter, setting: Value) -> bool | None:
    """Whether an earlier test on the way has told that a setting is true."""
    asked_for = it.asked_for.truth_of(setting) if it.facts else None
    if asked_for is None:
        return None
    verdict = told(asked_for[0], it.facts)
    return None if verdict is None else verdict is asked_for[1]


def _truth_of_instance(value: Instance) -> bool | None:
    from cmgan_audit.program.language.classes import class_attribute, library_bases

    if not isinstance(value.cls, ClassValue):
        return True if _is_never_empty(canonical(value.external_name)) else None
    if any(base not in ("builtins.object", "torch.nn.Module") for base in library_bases(value.cls)):
        return None
    has_own = any(class_attribute(value.cls, name) is not None for name in ("__bool__", "__len__"))
    return None if has_own else True


def _is_never_empty(name: str) -> bool:
    """Whether objects of a library's class are true as a test."""
    member = name.rpartition(".")[2]
    if name.startswith("torch.optim."):
        return member[:1].isupper()
    return name in _NEVER_EMPTY or name in GENERATORS or member == "SummaryWriter"
