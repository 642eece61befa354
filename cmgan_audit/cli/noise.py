"""`cmgan-audit noise`: how large a change random evaluation crops alone can cause."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from cmgan_audit.cli.common import DebugOption, NoColorOption, OutputOption, QuietOption, choice, write_document
from cmgan_audit.errors import UsageError
from cmgan_audit.statistics.crop_change import LEVEL, CropNoise, Explanation, crop_noise, explain_change
from cmgan_audit.statistics.crop_noise import FULL_TEST_SET, crop_spread, crop_table
from cmgan_audit.statistics.crop_scores import measure_spread

SCHEMA = "cmgan-audit/noise/v1"
DEFAULT_SECONDS = 2.0

SENTENCES = {
    Explanation.INSIDE: "inside crop noise: the same model scored on other random crops moves as far",
    Explanation.BEYOND: "beyond crop noise: random crops do not explain it, whichever utterances they came from",
    Explanation.UNDECIDED: (
        "cannot be told: it is more than other crops of the same utterances cause, but not more than drawing other "
        "utterances does; if both evaluations had the same utterances, crops do not explain it"
    ),
}


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


def noise(
    before: Annotated[float | None, typer.Option("--from", metavar="SCORE", help="Mean score before.")] = None,
    after: Annotated[float | None, typer.Option("--to", metavar="SCORE", help="Mean score after.")] = None,
    n: Annotated[
        int | None,
        typer.Option("--n", metavar="N", min=1, help="Utterances per evaluation. With --scores: as in the file."),
    ] = None,
    seconds: Annotated[
        float | None,
        typer.Option("--seconds", metavar="S", help="Length of the random crops; the table knows 0.3 to 2 s (2)."),
    ] = None,
    test_set: Annotated[
        int,
        typer.Option(
            "--test-set",
            metavar="N",
            min=1,
            help="Utterances in the whole test set, from which each evaluation takes n.",
        ),
    ] = FULL_TEST_SET,
    scores: Annotated[
        Path | None,
        typer.Option("--scores", metavar="FILE", help="Measure the spread from a CSV with a row per random crop."),
    ] = None,
    metric: Annotated[str, typer.Option("--metric", help="With --scores: which metric of the file.")] = "pesq",
    where: Annotated[
        list[str] | None,
        typer.Option("--where", metavar="COLUMN=VALUE", help="With --scores: only rows with this value."),
    ] = None,
    output_format: Annotated[str, typer.Option("--format", help="text or json.")] = "text",
    output: OutputOption = None,
    quiet: QuietOption = False,
    no_color: NoColorOption = False,
    debug: DebugOption = False,
) -> None:
    """How large a change of the mean PESQ random evaluation crops alone can cause.

    Example: cmgan-audit noise --from 2.64 --to 2.20 --n 824 --seconds 2

    Without audio it answers from a table that the package ships; with --scores from repeated random crops of your own
    set. It is an answer, not a gate: the exit status is 0 whatever it says.
    """
    choice("--format", output_format, ("text", "json"))
    if (before is None) != (after is None):
        raise UsageError("--from and --to go together: name both, or neither to see the noise alone")
    for option, score in (("--from", before), ("--to", after)):
        if score is not None and not math.isfinite(score):
            raise UsageError(f"{option} {score}: not a finite score")
    if scores is None:
        answer = _from_table(before, after, n, seconds, test_set, metric, where)
    else:
        answer = _from_scores(scores, before, after, n, seconds, test_set, metric, where or [])
    write_document(_json(answer) if output_format == "json" else _text(answer), output)


def _from_table(
    before: float | None,
    after: float | None,
    n: int | None,
    seconds: float | None,
    test_set: int,
    metric: str,
    where: list[str] | None,
) -> Answer:
    if n is None:
        raise UsageError("--n is missing: how many utterances one evaluation scores (824 for all of VoiceBank+DEMAND)")
    if metric != "pesq":
        raise UsageError(f"--metric {metric}: the table holds pesq; measure others with --scores FILE")
    if where:
        raise UsageError("--where selects rows of --scores FILE, which is not given")
    spread = crop_spread(DEFAULT_SECONDS if seconds is None else seconds)
    between = ", interpolated between measured lengths (log SD over log length)" if spread.interpolated else ""
    assumption = (
        f"the score of one random {spread.seconds:g} s crop varies around its utterance's mean with SD "
        f"{spread.within:.3f}, as measured on {crop_table().origin}{between}; the larger of its noisy and enhanced "
        f"speech; one fresh crop of each utterance"
    )
    return Answer(crop_noise(spread, n, test_set), "table", assumption, before, after)


def _from_scores(
    path: Path,
    before: float | None,
    after: float | None,
    n: int | None,
    seconds: float | None,
    test_set: int,
    metric: str,
    where: list[str],
) -> Answer:
    if seconds is not None:
        raise UsageError("--seconds chooses a row of the table; with --scores the crops are those of the file")
    conditions = {}
    for condition in where:
        column, equals, value = condition.partition("=")
        if not equals:
            raise UsageError(f"--where {condition}: not of the form COLUMN=VALUE")
        conditions[column.strip()] = value.strip()
    found = measure_spread(path, metric, conditions)
    assumption = (
        f"the {metric} of one random crop varies around its utterance's mean with SD {found.spread.within:.3f}, as "
        f"measured on {found.crops} crops of {found.utterances} utterances in {path.name}"
        + (f" ({found.system})" if found.system else "")
        + (f", {found.failed} more without a score" if found.failed else "")
        + "; rows of one utterance are taken to be its random crops of one length; one fresh crop of each utterance"
    )
    noise = crop_noise(found.spread, n or found.utterances, test_set)
    return Answer(noise, "measured", assumption, before, after)


def _text(answer: Answer) -> str:
    noise = answer.noise
    lines = []
    if answer.verdict is not None:
        lines += [f"{_score(answer.before)} -> {_score(answer.after)}: {SENTENCES[answer.verdict]}", ""]
    rows = [
        (noise.sd_of_mean, f"SD of the mean over {noise.n} utterances, when only the crops change"),
        (noise.half_width, f"{LEVEL:.0%} half-width of the difference of two evaluations of the same utterances"),
    ]
    if noise.n < noise.test_set:
        rows.append(
            (noise.half_width_other_utterances, f"the same, if each evaluation draws its own of {noise.test_set}")
        )
    lines += [f"  {value:8.4f}  {meaning}" for value, meaning in rows]
    lines += ["", f"Assumed: {answer.assumption}."]
    return "\n".join(lines)


def _score(score: float | None) -> str:
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
