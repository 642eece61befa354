"""Weights are found whatever the wrapping, and what does not fit is said by name."""

from __future__ import annotations

import pytest
import torch

from cmgan_audit.evaluation.checkpoints.errors import CheckpointError
from cmgan_audit.evaluation.checkpoints.reading import Checkpoint
from cmgan_audit.evaluation.checkpoints.sets import state_dicts
from cmgan_audit.evaluation.checkpoints.weights import passed_over, pick_weights
from cmgan_audit.evaluation.models.cmgan.sizes import MARKER, network_for


def checkpoint(content, tmp_path):
    return Checkpoint(tmp_path / "x.pth", "", "torch zip", content, None, "")


def prefixed(weights, prefix):
    return {prefix + name: tensor for name, tensor in weights.items()}


@pytest.fixture
def discriminator():
    return {"layers.0.weight": torch.zeros(2, 2), "layers.0.bias": torch.zeros(2)}


WRAPPINGS = {
    "bare": lambda w, d: w,
    "module.": lambda w, d: prefixed(w, "module."),
    "model_state_dict": lambda w, d: {"epoch": 3, "model_state_dict": w},
    "state_dict": lambda w, d: {"state_dict": prefixed(w, "module.")},
    "model": lambda w, d: {"model": w, "optimizer": {"state": {0: {"exp_avg": torch.zeros(2)}}, "param_groups": []}},
    "generator": lambda w, d: {"generator": w, "discriminator": d},
    "nested": lambda w, d: {"model": {"generator": w, "discriminator": d}},
    "lightning": lambda w, d: {"state_dict": {**prefixed(w, "net.generator."), **prefixed(d, "net.disc.")}, "epoch": 1},
    "compiled": lambda w, d: prefixed(w, "_orig_mod.module."),
    "one set": lambda w, d: {**prefixed(w, "generator."), **prefixed(d, "discriminator.")},
}


@pytest.mark.parametrize("wrap", WRAPPINGS.values(), ids=WRAPPINGS.keys())
def test_every_wrapping(tmp_path, weights, discriminator, wrap):
    found = pick_weights(checkpoint(wrap(weights, discriminator), tmp_path), MARKER)
    assert found.tensors.keys() == weights.keys()
    assert found.digest == pick_weights(checkpoint(weights, tmp_path), MARKER).digest
    assert network_for(found, tmp_path).sizes.channels == 4


def test_averaged_weights_are_taken_only_when_asked_for(tmp_path, weights):
    average = {name: tensor + 1 for name, tensor in weights.items()}
    file = checkpoint({"model": weights, "model_ema": average}, tmp_path)
    assert pick_weights(file, MARKER).name == "model"
    assert pick_weights(file, MARKER, "ema").name == "model_ema"
    assert passed_over(file, MARKER, pick_weights(file, MARKER)) == ["model_ema"]
    assert passed_over(file, MARKER, pick_weights(file, MARKER, "ema")) == ["model"]
    with pytest.raises(CheckpointError, match="no weights named 'swa'; there are: model, model_ema"):
        pick_weights(file, MARKER, "swa")


def test_the_best_weights_so_far_are_taken_only_when_asked_for(tmp_path, weights):
    best = {name: tensor + 1 for name, tensor in weights.items()}
    file = checkpoint({"model": {"class": "Net", "state": weights}, "best_state": best}, tmp_path)
    assert pick_weights(file, MARKER).name == "model.state"
    assert pick_weights(file, MARKER, "best").name == "best_state"
    assert passed_over(file, MARKER, pick_weights(file, MARKER)) == ["best_state"]
    assert pick_weights(checkpoint({"best_state": best}, tmp_path), MARKER).name == "best_state"
    averaged = {"best_state": best, "ema": weights}
    assert pick_weights(checkpoint(averaged, tmp_path), MARKER).name == "best_state"


def test_averaged_weights_alone_are_taken(tmp_path, weights):
    assert pick_weights(checkpoint({"ema_state_dict": weights}, tmp_path), MARKER).name == "ema_state_dict"


def test_two_different_networks_must_be_chosen_from(tmp_path, weights):
    other = {name: tensor + 1 for name, tensor in weights.items()}
    file = checkpoint({"first": weights, "second": other}, tmp_path)
    with pytest.raises(CheckpointError, match="choose one with --weights: first, second"):
        pick_weights(file, MARKER)
    assert pick_weights(checkpoint({"first": weights, "second": weights}, tmp_path), MARKER).name == "first"


def test_optimizer_states_are_not_weights(tmp_path, weights):
    file = checkpoint({"optimizer_G": {"w.exp_avg": torch.zeros(2)}, "model": weights}, tmp_path)
    assert [found.name for found in state_dicts(file)] == ["model"]


def test_optimizer_states_are_known_without_their_name(tmp_path, weights):
    optimizer = torch.optim.AdamW([torch.nn.Parameter(torch.ones(2))])
    optimizer.param_groups[0]["params"][0].grad = torch.ones(2)
    optimizer.step()
    file = checkpoint((5, weights, optimizer.state_dict()), tmp_path)
    assert [found.name for found in state_dicts(file)] == ["1"]
    assert pick_weights(file, MARKER).tensors.keys() == weights.keys()


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ({"epoch": 3}, "holds no weights: its keys are epoch"),
        ({}, "an empty dictionary"),
        ([1, 2], "an object of type list"),
        (torch.zeros(3), r"a single tensor of shape \[3\]"),
        ({"conv.weight": torch.zeros(2)}, r"no dense_encoder\.conv_1\.0\.weight in them; the file has conv\.weight"),
    ],
)
def test_what_holds_no_such_network(tmp_path, content, said):
    with pytest.raises(CheckpointError, match=said):
        pick_weights(checkpoint(content, tmp_path), MARKER)


def refusal(tmp_path, tensors):
    with pytest.raises(CheckpointError) as caught:
        network_for(pick_weights(checkpoint(tensors, tmp_path), MARKER), tmp_path / "x.pth")
    return str(caught.value)


def test_missing_unexpected_and_misshapen_tensors_are_named(tmp_path, weights):
    gate = "complex_decoder.conv.weight"
    message = refusal(tmp_path, {n: t for n, t in weights.items() if n != gate} | {"extra.weight": torch.zeros(1)})
    assert f"1 missing: {gate}" in message and "1 unexpected: extra.weight" in message
    message = refusal(tmp_path, {**weights, gate: torch.zeros(2, 5, 1, 2)})
    assert f"{gate} is [2, 5, 1, 2] where [2, 4, 1, 2] is needed" in message


def test_a_missing_tensor_that_shows_a_size_is_named_alone(tmp_path, weights):
    message = refusal(tmp_path, {name: t for name, t in weights.items() if not name.endswith("rel_pos_emb.weight")})
    assert "8 missing: TSCB_1.time_conformer.attn.fn.rel_pos_emb.weight" in message and "shape" not in message


def test_sizes_other_than_the_papers_are_read_from_the_shapes(tmp_path, weights):
    fewer = {name: tensor for name, tensor in weights.items() if not name.startswith(("TSCB_3", "TSCB_4"))}
    network = network_for(pick_weights(checkpoint(fewer, tmp_path), MARKER), tmp_path)
    assert (network.sizes.blocks, network.sizes.channels, network.sizes.features) == (2, 4, 201)


def test_old_files_without_batch_counters_fit(tmp_path, weights):
    old = {name: tensor for name, tensor in weights.items() if not name.endswith("num_batches_tracked")}
    network = network_for(pick_weights(checkpoint(old, tmp_path), MARKER), tmp_path)
    assert torch.equal(network.state_dict()[MARKER], weights[MARKER])


def test_the_digest_knows_values_types_and_shapes(tmp_path):
    def digest(tensor):
        return state_dicts(checkpoint({"a.b": tensor}, tmp_path))[0].digest

    base = torch.arange(6, dtype=torch.float32)
    assert digest(base) == digest(base.clone())
    assert digest(base.view(2, 3).t().contiguous().t()) == digest(base.view(2, 3))
    others = [base + 1e-6, base.view(2, 3), base.to(torch.float64), base.to(torch.bfloat16), base.to(torch.int64)]
    assert len({digest(base), *(digest(other) for other in others)}) == 6
