"""A checkpoint for models that users bring."""

from __future__ import annotations

import pytest
import torch


@pytest.fixture
def checkpoint(tmp_path):
    path = tmp_path / "gain_epoch_5.pth"
    torch.save({"gain": torch.tensor([0.5])}, path)
    return path
