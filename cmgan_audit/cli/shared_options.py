"""Options that several commands have, as Typer takes them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

OutputOption = Annotated[
    Path | None,
    typer.Option("--output", metavar="FILE", help="Write the document to FILE instead of stdout; makes its folder."),
]
QuietOption = Annotated[bool, typer.Option("--quiet", "-q", help="No progress and no hints on stderr.")]
NoColorOption = Annotated[
    bool, typer.Option("--no-color", help="No colour in the text output (the variable NO_COLOR does the same).")
]
DebugOption = Annotated[bool, typer.Option("--debug", help="Show the traceback of an internal error.")]
