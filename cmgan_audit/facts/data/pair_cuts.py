"""Clean and noisy signal of an item: cut by one draw, or each by its own."""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import product

from cmgan_audit.facts.conditions import open_setting, test_behind
from cmgan_audit.facts.data.alike import are_equal
from cmgan_audit.facts.data.records import PairCut
from cmgan_audit.facts.data.subjects import CLEAN, NOISY, Subject, is_mixed_in, side_of, subject_of
from cmgan_audit.facts.items.cuts import Cut, cuts_in
from cmgan_audit.facts.items.making import Reading, items_of
from cmgan_audit.facts.items.passable import passable
from cmgan_audit.facts.values import instances_of, same_object
from cmgan_audit.facts.view import View
from cmgan_audit.finding import Location, Step, Trail
from cmgan_audit.lazy_dataclasses import dataclass
from cmgan_audit.lazy_regex import regex
from cmgan_audit.program.domain.values import Instance, Value
from cmgan_audit.program.execution.trace import CallEvent, Event
from cmgan_audit.program.library.draws import seed_of
from cmgan_audit.program.library.seeding import set_by
from cmgan_audit.rules.record import Fact, Known, Unknown
from cmgan_audit.source.syntax import first_of, names_in, single_parameters, walk

_RESTORED = regex(r".*\.(set_rng_state|setstate|set_state|manual_seed|fork_rng)")


@dataclass(frozen=True, slots=True, eq=False)
class _Part:
    """A cut of one of the two signals.

    Attributes:
        drawn_at: the call, as a position among the events, that drew its place.
        given: whether that draw only stands in for a place that its function may have been given.
    """

    cut: Cut
    subject: Subject
    drawn_at: int
    given: bool


def pair_cuts(view: View) -> Iterable[PairCut]:
    """A record for every piece of code that cuts both signals of an item at random places."""
    seen: set[int] = set()
    for made in view.scene.made:
        for reading in items_of(view.scene, made).readings:
            if id(reading) not in seen:
                seen.add(id(reading))
                yield from _of_reading(view, reading)


def _of_reading(view: View, reading: Reading) -> Iterable[PairCut]:
    cuts = [cut for cut in cuts_in(reading.events) if not cut.repeats]
    # The length of what was cut depends on the draw as well, and so does the end of `cut[: size % len(cut)]`.
    begun = {draw for cut in cuts if cut.begins for draw in cut.draws}
    cuts = [cut for cut in cuts if cut.begins or begun.isdisjoint(cut.draws)]
    if len(cuts) < 2:
        return
    parts = list(_parts(view, reading, cuts))
    noisy = [part for part in parts if part.subject.side == NOISY and not _is_mixed_in(part)]
    clean = [part for part in parts if part.subject.side == CLEAN]
    alone = [part for part in noisy if all(part.drawn_at != other.drawn_at for other in clean)]
    others = [part for part in clean if all(part.drawn_at != other.drawn_at for other in noisy)]
    for first in alone:
        for second in others:
            if first.given or second.given or not first.subject.may_belong_to(second.subject):
                continue
            if _together(view, reading, first, second) and not _restored(reading.events, first, second):
                yield _record(reading, first, second, separate=True)
                return
    both = [(one, two) for one in noisy for two in clean if one.drawn_at == two.drawn_at]
    for one, two in both:
        again = _cut_again(view, one, two, noisy) or _cut_again(view, two, one, clean)
        if again is not None and _together(view, reading, *again) and not _restored(reading.events, *again):
            yield _record_again(reading, *again)
            return
    if both:
        yield _record(reading, *both[0], separate=False)


def _cut_again(view: View, old: _Part, partner: _Part, others: Sequence[_Part]) -> tuple[_Part, _Part] | None:
    """The cut that takes the place of one of a pair, with the partner of that, which stays where the first draw says.

    noisy, first = crop(noisy, first)
    noisy, second = crop(whole, second)    # `first` belongs to a noisy signal that nobody gets
    """
    for new in others:
        if new.drawn_at <= old.drawn_at:
            continue
        places = _made_at(old, new)
        before, after = (_assignment(view, place) for place in places)
        if before is None or after is None:
            continue
        behind = _followers(view, places[0].path, before, after)
        if behind is None:
            continue
        given, given_anew = names_in(*before.targets) - _bound_in(behind), names_in(*after.targets)
        replaced = {each for each in given & given_anew if side_of(ast.Name(each)) == old.subject.side}
        kept = {each for each in given - given_anew if side_of(ast.Name(each)) == partner.subject.side}
        read = names_in(after.value)
        if replaced and kept and read.isdisjoint(replaced):
            return new, partner
    return None


def _made_at(old: _Part, new: _Part) -> tuple[Location, Location]:
    """Where two cuts are asked for in the function that makes both of them."""
    stacks = [part.cut.event.context.frames for part in (old, new)]
    shared = 0
    while shared < min(map(len, stacks)) and stacks[0][shared].call == stacks[1][shared].call:
        shared += 1
    first, second = (
        stack[shared].call if shared < len(stack) else part.cut.place
        for stack, part in zip(stacks, (old, new), strict=True)
    )
    return first, second


def _assignment(view: View, place: Location) -> ast.Assign | None:
    node = view.code.node_at(place)
    around = () if node is None else (node, *view.code.parents(place.path, node))
    return first_of(around, ast.Assign)


def _followers(view: View, path: str, before: ast.Assign, after: ast.Assign) -> list[ast.stmt] | None:
    """What follows the second of two assignments in the block of both; None where no block holds both.

    So it is where something between them reads what the first one gives.
    """
    around = next(iter(view.code.parents(path, before)), None)
    for name in ("body", "orelse", "finalbody"):
        block = getattr(around, name, [])
        if before in block and after in block:
            between = block[block.index(before) + 1 : block.index(after)]
            read = names_in(*between)
            return block[block.index(after) + 1 :] if read.isdisjoint(names_in(*before.targets)) else None
    return None


def _bound_in(block: Iterable[ast.stmt]) -> set[str]:
    """The names that some statements give something else, not a form of what they had: `clean = clean.float()`."""
    found: set[str] = set()
    for node in (part for statement in block for part in walk(statement) if isinstance(part, ast.Assign)):
        found |= names_in(*node.targets) - names_in(node.value)
    return found


def _parts(view: View, reading: Reading, cuts: Sequence[Cut]) -> Iterable[_Part]:
    """The cuts whose signal is known; a loop over both signals cuts one in each pass."""
    passes: Counter[Location] = Counter()
    for cut in cuts:
        subjects = subject_of(view, cut.event)
        if subjects:
            subject = subjects[passes[cut.place] % len(subjects)]
            passes[cut.place] += 1
            drawn_at = _drawn_at(reading.events, cut)
            yield _Part(cut, subject, drawn_at, _may_be_given(view, reading.events[drawn_at]))


def _is_mixed_in(part: _Part) -> bool:
    """Whether a signal that is only called the input is the noise that the clean one is mixed with."""
    functions = (frame.value.node for frame in part.cut.event.context.frames if frame.value is not None)
    return part.subject.called_input and any(map(is_mixed_in, functions))


def _drawn_at(events: Sequence[Event], cut: Cut) -> int:
    """The last call before a cut of the draw that decides its place: a line of a helper draws anew in every call.

    Earlier draws reach the place through the bounds of that one, as the length of a noise that was drawn for both.
    """
    draw = cut.draws[0]
    calls = [
        position
        for position, event in enumerate(events[: cut.position + 1])
        if isinstance(event, CallEvent) and event.location == draw.location and event.callee == draw.callee
    ]
    return calls[-1] if calls else cut.position


def _may_be_given(view: View, draw: Event) -> bool:
    """Whether a place is only drawn where none was handed in, `if start is None: start = randint(...)`, and what was
    handed in is not known: then the draw of another call may have come this way."""
    frames, node = draw.context.frames, view.code.node_of(draw)
    function = frames[-1].value.node if frames and frames[-1].value is not None else None
    if node is None or function is None:
        return False
    spec = function.args
    parameters = {each.arg for each in single_parameters(spec)}
    open_tests = {test_behind(view.code, condition) for condition in draw.context.conditions}
    assigned: set[str] = set()
    for parent in view.code.parents(draw.location.path, node):
        if parent is function:
            break
        if isinstance(parent, ast.Assign):
            assigned = names_in(*parent.targets)
        if isinstance(parent, ast.If | ast.IfExp) and parent.test in open_tests:
            asked = names_in(parent.test) & parameters
            if asked and (isinstance(parent, ast.IfExp) or asked & assigned):
                return True
    return False


def _together(view: View, reading: Reading, first: _Part, second: _Part) -> bool:
    """Whether one item can take both cuts and both draws: not when they lie on two sides of a branch."""
    contexts = [part.cut.event.context for part in (first, second)]
    one, two = (context.tests for context in contexts)
    if any(f"not ({text})" in two for text in one) or any(f"not ({text})" in one for text in two):
        return False
    drawn = [reading.events[part.drawn_at].context for part in (first, second)]
    return passable(view.code, *contexts, *drawn)


def _restored(events: Sequence[Event], first: _Part, second: _Part) -> bool:
    """Whether both draw the same: the random state is set again between them, or two generators were given one seed."""
    start, end = sorted((first.drawn_at, second.drawn_at))
    generators = product(*(_seeded_generators(events[position]) for position in (start, end)))
    if any(not same_object(one, other) and are_equal(seed, again) for (one, seed), (other, again) in generators):
        return True
    return any(
        isinstance(event, CallEvent) and (set_by(event) or _RESTORED.fullmatch(event.callee))
        for event in events[start:end]
    )


def _seeded_generators(draw: Event) -> Iterator[tuple[Instance, Value]]:
    """The generator objects that a draw may come from, with their seeds."""
    if isinstance(draw, CallEvent):
        for value in (draw.receiver, draw.arguments.get("generator")):
            for generator in instances_of(value):
                seed = seed_of(generator)
                if seed is not None:
                    yield generator, seed


def _open_setting(reading: Reading, *parts: _Part) -> str:
    """The setting of the data set that decides whether it cuts at random at all, where nobody knows it; else ""."""
    contexts = [
        context for part in parts for context in (part.cut.event.context, reading.events[part.drawn_at].context)
    ]
    settings = (open_setting(each, reading.owner) for context in contexts for each in context.conditions)
    return next((text for text in settings if text), "")


def _record_again(reading: Reading, new: _Part, partner: _Part) -> PairCut:
    """A cut that took the place of an earlier one; both are told where they are asked for."""
    here, before = _made_at(new, partner)
    trail = (
        Step(here, f"{new.subject.name} is cut here, in place of an earlier cut"),
        Step(before, f"{partner.subject.name} is cut here, along with what is replaced"),
        Step(new.cut.place, f"the place is where {new.cut.draws[0].callee} says"),
    )
    noisy, clean = sorted((new, partner), key=lambda part: part.subject.side == CLEAN)
    return PairCut(
        location=here,
        anchor=reading.function,
        dataset=reading.function,
        separate=Known(True, trail),
        noisy=noisy.subject.name,
        clean=clean.subject.name,
    )


def _record(reading: Reading, noisy: _Part, clean: _Part, *, separate: bool) -> PairCut:
    first, second = sorted((noisy, clean), key=lambda part: part.cut.position)
    told = f"{second.subject.name} is cut where a draw of its own says" if separate else "one draw"
    trail: Trail = (
        Step(second.cut.place, told),
        Step(first.cut.place, f"{first.subject.name} is cut where {first.cut.draws[0].callee} says"),
    )
    before, after = _made_at(first, second)
    if first.cut.place == second.cut.place and before != after:  # a helper cuts both
        trail += (
            Step(after, f"{second.subject.name} is handed to the cut here"),
            Step(before, f"{first.subject.name} is handed to the cut here"),
        )
    fact: Fact = Known(separate, trail if separate else ())
    setting = _open_setting(reading, noisy, clean) if separate else ""
    if setting:
        fact = Unknown(f"the random cut at {second.cut.place} is reached depending on {setting}", trail)
    return PairCut(
        location=second.cut.place,
        anchor=reading.function,
        dataset=reading.function,
        separate=fact,
        noisy=noisy.subject.name,
        clean=clean.subject.name,
    )
