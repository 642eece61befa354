"""`report.html` of compare-ckpts: did it get worse, since when, on what, and what does it sound like."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import groupby, takewhile

from cmgan_audit.evaluation.comparing import higher_is_better
from cmgan_audit.evaluation.listening import Listening, compared_pair
from cmgan_audit.evaluation.metrics import METRICS
from cmgan_audit.evaluation.result import CheckpointSummary, ComparisonResult
from cmgan_audit.finding import Finding, Severity
from cmgan_audit.report.compare_plot import half_interval
from cmgan_audit.report.compare_text import remarks, verdict_sentences
from cmgan_audit.report.html.charts import (
    SMALL_GROUP,
    differences_chart,
    distribution_chart,
    groups_chart,
    label_of,
    means_chart,
)
from cmgan_audit.report.html.heard import within_budget
from cmgan_audit.report.html.losses import Losses, losses_chart
from cmgan_audit.report.html.page import render_page
from cmgan_audit.report.wording import count
from cmgan_audit.statistics.compare import Comparison
from cmgan_audit.statistics.groups import GroupDifference
from cmgan_audit.statistics.verdict import Verdict

CHANGED_SHOWN = 10
FAILURES_SHOWN = 12
FINDINGS_SHOWN = 5  # of one rule and severity; the others unfold
WORDS = {
    Verdict.REGRESSED: ("worse", "\N{BLACK DOWN-POINTING TRIANGLE}"),
    Verdict.IMPROVED: ("better", "\N{BLACK UP-POINTING TRIANGLE}"),
    Verdict.EQUIVALENT: ("same", "\N{BLACK CIRCLE}"),
    Verdict.UNDECIDED: ("open", "\N{BLACK DIAMOND}"),
}


def to_html(result: ComparisonResult, listening: Listening, command: str, losses: Losses | None = None) -> str:
    """The page.

    Args:
        result: what was compared.
        listening: what can be heard of it.
        command: how it was made, for the section that tells how to make it again.
        losses: of the training log, to stand beside the scores.
    """
    decisive = result.decisive[-1] if result.decisive else None
    groups = _groups(decisive)
    ranked = _ranked(result)
    charts = [
        means_chart(result),
        None if losses is None else losses_chart(losses),
        differences_chart(result),
        groups_chart(result, groups),
        distribution_chart(result, [value for value, _, _, _ in ranked], decisive) if decisive else None,
    ]
    heard = within_budget(listening, compared_pair(result))
    return render_page(
        "comparison.html",
        result=result,
        metric=label_of(result.primary),
        verdict=_verdict(result),
        story=_story(result, groups),
        remarks=remarks(result),
        decisive=decisive,
        metrics=[(name, METRICS[name].label if name in METRICS else name) for name in _metrics(result)],
        rows=_rows(result),
        charts={chart.name: chart for chart in charts if chart is not None},
        groupings=[(name, list(members)) for name, members in groupby(groups, key=lambda group: group.grouping)],
        worst=[entry for entry in ranked if entry[3] == "worse"][:CHANGED_SHOWN],
        best=[entry for entry in reversed(ranked) if entry[3] == "better"][:CHANGED_SHOWN],
        heard=heard,
        findings=_findings(result),
        failures=_failures(result),
        unusable=any(entry.unusable for entry in result.checkpoints),
        words=WORDS,
        command=command,
    )


def _metrics(result: ComparisonResult) -> list[str]:
    return list(result.checkpoints[0].metrics) if result.checkpoints else []


def _verdict(result: ComparisonResult) -> list[str]:
    """The sentences of the head; names of checkpoints stay as they are."""
    names = tuple(entry.name for entry in result.checkpoints)
    return [told if told.startswith(names) else told[0].upper() + told[1:] for told in verdict_sentences(result)]


def _story(result: ComparisonResult, groups: Sequence[GroupDifference]) -> list[str]:
    """Whether the numbers can be believed, since when it is so, and on what; only what the comparisons say."""
    told = []
    errors = [finding for finding in result.findings if finding.severity is Severity.ERROR and finding.rule != "CMG701"]
    if errors:
        told.append(
            f"{count(len(errors), 'error')} below: numbers here are not what they seem "
            f"({', '.join(dict.fromkeys(f'{finding.rule} {finding.name}' for finding in errors))})."
        )
    unusable = [entry.name for entry in result.checkpoints if entry.unusable]
    if unusable:
        told.append(f"Compared without {', '.join(unusable)}, which cannot be used (CMG719 below).")
    family = result.deciding_family
    low = list(takewhile(lambda one: one.verdict is Verdict.REGRESSED, reversed(family)))
    if low:
        told.append(_since_when(low, family, result.baseline or "the best before it"))
    if result.decisive:
        one = result.decisive[-1]
        told.append(f"On what: {100 * one.share_worse:.0f} % of {one.n} utterances are worse than with {one.baseline}.")
        told += _from_group_to_group(groups, higher_is_better(result.primary))
    return told


def _from_group_to_group(groups: Sequence[GroupDifference], higher: bool) -> list[str]:
    """The worst and the best of the groups that are large enough to say something; nothing where there is only one."""
    named = [group for group in groups if group.grouping != "stratum"] or groups
    large = [group for group in named if group.n >= SMALL_GROUP]
    ordered = sorted(large, key=lambda group: group.mean_difference, reverse=not higher)
    if len(ordered) < 2:
        return []
    said = [
        f"{one.mean_difference:+z.3f} ({one.grouping} {one.group}, n = {one.n})" for one in (ordered[0], ordered[-1])
    ]
    return [f"Group by group: from {said[0]} to {said[1]}."]


def _groups(decisive: Comparison | None) -> list[GroupDifference]:
    """Groups by grouping; strata only where nothing coarser is known, because they repeat it in pieces."""
    if decisive is None:
        return []
    coarse = [group for group in decisive.groups if group.grouping != "stratum"]
    return sorted(coarse or decisive.groups, key=lambda group: group.grouping)  # stable: groups keep their order


def _since_when(low: Sequence[Comparison], family: Sequence[Comparison], against: str) -> str:
    """Since when the series is worse: the regressions at its end, the last first, and what came before them."""
    first = low[-1].candidate
    which = f"the last, {first}, scores" if len(low) == 1 else f"from {first} on, every checkpoint scores"
    earlier = sum(one.verdict is Verdict.REGRESSED for one in family) - len(low)
    if not earlier:
        only = "only " if len(low) == 1 else ""
        return f"Since when: {only}{which} worse than {against} ({len(low)} of {len(family)} comparisons)."
    before = family[-len(low) - 1].candidate
    return f"Since when: {which} worse than {against}; so did {earlier} earlier, but not {before}, right before."


def _rows(result: ComparisonResult) -> list[tuple[CheckpointSummary, list[str], Comparison | None]]:
    """Checkpoint, its metrics as text, and the comparison that concerns it."""
    against = {one.candidate: one for one in result.deciding_family}
    return [
        (entry, [_mean(entry, name) for name in _metrics(result)], against.get(entry.name))
        for entry in result.checkpoints
    ]


def _mean(entry: CheckpointSummary, name: str) -> str:
    metric = entry.metrics[name]
    if metric.mean is None:
        return "\N{EN DASH}"
    half = half_interval(metric)
    return f"{metric.mean:.3f}" + ("" if half is None else f" ± {half:.3f}")


def _ranked(result: ComparisonResult) -> list[tuple[float, str, str, str]]:
    """Difference, utterance, both scores, and its direction; from most worse to most better."""
    if not result.decisive:
        return []
    before_name, after_name = compared_pair(result)
    scores = result.table.per_utterance(result.primary)
    before, after = scores.get(before_name or "", {}), scores.get(after_name, {})
    sign = 1.0 if higher_is_better(result.primary) else -1.0
    found = []
    for name in before.keys() & after.keys():
        value = after[name] - before[name]
        word = "worse" if sign * value < 0 else "better" if sign * value > 0 else "same"
        found.append((value, name, f"{before[name]:.3f} to {after[name]:.3f}", word))
    return sorted(found, key=lambda entry: (sign * entry[0], entry[1]))


def _findings(result: ComparisonResult) -> list[tuple[list[Finding], list[Finding]]]:
    """The findings of each rule and severity, worst first: those that are shown, and those that unfold."""
    groups: dict[tuple[str, str], list[Finding]] = {}
    for finding in result.findings:
        groups.setdefault((finding.severity.value, finding.rule), []).append(finding)
    return [(found[:FINDINGS_SHOWN], found[FINDINGS_SHOWN:]) for found in groups.values()]


def _failures(result: ComparisonResult) -> list[tuple[str, str, str, str]]:
    """Checkpoint, metric, why and how often, and on which utterances."""
    found = []
    for metric in _metrics(result):
        for checkpoint, failed in result.table.failures(metric).items():
            reasons = Counter(row.status.value for row in failed.values())
            told = ", ".join(f"{reason} ({number})" for reason, number in sorted(reasons.items()))
            names = sorted(failed)
            rest = f" and {len(names) - FAILURES_SHOWN} more" if len(names) > FAILURES_SHOWN else ""
            found.append((checkpoint, metric, told, ", ".join(names[:FAILURES_SHOWN]) + rest))
    return found
