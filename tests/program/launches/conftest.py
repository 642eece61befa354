"""The runs of a script, also those that are begun and dropped."""

from __future__ import annotations

import pytest

from cmgan_audit.program.execution.trace import Run
from cmgan_audit.program.launches import runs


@pytest.fixture
def executed(monkeypatch: pytest.MonkeyPatch) -> list[Run]:
    """Every run that was begun, also those that are dropped."""
    begun: list[Run] = []
    execute_entry = runs.execute_entry

    def noted(*args: object, **keywords: object) -> Run:
        begun.append(execute_entry(*args, **keywords))  # type: ignore[arg-type]
        return begun[-1]

    monkeypatch.setattr(runs, "execute_entry", noted)
    return begun
