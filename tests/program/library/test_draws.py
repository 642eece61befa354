"""Which calls of libraries draw random numbers."""

from __future__ import annotations

import pytest

from cmgan_audit.program.library.draws import draws_random


@pytest.mark.parametrize(
    "name",
    [
        "random.randint",
        "random.SystemRandom.sample",
        "numpy.random.default_rng.integers",
        "torch.randperm",
        "torch.Tensor.uniform_",
        "?.normal_",
        "os.urandom",
        "torchvision.transforms.v2.RandomCrop.__call__",
        "torchaudio.transforms.FrequencyMasking.__call__",
        "torch.distributions.normal.Normal.rsample",
        "scipy.stats.norm.rvs",
    ],
)
def test_draws(name: str) -> None:
    assert draws_random(name)


@pytest.mark.parametrize(
    "name",
    [
        "random.seed",
        "torch.sample",
        "numpy.random.RandomState",
        "normal_",
        "sample",
        "torchaudio.transforms.MelScale.__call__",
    ],
)
def test_what_draws_nothing(name: str) -> None:
    assert not draws_random(name)


@pytest.mark.parametrize(
    ("name", "divides"),
    [
        ("sklearn.model_selection.train_test_split", True),
        ("datasets.load_dataset.map.train_test_split", True),
        ("?.train_test_split", True),
        ("helpers.train_test_split", False),
    ],
)
def test_a_split_of_a_library_that_is_not_known_may_draw_nothing(name: str, divides: bool) -> None:
    assert draws_random(name) is divides
