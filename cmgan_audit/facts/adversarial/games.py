"""Whose loss each player of an adversarial training steps on.

A backward pass adds to the gradients of every network that its loss came through. Which passes a step uses is
therefore decided by where gradients were last set back: the loop over batches is walked backwards from the step, and
once around its end, until they were.
"""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterator
from itertools import permutations

from cmgan_audit.facts.adversarial.holders import Held, Holders, called, disjoint
from cmgan_audit.facts.adversarial.losses import Losses, loss_of, networks_of
from cmgan_audit.facts.adversarial.records import Game
from cmgan_audit.facts.adversarial.toggling import is_toggled
from cmgan_audit.facts.runtime.flow import Node
from cmgan_audit.facts.steps.actions import BACKWARD, ZERO, Action
from cmgan_audit.facts.steps.windows import Update, updates_in
from cmgan_audit.facts.values import class_name, constant, is_among, same_object
from cmgan_audit.facts.view import View
from cmgan_audit.finding import Location, Step
from cmgan_audit.lazy_dataclasses import dataclass
from cmgan_audit.lazy_regex import regex
from cmgan_audit.program.domain.values import Instance
from cmgan_audit.program.execution.trace import Loop, innermost_function
from cmgan_audit.rules.record import NO, Fact, Known

_SWITCHES = regex(r"requires_grad_|set_requires_grad|(un)?freeze\w*|(un)?toggle_(optimizer|model|grad)\w*")


@dataclass(eq=False)
class _Player:
    """A step of an optimiser over batches, the networks that it trains, and the backward passes that it uses.

    `name` is how messages call the network, of several the first.
    """

    update: Update
    held: Held
    passes: tuple[Action, ...]
    name: str


def games_of(view: View) -> list[Game]:
    """The steps of discriminators in a run; frameworks that step by themselves are not looked into."""
    if not view.scene.is_reached or not view.scene.trains:
        return []
    holders = Holders(view.scene)
    moved = [(update, holders.of(update.optimiser)) for update in updates_in(view, view.actions)]
    moved = [(update, held) for update, held in moved if held.complete]
    names = _names(view, [held.networks[0] for _, held in moved])
    players = [
        _Player(update, held, tuple(_passes_used(update, held)), name)
        for (update, held), name in zip(moved, names, strict=True)
    ]
    if len(players) < 2:
        return []
    losses = Losses(view.flow)
    pairs = [(one, other) for one, other in permutations(players, 2) if _play_together(one, other)]
    judging = [pair for pair in pairs if _judges(*pair, losses)]
    # An optimiser may step on what is given and on what the maker puts out one after the other.
    return [_game(view, *pair, losses) for pair in pairs if any(_same_optimisers(pair, each) for each in judging)]


def _names(view: View, networks: list[Instance]) -> list[str]:
    """The classes of some networks; where several are of one class, what they are assigned to tells them apart."""
    firsts = [each for at, each in enumerate(networks) if not is_among(each, networks[:at])]
    often = Counter(map(class_name, firsts))
    return [
        (view.assigned.at(each.location) if often[class_name(each)] > 1 else "") or class_name(each)
        for each in networks
    ]


def _same_optimisers(one: tuple[_Player, _Player], other: tuple[_Player, _Player]) -> bool:
    return all(same_object(mine.update.optimiser, its.update.optimiser) for mine, its in zip(one, other, strict=True))


def _play_together(one: _Player, other: _Player) -> bool:
    same_loop = one.update.loop.location == other.update.loop.location
    return same_loop and bool(one.passes) and bool(other.passes) and disjoint(one.held, other.held)


def _passes_used(update: Update, held: Held) -> Iterator[Action]:
    """The backward passes since the gradients of an optimiser were last set back; none where they never are.

    A loss that a branch adds to (`if scores: loss = loss + fake`) is two values, and its pass stands here twice.
    """
    before = [each for each in update.inside if each.position < update.step.position]
    after = [each for each in update.inside if each.position > update.step.position]
    used: list[Action] = []
    for each in (*reversed(before), *reversed(after)):
        if each.kind == ZERO and _sets_back(each, update.optimiser, held):
            yield from used
            return
        if each.kind == BACKWARD and not any(_at_one_place(each, one) and _same_loss(each, one) for one in used):
            used.append(each)


def _at_one_place(one: Action, other: Action) -> bool:
    return one.event.location == other.event.location


def _same_loss(one: Action, other: Action) -> bool:
    return loss_of(one) is loss_of(other)


def _sets_back(zero: Action, optimiser: Instance, held: Held) -> bool:
    if zero.on:
        return zero.concerns(optimiser)
    networks = called([zero.event.receiver] if zero.event.receiver is not None else [])
    return not networks or any(held.touches(each) for each in networks)


def _judges(judge: _Player, maker: _Player, losses: Losses) -> bool:
    """Whether one player is asked about what another puts out, and also about something that is given.

    An encoder and a decoder with an optimiser each are no such pair: the decoder sees nothing but codes.
    """
    passes = {id(each): each for each in (*judge.passes, *maker.passes)}.values()
    calls = [call for each in passes for call in losses.calls(each, judge.held)]
    if not losses.any_fed(calls, maker.held):
        return False
    fed = [losses.fed(call, maker.held) for call in calls]
    returned = losses.any_fed([call for each in passes for call in losses.calls(each, maker.held)], judge.held)
    return (judge.held.is_called_judge or not all(fed)) and not returned


def _game(view: View, judge: _Player, maker: _Player, losses: Losses) -> Game:
    step = judge.update.step.event
    open_pass = _own_through(judge, maker, losses)
    if open_pass is not None and all(
        is_toggled(view.scene, each, judge.update.optimiser) for each in losses.feeding(open_pass[1], maker.held)
    ):
        open_pass = None  # the maker's parameters take no gradients where it runs
    asked = judge.name if open_pass is None else _asked(view, judge, open_pass[1])
    return Game(
        location=step.location,
        anchor=f"{innermost_function(step.context)}.{judge.name}",
        trail=(),
        generator=maker.name,
        discriminator=asked,
        leaked=_leaked(view, judge, maker, losses),
        undetached=NO if open_pass is None else _undetached(asked, maker, *open_pass),
        taken_up=NO if open_pass is None else _taken_up(maker, open_pass[0]),
    )


def _leaked(view: View, judge: _Player, maker: _Player, losses: Losses) -> Fact:
    """Whether the judge steps on the maker's loss as well as on its own."""
    for foreign in judge.passes:
        through = [call for call in losses.calls(foreign, judge.held) if losses.fed(call, maker.held)]
        if not through or foreign not in maker.passes:
            continue
        apart = [each for each in judge.passes if not _at_one_place(each, foreign)]
        own = [each for each in apart if _is_own(each, judge, maker, losses)]
        if not own:
            continue
        if _are_switched(view, judge.update.loop):
            return NO  # the judge's parameters may take no gradients while the maker is trained
        trail = (
            Step(judge.update.step.event.location, f"the optimiser of {judge.name} steps here"),
            Step(foreign.event.location, f"the loss of {maker.name} is followed back here"),
            *(Step(call.event.location, f"it came through {judge.name}") for call in through[:1] if call.event),
            Step(own[0].event.location, f"the loss of {judge.name} adds to the same gradients"),
        )
        return Known(True, trail)
    return NO


def _is_own(backward: Action, judge: _Player, maker: _Player, losses: Losses) -> bool:
    """Whether a pass is of the judge's own loss: it leaves the maker alone, or the maker's step does not use it."""
    if not losses.reaches(backward, judge.held):
        return False
    return not losses.reaches(backward, maker.held) or backward not in maker.passes


def _own_through(judge: _Player, maker: _Player, losses: Losses) -> tuple[Action, Node] | None:
    """A pass of the judge's own loss that runs back into the maker, and the call of the judge on its way."""
    for backward in judge.passes:
        calls = losses.calls(backward, judge.held)
        fed = [call for call in calls if losses.fed(call, maker.held)]
        others = [each for each in maker.passes if not _at_one_place(each, backward)]
        if not fed or not others or not any(losses.reaches(each, maker.held) for each in others):
            continue
        shared = backward in maker.passes
        elsewhere = any(each not in judge.passes for each in others)
        if not shared or elsewhere or len(fed) < len(calls):
            return backward, losses.in_run(backward, fed[0])
    return None


def _asked(view: View, judge: _Player, call: Node) -> str:
    """What messages call the network that is asked, where the optimiser of the judge trains several."""
    networks = list(judge.held.networks)
    if len(networks) < 2:
        return judge.name
    names = zip(networks, _names(view, networks), strict=True)
    inside = networks_of(call)
    asked = (name for network, name in names if any(Held((network,)).holds(each) for each in inside))
    return next(asked, judge.name)


def _undetached(judge: str, maker: _Player, backward: Action, call: Node) -> Fact:
    assert call.event is not None
    trail = (
        Step(call.event.location, f"{judge} is asked about what {maker.name} puts out, with its gradients"),
        Step(backward.event.location, f"the loss of {judge} is followed back here, through {maker.name} too"),
    )
    return Known(True, trail)


def _taken_up(maker: _Player, backward: Action) -> Fact:
    """Whether the maker's step uses what a pass of the judge's loss leaves in it."""
    if backward not in maker.passes:
        return NO
    place = maker.update.step.event.location
    return Known(True, (Step(place, f"the optimiser of {maker.name} steps on these gradients too"),))


def _are_switched(view: View, loop: Loop) -> bool:
    """Whether code that a loop executes takes gradients away from parameters: to give them to all changes nothing."""
    for reached in view.code.reached:
        contexts = view.code.contexts.get(reached.node, ())
        called = any(each.location == loop.location for context in contexts for each in context.loops)
        for node in reached.own_nodes():
            if _switches(node) and (called or reached.module.location(node).lies_in(loop.location)):
                if not _only_on(view, reached.module.location(node), node):
                    return True
    return False


def _switches(node: ast.AST) -> bool:
    match node:
        case ast.Assign(targets=targets):
            return any(isinstance(each, ast.Attribute) and each.attr == "requires_grad" for each in targets)
        case ast.Call(func=ast.Name(id="setattr"), args=[_, ast.Constant(value="requires_grad"), _]):
            return True
        case ast.Call(func=ast.Attribute(attr=name) | ast.Name(id=name)):
            return _SWITCHES.fullmatch(name) is not None
    return False


def _only_on(view: View, place: Location, node: ast.AST) -> bool:
    """Whether parameters are only ever told to take gradients at a place: `p.requires_grad = flag`, which is True."""
    match node:
        case ast.Assign(value=ast.Constant(value=value)):
            return value is True
        case ast.Assign() | ast.Call(func=ast.Name(id="setattr")):
            stores = (each for each in view.scene.stores if each.name == "requires_grad")
            given = [constant(each.value) for each in stores if each.location.lies_in(place)]
            return bool(given) and all(each is True for each in given)
        case ast.Call(func=ast.Attribute(attr="requires_grad_"), args=args, keywords=keywords):
            values = [*args, *(each.value for each in keywords)]
            return all(isinstance(each, ast.Constant) and each.value is True for each in values)
    return False
