"""The output streams of the process: ready for every document, and left alone once nobody reads them."""

from __future__ import annotations

import io
import os
import sys


def ready_streams() -> None:
    """Make the output streams take every document.

    Python has None for a stream that its caller closed (`>&-`, a service): what is written there goes nowhere. In files
    and pipes documents are UTF-8, whatever a C locale or a Windows code page says; a terminal, and whoever names an
    encoding, get their own, with escapes for what it does not have.
    """
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:
            setattr(sys, name, os.fdopen(_nowhere(), "w", encoding="utf-8"))
        elif isinstance(stream, io.TextIOWrapper):
            own = stream.isatty() or "PYTHONIOENCODING" in os.environ
            stream.reconfigure(encoding=None if own else "utf-8", errors="backslashreplace")


def show(document: str) -> None:
    """Write a document to stdout, with a line end behind it, and wait until it is out.

    Raises:
        OSError: stdout cannot be written; a BrokenPipeError where its reader left. What comes later goes nowhere.
    """
    try:
        sys.stdout.write(document if document.endswith("\n") else f"{document}\n")
        sys.stdout.flush()
    except OSError:
        give_up_stdout()
        raise


def say(message: str) -> None:
    """Write a line to stderr."""
    sys.stderr.write(f"{message}\n")
    sys.stderr.flush()


def give_up_stdout() -> None:
    """Send the rest of stdout nowhere: at its end the interpreter would complain, and exit with a status of its own."""
    os.dup2(_nowhere(), sys.stdout.fileno())


def _nowhere() -> int:
    return os.open(os.devnull, os.O_WRONLY)
