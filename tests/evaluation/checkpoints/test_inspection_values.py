"""What counts as an embedded value of a checkpoint."""

from __future__ import annotations

import torch

from cmgan_audit.evaluation.checkpoints.inspection import inspect_file


def test_weights_of_one_value_are_no_embedded_values(tmp_path):
    path = tmp_path / "bare.pth"
    torch.save({"net.prelu.weight": torch.tensor([0.25]), "net.bias": torch.zeros(3), "pesq": torch.tensor(2.5)}, path)
    assert inspect_file(path).values == {"pesq": 2.5}
