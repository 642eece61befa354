"""`cmgan-audit compare-ckpts`: fixed-segment evaluation of checkpoints, compared."""

from __future__ import annotations

import importlib.util
import os
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cmgan_audit.cli.common import EXIT_FINDINGS, EXIT_NOTHING, choice, wants_color, wants_progress, write_document
from cmgan_audit.cli.shared_options import DebugOption, NoColorOption, OutputOption, QuietOption
from cmgan_audit.errors import MissingExtraError, UsageError
from cmgan_audit.finding import FAIL_ON

if TYPE_CHECKING:
    from cmgan_audit.evaluation.models.sources import ModelOptions
    from cmgan_audit.evaluation.options import CompareOptions

NEEDED = ("numpy", "scipy", "torch", "pesq", "pystoi", "soundfile", "pebble", "matplotlib", "jinja2")
FORMATS = ("text", "json")

EPILOG = """Examples:

  cmgan-audit compare-ckpts ckpt/epoch_2.pth ckpt/epoch_7.pth ckpt/epoch_14.pth --data test/ --out audit/

  cmgan-audit compare-ckpts 'ckpt/*.pth' --data test/ --segments 3x2s --limit 200

  cmgan-audit compare-ckpts enhanced/ --data test/ --baseline noisy
"""


def compare_ckpts(
    checkpoints: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="CKPT",
            help="Checkpoint files, patterns, folders of checkpoints, or folders of enhanced wav files, oldest first.",
            show_default=False,
        ),
    ] = None,
    data: Annotated[
        Path | None,
        typer.Option("--data", metavar="DIR", help="Test set: a folder with clean/ and noisy/, or a table of pairs."),
    ] = None,
    clean: Annotated[
        Path | None, typer.Option("--clean", metavar="DIR", help="Clean recordings: a folder or a list.")
    ] = None,
    noisy: Annotated[
        Path | None, typer.Option("--noisy", metavar="DIR", help="Noisy recordings: a folder or a list.")
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", metavar="DIR", help="Write report.html, summary.json, scores.csv, trend.png there."),
    ] = None,
    log: Annotated[
        Path | None,
        typer.Option("--log", metavar="FILE", help="With --out: draw the losses of this training log in report.html."),
    ] = None,
    baseline: Annotated[
        str | None,
        typer.Option("--baseline", metavar="CKPT|noisy", help="Compare with this instead of the best before."),
    ] = None,
    metrics: Annotated[
        str | None,
        typer.Option(
            "--metrics",
            metavar="NAMES",
            help="Comma-separated, or all; the first decides the verdict (default: pesq,csig,cbak,covl,ssnr,stoi).",
            show_default=False,
        ),
    ] = None,
    segments: Annotated[
        str,
        typer.Option(
            "--segments", metavar="SPEC", help="What is scored: full, 3x2s, center:2s, NxSs, or a segment lock file."
        ),
    ] = "full",
    segment_lock: Annotated[
        Path | None,
        typer.Option("--segment-lock", metavar="FILE", help="Reuse the segments in FILE; write it if it is not there."),
    ] = None,
    floor: Annotated[
        float | None,
        typer.Option(
            "--floor", metavar="X", help="Differences up to X count as none (PESQ: 0.03).", show_default=False
        ),
    ] = None,
    gate: Annotated[str, typer.Option("--gate", metavar="last|any", help="Which checkpoints decide.")] = "last",
    fail_on: Annotated[
        str, typer.Option("--fail-on", metavar="SEVERITY", help="error, warning, note or never: exit 1 from there on.")
    ] = "error",
    limit: Annotated[
        int | None, typer.Option("--limit", metavar="N", min=1, help="Score a stratified subset of N utterances.")
    ] = None,
    until_decided: Annotated[
        bool,
        typer.Option(
            "--until-decided", help="Stop early, at an eighth or half of the set, once a difference is certain."
        ),
    ] = False,
    strata: Annotated[
        Path | None,
        typer.Option("--strata", metavar="FILE", help="CSV with utterance and columns such as speaker, snr."),
    ] = None,
    train_data: Annotated[
        Path | None,
        typer.Option("--train-data", metavar="DIR", help="Look for test recordings in the training folder."),
    ] = None,
    scores: Annotated[
        list[Path] | None,
        typer.Option(
            "--scores",
            metavar="FILE",
            help="Scores of other programs (CSV, VERSA JSON lines): further metrics, or, without CKPT, all there is.",
        ),
    ] = None,
    model: Annotated[
        str,
        typer.Option(
            "--model", metavar="MODEL", help="cmgan (built in), onnx, PATH.py:callable or package.module:callable."
        ),
    ] = "cmgan",
    repo: Annotated[
        Path | None, typer.Option("--repo", metavar="DIR", help="Use the network class of this training repository.")
    ] = None,
    network: Annotated[
        str | None, typer.Option("--network", metavar="MODULE:CLASS", help="With --repo: models.generator:TSCNet.")
    ] = None,
    kwargs: Annotated[
        str, typer.Option("--kwargs", metavar="K=V,...", help="With --repo: arguments of the class.")
    ] = "",
    pipeline: Annotated[
        str,
        typer.Option("--pipeline", metavar="NAME", help="With --repo: what is around the network: cmgan or waveform."),
    ] = "cmgan",
    enhance_command: Annotated[
        str | None,
        typer.Option(
            "--enhance-command", metavar="CMD", help="'python infer.py {checkpoint} {noisy} {out}', per utterance."
        ),
    ] = None,
    weights: Annotated[
        str | None, typer.Option("--weights", metavar="NAME", help="Which weights of a file with several (ema, model).")
    ] = None,
    official_chunking: Annotated[
        bool, typer.Option("--official-chunking", help="Cut inputs above 16 s as CMGAN's evaluation script does.")
    ] = False,
    device: Annotated[str, typer.Option("--device", metavar="DEVICE", help="cpu, cuda or cuda:N.")] = "cpu",
    jobs: Annotated[
        int | None,
        typer.Option("--jobs", "-j", metavar="N", min=1, help="Metric processes (default: all cores)."),
    ] = None,
    composite_scale: Annotated[
        str,
        typer.Option("--composite-scale", metavar="int16|float", help="Sample scale of CSIG, CBAK, COVL and SSNR."),
    ] = "int16",
    resample: Annotated[bool, typer.Option("--resample", help="Bring other sample rates to 16 kHz.")] = False,
    strict: Annotated[
        bool, typer.Option("--strict", help="Exit 3 if any recording or checkpoint cannot be used.")
    ] = False,
    cache: Annotated[
        Path | None, typer.Option("--cache", metavar="DIR", help="Score store (default: your cache folder).")
    ] = None,
    no_cache: Annotated[bool, typer.Option("--no-cache", help="Keep no scores.")] = False,
    output_format: Annotated[str, typer.Option("--format", metavar="text|json", help="Document on stdout.")] = "text",
    output: OutputOption = None,
    quiet: QuietOption = False,
    no_color: NoColorOption = False,
    debug: DebugOption = False,
) -> None:
    """Score checkpoints (or folders of enhanced recordings) on the same fixed segments and compare them pairwise.

    Exit status: 0 no regression, 1 the last checkpoint is worse than the best before it (or than --baseline) or a
    finding at --fail-on, 2 wrong usage, 3 nothing could be evaluated, 130 interrupted (what was scored is kept).
    """
    choice("--format", output_format, FORMATS)
    missing = [name for name in NEEDED if importlib.util.find_spec(name) is None]
    if missing:
        raise MissingExtraError("compare-ckpts", "eval")
    from cmgan_audit.evaluation.models.sources import ModelOptions

    options = _options(
        checkpoints=checkpoints or [],
        folders=_folders(data, clean, noisy, bool(checkpoints)),
        metrics=metrics,
        segments=segments,
        segment_lock=segment_lock,
        baseline=baseline,
        floor=floor,
        gate=choice("--gate", gate, ("last", "any")),
        fail_on=choice("--fail-on", fail_on, FAIL_ON),
        model=ModelOptions(
            model=model,
            repo=repo,
            network=network,
            kwargs=kwargs,
            pipeline=pipeline,
            enhance_command=enhance_command,
            device=device,
            official_chunking=official_chunking,
            weights=weights,
        ),
        jobs=jobs,
        limit=limit,
        until_decided=until_decided,
        strata=strata,
        train_data=train_data,
        scores=scores or [],
        composite_scale=choice("--composite-scale", composite_scale, ("int16", "float")),
        resample=resample,
        strict=strict,
        cache=cache,
        no_cache=no_cache,
    )
    from cmgan_audit.evaluation.comparing import outcome
    from cmgan_audit.evaluation.listening import listen
    from cmgan_audit.evaluation.result import Outcome
    from cmgan_audit.evaluation.score_files import compare_score_files
    from cmgan_audit.evaluation.session import compare_systems
    from cmgan_audit.report.compare_files import try_folder, write_comparison
    from cmgan_audit.report.compare_json import to_json
    from cmgan_audit.report.compare_text import to_text
    from cmgan_audit.report.html.command import repeatable
    from cmgan_audit.report.html.losses import read_losses

    if log is not None and out is None:
        raise UsageError("--log is drawn in report.html: give --out DIR")
    if out is not None:
        try_folder(out)
    losses = None if log is None else read_losses(log)  # a log that cannot be read is told before anything runs
    terminal = _Terminal(quiet)
    result = compare_systems(options, terminal) if checkpoints else compare_score_files(options)
    written = ""
    if out is not None:
        listening = listen(options, result, terminal.say)
        paths = write_comparison(result, out, listening, repeatable(sys.argv[1:]), losses)
        written = ", ".join(path.as_posix() for path in paths)
    if output_format == "json":
        write_document(to_json(result), output)
    else:
        write_document(to_text(result, color=wants_color(no_color, output), out=written), output)
    if outcome(result.findings, options.fail_on) is Outcome.FAIL:
        raise typer.Exit(EXIT_FINDINGS)
    if result.unanswered:
        raise typer.Exit(EXIT_NOTHING)


class _Terminal:
    """Progress on stderr where that is a terminal; estimates always, unless asked to be quiet."""

    def __init__(self, quiet: bool) -> None:
        self._quiet = quiet
        self._progress = wants_progress(quiet)
        self._system = ""
        self._started = 0.0
        self._shown = 0.0

    def say(self, text: str) -> None:
        """One line for the user."""
        if not self._quiet:
            typer.echo(text, err=True)

    def __call__(self, system: str, done: int, total: int) -> None:
        """A line that is written over: how far, how fast, how long still."""
        if not self._progress:
            return
        now = time.monotonic()
        if system != self._system:
            self._system, self._started, self._shown = system, now, 0.0
        if done < total and now - self._shown < 0.2:
            return
        self._shown = now
        rate = done / max(now - self._started, 1e-6)
        left = f", {(total - done) / rate:.0f} s left" if done > 1 and done < total else ""
        sys.stderr.write(f"\r\x1b[K{system}: {done} of {total} segments, {rate:.1f} per second{left}")
        sys.stderr.write("\n" if done == total else "")
        sys.stderr.flush()


def _folders(data: Path | None, clean: Path | None, noisy: Path | None, needed: bool) -> tuple[Path, Path]:
    if needed and data is None and (clean is None or noisy is None):
        raise UsageError("where is the test set? give --data DIR (with clean/ and noisy/), or --clean and --noisy")
    from cmgan_audit.evaluation.material.sides import sides_of

    sides = sides_of(data or Path())
    return clean or sides[0], noisy or sides[1]


def _options(
    *,
    checkpoints: list[str],
    folders: tuple[Path, Path],
    metrics: str | None,
    segments: str,
    segment_lock: Path | None,
    baseline: str | None,
    floor: float | None,
    gate: str,
    fail_on: str,
    model: ModelOptions,
    jobs: int | None,
    limit: int | None,
    until_decided: bool,
    strata: Path | None,
    train_data: Path | None,
    scores: list[Path],
    composite_scale: str,
    resample: bool,
    strict: bool,
    cache: Path | None,
    no_cache: bool,
) -> CompareOptions:
    from cmgan_audit.evaluation.material.segments import parse_spec
    from cmgan_audit.evaluation.metrics import DEFAULT_METRICS, CompositeScale, parse_metrics
    from cmgan_audit.evaluation.options import CompareOptions
    from cmgan_audit.finding import Severity
    from cmgan_audit.source.user_cache import user_cache

    if not checkpoints and not scores:
        raise UsageError("nothing to compare: name checkpoints or folders of enhanced recordings, or give --scores")
    if checkpoints:
        names = parse_metrics(metrics) if metrics is not None else DEFAULT_METRICS
    else:
        names = tuple(part.strip() for part in (metrics or "").split(",") if part.strip())
    if floor is not None and not 0 < floor < float("inf"):
        raise UsageError(f"--floor {floor}: must be a positive number, in units of the first metric")
    if cache is not None and no_cache:
        raise UsageError("--cache and --no-cache exclude each other")
    return CompareOptions(
        checkpoints=tuple(checkpoints),
        clean=folders[0],
        noisy=folders[1],
        metrics=names,
        segments=parse_spec(segments),
        segment_lock=segment_lock,
        baseline=baseline,
        floor=floor,
        gate_any=gate == "any",
        fail_on=None if fail_on == "never" else Severity(fail_on),
        model=model,
        jobs=jobs or len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else jobs or os.cpu_count() or 1,
        limit=limit,
        until_decided=until_decided,
        strata=strata,
        train_data=train_data,
        scores=tuple(scores),
        composite_scale=CompositeScale(composite_scale),
        resample=resample,
        strict=strict,
        cache=None if no_cache else cache or user_cache(),
    )
