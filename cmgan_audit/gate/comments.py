"""Comments for the audit in the files of a tree: `# cmgan-audit: ignore[CMG101] -- reason`."""

from __future__ import annotations

import datetime
import io
import re
import tokenize
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path, PurePosixPath
from types import MappingProxyType

from cmgan_audit.finding import Location
from cmgan_audit.lazy_dataclasses import dataclass
from cmgan_audit.lazy_regex import regex
from cmgan_audit.source.discovery import DATA_SUFFIXES, discover
from cmgan_audit.source.notebook import CellLines

# Written in capitals or with an underscore it is meant all the same; to pass over it in silence helps nobody.
MARK = regex(rb"cmgan[-_]audit:", re.IGNORECASE)
_MARK = r"(?i:cmgan[-_]audit):"

# What begins a comment, where that is not "#". JSON has no comments, and in a text for people they would be read.
_SIGNS = {".json5": "//", ".jsonc": "//", ".ini": "[#;]", ".cfg": "[#;]", ".conf": "[#;]"}
_WITHOUT = frozenset({".json", ".md", ".rst"})
# Where a backslash at the end of a line is a character like others, as in a path of Windows.
_LINE_BY_LINE = DATA_SUFFIXES - {".json"}

_BETWEEN_STATEMENTS = frozenset({tokenize.NL, tokenize.COMMENT, tokenize.INDENT, tokenize.DEDENT})

_IGNORE = regex(
    r"ignore\s*\[(?P<rules>[^\]]*)\]\s*(?:until\s*=\s*(?P<until>\S+)\s*)?(?:--\s*(?P<reason>.*))?$", re.DOTALL
)

# Behind the dashes it would be a part of the reason, and never end.
_MISPLACED_DATE = regex(r"\buntil\s*=")

# Line, column, the comment itself, and what stands before it on its line.
_Comment = tuple[int, int, str, str]


@dataclass(frozen=True, slots=True)
class Suppression:
    """One comment: the rules it names, its reason, its date, whether it stands alone, and the lines it holds for.

    These are the line that it stands on, or the next one that is no such comment where it stands alone: all lines of
    the statement of Python that ends or begins there. And all that go on behind a backslash, where no comment can
    stand.
    """

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
    first: int
    last: int

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
    files = discover(root, exclude).files
    paths = (path for kind in ("python", "notebook", "data", "launcher") for path in files[kind])
    return sorted(path for path in paths if PurePosixPath(path).suffix.lower() not in _WITHOUT and not _readme(path))


def _readme(path: str) -> bool:
    return PurePosixPath(path).name.lower().startswith("readme")


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
            text = content.decode("utf-8", errors="replace")
            suffix = PurePosixPath(path).suffix.lower()
            found += _in_notebook(path, text) if suffix == ".ipynb" else _in_text(path, text, suffix)
    return found


def _in_notebook(path: str, text: str) -> Iterator[Suppression]:
    """The suppressions in the code cells of a notebook, with places in the file, as those of findings are.

    In a notebook that has its code on fewer lines than its cells have, a line of the file tells no line of a cell.
    """
    notebook = CellLines(text)
    cells = list(notebook.by_cell())
    starts = [notebook.stands(line, 1).line for cell in cells for line in cell]
    if len(set(starts)) < len(starts):
        return
    for cell in cells:
        lines = [notebook.stands(line, 1).line for line in cell]
        for inside in _in_text(path, "\n".join(line.text for line in cell), ".py"):
            here = cell[inside.line - 1]
            begin, end = (notebook.stands(here, column) for column in (inside.column, inside.end_column))
            below = lines[-1] + 1  # no code stands there: what is above it holds for nothing
            first, last = (
                lines[number - 1] if number <= len(lines) else below for number in (inside.first, inside.last)
            )
            yield replace(inside, line=begin.line, column=begin.column, end_column=end.column, first=first, last=last)


def _in_text(path: str, text: str, suffix: str) -> list[Suppression]:
    sign = _SIGNS.get(suffix, "#")
    tokens = _tokens(text) if suffix in (".py", ".pyw") else []
    comments = list(_token_comments(tokens) if tokens else _line_comments(text, sign))
    alone = {line for line, _, _, before in comments if not before.strip()}
    going_on = frozenset() if suffix in _LINE_BY_LINE else _going_on(text)
    statements = _statements(tokens)
    begins = {end: begin for begin, end in statements.items()}
    found = []
    for line, column, comment, _ in comments:
        match = re.search(rf"{sign}\s*{_MARK}\s*(?P<body>.*)$", comment)
        if match is None:
            continue
        body = re.split(rf"\s+{sign}\s", match["body"])[0].strip()  # what stood behind before; "see #12" goes on
        form = _IGNORE.match(body)
        rules = tuple(part.strip() for part in form["rules"].split(",") if part.strip()) if form else ()
        until = (form["until"] or "") if form else ""
        reason = (form["reason"] or "").strip() if form else ""
        dated = (not until or _date(until) is not None) and not _MISPLACED_DATE.search(reason)
        first, last = _held(line, alone, going_on)
        # A formatter that divides a long line leaves the comment behind the closing bracket.
        first, last = (
            (first, statements.get(first, last)) if line in alone else (min(first, begins.get(line, first)), last)
        )
        found.append(
            Suppression(
                path=path,
                line=line,
                column=column + match.start(),
                end_column=column + len(comment),
                body=body,
                rules=rules,
                reason=reason,
                until=until,
                alone=line in alone,
                readable=bool(rules) and dated,
                first=first,
                last=last,
            )
        )
    return found


def _held(line: int, alone: Collection[int], going_on: Collection[int]) -> tuple[int, int]:
    """The first and the last line that the comment on a line holds for."""
    first = line
    while first in alone:
        first += 1
    last = first
    while last in going_on:
        last += 1
    while line not in alone and first - 1 in going_on:
        first -= 1
    return first, last


def _going_on(text: str) -> frozenset[int]:
    """The lines that go on in the next one."""
    lines = _lines(text)
    return frozenset(number for number, line in enumerate(lines[:-1], start=1) if line.endswith("\\"))


def _lines(text: str) -> list[str]:
    return [line.removesuffix("\r") for line in text.split("\n")]


def _tokens(text: str) -> list[tokenize.TokenInfo]:
    """The tokens of a Python file; none where it cannot be divided into them."""
    try:
        return list(tokenize.generate_tokens(io.StringIO(text).readline))
    except (tokenize.TokenError, SyntaxError, ValueError):
        return []


def _token_comments(tokens: Iterable[tokenize.TokenInfo]) -> Iterator[_Comment]:
    """The comments of a Python file; a text that looks like one inside a string is none."""
    for token in tokens:
        if token.type == tokenize.COMMENT and MARK.search(token.string.encode(errors="replace")):
            yield token.start[0], token.start[1] + 1, token.string, token.line[: token.start[1]]


def _statements(tokens: Iterable[tokenize.TokenInfo]) -> dict[int, int]:
    """The first and the last line of every statement, of a compound one those of its head."""
    ends: dict[int, int] = {}
    begin = 0
    for token in tokens:
        if token.type == tokenize.NEWLINE:
            ends[begin] = token.start[0]
            begin = 0
        elif not begin and token.type not in _BETWEEN_STATEMENTS:
            begin = token.start[0]
    return ends


def _line_comments(text: str, sign: str) -> Iterator[_Comment]:
    for number, line in enumerate(_lines(text), start=1):
        match = re.search(rf"(?:^|(?<=\s)){sign}\s*{_MARK}", line)
        if match:
            yield number, match.start() + 1, line[match.start() :], line[: match.start()]


def _date(text: str) -> datetime.date | None:
    try:
        return datetime.date.fromisoformat(text)
    except ValueError:
        return None
