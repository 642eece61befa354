"""`cmgan-audit inspect`: what is inside checkpoints, without running them."""

from __future__ import annotations

import importlib.util
from typing import Annotated

import typer

from cmgan_audit.cli.common import choice, write_document
from cmgan_audit.cli.shared_options import DebugOption, NoColorOption, OutputOption, QuietOption
from cmgan_audit.errors import InputError, MissingExtraError

NEEDED = ("torch", "numpy", "safetensors")
FORMATS = ("text", "json")

EPILOG = """Examples:

  cmgan-audit inspect ckpt/CMGAN_epoch_7_0.105

  cmgan-audit inspect ckpt/epoch_2.pth ckpt/epoch_7.pth --format json
"""


def inspect(
    checkpoints: Annotated[
        list[str],
        typer.Argument(
            metavar="CKPT", help="Checkpoint files, patterns, or folders of them, oldest first.", show_default=False
        ),
    ],
    strict: Annotated[bool, typer.Option("--strict", help="Exit 3 if any file cannot be read.")] = False,
    output_format: Annotated[str, typer.Option("--format", metavar="text|json", help="Document on stdout.")] = "text",
    output: OutputOption = None,
    quiet: QuietOption = False,
    no_color: NoColorOption = False,
    debug: DebugOption = False,
) -> None:
    """Show form, epoch, embedded values and weights of checkpoints; of several, also what changed layer by layer.

    Nothing in a file is run: pickles are read with weights_only=True after their claims were checked.

    Exit status: 0 shown, 2 wrong usage, 3 no file could be read (with --strict: some file could not be read).
    """
    choice("--format", output_format, FORMATS)
    if any(importlib.util.find_spec(name) is None for name in NEEDED):
        raise MissingExtraError("inspect", "eval")
    from cmgan_audit.evaluation.checkpoints.changes import duplicates
    from cmgan_audit.evaluation.checkpoints.errors import CheckpointError
    from cmgan_audit.evaluation.checkpoints.naming import expand_checkpoints
    from cmgan_audit.evaluation.checkpoints.neighbours import inspect_in_order
    from cmgan_audit.report import inspect_json, inspect_text

    facts, changes, failed = inspect_in_order(expand_checkpoints(checkpoints))
    if not facts:
        raise CheckpointError("\n".join(reason for _, reason in failed))
    equal = duplicates((str(file.checkpoint.path), weights.digest) for file in facts for weights in file.weights[:1])
    render = inspect_json.to_json if output_format == "json" else inspect_text.to_text
    write_document(render(facts, changes, equal, failed), output)
    if failed and not quiet and output_format != "text":
        typer.echo("\n".join(f"cmgan-audit: {reason}" for _, reason in failed), err=True)
    if failed and strict:
        raise InputError(f"{len(failed)} of {len(failed) + len(facts)} files could not be read")
