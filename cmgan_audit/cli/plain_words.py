"""Words of `check` that are read without Typer, whose loading takes a tenth of a small tree's audit.

Whatever is not plain, wrong or unusual is left to Typer, so every message is Typer's own.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from cmgan_audit.cli.checking import CheckRequest
from cmgan_audit.lazy_regex import regex

_COUNT = regex(r"[1-9][0-9]{0,3}", re.ASCII)


class NotPlainError(Exception):
    """A word that Typer shall read."""


def plain_request(words: Sequence[str]) -> CheckRequest | None:
    """What the words behind `check` ask for; None where Typer has to read them."""
    try:
        return CheckRequest(**_values(iter(words)))
    except NotPlainError:
        return None


def _values(words: Iterator[str]) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for word in words:
        if not word.startswith("-"):
            values["paths"] = (*values.get("paths", ()), _path(word))
            continue
        name, given, value = word.partition("=")
        if name in SWITCHES and not given:
            values[SWITCHES[name]] = True
        elif name in OPTIONS and (given or (value := next(words, "-"))[:1] != "-"):
            field, read = OPTIONS[name]
            values[field] = (*values.get(field, ()), read(value)) if name in REPEATED else read(value)
        else:
            raise NotPlainError
    return values


def _text(value: str) -> str:
    if not value.isprintable():  # also what is no UTF-8
        raise NotPlainError
    return value


def _path(value: str) -> Path:
    if not _text(value) or not os.access(value, os.R_OK):  # Typer asks whether what exists can be read
        raise NotPlainError
    return Path(value)


def _count(value: str) -> int:
    if not _COUNT.fullmatch(value):
        raise NotPlainError
    return int(value)


SWITCHES = {
    "--preview": "preview",
    "--write-baseline": "write_baseline",
    "--prune-baseline": "prune_baseline",
    "--fix": "fix",
    "--unsafe-fixes": "unsafe_fixes",
    "--diff": "show_diff",
    "--strict": "strict",
    "--show-passed": "show_passed",
    "--show-settings": "show_settings",
    "--no-cache": "no_cache",
    "--quiet": "quiet",
    "-q": "quiet",
    "--no-color": "no_color",
    "--debug": "debug",
}
OPTIONS: dict[str, tuple[str, Callable[[str], Any]]] = {
    "--select": ("select", _text),
    "--ignore": ("ignore", _text),
    "--fail-on": ("fail_on", _text),
    "--profile": ("profile", _text),
    "--rules": ("rules", _path),
    "--baseline": ("baseline", _path),
    "--since": ("since", _text),
    "--jobs": ("jobs", _count),
    "--format": ("output_format", _text),
    "--output": ("output", _path),
}
REPEATED = frozenset({"--select", "--ignore", "--rules"})
