"""Every way in which a batch size travels to a loader, one small program each, as bad and good twins."""

from __future__ import annotations

from pathlib import Path

import pytest

from cmgan_audit.program.domain.values import Const
from cmgan_audit.program.execution.trace import CallEvent, Run
from cmgan_audit.program.launches.runs import execute
from cmgan_audit.source.tree import SourceTree

from .micro import Twin, twins

TWINS = twins()


def loader_calls(run: Run) -> list[CallEvent]:
    found = []
    for event in run.events:
        if isinstance(event, CallEvent) and event.callee == "torch.utils.data.DataLoader":
            found.append(event)
    return found


@pytest.mark.parametrize("twin", TWINS, ids=lambda twin: f"{twin.name}-{twin.verdict}".replace(" ", "-"))
def test_batch_size_arrives(twin: Twin, tmp_path: Path) -> None:
    runs = list(execute(SourceTree(twin.write(tmp_path))))
    calls = loader_calls(runs[twin.run - 1])
    value = calls[twin.loader - 1].arguments.get("batch_size", 1)
    assert isinstance(value, Const), value
    assert value.value == twin.batch
    passed = {(step.location.path, step.location.line) for step in value.trail}
    if twin.exact:
        assert twin.place in passed, value.trail
    else:
        assert twin.place[0] in {path for path, _ in passed}, value.trail


def test_there_are_enough_programs_and_each_name_is_one() -> None:
    names = [twin.name for twin in TWINS if twin.verdict == "bad"]
    assert len(names) == len(set(names)) >= 80


def test_twins_differ_in_one_line_only() -> None:
    for bad, good in zip(TWINS[::2], TWINS[1::2], strict=True):
        different = [
            (path, number)
            for path in bad.files
            for number, (a, b) in enumerate(
                zip(bad.files[path].split("\n"), good.files[path].split("\n"), strict=True), start=1
            )
            if a != b
        ]
        assert different == [bad.place], bad.name
