"""Inline suppressions: `# cmgan-audit: ignore[CMG101] -- reason`, on the line of the finding or on the line above.

A suppression counts only with a reason, and until its date when it has one (`until=2027-01-31`). One that is wrong in
some way, or that suppresses nothing, is a finding of its own.
"""

from __future__ import annotations

import datetime
import io
import re
import tokenize
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType

from cmgan_audit.finding import Confidence, Finding, Location, Step
from cmgan_audit.lazy_dataclasses import dataclass
from cmgan_audit.rules.catalogue import Catalogue
from cmgan_audit.rules.nearest import unknown_word
from cmgan_audit.rules.rule import Rule
from cmgan_audit.source.discovery import discover

# Written in capitals or with an underscore it is meant all the same; to pass over it in silence helps nobody.
MARK = re.compile(rb"cmgan[-_]audit:", re.IGNORECASE)
_MARK = r"(?i:cmgan[-_]audit):"
SUFFIXES = frozenset({".py", ".yaml", ".yml", ".toml", ".sh", ".bash", ".zsh", ".cfg", ".ini", ".mk"})
NAMES = frozenset({"Makefile"})

_COMMENT = re.compile(rf"#\s*{_MARK}\s*(?P<body>.*)$")
_NEXT_COMMENT = re.compile(r"\s+#\s")  # what stood behind the line before; "see #12" goes on
_IGNORE = re.compile(
    r"ignore\s*\[(?P<rules>[^\]]*)\]\s*(?:until\s*=\s*(?P<until>\S+)\s*)?(?:--\s*(?P<reason>.*))?$", re.DOTALL
)

NO_REASON, UNKNOWN_RULE, UNUSED, EXPIRED, MALFORMED = "CMG901", "CMG902", "CMG903", "CMG904", "CMG905"


@dataclass(frozen=True, slots=True)
class Suppression:
    """One comment: the rules it names, its reason, its date, and whether it stands alone on its line."""

    path: str
    line: int
    column: int
    end_column: int
    body: str
    rules: tuple[str, ...]
    reason: str
    until: str
    alone: bool
    readable: bool

    @property
    def location(self) -> Location:
        """Where the comment stands."""
        return Location(self.path, self.line, self.column, self.line, self.end_column)

    def expired(self, today: datetime.date) -> bool:
        """Whether its date has passed; the date itself still counts."""
        date = _date(self.until)
        return date is not None and date < today


def commented_files(root: Path, exclude: Sequence[str]) -> list[str]:
    """Return the files of the audited tree that can hold suppressions, relative to it."""
    found = discover(root, exclude)
    paths = (path for paths in found.files.values() for path in paths)
    return sorted(path for path in paths if Path(path).suffix in SUFFIXES or Path(path).name in NAMES)


def read_suppressions(
    root: Path, paths: Iterable[str], overlay: Mapping[str, bytes] = MappingProxyType({})
) -> list[Suppression]:
    """Read the suppressions of the files that can hold comments.

    Args:
        root: the audited folder.
        paths: files relative to it; one that cannot be read holds none.
        overlay: contents that count instead of those on disk, by path.
    """
    found: list[Suppression] = []
    for path in sorted(set(paths)):
        file = root / path
        try:
            content = overlay[path] if path in overlay else file.read_bytes()
        except OSError:
            continue  # the collectors report files that cannot be read
        if MARK.search(content):
            found += _in_text(path, content.decode("utf-8", errors="replace"), python=file.suffix == ".py")
    return found


def _in_text(path: str, text: str, *, python: bool) -> list[Suppression]:
    found = []
    for line, column, comment, before in _python_comments(text) if python else _line_comments(text):
        match = _COMMENT.search(comment)
        if match is None:
            continue
        body = _NEXT_COMMENT.split(match["body"])[0].strip()
        form = _IGNORE.match(body)
        rules = tuple(part.strip() for part in form["rules"].split(",") if part.strip()) if form else ()
        until = (form["until"] or "") if form else ""
        found.append(
            Suppression(
                path=path,
                line=line,
                column=column + match.start(),
                end_column=column + len(comment),
                body=body,
                rules=rules,
                reason=((form["reason"] or "").strip()) if form else "",
                until=until,
                alone=not before.strip(),
                readable=bool(rules) and (not until or _date(until) is not None),
            )
        )
    return found


def _python_comments(text: str) -> list[tuple[int, int, str, str]]:
    """The comments of a Python file; a text that looks like one inside a string is none."""
    try:
        tokens = list(tokenize.generate_tokens(io.StringIO(text).readline))
    except (tokenize.TokenError, SyntaxError, ValueError):
        return _line_comments(text)
    comments = [token for token in tokens if token.type == tokenize.COMMENT]
    return [(token.start[0], token.start[1] + 1, token.string, token.line[: token.start[1]]) for token in comments]


def _line_comments(text: str) -> list[tuple[int, int, str, str]]:
    found = []
    for number, line in enumerate(text.splitlines(), start=1):
        match = re.search(rf"(?:^|(?<=\s))#\s*{_MARK}", line)
        if match:
            found.append((number, match.start() + 1, line[match.start() :], line[: match.start()]))
    return found


def _date(text: str) -> datetime.date | None:
    try:
        return datetime.date.fromisoformat(text)
    except ValueError:
        return None


def apply_suppressions(
    findings: Sequence[Finding],
    suppressions: Sequence[Suppression],
    catalogue: Catalogue,
    running: Mapping[str, Rule],
    today: datetime.date,
) -> list[Finding]:
    """Mark the findings that a suppression covers, and add those about suppressions themselves.

    Args:
        findings: all findings of the audited tree.
        suppressions: the comments of its files.
        catalogue: every rule that can be named.
        running: the rules that ran, by id; only for these can a suppression be unused.
        today: the date that `until` is held against.
    """
    used: set[tuple[Suppression, str]] = set()
    marked = []
    for finding in findings:
        cover = next((each for each in suppressions if _covers(each, finding, catalogue, suppressions)), None)
        if cover is not None:
            used |= {(cover, word) for word in cover.rules if _names(word, finding.rule, catalogue)}
            if cover.reason and not cover.expired(today):
                finding = replace(finding, suppressed=cover.reason)
        marked.append(finding)
    about = [
        problem
        for suppression in suppressions
        for problem in _problems(suppression, used, catalogue, running, today)
        if problem.rule in running
    ]
    return marked + about


def _covers(suppression: Suppression, finding: Finding, catalogue: Catalogue, others: Sequence[Suppression]) -> bool:
    place = finding.location
    if place is None or place.path != suppression.path or not suppression.readable:
        return False
    if not any(_names(word, finding.rule, catalogue) for word in suppression.rules):
        return False
    if not suppression.alone:
        return place.line <= suppression.line <= (place.end_line or place.line)
    # Comments that stand alone hold for the next line that is not such a comment itself.
    below = suppression.line + 1
    taken = {each.line for each in others if each.path == suppression.path and each.alone}
    while below in taken:
        below += 1
    return place.line == below


def _names(word: str, rule: str, catalogue: Catalogue) -> bool:
    return word.upper() == rule or (rule in catalogue and catalogue[rule].name == word.casefold())


def _problems(
    suppression: Suppression,
    used: set[tuple[Suppression, str]],
    catalogue: Catalogue,
    running: Mapping[str, Rule],
    today: datetime.date,
) -> Iterable[Finding]:
    raise_ = _raiser(suppression, catalogue)
    if not suppression.readable:
        yield raise_(MALFORMED, body=suppression.body)
        return
    known = [name for rule in catalogue for name in (rule.id, rule.name)]
    for word in suppression.rules:
        named = next((rule.id for rule in catalogue if _names(word, rule.id, catalogue)), None)
        if named is None:
            yield raise_(UNKNOWN_RULE, problem=unknown_word("rule", word, known).split(";")[0])
        elif (suppression, word) not in used and named in running:
            yield raise_(UNUSED, named=word)
    if not suppression.reason:
        yield raise_(NO_REASON, rules=", ".join(suppression.rules))
    if suppression.expired(today):
        yield raise_(EXPIRED, rules=", ".join(suppression.rules), until=suppression.until)


def _raiser(suppression: Suppression, catalogue: Catalogue) -> Callable[..., Finding]:
    def raise_(identifier: str, **words: object) -> Finding:
        rule = catalogue[identifier]
        return Finding(
            rule=rule.id,
            name=rule.name,
            severity=rule.severity,
            confidence=Confidence.HIGH,
            message=rule.message.format(**words),
            location=suppression.location,
            trail=(Step(suppression.location, "the suppression stands here"),),
            anchor=suppression.body,
        )

    return raise_
