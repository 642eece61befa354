"""`cmgan-audit init`: settings, a pre-commit hook and a CI workflow for a project."""

from __future__ import annotations

import json
import shlex
from pathlib import Path
from typing import Annotated

import typer

from cmgan_audit.cli.common import choice, write_document
from cmgan_audit.cli.shared_options import DebugOption, NoColorOption, OutputOption, QuietOption

EPILOG = """Examples:

  cmgan-audit init

  cmgan-audit init ~/src/CMGAN --dry-run
"""

SCHEMA = "cmgan-audit/init/v1"


def init(
    folder: Annotated[
        Path, typer.Argument(metavar="FOLDER", help="The project (default: .).", show_default=False)
    ] = Path(),
    source: Annotated[
        str | None,
        typer.Option("--source", metavar="SPEC", help="What `pip install` takes in the workflow: a URL or a name."),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Write nothing; show the files.")] = False,
    output_format: Annotated[str, typer.Option("--format", metavar="text|json", help="Document on stdout.")] = "text",
    output: OutputOption = None,
    quiet: QuietOption = False,
    no_color: NoColorOption = False,
    debug: DebugOption = False,
) -> None:
    """Write settings, a pre-commit hook and a GitHub workflow into a project. Files that are there stay as they are."""
    from cmgan_audit.gate.starting import lies_below, plan, write

    choice("--format", output_format, ("text", "json"))
    planned = plan(folder, source)
    if not dry_run:
        write(folder, planned)
    if output_format == "json":
        files = [
            {"path": each.path, "written": not (each.exists or dry_run), "content": each.content} for each in planned
        ]
        write_document(json.dumps({"schema": SCHEMA, "files": files}, indent=2), output)
        return
    lines: list[str] = []
    for each in planned:
        if each.exists:
            lines.append(f"kept     {each.path} (is there; what init would write: --dry-run --format json)")
        elif dry_run:
            lines += [f"would write {each.path}:", *(f"    {line}" for line in each.content.splitlines()), ""]
        else:
            lines.append(f"written  {each.path}")
    top = lies_below(folder)
    if top is not None:
        inner = shlex.quote(folder.resolve().relative_to(top).as_posix())
        lines.append(
            f"hooks and workflows are read at the top of the repository: move both to {top}, for `check {inner}`"
        )
    if not dry_run:
        lines.append("next: `cmgan-audit check`, and --write-baseline if what it finds has to wait")
    write_document("\n".join(lines), output)
