"""Sentences that several reports share: what was found, what is hidden, what could be seen."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from cmgan_audit.finding import Confidence, Finding, Fix, Severity
from cmgan_audit.gate.audited import Audited
from cmgan_audit.gate.fixing import applicable
from cmgan_audit.report.ansi import visible


def count(number: int, word: str) -> str:
    """Return "1 finding", "2 findings"."""
    return f"{number} {word}" if number == 1 else f"{number} {word}s"


def summary(audited: Audited) -> str:
    """Account for every finding: "3 findings (2 errors, 1 note); 2 suppressed, 5 in the baseline"."""
    shown = audited.open
    by_severity = Counter(finding.severity for finding in shown)
    safe = sum(applicable(finding, unsafe=False) for finding in shown)
    unsafe = sum(applicable(finding, unsafe=True) for finding in shown) - safe
    grades = ", ".join(
        count(by_severity[severity], severity.value) for severity in reversed(Severity) if by_severity[severity]
    )
    hidden = [
        (sum(finding.suppressed is not None for finding in audited.findings), "suppressed"),
        (sum(finding.baselined for finding in audited.findings), "in the baseline"),
        (audited.older, "older than the commit"),
        (audited.ignored, "ignored for their path"),
        (safe, "fixable with --fix"),
        (unsafe, f"{'more ' if safe else 'fixable '}with --fix --unsafe-fixes"),
        (len(audited.fixed), "fixed"),
    ]
    parts = [f"{number} {words}" for number, words in hidden if number]
    found = count(len(shown), "finding") if shown else "no findings"
    return found + (f" ({grades})" if grades else "") + (f"; {', '.join(parts)}" if parts else "")


def how(fix: Fix) -> str:
    """Say whether a fix is safe, and where there are no edits for it that it has to be made by hand, and why."""
    by_hand = "" if fix.edits else ", by hand"
    return f"{fix.safety} fix{by_hand}" + (f": {fix.declined}" if fix.declined else "")


def sureness(finding: Finding) -> str:
    """What stands behind a message that is not certain; "" behind the others."""
    return "" if finding.confidence is Confidence.HIGH else f" ({finding.confidence.value} confidence)"


def advice(finding: Finding) -> list[str]:
    """What to do about a finding, in a line, and in a second one where to read more."""
    more = f"more: cmgan-audit explain {finding.rule}"
    return [f"help: {finding.fix.title} ({how(finding.fix)})", more] if finding.fix is not None else [more]


def would_fix(findings: Sequence[Finding], left: Sequence[Finding] = ()) -> str:
    """Say what `--fix` would do: "would fix 2 findings: CMG101 settings.py:7, CMG201 data.py:36; 1 more with ...".

    Args:
        findings: what would be mended.
        left: what is found, where only safe fixes were asked for.
    """
    unsafe = sum(applicable(each, unsafe=True) and not applicable(each, unsafe=False) for each in left)
    more = f"; {unsafe} {'more ' if findings else ''}with --unsafe-fixes" if unsafe else ""
    if not findings:
        return f"nothing would be fixed{more}"
    places = ", ".join(f"{finding.rule} {finding.location}" for finding in findings)
    return f"would fix {count(len(findings), 'finding')}: {places}{more}"


def coverage(audited: Audited, *, at_most: int = 4) -> str:
    """Say honestly what was seen: files read, loaders resolved, and where the audit could not see.

    Args:
        audited: the result of the audit.
        at_most: how many of the places that could not be decided are named; 0 only counts the questions.
    """
    seen = audited.coverage
    parts = [f"read {seen.parsed} of {count(seen.files, 'file')}"]
    if seen.loaders:
        parts.append(f"batch size resolved at {seen.loaders_resolved} of {count(seen.loaders, 'loader')}")
    else:
        parts.append("no data loader found")
    if audited.unresolved:
        places = dict.fromkeys(visible(f"{each.location}: {each.reason}") for each in audited.unresolved)
        questions = f"{count(len(audited.unresolved), 'question')} undecided"
        named = list(places)[:at_most]
        more = len(places) - len(named) if named else 0
        listed = [*named, *([f"and {more} more places"] if more else [])]
        parts.append(f"{questions}: {' | '.join(listed)}" if listed else questions)
    return "; ".join(parts)
