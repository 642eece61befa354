"""Small programs, written to a folder and executed by the interpreter."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from cmgan_audit.program.launches.runs import execute
from cmgan_audit.source.tree import SourceTree
from tests.program.models.shown import Shown

# Scripts that cannot reach training code are not executed.
_CONCERNS_TRAINING = "\nimport torch  # and a DataLoader\n"


@pytest.fixture
def show(tmp_path: Path) -> Callable[..., Shown]:
    """Write files (one text is `train.py`) and execute every script among them."""

    def run(files: dict[str, str] | str) -> Shown:
        for path, text in ({"train.py": files} if isinstance(files, str) else files).items():
            target = tmp_path / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(text + _CONCERNS_TRAINING * path.endswith(".py"), encoding="utf-8")
        return Shown(list(execute(SourceTree(tmp_path))))

    return run
