"""Guards: what must be right before a mean is believed. Each reads facts and rows, none recomputes anything."""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import field
from pathlib import Path

from cmgan_audit.evaluation.guards.delays import MAX_LAG
from cmgan_audit.evaluation.guards.signals import SignalFacts
from cmgan_audit.evaluation.material.audio import SAMPLE_RATE
from cmgan_audit.evaluation.material.names import shortened
from cmgan_audit.evaluation.material.pairs import PairedSet
from cmgan_audit.evaluation.metrics import Status
from cmgan_audit.evaluation.raising import raise_finding
from cmgan_audit.evaluation.scores.table import Row, ScoreTable
from cmgan_audit.finding import Finding, JsonValue, Severity
from cmgan_audit.lazy_dataclasses import dataclass

MOST = 0.9  # share of the utterances from which a fault counts as the system's, not an utterance's
FEWEST_PAIRS = 3
UNRELATED = 0.5  # share of the pairs; single ones may be recordings with very much noise
OTHER_RATES = (8_000, 11_025, 22_050, 24_000, 32_000, 44_100, 48_000)
SMALLEST_HOP = 16  # of a short-time transform of speech; lengths that are multiples of less are so by chance
RATE_TOLERANCE = 0.001  # of the length: resamplers round, and pad by part of a filter
DELAY_SAMPLES = 8  # half a millisecond; below it only measures that do not align suffer
DELAY_AGREES = 0.8
CLIPPED_SAMPLES = 16  # one millisecond in all
WRAPS = 3

Facts = Mapping[tuple[str, str], SignalFacts]
"""Signal facts of one system by utterance and segment."""


@dataclass(frozen=True, slots=True)
class Judged:
    """A system as the guards see it."""

    name: str
    facts: Facts
    missing: Sequence[str] = ()
    # The noisy input and recordings that are meant to be it are not accused of being it.
    is_input: bool = False
    # Where outputs are files, by utterance; what a model gives is not kept.
    files: Mapping[str, Path] = field(default_factory=dict)


def check_data(paired: PairedSet, noisy_facts: Facts) -> list[Finding]:
    """Findings about the test set itself: files without partner, pairs that cannot be used, swapped folders."""
    findings: list[Finding] = []
    if not paired.complete:
        findings.append(_unpaired(paired))
    return [*findings, *_swapped(noisy_facts), *_same(noisy_facts), *_unrelated(noisy_facts)]


def check_system(system: Judged) -> list[Finding]:
    """Findings about the outputs of one system."""
    return [*_missing(system), *_broken(system), *_delayed(system), *_distorted(system)]


def check_identical(systems: Sequence[Judged]) -> list[Finding]:
    """Findings about checkpoints whose outputs are the same, sample by sample, on everything they share."""
    findings: list[Finding] = []
    first: dict[tuple[str, ...], str] = {}
    for system in systems:
        # Outputs of which none can be scored are told of as such; that they are alike says nothing.
        if system.is_input or all(facts.fault for facts in system.facts.values()):
            continue
        digests = tuple(f"{key}:{system.facts[key].digest}" for key in sorted(system.facts))
        if digests in first:
            findings.append(
                raise_finding(
                    "CMG708",
                    system.name,
                    {"checkpoint": system.name, "same_as": first[digests], "outputs": len(digests)},
                    checkpoint=system.name,
                    other=first[digests],
                    n=len(digests),
                )
            )
        else:
            first[digests] = system.name
    return findings


def check_failures(table: ScoreTable, systems: Sequence[str], metrics: Sequence[str]) -> list[Finding]:
    """Findings about utterances that one system has a score for and another has not, and such that none has.

    Metrics that failed on the same utterances for the same reasons share a finding: CSIG falls with PESQ.
    """
    lost: dict[tuple[str, tuple[str, ...], tuple[str, ...]], list[str]] = {}
    for metric in metrics:
        failures, scores = table.failures(metric), table.per_utterance(metric)
        # Of a checkpoint that takes no part there is neither.
        scored = [name for name in systems if failures.get(name) or scores.get(name)]
        failed_in = {name: set(failures.get(name, {})) for name in scored}
        everywhere = set.intersection(*failed_in.values()) if failed_in else set()
        for name in scored:
            own = sorted(failed_in[name] - everywhere)
            if own:
                lost.setdefault((name, tuple(own), _reasons(failures[name], own)), []).append(metric)
        if everywhere:
            listed = sorted(everywhere)
            lost.setdefault(("", tuple(listed), _reasons(failures[scored[0]], listed)), []).append(metric)
    return [_failed(name, utterances, reasons, hit) for (name, utterances, reasons), hit in lost.items()]


def _failed(name: str, utterances: Sequence[str], reasons: Sequence[str], metrics: Sequence[str]) -> Finding:
    """One finding about failed metrics: of one checkpoint, or (with no name) of all of them."""
    evidence: dict[str, JsonValue] = {
        "checkpoint": name or None,
        "metrics": _names(metrics),
        "utterances": _names(utterances),
        "reasons": _names(reasons),
    }
    return raise_finding(
        "CMG702" if name else "CMG715",
        f"{name}:{','.join(metrics)}",
        evidence,
        checkpoint=name,
        metric=", ".join(metrics),
        n=len(utterances),
        reasons=", ".join(reasons),
        names=shortened(utterances),
    )


def _reasons(failures: Mapping[str, Row], utterances: Sequence[str]) -> tuple[str, ...]:
    return tuple(sorted({failures[utterance].status.value for utterance in utterances}))


def _unpaired(paired: PairedSet) -> Finding:
    told = []
    if paired.only_clean:
        told.append(f"{len(paired.only_clean)} only in the clean folder ({shortened(paired.only_clean)})")
    if paired.only_noisy:
        told.append(f"{len(paired.only_noisy)} only in the noisy folder ({shortened(paired.only_noisy)})")
    if paired.unusable:
        told.append(f"{len(paired.unusable)} not usable ({shortened([why for _, why in paired.unusable], 3)})")
    evidence: dict[str, JsonValue] = {
        "only_clean": list(paired.only_clean),
        "only_noisy": list(paired.only_noisy),
        "unusable": [f"{name}: {why}" for name, why in paired.unusable],
    }
    return raise_finding("CMG712", "pairs", evidence, told="; ".join(told), used=len(paired.pairs))


def _swapped(noisy_facts: Facts) -> list[Finding]:
    """The quiet stretches tell which folder is the clean one: noise fills the pauses."""
    votes = [
        facts.floor_db < facts.reference_floor_db
        for facts in noisy_facts.values()
        if facts.floor_db is not None
        and facts.reference_floor_db is not None
        and facts.floor_db != facts.reference_floor_db
    ]
    share = sum(votes) / len(votes) if votes else 0.0
    if len(votes) < FEWEST_PAIRS or share < MOST:
        return []
    evidence: dict[str, JsonValue] = {"pairs": len(votes), "share": round(share, 4)}
    told = "has quieter pauses than the clean one: the folders seem to be exchanged"
    return [raise_finding("CMG707", "data", evidence, n=sum(votes), total=len(votes), told=told)]


def _same(noisy_facts: Facts) -> list[Finding]:
    """Noisy recordings that are the clean ones: one folder was given for both."""
    copies, total = sum(facts.copy_of == "clean" for facts in noisy_facts.values()), len(noisy_facts)
    if total < FEWEST_PAIRS or copies < MOST * total:
        return []
    evidence: dict[str, JsonValue] = {"pairs": total, "share": round(copies / total, 4)}
    told = "is the clean one itself: one folder seems to stand for both"
    return [raise_finding("CMG707", "same", evidence, n=copies, total=total, told=told)]


def _unrelated(noisy_facts: Facts) -> list[Finding]:
    """Noisy recordings that hold the clean ones nowhere, or far from their place; speech 8 dB below noise is found."""
    usable = {utterance: facts for (utterance, _), facts in noisy_facts.items() if not facts.fault}
    unheard = sorted(utterance for utterance, facts in usable.items() if facts.lag is None)
    apart = sorted(utterance for utterance, facts in usable.items() if abs(facts.lag or 0) > MAX_LAG)
    if len(usable) < FEWEST_PAIRS or len(unheard) + len(apart) < UNRELATED * len(usable):
        return []
    found = apart if len(apart) > len(unheard) else unheard
    told = (
        f"the clean recording is heard in the noisy one more than {1000 * MAX_LAG // SAMPLE_RATE} ms from its place "
        f"({shortened(apart)}): the two do not begin at one time"
        if found is apart
        else f"the clean recording cannot be heard in the noisy one ({shortened(unheard)}): what stands under one name "
        "seems to be different recordings, unless the noise is more than 10 dB louder than the speech"
    )
    evidence: dict[str, JsonValue] = {"pairs": len(usable), "utterances": _names(found)}
    return [raise_finding("CMG717", "data", evidence, n=len(found), total=len(usable), told=told)]


def _missing(system: Judged) -> list[Finding]:
    if not system.missing:
        return []
    listed = sorted(system.missing)
    evidence: dict[str, JsonValue] = {"checkpoint": system.name, "missing": len(listed), "utterances": _names(listed)}
    return [
        raise_finding("CMG713", system.name, evidence, checkpoint=system.name, n=len(listed), names=shortened(listed))
    ]


def _broken(system: Judged) -> list[Finding]:
    """Outputs with another length, without life, with NaN."""
    findings: list[Finding] = []
    for rule, faults in (("CMG703", (Status.LENGTH_MISMATCH,)), ("CMG706", (Status.DEAD_OUTPUT, Status.NOT_FINITE))):
        hit = {key[0]: facts.fault_detail for key, facts in sorted(system.facts.items()) if facts.fault in faults}
        if hit:
            listed = sorted(hit)
            evidence: dict[str, JsonValue] = {"checkpoint": system.name, "utterances": _names(listed)}
            findings.append(
                raise_finding(
                    rule,
                    system.name,
                    evidence,
                    checkpoint=system.name,
                    n=len(listed),
                    total=len({utterance for utterance, _ in system.facts}),
                    first=listed[0],
                    detail=hit[listed[0]],
                    rates=_rates(system.facts) or _alike(system.facts) if rule == "CMG703" else "",
                )
            )
    return findings


def _rates(judged: Facts) -> str:
    """What lengths say whose ratio is that of two sample rates, one of which was taken for the other; else "".

    Nearly all outputs must say it: a single one of half the length was cut short.
    """
    facts = [one for one in judged.values() if one.samples]
    for rate in OTHER_RATES:
        for was, said in ((rate, SAMPLE_RATE), (SAMPLE_RATE, rate)):
            lengths = [(one.samples, one.expected * was / said) for one in facts]
            fitting = sum(abs(found - meant) <= max(2.0, RATE_TOLERANCE * meant) for found, meant in lengths)
            if fitting and fitting >= MOST * len(judged):
                return f": as if samples at {was} Hz were taken for samples at {said} Hz"
    return ""


def _alike(judged: Facts) -> str:
    """What all lengths have in common that are not those of the references; else "".

    Padding that was not taken off adds as many samples to each; an inverse STFT gives whole frames.
    """
    hit = [facts for facts in judged.values() if facts.fault == Status.LENGTH_MISMATCH and facts.samples]
    if len(hit) < max(FEWEST_PAIRS, MOST * len(judged)):
        return ""
    apart = {facts.samples - facts.expected for facts in hit}
    if len(apart) == 1:
        (more,) = apart
        samples = "1 sample" if abs(more) == 1 else f"{abs(more)} samples"
        milliseconds = 1000.0 * abs(more) / SAMPLE_RATE
        return f": each is {samples} ({milliseconds:.1f} ms) {'longer' if more > 0 else 'shorter'}"
    frame = math.gcd(*(facts.samples for facts in hit))
    if frame >= SMALLEST_HOP > math.gcd(*(facts.expected for facts in hit)):
        return f": each is of whole frames of {frame} samples"
    return ""


def _delayed(system: Judged) -> list[Finding]:
    lags = [facts.lag for facts in system.facts.values() if facts.lag is not None]
    usable = sum(not facts.fault for facts in system.facts.values())
    if not lags or (len(lags) == 1 and usable > 1):  # what is heard in one output only may be there by chance
        return []
    typical = int(statistics.median_low(lags))
    short = abs(typical) < DELAY_SAMPLES
    agreeing = sum(abs(lag - typical) <= (0 if short else 1) for lag in lags)
    if typical == 0 or agreeing < (MOST if short else DELAY_AGREES) * len(lags):
        return []
    milliseconds = 1000.0 * typical / SAMPLE_RATE
    return [
        raise_finding(
            "CMG704",
            system.name,
            {"checkpoint": system.name, "samples": typical, "milliseconds": milliseconds, "outputs": agreeing},
            severity=Severity.NOTE if short else Severity.WARNING,
            checkpoint=system.name,
            samples="1 sample" if abs(typical) == 1 else f"{abs(typical)} samples",
            milliseconds=f"{abs(milliseconds):.1f}" if not short else f"{abs(milliseconds):.2f}",
            direction="late" if typical > 0 else "early",
            n=agreeing,
            total=len(lags) if len(lags) == usable else f"{len(lags)} in which it is heard",
        )
    ]


def _distorted(system: Judged) -> list[Finding]:
    clipped = sorted(key[0] for key, facts in system.facts.items() if facts.clipped >= CLIPPED_SAMPLES)
    wrapped = sorted(key[0] for key, facts in system.facts.items() if facts.wraps >= WRAPS)
    told = []
    if wrapped:
        told.append(f"{len(wrapped)} with jumps through the full range, as int16 overflow makes them")
    if clipped:
        told.append(f"{len(clipped)} with cut-off peaks or samples beyond full scale")
    if not told or system.is_input:
        return []
    listed = sorted({*clipped, *wrapped})
    evidence: dict[str, JsonValue] = {
        "checkpoint": system.name,
        "clipped": len(clipped),
        "wrapped": len(wrapped),
        "utterances": _names(listed),
    }
    return [
        raise_finding(
            "CMG705",
            system.name,
            evidence,
            # Overflow is never meant; a loud output that a file would clip may be.
            severity=Severity.ERROR if wrapped else Severity.WARNING,
            checkpoint=system.name,
            told=" and ".join(told),
            total=len(system.facts),
            names=shortened(listed),
        )
    ]


def _names(names: Sequence[str]) -> list[JsonValue]:
    return list(names)
