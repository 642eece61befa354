"""`cmgan-audit trend`: metric trends in training logs."""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cmgan_audit.cli.common import EXIT_FINDINGS, choice, wants_color, write_document
from cmgan_audit.cli.shared_options import DebugOption, NoColorOption, OutputOption, QuietOption
from cmgan_audit.errors import InputError, MissingExtraError, UsageError
from cmgan_audit.finding import FAIL_ON, Severity
from cmgan_audit.logs.series import Role

if TYPE_CHECKING:
    from cmgan_audit.gate.settings import Settings
    from cmgan_audit.logs.judging import Judgement
    from cmgan_audit.logs.search import Search
    from cmgan_audit.rules.catalogue import Catalogue

# So many logs are named in a message.
_MOST_NAMED = 3


def trend(
    logs: Annotated[
        list[Path],
        typer.Argument(metavar="LOG", help="Log files, folders to search for them, - for standard input."),
    ],
    metric: Annotated[
        list[str] | None,
        typer.Option(
            "--metric",
            metavar="NAME",
            help="Judge this metric: pesq, stoi, ... or a series' name, * allowed. Default: PESQ, else every metric.",
        ),
    ] = None,
    role: Annotated[
        list[str] | None,
        typer.Option(
            "--role",
            metavar="NAME=ROLE",
            help="Say what a series is: score=metric:eval, x=pesq, y=loss:train, z=ignore.",
        ),
    ] = None,
    pattern: Annotated[
        str | None,
        typer.Option(
            "--pattern",
            metavar="REGEX",
            help="Read text logs by named groups: 'ep (?P<epoch>\\d+).*mos (?P<pesq>[\\d.]+)'.",
        ),
    ] = None,
    utterances: Annotated[
        int | None, typer.Option("--utterances", metavar="N", min=1, help="Utterances per evaluation; with --seconds.")
    ] = None,
    seconds: Annotated[
        float | None,
        typer.Option(
            "--seconds",
            metavar="S",
            help="Length of the random crops it scores: the noise floor comes from the crop table.",
        ),
    ] = None,
    fail_on: Annotated[
        str | None,
        typer.Option(
            "--fail-on", metavar="SEVERITY", help="error, warning, note or never: exit 1 from there on (error)."
        ),
    ] = None,
    fail_on_drop: Annotated[
        float | None, typer.Option("--fail-on-drop", metavar="X", help="A drop of X or more is an error (PESQ: 0.2).")
    ] = None,
    select: Annotated[
        list[str] | None, typer.Option("--select", metavar="RULE", help="Only these rules (CMG801 or its name).")
    ] = None,
    ignore: Annotated[list[str] | None, typer.Option("--ignore", metavar="RULE", help="Not these rules.")] = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", metavar="DIR", help="Write report.html, trend.png, .svg and .json into DIR."),
    ] = None,
    strict: Annotated[bool, typer.Option("--strict", help="Exit 3 when a log cannot be read.")] = False,
    output_format: Annotated[
        str, typer.Option("--format", metavar="text|json|html", help="Document on stdout.")
    ] = "text",
    output: OutputOption = None,
    quiet: QuietOption = False,
    no_color: NoColorOption = False,
    debug: DebugOption = False,
) -> None:
    """Find out from training logs whether a metric fell and stayed down, with the noise floor in view.

    Example: cmgan-audit trend logs/ --metric pesq --out audit/

    Reads CSV, JSON, JSONL, text logs, notebooks, TensorBoard event files, W&B and MLflow runs, checkpoint names.
    """
    from cmgan_audit.gate.settings import find_settings, settle_rules
    from cmgan_audit.logs.judging import DECLINE, judge
    from cmgan_audit.logs.piped import on_disk
    from cmgan_audit.logs.roles import RoleBook
    from cmgan_audit.logs.search import read_logs
    from cmgan_audit.logs.selection.judged import Question
    from cmgan_audit.report.trend_json import trend_document
    from cmgan_audit.report.trend_text import TrendText
    from cmgan_audit.rules.catalogue import load_catalogue

    choice("--format", output_format, ("text", "json", "html"))
    if (utterances is None) != (seconds is None):
        raise UsageError("--utterances and --seconds go together: the crop table needs both")
    if fail_on_drop is not None and not fail_on_drop > 0:
        raise UsageError(f"--fail-on-drop {fail_on_drop}: not a drop above 0")
    catalogue = load_catalogue()
    settings = settle_rules(find_settings(Path.cwd()), catalogue)
    lowest = settings.fail_on if fail_on is None else choice("--fail-on", fail_on, FAIL_ON)
    threshold = None if lowest == "never" else Severity(lowest)
    limits = {**catalogue[DECLINE].parameters, **settings.parameters().get(DECLINE, {})}
    question = Question(
        tuple(metric or ()),
        utterances,
        seconds,
        fail_on_drop,
        float(limits["warning_from"]),
        float(limits["error_from"]),
    )
    _ = question.table_floor  # a length outside the table is told before any log is read
    if out is not None or output_format == "html":
        _need_plots("--out" if out is not None else "--format html")
    selected = _selected(catalogue, settings, select or [], ignore or [])
    book, compiled = RoleBook(_roles(role or [])), _compiled(pattern)
    with on_disk(logs) as paths:
        found = read_logs(paths, book, compiled)
    judgement = judge(found.readings, question, catalogue, selected)
    nothing = not judgement.judged and not judgement.findings
    if nothing and output_format != "json":
        raise InputError(_nothing(found.readings != [], question.metrics, found, logs))
    for place, finding in enumerate(judgement.findings):
        severity = settings.severity_of(finding.rule)
        if severity is not None:
            judgement.findings[place] = replace(finding, severity=severity)
    verdict = judgement.verdict(threshold)
    documents = {
        "json": lambda: trend_document(found, judgement, verdict, threshold),
        "html": lambda: _page(found, judgement, verdict, catalogue),
        "text": lambda: TrendText(wants_color(no_color, output)).render(found, judgement, verdict),
    }
    if out is not None and not nothing:
        from cmgan_audit.report.trend_plot import write_plots

        write_plots(judgement, out)
        write_document(documents["json"](), out / "trend.json")
        write_document(documents["html"](), out / "report.html")
        if not quiet:
            typer.echo(f"wrote {out}/report.html, trend.png, trend.svg and trend.json", err=True)
    write_document(documents[output_format](), output)
    if threshold is not None and any(finding.severity >= threshold for finding in judgement.findings):
        raise typer.Exit(EXIT_FINDINGS)
    if strict and found.failed:
        raise InputError(f"--strict: {len(found.failed)} logs could not be read; the first: {found.failed[0]}")
    if not judgement.judged:
        raise InputError(_nothing(found.readings != [], question.metrics, found, logs))


def _selected(catalogue: Catalogue, settings: Settings, select: list[str], ignore: list[str]) -> frozenset[str]:
    """The log rules that run. A `select` of the settings that names none of them speaks of the other doors."""
    from cmgan_audit.gate.selection import check_door, matches_rule

    for word in (*select, *ignore):
        if not any(matches_rule(rule, [word]) for rule in catalogue):
            catalogue.find(word)  # raises, and names the nearest
    check_door(select, catalogue, "trend")
    ours = [rule for rule in catalogue if rule.door == "trend"]
    wanted = [rule for rule in ours if matches_rule(rule, select or settings.select)]
    if not wanted and not select:
        wanted = ours
    unwanted = (*ignore, *(() if select else settings.ignore))
    return frozenset(rule.id for rule in wanted if not matches_rule(rule, unwanted))


def _need_plots(flag: str) -> None:
    from importlib.util import find_spec

    if any(find_spec(package) is None for package in ("matplotlib", "jinja2")):
        raise MissingExtraError(f"trend {flag}", "plot")


def _page(found: Search, judgement: Judgement, verdict: str, catalogue: Catalogue) -> str:
    from cmgan_audit.report.html.command import repeatable
    from cmgan_audit.report.html.trend import render

    return render(found, judgement, verdict, repeatable(sys.argv[1:]), catalogue)


def _roles(given: list[str]) -> dict[str, Role | None]:
    from cmgan_audit.logs.roles import parse_role

    return dict(parse_role(text) for text in given)


def _compiled(pattern: str | None) -> re.Pattern[str] | None:
    if pattern is None:
        return None
    try:
        compiled = re.compile(pattern)
    except re.error as error:
        raise UsageError(f"--pattern {pattern}: no regular expression: {error}") from error
    if not set(compiled.groupindex) - {"epoch", "step"}:
        raise UsageError(f"--pattern {pattern}: names no series; give each a group such as (?P<pesq>[0-9.]+)")
    return compiled


def _nothing(has_series: bool, metrics: tuple[str, ...], found: Search, given: Sequence[Path]) -> str:
    names = sorted({s.name for reading in found.readings for run in reading.runs for s in run.series})
    files = len(found.readings) + len(found.without_series) + len(found.failed)
    logs = f"{files} log{'s' * (files != 1)}"
    if has_series:
        wanted = f" called {', '.join(metrics)}" if metrics else ""
        listed = ", ".join(names[:12]) + (", ..." if len(names) > 12 else "")
        hint = "say what one is with --role NAME=metric"
        notes = (note for reading in found.readings for note in reading.notes)
        damaged = next((f"; {note}" for note in notes if note.of_damage), "")
        return f"no metric{wanted} in {logs}; series that were read: {listed} ({hint}){damaged}"
    if not files:
        folders = ", ".join(path.as_posix() for path in given)
        return f"{folders}: no logs found: no CSV, JSON, JSONL, text log, event file or run-*.wandb in there"
    listed = next((str(note) for note in found.notes if note.of_a_list), "")
    if listed:
        return f"no training in {logs}: {listed}"
    first = next((str(note) for note in [*found.failed, *found.notes]), "")
    tail = f"; {first}" if first else ""
    return f"no metric and no loss in {logs}{tail or _names_of(found.without_series)}"


def _names_of(paths: Sequence[str]) -> str:
    """Which logs they are of which nothing else is said; nothing where there are none."""
    listed = ", ".join(paths[:_MOST_NAMED]) + (", ..." if len(paths) > _MOST_NAMED else "")
    return f": {listed}" if paths else ""
