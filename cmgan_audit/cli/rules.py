"""`cmgan-audit rules`: the catalogue, and the examples of a team's own rules."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from cmgan_audit.cli.common import EXIT_FINDINGS, choice, wants_color, write_document
from cmgan_audit.cli.shared_options import DebugOption, NoColorOption, OutputOption, QuietOption

EPILOG = """Examples:

  cmgan-audit rules

  cmgan-audit rules --format json | jq '.rules[].id'

  cmgan-audit rules --test lab_rules/
"""


def rules(
    own: Annotated[
        list[Path] | None, typer.Option("--rules", metavar="DIR", help="Also list the rules in this folder.")
    ] = None,
    test: Annotated[
        Path | None,
        typer.Option("--test", metavar="DIR", help="Run the examples of the rules in this folder instead of listing."),
    ] = None,
    output_format: Annotated[
        str, typer.Option("--format", metavar="text|json|markdown", help="Document on stdout.")
    ] = "text",
    output: OutputOption = None,
    quiet: QuietOption = False,
    no_color: NoColorOption = False,
    debug: DebugOption = False,
) -> None:
    """List the rules of the catalogue, or test rules of your own: each example must be judged as it says.

    With --test the exit status is 1 when an example is judged otherwise, and 2 when a rule does not load.
    """
    from cmgan_audit.report import rule_markdown, rule_text
    from cmgan_audit.rules.catalogue import load_catalogue

    choice("--format", output_format, ("text", "json", "markdown"))
    if test is not None:
        _test(test, own or [], output_format, output)
        return
    catalogue = load_catalogue(own or ())
    if output_format == "json":
        document = rule_text.catalogue_json(catalogue)
    elif output_format == "markdown":
        document = rule_markdown.index(catalogue)
    else:
        document = rule_text.listing(catalogue, color=wants_color(no_color, output))
    write_document(document, output)


def _test(folder: Path, own: list[Path], output_format: str, output: Path | None) -> None:
    from cmgan_audit.gate.door import collect, load_kinds
    from cmgan_audit.gate.examples import try_examples
    from cmgan_audit.report import example_text
    from cmgan_audit.rules.catalogue import load_catalogue, load_folder
    from cmgan_audit.rules.record import KINDS

    choice("--format", output_format, ("text", "json"))
    tested = load_folder(folder)
    load_kinds()
    catalogue = load_catalogue([*own, folder])
    catalogue.judged(KINDS)
    tried = try_examples([rule for rule in tested if rule.door == "check"], catalogue, collect)
    document = example_text.as_json(tried) if output_format == "json" else example_text.as_text(tried)
    write_document(document, output)
    if any(each.problem for each in tried):
        raise typer.Exit(EXIT_FINDINGS)
