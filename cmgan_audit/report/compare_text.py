"""The terminal report of compare-ckpts: verdict first, the table, what to look at, and what the numbers are worth."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from cmgan_audit.evaluation.metrics import METRICS
from cmgan_audit.evaluation.result import CheckpointSummary, ComparisonResult
from cmgan_audit.finding import Severity
from cmgan_audit.statistics.compare import Comparison
from cmgan_audit.statistics.verdict import MIN_PAIRS, Verdict

BARS = "▁▂▃▄▅▆▇█"
NAMES_WIDTH = 40
WORST_SHOWN = 3
ROWS_SHOWN = 30
UNUSABLE = "cannot be used"
_COLOURS = {"error": "31", "warning": "33", "note": "36", "good": "32"}
_WORDS = {
    Verdict.REGRESSED: "scores worse than",
    Verdict.IMPROVED: "scores better than",
    Verdict.EQUIVALENT: "is equivalent to",
    Verdict.UNDECIDED: "cannot be told from",
}


def to_text(result: ComparisonResult, *, color: bool = False, out: str = "") -> str:
    """The report as text; `out` names the folder with the exports, if they were written."""
    lines = [*_verdict(result, color), "", *_table(result), ""]
    lines += _series(result)
    lines += _worst_utterances(result)
    lines += _findings(result, color)
    lines += [*remarks(result), f"signature: {result.signature}"]
    if out:
        lines.append(f"written: {out}")
    return "\n".join(lines) + "\n"


def sentence(result: ComparisonResult, one: Comparison) -> str:
    """One comparison in one sentence with its numbers: candidate, verdict, baseline, difference, interval, n."""
    label = METRICS[result.primary].label if result.primary in METRICS else result.primary
    known = "" if one.ci_low is None or one.ci_high is None else f" [{one.ci_low:+z.3f}, {one.ci_high:+z.3f}]"
    verdict = f"{_WORDS[one.verdict]} {one.baseline}"
    if one.n < MIN_PAIRS:
        verdict = f"against {one.baseline} gets no verdict below {MIN_PAIRS} pairs"
    return f"{one.candidate} {verdict}: {label} {one.mean_difference:+z.3f}{known}, paired, n = {one.n}"


def _verdict(result: ComparisonResult, color: bool) -> list[str]:
    word = result.outcome.value.upper()
    painted = _paint(word, "error" if word == "FAIL" else "good", color)
    told = verdict_sentences(result)
    lines = [f"{painted}  {told[0]}", *(f"      {text}" for text in told[1:])]
    errors = [finding for finding in result.findings if finding.severity is Severity.ERROR and finding.rule != "CMG701"]
    if errors:
        say = "error below says" if len(errors) == 1 else "errors below say"
        lines.append(f"      {len(errors)} {say} that numbers here are not what they seem")
    unusable = sum(bool(entry.unusable) for entry in result.checkpoints)
    if unusable:
        take = "takes" if unusable == 1 else "take"
        lines.append(f"      {unusable} of {len(result.checkpoints)} {take} no part, {UNUSABLE}: CMG719 below")
    return lines


def verdict_sentences(result: ComparisonResult) -> list[str]:
    """What decides: regressions first, then why there is no answer, else the last comparison."""
    regressed = [one for one in result.decisive if one.verdict is Verdict.REGRESSED]
    told = [sentence(result, one) for one in regressed]
    if result.deciding_without_score or not result.decisive:
        told.append(_why_not(result))
    return told or [sentence(result, result.decisive[-1])]


def _why_not(result: ComparisonResult) -> str:
    """Why no comparison decides: checkpoints without any score, or only one checkpoint; a part of a sentence."""
    if result.alone and not result.unanswered:
        return "nothing was compared, as one checkpoint was named: for that a second is needed, or --baseline noisy"
    empty = {
        one.name: UNUSABLE
        if one.unusable
        else f"has no {result.primary} on any utterance ({one.metrics[result.primary].failed} failed)"
        for one in result.checkpoints
        if not one.metrics[result.primary].n
    }
    open_ones = result.deciding_without_score
    if open_ones and any(entry.metric == result.primary for entry in result.comparisons):
        return "no answer: " + "; ".join(f"{name}, which decides, {empty[name]}" for name in open_ones)
    missing = "; ".join(f"{name} {why}" for name, why in empty.items())
    return f"nothing was compared: {missing or 'a second checkpoint with scores is needed, or --baseline noisy'}"


def _table(result: ComparisonResult) -> list[str]:
    metrics = list(result.checkpoints[0].metrics) if result.checkpoints else []
    against = {one.candidate: one for one in result.deciding_family}
    heads = ["checkpoint", "epoch", "n", *metrics, f"{result.primary} difference" if against else ""]
    rows = [_row(entry, metrics, against.get(entry.name)) for entry in result.checkpoints]
    hidden = max(0, len(rows) - ROWS_SHOWN)
    shown = rows[:1] + rows[hidden + 1 :] if hidden else rows
    widths = [max(len(row[at]) for row in [heads, *shown]) for at in range(len(heads))]
    lines = [_aligned(heads, widths)]
    for position, row in enumerate(shown):
        if hidden and position == 1:
            lines.append(f"... {hidden} more in summary.json")
        lines.append(_aligned(row, widths))
    return lines


def _row(entry: CheckpointSummary, metrics: Sequence[str], one: Comparison | None) -> list[str]:
    first = entry.metrics[metrics[0]]
    cells = [_shortened(entry.name), "" if entry.epoch is None else str(entry.epoch)]
    cells.append(str(first.n) + (f" ({first.failed} failed)" if first.failed else ""))
    for name in metrics:
        mean = entry.metrics[name].mean
        cells.append("-" if mean is None else f"{mean:.3f}")
    if one is None:
        cells.append(UNUSABLE if entry.unusable else "")
    else:
        known = "" if one.ci_low is None or one.ci_high is None else f" [{one.ci_low:+z.3f}, {one.ci_high:+z.3f}]"
        cells.append(f"{one.mean_difference:+z.3f}{known} {one.verdict.value} (to {_shortened(one.baseline)})")
    return cells


def _aligned(cells: Sequence[str], widths: Sequence[int]) -> str:
    last = len(cells) - 1
    return "  ".join(
        cell.ljust(width) if at in (0, last) else cell.rjust(width)
        for at, (cell, width) in enumerate(zip(cells, widths, strict=True))
    ).rstrip()


def _series(result: ComparisonResult) -> list[str]:
    names = [entry.name for entry in result.checkpoints if entry.name in result.order]
    scores = _scores(result, names)
    common = set.intersection(*(set(found) for found in scores.values())) if scores else set()
    if not common:
        return []
    means = [
        sum(scores[name][utterance] for utterance in sorted(common)) / len(common) if name in scores else None
        for name in names
    ]
    known = [mean for mean in means if mean is not None]
    if len(known) < 2:
        return []
    low, high = min(known), max(known)
    # A step stands for the floor at least: differences that count as none must not look like a decline.
    span = max(high - low, result.floor * (len(BARS) - 1))
    steps = [" " if mean is None else BARS[round((mean - low) / span * (len(BARS) - 1))] for mean in means]
    shared = "utterance" if len(common) == 1 else f"{len(common)} utterances"
    where = f" on the {shared} that all have" if _uneven(scores) else ""
    return [f"{result.primary} {''.join(steps)}  {low:.3f} to {high:.3f}{where}"]


def _scores(result: ComparisonResult, names: Sequence[str]) -> dict[str, Mapping[str, float]]:
    """Scores of the deciding metric by system and utterance; of those systems that have any."""
    found = result.table.per_utterance(result.primary)
    return {name: found[name] for name in names if found.get(name)}


def _uneven(scores: Mapping[str, Mapping[str, float]]) -> bool:
    """Whether not all systems have scores on the same utterances."""
    return len({frozenset(found) for found in scores.values()}) > 1


def _worst_utterances(result: ComparisonResult) -> list[str]:
    if not result.decisive:
        return []
    one = result.decisive[-1]
    scores = result.table.per_utterance(result.primary)
    ours, theirs = scores.get(one.candidate, {}), scores.get(one.baseline, {})
    differences = sorted((ours[name] - theirs[name], name) for name in ours.keys() & theirs.keys())
    worse = [(value, name) for value, name in differences if round(value, 2) < 0][:WORST_SHOWN]
    if not worse:
        return []
    return ["most worse: " + ", ".join(f"{name} {value:+.2f}" for value, name in worse)]


def _findings(result: ComparisonResult, color: bool) -> list[str]:
    lines = []
    for finding in result.findings:
        severity = finding.severity.value
        lines.append(f"{_paint(severity, severity, color)} {finding.rule} {finding.name}: {finding.message}")
    return lines


def remarks(result: ComparisonResult) -> list[str]:
    """What a reader must know of the numbers: the self-check, what was left out, the detectable difference."""
    lines = []
    check = result.self_check
    if check is not None and check.result == "exact":
        lines.append(
            f"self-check: noisy PESQ equals the published VoiceBank+DEMAND values on {check.rows} of {check.rows} "
            f"utterances (largest difference {check.largest:.1e})"
        )
    if result.left_out:
        lines.append(
            f"--limit left out {result.left_out} utterances; the subset is stratified by {result.strata.source}"
        )
    lines += list(result.notes)
    if _uneven(_scores(result, [entry.name for entry in result.checkpoints])):
        lines.append(
            "each mean is over the utterances that its checkpoint has a score for, and these are not the same for all; "
            "a difference is over those that both have"
        )
    lines += _other_metrics(result)
    if result.decisive:
        lines += _sizes(result.decisive[-1], result.floor)
    return lines


def _sizes(one: Comparison, floor: float) -> list[str]:
    """Whether the difference is known to matter, and which difference so many utterances would find."""
    lines = []
    ends = [abs(end) for end in (one.ci_low, one.ci_high) if end is not None]
    if one.verdict in (Verdict.REGRESSED, Verdict.IMPROVED) and ends and min(ends) < floor:
        lines.append(f"that they differ is shown at this level; that they do by more than the floor, {floor:g}, is not")
    effect = one.minimum_detectable_effect
    if effect is None:
        return lines
    needed = max(float(MIN_PAIRS), float(f"{one.n * (effect / floor) ** 2:.2g}"))
    if one.n < MIN_PAIRS:  # no difference, however large, gets a verdict
        return [
            *lines,
            f"to find a difference of the floor, {floor:g}, with 80 % power would take about {needed:.0f} utterances "
            "like these",
        ]
    size = f"of {effect:.3f}" if effect >= 0.0005 else "below 0.001"
    found = f"a true difference {size} would be found with 80 % power"
    if one.verdict is Verdict.UNDECIDED and effect > floor:
        found += f"; one of the floor, {floor:g}, would take about {needed:.0f} utterances like these"
    return [*lines, found]


def _other_metrics(result: ComparisonResult) -> list[str]:
    """What got worse beside the metric that decides, where that one does not say so itself."""
    if not result.decisive or result.decisive[-1].verdict is Verdict.REGRESSED:
        return []
    decisive = result.decisive[-1]
    worse = [
        f"{entry.metric} {one.mean_difference:+z.3f} [{one.ci_low:+z.3f}, {one.ci_high:+z.3f}]"
        for entry in result.comparisons
        if (one := entry.comparison).verdict is Verdict.REGRESSED
        and entry.metric != result.primary
        and (one.candidate, one.family) == (decisive.candidate, decisive.family)
    ]
    if not worse:
        return []
    return [f"{decisive.candidate} scores worse in what does not decide, each judged alone: {', '.join(worse)}"]


def _shortened(name: str) -> str:
    return name if len(name) <= NAMES_WIDTH else f"{name[: NAMES_WIDTH // 2 - 2]}...{name[-NAMES_WIDTH // 2 + 1 :]}"


def _paint(text: str, kind: str, color: bool) -> str:
    return f"\x1b[1;{_COLOURS[kind]}m{text}\x1b[0m" if color else text
