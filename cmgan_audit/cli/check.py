"""`cmgan-audit check`: the static audit of training repositories."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cmgan_audit.cli.common import (
    DebugOption,
    NoColorOption,
    OutputOption,
    QuietOption,
    choice,
    wants_color,
    write_document,
)
from cmgan_audit.cli.plain_words import PlainCommand
from cmgan_audit.errors import UsageError

if TYPE_CHECKING:
    from cmgan_audit.gate.audited import Audited
    from cmgan_audit.gate.check import Auditor
    from cmgan_audit.gate.recall import Asked
    from cmgan_audit.gate.settings import Settings

CLASS = PlainCommand
EPILOG = """Examples:

  cmgan-audit check

  cmgan-audit check ~/src/CMGAN --select CMG1,CMG201 --format json

  cmgan-audit check --since main --fail-on warning

  cmgan-audit check --write-baseline   # know today's findings, fail only on new ones

  cmgan-audit check --diff --unsafe-fixes   # see the fixes; --fix makes them

Exit status: 0 nothing at or above --fail-on, 1 findings at or above it, 2 wrong usage or settings, 3 nothing to
analyse, no file that could be read, or with --strict one that could not.
"""

FORMATS = ("text", "json", "sarif", "github", "gitlab", "junit", "markdown", "html")
DEFAULT_BASELINE = "cmgan-audit-baseline.json"


def check(
    context: typer.Context,
    paths: Annotated[
        list[Path] | None,
        typer.Argument(metavar="PATH", help="Training repositories: folders, or a file of one (default: .)."),
    ] = None,
    select: Annotated[
        list[str] | None,
        typer.Option("--select", metavar="RULES", help="Run only these: ids, names, beginnings of ids; commas join."),
    ] = None,
    ignore: Annotated[list[str] | None, typer.Option("--ignore", metavar="RULES", help="Do not run these.")] = None,
    fail_on: Annotated[
        str | None,
        typer.Option("--fail-on", metavar="SEVERITY", help="error (default), warning, note or never."),
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
        str, typer.Option("--since", metavar="REF", help="Report only what the tree at this commit did not have.")
    ] = "",
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
    output_format: Annotated[str, typer.Option("--format", help=f"{', '.join(FORMATS)}.")] = "text",
    output: OutputOption = None,
    quiet: QuietOption = False,
    no_color: NoColorOption = False,
    debug: DebugOption = False,
) -> None:
    """Audit training repositories without running them: values that reach loaders, random crops, loops, metrics."""
    from cmgan_audit.gate.audited import exit_status
    from cmgan_audit.gate.flags import Flags
    from cmgan_audit.gate.paths import audit_paths, part_of, root_of
    from cmgan_audit.report.settings_text import show
    from cmgan_audit.report.wording import would_fix
    from cmgan_audit.rules.profile import is_own_file

    choice("--format", output_format, FORMATS)
    roots = [root_of(path) for path in paths or [Path()]]
    flags = Flags(
        select=_words(select),
        ignore=_words(ignore),
        fail_on=None if fail_on is None else choice("--fail-on", fail_on, ("error", "warning", "note", "never")),
        preview=preview,
        profile=profile,
        rules=tuple(rules or ()),
        jobs=jobs,
        cached=not no_cache,
    )
    if len(roots) > 1 and (baseline or write_baseline or prune_baseline or since):
        raise UsageError("--baseline, --write-baseline, --prune-baseline and --since take one PATH")
    if unsafe_fixes and not (fix or show_diff):
        raise UsageError("--unsafe-fixes goes with --fix or --diff")
    if (fix or show_diff) and (write_baseline or prune_baseline):
        raise UsageError("--fix and --diff do not go with --write-baseline or --prune-baseline")
    if show_diff and output_format != "text":
        raise UsageError("--diff prints a diff; leave --format out")
    settings = flags.settings(roots[0])
    if show_settings:
        write_document(show(settings), output)
        return
    known = baseline or _configured(settings)
    if prune_baseline and known is None:
        raise UsageError("--prune-baseline needs --baseline FILE, or the setting `baseline`")
    if write_baseline:
        _write_baseline(flags.auditor(settings), roots[0], known or roots[0] / DEFAULT_BASELINE, quiet)
        return
    if prune_baseline and known is not None:
        _prune_baseline(flags.auditor(settings), roots[0], known, quiet)

    fixes = None
    if fix or show_diff:
        from cmgan_audit.gate.writing import Fixes

        fixes = Fixes(unsafe=unsafe_fixes, write=not show_diff)

    def audit(path: Path) -> Audited:
        root = root_of(path)
        auditor = flags.auditor(settings if root == roots[0] else flags.settings(root))

        def look(overlay: Mapping[str, bytes]) -> Audited:
            at = known if len(roots) == 1 else None
            return part_of(auditor.audit(root, baseline=at, since=since, overlay=overlay), path)

        return look({}) if fixes is None else fixes.make(root, look)

    audited = audit_paths(paths or [Path()], audit)
    if fixes is not None and show_diff:
        if fixes.diff:
            write_document(fixes.diff, output)
        if not quiet:
            typer.echo(would_fix(fixes.made, () if unsafe_fixes else audited.open), err=True)
    else:
        document = _render(audited, output_format, wants_color(no_color, output), show_passed)
        write_document(document, output)
    status = exit_status(audited, settings.fail_on, strict=strict)
    plain = fixes is None and output is None and not since and known is None and not prune_baseline
    own = flags.rules or settings.rules or is_own_file(settings.profile)  # files that the footprint does not hold
    if context.obj is not None and plain and len(roots) == 1 and not (no_cache or own):
        _keep(context.obj, document, status, roots[0], audited)
    if status:
        raise typer.Exit(status)


def _keep(asked: Asked, document: str, status: int, root: Path, audited: Audited) -> None:
    """Keep the outcome for the next time that the same is asked."""
    sys.stdout.flush()  # whoever waits for the document has it before this begins
    places = [step.location for finding in audited.findings for step in finding.trail]
    places += [finding.location for finding in audited.findings if finding.location is not None]
    asked.keep(document, status, root, audited.asked, {place.path for place in places})


def _words(values: list[str] | None) -> tuple[str, ...] | None:
    """The words of an option that may be repeated and holds a list; None when it is not given."""
    if values is None:
        return None
    return tuple(word.strip() for value in values for word in value.split(",") if word.strip())


def _configured(settings: Settings) -> Path | None:
    return settings.folder / settings.baseline if settings.baseline else None


def _write_baseline(auditor: Auditor, root: Path, target: Path, quiet: bool) -> None:
    from cmgan_audit.gate.baseline import baseline_of, write_baseline
    from cmgan_audit.report.wording import count

    made = baseline_of(auditor.audit(root).findings, root)
    write_baseline(target, made)
    if not quiet:
        typer.echo(f"{target}: {count(sum(entry.count for entry in made.entries), 'known finding')}", err=True)


def _prune_baseline(auditor: Auditor, root: Path, target: Path, quiet: bool) -> None:
    from cmgan_audit.gate.baseline import prune, read_baseline, write_baseline
    from cmgan_audit.report.wording import count

    before = read_baseline(target)
    pruned = prune(before, auditor.audit(root), root)
    write_baseline(target, pruned)
    gone = sum(entry.count for entry in before.entries) - sum(entry.count for entry in pruned.entries)
    if not quiet:
        typer.echo(f"{target}: {count(gone, 'stale finding')} taken out", err=True)


def _render(audited: Audited, output_format: str, color: bool, show_passed: bool) -> str:
    if output_format == "text":
        from cmgan_audit.report.check_text import render

        return render(audited, color=color, show_passed=show_passed)
    from importlib import import_module

    modules = {"json": "check_json", "markdown": "check_markdown", "html": "html.check"}
    module = modules.get(output_format, output_format)
    document: str = import_module(f"cmgan_audit.report.{module}").render(audited)
    return document
