"""From rows and findings to the result: comparisons, regressions, the verdict. No model and no metric runs here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

import numpy as np

from cmgan_audit.evaluation.comparing import (
    Question,
    compare_rows,
    decisive_comparisons,
    outcome,
    regressions,
    summarise,
    worst_first,
)
from cmgan_audit.evaluation.guards.checks import check_failures
from cmgan_audit.evaluation.guards.published import SelfCheck
from cmgan_audit.evaluation.result import CheckpointSummary, ComparisonResult, Outcome
from cmgan_audit.evaluation.scores.table import ScoreTable
from cmgan_audit.finding import Finding, Severity
from cmgan_audit.lazy_dataclasses import dataclass
from cmgan_audit.statistics.compare import Comparison
from cmgan_audit.statistics.groups import FEWEST_GROUPS, between_groups
from cmgan_audit.statistics.optimism import selection_optimism
from cmgan_audit.statistics.own_spread import own_sd_of_mean
from cmgan_audit.statistics.paired import typical_difference
from cmgan_audit.statistics.paper import TEST_SPEAKERS, distance_to_paper
from cmgan_audit.statistics.sequential import Look
from cmgan_audit.statistics.verdict import MIN_PAIRS, Verdict

FEWEST_TO_CHOOSE_FROM = 3
FEWEST_UTTERANCES = 10
# What three decimals show.
_SHOWN = 0.0005
FEWEST_OF_A_SPEAKER = 5  # an interval of fewer is believed in no chart either
MANY_UTTERANCES = 100  # from here on a fault that none of them shows is one of less than 3 %


@dataclass(frozen=True, slots=True)
class Described:
    """A compared system: name, path as given, digest of its content, epoch if known, and why it cannot be used."""

    name: str
    path: str
    sha256: str
    epoch: int | None
    unusable: str = ""


@dataclass(frozen=True, slots=True)
class Evidence:
    """What a conclusion rests on, beside the rows.

    Attributes:
        systems: all systems, the baseline first where it is none of the checkpoints.
        utterances: names of the evaluated utterances.
        segments: what was scored of each (`full`, ...).
        signature: what produced the numbers.
        findings: of the guards.
        checked: result of the noisy self-check.
        left_out: utterances that `--limit` left out.
        notes: what a reader must know of where the rows come from.
        passed_over: files among those named that are no checkpoints.
    """

    systems: Sequence[Described]
    utterances: Sequence[str]
    segments: str
    signature: str
    findings: Sequence[Finding]
    checked: SelfCheck | None = None
    left_out: int = 0
    notes: Sequence[str] = ()
    passed_over: Sequence[str] = ()


def conclude(
    table: ScoreTable, question: Question, evidence: Evidence, fail_on: Severity | None, look: Look | None = None
) -> ComparisonResult:
    """Compare the rows and judge.

    Args:
        table: all rows.
        question: what is asked of them.
        evidence: where they come from, and what the guards found.
        fail_on: severity from which a finding fails the comparison; None for never.
        look: set when `--until-decided` looks before all utterances are in, or at the end of its plan.

    Raises:
        InputError: two systems that must be compared share no utterance.
    """
    comparisons = compare_rows(table, question, look)
    decisive = decisive_comparisons(comparisons, question)
    findings = worst_first(
        [
            *evidence.findings,
            *check_failures(table, [one.name for one in evidence.systems], question.metrics),
            *regressions(comparisons, decisive, question.metrics[0]),
        ]
    )
    summaries = summarise(table, [one.name for one in evidence.systems], question.metrics)
    result = ComparisonResult(
        signature=evidence.signature if look is None else f"{evidence.signature}|{look.describe()}",
        segments=evidence.segments,
        utterances=evidence.utterances,
        order=question.order,
        baseline=question.baseline,
        primary=question.metrics[0],
        floor=question.floor,
        checkpoints=[
            CheckpointSummary(one.name, one.path, one.sha256, one.epoch, summaries[one.name], one.unusable)
            for one in evidence.systems
        ],
        comparisons=comparisons,
        decisive=decisive,
        findings=findings,
        outcome=outcome(findings, fail_on),
        table=table,
        strata=question.strata,
        left_out=evidence.left_out,
        gate_any=question.gate_any,
        passed_over=evidence.passed_over,
        self_check=evidence.checked,
        notes=[
            *evidence.notes,
            *_order(evidence.systems, question),
            *_looks(look),
            *_few(table, decisive, question),
            *_few_speakers(decisive),
            *_other_speakers(decisive),
            *_rare(decisive),
            *_paper(table, question, evidence.segments),
            *_optimism(table, question),
        ],
    )
    return replace(result, outcome=Outcome.FAIL) if result.unanswered else result


def _order(systems: Sequence[Described], question: Question) -> list[str]:
    """Where checkpoints are not in the order of their epochs: a shell puts epoch_12 before epoch_2."""
    epochs = {one.name: one.epoch for one in systems if one.epoch is not None}
    known = [name for name in question.order if name in epochs]
    late = [(one, other) for one, other in pairwise(known) if epochs[one] > epochs[other]]
    if not late:
        return []
    earlier, later = late[0]
    decides = "" if question.gate_any else f"; {question.order[-1]} is the last, and decides"
    return [f"the order given is not that of the epochs: {earlier} stands before {later}{decides}"]


def _looks(look: Look | None) -> list[str]:
    if look is None or look.final:
        return []
    return [
        f"--until-decided stopped after {look.size} of {look.plan.sizes[-1]} utterances: that there is a difference is "
        "certain at the stated level, its size is overestimated on average"
    ]


def _few(table: ScoreTable, decisive: Sequence[Comparison], question: Question) -> list[str]:
    """Where few utterances make a difference of the mean that would matter, and the typical one does not change."""
    if not decisive or decisive[-1].n < MIN_PAIRS:
        return []
    one, scores = decisive[-1], table.per_utterance(question.metrics[0])
    ours, theirs = scores[one.candidate], scores[one.baseline]
    differences = np.array([ours[name] - theirs[name] for name in sorted(ours.keys() & theirs.keys())])
    differing = int(np.count_nonzero(differences))
    if one.verdict is Verdict.UNDECIDED and differing < min(one.n, MIN_PAIRS):
        return [
            f"only {differing} of {one.n} utterances differ, and so few do so all in one direction by chance in 2 of "
            f"{2**differing} cases: no p-value is smaller than that"
        ]
    if abs(one.mean_difference) < question.floor:
        return []
    typical = typical_difference(differences)
    if abs(typical) >= min(question.floor, abs(one.mean_difference) / 2):
        return []
    return [
        f"few utterances make the difference of {one.mean_difference:+z.3f}: the typical one changes by "
        f"{typical:+z.3f} (Hodges-Lehmann estimate; the verdict is on the mean)"
    ]


def _few_speakers(decisive: Sequence[Comparison]) -> list[str]:
    """Where few speakers do not share a difference: one may have all of it, or two cancel each other."""
    if not decisive or decisive[-1].n < MIN_PAIRS:
        return []
    told = []
    for grouping in dict.fromkeys(group.grouping for group in decisive[-1].groups if "speaker" in group.grouping):
        groups = [group for group in decisive[-1].groups if group.grouping == grouping]
        known = [
            (group.ci_low, group.ci_high)
            for group in groups
            if group.n >= FEWEST_OF_A_SPEAKER and group.ci_low is not None and group.ci_high is not None
        ]
        # Of many speakers some pair of intervals is apart by chance; what these say, `_other_speakers` says.
        if len(groups) >= FEWEST_GROUPS or not known or min(high for _, high in known) >= max(low for low, _ in known):
            continue
        each = (
            f"{group.group} {group.mean_difference:+z.3f}"
            + ("" if group.ci_low is None else f" [{group.ci_low:+z.3f}, {group.ci_high:+z.3f}]")
            for group in groups
        )
        told.append(f"speakers differ, each judged alone: {', '.join(each)}; the verdict is on all utterances together")
    return told


def _other_speakers(decisive: Sequence[Comparison]) -> list[str]:
    """Where a difference is certain for the speakers of the set, and none may be left for others."""
    if not decisive or decisive[-1].verdict not in (Verdict.REGRESSED, Verdict.IMPROVED):
        return []
    told = []
    for grouping in dict.fromkeys(group.grouping for group in decisive[-1].groups if "speaker" in group.grouping):
        groups = [group for group in decisive[-1].groups if group.grouping == grouping]
        between = between_groups(groups)
        if between is not None and between[1] <= 0.0 <= between[2]:
            told.append(
                "the verdict is about these speakers; they differ so much that others may show no difference: mean "
                f"over {len(groups)} speakers {between[0]:+.3f} [{between[1]:+.3f}, {between[2]:+.3f}]"
            )
    return told


def _rare(decisive: Sequence[Comparison]) -> list[str]:
    """What an equivalence on few utterances does not exclude: a fault that none of them happens to show."""
    if not decisive or decisive[-1].verdict is not Verdict.EQUIVALENT or decisive[-1].n >= MANY_UTTERANCES:
        return []
    if decisive[-1].p_value is None:  # the same outputs
        return []
    n = decisive[-1].n
    unseen = 1.0 - 0.05 ** (1.0 / n)
    return [
        f"equivalent on {n} utterances: with a probability of 5 % none of them shows a fault that {100 * unseen:.0f} % "
        "of such utterances have"
    ]


def _paper(table: ScoreTable, question: Question, segments: str) -> list[str]:
    """How far the last checkpoint is from the published number, where that may be said at all."""
    scores = table.per_utterance(question.metrics[0]).get(question.order[-1], {})
    # The published number is one of PESQ; nobody expects it of another metric.
    if not scores or not question.metrics[0].startswith("pesq"):
        return []
    mean = sum(scores.values()) / len(scores)
    distance = distance_to_paper(mean, metric=question.metrics[0], segments=segments, utterances=scores)
    if distance.to_cmgan is None:
        # On another test set nobody expects the paper's number; on a part of the paper's own set people do.
        ours = all(name.startswith(TEST_SPEAKERS) for name in scores)
        return [f"mean PESQ {mean:.3f} is {distance.reason}"] if ours else []
    return [
        f"{question.order[-1]}: mean PESQ {mean:.3f} on the full VoiceBank+DEMAND test set is "
        f"{distance.to_cmgan:+.3f} from the 3.41 published for CMGAN"
    ]


def _optimism(table: ScoreTable, question: Question) -> list[str]:
    """How much too good the best of several checkpoints looks, because it was chosen on the set it is scored on."""
    scores = table.per_utterance(question.metrics[0])
    order = [name for name in question.order if scores.get(name)]
    if len(order) < FEWEST_TO_CHOOSE_FROM:
        return []
    common = sorted(set.intersection(*(set(scores[name]) for name in order)))
    if len(common) < FEWEST_UTTERANCES:
        return []
    optimism = selection_optimism(
        len(order), own_sd_of_mean(np.array([[scores[name][utterance] for name in order] for utterance in common]))
    )
    if optimism < _SHOWN:
        return []
    return [
        f"whichever of the {len(order)} checkpoints is picked as the best on these utterances, its mean is expected "
        f"to be up to {optimism:.3f} too high for that reason alone"
    ]
