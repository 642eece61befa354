"""The static audit as a whole: collect, match, suppress, compare with the baseline, leave what counts."""

from __future__ import annotations

import datetime
import fnmatch
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import field, replace
from functools import cached_property
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

from cmgan_audit.errors import InputError
from cmgan_audit.finding import Finding
from cmgan_audit.gate.audited import Audited, Collect, Coverage, Look, Mend
from cmgan_audit.gate.comments import commented_files, read_suppressions
from cmgan_audit.gate.profiles import parameters_of, profile_of, with_references
from cmgan_audit.gate.roles import unmatched_roles
from cmgan_audit.gate.selection import matches_rule, selected_rules
from cmgan_audit.gate.settings import Settings
from cmgan_audit.gate.suppression import apply_suppressions
from cmgan_audit.lazy_dataclasses import dataclass
from cmgan_audit.rules.catalogue import Catalogue
from cmgan_audit.rules.matching import Matches, match
from cmgan_audit.rules.record import KINDS, Record
from cmgan_audit.rules.rule import Rule
from cmgan_audit.source.path_patterns import PathPatterns

if TYPE_CHECKING:
    from cmgan_audit.gate.baseline import Baseline

NOTHING: Mapping[str, bytes] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Auditor:
    """Audits trees with one catalogue and one set of settings.

    Attributes:
        catalogue: every rule that can be named.
        settings: of the project, with the command line's flags over them.
        collect: the collectors of the static door.
        today: the date that suppressions are held against.
        kinds: the kinds of record that rules may be over.
        mend: gives findings the edits that would mend them; None where nobody asks for them.
    """

    catalogue: Catalogue
    settings: Settings
    collect: Collect
    today: datetime.date
    kinds: Mapping[str, type[Record]] = field(default_factory=lambda: KINDS)
    mend: Mend | None = None

    def audit(
        self, root: Path, *, baseline: Path | None = None, since: str = "", overlay: Mapping[str, bytes] = NOTHING
    ) -> Audited:
        """Audit a folder.

        Args:
            root: the folder; paths of findings are relative to it.
            baseline: a file of known findings.
            since: a commit, with `...` behind it the one at which HEAD left it; only findings that its tree did not
                have are left.
            overlay: contents that count instead of those on disk, by path.

        Raises:
            InputError: there is nothing to analyse.
            UsageError: the settings, the baseline or the commit are wrong.
        """
        paths = ProjectPaths(self.settings, root)
        # What is wrong with the baseline or the commit is told before the tree is followed.
        known = None if baseline is None else _known(baseline, root)
        commit = _commit(since, root) if since else None
        audited = self._audit_tree(root, paths, overlay)
        findings: Sequence[Finding] = audited.findings
        older = 0
        if commit is not None:
            from cmgan_audit.gate.lost_imports import lost_imports
            from cmgan_audit.gate.since import new_since  # what lays out the older tree is slow to load

            findings, older = new_since(commit, root, findings, self.as_at(root))
            told = {each.location for each in audited.unresolved}
            lost = [each for each in lost_imports(commit, root, paths.exclude) if each.location not in told]
            audited = replace(audited, unresolved=tuple(dict.fromkeys((*audited.unresolved, *lost))))
        if baseline is not None and known is not None:
            from cmgan_audit.gate.baselined import apply_baseline, stale_findings  # only with one

            applied = apply_baseline(findings, known, root, self.as_at(root))
            findings = applied.findings
            if known.complete and not since:  # with --since most entries have no finding to match: that says nothing
                name = Path(os.path.relpath(baseline, root)).as_posix()
                findings = (*findings, *stale_findings(applied.stale, self.catalogue, audited.rules, name))
        return replace(audited, findings=tuple(findings), older=older)

    def as_at(self, root: Path) -> Callable[[Path], Sequence[Finding]]:
        """What audits an earlier tree of a folder, which lies elsewhere, with the settings as they hold there."""
        auditor, paths = replace(self, mend=None), ProjectPaths(self.settings, root)

        def findings(tree: Path) -> Sequence[Finding]:
            try:
                return auditor._audit_tree(tree, paths).findings
            except InputError:  # it held no program yet: everything is new
                return ()

        return findings

    def _audit_tree(self, root: Path, paths: ProjectPaths, overlay: Mapping[str, bytes] = NOTHING) -> Audited:
        rules = {
            rule.id: rule
            for rule in selected_rules(
                self.catalogue, self.settings.select, self.settings.ignore, preview=self.settings.preview
            )
        }
        self.catalogue.judged(self.kinds, ())  # what is wrong in a team's own rule is told before the tree is followed
        collected = self.collect(root, paths.exclude, self.settings.declared, overlay)
        if not collected.coverage.files:
            raise InputError(f"{root}: no Python file or notebook to analyse")
        profile = profile_of(self.settings)
        published, own = parameters_of(profile, self.catalogue), self.settings.parameters()
        parameters = {
            rule.id: {**rule.parameters, **published.get(rule.id, {}), **own.get(rule.id, {})}
            for rule in rules.values()
        }
        records = with_references(collected.records, profile)
        judging = self.catalogue.judged(self.kinds, {type(record) for record in records})
        compiled = [rule for rule in judging if rule.rule.id in rules]
        matches = match(records, compiled, parameters)
        findings, ignored = self._judge(matches, root, paths, rules, overlay)
        findings += unmatched_roles(collected.unmatched, self.catalogue, rules, paths.source)
        if self.mend is not None:
            look = Look(root, paths.exclude, overlay)
            findings = self.mend(findings, matches, records, parameters, look)
        seen = collected.coverage
        return Audited(
            root=root,
            findings=tuple(findings),
            unresolved=tuple(dict.fromkeys((*matches.unresolved, *collected.unresolved))),
            passed=matches.passed,
            coverage=Coverage(seen.files, seen.parsed, tuple(seen.failed), seen.loaders, seen.loaders_resolved),
            rules=rules,
            ignored=ignored,
            asked=collected.asked,
        )

    def _judge(
        self,
        matches: Matches,
        root: Path,
        paths: ProjectPaths,
        rules: Mapping[str, Rule],
        overlay: Mapping[str, bytes],
    ) -> tuple[list[Finding], int]:
        """Apply the project's severities and path ignores, then the suppressions."""
        graded = [
            replace(finding, severity=self.settings.severity_of(finding.rule) or finding.severity)
            for finding in matches.findings
        ]
        kept = [finding for finding in graded if not paths.ignored(finding, self.catalogue[finding.rule])]
        suppressions = read_suppressions(root, commented_files(root, paths.exclude), overlay)
        marked = apply_suppressions(kept, suppressions, self.catalogue, rules, self.today)
        return marked, len(graded) - len(kept)


def _known(baseline: Path, root: Path) -> Baseline:
    from cmgan_audit.gate.baseline import read_baseline

    return read_baseline(baseline).seen_from(root)


def _commit(reference: str, root: Path) -> str | None:
    from cmgan_audit.gate.since import earlier_commit

    return earlier_commit(reference, root)


class ProjectPaths:
    """The path patterns of the settings; they start from the settings file, the paths of findings from the root."""

    def __init__(self, settings: Settings, root: Path) -> None:
        self._settings = settings
        self._root = root
        folder, inner = settings.folder.resolve(), root.resolve()
        self._prefix = f"{inner.relative_to(folder).as_posix()}/" if inner.is_relative_to(folder) else ""
        self._prefix = self._prefix.removeprefix("./")

    @property
    def source(self) -> str:
        """The settings file as it reads from the audited folder; "" where there is none."""
        source = self._settings.source
        return "" if source is None else Path(os.path.relpath(source, self._root)).as_posix()

    @property
    def exclude(self) -> tuple[str, ...]:
        """The patterns of paths that are left out, as they read from the audited folder."""
        inside = (_from_inside(pattern, self._prefix.rstrip("/")) for pattern in self._settings.exclude)
        return tuple(pattern for pattern in inside if pattern)

    def ignored(self, finding: Finding, rule: Rule) -> bool:
        """Whether the settings ignore the rule of a finding at its path."""
        if finding.location is None:
            return False
        path = self._prefix + finding.location.path
        return any(patterns.match(path) for patterns, words in self._ignores if matches_rule(rule, words))

    @cached_property
    def _ignores(self) -> list[tuple[PathPatterns, tuple[str, ...]]]:
        return [(PathPatterns([pattern]), words) for pattern, words in self._settings.per_path_ignores.items()]


def _from_inside(pattern: str, folder: str) -> str:
    """A pattern as it reads from inside a folder; "" where it can match nothing there.

    A pattern with a slash at its beginning or in its middle is tied to the folder of its file, as in .gitignore.
    """
    body = pattern.removeprefix("!")
    if not folder or "/" not in body.rstrip("/") or body.startswith("**/"):
        return pattern
    parts = body.lstrip("/").split("/")
    for name in folder.split("/"):
        if parts[0] == "**":
            break
        if not fnmatch.fnmatchcase(name, parts[0]):
            return ""
        parts = parts[1:]
        if parts in ([], [""]):
            return ""  # the folder itself: it was asked for by its path, which wins
    return f"{pattern[: len(pattern) - len(body)]}/{'/'.join(parts)}"
