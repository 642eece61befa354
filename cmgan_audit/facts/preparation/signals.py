"""What stands behind what a network is given: the nearest transforms, sampling rates, and items of datasets."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import field

from cmgan_audit.facts.classes import RUNS, bare_network, is_loader
from cmgan_audit.facts.levels.items import result_of_items
from cmgan_audit.facts.preparation.rates import doubt_of, rate_of
from cmgan_audit.facts.preparation.transforms import Transform, forward_transform, inverse_transform
from cmgan_audit.facts.recordings import READERS
from cmgan_audit.facts.runtime.flow import Flow, Node
from cmgan_audit.facts.values import instances_of
from cmgan_audit.lazy_dataclasses import dataclass
from cmgan_audit.program.domain.values import Choice, Const, DictValue, Instance, ListValue, Unknown, Value
from cmgan_audit.program.execution.trace import CallEvent
from cmgan_audit.program.naming.names import canonical
from cmgan_audit.rules.record import Fact

MOST_VALUES = 3_000
_MADE_UP = frozenset("rand randn zeros ones empty normal uniform standard_normal".split())


@dataclass(eq=False)
class Signals:
    """The values of one run as signals on their way to networks.

    Attributes:
        flow: what each value was computed from.
    """

    flow: Flow
    _items: dict[int, Value | None] = field(default_factory=dict)

    def transforms_behind(self, values: Iterable[Value]) -> list[Transform]:
        """The transforms that are nearest to some values, in order, each call once.

        What an inverse transform gives is a signal again, whatever it was made of.
        """
        found: dict[object, Transform] = {}

        def look(node: Node) -> bool:
            made = forward_transform(node)
            if made is not None:
                found.setdefault(id(node.value), made)
            return made is not None or inverse_transform(node) is not None

        self._walk(values, look)
        return list(found.values())

    def rates_behind(self, values: Iterable[Value]) -> list[Fact]:
        """The sampling rates that signals are brought to last on their way; one that a file has by itself is none."""
        found: list[Fact] = []
        doubts: list[Fact] = []  # where no rate stands behind them, they are those of how a file is found and opened

        def look(node: Node) -> bool:
            rate = rate_of(node)
            if rate is not None:
                found.append(rate)
            elif (doubt := doubt_of(node)) is not None:
                doubts.append(doubt)
            return rate is not None or canonical(node.operation) in READERS

        self._walk(values, look)
        return [*found, *doubts] if found else []

    def is_made_up(self, value: Value) -> bool:
        """Whether a signal stands for any other: random numbers or zeros, to warm up or to measure the time."""
        for _ in range(MOST_VALUES):
            node = self.flow.node(value)
            if is_loader(value):
                return False
            if node is not None:
                if node.operation.rpartition(".")[2] in _MADE_UP:
                    return True
                parts = list(node.operands[-1:] if node.operation.endswith(".__call__") else node.operands[:1])
            else:
                parts = _parts(value)
            if not parts:
                drawn = {draw.callee.rpartition(".")[2] for draw in value.draws}
                return isinstance(value, Unknown) and bool(drawn) and drawn <= _MADE_UP
            value = parts[0]
        return False

    def outputs_behind(self, value: Value) -> list[CallEvent]:
        """The calls of networks with weights whose outputs are nearest to a value."""
        found: dict[int, CallEvent] = {}

        def look(output: Value) -> None:
            event = self.flow.call_of(_whole(output))
            if event is not None:
                found.setdefault(id(event), event)

        self._walk([value], lambda node: forward_transform(node) is not None, look)
        return list(found.values())

    def network_of(self, value: Value) -> Instance | None:
        """The network with weights whose output, or a part of it, a value is; None for all others."""
        for network in self._called(_whole(value)):
            if self.flow.has_weights(network):
                return network
        return None

    def _called(self, value: Value) -> Iterator[Instance]:
        if isinstance(value, Unknown) and value.computed is not None and value.computed.operation == "network":
            yield from map(bare_network, instances_of(value.computed.operands[0]))
        elif isinstance(value, Instance) and value.external_name.endswith(RUNS):
            event = self.flow.call_of(value)
            yield from map(bare_network, instances_of(event.receiver) if event is not None else ())

    def _walk(
        self, values: Iterable[Value], ends: Callable[[Node], bool], output: Callable[[Value], None] | None = None
    ) -> None:
        """Go back through everything that values were computed from, up to networks and to where `ends` says so.

        `output` is told of the outputs of networks that are met.
        """
        waiting, seen = list(values)[::-1], set[int]()
        kept: list[Value] = []  # their ids must stay their own
        while waiting and len(seen) < MOST_VALUES:
            value = waiting.pop()
            if id(value) in seen:
                continue
            seen.add(id(value))
            kept.append(value)
            if self.network_of(value) is not None:
                if output is not None:
                    output(value)
                continue
            item = self.item_of(value)
            if item is not None:
                waiting.append(item)
                continue
            node = self.flow.node(value)
            if node is None:
                waiting.extend(_parts(value))
            elif not (ends(node) or _is_of_others(node)):
                waiting.extend(reversed(node.operands))

    def item_of(self, value: Value) -> Value | None:
        """The part of an item of a dataset that a part of a batch is made of; None for what is no such part."""
        if not isinstance(value, Unknown) or value.computed is None or value.computed.operation != "[]":
            return None
        whole, index = value.computed.operands[0], value.computed.operands[-1]
        if not isinstance(index, Const) or not isinstance(whole, Unknown) or whole.computed is None:
            return None
        loaders = instances_of(whole.computed.operands[0]) if whole.computed.operation == "[]" else []
        if len(loaders) != 1 or not is_loader(loaders[0]):
            return None
        key = id(loaders[0].attrs)
        if key not in self._items:
            self._items[key] = result_of_items(self.flow, loaders[0])
        return _part(self._items[key], index.value)


def _whole(value: Value) -> Value:
    """What a value is a part of."""
    while isinstance(value, Unknown) and value.computed is not None and value.computed.operation == "[]":
        value = value.computed.operands[0]
    return value


def _part(item: Value | None, key: object) -> Value | None:
    if isinstance(item, DictValue) and isinstance(key, str):
        return item.items.get(key)
    if isinstance(item, ListValue) and item.kind == "tuple" and item.complete and isinstance(key, int):
        return item.items[key] if -len(item.items) <= key < len(item.items) else None
    return None


def _is_of_others(node: Node) -> bool:
    """Whether an object of a library that is not known was called: it may be a network too."""
    return node.operation.endswith(".__call__") and not node.operation.startswith(("torch.", "torchaudio."))


def _parts(value: Value) -> list[Value]:
    if isinstance(value, Choice):
        return [option.value for option in reversed(value.options)]
    if isinstance(value, ListValue):
        return value.items[::-1]
    return list(value.items.values())[::-1] if isinstance(value, DictValue) else []
