"""The command `cmgan-audit`: an outcome of `check` that is still known is printed; all else is for the command line."""

from __future__ import annotations

import gc
import sys
from typing import TYPE_CHECKING, NoReturn

from cmgan_audit.cli.common import run, version_line, write_document
from cmgan_audit.cli.streams import ready_streams, show
from cmgan_audit.program.execution.depth import COLLECT_EVERY

if TYPE_CHECKING:
    from cmgan_audit.gate.recall import Asked


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


def _run(arguments: list[str]) -> NoReturn:
    if arguments == ["--version"]:
        run(_version)
    first = arguments[0] if arguments else ""
    asked = _asked(arguments) if first == "check" and "--no-cache" not in arguments else None
    outcome = None if asked is None else asked.recalled()
    if outcome is not None:
        document, status = outcome
        run(lambda: _shown(document, status))
    if first == "check":
        _run_if_plain(arguments[1:], asked)
    from cmgan_audit.cli.commands import COMMANDS, application, start  # loads the parser of the command line

    run(lambda: start(application([first] if first in COMMANDS else COMMANDS), asked))


def _asked(arguments: list[str]) -> Asked:
    from cmgan_audit.gate.recall import Asked

    return Asked(arguments)


def _run_if_plain(words: list[str], asked: Asked | None) -> None:
    """Run `check`, which ends the process, if its words can be read without the parser of the command line."""
    from cmgan_audit.cli.checking import carry_out
    from cmgan_audit.cli.plain_words import plain_request

    request = plain_request(words)
    if request is not None:
        run(lambda: carry_out(request, asked))


def _shown(document: str, status: int) -> int:
    write_document(document, None)
    return status


def _version() -> int:
    show(version_line())
    return 0
