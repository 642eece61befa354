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
    """Write the exports: where one of them does not fit on the disk, none.

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
    # Beside their places first, all of them: a reader, a run killed here and a full disk never leave half a file, nor
    # files of two runs.
    drafts = {name: folder / f".{name}.{os.getpid()}" for name in contents}
    try:
        folder.mkdir(parents=True, exist_ok=True)
        try:
            for name, body in contents.items():
                drafts[name].write_bytes(body)
            for name, draft in drafts.items():
                draft.replace(folder / name)
        finally:
            for draft in drafts.values():
                draft.unlink(missing_ok=True)
    except OSError as error:
        raise UsageError(
            f"--out {folder}: cannot be written: {error.strerror or error}; the scores are kept in the store"
        ) from error
    return [folder / name for name in contents]
