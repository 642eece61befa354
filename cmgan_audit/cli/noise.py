"""`cmgan-audit noise`: how large a change random evaluation crops alone can cause."""

from __future__ import annotations

import importlib.util
import json
import math
import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from cmgan_audit.cli.common import choice, wants_progress, write_document
from cmgan_audit.cli.shared_options import DebugOption, NoColorOption, OutputOption, QuietOption
from cmgan_audit.errors import MissingExtraError, UsageError
from cmgan_audit.lazy_dataclasses import dataclass
from cmgan_audit.statistics.crop_change import LEVEL, CropNoise, Explanation, crop_noise, explain_change
from cmgan_audit.statistics.crop_noise import FULL_TEST_SET, crop_spread, crop_table
from cmgan_audit.statistics.crop_scores import MeasuredSpread, measure_spread, widest_spread

SCHEMA = "cmgan-audit/noise/v1"
DEFAULT_SECONDS = 2.0
DEFAULT_CROPS = 20
NEEDED_FOR_AUDIO = ("numpy", "pesq", "pystoi", "soundfile", "pebble")

SENTENCES = {
    Explanation.INSIDE: "inside crop noise: the same model scored on other random crops moves as far",
    Explanation.BEYOND: "beyond crop noise: random crops do not explain it, whichever utterances they came from",
    Explanation.UNDECIDED: (
        "cannot be told: it is more than other crops of the same utterances cause, but not more than drawing other "
        "utterances does; if both evaluations had the same utterances, crops do not explain it"
    ),
}


def noise(
    before: Annotated[float | None, typer.Option("--from", metavar="SCORE", help="Mean score before.")] = None,
    after: Annotated[float | None, typer.Option("--to", metavar="SCORE", help="Mean score after.")] = None,
    n: Annotated[
        int | None,
        typer.Option("--n", metavar="N", min=1, help="Utterances per evaluation (default: as many as were measured)."),
    ] = None,
    seconds: Annotated[
        float | None,
        typer.Option("--seconds", metavar="S", help="Length of the random crops; the table knows 0.3 to 2 s (2)."),
    ] = None,
    test_set: Annotated[
        int | None,
        typer.Option(
            "--test-set",
            metavar="N",
            min=1,
            help="Utterances in the whole test set, of which each evaluation takes n (824; with --data: all of it).",
            show_default=False,
        ),
    ] = None,
    scores: Annotated[
        Path | None,
        typer.Option("--scores", metavar="FILE", help="Measure the spread from a CSV with a row per random crop."),
    ] = None,
    metric: Annotated[str, typer.Option("--metric", metavar="NAME", help="With --scores: which metric.")] = "pesq",
    where: Annotated[
        list[str] | None,
        typer.Option("--where", metavar="COLUMN=VALUE", help="With --scores: only rows with this value."),
    ] = None,
    data: Annotated[
        Path | None,
        typer.Option(
            "--data", metavar="DIR", help="Measure the spread on recordings: a folder with clean/ and noisy/."
        ),
    ] = None,
    enhanced: Annotated[
        Path | None,
        typer.Option("--enhanced", metavar="DIR", help="With --data: enhanced recordings, measured too."),
    ] = None,
    crops: Annotated[
        int, typer.Option("--crops", metavar="K", min=2, help="With --data: random crops per utterance.")
    ] = DEFAULT_CROPS,
    output_format: Annotated[str, typer.Option("--format", metavar="text|json", help="Document on stdout.")] = "text",
    output: OutputOption = None,
    quiet: QuietOption = False,
    no_color: NoColorOption = False,
    debug: DebugOption = False,
) -> None:
    """How large a change of the mean PESQ random evaluation crops alone can cause.

    Example: cmgan-audit noise --from 2.64 --to 2.20 --n 824 --seconds 2

    Without audio it answers from a table that the package ships; with --scores from repeated random crops that you
    scored, with --data by scoring random crops of your own test set (needs the extra eval). It is an answer, not a
    gate: the exit status is 0 whatever it says.
    """
    choice("--format", output_format, ("text", "json"))
    if (before is None) != (after is None):
        raise UsageError("--from and --to go together: name both, or neither to see the noise alone")
    for option, score in (("--from", before), ("--to", after)):
        if score is not None and not math.isfinite(score):
            raise UsageError(f"{option} {score}: not a finite score")
        if score is not None and metric == "pesq":
            _check_pesq(option, score)
    if n is not None and test_set is not None and n > test_set:
        raise UsageError(f"--n {n}: an evaluation scores {n} utterances, but --test-set has {test_set}")
    if scores is not None and data is not None:
        raise UsageError("--scores and --data exclude each other: measure from a score file, or from recordings")
    if scores is None and (where or metric != "pesq"):
        raise UsageError("--where and --metric choose rows of --scores FILE, which is not given")
    if data is None and enhanced is not None:
        raise UsageError("--enhanced goes with --data DIR, which holds the clean recordings")
    if scores is not None:
        found, assumption = _from_scores(scores, n, seconds, test_set, metric, where or [])
    elif data is not None:
        found, assumption = _from_audio(data, enhanced, n, seconds, test_set, crops, quiet)
    else:
        found, assumption = _from_table(n, seconds, test_set)
    source = "table" if scores is None and data is None else "measured"
    answer = Answer(found, source, assumption, before, after)
    write_document(_json(answer) if output_format == "json" else _text(answer), output)


def _check_pesq(option: str, score: float) -> None:
    """Hold a score against the range of a mean PESQ, the one that logs are held against."""
    from cmgan_audit.logs.roles import table

    pesq = table().measure("pesq")
    if pesq is None or pesq.low is None or pesq.high is None or pesq.low <= score <= pesq.high:
        return
    raise UsageError(
        f"{option} {score:g}: no mean PESQ, which lies between {pesq.low:g} and {pesq.high:g} "
        "(a label as CMGAN trains on, (PESQ - 1) / 3.5, times 3.5 plus 1 is one)"
    )


@dataclass(frozen=True)
class Answer:
    """What the command found out, before it is printed."""

    noise: CropNoise
    noise_from: str
    assumption: str
    before: float | None
    after: float | None

    @property
    def change(self) -> float | None:
        """After minus before, without the binary dust of the subtraction."""
        return None if self.before is None or self.after is None else round(self.after - self.before, 10)

    @property
    def verdict(self) -> Explanation | None:
        """Whether crops explain the change; None when no change was asked about."""
        return None if self.change is None else explain_change(self.noise, self.change)


def _from_table(n: int | None, seconds: float | None, test_set: int | None) -> tuple[CropNoise, str]:
    if n is None:
        raise UsageError("--n is missing: how many utterances one evaluation scores (824 for all of VoiceBank+DEMAND)")
    spread = crop_spread(DEFAULT_SECONDS if seconds is None else seconds)
    between = ", interpolated between measured lengths (log SD over log length)" if spread.interpolated else ""
    assumption = (
        f"the score of one random {spread.seconds:g} s crop varies around its utterance's mean with SD "
        f"{spread.within:.3f}, as measured on {crop_table().origin}{between}; the larger of its noisy and enhanced "
        f"speech; one fresh crop of each utterance"
    )
    return crop_noise(spread, n, test_set or FULL_TEST_SET), assumption


def _from_scores(
    path: Path, n: int | None, seconds: float | None, test_set: int | None, metric: str, where: list[str]
) -> tuple[CropNoise, str]:
    if seconds is not None:
        raise UsageError("--seconds chooses a row of the table; with --scores the crops are those of the file")
    conditions = {}
    for condition in where:
        column, equals, value = condition.partition("=")
        if not equals:
            raise UsageError(f"--where {condition}: not of the form COLUMN=VALUE")
        conditions[column.strip()] = value.strip()
    found = measure_spread(path, metric, conditions)
    assumption = _measured(found, metric, path.name) + "; rows of one utterance are taken to be its random crops"
    return crop_noise(found.spread, n or found.utterances, test_set or FULL_TEST_SET), assumption


def _from_audio(
    data: Path,
    enhanced: Path | None,
    n: int | None,
    seconds: float | None,
    test_set: int | None,
    crops: int,
    quiet: bool,
) -> tuple[CropNoise, str]:
    if any(importlib.util.find_spec(name) is None for name in NEEDED_FOR_AUDIO):
        raise MissingExtraError("noise --data", "eval")
    from cmgan_audit.evaluation.material.sides import sides_of
    from cmgan_audit.evaluation.random_crops import CropOptions, score_random_crops
    from cmgan_audit.source.user_cache import user_cache

    length = DEFAULT_SECONDS if seconds is None else seconds
    jobs = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    options = CropOptions(*sides_of(data), enhanced, length, crops, jobs, user_cache())
    scored = score_random_crops(options, _Progress(quiet))
    found = widest_spread(scored.scores, scored.failed, source=str(data), seconds=length)
    assumption = _measured(found, "pesq", str(data))
    if scored.too_short:
        assumption += f"; {len(scored.too_short)} utterances not longer than {length:g} s are left out"
    assumption += "".join(f"; {remark}" for remark in scored.remarks)
    return crop_noise(found.spread, n or scored.utterances, test_set or scored.utterances), assumption


def _measured(found: MeasuredSpread, metric: str, source: str) -> str:
    length = "" if found.spread.seconds is None else f"{found.spread.seconds:g} s "
    return (
        f"the {metric} of one random {length}crop varies around its utterance's mean with SD "
        f"{found.spread.within:.3f}, as measured on {found.crops} crops of {found.utterances} utterances in {source}"
        + (f" ({found.system})" if found.system else "")
        + (f", {found.failed} more without a score" if found.failed else "")
        + "; one fresh crop of each utterance"
    )


def _text(answer: Answer) -> str:
    noise = answer.noise
    lines = []
    if answer.verdict is not None and answer.before is not None and answer.after is not None:
        lines += [f"{_score(answer.before)} -> {_score(answer.after)}: {SENTENCES[answer.verdict]}", ""]
    rows = [
        (noise.sd_of_mean, f"SD of the mean over {noise.n} utterances, when only the crops change"),
        (noise.half_width, f"{LEVEL:.0%} half-width of the difference of two evaluations of the same utterances"),
    ]
    if noise.n < noise.test_set:
        meaning = f"the same, if each evaluation draws its own utterances of {noise.test_set}"
        rows.append((noise.half_width_other_utterances, meaning))
    lines += [f"  {value:8.4f}  {meaning}" for value, meaning in rows]
    lines += ["", f"Assumed: {answer.assumption}."]
    return "\n".join(lines)


def _score(score: float) -> str:
    """A score with at least two decimals, as people quote it, and no more than it has."""
    text = f"{score:g}"
    return text if "e" in text or len(text.partition(".")[2]) > 1 else f"{score:.2f}"


def _json(answer: Answer) -> str:
    noise = answer.noise
    document = {
        "schema": SCHEMA,
        "from": answer.before,
        "to": answer.after,
        "change": answer.change,
        "n": noise.n,
        "test_set": noise.test_set,
        "seconds": noise.spread.seconds,
        "noise_from": answer.noise_from,
        "sd_of_crop": noise.spread.within,
        "sd_of_mean": noise.sd_of_mean,
        "level": LEVEL,
        "half_width": noise.half_width,
        "half_width_other_utterances": noise.half_width_other_utterances,
        "failure_rate": noise.spread.failure_rate,
        "assumption": answer.assumption,
        "verdict": answer.verdict,
    }
    return json.dumps(document, indent=2, allow_nan=False)


class _Progress:
    """How many crops of a system are scored, on stderr where that is a terminal."""

    def __init__(self, quiet: bool) -> None:
        self._wanted = wants_progress(quiet)

    def __call__(self, system: str, done: int, total: int) -> None:
        if self._wanted:
            sys.stderr.write(f"\r\x1b[K{system}: {done} of {total} crops" + ("\n" if done == total else ""))
            sys.stderr.flush()
