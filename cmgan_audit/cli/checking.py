"""What `check` does, once its words are read. Typer is not loaded here: it takes a tenth of a small tree's audit."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from cmgan_audit.cli.common import choice, wants_color, write_document
from cmgan_audit.cli.streams import say
from cmgan_audit.errors import UsageError
from cmgan_audit.lazy_dataclasses import dataclass

if TYPE_CHECKING:
    from cmgan_audit.gate.audited import Audited
    from cmgan_audit.gate.baseline import Baseline
    from cmgan_audit.gate.check import Auditor
    from cmgan_audit.gate.flags import Flags
    from cmgan_audit.gate.recall import Asked
    from cmgan_audit.gate.settings import Settings
    from cmgan_audit.gate.writing import Fixes

FORMATS = ("text", "json", "sarif", "github", "gitlab", "junit", "markdown", "html")
DEFAULT_BASELINE = "cmgan-audit-baseline.json"


@dataclass(frozen=True, slots=True)
class CheckRequest:
    """What `check` is asked for: a field per option, named as the parameters of the command in `cli/check.py`."""

    paths: tuple[Path, ...] = ()
    select: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    fail_on: str | None = None
    preview: bool = False
    profile: str | None = None
    rules: tuple[Path, ...] = ()
    baseline: Path | None = None
    write_baseline: bool = False
    prune_baseline: bool = False
    since: str | None = None
    fix: bool = False
    unsafe_fixes: bool = False
    show_diff: bool = False
    strict: bool = False
    show_passed: bool = False
    show_settings: bool = False
    jobs: int | None = None
    no_cache: bool = False
    output_format: str = "text"
    output: Path | None = None
    quiet: bool = False
    no_color: bool = False
    debug: bool = False


def carry_out(request: CheckRequest, asked: Asked | None) -> int:
    """Audit what is asked for, print it, and return the exit status.

    Args:
        request: what is asked for.
        asked: the command line by which the outcome can be kept; None where none is to be kept.

    Raises:
        AuditError: options do not go together, settings are wrong, or there is nothing to audit.
    """
    from cmgan_audit.gate.audited import exit_status
    from cmgan_audit.gate.paths import asked_for, audit_paths, outermost, outside_of, part_of
    from cmgan_audit.rules.profile import is_own_file

    paths = request.paths or (Path(),)
    flags = _flags(request)
    parts = outermost(asked_for(paths), lambda root: flags.settings(root).exclude)
    roots = list(parts)
    _refuse_contradictions(request, len(roots))
    settings = flags.settings(roots[0])
    if request.show_settings:
        from cmgan_audit.report.settings_text import show

        write_document(show(settings), request.output)
        return 0
    known = _baseline(request, settings)
    if request.write_baseline:
        target, narrowed = known or roots[0] / DEFAULT_BASELINE, bool(request.select or request.ignore)
        _write_baseline(flags.auditor(settings), roots[0], target, narrowed=narrowed, quiet=request.quiet)
        if not request.quiet and target != _configured(settings):
            say("it counts with --baseline and this file, or always with the setting `baseline`")
        return 0
    if request.prune_baseline and known is not None:
        _prune_baseline(flags.auditor(settings), roots[0], known, request.quiet)
    fixes = _fixes(request)
    since = _since(request)

    def audit(root: Path, names: frozenset[str]) -> Audited:
        own = settings if root == roots[0] else flags.settings(root)
        at = known if root == roots[0] else _configured(own)
        auditor = flags.auditor(own)

        def look(overlay: Mapping[str, bytes]) -> Audited:
            return part_of(auditor.audit(root, baseline=at, since=since, overlay=overlay), names)

        return look({}) if fixes is None else fixes.make(root, look)

    audited = audit_paths(parts, audit)
    document = _print(request, audited, fixes)
    status = exit_status(audited, settings.fail_on, strict=request.strict)
    if known is not None and not request.quiet and any(finding.counts for finding in audited.findings):
        _tell_lost_names(known, roots[0])
    left_out = [*outside_of(parts)]
    for inner, top in () if request.quiet else left_out:
        say(f"only {inner} was looked at; scripts elsewhere in {top} may use it otherwise: check that folder too")
    alone = len(roots) == 1 and fixes is None and known is None and not left_out
    own = flags.rules or settings.rules or is_own_file(settings.profile)  # files that the footprint does not hold
    if asked is not None and alone and not (request.output or request.since or request.no_cache or own):
        _keep(asked, document, status, roots[0], audited)
    return status


def _refuse_contradictions(request: CheckRequest, folders: int) -> None:
    """Raise a UsageError where options do not go together, or have no such value."""
    from cmgan_audit.finding import FAIL_ON

    choice("--format", request.output_format, FORMATS)
    if request.fail_on is not None:
        choice("--fail-on", request.fail_on, FAIL_ON)
    writes, fixes = request.write_baseline or request.prune_baseline, request.fix or request.show_diff
    if folders > 1 and (request.baseline or writes or request.since):
        raise UsageError("--baseline, --write-baseline, --prune-baseline and --since take one folder")
    if request.since is not None and not request.since.strip():  # a variable of CI that is not set
        raise UsageError("--since names no commit; leave it out to see all findings")
    if request.write_baseline and request.since:
        raise UsageError("--write-baseline writes all findings; leave --since out")
    if request.write_baseline and request.prune_baseline:
        raise UsageError("--write-baseline leaves nothing to prune; leave --prune-baseline out")
    if request.unsafe_fixes and not fixes:
        raise UsageError("--unsafe-fixes goes with --fix or --diff")
    if fixes and writes:
        raise UsageError("--fix and --diff do not go with --write-baseline or --prune-baseline")
    if request.show_diff and request.output_format != "text":
        raise UsageError("--diff prints a diff; leave --format out")


def _flags(request: CheckRequest) -> Flags:
    from cmgan_audit.gate.flags import Flags

    return Flags(
        select=_words(request.select),
        ignore=_words(request.ignore),
        fail_on=request.fail_on,
        preview=request.preview,
        profile=request.profile,
        rules=request.rules,
        jobs=request.jobs,
        cached=not request.no_cache,
    )


def _since(request: CheckRequest) -> str:
    if not request.since:
        return ""
    from cmgan_audit.gate.since import under_pre_commit

    return under_pre_commit(request.since, os.environ)


def _fixes(request: CheckRequest) -> Fixes | None:
    if not (request.fix or request.show_diff):
        return None
    from cmgan_audit.gate.writing import Fixes

    return Fixes(unsafe=request.unsafe_fixes, write=not request.show_diff)


def _print(request: CheckRequest, audited: Audited, fixes: Fixes | None) -> str:
    """Print the findings, or with `--diff` the fixes, and return what was printed of findings."""
    if fixes is None or not request.show_diff:
        colored = wants_color(request.no_color, request.output)
        document = _render(audited, request.output_format, colored, request.show_passed)
        write_document(document, request.output)
        return document
    from cmgan_audit.report.wording import would_fix

    if fixes.diff:
        write_document(fixes.diff, request.output)
    if not request.quiet:
        say(would_fix(fixes.made, () if request.unsafe_fixes else audited.open))
    return ""


def _keep(asked: Asked, document: str, status: int, root: Path, audited: Audited) -> None:
    """Keep the outcome for the next time that the same is asked."""
    sys.stdout.flush()  # whoever waits for the document has it before this begins
    places = [step.location for finding in audited.findings for step in finding.trail]
    places += [finding.location for finding in audited.findings if finding.location is not None]
    asked.keep(document, status, root, audited.asked, {place.path for place in places})


def _words(values: tuple[str, ...]) -> tuple[str, ...] | None:
    """The words of an option that may be repeated and holds a list; None when it is not given."""
    if not values:
        return None
    return tuple(word.strip() for value in values for word in value.split(",") if word.strip())


def _baseline(request: CheckRequest, settings: Settings) -> Path | None:
    """The file of known findings that is asked for or configured; one that is to be written need not be there.

    Raises:
        UsageError: the configured one is not there, or there is none to prune.
    """
    if request.baseline is not None:
        return request.baseline
    known = _configured(settings)
    if known is None and request.prune_baseline:
        raise UsageError("--prune-baseline needs --baseline FILE, or the setting `baseline`")
    if known is not None and not request.write_baseline and not known.is_file():
        reason = f"{settings.baseline!r}: no such file; --write-baseline makes it"
        raise UsageError(f"{settings.source}: baseline: {reason}")
    return known


def _configured(settings: Settings) -> Path | None:
    return settings.folder / settings.baseline if settings.baseline else None


def _write_baseline(auditor: Auditor, root: Path, target: Path, *, narrowed: bool, quiet: bool) -> None:
    """Write the findings of an audit down; with some rules only, the entries of the others stay as they are."""
    from cmgan_audit.gate.baseline import baseline_of, write_baseline
    from cmgan_audit.gate.baselined import with_commit_of, with_others
    from cmgan_audit.report.wording import count

    audited = auditor.audit(root)
    made = baseline_of(audited.findings, root)
    before = _before(target, narrowed=narrowed)
    if before is not None:
        made = with_commit_of(before, made, audited.findings, root)
        made = with_others(made, before, audited.rules) if narrowed else made
    write_baseline(target, made)
    if not quiet:
        say(f"{target}: {count(sum(entry.count for entry in made.entries), 'known finding')}")


def _before(target: Path, *, narrowed: bool) -> Baseline | None:
    """The baseline whose place another one takes; one that cannot be read is in the way only if entries of it stay."""
    from cmgan_audit.gate.baseline import read_baseline

    if not target.is_file():
        return None
    try:
        return read_baseline(target)
    except UsageError:
        if narrowed:
            raise
        return None


def _tell_lost_names(known: Path, root: Path) -> None:
    from cmgan_audit.gate.baseline import read_baseline
    from cmgan_audit.gate.baselined import lacks_history

    if lacks_history(read_baseline(known), root):
        lost = "this shallow clone lacks its commit, so what was renamed since may count as new and as gone"
        say(f"{known}: {lost}: fetch its history too (actions/checkout: `fetch-depth: 0`)")


def _prune_baseline(auditor: Auditor, root: Path, target: Path, quiet: bool) -> None:
    from cmgan_audit.gate.baseline import read_both_sides, write_baseline
    from cmgan_audit.gate.baselined import prune
    from cmgan_audit.report.wording import count

    before = read_both_sides(target)
    pruned = prune(before, auditor.audit(root), root, auditor.as_at(root))
    write_baseline(target, pruned)
    gone = sum(entry.count for entry in before.entries) - sum(entry.count for entry in pruned.entries)
    if not quiet:
        say(f"{target}: {count(gone, 'stale finding')} taken out")


def _render(audited: Audited, output_format: str, color: bool, show_passed: bool) -> str:
    if output_format == "text":
        from cmgan_audit.report.check_text import render

        return render(audited, color=color, show_passed=show_passed)
    from importlib import import_module

    modules = {"json": "check_json", "markdown": "check_markdown", "html": "html.check"}
    module = modules.get(output_format, output_format)
    document: str = import_module(f"cmgan_audit.report.{module}").render(audited)
    return document
