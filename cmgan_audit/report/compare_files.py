"""The exports of compare-ckpts: scores.csv, summary.json, report.html, trend.png; equal inputs, equal bytes."""

from __future__ import annotations

import os
from pathlib import Path

from cmgan_audit.errors import UsageError
from cmgan_audit.evaluation.listening import Listening
from cmgan_audit.evaluation.result import ComparisonResult
from cmgan_audit.evaluation.scores.table import to_csv
from cmgan_audit.report.compare_json import to_json
from cmgan_audit.report.compare_plot import trend_png
from cmgan_audit.report.html.comparison import to_html
from cmgan_audit.report.html.losses import Losses


def try_folder(folder: Path) -> None:
    """See that the exports can be written, before hours are spent on what goes there; nothing of the trial stays.

    Raises:
        UsageError: the folder cannot be made or written.
    """
    draft = folder / f".cmgan-audit.{os.getpid()}"
    absent = [place for place in (folder, *folder.parents) if not place.exists()]
    try:
        folder.mkdir(parents=True, exist_ok=True)
        draft.touch()
        draft.unlink()
        for place in absent:
            place.rmdir()
    except OSError as error:
        raise UsageError(f"--out {folder}: cannot be written: {error.strerror or error}") from error


def write_comparison(
    result: ComparisonResult,
    folder: Path,
    listening: Listening | None = None,
    command: str = "cmgan-audit",
    losses: Losses | None = None,
) -> list[Path]:
    """Write the exports, each at once or not at all.

    Args:
        result: what was compared.
        folder: where they go; made if it is not there.
        listening: what can be heard, for report.html.
        command: the command that makes them, for report.html.
        losses: of the training log, for report.html.

    Raises:
        UsageError: the folder cannot be made or written (a full disk, no permission).
    """
    contents = {
        "scores.csv": to_csv(result.table.rows).encode(),
        "summary.json": to_json(result).encode(),
        "report.html": to_html(result, listening or Listening(), command, losses).encode(),
        "trend.png": trend_png(result),
    }
    written: list[Path] = []
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, body in contents.items():
            # Beside its place first: a reader, or a run killed here, never sees half a file.
            draft = folder / f".{name}.{os.getpid()}"
            try:
                draft.write_bytes(body)
                draft.replace(folder / name)
            finally:
                draft.unlink(missing_ok=True)
            written.append(folder / name)
    except OSError as error:
        raise UsageError(
            f"--out {folder}: cannot be written: {error.strerror or error}; the scores are kept in the store"
        ) from error
    return written
