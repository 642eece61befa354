"""`cmgan-audit check`: its words as Typer takes them; plain ones are read without it (`cli/plain_words.py`)."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from cmgan_audit.cli.checking import DEFAULT_BASELINE, FORMATS, CheckRequest, carry_out
from cmgan_audit.cli.completion import offer_rules, offering
from cmgan_audit.cli.shared_options import DebugOption, NoColorOption, OutputOption, QuietOption
from cmgan_audit.finding import FAIL_ON

EPILOG = """Examples:

  cmgan-audit check

  cmgan-audit check ~/src/CMGAN --select CMG1,CMG201 --format json

  cmgan-audit check --since main... --fail-on warning

  cmgan-audit check --write-baseline   # today's findings are known

  cmgan-audit check --diff --unsafe-fixes   # show the fixes

Exit status: 0 nothing at or above --fail-on, 1 findings at or above it, 2 wrong usage or settings, 3 nothing to
analyse, no file that could be read, or with --strict one that could not.
"""


def check(
    context: typer.Context,
    paths: Annotated[
        list[Path] | None,
        typer.Argument(metavar="PATH", help="Training repositories: folders, or a file of one (default: .)."),
    ] = None,
    select: Annotated[
        list[str] | None,
        typer.Option(
            "--select",
            metavar="RULES",
            help="Run only these: ids, names, beginnings of ids; commas join.",
            autocompletion=offer_rules,
        ),
    ] = None,
    ignore: Annotated[
        list[str] | None,
        typer.Option("--ignore", metavar="RULES", help="Do not run these.", autocompletion=offer_rules),
    ] = None,
    fail_on: Annotated[
        str | None,
        typer.Option(
            "--fail-on",
            metavar="SEVERITY",
            help="error (default), warning, note or never.",
            autocompletion=offering(*FAIL_ON),
        ),
    ] = None,
    preview: Annotated[bool, typer.Option("--preview", help="Also run rules that are still in preview.")] = False,
    profile: Annotated[
        str | None,
        typer.Option("--profile", metavar="NAME", help="Compare settings with a published training: cmgan, or a file."),
    ] = None,
    rules: Annotated[
        list[Path] | None, typer.Option("--rules", metavar="DIR", help="Also run the rules in this folder.")
    ] = None,
    baseline: Annotated[
        Path | None, typer.Option("--baseline", metavar="FILE", help="Known findings, which do not count.")
    ] = None,
    write_baseline: Annotated[
        bool,
        typer.Option("--write-baseline", help=f"Write all findings to --baseline ({DEFAULT_BASELINE}) and exit 0."),
    ] = False,
    prune_baseline: Annotated[
        bool, typer.Option("--prune-baseline", help="Take entries out of the baseline that are no longer found.")
    ] = False,
    since: Annotated[
        str | None,
        typer.Option(
            "--since",
            metavar="REF",
            help="Report only what the tree at this commit did not have; main... is where HEAD left main.",
        ),
    ] = None,
    fix: Annotated[
        bool,
        typer.Option("--fix", help="Mend findings in the files, where training and scores stay as they are."),
    ] = False,
    unsafe_fixes: Annotated[
        bool, typer.Option("--unsafe-fixes", help="With --fix or --diff: also what changes training or scores.")
    ] = False,
    show_diff: Annotated[
        bool, typer.Option("--diff", help="Print what --fix would change, as a unified diff, and write nothing.")
    ] = False,
    strict: Annotated[bool, typer.Option("--strict", help="Exit 3 when a file could not be read.")] = False,
    show_passed: Annotated[
        bool, typer.Option("--show-passed", help="Also list what is in order and what could not be decided.")
    ] = False,
    show_settings: Annotated[
        bool, typer.Option("--show-settings", help="Print the settings that hold, and where they stand, and exit.")
    ] = False,
    jobs: Annotated[
        int | None,
        typer.Option(
            "--jobs", "-j", metavar="N", min=1, help="Processes for a large tree (default: one per processor)."
        ),
    ] = None,
    no_cache: Annotated[
        bool, typer.Option("--no-cache", help="Compute everything; use no answers of earlier audits and keep none.")
    ] = False,
    output_format: Annotated[
        str,
        typer.Option("--format", metavar="FORMAT", help=f"{', '.join(FORMATS)}.", autocompletion=offering(*FORMATS)),
    ] = "text",
    output: OutputOption = None,
    quiet: QuietOption = False,
    no_color: NoColorOption = False,
    debug: DebugOption = False,
) -> None:
    """Audit training repositories without running them: values that reach loaders, random crops, loops, metrics."""
    request = CheckRequest(
        paths=tuple(paths or ()),
        select=tuple(select or ()),
        ignore=tuple(ignore or ()),
        fail_on=fail_on,
        preview=preview,
        profile=profile,
        rules=tuple(rules or ()),
        baseline=baseline,
        write_baseline=write_baseline,
        prune_baseline=prune_baseline,
        since=since,
        fix=fix,
        unsafe_fixes=unsafe_fixes,
        show_diff=show_diff,
        strict=strict,
        show_passed=show_passed,
        show_settings=show_settings,
        jobs=jobs,
        no_cache=no_cache,
        output_format=output_format,
        output=output,
        quiet=quiet,
        no_color=no_color,
        debug=debug,
    )
    status = carry_out(request, context.obj)
    if status:
        raise typer.Exit(status)
