"""Calls of a network's methods in which it rests: they tell something of it, set something, or rearrange it.

Whoever calls a method of a network mostly runs it, so `model.decode(x)` is a run. What is known to be bookkeeping by
its name is none; of the other methods of the tree, one of three things shows that the network rests:

- the method never mentions its network: `model.overlap_and_add(parts, hop)` is a function that only lies there, and
  where another network runs in it, that is seen inside of the call;
- the method computes nothing, by its source: `model.has_speaker_embedding()`, `model.remove_weight_norm()`;
- it gives nothing back, and no network ran as it was followed: `model.set_new_noise_schedule(options)`, `net.reset()`.
  That it gives nothing back is not enough: `model.optimise(batch)` leaves what it computes in the object.
"""

from __future__ import annotations

import ast
import builtins
from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from cmgan_audit.facts.passes.library_networks import RUNNING
from cmgan_audit.program.domain.values import ClassValue, Const, FunctionValue, Unknown
from cmgan_audit.program.execution.trace import CallEvent, Event
from cmgan_audit.program.language.classes import class_attribute
from cmgan_audit.source.syntax import NamedFunction, positional_parameters, walk

if TYPE_CHECKING:
    from cmgan_audit.facts.scene import Use

_BOOKKEEPING = frozenset(
    "train eval to cuda cpu half float double parameters named_parameters state_dict load_state_dict zero_grad "
    "apply requires_grad_ modules named_modules children named_children buffers named_buffers register_buffer "
    "add_module register_parameter share_memory type extra_repr freeze unfreeze save load log log_dict print "
    "save_hyperparameters configure_optimizers load_from_checkpoint from_pretrained save_pretrained summary "
    "append extend insert keys values items "  # of networks that hold others: ModuleList, ModuleDict
    "update_parameters".split()  # of averages of weights
)
# What containers are asked without a word; `self.values(x)` is a layer of an attention.
_ASKED_PLAINLY = frozenset({"keys", "values", "items"})
# `map` and `filter` call what they are given, which may be a layer.
_BUILTINS = frozenset(dir(builtins)) - {"map", "filter"}
# Functions of torch.nn.utils that change how weights are kept.
_REARRANGING = frozenset(
    "weight_norm remove_weight_norm spectral_norm remove_spectral_norm remove_parametrizations".split()
)
# What is called on objects of Python and of torch without computing anything from a signal.
_PLAIN_MEMBERS = frozenset(
    "append copy_ debug dim endswith extend fill_ format get info item items join keys named_parameters numel nelement "
    "pop remove requires_grad_ size split startswith uniform_ update values warn warning zero_".split()
)
_PLAIN = _PLAIN_MEMBERS | _REARRANGING | _BOOKKEEPING
# What weights are moved by; no network has a method of such a name.
_OF_TENSORS = _PLAIN | frozenset("add_ addcmul_ clone detach div_ lerp_ mul_ sub_".split())
_DEEPEST = 4


def rests_by_name(member: str) -> bool:
    """Whether a method of a network is bookkeeping, or its own affair."""
    return member in _BOOKKEEPING or member.startswith("_")


def resting_apart(uses: Sequence[Use], events: Sequence[Event]) -> list[Use]:
    """The uses of a run, those calls in which a network only rests marked as keeping it.

    Args:
        uses: what happens to networks and optimisers, in order.
        events: all events of the run.
    """
    told: list[Use] = []
    methods = _Methods()
    running: set[int] = set()
    for use in reversed(uses):  # what happens inside of a call comes after it
        if use.kind == "run":
            if methods.rest(use) or _rested(use, events, running):
                told.append(replace(use, kind="keep"))
                continue
            running.add(use.position)
        told.append(use)
    return told[::-1]


def _rested(use: Use, events: Sequence[Event], running: Collection[int]) -> bool:
    """Whether a method of the tree gave nothing back, and no network ran in it as it was followed."""
    call = use.event
    if call.callee.rpartition(".")[2] in RUNNING or not (isinstance(call.result, Const) and call.result.value is None):
        return False
    of_the_tree = use.on is not None and isinstance(use.on.cls, ClassValue)
    return of_the_tree and not any(position in running or _is_open(event) for position, event in _inside(use, events))


def _inside(use: Use, events: Sequence[Event]) -> Iterator[tuple[int, Event]]:
    """What happens in the body of a method, and below."""
    frames, depth = use.event.context.frames, len(use.event.context.frames)
    for position in range(use.position + 1, len(events)):
        there = events[position].context.frames
        if len(there) <= depth or there[depth].call != use.event.location or there[:depth] != frames:
            return
        yield position, events[position]


def _is_open(event: Event) -> bool:
    """Whether it is not known what is called, which may be a network: no tensor that a loop over weights draws."""
    if not isinstance(event, CallEvent) or not isinstance(event.receiver, Unknown):
        return False
    return event.callee.rpartition(".")[2] not in _OF_TENSORS


class _Methods:
    """The methods that leave their network at rest by their source; each is read once for a run."""

    def __init__(self) -> None:
        self._known: dict[tuple[ast.AST, ast.AST, bool], bool] = {}

    def rest(self, use: Use) -> bool:
        """Whether a method of the tree leaves its network at rest; False where its code is not known."""
        member = use.event.callee.rpartition(".")[2]
        if use.on is None or member in RUNNING:
            return False
        asked = not use.event.arguments.positional and not use.event.arguments.keywords
        return self._rests(use.on.cls, member, asked, _DEEPEST)

    def _rests(self, cls: object, member: str, asked: bool, depth: int) -> bool:
        if not isinstance(cls, ClassValue) or not depth:
            return False
        found = class_attribute(cls, member)
        method = None if found is None else found[0]
        if not isinstance(method, FunctionValue) or isinstance(method.node, ast.Lambda):
            return False
        key = (cls.node, method.node, asked)
        if key not in self._known:
            self._known[key] = False  # one that calls itself is not understood
            self._known[key] = not _mentions_itself(method.node) or self._is_plain(method.node, cls, asked, depth)
        return self._known[key]

    def _is_plain(self, method: ast.AST, cls: ClassValue, asked: bool, depth: int) -> bool:
        """Whether nothing in a method computes; what it is given may be part of a signal."""
        nodes = walk(method)
        own = {node.name for node in nodes if isinstance(node, ast.FunctionDef) and node is not method}
        # A name that the method sets or is given is none of Python's: `for filter in self.filters: x = filter(x)`.
        bound = {node.id for node in nodes if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
        bound.update(node.arg for node in nodes if isinstance(node, ast.arg))
        plain = (_BUILTINS | _REARRANGING | own) - bound
        for node in nodes:
            if isinstance(node, ast.BinOp) and (not asked or isinstance(node.op, ast.MatMult)):
                return False
            if isinstance(node, ast.Yield | ast.YieldFrom | ast.Await):
                return False
            if isinstance(node, ast.Call):
                layer = bool(node.args) and isinstance(node.func, ast.Attribute) and node.func.attr in _ASKED_PLAINLY
                if layer or not self._is_plain_call(node.func, plain, cls, depth):
                    return False
        return True

    def _is_plain_call(self, function: ast.expr, plain: Collection[str], cls: ClassValue, depth: int) -> bool:
        match function:
            case ast.Name(id=name):
                return name in plain
            case ast.Attribute(value=ast.Name(id="self"), attr=name):
                return name in _PLAIN or self._rests(cls, name, False, depth - 1)
            case ast.Attribute(attr=name):
                return name in _PLAIN
        return False


def _mentions_itself(method: NamedFunction) -> bool:
    """Whether a method asks its object for anything, by its name, through `super()` or as all that stands there."""
    if any(isinstance(each, ast.Name) and each.id == "staticmethod" for each in method.decorator_list):
        return False
    parameters = positional_parameters(method.args)
    names = {parameters[0].arg if parameters else "self", "super", "locals"}
    return not parameters or any(isinstance(node, ast.Name) and node.id in names for node in walk(method))
