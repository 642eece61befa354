"""CMG202, CMG203: `drop_last` and `shuffle` of evaluation loaders are switched off where they are set."""

from __future__ import annotations

import ast
from collections.abc import Iterable

from cmgan_audit.facts.records import Loader
from cmgan_audit.finding import Edit
from cmgan_audit.fixes.case import Case, Repair
from cmgan_audit.fixes.document import UnrecognisedShapeError
from cmgan_audit.fixes.values import switch_off, within
from cmgan_audit.rules.record import Fact, Known, OneOf, certainly
from cmgan_audit.source.syntax import arguments_named


def keep_last_batch(case: Case) -> Repair:
    """Make the evaluation loader keep its last batch."""
    return Repair("set drop_last to False for the evaluation loader", (_switched_off(case, "drop_last"),))


def keep_order(case: Case) -> Repair:
    """Make the evaluation loader keep the order of the set."""
    edit = _switched_off(case, "shuffle")
    title = "set shuffle to False for the evaluation loader"
    if any(isinstance(each.drop_last, Known) and each.drop_last.value for each in case.loaders):
        return Repair(title, (edit,), "unsafe", "with drop_last on, other utterances are left out than before")
    if not all(within(case.place, loader.location) for loader in case.loaders):
        return Repair(title, (edit,), "unsafe", "the value is set outside of the loader, where other code may read it")
    return Repair(title, (edit,))


def _switched_off(case: Case, name: str) -> Edit:
    others = [each for each in case.other_loaders if _sets(getattr(each, name), case) and not each.evaluates]
    if not others:
        return switch_off(case.sources, case.place)
    return _by_split(case, others)


def _sets(fact: Fact, case: Case) -> bool:
    """Whether a fact of another loader is set at the place of the finding."""
    options = fact.options if isinstance(fact, OneOf) else (fact,) if isinstance(fact, Known) else ()
    return any(option.location == case.place for option in options)


def _by_split(case: Case, others: list[Loader]) -> Edit:
    """One call makes both loaders: take the flag that already tells them apart, that of `shuffle`."""
    place = case.place
    reason = f"what is set at {place} also reaches {_first(others)}"
    source = case.sources.python(place.path)
    node = source.expression(place)
    call = source.parent(source.parent(node) or node)
    if not isinstance(call, ast.Call):
        raise UnrecognisedShapeError(reason)
    flag = next(iter(arguments_named(call, "shuffle")), None)
    tells_apart = _all_are(case.loaders, "shuffle", value=False) and _all_are(others, "shuffle", value=True)
    if flag is None or flag is node or not isinstance(flag, ast.Name | ast.Attribute) or not tells_apart:
        raise UnrecognisedShapeError(reason)
    return source.replace(node, source.source(flag))


def _all_are(loaders: Iterable[Loader], name: str, *, value: bool) -> bool:
    facts: list[Fact] = [getattr(loader, name) for loader in loaders]
    return all(certainly(fact, value) for fact in facts)


def _first(others: list[Loader]) -> str:
    role = others[0].role
    word = f"the {role.value} loader" if isinstance(role, Known) else "a loader"
    return f"{word} at {others[0].location}"
