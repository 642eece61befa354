"""A comparison from score files alone: rows that other programs computed, judged like our own."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from cmgan_audit.errors import InputError, UsageError
from cmgan_audit.evaluation.checkpoints.naming import read_name
from cmgan_audit.evaluation.comparing import Question
from cmgan_audit.evaluation.concluding import Described, Evidence, conclude
from cmgan_audit.evaluation.material.audio import file_sha256
from cmgan_audit.evaluation.material.pairs import set_digest
from cmgan_audit.evaluation.material.strata import infer_strata, read_strata
from cmgan_audit.evaluation.metrics import METRICS, default_floor
from cmgan_audit.evaluation.options import CompareOptions
from cmgan_audit.evaluation.result import ComparisonResult
from cmgan_audit.evaluation.scores.external import ExternalScores, known_name, read_scores
from cmgan_audit.evaluation.scores.table import Row, ScoreTable
from cmgan_audit.statistics.paper import EXTERNAL

NOTE = "scores were computed by other programs: what produced them is not known here, and no guard has seen the audio"


def compare_score_files(options: CompareOptions) -> ComparisonResult:
    """Compare the checkpoints in the files of `--scores`.

    Raises:
        UsageError: a metric or a baseline that the files do not hold, or a checkpoint in two of them.
        InputError: a file is not a file of scores.
    """
    files = [read_scores(path) for path in options.scores]
    rows = [row for file in files for row in file.rows]
    order = [name for file in files for name in file.checkpoints]
    repeated = sorted({name for name in order if order.count(name) > 1})
    if repeated:
        raise UsageError(f"--scores: {repeated[0]} stands in two files; a column checkpoint tells systems apart")
    metrics = _metrics(options, files)
    if not options.metrics:
        _refuse_checkpoints_for_metrics(files, order, metrics)
    baseline = options.baseline
    if baseline is not None and baseline not in order:
        raise UsageError(f"--baseline {baseline}: not in the score files, which hold {', '.join(order)}")
    names = sorted({row.utterance for row in rows})
    strata = read_strata(options.strata, names) if options.strata else infer_strata(names)
    question = Question(
        order=[name for name in order if len(order) == 1 or name != baseline],
        baseline=baseline,
        metrics=metrics,
        floor=options.floor if options.floor is not None else default_floor(metrics[0]),
        gate_any=options.gate_any,
        strata=strata,
    )
    evidence = Evidence(
        systems=[
            Described(name, file.path.as_posix(), file_sha256(file.path), read_name(name).epoch)
            for file in files
            for name in file.checkpoints
        ],
        utterances=names,
        segments=EXTERNAL,
        signature=f"{metrics[0]}:external|set:{set_digest([(name,) for name in names])}|n:{len(names)}",
        findings=[],
        notes=[NOTE, *(file.remark for file in files if file.remark)],
    )
    table = ScoreTable([row for row in rows if row.metric in metrics])
    return conclude(table, question, evidence, options.fail_on)


def joined_scores(paths: Sequence[Path], measured: Sequence[str], systems: Sequence[str]) -> list[Row]:
    """Rows of further metrics for systems that are measured here.

    Raises:
        UsageError: a metric that is measured here too (its two sources would not be comparable), or a checkpoint that
            is not among the systems.
    """
    rows: list[Row] = []
    for path in paths:
        file = read_scores(path)
        double = [metric for metric in file.metrics if metric in measured]
        if double:
            raise UsageError(
                f"--scores {path}: {double[0]} is measured here too, and numbers of two programs are not compared; "
                "leave it out of --metrics, or give no CKPT to compare the file alone"
            )
        unknown = [name for name in file.checkpoints if name not in systems]
        if unknown:
            raise UsageError(f"--scores {path}: {unknown[0]} is none of the checkpoints here ({', '.join(systems)})")
        rows.extend(file.rows)
    return rows


def _metrics(options: CompareOptions, files: Sequence[ExternalScores]) -> tuple[str, ...]:
    """Those that are asked for, else all: PESQ decides, else a metric that is known here, last what never differs."""
    held = tuple(dict.fromkeys(metric for file in files for metric in file.metrics))
    absent = [metric for metric in options.metrics if metric not in held]
    if absent:
        raise UsageError(f"--metrics {absent[0]}: not in the score files, which hold {', '.join(held)}")
    if not held:
        raise InputError("--scores: the files hold no metric")
    if options.metrics:
        return options.metrics
    rows = [row for file in files for row in file.rows]
    return tuple(
        sorted(held, key=lambda metric: (metric != "pesq", metric not in METRICS, _same_for_all(rows, metric)))
    )


def _same_for_all(rows: Sequence[Row], metric: str) -> bool:
    """Whether every system has the same number for each utterance: a duration, the SNR of the input."""
    found: dict[str, float | None] = {}
    return all(found.setdefault(row.utterance, row.value) == row.value for row in rows if row.metric == metric)


def _refuse_checkpoints_for_metrics(
    files: Sequence[ExternalScores], order: Sequence[str], metrics: Sequence[str]
) -> None:
    """A table with a column per checkpoint looks like one with a column per metric.

    It is taken for one where no column is a metric that is known here, and the only system would be the file, or a
    system have the name of a metric (`pesq.csv`).

    Raises:
        InputError: it is, and there is nothing to compare.
    """
    unknown = len(metrics) > 1 and not any(metric in METRICS for metric in metrics)
    if unknown and (len(order) == 1 or any(known_name(name) in METRICS for name in order)):
        raise InputError(
            f"--scores {files[0].path}: read as the metrics {', '.join(metrics)} of {', '.join(order)}, and none of "
            "these is a metric known here; where the columns are checkpoints, write a row per utterance and checkpoint "
            "(columns utterance, checkpoint, pesq) or a file per checkpoint; where they are metrics, name those that "
            "are meant with --metrics"
        )
