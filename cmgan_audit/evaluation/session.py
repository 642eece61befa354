"""One comparison from options to result: systems one after the other, rows, guards, verdict."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import field, replace
from typing import Protocol

from cmgan_audit.errors import AuditError, InputError
from cmgan_audit.evaluation.checkpoints.beside_weights import files_beside_weights
from cmgan_audit.evaluation.checkpoints.naming import read_name
from cmgan_audit.evaluation.comparing import Question
from cmgan_audit.evaluation.concluding import Described, Evidence, conclude
from cmgan_audit.evaluation.guards.checks import (
    Facts,
    Judged,
    check_data,
    check_identical,
    check_system,
)
from cmgan_audit.evaluation.guards.coarse import check_coarse, check_coarse_set
from cmgan_audit.evaluation.guards.copies import check_copies
from cmgan_audit.evaluation.guards.leakage import check_leakage
from cmgan_audit.evaluation.guards.mixed_up import check_mixed_up
from cmgan_audit.evaluation.guards.narrow import check_narrow
from cmgan_audit.evaluation.guards.output_levels import check_levels
from cmgan_audit.evaluation.guards.published import (
    SelfCheck,
    check_published,
    is_published_set,
    rows_to_check,
    self_check,
)
from cmgan_audit.evaluation.guards.unusable import (
    OF_ONE_CHECKPOINT,
    Unusable,
    check_unusable,
    passed_over,
    told,
)
from cmgan_audit.evaluation.material.audio import SAMPLE_RATE, file_sha256
from cmgan_audit.evaluation.material.evaluation_set import EvaluationSet, prepare_set
from cmgan_audit.evaluation.material.segments import Segment
from cmgan_audit.evaluation.metrics import METRICS, default_floor
from cmgan_audit.evaluation.models import estimate_seconds
from cmgan_audit.evaluation.models.enhancer import CodeError, ModelError
from cmgan_audit.evaluation.models.sources import model_source
from cmgan_audit.evaluation.options import CompareOptions
from cmgan_audit.evaluation.result import ComparisonResult
from cmgan_audit.evaluation.run import Evaluator, Outcome, Progress, Request, Settings
from cmgan_audit.evaluation.score_files import NOTE, joined_scores
from cmgan_audit.evaluation.scores.store import ScoreStore
from cmgan_audit.evaluation.scores.table import Row, ScoreTable
from cmgan_audit.evaluation.sources import Source, Sources, find_sources
from cmgan_audit.evaluation.systems import FolderSystem, ModelSystem, System, noisy_system
from cmgan_audit.evaluation.workers.pool import MetricPool
from cmgan_audit.finding import Finding
from cmgan_audit.lazy_dataclasses import dataclass
from cmgan_audit.statistics.compare import settled
from cmgan_audit.statistics.sequential import Look, plan_looks
from cmgan_audit.statistics.strata import nested_order

# So few seconds are no reason to do less.
_SOON = 10


class Listener(Progress, Protocol):
    """Is told how far the run has come, and what the user should know before it goes on."""

    def say(self, text: str) -> None:
        """One line for the user (an estimate); not part of any document."""
        ...


@dataclass(slots=True)
class _Gathered:
    """What the systems gave."""

    table: ScoreTable = field(default_factory=ScoreTable)
    systems: list[Described] = field(default_factory=list)
    judged: list[Judged] = field(default_factory=list)
    settings: list[str] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)


def compare_systems(options: CompareOptions, listener: Listener) -> ComparisonResult:
    """Evaluate and compare; what has been computed is in the store even if this ends early.

    Raises:
        AuditError: wrong usage, unusable input, a store that cannot be written.
    """
    evaluated = prepare_set(options)
    sources = find_sources(options)
    notice = model_source(options.model).notice
    if notice and any(source.is_model for source in sources.every):
        listener.say(notice)
    joined = joined_scores(options.scores, options.metrics, [source.name for source in sources.every])
    question = Question(
        order=sources.order,
        baseline=sources.baseline,
        metrics=(*options.metrics, *dict.fromkeys(row.metric for row in joined)),
        floor=options.floor if options.floor is not None else default_floor(options.metrics[0]),
        gate_any=options.gate_any,
        strata=evaluated.strata,
    )
    joined_note = [f"{', '.join(path.name for path in options.scores)}: {NOTE}"] if joined else []
    leaks = check_leakage(evaluated.pairs, options.train_data) if options.train_data else []
    with ScoreStore(options.cache) as store, MetricPool(options.jobs) as pool:
        evaluator = Evaluator(store, pool, Settings(options.composite_scale, options.resample), listener)
        unusable = _announce(sources, evaluated, options.metrics, evaluator, listener)
        beside = _beside(sources, unusable)
        unusable = {name: why for name, why in unusable.items() if name not in beside}
        sources = sources.without(beside)
        question = replace(question, order=sources.order)
        if unusable and options.strict:
            raise InputError(f"--strict: {told(unusable)}")
        noisy_facts, checked = _look_at_noisy(evaluated, options, evaluator)
        of_the_data = [
            *check_data(evaluated.paired, noisy_facts),
            *check_coarse_set(noisy_facts),
            *check_published(checked),
        ]
        for part, look in _looks(evaluated, options.until_decided):
            gathered = _Gathered()
            for source in sources.every:
                if source.name in unusable:
                    gathered.systems.append(_left_out(source, unusable[source.name]))
                else:
                    _gather(source, part, options.metrics, evaluator, gathered)
            names = [pair.name for pair in part.pairs]
            kept = set(names)
            gathered.table.rows.extend(row for row in joined if row.utterance in kept)
            evidence = Evidence(
                systems=gathered.systems,
                utterances=names,
                segments=evaluated.spec,
                signature=_signature(part, options, gathered.settings),
                findings=[
                    *of_the_data,
                    *leaks,
                    *check_unusable(unusable),
                    *_findings_of_systems(gathered.judged, evaluated, noisy_facts, options),
                ],
                checked=checked,
                left_out=evaluated.left_out,
                notes=[*evaluated.remarks, *gathered.remarks, *passed_over(beside), *joined_note],
                passed_over=beside,
            )
            result = conclude(gathered.table, question, evidence, options.fail_on, look)
            if settled(result.decisive):
                break
    return result


def _findings_of_systems(
    judged: Sequence[Judged], evaluated: EvaluationSet, noisy_facts: Facts, options: CompareOptions
) -> list[Finding]:
    """What the guards say of the systems, one guard after the other."""
    whole = evaluated.paired.pairs
    return [
        *(finding for each in judged for finding in check_system(each)),
        *(finding for each in judged for finding in check_copies(each, noisy_facts)),
        *(finding for each in judged for finding in check_levels(each)),
        *(finding for each in judged for finding in check_coarse(each)),
        *(finding for each in judged for finding in check_narrow(each, noisy_facts)),
        *(found for each in judged for found in check_mixed_up(each, noisy_facts, whole, resample=options.resample)),
        *check_identical(judged),
    ]


def _looks(evaluated: EvaluationSet, until_decided: bool) -> Iterator[tuple[EvaluationSet, Look | None]]:
    """The whole set at once; with `--until-decided` growing stratified parts of it, each holding the one before."""
    if not until_decided:
        yield evaluated, None
        return
    plan = plan_looks(len(evaluated.pairs))
    names = nested_order([pair.name for pair in evaluated.pairs], evaluated.strata.labels or None)
    for index, size in enumerate(plan.sizes):
        chosen = set(names[:size])
        pairs = tuple(pair for pair in evaluated.pairs if pair.name in chosen)
        yield replace(evaluated, pairs=pairs), plan.look(index)


def _announce(
    sources: Sources,
    evaluated: EvaluationSet,
    metrics: tuple[str, ...],
    evaluator: Evaluator,
    listener: Listener,
) -> Unusable:
    """Open everything once, so that what is broken is told now, and tell how long the models will take.

    Returns:
        Name -> why a checkpoint cannot be used, for those that take no part.

    Raises:
        AuditError: what no comparison can do without, or what one change of the command line mends for all.
    """
    models, audio = 0, 0.0
    rate: float | None = None
    unusable: dict[str, AuditError] = {}
    requests = evaluated.requests(metrics)
    for source in sources.every:
        try:
            system = source.open(evaluated.pairs, evaluated.paired.matched)
        except OF_ONE_CHECKPOINT as error:
            if source.name == sources.baseline or isinstance(error, CodeError):
                raise
            unusable[source.name] = error
            continue
        try:
            if isinstance(system, ModelSystem):
                _, missing = evaluator.recorded(system, requests)
                if missing and not models:  # checkpoints of one run share their network: one probe stands for all
                    with suppress(ModelError):  # what it cannot do with a recording is told with its name
                        rate = estimate_seconds(system.enhancer, 1.0)
                models += bool(missing)
                audio += sum(requests[position].segment.length for position in missing) / SAMPLE_RATE
        finally:
            system.close()
    if unusable and unusable.keys() >= {*sources.order} - {sources.baseline}:
        raise next(iter(unusable.values())) if len(unusable) == 1 else InputError(told(unusable))
    if models:
        listener.say(_announced(models, audio, None if rate is None else rate * audio))
    return unusable


def _announced(models: int, audio: float, estimate: float | None) -> str:
    """What the networks are about to do, in seconds of audio and of time; how to do less where they take long."""
    what = f"running {'1 checkpoint' if models == 1 else f'{models} checkpoints'} on {_duration(audio)} of audio"
    if estimate is not None and estimate < _SOON:
        return f"{what} takes less than {_SOON} s, beside the metrics"
    takes = "" if estimate is None else f" takes about {_duration(estimate)}"
    return f"{what}{takes}; what is finished is kept; shorter: --segments 3x2s, --limit N"


def _beside(sources: Sources, unusable: Unusable) -> list[str]:
    """The names of those that cannot be used because they are no checkpoints: a scheduler, a discriminator."""
    paths = {one.name: one.path for one in sources.every if one.path is not None and one.is_model}
    usable = [path for name, path in paths.items() if name not in unusable]
    found = files_beside_weights([path for name, path in paths.items() if name in unusable], usable)
    return [name for name, path in paths.items() if path in found]


def _look_at_noisy(
    evaluated: EvaluationSet, options: CompareOptions, evaluator: Evaluator
) -> tuple[Facts, SelfCheck | None]:
    """Facts of the noisy recordings, whole, and the self-check against published values where the set has them."""
    names = [pair.name for pair in evaluated.pairs]
    checked = set(rows_to_check(names)) if is_published_set(names) else set()
    requests = [
        Request(pair, Segment(0, pair.samples, "full"), ("pesq",) if pair.name in checked else ())
        for pair in evaluated.pairs
    ]
    outcomes = evaluator.evaluate(noisy_system(evaluated.pairs, options.noisy.as_posix()), requests)
    facts = {
        (request.pair.name, "full"): found.facts
        for request, found in zip(requests, outcomes, strict=True)
        if found.facts is not None
    }
    values = {
        request.pair.name: found.scores["pesq"].value
        for request, found in zip(requests, outcomes, strict=True)
        if "pesq" in found.scores
    }
    return facts, self_check({name: value for name, value in values.items() if value is not None})


def _left_out(source: Source, why: AuditError) -> Described:
    """A checkpoint that takes no part: what is known of it without opening it."""
    assert source.path is not None  # the noisy input is always there
    digest = file_sha256(source.path) if source.path.is_file() else ""
    return Described(source.name, source.path.as_posix(), digest, read_name(source.path.name).epoch, str(why))


def _gather(
    source: Source, evaluated: EvaluationSet, metrics: tuple[str, ...], evaluator: Evaluator, gathered: _Gathered
) -> None:
    system = source.open(evaluated.pairs, evaluated.paired.matched)
    try:
        missing = set(system.missing(evaluated.pairs))
        present = [pair for pair in evaluated.pairs if pair.name not in missing]
        requests = evaluated.requests(metrics, present)
        outcomes = evaluator.evaluate(system, requests)
    finally:
        system.close()
    _record(system, requests, outcomes, gathered)
    facts = {
        (request.pair.name, request.segment.label): found.facts
        for request, found in zip(requests, outcomes, strict=True)
        if found.facts is not None
    }
    files = system.files if isinstance(system, FolderSystem) else {}
    gathered.judged.append(Judged(source.name, facts, sorted(missing), is_input=source.path is None, files=files))


def _record(
    system: System,
    requests: Sequence[Request],
    outcomes: Sequence[Outcome],
    gathered: _Gathered,
) -> None:
    for request, found in zip(requests, outcomes, strict=True):
        for metric in request.metrics:
            score = found.scores[metric]
            gathered.table.rows.append(
                Row(
                    system.name,
                    request.pair.name,
                    request.segment.label,
                    metric,
                    score.value,
                    score.status,
                    score.detail,
                )
            )
    gathered.systems.append(Described(system.name, system.path, system.sha256, system.epoch))
    if system.settings and system.settings not in gathered.settings:
        gathered.settings.append(system.settings)
    if system.remark:
        gathered.remarks.append(system.remark)


def _signature(evaluated: EvaluationSet, options: CompareOptions, settings: Sequence[str]) -> str:
    """What produced the numbers, the deciding metric first."""
    parts = METRICS[options.metrics[0]].signature(options.composite_scale).split("|")
    parts += [f"seg:{evaluated.spec}", f"set:{evaluated.digest}", f"n:{len(evaluated.pairs)}"]
    for metric in options.metrics[1:]:
        for part in METRICS[metric].signature(options.composite_scale).split("|"):
            if part not in parts:
                parts.append(part)
    if options.resample:
        parts.append("resampled")
    return "|".join([*parts, *settings])


def _duration(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.0f} s"
    if seconds < 5400:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.1f} h"
