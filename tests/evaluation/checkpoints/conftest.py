"""A small real state_dict that the tests of this folder wrap, damage and read."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from cmgan_audit.evaluation.models.cmgan.network import TSCNet


@pytest.fixture(scope="session")
def weights() -> dict[str, torch.Tensor]:
    torch.manual_seed(3)
    return TSCNet(num_channel=4).state_dict()


@pytest.fixture
def marker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A file that a hostile pickle would create; the test fails if it is there in the end."""
    place = tmp_path / "was_run"
    yield place
    assert not place.exists(), "something in a checkpoint was executed"
