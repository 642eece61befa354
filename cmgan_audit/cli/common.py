"""What every command shares: where its document goes, and how it ends the process."""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

from cmgan_audit import __version__
from cmgan_audit.cli.streams import give_up_stdout, say, show
from cmgan_audit.errors import AuditError, InputError, UsageError

EXIT_FINDINGS = 1
EXIT_USAGE = 2
EXIT_NOTHING = 3
EXIT_INTERNAL = 3
EXIT_INTERRUPTED = 130


def version_line() -> str:
    """What `--version` prints."""
    return f"cmgan-audit {__version__}"


def wants_color(no_color: bool, output: Path | None) -> bool:
    """Whether text may be coloured: stdout is a terminal that can, no file is written, and nobody said no.

    An empty NO_COLOR says nothing (https://no-color.org).
    """
    unwanted = no_color or os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb"
    return not (unwanted or output is not None) and sys.stdout.isatty()


def wants_progress(quiet: bool) -> bool:
    """Whether progress may be shown: only on a terminal, and not when asked to be quiet."""
    return not quiet and sys.stderr.isatty()


def write_document(text: str, output: Path | None) -> None:
    """Write a finished document to stdout or to the file that `--output` names.

    Raises:
        UsageError: the file cannot be written.
        InputError: stdout cannot be written, for another reason than that its reader left.
    """
    if output is None:
        try:
            show(text)
        except BrokenPipeError:
            raise
        except OSError as error:
            raise InputError(f"stdout: cannot be written: {error.strerror or error}") from error
        return
    try:
        output.parent.mkdir(parents=True, exist_ok=True)
        output.write_text(text if text.endswith("\n") else text + "\n", encoding="utf-8")
    except OSError as error:
        raise UsageError(f"--output {output}: cannot be written: {error.strerror or error}") from error


def choice(option: str, value: str, legal: tuple[str, ...]) -> str:
    """Return `value` if it is one of the legal values of an option.

    Raises:
        UsageError: it is not; the message names the legal values.
    """
    if value not in legal:
        raise UsageError(f"{option} {value}: not one of {', '.join(legal)}")
    return value


def fail(message: str, status: int) -> NoReturn:
    """End the process with one line on stderr."""
    say(f"cmgan-audit: {message}")
    raise SystemExit(status)


def run(command: Callable[[], int]) -> NoReturn:
    """Run a command and end the process: with its status, or with a message and a status of the contract.

    Args:
        command: what is run; it returns the exit status.
    """
    try:
        status = command()
    except KeyboardInterrupt:
        fail("interrupted", EXIT_INTERRUPTED)
    except AuditError as error:
        fail(str(error), error.exit_status)
    except BrokenPipeError:
        give_up_stdout()  # the reader of a pipe went away (`| head`): not an error of ours
        raise SystemExit(EXIT_USAGE) from None
    except PermissionError as error:
        if not error.filename:
            _fail_inside(error)
        # What was named lies in a folder that is closed: even whether it is there cannot be asked.
        fail(f"{error.filename}: {error.strerror}", EXIT_NOTHING)
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            _fail_inside(error)
        if not error.filename:
            give_up_stdout()  # the parser writes its help there, too
        where = f"{error.filename}: " if error.filename else ""
        fail(f"{where}output cannot be written: {error.strerror}", EXIT_NOTHING)
    except Exception as error:  # noqa: BLE001 - the outermost frame: nothing goes on after it
        _fail_inside(error)
    raise SystemExit(status)


def _fail_inside(error: Exception) -> NoReturn:
    if "--debug" in sys.argv:
        import traceback  # only here, and slow to load

        traceback.print_exception(error)
    fail(f"internal error: {type(error).__name__}: {error} (use --debug for the traceback)", EXIT_INTERNAL)
