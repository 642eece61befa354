"""Networks that a run freezes, changes by hand or gives away: what no optimiser has of these is told by nothing.

A program that freezes one network may forget another one. So each line that freezes or changes something is asked which
networks it is about; one that does not tell is about all of them.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import TypeGuard

from cmgan_audit.facts.adversarial.holders import Holders
from cmgan_audit.facts.classes import PARAMETERS, bare_network, is_network, tree_classes, values_within
from cmgan_audit.facts.passes.outside_helpers import looks_on
from cmgan_audit.facts.scene import Scene
from cmgan_audit.facts.steps.out_of_reach import lines_in_reach
from cmgan_audit.facts.steps.written import Written, written_again
from cmgan_audit.facts.values import instances_of, same_object
from cmgan_audit.facts.view import View
from cmgan_audit.lazy_dataclasses import dataclass
from cmgan_audit.lazy_regex import regex
from cmgan_audit.program.domain.values import BoundMethod, ClassValue, External, Instance, Value
from cmgan_audit.program.execution.trace import CallEvent
from cmgan_audit.source.syntax import called_name, is_line_of, last_name, walk

# A network may be made of networks that are made of networks.
DEEP = 14
_FREEZES = regex(r"requires_grad(_\(|\s*=\s*)(?!True|\))|freeze|\.grad\b(?!\s*=\s*None)|toggle_")
# Tensors of all kinds are written in place; those count that parameters are gone through for.
_WRITES = regex(r"\.(copy|lerp|mul|add|sub|addcmul|set|swap)_\(|\.data\b|[-+*]=")
_ASKS = (*PARAMETERS, ".modules", ".children", ".named_modules", ".buffers", ".state_dict")
_FREEZING = (".requires_grad_", ".freeze")
# Calls that look at a network or its parameters and leave them alone.
_LOOKS = regex(r".*(summary|profile|watch|count|flops|macs|print|log|info|save|clip|norm|loss)\w*", re.IGNORECASE)
# What holds the numbers of a layer, and what writes them.
_HOLDING = ("data", "weight", "bias")
_WRITING = (".copy_", ".fill_", ".set_", ".zero_", ".mul_")
# Calls whose result is followed, or a list of the program's own that parameters are put into.
_GATHERS = regex(
    r"list|tuple|set|dict|iter|next|enumerate|zip|sum|map|filter|len|any|all|sorted|(itertools\.)?chain(\.from_iterable)?"
    r"|.*\.(extend|append|update)"
)
# What draws the first weights of a network: `nn.init.normal_(p.data, 0, 0.02)`, `p.data.uniform_(-1, 1)`.
_DRAWS = regex(r"\binit\.\w|\b(trunc_|xavier_|kaiming_|log_)?(normal|uniform)_\(|\borthogonal_\(")
# What makes a tensor of its own, so that `requires_grad=False` says nothing of a network.
_MAKES = frozenset(
    "Variable Parameter tensor as_tensor zeros ones empty full rand randn arange linspace zeros_like ones_like".split()
)


@dataclass(eq=False)
class ByHand:
    """What a run does with networks beside the steps of its optimisers."""

    view: View
    holders: Holders

    def may_change(self, network: Instance) -> bool:
        """Whether something beside an optimiser may change a network, or keeps it from being changed."""
        if self.is_handled(network):
            return True
        own = frozenset(inside(network))
        given_away = self._given_away(self.view.scene)
        return any(not own.isdisjoint(inside(each)) for each in given_away) or self._is_left_open(network)

    def is_handled(self, network: Instance) -> bool:
        """Whether a line of the program freezes a network, writes into it or puts weights into it again and again."""
        own = frozenset(inside(network))
        if any(on is None or not own.isdisjoint(inside(on)) for on in self._handled):
            return True
        return (
            self._frozen_in_class(network)
            or self._is_set_in_a_loop(network)
            or self._is_written_again(network)
            or not own.isdisjoint(self._layers_given_weights)
            or (not isinstance(network.cls, ClassValue) and not own.isdisjoint(self._layers_written))
        )

    @cached_property
    def _layers_given_weights(self) -> frozenset[int]:
        """The layers of torch whose weight something takes the place of: `conv.weight.data = basis`."""
        stores = (each for each in self.view.scene.stores if each.name in _HOLDING)
        layers = (layer_of(each.target) for each in stores if not each.value.draws)
        return frozenset(id(each.attrs) for each in layers if _is_of_torch(each))

    @cached_property
    def _layers_written(self) -> frozenset[int]:
        """The layers of torch whose weight is written into: `conv.weight.data.copy_(basis)`."""
        writing = self.view.scene.named(lambda name: name.endswith(_WRITING) and ".weight." in name)
        layers = (layer_of(each.receiver) for each in writing if each.receiver is not None)
        return frozenset(id(each.attrs) for each in layers if _is_of_torch(each))

    @cached_property
    def _handled(self) -> tuple[Instance | None, ...]:
        """The networks that lines freeze or change; None where it is not known which."""
        found: list[Instance | None] = [use.on for use in self.view.scene.of("requires_grad_") if use.on is not None]
        for path, number, _ in lines_in_reach(self.view, _FREEZES):
            if not self._is_of_new_tensors(path, number):
                found += self._of_line(path, number, unknown=(None,), asking=self._all_asking)
        # What is drawn once gives a network its first weights; what else is written into it may be meant to stay.
        again = [event for event in self._all_asking if event.context.loops]
        for path, number, _ in lines_in_reach(self.view, _WRITES):
            statement = self._statement(path, number)
            draws = statement is not None and _DRAWS.search(ast.unparse(statement)) is not None
            asking = again if draws else self._all_asking
            found += self._of_line(path, number, unknown=(), asking=asking)
        return tuple(found)

    def _is_of_new_tensors(self, path: str, number: int) -> bool:
        """Whether all that a line freezes are tensors that it makes: `Variable(ones, requires_grad=False)`.

        One that is put in the place of a weight freezes it: `self.conv.weight = Parameter(basis, requires_grad=False)`.
        """
        statement = self._statement(path, number)
        if statement is None or self._may_become_weight(path, statement):
            return False
        made = [each for each in walk(statement) if isinstance(each, ast.Call) and called_name(each) in _MAKES]
        held = [each for each in made if any(given.arg == "requires_grad" for given in each.keywords)]
        return bool(held) and len(_FREEZES.findall(ast.unparse(statement))) == len(held)

    def _may_become_weight(self, path: str, statement: ast.stmt) -> bool:
        """Whether what a statement makes may take the place of a layer's weight, here or under the name that it got."""
        calls = {called_name(each) for each in walk(statement) if isinstance(each, ast.Call)}
        around = self.view.code.around(path, statement)
        if around is None or isinstance(statement, ast.Return) or "setattr" in calls:
            return True
        names = {ast.unparse(each) for each in getattr(statement, "targets", ())}
        given = [each for each in around.own_nodes() if isinstance(each, ast.Assign)]
        stored = [
            target for each in given if each is statement or ast.unparse(each.value) in names for target in each.targets
        ]
        return any(isinstance(target, ast.Attribute) and ast.unparse(target.value) != "self" for target in stored)

    def _of_line(
        self, path: str, number: int, *, unknown: tuple[Instance | None, ...], asking: Sequence[CallEvent]
    ) -> tuple[Instance | None, ...]:
        """The networks that a line is about: that it names, or whose parameters the loop around it goes through.

        Args:
            path: its file.
            number: the line.
            unknown: what is answered where it does not tell.
            asking: the calls that ask for the parameters or parts of networks.
        """
        statement = self._statement(path, number)
        if statement is None or isinstance(statement, ast.FunctionDef | ast.ClassDef):
            return ()  # a definition is told by what its lines do
        parts: list[ast.AST] = [statement] if not isinstance(statement, ast.For) else [statement.iter]
        for each in self.view.code.parents(path, statement):
            if isinstance(each, ast.For):
                parts.append(each.iter)
        for part in parts:
            events = [each for each in asking if each.location.path == path and is_line_of(each.location.line, part)]
            receivers = [instances_of(each.receiver) for each in events]
            if events and all(receivers):
                return tuple(bare_network(each) for some in receivers for each in some)
        return unknown

    def _statement(self, path: str, number: int) -> ast.stmt | None:
        """The innermost statement that a line belongs to."""
        tree = self.view.tree.module(path)
        around = [node for node in walk(tree) if isinstance(node, ast.stmt) and is_line_of(number, node)]
        return max(around, key=lambda node: (node.lineno, -(node.end_lineno or 0)), default=None)

    @cached_property
    def _all_asking(self) -> list[CallEvent]:
        return self.view.scene.named(lambda name: name.endswith((*_ASKS, *_FREEZING)))

    def _frozen_in_class(self, network: Instance) -> bool:
        """Whether a class of the network, or of a part of it, freezes something: `self.weight.requires_grad_(..)`.

        Among layers of a library a parameter that is made frozen is one of many, as the vectors of a spectral norm are.
        """
        parts = [each for each in values_within(network, DEEP) if isinstance(each, Instance) and is_network(each)]
        classes = {id(cls.node): cls for part in parts for cls in tree_classes(part.cls)}
        has_layers = any(isinstance(part.cls, External) for part in parts)
        spans = [(each.module.path, each.node.lineno, each.node.end_lineno or 0) for each in classes.values()]
        return any(
            path == place and first <= number <= last
            for path, number, _ in lines_in_reach(self.view, _FREEZES)
            if not (has_layers and self._is_of_new_tensors(path, number))
            for place, first, last in spans
        )

    def _is_set_in_a_loop(self, network: Instance) -> bool:
        """Whether the weights are put into it again and again, as into an average or a teacher that follows."""
        for event in self.view.scene.named(lambda name: name.endswith(".load_state_dict")):
            if event.context.loops and any(is_it(each, network) for each in instances_of(event.receiver)):
                return True
        return False

    @cached_property
    def _written(self) -> tuple[Written, ...]:
        return tuple(written_again(self.view))

    def _is_written_again(self, network: Instance) -> bool:
        """Whether the run writes into the weights of a network beside its optimisers, as into those of a codebook."""
        own = frozenset(inside(network))
        names = self._names(network) if self._written else frozenset()
        parts = [each.cls for each in values_within(network, DEEP) if isinstance(each, Instance)]
        classes = {id(cls.node) for part in parts for cls in tree_classes(part)}
        return any(
            each.words & names
            or id(each.owner) in classes
            or any(not own.isdisjoint(inside(asked)) for asked in each.networks)
            for each in self._written
        )

    def _given_away(self, scene: Scene) -> Iterator[Instance]:
        """The networks that code which is not there gets, or gets the parameters of: an optimiser may be made there."""
        for event in self._all_asking:
            if event.callee.endswith(PARAMETERS) and self._are_handed_on(event):
                yield from (bare_network(each) for each in instances_of(event.receiver))
        elsewhere = [event for _, event in scene.elsewhere]
        for event in (*elsewhere, *scene.named(lambda name: name.startswith("?"))):
            given = () if looks_on(event) or _LOOKS.fullmatch(event.callee) else event.arguments.every
            yield from (network for value in given for network in self.holders.asked_for(value).networks)
            parts = (part for value in given for part in values_within(value, 2) if isinstance(part, Instance))
            yield from (bare_network(part) for part in parts if is_network(part))

    def _are_handed_on(self, event: CallEvent) -> bool:
        """Whether parameters go straight into a call that neither looks at them nor gathers them."""
        path = event.location.path
        asked = self.view.code.call_at(event.location)
        for each in self.view.code.holders(path, asked) if asked is not None else ():
            if isinstance(each, ast.comprehension | ast.Subscript):
                return False
            if isinstance(each, ast.Call) and _GATHERS.fullmatch(ast.unparse(each.func)) is None:
                return _LOOKS.fullmatch(ast.unparse(each.func)) is None
        return False

    def _is_left_open(self, network: Instance) -> bool:
        """Whether a network of that name goes somewhere in a branch that this run does not take.

        Functions that the run calls elsewhere are followed there, and a wrapper gives a network to no optimiser.
        """
        names = self._names(network)
        known = {each.name for each in self.view.code.reached}
        done = {(each.location.path, each.location.line) for each in self.view.scene.calls}
        for function in self.view.code.reached:
            path = function.module.path
            for node in function.own_nodes():
                if isinstance(node, ast.Call) and (path, node.lineno) not in done and self._is_in_branch(path, node):
                    handed = [node.func.value] if isinstance(node.func, ast.Attribute) and _asks(node) else node.args
                    leads_on = called_name(node) not in known and not called_name(node).endswith("DataParallel")
                    if (
                        leads_on
                        and any(last_name(each) in names for each in handed)
                        and not self._is_looked_at(path, node)
                    ):
                        return True
        return False

    def _is_in_branch(self, path: str, node: ast.AST) -> bool:
        return any(isinstance(each, ast.If | ast.IfExp) for each in self.view.code.parents(path, node))

    def _names(self, network: Instance) -> frozenset[str]:
        """What a network is called where it runs."""
        found: set[str] = set()
        for use in self.view.scene.of("run", "train", "eval"):
            call = self.view.code.call_at(use.event.location) if is_it(use.on, network) else None
            if call is not None:
                found.add(ast.unparse(call.func).removesuffix(f".{use.kind}").rpartition(".")[2])
        return frozenset(found)

    def _is_looked_at(self, path: str, node: ast.AST) -> bool:
        calls = (each for each in (node, *self.view.code.holders(path, node)) if isinstance(each, ast.Call))
        return any(_LOOKS.fullmatch(ast.unparse(each.func)) for each in calls)


def inside(network: Instance) -> Iterator[int]:
    """The identities of a network and of all networks that it is made of."""
    for each in values_within(network, DEEP):
        if isinstance(each, Instance) and is_network(each):
            yield id(each.attrs)
            yield id(bare_network(each).attrs)


def layer_of(value: Value) -> Value:
    """The layer that a parameter is asked of, `conv` of `conv.weight.data`; else the value itself."""
    while isinstance(value, BoundMethod):
        value = value.receiver
    return value


def _is_of_torch(value: Value) -> TypeGuard[Instance]:
    return isinstance(value, Instance) and isinstance(value.cls, External) and is_network(value)


def _asks(call: ast.Call) -> bool:
    return isinstance(call.func, ast.Attribute) and f".{call.func.attr}" in PARAMETERS


def is_it(value: Instance | None, network: Instance) -> bool:
    """Whether an object is a network, perhaps in what wraps it."""
    return value is not None and same_object(bare_network(value), network)
