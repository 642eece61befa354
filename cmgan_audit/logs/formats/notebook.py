"""Notebooks: what their cells have printed, read as a text log in the order in which it stands there."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from cmgan_audit.errors import InputError
from cmgan_audit.finding import JsonValue
from cmgan_audit.logs.lines.text import read_printed
from cmgan_audit.logs.opening import read_all
from cmgan_audit.logs.roles import RoleBook
from cmgan_audit.logs.series import Reading

_LIMIT = 256 << 20


def read_notebook(path: Path, source: str, book: RoleBook) -> Reading:
    """Read the printed outputs of a Jupyter notebook.

    Raises:
        InputError: it cannot be read, or is no notebook.
    """
    try:
        document: JsonValue = json.loads(read_all(path, source, _LIMIT))
    except json.JSONDecodeError as error:
        raise InputError(f"{source}:{error.lineno}: no notebook: {error.msg} (column {error.colno})") from error
    except ValueError as error:  # a number of thousands of digits
        raise InputError(f"{source}: no notebook that is read here: {error}") from error
    except RecursionError as error:
        raise InputError(f"{source}: nested too deep for a notebook") from error
    printed = [text for text in _printed(document) if text.strip()]
    blocks = [f"{text.rstrip()}\n".encode("utf-8", errors="replace") for text in printed]
    return replace(read_printed(lambda: blocks, source, book), format="notebook")


def _printed(document: JsonValue) -> Iterator[str]:
    cells = document.get("cells") if isinstance(document, dict) else None
    for cell in cells if isinstance(cells, list) else []:
        outputs = cell.get("outputs") if isinstance(cell, dict) else None
        for output in outputs if isinstance(outputs, list) else []:
            if isinstance(output, dict):
                data = output.get("data")
                shown = data.get("text/plain") if isinstance(data, dict) else None
                yield _joined(output.get("text")) + _joined(shown)


def _joined(text: JsonValue) -> str:
    """A notebook keeps a text whole or as a list of its lines."""
    if isinstance(text, list):
        return "".join(line for line in text if isinstance(line, str))
    return text if isinstance(text, str) else ""
