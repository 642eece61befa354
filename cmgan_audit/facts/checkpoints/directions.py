"""Decisions by a measured number that take the worse value for the better one, or nothing at all for better."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from dataclasses import replace

from cmgan_audit.facts.checkpoints.guards import Guard, Guards
from cmgan_audit.facts.checkpoints.monitors import PER, chooses, logged_by, monitor_of, monitors
from cmgan_audit.facts.checkpoints.records import Direction
from cmgan_audit.facts.checkpoints.restoring import member_of
from cmgan_audit.facts.checkpoints.selecting import KEEPS, RATE, STOPS, holds_weights, keeps_model
from cmgan_audit.facts.checkpoints.senses import HIGHER, LOWER, Sense, Senses
from cmgan_audit.facts.classes import is_network
from cmgan_audit.facts.code import stack_of
from cmgan_audit.facts.slices import Found
from cmgan_audit.facts.values import constant, instances_of
from cmgan_audit.facts.view import View
from cmgan_audit.finding import Location, Step
from cmgan_audit.lazy_dataclasses import dataclass
from cmgan_audit.lazy_regex import regex
from cmgan_audit.program.domain.values import Instance
from cmgan_audit.program.execution.trace import CallEvent, Event
from cmgan_audit.program.naming.names import canonical
from cmgan_audit.rules.record import Known

_LESS, _MORE = (ast.Lt, ast.LtE), (ast.Gt, ast.GtE)
# Who looks for the worst on purpose calls it so.
_WORST = regex(r"worst|max|high|hard|larg|peak")
_INFINITE = regex(r"float\(['\"]\+?(?:inf|infinity)['\"]\)|(?:math|np|numpy|torch)\.[iI]nf|sys\.maxsize")
# No speech metric gets there.
_OUT_OF_REACH = 1000
_MODES = {"min": LOWER, "max": HIGHER}


@dataclass(frozen=True, slots=True, eq=False)
class _Search:
    """A comparison that asks whether a number is better than the best one so far, which it then becomes.

    Attributes:
        compare: the comparison.
        number: the new number.
        best: the best one so far.
        taken: what counts as better.
        test: the test that holds the comparison.
    """

    compare: ast.Compare
    number: ast.expr
    best: ast.expr
    taken: str
    test: Found


def directions_of(view: View) -> Iterator[Direction]:
    """The decisions of a training whose better direction is certain, each place once."""
    if not view.scene.trains:
        return
    senses = Senses(view)
    seen: set[Location] = set()
    for record in (*_of_searches(view, senses), *_of_schedulers(view, senses), *_of_monitors(view, senses)):
        if record.location not in seen:
            seen.add(record.location)
            yield record


def _of_searches(view: View, senses: Senses) -> Iterator[Direction]:
    guards = Guards(view.code)
    kept: list[Event] = [event for event in view.scene.calls if keeps_model(event) and _is_of_model(event)]
    kept += [store for store in view.scene.stores if holds_weights(store.value)]
    done: set[int] = set()
    for event in kept:
        for guard in guards.of(event):
            search = _search(view, guard) if id(guard.node) not in done else None
            done.add(id(guard.node))
            if search is None or _WORST.search(ast.unparse(search.best).lower()):
                continue
            test = search.test
            sense = senses.of(search.number, test.path, test.stack)
            start = _start(view, search)
            never = _is_never(search, sense, start)
            if sense is None and not never:
                continue
            place = view.code.place_of(test.path, search.compare)
            trail = [Step(place, f"a {search.taken} value is taken for better here, and the model is kept")]
            if sense is not None and sense.place is not None:
                trail.append(Step(sense.place, f"the value is computed of {sense.what}"))
            if start is not None and never:
                trail.append(Step(view.code.place_of(test.path, start), "the search begins here"))
            known = tuple(trail)
            yield Direction(
                location=place,
                anchor=f"{KEEPS}: {ast.unparse(search.best)}",
                decides=KEEPS,
                measured="" if sense is None else sense.what,
                taken=search.taken,
                reversed=Known(sense is not None and sense.better != search.taken, known),
                never=Known(never, known),
                start="" if start is None else ast.unparse(start),
            )


def _is_of_model(event: CallEvent) -> bool:
    """Whether what is put aside is a network or its state, and not any other object that is copied."""
    if canonical(event.callee) != "copy.deepcopy":
        return True
    given = event.arguments.get("x", 0)
    return any(is_network(each) or each.external_name.endswith(".state_dict") for each in instances_of(given))


def _search(view: View, guard: Guard) -> _Search | None:
    """The comparison in a test that the branch behind it answers by keeping the new number as the best one."""
    parents = view.code.parents(guard.path, guard.node)
    branch = next((each for each in (guard.node, *parents) if isinstance(each, ast.If)), None)
    if branch is None or branch.test is not guard.node:
        return None
    here = Found(guard.node, guard.path, guard.stack)
    given = dict(_assigned(branch.body if guard.taken else branch.orelse))
    if isinstance(guard.node, ast.Name):
        return _behind_flag(view, here, given) if guard.taken else None
    return _in_test(here, given, taken=guard.taken)


def _behind_flag(view: View, flag: Found, given: dict[str, str], depth: int = 3) -> _Search | None:
    """The search that a flag tells of: `is_best = loss < best`, or True where a branch keeps the new number."""
    for source, _ in view.slicer.sources(flag):
        parents = list(view.code.parents(source.path, source.node))
        statement = next((each for each in parents if isinstance(each, ast.stmt)), None)
        found: _Search | None = None
        if isinstance(source.node, ast.Name) and depth:
            found = _behind_flag(view, source, given, depth - 1)
        elif isinstance(source.node, ast.Compare):
            block = next((block for each in parents for block in _blocks(each) if statement in block), [])
            found = _in_test(source, {**dict(_extremes(block)), **given}, taken=True)
        elif isinstance(source.node, ast.Constant) and source.node.value is True:
            branch = next((each for each in parents if isinstance(each, ast.If)), None)
            if branch is not None:
                taken = statement in branch.body
                kept = dict(_assigned(branch.body if taken else branch.orelse))
                found = _in_test(Found(branch.test, source.path, source.stack), kept, taken=taken)
        if found is not None:
            return found
    return None


def _in_test(test: Found, given: dict[str, str], *, taken: bool) -> _Search | None:
    """The comparison in a test behind which the best number becomes the new one, as what is given there says."""
    assert isinstance(test.node, ast.expr)
    for compare in _compares(test.node):
        left, op, right = compare.left, compare.ops[0], compare.comparators[0]
        if not isinstance(op, (*_LESS, *_MORE)) or (not taken and compare is not test.node):
            continue
        for number, best, less in ((left, right, isinstance(op, _LESS)), (right, left, isinstance(op, _MORE))):
            if given.get(_without_margin(best, given)) == ast.unparse(number):
                return _Search(compare, number, best, LOWER if less == taken else HIGHER, test)
    return None


def _blocks(node: ast.AST) -> Iterator[list[ast.stmt]]:
    for name in ("body", "orelse", "finalbody"):
        block = getattr(node, name, None)
        if isinstance(block, list):
            yield block


def _extremes(block: Sequence[ast.stmt]) -> Iterator[tuple[str, str]]:
    """What becomes the best number in a block without a test of its own: `best = max(best, number)`."""
    for statement in block:
        match statement:
            case ast.Assign(targets=[target], value=ast.Call(func=ast.Name(id="min" | "max"), args=[one, other])):
                texts = [ast.unparse(each) for each in (one, other)]
                name = ast.unparse(target)
                if name in texts:
                    yield name, texts[1 - texts.index(name)]


def _compares(test: ast.expr) -> Iterator[ast.Compare]:
    """The comparisons of two that a test is made of, without those under `not`."""
    if isinstance(test, ast.BoolOp):
        for value in test.values:
            yield from _compares(value)
    elif isinstance(test, ast.Compare) and len(test.ops) == 1:
        yield test


def _assigned(block: Sequence[ast.stmt]) -> Iterator[tuple[str, str]]:
    """What a block gives to names, both as written."""
    for statement in block:
        if not isinstance(statement, ast.Assign):
            continue
        for target in statement.targets:
            value = statement.value
            if isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple):
                pairs = zip(target.elts, value.elts, strict=False)
                yield from ((ast.unparse(name), ast.unparse(each)) for name, each in pairs)
            else:
                yield ast.unparse(target), ast.unparse(value)


def _without_margin(best: ast.expr, given: dict[str, str]) -> str:
    """The name of the best number in `best`, `best + delta` or `best - delta`."""
    if isinstance(best, ast.BinOp) and isinstance(best.op, ast.Add | ast.Sub) and ast.unparse(best.left) in given:
        return ast.unparse(best.left)
    return ast.unparse(best)


def _start(view: View, search: _Search) -> ast.expr | None:
    """The one constant that a search begins with; None where there are several, or something else may be restored."""
    sources = view.slicer.sources(replace(search.test, node=search.best))
    number = ast.unparse(search.number)
    others = [each.node for each, _ in sources if ast.unparse(each.node) != number]
    first = others[0] if len(others) == 1 else None
    return first if isinstance(first, ast.expr) else None


def _is_never(search: _Search, sense: Sense | None, start: ast.expr | None) -> bool:
    """Whether no number is better than the one that a search begins with."""
    if start is None or search.test.node is not search.compare:
        return False  # `epoch == 0 or loss < best` lets the first one in
    text = ast.unparse(start)
    value = _number(start)
    if search.taken == HIGHER:
        if _INFINITE.fullmatch(text):
            return True
        known = sense is not None and sense.better == HIGHER
        return known and value is not None and value >= _OUT_OF_REACH
    if text.startswith("-") and _INFINITE.fullmatch(text[1:]):
        return True
    known = sense is not None and sense.better == LOWER and sense.whole
    return known and value is not None and value <= 0


def _number(node: ast.expr) -> float | None:
    match node:
        case ast.Constant(value=int() | float() as value) if not isinstance(value, bool):
            return float(value)
        case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=int() | float() as value)):
            return -float(value)
    return None


def _of_schedulers(view: View, senses: Senses) -> Iterator[Direction]:
    """Steps of ReduceLROnPlateau with a number that its mode does not fit."""
    for event in view.scene.calls:
        if member_of(event) != "step" or "ReduceLROnPlateau" not in canonical(event.callee):
            continue
        call = view.code.call_at(event.location)
        given = (
            [] if call is None else [*call.args[:1], *(each.value for each in call.keywords if each.arg == "metrics")]
        )
        schedulers = instances_of(event.receiver)
        taken = _mode(schedulers[0], 1) if len(schedulers) == 1 else ""
        if taken and len(given) == 1:
            sense = senses.of(given[0], event.location.path, stack_of(event.context))
            yield from _judged(RATE, taken, sense, schedulers[0].location, event.location)


def _of_monitors(view: View, senses: Senses) -> Iterator[Direction]:
    """Callbacks of Lightning whose mode does not fit the number that is logged under the name that they watch."""
    watching = [event for event in view.scene.calls if monitors(event) and chooses(view, event)]
    for event in watching:
        name = canonical(event.callee)
        stops = name.endswith("EarlyStopping")
        if not stops and not name.endswith("ModelCheckpoint"):
            continue
        watched = constant(monitor_of(event))
        made = [each for each in instances_of(event.result) if each.location == event.location]
        if not isinstance(watched, str) or not made:
            continue
        taken = _mode(made[0], None)
        logged = [_logged_as(senses, each, view, watched) for each in view.scene.calls if member_of(each) == "log"]
        known = [sense for sense in logged if sense is not None]
        if taken and known and len({sense.better for sense in known}) == 1:
            yield from _judged(STOPS if stops else KEEPS, taken, known[0], event.location, event.location)


def _logged_as(senses: Senses, event: CallEvent, view: View, watched: str) -> Sense | None:
    if not {watched, PER.sub("", watched)} & logged_by(event):
        return None
    call = view.code.call_at(event.location)
    given = [] if call is None else [*call.args[1:2], *(each.value for each in call.keywords if each.arg == "value")]
    return senses.of(given[0], event.location.path, stack_of(event.context)) if len(given) == 1 else None


def _mode(owner: Instance, position: int | None) -> str:
    """What a scheduler or callback takes for better; "" where it is open."""
    given = owner.arguments.get("mode", position)
    mode = "min" if given is None else constant(given)
    return _MODES.get(mode, "") if isinstance(mode, str) and not owner.arguments.open_kwargs else ""


def _judged(decides: str, taken: str, sense: Sense | None, made: Location, place: Location) -> Iterator[Direction]:
    if sense is None or sense.place is None:
        return
    trail = (
        Step(made, f"a {taken} value is taken for better here"),
        *([] if made == place else [Step(place, "the value is given here")]),
        Step(sense.place, f"the value is computed of {sense.what}"),
    )
    yield Direction(
        location=made,
        anchor=decides,
        decides=decides,
        measured=sense.what,
        taken=taken,
        reversed=Known(sense.better != taken, trail),
    )
