"""Parts of a checkpoint that go to another object than the one that they came from.

torch.save({"optimizer_g": optim_g.state_dict(), "optimizer_d": optim_d.state_dict()}, path)
...
optim_d.load_state_dict(checkpoint["optimizer_g"])

Only what the program itself shows is told: it saves the object under a key of its own and never loads that, and all
that it saves under the key that is loaded are other objects. What is loaded once the training has begun is left out:
a network that takes the averaged weights is evaluated then. So is a network with weights alone, which a training may
start from on purpose: the averaged ones of another run, those of an earlier stage.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property

from cmgan_audit.facts.adversarial.holders import Holders
from cmgan_audit.facts.checkpoints.records import Resume
from cmgan_audit.facts.checkpoints.restoring import bare, first_step, member_of
from cmgan_audit.facts.classes import is_network
from cmgan_audit.facts.optimisers import is_stateful
from cmgan_audit.facts.values import class_name, constant, instances_of, is_none, same_object
from cmgan_audit.facts.view import View
from cmgan_audit.finding import Location, Step
from cmgan_audit.lazy_dataclasses import dataclass
from cmgan_audit.program.domain.reasons import Cause, cause_of
from cmgan_audit.program.domain.values import DictValue, Instance, Unknown, Value, options_of
from cmgan_audit.program.execution.trace import CallEvent, innermost_function
from cmgan_audit.program.naming.names import canonical
from cmgan_audit.rules.record import Known

_STATE = ".state_dict"
_GETTERS = frozenset({"torch.load.get", "torch.load.pop"})


@dataclass(frozen=True, slots=True, eq=False)
class _Part:
    """A part of a checkpoint: its key, the object that it is the state of, and where that shows."""

    key: str
    of: Instance
    place: Location
    event: CallEvent


def exchanged_states(view: View) -> Iterator[Resume]:
    """The loads of a state that the program saves of another object."""
    states = _States(view)
    loaded = list(states.loaded())
    resumes = any(not is_network(part.of) for part in loaded)
    told: set[Location] = set()
    for part in loaded if resumes else ():
        source = _source(part, loaded, states) if part.place not in told else None
        if source is not None and states.goes_on(part.of):
            told.add(part.place)
            yield _record(part, source, states)


def _source(part: _Part, loaded: list[_Part], states: _States) -> _Part | None:
    """What the state that an object gets was saved of, where that is certainly another object."""
    own = {each.key for each in states.saved if _is_same(each.of, part.of)}
    given = [each for each in states.saved if each.key == part.key]
    if not own or not given or part.key in own:
        return None
    back = any(_is_same(each.of, part.of) and each.key in own for each in loaded)
    return None if back else given[0]


def _record(part: _Part, source: _Part, states: _States) -> Resume:
    own = next(each for each in states.saved if _is_same(each.of, part.of))
    trail = (
        Step(part.place, f'{class_name(part.of)} gets what stands under "{part.key}" here'),
        Step(source.place, f'"{part.key}" is the state of another {class_name(source.of)}'),
        Step(own.place, f'its own state is saved as "{own.key}"'),
    )
    return Resume(
        location=part.place,
        anchor=f"{innermost_function(part.event.context)}.{part.key}",
        unasked=Known(False),
        how=f'"{part.key}" is loaded',
        what=class_name(part.of),
        complete=Known(False, trail),
        key=part.key,
        own_key=own.key,
    )


class _States:
    """The parts of the checkpoints that a run saves and loads."""

    def __init__(self, view: View) -> None:
        self._scene = view.scene
        run, start = view.scene.run, first_step(view.scene)
        off = [(supposed.position, event) for supposed in run.supposed for event in supposed.events]
        self._calls = [*view.scene.calls, *(event for _, event in off if isinstance(event, CallEvent))]
        self._before = [*run.events[:start], *(event for position, event in off if position <= start)]

    def loaded(self) -> Iterator[_Part]:
        """What gets a part of a file as its state before the training starts."""
        for event in self._before:
            if not isinstance(event, CallEvent) or member_of(event) != "load_state_dict":
                continue
            if not event.arguments.positional:
                continue
            targets = instances_of(event.receiver)
            for key in _keys_of(event.arguments.positional[0]) if len(targets) == 1 else ():
                yield _Part(key, bare(targets[0]), event.location, event)

    @cached_property
    def saved(self) -> list[_Part]:
        """The states that are saved under names; of a key that anything else is saved under, nothing is known."""
        found: list[_Part] = []
        unclear: set[str] = set()
        for event in self._calls:
            if canonical(event.callee) != "torch.save" or not event.arguments.positional:
                continue
            for content in options_of(event.arguments.positional[0]):
                if isinstance(content.value, DictValue):
                    for key, value in content.value.items.items():
                        parts = list(self._parts(str(key), value, event))
                        found += parts
                        unclear |= set() if parts else {str(key)}
        return [part for part in found if part.key not in unclear]

    def _parts(self, key: str, value: Value, event: CallEvent) -> Iterator[_Part]:
        for each in instances_of(value):
            asked = self._asked.get(id(each.attrs))
            if asked is not None:
                for owner in instances_of(asked.receiver):
                    yield _Part(key, bare(owner), asked.location, event)

    @cached_property
    def _asked(self) -> dict[int, CallEvent]:
        """The calls that ask an object for its state, by their results."""
        calls = (event for event in self._calls if event.callee.endswith(_STATE))
        return {id(call.result.attrs): call for call in calls if isinstance(call.result, Instance)}

    def goes_on(self, target: Instance) -> bool:
        """Whether training goes on with an object: not a copy that begins with the weights of another network."""
        if not is_network(target):
            return is_stateful(target)
        holders = Holders(self._scene)
        optimisers = {id(use.on.attrs): use.on for use in self._scene.of("step") if use.on is not None}
        return any(holders.of(each).touches(target) for each in optimisers.values())


def _keys_of(state: Value) -> list[str]:
    """The keys of the parts of a file that a value may be; none where it may be anything else."""
    found: list[str] = []
    for one in _alternatives(state):
        keys = [] if _is_nothing(one) else _keys_asked(one)
        if keys is None:
            return []
        found += keys
    return list(dict.fromkeys(found))


def _alternatives(state: Value) -> Iterator[Value]:
    """The values that a value may be, one by one; of two that are not known only the join is left."""
    for option in options_of(state):
        held = option.value
        if isinstance(held, Unknown) and held.computed is not None and held.computed.operation == "or":
            for each in held.computed.operands:
                yield from _alternatives(each)
        else:
            yield held


def _is_nothing(state: Value) -> bool:
    """Whether a value is no state at all: None, or an empty dictionary."""
    return is_none(state) or (isinstance(state, DictValue) and state.complete and not state.items)


def _keys_asked(state: Value) -> list[str] | None:
    """The keys that a part of a loaded file was asked for by, `get` with those of its default; None for others."""
    if isinstance(state, Instance) and canonical(state.external_name) in _GETTERS:
        return _keys_got(*state.arguments.positional[:2])
    operands = state.computed.operands if isinstance(state, Unknown) and state.computed is not None else ()
    match tuple(operands):
        case (file, key) if _is_file(file):
            name = constant(key)
        case _:
            return None
    return [name] if isinstance(name, str) else None


def _is_file(value: Value) -> bool:
    """Whether a value is what torch.load gives, or on another way None: `if state is not None:` comes before it."""
    held = [each for each in _alternatives(value) if not is_none(each)]
    return bool(held) and all(
        (isinstance(each, Instance) and canonical(each.external_name) == "torch.load")
        or (isinstance(each, Unknown) and cause_of(each.reason) is Cause.LOADED)
        for each in held
    )


def _keys_got(key: Value | None = None, default: Value | None = None) -> list[str] | None:
    """The keys of what `checkpoint.get(key, default)` gives."""
    name = constant(key)
    if not isinstance(name, str):
        return None
    if default is None or _is_nothing(default):
        return [name]
    others = _keys_of(default)
    return [name, *others] if others else None


def _is_same(one: Instance, other: Instance) -> bool:
    """Whether two values are one object; both sides of a branch may make it, at one place."""
    return same_object(one, other) or one.location == other.location
