"""From a rule's YAML file to a `Rule`; every key is named here, with what it may hold."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from cmgan_audit.finding import Severity
from cmgan_audit.lazy_regex import regex
from cmgan_audit.rules.document import Section, plain, read_document
from cmgan_audit.rules.rule import DOORS, Advice, Case, Example, ParameterValue, Rule, RuleError

KEYS = {
    "id": 'letters and digits, such as "CMG201"; a number is never reused',
    "name": 'the bad pattern in kebab-case, such as "random-eval-crop"',
    "summary": "one sentence: what the bad pattern does",
    "severity": "error, warning or note; or a list of {when, is}, the last without `when`",
    "since": 'the version that brought the rule, in quotes: "0.1"',
    "preview": "true while the rule is not yet right in nine of ten real findings",
    "over": "the kind of record that the rule judges",
    "when": "the condition, judged over three values",
    "at": "the field whose place is the finding's; the record's own place without it",
    "raised_by": "trend, compare-ckpts or check: that door raises the rule by itself, without `over` and `when`",
    "params": "values that a project may set, with their defaults",
    "message": "the finding's sentence, with {holes}; or a list of {when, is}",
    "pass_when": "the records that were looked at; those not found bad are listed under `passed`",
    "passed": "the evidence for that, with {holes}; or a list of {when, is}",
    "why": "why it is bad: what is known, what is contested, with numbers",
    "do_not_flag": "the neighbours that look alike and are right",
    "fix": "{title, safety: safe or unsafe, reason}",
    "seen_at_run_time": "the symptom in logs and scores",
    "references": "a list of texts",
    "examples": "a list of {verdict: bad or good, files: {name: text}, at: file:line, title, arguments, profile}",
}

_ID = regex(r"[A-Z]{2,10}[0-9]{3,4}")
_NAME = regex(r"[a-z0-9]+(-[a-z0-9]+)+")
_AT = regex(r"(.+):([0-9]+)")


def read_rule(path: Path, *, examples: bool = True) -> Rule:
    """Read one rule file.

    Args:
        path: the file.
        examples: whether its examples are read and checked; without, the rule has none.

    Raises:
        RuleError: the file cannot be read or does not follow the schema.
    """
    section = Section(path, read_document(path, without="" if examples else "examples"), "rule", KEYS)
    identifier, name = section.text("id"), section.text("name")
    if not _ID.fullmatch(identifier):
        section.fail(f"id: {identifier!r} is not capital letters and three or four digits, such as LAB101", "id")
    if not _NAME.fullmatch(name):
        section.fail(f"name: {name!r} is not kebab-case of at least two words, such as random-eval-crop", "name")
    severities = _cases(section, "severity")
    for case in severities:
        if case.value not in [severity.value for severity in Severity]:
            raise RuleError(path, case.line, f"severity: {case.value!r} is not one of error, warning, note")
    rule = Rule(
        id=identifier,
        name=name,
        summary=section.text("summary"),
        severities=severities,
        messages=_cases(section, "message"),
        why=section.text("why"),
        path=path,
        lines={key: section.line_of(key) for key in section},
        since=section.text("since", required=False),
        preview=section.flag("preview"),
        over=section.text("over", required=False),
        when=section.text("when", required=False),
        at=section.text("at", required=False),
        raised_by=section.word("raised_by", DOORS, required=False),
        pass_when=section.text("pass_when", required=False),
        passed=_cases(section, "passed") if "passed" in section else (),
        parameters=_parameters(section),
        do_not_flag=section.text("do_not_flag", required=False),
        fix=_fix(section),
        seen_at_run_time=section.text("seen_at_run_time", required=False),
        references=section.texts("references"),
        examples=tuple(_example(path, node) for node in section.items("examples")) if examples else (),
    )
    _check_door(rule, section)
    if examples:
        _check_examples(rule, section)
    return rule


def _check_door(rule: Rule, section: Section) -> None:
    judged = bool(rule.over and rule.when)
    if rule.raised_by:
        for key in ("over", "when", "at", "pass_when", "passed"):
            if key in section:
                section.fail(f"{key}: a rule with `raised_by` has no {key!r}", key)
    elif not judged:
        section.fail("a rule needs `over` and `when`, or `raised_by`")
    if rule.pass_when and not rule.passed:
        section.fail("pass_when: `passed` must tell the evidence", "pass_when")


def _check_examples(rule: Rule, section: Section) -> None:
    if not rule.raised_by and not {example.verdict for example in rule.examples} >= {"bad", "good"}:
        section.fail("examples: at least one bad and one good example are needed", "examples")


def _cases(section: Section, key: str) -> tuple[Case, ...]:
    """A plain text, or a list of {when, is}: the first whose `when` is true counts."""
    if key not in section or not isinstance(section.node(key), yaml.SequenceNode):
        return (Case(section.text(key), None, section.line_of(key)),)
    cases = []
    for node in section.items(key):
        entry = Section(section.path, node, key, ("when", "is"))
        cases.append(Case(entry.text("is"), entry.text("when", required=False) or None, entry.line))
    if not cases:
        section.fail(f"{key}: the list is empty", key)
    if key != "passed" and cases[-1].when is not None:
        section.fail(f"{key}: the last entry must stand without `when`, so that one always holds", key)
    for case in cases[:-1]:
        if case.when is None:
            raise RuleError(section.path, case.line, f"{key}: only the last entry may stand without `when`")
    return tuple(cases)


def _parameters(section: Section) -> dict[str, ParameterValue]:
    if "params" not in section:
        return {}
    params = Section(section.path, section.node("params"), "params", ())
    found: dict[str, ParameterValue] = {}
    for name in params:
        value: Any = params.value(name)
        if not name.isidentifier():
            params.fail(f"params: {name!r} is not a name that a condition can use", name)
        if not isinstance(value, bool | int | float | str):
            params.fail(f"params: {name}: {value!r} is neither a number, a text nor true or false", name)
        found[name] = value
    return found


def _fix(section: Section) -> Advice | None:
    if "fix" not in section:
        return None
    fix = Section(section.path, section.node("fix"), "fix", ("title", "safety", "reason"))
    return Advice(fix.text("title"), fix.word("safety", ("safe", "unsafe")), fix.text("reason", required=False))


def _example(path: Path, node: yaml.Node) -> Example:
    entry = Section(path, node, "example", ("verdict", "files", "at", "title", "arguments", "profile"))
    verdict = entry.word("verdict", ("bad", "good"))
    if "files" not in entry:
        entry.fail("example: 'files' is missing")
    listing = Section(path, entry.node("files"), "files", ())
    files: dict[str, str] = {}
    for name in listing:
        if Path(name).is_absolute() or ".." in Path(name).parts:
            listing.fail(f"files: {name!r} leaves the example's folder", name)
        text = plain(listing.node(name), path)
        if not isinstance(text, str):
            listing.fail(f"files: {name}: {text!r} is not text", name)
        files[name] = text
    at = entry.text("at", required=False) or None
    place = _AT.fullmatch(at) if at else None
    if at and (place is None or place.group(1) not in files):
        entry.fail(f"at: {at!r} is not file:line with one of the files {', '.join(files)}", "at")
    if at and verdict == "good":
        entry.fail("at: a good example has no finding, so no place", "at")
    return Example(
        verdict,
        files,
        entry.line,
        at,
        entry.text("title", required=False),
        entry.texts("arguments"),
        entry.text("profile", required=False),
    )
