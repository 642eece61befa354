"""The command `cmgan-audit`: an outcome of `check` that is still known is printed; all else is for the command line."""

from __future__ import annotations

import gc
import sys

from cmgan_audit.cli.streams import give_up_stdout, ready_streams
from cmgan_audit.gate.recall import Asked
from cmgan_audit.program.execution.depth import COLLECT_EVERY


def main() -> None:
    """Entry point of the installed command."""
    ready_streams()
    arguments = sys.argv[1:]
    if arguments[:1] != ["check"]:
        _run(arguments)
        return
    # An audit keeps nearly all that it loads and makes: looking for what can be freed pays neither on the way, as often
    # as Python does by default, nor at the end.
    gc.set_threshold(*COLLECT_EVERY)
    try:
        _run(arguments)
    finally:
        gc.freeze()


def _run(arguments: list[str]) -> None:
    asked = Asked(arguments) if arguments[:1] == ["check"] and "--no-cache" not in arguments else None
    outcome = None if asked is None else asked.recalled()
    if outcome is not None:
        _print(*outcome)
    from cmgan_audit.cli.commands import COMMANDS, application  # loads the parser of the command line
    from cmgan_audit.cli.common import run

    first = arguments[0] if arguments else ""
    run(application([first] if first in COMMANDS else COMMANDS), asked)


def _print(document: str, status: int) -> None:
    """Print a document and end with its status, as `check` does."""
    try:
        sys.stdout.write(document if document.endswith("\n") else f"{document}\n")
        sys.stdout.flush()
    except BrokenPipeError:  # as in `common.run`
        give_up_stdout()
        status = 2
    except OSError as error:  # as in `common.write_document`
        give_up_stdout()
        sys.stderr.write(f"cmgan-audit: stdout: cannot be written: {error.strerror or error}\n")
        status = 3
    raise SystemExit(status)
