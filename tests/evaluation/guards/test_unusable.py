"""What is said of checkpoints that cannot be used."""

from __future__ import annotations

from cmgan_audit.evaluation.checkpoints.errors import CheckpointError
from cmgan_audit.evaluation.guards.unusable import told


def test_a_reason_that_several_have_is_said_once() -> None:
    unusable = {f"epoch_{e}.pth": CheckpointError(f"runs/epoch_{e}.pth: no weights named 'ema'") for e in (2, 7, 14)}
    unusable["cut.pth"] = CheckpointError("runs/cut.pth: cut off")
    assert told(unusable) == (
        "4 checkpoints cannot be used: runs/epoch_2.pth: no weights named 'ema'; the same for epoch_7.pth, "
        "epoch_14.pth; runs/cut.pth: cut off"
    )


def test_different_reasons_are_all_said() -> None:
    unusable = {"a": CheckpointError("x/a: no b in it"), "b": CheckpointError("x/b: cut off")}
    assert told(unusable) == "2 checkpoints cannot be used: x/a: no b in it; x/b: cut off"
