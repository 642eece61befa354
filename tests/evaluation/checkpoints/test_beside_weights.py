"""What a trainer saves beside checkpoints is told from a checkpoint that lost its weights."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from cmgan_audit.evaluation.checkpoints.beside_weights import is_beside_weights

STATE = {"step_size": 30, "gamma": 0.5, "last_epoch": 3}
WEIGHTS = {"conv.weight": torch.zeros(2, 2)}


def saved(folder: Path, name: str, content: object) -> Path:
    torch.save(content, folder / name)
    return folder / name


@pytest.mark.parametrize("name", ["scheduler.pth", "optimizer_3.pth", "train_state.pth", "history.pth", "args.pt"])
def test_without_weights_and_named_otherwise_it_is_none(tmp_path: Path, name: str) -> None:
    assert is_beside_weights(saved(tmp_path, name, STATE))
    assert not is_beside_weights(saved(tmp_path, name, WEIGHTS))


@pytest.mark.parametrize("name", ["epoch_14.pth", "best.pth", "CMGAN_epoch_7_0.105", "last.ckpt", "g_00005000"])
def test_a_checkpoint_by_its_name_is_one_that_lost_its_weights(tmp_path: Path, name: str) -> None:
    assert not is_beside_weights(saved(tmp_path, name, STATE))


def test_what_cannot_be_read_is_not_passed_over(tmp_path: Path) -> None:
    (tmp_path / "scheduler.pth").write_bytes(b"")
    assert not is_beside_weights(tmp_path / "scheduler.pth")
    assert not is_beside_weights(tmp_path / "missing.pth")
