"""`cmgan-audit explain RULE`: a rule's documentation in the terminal."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from cmgan_audit.cli.common import choice, wants_color, write_document
from cmgan_audit.cli.completion import offer_rules
from cmgan_audit.cli.shared_options import DebugOption, NoColorOption, OutputOption, QuietOption

EPILOG = """Examples:

  cmgan-audit explain CMG201

  cmgan-audit explain random-eval-crop
"""


def explain(
    rule: Annotated[
        str,
        typer.Argument(
            metavar="RULE",
            help="Id or name of a rule, as `cmgan-audit rules` lists it.",
            autocompletion=offer_rules,
        ),
    ],
    rules: Annotated[
        list[Path] | None, typer.Option("--rules", metavar="DIR", help="Also know the rules in this folder.")
    ] = None,
    output_format: Annotated[
        str, typer.Option("--format", metavar="text|json|markdown", help="Document on stdout.")
    ] = "text",
    output: OutputOption = None,
    quiet: QuietOption = False,
    no_color: NoColorOption = False,
    debug: DebugOption = False,
) -> None:
    """Explain a rule: what it finds, why that is bad, what is right, how to mend it, how it shows at run time."""
    from cmgan_audit.report.rule_markdown import rule_page
    from cmgan_audit.report.rule_text import catalogue_json
    from cmgan_audit.report.rule_text import explain as explain_rule
    from cmgan_audit.rules.catalogue import load_catalogue

    choice("--format", output_format, ("text", "json", "markdown"))
    found = load_catalogue(rules or ()).find(rule)
    if output_format == "json":
        document = catalogue_json([found])
    elif output_format == "markdown":
        document = rule_page(found)
    else:
        document = explain_rule(found, color=wants_color(no_color, output))
    write_document(document, output)
