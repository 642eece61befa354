"""Which networks an optimiser trains: the ones whose parameters it was made with."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import cached_property

from cmgan_audit.facts.classes import PARAMETERS, bare_network, is_network, values_within
from cmgan_audit.facts.optimisers import is_optimiser
from cmgan_audit.facts.passes.outside_helpers import looks_on
from cmgan_audit.facts.scene import Scene
from cmgan_audit.facts.values import class_name, instances_of, is_among
from cmgan_audit.lazy_dataclasses import dataclass
from cmgan_audit.lazy_regex import regex
from cmgan_audit.program.domain.values import Instance, Unknown, Value

_JUDGES = regex(r"disc|critic|adversar|judge", re.IGNORECASE)
# Of a pair of name and parameter the parameter, of the list of these an item.
_MOST_ITEMS = 4


@dataclass(eq=False)
class Held:
    """Networks, without what wraps them; `complete` is False where more may be trained than is known."""

    networks: tuple[Instance, ...]
    complete: bool = True

    def is_one(self, network: Instance) -> bool:
        """Whether a network is one of these."""
        return is_among(network, self.networks)

    def holds(self, network: Instance) -> bool:
        """Whether a network is one of these, or a part of one."""
        return id(network.attrs) in self._inside

    @property
    def is_called_judge(self) -> bool:
        """Whether a class among these is named as what judges the output of another network."""
        return any(_JUDGES.search(class_name(each)) for each in self.networks)

    def touches(self, network: Instance) -> bool:
        """Whether a network shares parameters with one of these."""
        return self.holds(network) or not self._inside.isdisjoint(_inside(network))

    @cached_property
    def _inside(self) -> frozenset[int]:
        return frozenset[int]().union(*(_inside(each) for each in self.networks))


class Holders:
    """The networks of a run by the optimiser that trains them."""

    def __init__(self, scene: Scene) -> None:
        self._scene = scene
        self._asked: dict[int, list[Instance]] = {}
        self._added: dict[int, list[Value]] = {}
        for event in scene.calls:
            if event.callee.endswith(".add_param_group"):
                for each in instances_of(event.receiver):
                    self._added.setdefault(id(each.attrs), []).extend(event.arguments.positional[:1])
            if event.callee.endswith(PARAMETERS) and isinstance(event.result, Instance):
                networks = [bare_network(each) for each in instances_of(event.receiver)]
                self._asked.setdefault(id(event.result.attrs), networks)

    def of(self, optimiser: Instance) -> Held:
        """The networks of one optimiser."""
        found = self._networks_of(optimiser)
        return Held(found, complete=bool(found) and not self._may_get_more(optimiser, found))

    def _networks_of(self, optimiser: Instance) -> tuple[Instance, ...]:
        given = optimiser.arguments.get("params", 0)
        parts = () if given is None else (given, *self._added.get(id(optimiser.attrs), ()))
        return self._asked_in([each for part in parts for each in values_within(part, 6)])

    def _may_get_more(self, optimiser: Instance, networks: Iterable[Instance]) -> bool:
        """Whether code that is not there is given an optimiser with a network that it does not train yet.

        `toolkit.extend(optimiser, head)`; what keeps things, `Checkpointer(net, critic, optimiser, critic_optimiser)`,
        is given every network together with an optimiser of its own.
        """
        for event in self._scene.handed(optimiser):
            if not event.is_elsewhere or looks_on(event):
                continue
            values = event.arguments.every
            given = [part for value in values for part in values_within(value, 2, lambda _: False)]
            objects = [each for each in given if isinstance(each, Instance)]
            others = (network for each in objects if is_optimiser(each) for network in self._networks_of(each))
            trained = Held((*networks, *others))
            handed = [bare_network(each) for each in objects if is_network(each)]
            if any(not trained.touches(each) for each in (*handed, *self._asked_in(given))):
                return True
        return False

    def asked_for(self, parameters: Value) -> Held:
        """The networks whose parameters these are; not complete where something among them is not known."""
        parts = list(values_within(parameters, 6))
        found = self._asked_in(parts)
        known = all(not isinstance(each, Unknown) or self._networks(each) for each in parts)
        return Held(found, complete=bool(found) and known)

    def _asked_in(self, values: Sequence[Value]) -> tuple[Instance, ...]:
        found: list[Instance] = []
        for network in (each for value in values for each in self._networks(value)):
            if not is_among(network, found):
                found.append(network)
        return tuple(found)

    def _networks(self, value: Value) -> Sequence[Instance]:
        """The networks that were asked for a value, or for what it is an item of: `list(net.parameters())`."""
        for _ in range(_MOST_ITEMS):
            if not isinstance(value, Unknown) or value.computed is None or value.computed.operation != "[]":
                break
            value = value.computed.operands[0]
        return self._asked.get(id(value.attrs), ()) if isinstance(value, Instance) else ()


def disjoint(one: Held, other: Held) -> bool:
    """Whether two optimisers train different networks."""
    return not any(other.touches(each) for each in one.networks)


def called(values: Iterable[Value]) -> list[Instance]:
    """The networks that are called as a value, without what wraps them."""
    return [bare_network(each) for value in values for each in instances_of(value)]


def _inside(network: Instance) -> frozenset[int]:
    """The identities of a network and of the networks that it is made of."""
    parts = (each for each in values_within(network, 4) if isinstance(each, Instance) and is_network(each))
    return frozenset((id(network.attrs), *(id(bare_network(each).attrs) for each in parts)))
