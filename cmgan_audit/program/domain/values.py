"""Abstract values: what a name may hold when the audited program runs, each with the trail that led to it.

Values are immutable except for the heap kinds (`ListValue`, `DictValue`, `Instance`), which have identity like the
objects that they stand for. Nothing here knows how values come about; that is the interpreter's part.
"""

from __future__ import annotations

import ast
from collections.abc import Callable
from dataclasses import field
from typing import TYPE_CHECKING, Any, Self, TypeVar

from cmgan_audit.finding import Location, Step, Trail
from cmgan_audit.lazy_dataclasses import copier_of, dataclass
from cmgan_audit.program.domain.facts import Facts
from cmgan_audit.source.syntax import Function

if TYPE_CHECKING:
    from cmgan_audit.program.naming.modules import Module

Constant = None | bool | int | float | complex | str | bytes
# A key of a dictionary: a constant, or a tuple of keys.
Key = Constant | tuple["Key", ...]


@dataclass(frozen=True, slots=True)
class Draw:
    """One call of a random number generator in the audited program; tensors, indices and slices inherit it.

    `callee` is the qualified name, for example "random.randint". `seeded` says why the draw repeats itself although
    it is random ("generator seeded with the index"), empty when nothing makes it repeat.
    """

    callee: str
    location: Location
    seeded: str = ""


@dataclass(frozen=True, slots=True)
class Listing(Draw):
    """One listing of a folder: its order is that of the file system, so it is a draw of its own kind.

    `number` tells two calls of one line apart; `seeded` is "sorted" once the names have been sorted.
    """

    number: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Value:
    """Base of all abstract values. `draws`: the random draws that it depends on."""

    trail: Trail = ()
    draws: frozenset[Draw] = frozenset()

    def via(self, location: Location, note: str) -> Self:
        """The same value after one more step of its way."""
        step = Step(location, note)
        if self.trail and self.trail[-1] == step:
            return self
        return changed(self, "trail", (*self.trail, step))

    def tainted(self, draws: frozenset[Draw]) -> Self:
        """The same value, known to depend on these draws too."""
        return self if draws <= self.draws else changed(self, "draws", self.draws | draws)


@dataclass(frozen=True, slots=True, kw_only=True)
class Const(Value):
    """Exactly this Python constant. `overridable` names who may change it at launch ("--batch_size", "env BATCH")."""

    value: Constant
    overridable: str = ""


# What nothing stands for: a call that returns nothing, an argument that was left out.
NONE = Const(value=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Symbol(Value):
    """A number that depends on the run: `formula` such as "8 // world_size"; `at_one` its value on one process."""

    formula: str
    at_one: Constant = None


@dataclass(frozen=True, slots=True, eq=False)
class Computation:
    """What a value that is not known was computed from: tensors, mostly. `operation` is an operator as it is written,
    "[]", "network" for the output of a network of the tree, or the name of a function of Python. `managers` are the
    context managers that an operator was computed under."""

    operation: str
    operands: tuple[Value, ...]
    location: Location | None = None
    managers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Unknown(Value):
    """Nothing is known; `reason` says in one sentence why ("required argument --config has no default").

    `computed` keeps what it was computed from: how a loss depends on a network is a fact, though no number is known.
    `first` is the value before the first step of its way: of two that are not known it tells whether they are the same.
    `outcome` is whether it is true, where a test has told that: `a` in the value of `a or b` is true.
    `choices` are all the texts that it can be, empty where it may be any.
    """

    reason: str
    computed: Computation | None = field(default=None, compare=False, repr=False)
    first: Unknown | None = field(default=None, compare=False, repr=False)
    outcome: bool | None = field(default=None, repr=False)
    choices: tuple[str, ...] = field(default=(), compare=False, repr=False)

    def tested(self, outcome: bool) -> Self:
        """The same value, once a test has told whether it is true."""
        told = changed(self, "outcome", outcome)
        object.__setattr__(told, "first", self.first or self)
        return told

    def via(self, location: Location, note: str) -> Self:
        """The same value after one more step of its way."""
        moved = Value.via(self, location, note)
        if moved is not self:
            object.__setattr__(moved, "first", self.first or self)
        return moved

    def made_from(
        self,
        operation: str,
        operands: tuple[Value, ...],
        location: Location | None = None,
        managers: tuple[str, ...] = (),
    ) -> Unknown:
        """The same value with what it was computed from, unless that is known already."""
        if self.computed is not None or type(self) is not Unknown:
            return self
        computed = Computation(operation, operands, location, managers)
        return Unknown(reason=self.reason, trail=self.trail, draws=self.draws, computed=computed)


@dataclass(frozen=True, slots=True, kw_only=True)
class TextTest(Unknown):
    """Whether something that is not known is a certain text, as in `args.optimizer == "adam"`.

    `formula` names what is asked and the text, so that the tests of one value are told apart from those of another;
    `equal` is what a true test says of them.
    """

    formula: str
    equal: bool


@dataclass(frozen=True, slots=True)
class Option:
    """One member of a `Choice` and the condition under which it holds, as source text ("args.debug", "not (x > 1)").

    `facts` are the symbolic tests behind that condition, each with its outcome ("world_size > 1", True): they cut the
    option on a path that is known to contradict them.
    """

    value: Value
    condition: str = ""
    facts: Facts = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice(Value):
    """One of several values, joined after a branch that could not be decided. Never nested, never empty."""

    options: tuple[Option, ...]

    def via(self, location: Location, note: str) -> Self:
        """The same choice, every option after one more step of its way."""
        moved = tuple(Option(each.value.via(location, note), each.condition, each.facts) for each in self.options)
        return changed(self, "options", moved)


@dataclass(frozen=True, slots=True, kw_only=True)
class Absent(Value):
    """Only as an option of a choice in a dictionary or among keywords: on this path the key was not set."""


@dataclass(frozen=True, slots=True, kw_only=True)
class External(Value):
    """A name of a library that is not part of the tree: "torch.utils.data.DataLoader", "np" already resolved."""

    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class BoundMethod(Value):
    """A method of a library object or of a heap value: `receiver.name`, not yet called."""

    receiver: Value
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ModuleValue(Value):
    """A module of the audited tree."""

    module: Module


@dataclass(frozen=True, slots=True, kw_only=True)
class FunctionValue(Value):
    """A function, lambda or method of the audited tree; `bound_to` is `self` (or the class) of a bound method.

    `closure` is the environment in which it was defined; `defined_in` the class that owns a method; `defaults` are
    the values of its parameters that have one.
    """

    node: Function
    module: Module
    qualname: str
    closure: object = None
    bound_to: Value | None = None
    defined_in: ClassValue | None = None
    decorators: tuple[Value, ...] = ()
    defaults: dict[str, Value] = field(default_factory=dict, compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassValue(Value):
    """A class of the audited tree; `bases` are evaluated (classes of the tree, externals or unknown)."""

    node: ast.ClassDef
    module: Module
    qualname: str
    bases: tuple[Value, ...] = ()
    closure: object = None
    namespace: dict[str, Value] = field(default_factory=dict, compare=False, repr=False)
    decorators: tuple[Value, ...] = ()
    memo: dict[str, list[Value]] = field(default_factory=dict, compare=False, repr=False)

    @property
    def name(self) -> str:
        """The name after `class`."""
        return self.node.name


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class HeapValue(Value):
    """Base of values with identity. Two of them are equal when they are the same object of the audited program.

    A heap value keeps its own trail (where it was made): passing it on adds no step, since what counts are the
    values inside it.
    """

    @property
    def cell(self) -> object:
        """The mutable container that gives this value its identity."""
        raise NotImplementedError

    def via(self, location: Location, note: str) -> Self:
        """The same object; its way is not recorded."""
        return self

    def __eq__(self, other: object) -> bool:
        return isinstance(other, HeapValue) and self.cell is other.cell

    def __hash__(self) -> int:
        return id(self.cell)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ListValue(HeapValue):
    """A list, tuple or set with identity. `complete` is False when there may be more items than those known.

    `kind` is also "range", "slice", "view" (what `zip` and its like give) or "entries" (of a dictionary).
    """

    items: list[Value]
    kind: str = "list"
    complete: bool = True

    @property
    def cell(self) -> object:
        """The list of items."""
        return self.items


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class DictValue(HeapValue):
    """A dictionary with identity. Keys are constants and tuples of them. `complete` is False when others may exist.

    `attribute_access` is True for AttrDict-like objects and namespaces whose keys are also attributes, `gives_missing`
    for those that give an empty value, not an error, for a key that they do not hold, `folds_case` for those that keep
    their keys in lower case and take any spelling (the sections of an INI file).
    `origin` says where it came from ("config/train.yaml"), empty for literals. `made_by` is the library's class that
    one with attributes belongs to ("argparse.Namespace"), where that is known.
    """

    items: dict[Key, Value]
    complete: bool = True
    attribute_access: bool = False
    made_by: str = ""
    origin: str = ""
    gives_missing: bool = False
    folds_case: bool = False

    @property
    def cell(self) -> object:
        """The dictionary of items."""
        return self.items

    def as_kept(self, key: Key) -> Key:
        """A key as it stands among the items."""
        return key.lower() if self.folds_case and isinstance(key, str) else key


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Arguments(HeapValue):
    """How something was called: positional and keyword arguments after `*` and `**` have been spread.

    `open_kwargs` is the reason why more keywords may be present ("**kwargs of unknown content"), else empty.
    `spread` is what stands behind `*` as the last of the positional ones and is not known: the others are its items.
    """

    positional: tuple[Value, ...] = ()
    keywords: dict[str, Value] = field(default_factory=dict)
    open_kwargs: str = ""
    spread: Value | None = None

    @property
    def cell(self) -> object:
        """The dictionary of keywords."""
        return self.keywords

    @property
    def every(self) -> tuple[Value, ...]:
        """All arguments, those by position first."""
        return (*self.positional, *self.keywords.values())

    def get(self, name: str, position: int | None = None) -> Value | None:
        """The argument given by keyword, or else by position; None when it was not given."""
        if name in self.keywords:
            return self.keywords[name]
        if position is not None and position < len(self.positional):
            return self.positional[position]
        return None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Instance(HeapValue):
    """An object with identity: of a class of the tree (`cls` is a ClassValue) or of a library (`cls` is External).

    The result of every call of an unknown library function is such an instance too: `cls` names the callee and
    `arguments` how it was called, so that `DataLoader(...)`, `DistributedSampler(...)` or `DDP(model)` can be read
    back later. `location` is the call. `attrs` are the attributes assigned so far.
    """

    cls: Value
    arguments: Arguments
    location: Location
    attrs: dict[str, Value] = field(default_factory=dict)

    @property
    def cell(self) -> object:
        """The dictionary of attributes."""
        return self.attrs

    @property
    def external_name(self) -> str:
        """The qualified library name this is an instance or a result of; empty for classes of the tree."""
        return self.cls.name if isinstance(self.cls, External) else ""


# The key under which the result of a method keeps the object that it was called on, where that tells which it is.
CALLED_ON = "@called_on"


@dataclass(frozen=True, slots=True, kw_only=True)
class GeneratorValue(Value):
    """A generator of the tree that was called and not yet run: its body runs when something iterates over it."""

    function: FunctionValue
    arguments: Arguments
    location: Location


def options_of(value: Value) -> tuple[Option, ...]:
    """All values that this may be: the options of a choice, else the value itself under no condition."""
    return value.options if isinstance(value, Choice) else (Option(value),)


def may_be_absent(value: Value) -> bool:
    """Whether an item or attribute was not set on some path."""
    return any(isinstance(option.value, Absent) for option in options_of(value))


_V = TypeVar("_V", bound=Value)
_COPIERS: dict[type[Any], Callable[[Any], Any]] = {}


def changed(value: _V, name: str, held: object) -> _V:
    """The same value with another content of one field.

    Every step of a way makes one: `dataclasses.replace`, which looks at the fields and calls the constructor, takes
    three times as long.
    """
    kind = type(value)
    copier = _COPIERS.get(kind)
    if copier is None:
        copier = _COPIERS[kind] = copier_of(kind)
    made: _V = copier(value)
    object.__setattr__(made, name, held)
    return made
