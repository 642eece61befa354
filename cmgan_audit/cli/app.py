"""The command `cmgan-audit`: every subcommand is a module beside this one."""

from __future__ import annotations

from typing import Annotated

import typer

from cmgan_audit import __version__
from cmgan_audit.cli.check import EPILOG as CHECK_EXAMPLES
from cmgan_audit.cli.check import check
from cmgan_audit.cli.common import run
from cmgan_audit.cli.compare_ckpts import EPILOG as COMPARE_EXAMPLES
from cmgan_audit.cli.compare_ckpts import compare_ckpts
from cmgan_audit.cli.explain import EPILOG as EXPLAIN_EXAMPLES
from cmgan_audit.cli.explain import explain
from cmgan_audit.cli.init import EPILOG as INIT_EXAMPLES
from cmgan_audit.cli.init import init
from cmgan_audit.cli.inspect import EPILOG as INSPECT_EXAMPLES
from cmgan_audit.cli.inspect import inspect
from cmgan_audit.cli.noise import noise
from cmgan_audit.cli.rules import EPILOG as RULES_EXAMPLES
from cmgan_audit.cli.rules import rules
from cmgan_audit.cli.trend import trend

app = typer.Typer(
    name="cmgan-audit",
    help="Training diagnostics and regression audit for speech-enhancement networks of the CMGAN kind.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"cmgan-audit {__version__}")
        raise typer.Exit


@app.callback()
def root(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    """Training diagnostics and regression audit for speech-enhancement networks of the CMGAN kind."""


app.command("check", epilog=CHECK_EXAMPLES)(check)
app.command("explain", epilog=EXPLAIN_EXAMPLES)(explain)
app.command("rules", epilog=RULES_EXAMPLES)(rules)
app.command("compare-ckpts", epilog=COMPARE_EXAMPLES)(compare_ckpts)
app.command("init", epilog=INIT_EXAMPLES)(init)
app.command("inspect", epilog=INSPECT_EXAMPLES)(inspect)
app.command("noise")(noise)
app.command("trend")(trend)


def main() -> None:
    """Entry point of the installed command."""
    run(app)
