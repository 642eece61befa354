"""Colour and links for terminals, and nothing where they are not wanted."""

from __future__ import annotations

from pathlib import Path

from cmgan_audit.finding import Severity
from cmgan_audit.lazy_dataclasses import dataclass

# The replacement character. By its name, Python would load all names of characters to compile this line.
_REPLACEMENT = "\ufffd"
_CODES = {"bold": "1", "dim": "2", "red": "1;31", "yellow": "1;33", "cyan": "1;36", "blue": "1;34", "green": "32"}

SEVERITY_COLORS = {Severity.ERROR: "red", Severity.WARNING: "yellow", Severity.NOTE: "cyan"}


@dataclass(frozen=True, slots=True)
class Ink:
    """Writes text in a colour, or plainly."""

    color: bool = False

    def __call__(self, style: str, text: str) -> str:
        """Return the text in a style: bold, dim, red, yellow, cyan, blue or green."""
        return f"\x1b[{_CODES[style]}m{text}\x1b[0m" if self.color and text else text

    def link(self, text: str, target: Path) -> str:
        """Return the text as a link to a file, where the terminal can show one."""
        return f"\x1b]8;;{target.as_uri()}\x1b\\{text}\x1b]8;;\x1b\\" if self.color else text


def visible(text: str) -> str:
    """Return text of unknown origin without control characters, so that it cannot steer a terminal."""
    if text.isprintable():  # almost every line
        return text
    return "".join(char if char.isprintable() or char == "\t" else _REPLACEMENT for char in text)
