"""The command line: every subcommand is a module beside this one, loaded when it is the one that runs."""

from __future__ import annotations

from collections.abc import Iterable
from importlib import import_module
from typing import Annotated

import typer

from cmgan_audit import __version__
from cmgan_audit.cli.plain_words import PlainGroup

# In the order of `--help`. The module of a command has its name, and so has the function; dashes become underscores.
COMMANDS = ("check", "explain", "rules", "compare-ckpts", "init", "inspect", "noise", "trend")


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"cmgan-audit {__version__}")
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
        cls=PlainGroup,
        help=root.__doc__,
        no_args_is_help=True,
        add_completion=False,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    app.callback()(root)
    for command in commands:
        name = command.replace("-", "_")
        module = import_module(f"cmgan_audit.cli.{name}")
        app.command(command, cls=getattr(module, "CLASS", None), epilog=getattr(module, "EPILOG", None))(
            getattr(module, name)
        )
    return app
