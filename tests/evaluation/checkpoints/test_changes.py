"""How far weights moved between two checkpoints."""

from __future__ import annotations

import pytest
import torch

from cmgan_audit.evaluation.checkpoints.changes import compare_weights
from cmgan_audit.evaluation.checkpoints.named import Weights

EARLIER = {"encoder.weight": torch.tensor([3.0, 4.0]), "decoder.bias": torch.tensor([1.0])}
LATER = {"encoder.weight": torch.tensor([3.0, 4.5]), "decoder.bias": torch.tensor([1.0])}


@pytest.mark.parametrize("prefix", ["", "module.", "_orig_mod.module."])
def test_a_wrapper_around_one_of_them_changes_nothing(prefix: str) -> None:
    wrapped = {prefix + name: tensor for name, tensor in LATER.items()}
    changes = compare_weights(Weights("", EARLIER), Weights("", wrapped))
    assert [(layer.layer, layer.relative, layer.tensors) for layer in changes.layers] == [
        ("encoder", pytest.approx(0.1), (1, 1)),
        ("decoder", 0.0, (0, 1)),
    ]
    assert not (changes.added or changes.removed or changes.reshaped)


def test_tensors_of_one_set_alone_are_named() -> None:
    later = {**LATER, "head.weight": torch.zeros(2)}
    del later["decoder.bias"]
    changes = compare_weights(Weights("", EARLIER), Weights("", later))
    assert (changes.added, changes.removed) == (("head.weight",), ("decoder.bias",))


def test_a_value_that_is_not_finite_leaves_the_distance_open() -> None:
    later = {**LATER, "encoder.weight": torch.tensor([float("nan"), 4.0])}
    changes = compare_weights(Weights("", EARLIER), Weights("", later))
    first = changes.layers[0]
    assert (first.layer, first.relative, first.largest) == ("encoder", None, None)
