"""Which library calls are losses."""

from __future__ import annotations

import pytest

from cmgan_audit.facts.losses import is_loss


@pytest.mark.parametrize(
    "callee",
    [
        "torch.nn.functional.mse_loss",
        "torch.nn.functional.binary_cross_entropy_with_logits",
        "torch.nn.MSELoss.__call__",
        "torch.nn.modules.loss.SmoothL1Loss.__call__",
        "torch.nn.functional.kl_div",
    ],
)
def test_comparing_a_batch_with_its_targets_is_a_loss(callee: str) -> None:
    assert is_loss(callee)


@pytest.mark.parametrize("callee", ["torch.nn.MSELoss", "torch.nn.functional.pad", "torch.loss", "pesq.pesq", ""])
def test_making_a_loss_or_anything_else_is_none(callee: str) -> None:
    assert not is_loss(callee)
