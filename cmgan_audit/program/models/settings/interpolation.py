"""OmegaConf's interpolations: `${a.b}`, `${.c}`, `${oc.env:NAME,default}` and resolvers that the program registers.

A configuration is kept twice: as the program sees it (interpolations resolved) and, in the run's notes, which entries
were interpolations, so that merging resolves them again against the merged whole as OmegaConf does.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import field, replace

from cmgan_audit.finding import Location, Step, Trail
from cmgan_audit.lazy_dataclasses import dataclass
from cmgan_audit.lazy_regex import regex
from cmgan_audit.program.domain.reasons import naming
from cmgan_audit.program.domain.values import Const, Constant, DictValue, Key, ListValue, Unknown, Value
from cmgan_audit.source.data_files.formats import read_text
from cmgan_audit.source.data_files.nodes import DataError, DataNode, Scalar

_INNERMOST = regex(r"(?<!\\)\$\{([^${}]*)\}")
_RESOLVER = regex(r"^([A-Za-z_][\w.]*):(.*)$", re.DOTALL)
_KEY = regex(r"[^.\[\]]+")
_MOST_STEPS = 30
_MOST_VALUES = 50_000
_DEEPEST = 60

Resolver = Callable[[str, list[Value], Step], Value | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Interpolation(Unknown):
    """A text with `${...}` that is not resolved yet, and where it stands."""

    text: str
    place: Location
    key: str = ""


@dataclass(slots=True)
class Memory:
    """Which entries of which resolved dictionaries were interpolations (by the identity of their items)."""

    entries: dict[int, dict[Key, tuple[Interpolation, Value]]] = field(default_factory=dict)
    kept: list[DictValue] = field(default_factory=list)


def interpolations(node: DataNode, key: str) -> Value | None:
    """For `lift`: texts with `${` and mandatory values (`???`) of a configuration file."""
    if not isinstance(node, Scalar) or not isinstance(node.value, str) or node.tag:
        return None
    if node.value == "???":
        step = Step(node.location, f"{key} is ??? (mandatory)")
        return Unknown(reason=f"{key} is mandatory and not given", trail=(step,))
    if "${" in node.value:
        return Interpolation(reason=f"{key} is {node.value}", text=node.value, place=node.location, key=key)
    return None


def resolved(memory: Memory, raw: Value, resolver: Resolver, *, attribute_access: bool = True) -> Value:
    """The configuration with every interpolation resolved against its root; the raw one stays as it is."""
    return _Resolution(memory, raw, resolver, attribute_access).run()


def raw_of(memory: Memory, value: Value) -> Value:
    """A configuration with its interpolations back, where the program has not changed those entries since.

    Texts with `${` that the program wrote itself are interpolations too. A configuration inside itself is cut:
    OmegaConf takes none either.
    """
    return _raw_of(memory, value, {})


def _raw_of(memory: Memory, value: Value, done: dict[int, Value]) -> Value:
    if isinstance(value, Const) and isinstance(value.value, str) and "${" in value.value and value.trail:
        place = value.trail[-1].location
        return Interpolation(reason=f"it is {value.value}", text=value.value, place=place)
    if not isinstance(value, ListValue | DictValue):
        return value
    if id(value.cell) not in done:
        done[id(value.cell)] = Unknown(reason="the configuration contains itself")
        done[id(value.cell)] = _raw_items(memory, value, done)
    return done[id(value.cell)]


def _raw_items(memory: Memory, value: ListValue | DictValue, done: dict[int, Value]) -> Value:
    if isinstance(value, ListValue):
        return replace(value, items=[_raw_of(memory, item, done) for item in value.items])
    known = memory.entries.get(id(value.items), {})
    items: dict[Key, Value] = {}
    for key, item in value.items.items():
        before = known.get(key)
        items[key] = before[0] if before is not None and before[1] is item else _raw_of(memory, item, done)
    return replace(value, items=items)


class _Resolution:
    def __init__(self, memory: Memory, raw: Value, resolver: Resolver, attribute_access: bool) -> None:
        self.memory = memory
        self.root = raw
        self.resolver = resolver
        self.attribute_access = attribute_access
        self.active: list[tuple[str, ...]] = []
        self.left = _MOST_VALUES
        self.fixed: dict[int, Value] = {}
        self.resolved = 0

    def run(self) -> Value:
        return self._value(self.root, ())

    def _value(self, value: Value, path: tuple[str, ...]) -> Value:
        if isinstance(value, Interpolation):
            return self._interpolate(value, path)
        if not isinstance(value, ListValue | DictValue):
            return value
        if id(value.cell) in self.fixed:
            return self.fixed[id(value.cell)]
        self.left -= 1
        if len(path) > _DEEPEST or self.left < 0:
            return Unknown(reason="nested too deeply")
        before = self.resolved
        made = self._items(value, path)
        if self.resolved == before:
            # Nothing below was an interpolation: where it is shared, it is the same everywhere.
            self.fixed[id(value.cell)] = made
        return made

    def _items(self, value: ListValue | DictValue, path: tuple[str, ...]) -> Value:
        if isinstance(value, ListValue):
            return replace(value, items=[self._value(v, (*path, str(n))) for n, v in enumerate(value.items)])
        items: dict[Key, Value] = {}
        remembered: dict[Key, tuple[Interpolation, Value]] = {}
        for key, item in value.items.items():
            items[key] = self._value(item, (*path, str(key)))
            if isinstance(item, Interpolation):
                remembered[key] = (item, items[key])
        made = replace(value, items=items, attribute_access=self.attribute_access)
        if remembered:
            self.memory.entries[id(items)] = remembered
            self.memory.kept.append(made)
        return made

    def _interpolate(self, value: Interpolation, path: tuple[str, ...]) -> Value:
        step = Step(value.place, f"{value.key} is {value.text}" if value.key else f"the value is {value.text}")
        self.resolved += 1
        if path in self.active or len(self.active) > _MOST_STEPS:
            return Unknown(reason=f"{value.text} refers to itself", trail=(step,))
        self.active.append(path)
        try:
            result = self._text(value.text, path, step)
        finally:
            self.active.pop()
        return result.via(step.location, step.note) if isinstance(result, Const) else result

    def _text(self, text: str, path: tuple[str, ...], step: Step) -> Value:
        """Innermost interpolations first; a text that is one interpolation keeps the value's type."""
        way: Trail = ()  # of the arguments of a resolver that were interpolated themselves
        for _ in range(_MOST_STEPS):
            match = _INNERMOST.search(text)
            if match is None:
                return Const(value=text.replace("\\${", "${"))
            inner = self._one(match.group(1), path, step)
            if match.span() == (0, len(text)):
                return replace(inner, trail=(*way, *inner.trail)) if way and isinstance(inner, Const) else inner
            if not isinstance(inner, Const):
                reason = inner.reason if isinstance(inner, Unknown) else "not a plain value"
                return Unknown(reason=naming(f"{text}: {reason}", reason), trail=(step,))
            way += inner.trail
            text = text[: match.start()] + _as_text(inner.value) + text[match.end() :]
        return Unknown(reason=f"{text} is nested too deeply", trail=(step,))

    def _one(self, inner: str, path: tuple[str, ...], step: Step) -> Value:
        call = _RESOLVER.match(inner.strip())
        if call is not None:
            arguments = [] if not call.group(2).strip() else [argument(part) for part in split_arguments(call.group(2))]
            result = self.resolver(call.group(1), arguments, step)
            if result is None and call.group(1) == "oc.select" and arguments:
                result = self._selected(arguments)
            return result if result is not None else Unknown(reason=f"${{{inner}}} at run time", trail=(step,))
        return self._reference(inner.strip(), path, step)

    def _selected(self, arguments: list[Value]) -> Value:
        first = arguments[0]
        found = self._reference(str(first.value), (), None) if isinstance(first, Const) else first
        if isinstance(found, Unknown) and len(arguments) > 1:
            return arguments[1]
        return found

    def _reference(self, key: str, path: tuple[str, ...], step: Step | None) -> Value:
        dots = len(key) - len(key.lstrip("."))
        start = path[: len(path) - dots] if dots else ()
        parts = [*start, *_KEY.findall(key)]
        value: Value | None = self.root
        for position, part in enumerate(parts):
            if isinstance(value, Interpolation):
                value = self._interpolate(value, tuple(parts[:position]))
            value = _child(value, part)
            if value is None:
                return Unknown(reason=f"{key} is not in the configuration", trail=(step,) if step else ())
        assert value is not None
        return self._value(value, tuple(parts))


def _child(value: Value | None, part: str) -> Value | None:
    if isinstance(value, DictValue):
        if part in value.items:
            return value.items[part]
        return next((item for key, item in value.items.items() if str(key) == part), None)
    if isinstance(value, ListValue) and part.lstrip("-").isdigit() and int(part) < len(value.items):
        return value.items[int(part)]
    return None


def _as_text(value: Constant) -> str:
    return value if isinstance(value, str) else str(value)


def split_arguments(text: str) -> list[str]:
    """The parts between commas that stand outside of brackets and quotes."""
    parts, depth, quote, current = [], 0, "", ""
    for character in text:
        if quote:
            quote = "" if character == quote else quote
        elif character in "'\"":
            quote = character
        elif character in "[{(":
            depth += 1
        elif character in "]})":
            depth -= 1
        elif character == "," and depth == 0:
            parts.append(current)
            current = ""
            continue
        current += character
    return [*parts, current]


def argument(text: str, step: Step | None = None) -> Value:
    """A value as OmegaConf and Hydra read one on the command line: 4, 1e-3, true, null, [1, 2], "a b", plain text."""
    from cmgan_audit.program.models.lifting import lift

    place = step.location if step is not None else Location("", 1)
    try:
        node = read_text(place.path, text.strip(), "omegaconf")
    except DataError:
        return Const(value=text.strip(), trail=(step,) if step else ())
    return _with_step(lift(node, place.path), step)


def _with_step(value: Value, step: Step | None) -> Value:
    if isinstance(value, DictValue):
        return replace(value, items={key: _with_step(item, step) for key, item in value.items.items()}, origin="")
    if isinstance(value, ListValue):
        return replace(value, items=[_with_step(item, step) for item in value.items])
    return replace(value, trail=(step,) if step else ())


def merged(left: Value, right: Value) -> Value:
    """OmegaConf.merge of two raw configurations: dictionaries are merged, everything else is replaced."""
    if not isinstance(left, DictValue) or not isinstance(right, DictValue):
        return right
    items = dict(left.items)
    for key, value in right.items.items():
        items[key] = merged(items[key], value) if key in items else value
    return replace(left, items=items, complete=left.complete and right.complete, origin=left.origin or right.origin)


def with_entry(root: DictValue, key: str, value: Value) -> DictValue:
    """The raw configuration with one dotted key set."""
    parts = [int(part) if part.isdigit() and not root.items else part for part in _KEY.findall(key)]
    return _with_entry(root, parts, value)


def _with_entry(target: Value | None, parts: list[str | int], value: Value) -> DictValue:
    base = target if isinstance(target, DictValue) else DictValue(items={}, attribute_access=True)
    head: Key = parts[0]
    if head not in base.items:
        head = next((key for key in base.items if str(key) == str(parts[0])), head)
    below = base.items.get(head)
    if len(parts) == 1:
        new = merged(below, value) if below is not None else value
    elif isinstance(below, ListValue) and str(parts[1]).isdigit() and int(parts[1]) < len(below.items):
        items = list(below.items)
        place = int(parts[1])
        items[place] = value if len(parts) == 2 else _with_entry(items[place], parts[2:], value)
        new = replace(below, items=items)
    else:
        new = _with_entry(below, parts[1:], value)
    return replace(base, items={**base.items, head: new})
