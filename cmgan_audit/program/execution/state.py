"""Everything that can change while the audited program runs, written through one journal.

A *cell* is a place that holds a value: a name in an environment, a key of a dictionary, an attribute, the items of a
list. Every write goes through the `Journal`, so that one side of an undecided branch can be taken back, the other be
tried on the same start state, and both be joined cell by cell.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import field
from itertools import zip_longest
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from cmgan_audit.lazy_dataclasses import dataclass
from cmgan_audit.program.domain.joins import Branch, join
from cmgan_audit.program.domain.values import Absent, Choice, DictValue, Draw, Instance, Key, ListValue, Value

if TYPE_CHECKING:
    from cmgan_audit.program.naming.modules import Module


@dataclass(slots=True, eq=False)
class Environment:
    """The names of a module, a function call or a class body. `kind` is one of "module", "function", "class".

    `stars` are the libraries of which everything was imported with `*`; `owner` is the name of a class whose body it
    is.
    """

    module: Module
    kind: str
    parent: Environment | None = None
    names: dict[str, Value] = field(default_factory=dict)
    global_names: set[str] = field(default_factory=set)
    outer_names: set[str] = field(default_factory=set)
    stars: list[str] = field(default_factory=list)
    owner: str = ""

    @property
    def module_scope(self) -> Environment:
        """The environment of the module in which this one lies."""
        scope = self
        while scope.parent is not None:
            scope = scope.parent
        return scope

    @property
    def as_dictionary(self) -> DictValue:
        """What `globals()`, `locals()` and `module.__dict__` give: the names themselves, written through either way."""
        return DictValue(items=cast("dict[Key, Value]", self.names))

    def scope_of(self, name: str) -> Environment | None:
        """The environment in which a name is found when it is read from here; None when no scope has it."""
        if name in self.global_names:
            top = self.module_scope
            return top if name in top.names else None
        scope: Environment | None = self
        while scope is not None:
            if name in scope.names and (scope is self or scope.kind != "class"):
                return scope
            scope = scope.parent
        return None

    def scope_to_write(self, name: str) -> Environment:
        """The environment in which a name is bound when it is assigned here."""
        if name in self.global_names:
            return self.module_scope
        if name in self.outer_names:
            scope = self.parent
            while scope is not None and scope.kind != "module":
                if name in scope.names:
                    return scope
                scope = scope.parent
        return self


class _Marker:
    """A cell key that is no name."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __repr__(self) -> str:
        return self.name


MISSING = _Marker("MISSING")
_CONTENT = _Marker("CONTENT")
_OPEN = _Marker("OPEN")


class Item(NamedTuple):  # a tuple is hashed and compared without a line of Python
    """The cell key of a dictionary's item: where it is missing on one path only, that is a value of its own."""

    key: Key


CellId = tuple[int, Any]
Content = tuple[tuple[Value, ...], bool, frozenset[Draw]]


@dataclass(slots=True, eq=False)  # frozen ones take twice as long to make, and there are millions
class Change:
    """A cell and what it holds: `container` and `key` say where, `state` is a value, MISSING or a list's content."""

    container: Any
    key: Any
    state: Any

    @property
    def cell(self) -> CellId:
        """What identifies the cell."""
        return (id(self.container), self.key)


Snapshot = dict[CellId, Change]


class Journal:
    """Remembers what every write replaced, in order.

    Attributes:
        entries: what was replaced.
        tracking: above 0, what is taken back is kept in `undone`.
        joined: how many values were joined so far, options of choices counted one by one.
    """

    def __init__(self) -> None:
        self.entries: list[Change] = []
        self.tracking = 0
        self.undone: list[Change] = []
        self.joined = 0

    def set(self, container: dict[str, Value], key: str, value: Value) -> None:
        """Write one name of an environment or one attribute."""
        self._put(container, key, value)

    def delete(self, container: dict[str, Value], key: str) -> None:
        """Remove a name or an attribute if it is there."""
        self._put(container, key, MISSING)

    def set_attribute(self, target: Instance, name: str, value: Value) -> None:
        """Write an attribute of an object of the tree; where it is missing on one path, its class may have it."""
        self._put(target.attrs, Item(name), value)

    def delete_attribute(self, target: Instance, name: str) -> None:
        """Remove an attribute if it is there."""
        self._put(target.attrs, Item(name), MISSING)

    def set_item(self, target: DictValue, key: Key, value: Value) -> None:
        """Write one item of a dictionary."""
        self._put(target.items, Item(key), value)

    def delete_item(self, target: DictValue, key: Key) -> None:
        """Remove an item of a dictionary if it is there."""
        self._put(target.items, Item(key), MISSING)

    def set_content(
        self, target: ListValue, items: list[Value], complete: bool, draws: frozenset[Draw] | None = None
    ) -> None:
        """Replace the items of a list; `draws` are those of the list itself, where they change."""
        self.entries.append(Change(target, _CONTENT, _read(target, _CONTENT)))
        _write(target, _CONTENT, (tuple(items), complete, target.draws if draws is None else draws))

    def set_open(self, target: DictValue) -> None:
        """From now on the dictionary may have keys that are not known."""
        if target.complete:
            self.entries.append(Change(target, _OPEN, True))
            _write(target, _OPEN, False)

    def put(self, container: Any, key: Any, state: Any) -> None:
        """Write any cell, as `held_before` and `written_since` name it."""
        self._put(container, key, state)

    def get(self, container: Any, key: Any) -> Any:
        """Read any cell; MISSING when there is nothing."""
        return _read(container, key)

    def mark(self) -> int:
        """A point to which `rollback` can return."""
        return len(self.entries)

    def written_since(self, mark: int, until: int | None = None) -> Snapshot:
        """The cells written between two marks with what they held *at* `until` (by default: now)."""
        cells: Snapshot = {}
        for entry in self.entries[mark:until]:
            container, key = entry.container, entry.key
            cell = (id(container), key)
            if cell not in cells:
                cells[cell] = Change(container, key, _read(container, key))
        if until is not None:
            for cell, state in self._held_at(until).items():
                if cell in cells:
                    cells[cell] = state
        return cells

    def _held_at(self, mark: int) -> Snapshot:
        held: Snapshot = {}
        for entry in self.entries[mark:]:
            held.setdefault((id(entry.container), entry.key), entry)
        return held

    def held_before(self, mark: int) -> Snapshot:
        """The cells written since `mark` with what they held at `mark`."""
        return self._held_at(mark)

    def anywhere_since(self, mark: int, undone: int) -> Snapshot:
        """The cells written since `mark` with whatever they held in between, first and last state included.

        What was taken back meanwhile counts too: `undone` is how much had been taken back at `mark`, and `tracking`
        must have been on since.
        """
        states: dict[CellId, list[Change]] = {}
        for entry in [*self.entries[mark:], *self.undone[undone:]]:
            states.setdefault(entry.cell, []).append(entry)
        nowhere = Branch("")
        joined: Snapshot = {}
        for cell, entries in states.items():
            where = entries[0]
            held = [entry.state for entry in entries] + [_read(where.container, where.key)]
            once = {_identity(one): one for one in held}.values() if where.key is not _OPEN else held
            state = self._join(where.key, [(one, nowhere) for one in once], frozenset())
            joined[cell] = Change(where.container, where.key, state)
        return joined

    def rollback(self, mark: int) -> None:
        """Take back every write since `mark`."""
        while len(self.entries) > mark:
            entry = self.entries.pop()
            if self.tracking:
                self.undone.append(Change(entry.container, entry.key, _read(entry.container, entry.key)))
            _write(entry.container, entry.key, entry.state)

    def abandon(self, names: dict[str, Value], mark: int) -> None:
        """Forget the writes since `mark` to the names of a call that began then and has ended.

        They stay written. Where the call is taken back, all that could read its names, a function that it made, say, is
        taken back too. Most of what a branch around calls would join cell by cell are such names.
        """
        if len(self.entries) > mark:
            self.entries[mark:] = [entry for entry in self.entries[mark:] if entry.container is not names]

    def keep(self, mark: int) -> None:
        """Forget how to take back the writes since `mark`: they stay, whatever branch they were made in."""
        del self.entries[mark:]

    def apply(self, snapshot: Snapshot) -> None:
        """Write the states of a snapshot."""
        for change in snapshot.values():
            self._put(change.container, change.key, change.state)

    def _put(self, container: Any, key: Any, state: Any) -> None:
        old = _read(container, key)
        if old is not state:
            self.entries.append(Change(container, key, old))
            _write(container, key, state)

    def merge(self, sides: Sequence[tuple[Snapshot, Branch]], draws: frozenset[Draw] = frozenset()) -> None:
        """Join snapshots that were all taken from the state as it is now; a cell that a side did not write stays."""
        touched: Snapshot = {}
        for snapshot, _ in sides:
            touched.update(snapshot)
        for cell, here in touched.items():
            container, key = here.container, here.key
            now = _read(container, key)
            states = [(snapshot[cell].state if cell in snapshot else now, branch) for snapshot, branch in sides]
            after = self._join(key, states, draws)
            if after is not now:
                self.entries.append(Change(container, key, now))
                _write(container, key, after)

    def _join(self, key: Any, states: Sequence[State], draws: frozenset[Draw]) -> Any:
        first = states[0][0]
        for state, _ in states:
            if state is not first:
                break
        else:
            return first
        self.joined += sum(_size(state) for state, _ in states)
        return _joined(key, states, draws)


State = tuple[Any, Branch]


def _size(state: Any) -> int:
    """How many values a state of a cell holds."""
    if isinstance(state, Choice):
        return len(state.options)
    return len(state[0]) if isinstance(state, tuple) else 1


def _identity(state: Any) -> object:
    """What tells two states of a cell apart: most are the same object, written and taken back again and again."""
    return (tuple(map(id, state[0])), state[1]) if isinstance(state, tuple) else id(state)


def _joined(key: Any, states: Sequence[State], draws: frozenset[Draw]) -> Any:
    if key is _OPEN:
        return all(state for state, _ in states)
    if key is _CONTENT:
        return _joined_content(states, draws)
    if not isinstance(key, Item):
        states = [(state, branch) for state, branch in states if state is not MISSING]
        if not states:
            return MISSING
    return join(((Absent() if state is MISSING else state, branch) for state, branch in states), draws)


def _joined_content(states: Sequence[State], draws: frozenset[Draw]) -> Content:
    longest = max((state[0] for state, _ in states), key=len)
    complete = all(state[1] and len(state[0]) == len(longest) for state, _ in states)
    items = []
    for values in zip_longest(*(state[0] for state, _ in states)):
        item = values[0]
        for value in values:
            if value is not item:
                present = [
                    (value, branch) for value, (_, branch) in zip(values, states, strict=True) if value is not None
                ]
                items.append(join(present, draws))
                break
        else:
            items.append(item.tainted(draws) if draws else item)
    return tuple(items), complete, frozenset().union(*(state[2] for state, _ in states))


def _read(container: Any, key: Any) -> Any:
    if isinstance(key, Item):
        return container.get(key.key, MISSING)
    if key is _CONTENT:
        return (tuple(container.items), container.complete, container.draws)
    if key is _OPEN:
        return container.complete
    return container.get(key, MISSING)


def _write(container: Any, key: Any, state: Any) -> None:
    if isinstance(key, Item):
        key = key.key
    if key is _CONTENT:
        container.items[:] = state[0]
        object.__setattr__(container, "complete", state[1])
        object.__setattr__(container, "draws", state[2])
    elif key is _OPEN:
        object.__setattr__(container, "complete", state)
    elif state is MISSING:
        container.pop(key, None)
    else:
        container[key] = state
