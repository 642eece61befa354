"""What the head of a table says about the rest of it: its delimiter, its header, and what each column holds."""

from __future__ import annotations

import csv
import io
import itertools
import re
from collections import Counter
from dataclasses import field

from cmgan_audit.lazy_dataclasses import dataclass
from cmgan_audit.logs.formats.cells import parse_number
from cmgan_audit.logs.roles import counter_kind, doubt_of_step, infer, words_of
from cmgan_audit.logs.roles import table as table_of_roles

_DELIMITERS = ("\t", ";", ",", "|")
_RUN_COLUMNS = {
    "seed",
    "fold",
    "run",
    "run id",
    "run name",
    "experiment",
    "exp",
    "exp name",
    "experiment name",
    "trial",
}
_NAME_COLUMNS = {"metric", "tag", "key", "measure", "series", "metric name"}
_VALUE_COLUMNS = {"value", "val", "score", "scalar"}
_IGNORED = {"wall time", "walltime", "timestamp", "time", "relative time", "date", "runtime", "elapsed", "elapsed time"}


@dataclass(slots=True)
class Column:
    """A column: where it stands, its name, and what it holds."""

    position: int
    name: str
    kind: str  # "epoch", "step", "value", "run", "name", "part", "number", "ignored"


@dataclass(slots=True)
class Table:
    """What the head of the file says about the rest of it."""

    delimiter: str
    decimal_comma: bool
    header: list[str] | None
    columns: list[Column] = field(default_factory=list)


def look_at(head: list[tuple[int, str]], stem: str) -> Table | None:
    """Delimiter, decimal comma and header, from the first lines."""
    texts = [text for _, text in head]
    best: tuple[int, str] | None = None
    for delimiter in (*_DELIMITERS, " "):
        widths = Counter(len(split_cells(text, delimiter)) for text in texts)
        width, count = widths.most_common(1)[0]
        # `1;2,64`: the semicolon separates, the comma is decimal; so the rarer sign that fits every line wins.
        if width > 1 and count >= 0.6 * len(texts):
            best = (width, delimiter)
            break
    if best is None:
        if not all(parse_number(text.strip(), False) is not None for text in texts[1:]) or len(texts) < 2:
            return None
        best = (1, ",")
    width, delimiter = best
    first = [cell.strip().strip("\"'") for cell in split_cells(texts[0], delimiter)]
    comma = delimiter != "," and any(
        re.fullmatch(r"-?\d+,\d+", cell.strip()) for text in texts[1:] for cell in split_cells(text, delimiter)
    )
    named = all(parse_number(cell, comma) is None for cell in first if cell) and any(first)
    rows = [cell.strip().strip("\"'") for text in texts[1:] for cell in split_cells(text, delimiter)]
    if named and not any(parse_number(cell, comma) is not None for cell in rows):
        return None
    if named:
        return Table(delimiter, comma, _unique(first))
    return _unnamed(texts, delimiter, comma, stem)


def commented_head(comment: str, row: str) -> str | None:
    """The header that a comment is, `# epoch loss pesq` right above the first row, as NumPy writes it; else None.

    As many names as the row has numbers, and one of them counts or is a metric or a loss. Words between blanks may be
    prose (`# pesq results`): of them the first counts, or all are known.
    """
    text = comment.strip().lstrip("#/%")
    for delimiter in (*_DELIMITERS, " "):
        # `#` alone is the name of a first column that counts.
        names = [cell.strip() for cell in split_cells(text if delimiter != " " else text.strip(), delimiter)]
        cells = split_cells(row.strip() if delimiter == " " else row, delimiter)
        if len(names) < 2 or len(names) != len(cells) or any(parse_number(cell, False) is None for cell in cells):
            continue
        if any(not name or parse_number(name, False) is not None or set(name) & set("=:") for name in names[1:]):
            continue
        known = [bool(counter_kind(name)) or infer(name).kind in ("metric", "loss") for name in names]
        if any(known) and (delimiter != " " or counter_kind(names[0]) or all(known)):
            return delimiter.join([names[0] or "index", *names[1:]])
    return None


def _unnamed(texts: list[str], delimiter: str, comma: bool, stem: str) -> Table | None:
    """Without a header: rising whole numbers in the first column are epochs; the file names an only other column."""
    rows = [[parse_number(c.strip(), comma) for c in split_cells(t, delimiter)] for t in texts]
    if not any(value is not None for row in rows for value in row):
        return None
    width = max(len(row) for row in rows)
    firsts = [row[0] for row in rows if row and row[0] is not None]
    counts = width > 1 and len(firsts) == len(rows) and all(v == int(v) for v in firsts if abs(v) < 1e15)
    rises = counts and all(a <= b for a, b in itertools.pairwise(firsts)) and len(set(firsts)) > 1
    names = [f"column {i + 1}" for i in range(width)]
    if rises:
        names[0] = "epoch"
    if width - bool(rises) == 1:
        names[-1] = stem
    table = Table(delimiter, comma, None)
    table.columns = [Column(i, n, "epoch" if rises and i == 0 else "number") for i, n in enumerate(names)]
    return table


def _unique(names: list[str]) -> list[str]:
    seen: Counter[str] = Counter()
    out = []
    for position, name in enumerate(names, start=1):
        name = name or f"column {position}"
        seen[name] += 1
        out.append(name if seen[name] == 1 else f"{name} ({seen[name]})")
    return out


def split_cells(text: str, delimiter: str) -> list[str]:
    """The cells of one line; a quoted one may hold the delimiter."""
    if delimiter == " ":
        return text.split()
    if delimiter == "|":
        return text.strip().strip("|").split("|")
    if '"' not in text:
        return text.split(delimiter)
    try:
        return next(csv.reader(io.StringIO(text), delimiter=delimiter), [])
    except csv.Error:
        return text.split(delimiter)


def is_name_column(name: str) -> bool:
    """Whether a column of this name, or without one, may hold what is measured on each row."""
    return not name or " ".join(words_of(name)) in _NAME_COLUMNS or name.startswith("Unnamed:")


def one_step_column(columns: list[Column]) -> None:
    """Of several columns that may count steps, keep the likeliest as such."""
    steps = [column for column in columns if column.kind == "step"]
    for column in steps:
        if column is not min(steps, key=lambda each: doubt_of_step(each.name)):
            column.kind = "number"


def column_kind(name: str) -> str:
    """What a column of this name holds (`Column.kind`)."""
    counter = counter_kind(name)
    if counter:
        return counter
    words = " ".join(words_of(name))
    if words in _RUN_COLUMNS:
        return "run"
    if words in _NAME_COLUMNS:
        return "name"
    if words in _VALUE_COLUMNS:
        return "value"
    if words in table_of_roles().parts:
        return "part"
    if words in _IGNORED or re.search(r"__(?:MIN|MAX)$", name):
        return "ignored"
    if words in ("checkpoint", "ckpt", "model", "checkpoint name", "unnamed 0", "index"):
        return "epoch"
    return "number"
