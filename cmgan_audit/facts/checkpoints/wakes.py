"""Resumes that go in steps: a branch that a setting keeps off, and those that ask for what it would have set."""

from __future__ import annotations

import ast

from cmgan_audit.facts.bindings import names_bound
from cmgan_audit.facts.checkpoints.restoring import LOADS, Batch, batches
from cmgan_audit.facts.exclusive import exclusive
from cmgan_audit.facts.view import View
from cmgan_audit.lazy_regex import regex
from cmgan_audit.program.execution.trace import CallEvent, Event, StoreEvent, Supposed
from cmgan_audit.program.naming.names import canonical
from cmgan_audit.source.syntax import NamedFunction

_NAMES = regex(r"[A-Za-z_]\w*")


def of_one_resume(view: View, supposed: Supposed, start: int) -> list[Event]:
    """What happens in a branch and in all others that are taken together with it.

    A resume may go in steps: the network first, with `self.resume_step = 1000` or `state = torch.load(path)`, then
    `if self.resume_step:` or `if state is not None:` the optimiser, or `if args.resume:` before and after it is made.

    Args:
        view: the run.
        supposed: the branch that a setting keeps off.
        start: where the training starts.
    """
    earlier = (
        each
        for each in view.scene.run.supposed
        if each is not supposed and each.position <= supposed.position and _ask_the_same(view, each, supposed)
    )
    return [
        *supposed.events,
        *_in_its_wake(view, supposed, start),
        *(event for each in earlier for event in each.events),
    ]


def resumed_in(view: View, supposed: Supposed, start: int) -> list[Batch]:
    """The checkpoints that a branch restores, or that it loads only, for branches in its wake to restore."""
    found = batches(supposed.events)
    if found or not any(isinstance(each, CallEvent) and canonical(each.callee) in LOADS for each in supposed.events):
        return found
    return batches([*supposed.events, *_in_its_wake(view, supposed, start)])


def _in_its_wake(view: View, supposed: Supposed, start: int) -> list[Event]:
    """What happens in later branches that are taken once this one is: they ask for what it sets, or the same again."""
    attributes = {event.name for event in supposed.events if isinstance(event, StoreEvent)}
    function, variables = _set_in_branch(view, supposed)
    return [
        event
        for each in view.scene.run.supposed
        if each is not supposed and supposed.position <= each.position <= start
        for asked in [set(_NAMES.findall(each.condition.text))]
        if asked & attributes
        or (asked & variables and _set_in_branch(view, each)[0] is function)
        or _ask_the_same(view, each, supposed)
        for event in each.events
    ]


def _ask_the_same(view: View, one: Supposed, other: Supposed) -> bool:
    """Whether two branches of one file hang on the same test, and one start of the program may take both.

    A name means the same only in one function, a setting (`args.resume`) everywhere.
    """
    asked, again = one.condition, other.condition
    if asked.text != again.text or asked.location.path != again.location.path:
        return False
    if "." not in asked.text and _set_in_branch(view, one)[0] is not _set_in_branch(view, other)[0]:
        return False
    return not (one.events and other.events and exclusive(one.events[0].context, other.events[0].context))


def _set_in_branch(view: View, supposed: Supposed) -> tuple[ast.AST | None, frozenset[str]]:
    """The function that a branch belongs to, None for the top of a module, and the variables that the branch sets."""
    place = supposed.condition.location
    test = view.code.node_at(place)
    parents = list(view.code.parents(place.path, test)) if test is not None else []
    function = next((each for each in parents if isinstance(each, NamedFunction)), None)
    if not parents or not isinstance(parents[0], ast.If | ast.IfExp):
        return function, frozenset()
    # `state = torch.load(path) if path else None` sets what its statement sets.
    return function, names_bound(next(each for each in parents if isinstance(each, ast.stmt)))
