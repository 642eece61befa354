"""A rule made ready for matching: its conditions and templates, checked against the record that it is over."""

from __future__ import annotations

from collections.abc import Mapping

from cmgan_audit.lazy_dataclasses import dataclass
from cmgan_audit.rules.condition import (
    Condition,
    ConditionError,
    Names,
    chain_of,
    parse_condition,
    parse_expression,
    resolve,
)
from cmgan_audit.rules.nearest import unknown_word
from cmgan_audit.rules.record import Record
from cmgan_audit.rules.rule import Case, Rule, RuleError
from cmgan_audit.rules.template import Template, parse_template


@dataclass(frozen=True, slots=True)
class CompiledCase:
    """A conditional text, ready to be judged and filled."""

    text: Template
    when: Condition | None


@dataclass(frozen=True, slots=True)
class CompiledRule:
    """A rule over records with everything parsed and checked."""

    rule: Rule
    kind: type[Record]
    when: Condition
    at: tuple[str, ...]
    severities: tuple[CompiledCase, ...]
    messages: tuple[CompiledCase, ...]
    pass_when: Condition | None
    passed: tuple[CompiledCase, ...]


def compile_rule(rule: Rule, kinds: Mapping[str, type[Record]]) -> CompiledRule:
    """Check a rule against its kind of record.

    Raises:
        RuleError: the kind does not exist, or a condition, place or message names what the record does not have.
    """
    if rule.over not in kinds:
        raise _error(rule, "over", unknown_word("kind of record", rule.over, sorted(kinds)))
    kind = kinds[rule.over]
    names = Names((kind,), tuple(rule.parameters))
    shadowed = [name for name in rule.parameters if name in names.fields()]
    if shadowed:
        raise _error(rule, "params", f"{shadowed[0]!r} is a field of the record; take another name")
    when = _condition(rule, "when", rule.when, names)
    # What stands behind `when` is only asked where `when` is true: there the variables of its any() have a value.
    found = Names((kind,), tuple(rule.parameters), when.variables)
    return CompiledRule(
        rule=rule,
        kind=kind,
        when=when,
        at=_place(rule, found),
        severities=_cases(rule, "severity", rule.severities, found),
        messages=_cases(rule, "message", rule.messages, found),
        pass_when=_condition(rule, "pass_when", rule.pass_when, names) if rule.pass_when else None,
        passed=_cases(rule, "passed", rule.passed, names),
    )


def _condition(rule: Rule, key: str, text: str, names: Names, line: int = 0) -> Condition:
    try:
        return parse_condition(text, names)
    except ConditionError as error:
        raise _error(rule, key, str(error), line) from error


def _place(rule: Rule, names: Names) -> tuple[str, ...]:
    if not rule.at:
        return ()
    try:
        chain = chain_of(parse_expression(rule.at))
        if chain is None:
            raise ConditionError(f"{rule.at!r} is not a chain of names, such as dataset.random_crop")
        resolve(chain, names)
    except ConditionError as error:
        raise _error(rule, "at", str(error)) from error
    return chain


def _cases(rule: Rule, key: str, cases: tuple[Case, ...], names: Names) -> tuple[CompiledCase, ...]:
    return tuple(_case(rule, key, case, names) for case in cases)


def _case(rule: Rule, key: str, case: Case, names: Names) -> CompiledCase:
    when = None if case.when is None else _condition(rule, key, case.when, names, case.line)
    try:
        return CompiledCase(parse_template(case.value, names), when)
    except ConditionError as error:
        raise _error(rule, key, str(error), case.line) from error


def _error(rule: Rule, key: str, reason: str, line: int = 0) -> RuleError:
    return RuleError(rule.path, line or rule.lines.get(key, 1), f"{key}: {reason}")
