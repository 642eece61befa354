"""The machine that pickles are written for, which here imports nothing and calls nothing.

It has the stack and the memo of Python's unpickler but makes only texts, numbers, lists, tuples and dictionaries;
whatever else a pickle builds becomes a `Thing` that keeps its name and its attributes as data. A file is a stranger's:
every length is held against the bytes that are there, and no key is hashed that a file could choose to collide with
others.
"""

from __future__ import annotations

from dataclasses import field

from cmgan_audit.lazy_dataclasses import dataclass

_LARGEST_KEY = 2**32
_LONGEST_NAME = 200
_DICTIONARIES = frozenset({"collections.OrderedDict", "collections.defaultdict", "builtins.dict", "__builtin__.dict"})


class PickleError(Exception):
    """The bytes are no pickle, or cut short, or more than is read."""


@dataclass(slots=True, eq=False)
class Thing:
    """An object that a pickle builds: the dotted name of its class or function, its attributes and items as data."""

    name: str
    state: object = None
    items: dict[object, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, eq=False)
class _Name:
    """A class or function that a pickle names."""

    dotted: str


class Machine:
    """The stack, the marks and the memo of an unpickler; its methods are what opcodes do."""

    def __init__(self, data: bytes, start: int) -> None:
        self._data = data
        self._stack: list[object] = []
        self._below: list[list[object]] = []  # the stacks below each mark
        self._memo: dict[int, object] = {}
        self.position = start
        self.names: set[str] = set()
        self.storages = False

    # Reading

    def take(self, count: int) -> bytes:
        """The next bytes."""
        end = self.position + count
        if end > len(self._data):
            raise PickleError("cut short")
        taken = self._data[self.position : end]
        self.position = end
        return taken

    def number(self, size: int) -> int:
        """An unsigned number of so many bytes."""
        return int.from_bytes(self.take(size), "little")

    def line(self) -> str:
        """The text up to the next end of line."""
        end = self._data.index(b"\n", self.position)
        return self.take(end + 1 - self.position)[:-1].decode("utf-8", "replace")

    # The stack

    def top(self) -> object:
        """The topmost value, taken off."""
        return self._stack.pop()

    def push(self, value: object) -> None:
        """Put a value on the stack."""
        self._stack.append(value)

    def mark(self) -> None:
        """Begin a new stack above this one."""
        self._below.append(self._stack)
        self._stack = []

    def to_mark(self) -> list[object]:
        """What lies above the last mark, taken off with it."""
        above, self._stack = self._stack, self._below.pop()
        return above

    def pop(self) -> None:
        """An opcode that drops the top: an object, or a mark."""
        if self._stack:
            self._stack.pop()
        else:
            self._stack = self._below.pop()

    def duplicate(self) -> None:
        """Put the top on the stack once more."""
        self._stack.append(self._stack[-1])

    def tuple_of(self, count: int) -> None:
        """The topmost items as one tuple."""
        items = tuple(self._stack[-count:])
        if len(items) < count:
            raise PickleError("damaged: a tuple of too few items")
        del self._stack[-count:]
        self._stack.append(items)

    # The memo

    def remember(self, index: int) -> None:
        """Keep the top in the memo."""
        self._memo[_as_key(index)] = self._stack[-1]

    def remember_next(self) -> None:
        """Keep the top at the next free place of the memo."""
        self._memo[len(self._memo)] = self._stack[-1]

    def recall(self, index: int) -> None:
        """Put what the memo holds on the stack."""
        self._stack.append(self._memo[_as_key(index)])

    # What a pickle builds

    def name(self, module: str, name: str) -> None:
        """A class or function, named but not imported."""
        dotted = f"{module[:_LONGEST_NAME]}.{name[:_LONGEST_NAME]}"
        self.names.add(dotted)
        self._stack.append(_Name(dotted))

    def global_name(self) -> None:
        """GLOBAL: a name as two lines of text."""
        module = self.line()
        self.name(module, self.line())

    def stacked_name(self) -> None:
        """STACK_GLOBAL: a name as two texts on the stack."""
        name, module = self._stack.pop(), self._stack.pop()
        self.name(module if isinstance(module, str) else "?", name if isinstance(name, str) else "?")

    def reduce(self) -> None:
        """A call: what it would have made, as data."""
        arguments, called = self._stack.pop(), self._stack.pop()
        self._stack.append(_built(called, arguments))

    def new_object(self, *, keywords: bool) -> None:
        """NEWOBJ and NEWOBJ_EX: a class and its arguments."""
        if keywords:
            self._stack.pop()
        self.reduce()

    def old_object(self) -> None:
        """OBJ: a class and its arguments above a mark."""
        above = self.to_mark()
        self._stack.append(_built(above[0], ()))

    def old_instance(self) -> None:
        """INST: arguments above a mark, the class as text."""
        self.to_mark()
        self.global_name()
        self._stack.append(_built(self._stack.pop(), ()))

    def build(self) -> None:
        """BUILD: the attributes of the object below them."""
        state, built = self._stack.pop(), self._stack[-1]
        if isinstance(built, Thing):
            built.state = state

    def persistent(self) -> None:
        """BINPERSID: a storage, told by what lies on the stack."""
        self._stack.pop()
        self.refer()

    def old_persistent(self) -> None:
        """PERSID: a storage, told by a line of text."""
        self.line()
        self.refer()

    def extension(self, size: int) -> None:
        """EXT1, EXT2, EXT4: a class by a number that the process has registered."""
        self.take(size)
        self.inert("extension")

    def refer(self) -> None:
        """A storage outside of the pickle."""
        self.storages = True
        self._stack.append(Thing("storage"))

    def inert(self, name: str) -> None:
        """Something that nobody asks about."""
        self._stack.append(Thing(name))

    def set_items(self, pairs: list[object]) -> None:
        """Items of a dictionary, or of an object that has items: keys and values in turn."""
        target = self._stack[-1]
        held = target.items if isinstance(target, Thing) else target
        if isinstance(held, dict):
            for key, value in zip(pairs[::2], pairs[1::2], strict=True):
                if isinstance(key, str) or (type(key) is int and 0 <= key < _LARGEST_KEY):
                    held[key] = value

    def set_item(self) -> None:
        """SETITEM: one item."""
        value, key = self._stack.pop(), self._stack.pop()
        self.set_items([key, value])

    def dictionary(self) -> None:
        """DICT: a dictionary of everything above the mark."""
        pairs = self.to_mark()
        self._stack.append({})
        self.set_items(pairs)

    def append(self) -> None:
        """APPEND: one item of a list."""
        item = self._stack.pop()
        self._extend([item])

    def appends(self) -> None:
        """APPENDS: all items above the mark."""
        self._extend(self.to_mark())

    def _extend(self, items: list[object]) -> None:
        target = self._stack[-1]
        if isinstance(target, list):
            target.extend(items)


def _as_key(index: int) -> int:
    if not 0 <= index < _LARGEST_KEY:
        raise PickleError("damaged: no such place in the memo")
    return index


def _built(called: object, arguments: object) -> object:
    """What a call would have made, as data."""
    dotted = called.dotted if isinstance(called, _Name) else "?"
    if dotted in _DICTIONARIES:
        return {}
    if dotted.endswith("._reconstructor") and isinstance(arguments, tuple) and arguments:
        made = arguments[0]  # copyreg: an object of this class, its attributes follow
        return Thing(made.dotted if isinstance(made, _Name) else "?")
    return Thing(dotted)
