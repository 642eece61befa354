"""Rules meet records: what is found, what could not be decided, and what was looked at and is in order.

A rule is judged in every world (`rules/worlds.py`). It is found where it is true in all of them, or where a documented
configuration makes it true; that configuration is named in the trail. Where it may be true but nothing says when, it
is unresolved.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import field, replace

from cmgan_audit.finding import Confidence, Finding, Fix, Location, Severity, Step, Trail
from cmgan_audit.lazy_dataclasses import dataclass
from cmgan_audit.rules.compiled import CompiledCase, CompiledRule
from cmgan_audit.rules.judging import Evidence, Result, Scope, judge, look_up, settled
from cmgan_audit.rules.record import OneOf, Record
from cmgan_audit.rules.rule import ParameterValue
from cmgan_audit.rules.worlds import MAX_WORLDS, Outcome, World, explore

# Of a fact with more possible values than these a sentence names none.
_MOST_SHOWN = 5


@dataclass(frozen=True, slots=True)
class Unresolved:
    """A rule that could not be decided for a record, and why."""

    rule: str
    location: Location
    reason: str


@dataclass(frozen=True, slots=True)
class Passed:
    """A rule that looked at a record and found it in order, with the evidence."""

    rule: str
    location: Location
    evidence: str


@dataclass(frozen=True, slots=True)
class Matches:
    """What the rules say of the records; `subjects` are the records behind the findings of a rule at a place."""

    findings: tuple[Finding, ...] = ()
    unresolved: tuple[Unresolved, ...] = ()
    passed: tuple[Passed, ...] = ()
    subjects: Mapping[tuple[str, Location | None], tuple[Record, ...]] = field(default_factory=dict)


@dataclass(slots=True)
class _Collected:
    findings: list[Finding] = field(default_factory=list)
    unresolved: list[Unresolved] = field(default_factory=list)
    passed: list[Passed] = field(default_factory=list)
    subjects: dict[tuple[str, Location | None], list[Record]] = field(default_factory=dict)


def match(
    records: Iterable[Record],
    rules: Iterable[CompiledRule],
    parameters: Mapping[str, Mapping[str, ParameterValue]] | None = None,
) -> Matches:
    """Judge every record by every rule over its kind.

    Args:
        records: what a door observed.
        rules: the rules that count; selection happens before.
        parameters: per rule id, the values that a project sets in place of the rule's defaults.
    """
    records = list(records)
    collected = _Collected()
    for rule in rules:
        values = {**rule.rule.parameters, **(parameters or {}).get(rule.rule.id, {})}
        for record in records:
            if isinstance(record, rule.kind):
                _match_one(rule, record, values, collected)
    return Matches(
        tuple(sorted(_merge(collected.findings), key=_place)),
        tuple(dict.fromkeys(collected.unresolved)),
        tuple(dict.fromkeys(collected.passed)),
        {key: tuple(found) for key, found in collected.subjects.items()},
    )


def _match_one(rule: CompiledRule, record: Record, values: Mapping[str, ParameterValue], collected: _Collected) -> None:
    scope = Scope(record, values)
    outcomes = explore(lambda world: judge(rule.when, scope, world))
    identifier = rule.rule.id
    if outcomes is None:
        reason = f"more than {MAX_WORLDS} combinations of possible values"
        collected.unresolved.append(Unresolved(identifier, record.location, reason))
        return
    true = [outcome for outcome in outcomes if outcome.result.truth is True]
    unknown = [outcome for outcome in outcomes if outcome.result.truth is None]
    certain = len(true) == len(outcomes)
    documented = true if certain else [outcome for outcome in true if outcome.world.documented]
    if documented:
        finding = _finding(rule, scope, documented, certain=certain)
        collected.findings.append(finding)
        collected.subjects.setdefault((identifier, finding.location), []).append(record)
    if unknown or not outcomes or (true and not documented):
        reason = _why_unresolved(unknown, true)
        collected.unresolved.append(Unresolved(identifier, record.location, reason))
    elif not true:
        passed = _passed(rule, scope)
        if passed is not None:
            collected.passed.append(passed)


def _why_unresolved(unknown: Sequence[Outcome[Result]], true: Sequence[Outcome[Result]]) -> str:
    reasons = dict.fromkeys(reason for outcome in unknown for reason in outcome.result.unknown)
    if not reasons and true:
        evidence = [item for outcome in true for item in outcome.result.evidence]
        several = dict.fromkeys(text for item in evidence if (text := _possible(item)))
        names = ", ".join(several or dict.fromkeys(item.name for item in evidence))
        return f"it depends on which of several possible values {names} takes"
    return "; ".join(reasons) or "the possible values contradict each other"


def _possible(item: Evidence) -> str:
    """A fact that has several possible values, with them; "" for another."""
    fact = getattr(item.holder, item.name.rpartition(".")[2], None)
    if not isinstance(fact, OneOf):
        return ""
    shown = dict.fromkeys(
        f"{option.value} where {option.condition}" if option.condition else str(option.value) for option in fact.options
    )
    return f"{item.name} ({', '.join(shown)})" if len(shown) <= _MOST_SHOWN else item.name


def _finding(rule: CompiledRule, scope: Scope, worlds: Sequence[Outcome[Result]], *, certain: bool) -> Finding:
    """Make the one finding of a record, told in the first world of the highest severity.

    What is wrong only under a condition that the trail names is no error but a warning at most.
    """
    graded = [(*_severity(rule, scope, outcome), outcome) for outcome in worlds]
    severity, sure, outcome = max(graded, key=lambda entry: (entry[0], entry[1]))
    found = scope.bind(outcome.result.witnesses)
    place = _decisive_place(rule, found, outcome.world)
    evidence = [item for _, _, other in graded for item in other.result.evidence]
    evidence = [*place.evidence, *outcome.result.evidence, *evidence]
    confidence = min((Confidence.HIGH if sure else Confidence.MEDIUM, *(item.confidence for item in evidence)))
    conditions = tuple(dict.fromkeys(name for other in worlds for name in other.world.conditions))
    advice = rule.rule.fix
    return Finding(
        rule=rule.rule.id,
        name=rule.rule.name,
        severity=severity if certain else min(severity, Severity.WARNING),
        confidence=confidence,
        message=_text(rule.messages, found, outcome.world),
        location=place.location,
        trail=_name_conditions(
            _trail(evidence, scope.record, Step(place.location, rule.rule.summary)), evidence, conditions, scope.record
        ),
        anchor=place.anchor or scope.record.anchor,
        fix=None if advice is None else Fix(advice.title, advice.safety, reason=advice.reason),
    )


def _severity(rule: CompiledRule, scope: Scope, outcome: Outcome[Result]) -> tuple[Severity, bool]:
    """The severity in one world, and whether every condition before it was decided."""
    sure = True
    found = scope.bind(outcome.result.witnesses)
    for case in rule.severities:
        holds = True if case.when is None else settled(case.when, found, outcome.world)
        if holds:
            return Severity(case.text.text), sure
        sure = sure and holds is False
    raise AssertionError("the schema asks for a last case without `when`")


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a finding stands, the symbolic name of that place, and the facts that lead there."""

    location: Location
    anchor: str
    evidence: tuple[Evidence, ...] = ()


def _decisive_place(rule: CompiledRule, scope: Scope, world: World) -> _Place:
    """The place of the fact or the record that `at` names; without one the record's own."""
    record = scope.record
    worlds = explore(lambda inner: look_up(rule.at, scope, inner), given=world) if rule.at else None
    result = worlds[0].result if worlds else Result()
    if isinstance(result.value, Record):
        holder = result.value
        return _Place(holder.location, holder.anchor, (Evidence(".".join(rule.at), holder.trail, holder),))
    if not result.evidence:
        return _Place(record.location, record.anchor)
    decisive = result.evidence[-1]
    return _Place(decisive.location, decisive.holder.anchor, result.evidence[::-1])


def _text(cases: Sequence[CompiledCase], scope: Scope, world: World) -> str:
    for case in cases:
        if case.when is None or settled(case.when, scope, world):
            filled = explore(lambda inner, text=case.text: text.fill(scope, inner), given=world)  # type: ignore[misc]
            return filled[0].result if filled else case.text.text
    return ""


def _trail(evidence: Iterable[Evidence], record: Record, decisive: Step) -> Trail:
    """All steps, each once; it begins with the one at the decisive place, which is made where no fact tells of it."""
    found = (step for item in evidence for step in item.trail)
    steps = list(dict.fromkeys((*found, *record.trail)))
    first = next((step for step in steps if step.location == decisive.location), decisive)
    return (first, *(step for step in steps if step != first))


def _name_conditions(trail: Trail, evidence: Sequence[Evidence], conditions: Sequence[str], record: Record) -> Trail:
    """Say in the trail under which configurations the finding holds, where no step says so already."""
    added: list[Step] = []
    named: dict[Step, list[str]] = {}  # several configurations may lead to one and the same step
    for condition in conditions:
        if any(condition in step.note for step in trail):
            continue
        own = next((item.trail[0] for item in evidence if item.condition == condition and item.trail), None)
        if own is None:
            added.append(Step(record.location, f"in this configuration: {condition}"))
        else:
            named.setdefault(own, []).append(condition)
    return (*(_in_configurations(step, named.get(step, ())) for step in trail), *added)


def _in_configurations(step: Step, conditions: Sequence[str]) -> Step:
    if not conditions:
        return step
    which = "this configuration" if len(conditions) == 1 else "these configurations"
    return replace(step, note=f"{step.note} (in {which}: {'; '.join(conditions)})")


def _passed(rule: CompiledRule, scope: Scope) -> Passed | None:
    if not rule.passed or (rule.pass_when is not None and settled(rule.pass_when, scope) is not True):
        return None
    evidence = _text(rule.passed, scope, World())
    return Passed(rule.rule.id, scope.record.location, evidence) if evidence else None


def _merge(findings: Iterable[Finding]) -> list[Finding]:
    """Join findings of one rule at one place (two loaders that read one bad dataset): one finding, all the ways."""
    merged: dict[tuple[str, Location | None], Finding] = {}
    for finding in findings:
        key = (finding.rule, finding.location)
        first = merged.get(key)
        if first is None:
            merged[key] = finding
            continue
        worst = max((first, finding), key=lambda each: each.severity)
        merged[key] = replace(
            worst,
            confidence=max(first.confidence, finding.confidence),
            trail=tuple(dict.fromkeys((*worst.trail, *first.trail, *finding.trail))),
        )
    return list(merged.values())


def _place(finding: Finding) -> tuple[str, int, int, str]:
    place = finding.location
    return ("", 0, 0, finding.rule) if place is None else (place.path, place.line, place.column, finding.rule)
