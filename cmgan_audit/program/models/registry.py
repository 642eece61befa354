"""Models of library calls, found by qualified name.

A model is a function `(ModelCall) -> Value | None`; None means that the interpreter does what it does by default
(an `Instance` of the external name with the call's arguments).

Names under which a model is registered, and when the interpreter looks for them:

    "json.load"                              a call of the library function or class
    "argparse.ArgumentParser.add_argument"   a method called on an `Instance` whose `external_name` is the part before
                                             the last dot, or whose class in the tree derives from it
    "argparse.ArgumentParser.__init__"       `super().__init__(...)` of a class in the tree that derives from it, or its
                                             construction without an own __init__; `receiver` is the new instance
    "pathlib.Path.__truediv__"               an operator, subscript, iteration, `str()`, `len()`, `bool()`, call or
                                             `with` on an instance: the special method's name
    "pathlib.Path.parent"                    with `@attribute`: reading an attribute that the instance does not hold

State of library objects lives in `Instance.attrs` under keys that start with "@", written through the journal.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping, Sequence
from typing import Protocol, TypeVar

from cmgan_audit.finding import Location
from cmgan_audit.lazy_dataclasses import dataclass
from cmgan_audit.program.domain.open_settings import AskedFor
from cmgan_audit.program.domain.values import Arguments, Const, Constant, External, Instance, ListValue, Unknown, Value
from cmgan_audit.program.execution.state import Journal
from cmgan_audit.program.execution.trace import Context, Event, Launch, Run
from cmgan_audit.program.naming.modules import Module
from cmgan_audit.program.naming.names import canonical
from cmgan_audit.source.tree import SourceTree


class Interpreter(Protocol):
    """What models may ask of the interpreter. Every write to the heap goes through its journal."""

    @property
    def tree(self) -> SourceTree:
        """The files of the audited tree."""

    @property
    def launch(self) -> Launch:
        """How the entry script is started in this run."""

    @property
    def entry(self) -> str:
        """The path of the entry script, relative to the root."""

    @property
    def module(self) -> Module:
        """The module of the code that is being executed."""

    @property
    def parameters(self) -> Mapping[str, Value]:
        """The parameters of the function that is being executed, `self` left out, with what they hold."""

    @property
    def context(self) -> Context:
        """The calls, loops and conditions around what is being executed."""

    @property
    def journal(self) -> Journal:
        """Where writes go."""

    @property
    def built(self) -> Mapping[ast.AST, Instance]:
        """By its class the first layer that a network has built, whose like are not followed again."""

    @property
    def notes(self) -> dict[str, object]:
        """What models keep for the length of one run, by name."""

    @property
    def asked_for(self) -> AskedFor:
        """What is not known and was asked for, each with a number."""

    @property
    def run(self) -> Run:
        """What has been seen of the run so far."""

    @property
    def must_be_configured(self) -> bool:
        """Whether the run ends where the script asks for a configuration that the launch does not name."""

    @property
    def must_be_told(self) -> bool:
        """Whether the run ends where the script asks for a variable that the launcher sets and the launch has not."""

    @property
    def probing(self) -> bool:
        """Whether something is only tried on a scratch state."""

    def call(self, callee: Value, arguments: Arguments, location: Location) -> Value:
        """Call a value as the program would at `location`."""

    def attribute(self, value: Value, name: str, location: Location) -> Value:
        """Read `value.name`."""

    def item(self, owner: Value, index: Value, location: Location) -> Value:
        """Read `owner[index]`."""

    def set_attribute(self, target: Value, name: str, value: Value, location: Location) -> None:
        """Do `target.name = value` (special methods and properties of the tree included)."""

    def import_module(self, name: str) -> Value:
        """Import a module: of the tree (its top level runs once) or `External(name)`."""

    def search_in(self, folders: Sequence[str], *, first: bool) -> None:
        """Look for modules in folders of the tree too, before the others or after them."""

    def emit(self, event: Event) -> None:
        """Add an event to the run."""

    def limit(self, location: Location, note: str) -> None:
        """Say in the run's limits what could not be followed."""


class _OnReceiver:
    """What a library object keeps under "@" keys, for what is asked of it."""

    __slots__ = ()
    interpreter: Interpreter
    receiver: Value | None

    def state(self, key: str) -> Value | None:
        """The receiver's state under "@key"."""
        return self.receiver.attrs.get(f"@{key}") if isinstance(self.receiver, Instance) else None

    def set_state(self, key: str, value: Value) -> None:
        """Write the receiver's state under "@key"."""
        if isinstance(self.receiver, Instance):
            self.interpreter.journal.set(self.receiver.attrs, f"@{key}", value)


@dataclass(frozen=True, slots=True)
class ModelCall(_OnReceiver):
    """One call of a library function or of a method of a library object.

    `callee` is the canonical qualified name; `receiver` the object of a method call. `node` is the call's syntax
    (None when a framework or an operator calls); `location` its place.
    """

    interpreter: Interpreter
    callee: str
    receiver: Value | None
    arguments: Arguments
    node: ast.AST | None
    location: Location

    @property
    def first(self) -> Value | None:
        """The first argument by position, None when there is none."""
        return self.arguments.positional[0] if self.arguments.positional else None

    def get(self, name: str, position: int | None = None) -> Value | None:
        """An argument by keyword or position, None when it was not given."""
        return self.arguments.get(name, position)

    def constant(self, name: str, position: int | None = None, default: Constant = None) -> Constant:
        """The Python constant given for an argument; `default` when it was not given or is not known."""
        value = self.arguments.get(name, position)
        return value.value if isinstance(value, Const) else default

    def text(self, name: str, position: int | None = None) -> str | None:
        """The text given for an argument; None when it was not given, is not known or is no text."""
        value = self.constant(name, position)
        return value if isinstance(value, str) else None

    def instance(self, name: str | None = None, **state: Value) -> Instance:
        """A new library object (by default of the callee) with state under "@" keys."""
        attrs = {f"@{key}": value for key, value in state.items()}
        return Instance(
            cls=External(name=name or self.callee), arguments=self.arguments, location=self.location, attrs=attrs
        )

    def unknown(self, reason: str) -> Unknown:
        """An unknown result that says why."""
        return Unknown(reason=reason)


@dataclass(frozen=True, slots=True)
class AttributeRead(_OnReceiver):
    """Reading an attribute of a library object that the object does not hold itself."""

    interpreter: Interpreter
    name: str
    receiver: Value
    location: Location


T = TypeVar("T")
Model = Callable[[ModelCall], Value | None]
AttributeModel = Callable[[AttributeRead], Value | None]

_MODELS: dict[str, Model] = {}
_ATTRIBUTES: dict[str, AttributeModel] = {}
_BASES: dict[str, str] = {}


def model(*names: str) -> Callable[[Model], Model]:
    """Register a model under qualified names; a name that is taken is a mistake of ours."""

    def register(function: Model) -> Model:
        for name in names:
            if name in _MODELS:
                raise ValueError(f"two models of {name}")
            _MODELS[name] = function
        return function

    return register


def attribute(*names: str) -> Callable[[AttributeModel], AttributeModel]:
    """Register a model of attribute reads."""

    def register(function: AttributeModel) -> AttributeModel:
        for name in names:
            if name in _ATTRIBUTES:
                raise ValueError(f"two models of the attribute {name}")
            _ATTRIBUTES[name] = function
        return function

    return register


ObjectModel = Callable[[Interpreter], Value]
_OBJECTS: dict[str, ObjectModel] = {}


def library_object(name: str) -> Callable[[ObjectModel], ObjectModel]:
    """Register what stands for an object that a library makes when it is imported, such as `absl.flags.FLAGS`."""

    def register(function: ObjectModel) -> ObjectModel:
        _OBJECTS[name] = function
        return function

    return register


def find_object(name: str) -> ObjectModel | None:
    """The model of an object that a library makes when it is imported, by its qualified name."""
    return _OBJECTS.get(name)


def derives(name: str, base: str) -> None:
    """Say that a library class inherits the models of another, or is another name of it."""
    _BASES[name] = base


def find(name: str) -> Model | None:
    """The model of a call by its qualified name, also through aliases and library base classes."""
    return _find(_MODELS, name)


def find_attribute(name: str) -> AttributeModel | None:
    """The model of an attribute read, found like `find`."""
    return _find(_ATTRIBUTES, name)


def bases_of(name: str) -> Sequence[str]:
    """A library class and the library classes it is known to derive from, nearest first."""
    name = canonical(name)
    chain = [name]
    while name in _BASES and len(chain) < 10:
        name = _BASES[name]
        chain.append(name)
    return chain


def _find(table: dict[str, T], name: str) -> T | None:
    name = canonical(name)
    if name in table:
        return table[name]
    for whole in bases_of(name)[1:]:
        if whole in table:
            return table[whole]
    owner, _, member = name.rpartition(".")
    for base in bases_of(owner)[1:] if owner else ():
        if f"{base}.{member}" in table:
            return table[f"{base}.{member}"]
    return None


def listing(items: list[Value], kind: str = "list", *, complete: bool = True) -> ListValue:
    """A new list of the audited program."""
    return ListValue(items=items, kind=kind, complete=complete)
