"""Text logs read by the user's own regular expression (`--pattern`)."""

from __future__ import annotations

import math
import re
from pathlib import Path

from cmgan_audit.logs.opening import read_blocks
from cmgan_audit.logs.roles import RoleBook
from cmgan_audit.logs.runs import RunBuilder, natural_x
from cmgan_audit.logs.series import Note, Reading


def read_pattern(path: Path, source: str, book: RoleBook, pattern: re.Pattern[str]) -> Reading:
    """Read a text log by the user's own regular expression: groups `epoch`, `step`, and one per series.

    Raises:
        InputError: the file cannot be opened.
    """
    builder = RunBuilder(source)
    line = 1
    unreadable = 0
    for block in read_blocks(path, source):
        for text in block.decode("utf-8", errors="replace").splitlines():
            for match in pattern.finditer(text):
                unreadable += _matched(builder, book, match, line)
            line += 1
    notes = [Note(source, 0, f"{unreadable} values matched by --pattern are no numbers")] if unreadable else []
    return Reading(source, "text by --pattern", builder.finish(line - 1), notes)


def _matched(builder: RunBuilder, book: RoleBook, match: re.Match[str], line: int) -> int:
    groups = {name: text for name, text in match.groupdict().items() if text is not None}
    values: dict[str, float] = {}
    bad = 0
    for name, text in groups.items():
        try:
            values[name] = float(text)
        except ValueError:
            bad += 1
    epoch, step = values.pop("epoch", None), values.pop("step", None)
    if epoch is not None and math.isfinite(epoch):
        builder.epoch(epoch, line)
    for name, y in values.items():
        role = book.of(name)
        if role is not None:
            kind, x = natural_x(builder, epoch, step, line)
            builder.add(name, role, kind, x, y, line)
    return bad
