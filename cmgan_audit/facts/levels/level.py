"""By which factors a value was scaled on its way from the loader: "noisy * c", where c was computed from noisy.

A value is followed backwards. Shapes, devices, transforms and compression leave a level as it is; a factor that is
multiplied and later divided out is gone again; a network puts out what it is trained towards, at the level of what it
takes in. What is not understood has no level, and nothing is said of it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import field
from functools import cached_property

from cmgan_audit.facts.classes import bare_network, is_loader, is_network
from cmgan_audit.facts.levels.items import is_filled, is_from_a_recording, parts_of_items, reads_a_recording
from cmgan_audit.facts.levels.magnitudes import Magnitudes
from cmgan_audit.facts.losses import is_loss
from cmgan_audit.facts.runtime.flow import Flow, Node
from cmgan_audit.facts.runtime.operations import DIVIDED, JOINED, OWN_SIZE, SAME_SIZE, TIMES
from cmgan_audit.facts.values import instances_of
from cmgan_audit.finding import Location
from cmgan_audit.lazy_dataclasses import dataclass
from cmgan_audit.lazy_regex import regex
from cmgan_audit.program.domain.reasons import Cause, cause_of
from cmgan_audit.program.domain.values import (
    Choice,
    ClassValue,
    Const,
    External,
    Instance,
    ListValue,
    Symbol,
    Unknown,
    Value,
)
from cmgan_audit.source.tree import SourceTree

_KEEPS = SAME_SIZE | frozenset("stft istft rfft irfft pow ** sqrt square log log10 log1p sign".split())
_JOINS = JOINED | {"polar"}
_REDUCES = frozenset("sum mean std var max amax norm vector_norm rms nanmean median".split())
_KEEP_FACTORS = frozenset("item expand_as view_as rsqrt reciprocal clamp_min maximum values".split())
# What a network does that normalises its input by itself.
_NORMALISES = regex(rb"(?<!self)\.(std|var|norm|std_mean|var_mean)\(|abs\(\)\.a?max\(|\brms\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Level:
    """The level of a value.

    Attributes:
        factors: the statistics of data that it was scaled by; empty for what comes as the loader gives it.
        sources: the items of batches that it was made from; empty for constants and windows.
        network: whether a network with weights lies on its way.
    """

    factors: frozenset[Factor] = frozenset()
    sources: frozenset[tuple[object, ...]] = frozenset()
    network: bool = False


_NEUTRAL = Level()

# A statistic of data: where it is computed, and the items of batches that it is computed from. A loop over the items
# of a batch computes one again and again.
Factor = tuple[Location | int, frozenset[tuple[object, ...]]]


@dataclass(eq=False)
class Levels:
    """The levels of the values of one run.

    Attributes:
        flow: what each value was computed from.
        tree: the files of the audited tree.
        applied: where each factor is applied first.
        scaled: the items of batches that each factor scales.
        origins: the items of batches that each factor was computed from.
        recordings: the items of batches that a dataset of the tree reads from files of audio: signals, not labels.
    """

    flow: Flow
    tree: SourceTree
    applied: dict[Factor, Location] = field(default_factory=dict)
    scaled: dict[Factor, set[tuple[object, ...]]] = field(default_factory=dict)
    origins: dict[Factor, frozenset[tuple[object, ...]]] = field(default_factory=dict)
    recordings: set[tuple[object, ...]] = field(default_factory=set)
    _levels: dict[int, Level | None] = field(default_factory=dict)
    _items: dict[int, Sequence[Value]] = field(default_factory=dict)
    _factors: dict[int, frozenset[Factor]] = field(default_factory=dict)

    @cached_property
    def _magnitudes(self) -> Magnitudes:
        return Magnitudes(self.flow)

    def of(self, value: Value) -> Level | None:
        """The level of a value; None where that is not known."""
        key = id(value)
        if key not in self._levels:
            self._levels[key] = None  # a value that depends on itself has none
            self._levels[key] = self._of(value)
        return self._levels[key]

    def _of(self, value: Value) -> Level | None:
        if isinstance(value, Const | Symbol | External):
            return _NEUTRAL
        if isinstance(value, Choice):
            return self._agreed([option.value for option in value.options])
        if isinstance(value, ListValue):
            return self._agreed(_last_made(value.items))
        node = self.flow.node(value)
        if node is None or not node.operands:
            return None
        if reads_a_recording(node):
            return Level(sources=frozenset({(_identity(value), None)}))
        name = node.operation.rpartition(".")[2] or node.operation
        if self._is_called_network(node):
            return self._put_out(node)
        if is_loss(node.operation):
            return None
        if name in OWN_SIZE:
            return _NEUTRAL
        if name == "[]":
            return self._item(value, node.operands)
        if name in TIMES or name in DIVIDED:
            return self._product(node, is_division=name in DIVIDED)
        if name in ("+", "-", "add", "sub"):
            return self._sum(node)
        if name in _JOINS or name == "or":
            return self._agreed(node.operands)
        return self.of(node.operands[0]) if name in _KEEPS or self._magnitudes.is_one(node) else None

    def _item(self, value: Value, operands: tuple[Value, ...]) -> Level | None:
        """A batch that a loader gives is a source, and so is each item of it."""
        if isinstance(value, Unknown) and value.computed is not None:
            operands = value.computed.operands  # the network itself, not what its forward returns
        loaders = instances_of(operands[0])
        if loaders and all(map(is_loader, loaders)):
            return Level(sources=frozenset({(_batch(value, loaders), None)}))
        whole, index = self.of(operands[0]), operands[-1]
        found = self._part_of_item(operands[0], index)
        if found is not None and is_filled(self.flow, found[1]):
            return None
        scaled = None if found is None else self._scaled_item(*found)
        if scaled is not None:
            return scaled
        if whole is None or not isinstance(index, Const) or isinstance(index.value, float | complex):
            return whole
        sources = frozenset((batch, index.value) if place is None else (batch, place) for batch, place in whole.sources)
        return Level(whole.factors, sources, whole.network)

    def _part_of_item(self, batch: Value, index: Value) -> tuple[tuple[object, ...], Value] | None:
        """A part of a batch as a source, and what the dataset gives for it; None where that is not understood."""
        node = self.flow.node(batch)
        loaders = [] if node is None or node.operation != "[]" else instances_of(node.operands[0])
        if len(loaders) != 1 or not is_loader(loaders[0]) or not isinstance(index, Const):
            return None
        key = id(loaders[0].attrs)
        if key not in self._items:
            parts = parts_of_items(self.flow, loaders[0])
            levels = {id(part): self.of(part) for part in parts}
            open_parts = [part for part in parts if levels[id(part)] is None and is_from_a_recording(self.flow, part)]
            self._items[key] = () if open_parts else parts
        parts = self._items[key]
        place = index.value
        if not isinstance(place, int) or isinstance(place, bool) or not 0 <= place < len(parts):
            return None
        return (_batch(batch, loaders), place), parts[place]

    def _scaled_item(self, source: tuple[object, ...], part: Value) -> Level | None:
        """The level of a part of a batch that the dataset has scaled; None where it has not."""
        level = self.of(part)
        if level is not None and level.sources:
            self.recordings.add(source)
        if level is None or not level.factors:
            return None
        for factor in level.factors:
            self.scaled.setdefault(factor, set()).add(source)
        return Level(level.factors, frozenset({source}))

    def _product(self, node: Node, *, is_division: bool) -> Level | None:
        if len(node.operands) < 2:
            return None
        left, right = node.operands[:2]
        for signal, factor in ((left, right), (right, left)):
            factors = self.factors(factor)
            level = self.of(signal) if factors else None
            if level is not None and level.sources and not (is_division and signal is right):
                self._note(node, level, factors)
                return Level(level.factors ^ factors, level.sources, level.network)
        first, second = self.of(left), self.of(right)
        return None if first is None or second is None else _joined((first, second))

    def _note(self, node: Node, level: Level, factors: frozenset[Factor]) -> None:
        for factor in factors:
            if node.location is not None:
                self.applied.setdefault(factor, node.location)
            if not level.network:
                self.scaled.setdefault(factor, set()).update(level.sources)

    def _sum(self, node: Node) -> Level | None:
        if len(node.operands) < 2:
            return None
        left, right = node.operands[:2]
        if self.factors(right):
            return self.of(left)  # a mean is taken off
        return self._agreed((left, right))

    def _agreed(self, values: Iterable[Value]) -> Level | None:
        """The level that several values share; None where one is not known or they differ."""
        levels = [self.of(value) for value in values if not _is_of_the_rest(value)]
        known = [level for level in levels if level is not None]
        if len(known) < len(levels):
            return None
        signals = [level for level in known if level.sources]
        if len({level.factors for level in signals}) > 1:
            return None
        return _joined(signals) if signals else _NEUTRAL

    # Networks

    def _is_called_network(self, node: Node) -> bool:
        if node.operation == "network":
            return True
        receiver = None if node.event is None else node.event.receiver
        return (
            node.operation.endswith(".__call__")
            and not is_loss(node.operation)
            and any(map(is_network, instances_of(receiver)))
        )

    def _put_out(self, node: Node) -> Level | None:
        event = node.event
        if event is None:
            return None
        if not self.flow.is_learned(node):
            return self.of(node.operands[0]) if node.operation == "network" else self.of(node.operands[1])
        given = event.arguments.every
        levels = [level for level in map(self.of, given) if level is not None and level.sources]
        if len({level.factors for level in levels}) != 1 or self._normalises(event.receiver):
            return None
        level = _joined(levels)
        return Level(level.factors, level.sources, network=True)

    def _normalises(self, receiver: Value | None) -> bool:
        """Whether the file of a network speaks of statistics: it may scale what it takes in, and scale it back."""
        for network in map(bare_network, instances_of(receiver)):
            if isinstance(network.cls, ClassValue):
                if _NORMALISES.search(self.tree.read_bytes(network.cls.module.path) or b""):
                    return True
        return False

    # Factors

    def factors(self, value: Value) -> frozenset[Factor]:
        """The statistics of data that a value was computed from; empty for what is no statistic."""
        key = id(value)
        if key not in self._factors:
            self._factors[key] = frozenset()
            self._factors[key] = self._factors_of(value)
        return self._factors[key]

    def _factors_of(self, value: Value) -> frozenset[Factor]:
        if isinstance(value, Choice):
            return self._shared([option.value for option in value.options])
        if isinstance(value, ListValue):
            return self._shared(_last_made(value.items))
        node = self.flow.node(value)
        if node is None or not node.operands:
            return frozenset()
        name = node.operation.rpartition(".")[2] or node.operation
        if self._magnitudes.is_one(node):
            return frozenset()
        if name in _REDUCES:
            inner = self.of(node.operands[0])
            if inner is not None and inner.sources and not inner.network:
                factor = (node.location or _identity(value), inner.sources)
                self.origins[factor] = inner.sources
                return frozenset({factor})
            return self.factors(node.operands[0])
        if name in (*TIMES, *DIVIDED, "+", "-", "max", "maximum"):
            sides = [self.factors(operand) for operand in node.operands[:2]]
            signals = [level for level in map(self.of, node.operands[:2]) if level is not None and level.sources]
            return frozenset() if signals else frozenset().union(*sides)
        if name in _JOINS or name == "or":
            return self._shared(node.operands)
        if name in _KEEPS or name in _KEEP_FACTORS:
            return self.factors(node.operands[0])
        return frozenset()

    def _shared(self, values: Iterable[Value]) -> frozenset[Factor]:
        """The factors that several values are made of alike; none where they differ."""
        found = {self.factors(value) for value in values if not _is_of_the_rest(value)}
        return found.pop() if len(found) == 1 else frozenset()


def _last_made(values: Iterable[Value]) -> list[Value]:
    """The last value of each place that values of a list were made at: what a loop makes first is tried, not kept."""
    found: dict[object, Value] = {}
    for value in values:
        computed = value.computed if isinstance(value, Unknown) else None
        made = value.location if isinstance(value, Instance) else None if computed is None else computed.location
        found[made or _identity(value)] = value
    return list(found.values())


def _is_of_the_rest(value: Value) -> bool:
    """Whether a value is, or was computed from, an item of a list of which only the first ones are known.

    Lists that a loop fills go on as they begin.
    """
    if not isinstance(value, Unknown):
        return False
    if value.computed is None:
        return cause_of(value.reason) is Cause.REST_OF_LIST
    return any(
        isinstance(each, Unknown) and cause_of(each.reason) is Cause.REST_OF_LIST for each in value.computed.operands
    )


def _joined(levels: Iterable[Level]) -> Level:
    levels = list(levels)
    return Level(
        frozenset().union(*(level.factors for level in levels)),
        frozenset().union(*(level.sources for level in levels)),
        any(level.network for level in levels),
    )


def _batch(value: Value, loaders: Sequence[Instance]) -> object:
    """What tells the batches of one place from those of another: the next round of a loop draws one like the last."""
    place = value.computed.location if isinstance(value, Unknown) and value.computed is not None else None
    return _identity(value) if place is None else (*(id(loader.attrs) for loader in loaders), place)


def _identity(value: Value) -> int:
    if isinstance(value, Unknown) and value.computed is not None:
        return id(value.computed)
    return id(value.attrs) if isinstance(value, Instance) else id(value)
