"""Inline suppressions: `# cmgan-audit: ignore[CMG101] -- reason`, on the line of the finding or on the line above.

A suppression counts only with a reason, and until its date when it has one (`until=2027-01-31`). One that is wrong in
some way, or that suppresses nothing, is a finding of its own.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace

from cmgan_audit.finding import Finding, Step
from cmgan_audit.gate.comments import Suppression
from cmgan_audit.rules.catalogue import Catalogue
from cmgan_audit.rules.nearest import unknown_word
from cmgan_audit.rules.rule import Rule

NO_REASON, UNKNOWN_RULE, UNUSED, EXPIRED, MALFORMED = "CMG901", "CMG902", "CMG903", "CMG904", "CMG905"


def apply_suppressions(
    findings: Sequence[Finding],
    suppressions: Sequence[Suppression],
    catalogue: Catalogue,
    running: Mapping[str, Rule],
    today: datetime.date,
) -> list[Finding]:
    """Mark the findings that a suppression covers, and add those about suppressions themselves.

    Args:
        findings: all findings of the audited tree.
        suppressions: the comments of its files.
        catalogue: every rule that can be named.
        running: the rules that ran, by id; only for these can a suppression be unused.
        today: the date that `until` is held against.
    """
    used: set[tuple[Suppression, str]] = set()
    marked = []
    for finding in findings:
        cover = next((each for each in suppressions if _covers(each, finding, catalogue)), None)
        if cover is not None:
            used |= {(cover, word) for word in cover.rules if _names(word, finding.rule, catalogue)}
            if cover.reason and not cover.expired(today):
                finding = replace(finding, suppressed=cover.reason)
        marked.append(finding)
    about = [
        problem
        for suppression in suppressions
        for problem in _problems(suppression, used, catalogue, running, today)
        if problem.rule in running
    ]
    return marked + about


def _covers(suppression: Suppression, finding: Finding, catalogue: Catalogue) -> bool:
    place = finding.location
    if place is None or place.path != suppression.path or not suppression.readable:
        return False
    if not any(_names(word, finding.rule, catalogue) for word in suppression.rules):
        return False
    if suppression.alone:
        return suppression.first <= place.line <= suppression.last
    return place.line <= suppression.last and suppression.first <= (place.end_line or place.line)


def _names(word: str, rule: str, catalogue: Catalogue) -> bool:
    return word.upper() == rule or (rule in catalogue and catalogue[rule].name == word.casefold())


def _problems(
    suppression: Suppression,
    used: set[tuple[Suppression, str]],
    catalogue: Catalogue,
    running: Mapping[str, Rule],
    today: datetime.date,
) -> Iterable[Finding]:
    raise_ = _raiser(suppression, catalogue)
    if not suppression.readable:
        yield raise_(MALFORMED, body=suppression.body)
        return
    known = [name for rule in catalogue for name in (rule.id, rule.name)]
    for word in suppression.rules:
        named = next((rule.id for rule in catalogue if _names(word, rule.id, catalogue)), None)
        if named is None:
            yield raise_(UNKNOWN_RULE, problem=unknown_word("rule", word, known).split(";")[0])
        elif (suppression, word) not in used and named in running:
            yield raise_(UNUSED, named=word)
    if not suppression.reason:
        yield raise_(NO_REASON, rules=", ".join(suppression.rules))
    if suppression.expired(today):
        yield raise_(EXPIRED, rules=", ".join(suppression.rules), until=suppression.until)


def _raiser(suppression: Suppression, catalogue: Catalogue) -> Callable[..., Finding]:
    def raise_(identifier: str, **words: object) -> Finding:
        trail = (Step(suppression.location, "the suppression stands here"),)
        rule = catalogue[identifier]
        return rule.finding(words, location=suppression.location, trail=trail, anchor=suppression.body)

    return raise_
