"""The command line: every subcommand is a module beside this one, loaded when it is the one that runs."""

from __future__ import annotations

from collections.abc import Iterable
from importlib import import_module
from typing import Annotated

import typer

from cmgan_audit.cli.common import EXIT_INTERRUPTED, EXIT_USAGE, version_line
from cmgan_audit.errors import UsageError

# In the order of `--help`, with what stands beside each there: a line, so that nothing is cut off on a narrow terminal.
# The module of a command has its name, and so has the function; dashes become underscores.
COMMANDS = {
    "check": "Audit training repositories without running them.",
    "explain": "Explain a rule.",
    "rules": "List the rules, or test rules of your own.",
    "compare-ckpts": "Score checkpoints on the same segments and compare them.",
    "inspect": "Show what is inside of checkpoints.",
    "trend": "Judge the metrics of training logs.",
    "noise": "How far random crops alone move a mean score.",
    "init": "Write settings, a pre-commit hook and a CI workflow.",
}


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(version_line())
        raise typer.Exit


def root(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    """Training diagnostics and regression audit for speech-enhancement networks of the CMGAN kind."""


def application(commands: Iterable[str] = COMMANDS) -> typer.Typer:
    """The command line with these subcommands."""
    app = typer.Typer(
        name="cmgan-audit",
        help=root.__doc__,
        no_args_is_help=True,
        add_completion=True,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    app.callback()(root)
    for command in commands:
        name = command.replace("-", "_")
        module = import_module(f"cmgan_audit.cli.{name}")
        epilog = getattr(module, "EPILOG", None)
        app.command(command, short_help=COMMANDS[command], epilog=epilog)(getattr(module, name))
    return app


def start(app: typer.Typer, asked: object) -> int:
    """Run the command that the process was started with, and return its exit status.

    Args:
        app: the command line.
        asked: what its commands find in their context.

    Raises:
        KeyboardInterrupt: the user ended it.
    """
    try:
        status = app(standalone_mode=False, obj=asked)
    except typer.Abort:
        raise KeyboardInterrupt from None
    except typer.Exit as leave:
        return leave.exit_code
    except typer.TyperException as error:
        show = getattr(error, "show", None)  # usage errors know their command and print its usage line
        if show is None:
            raise UsageError(str(error)) from None
        show()
        return EXIT_USAGE
    if status == EXIT_INTERRUPTED:  # Typer turns Ctrl-C into this status by itself and says nothing
        raise KeyboardInterrupt
    return status if isinstance(status, int) else 0
