"""What a trainer saves beside checkpoints is told from a checkpoint that lost its weights."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from cmgan_audit.evaluation.checkpoints.beside_weights import files_beside_weights

STATE = {"step_size": 30, "gamma": 0.5, "last_epoch": 3}
WEIGHTS = {"conv.weight": torch.zeros(2, 2), "conv.bias": torch.zeros(2)}
OTHERS = {"layers.0.weight": torch.zeros(3, 2), "layers.0.bias": torch.zeros(3)}


def saved(folder: Path, name: str, content: object) -> Path:
    torch.save(content, folder / name)
    return folder / name


def is_beside(path: Path, usable: list[Path] | None = None) -> bool:
    return files_beside_weights([path], usable or []) == [path]


@pytest.mark.parametrize(
    "name",
    ["scheduler.pth", "optimizer_3.pth", "train_state.pth", "history.pth", "args.pt", "epoch_3_stats.pth",
     "loss_history.pth", "model_config.pt"],
)  # fmt: skip
def test_without_weights_and_named_otherwise_it_is_none(tmp_path: Path, name: str) -> None:
    assert is_beside(saved(tmp_path, name, STATE))
    assert not is_beside(saved(tmp_path, name, WEIGHTS))


@pytest.mark.parametrize(
    "name",
    ["epoch_14.pth", "best.pth", "CMGAN_epoch_7_0.105", "last.ckpt", "g_00005000", "new.pth", "exp3.pth",
     "best_loss.pth", "cmgan_v2_logmag.pt", "state.pth", "finetuned.pth"],
)  # fmt: skip
def test_where_no_name_says_something_else_it_is_a_checkpoint_that_lost_its_weights(tmp_path: Path, name: str) -> None:
    assert not is_beside(saved(tmp_path, name, STATE))


def test_what_cannot_be_read_is_not_passed_over(tmp_path: Path) -> None:
    (tmp_path / "scheduler.pth").write_bytes(b"")
    assert not is_beside(tmp_path / "scheduler.pth")
    assert not is_beside(tmp_path / "missing.pth")


@pytest.mark.parametrize("generator", [WEIGHTS, {"generator": WEIGHTS, "discriminator": OTHERS}])
@pytest.mark.parametrize("name", ["discriminator.pth", "epoch_3_disc.pth", "netD_3.pth", "CMGAN_Disc_epoch_3.pth"])
def test_a_discriminator_by_its_name_of_which_no_tensor_is_the_networks(
    tmp_path: Path, name: str, generator: object
) -> None:
    usable = [saved(tmp_path, "epoch_3.pth", generator)]
    assert is_beside(saved(tmp_path, name, OTHERS), usable)
    assert is_beside(saved(tmp_path, name, {"state_dict": {f"module.{key}": OTHERS[key] for key in OTHERS}}), usable)
    assert not is_beside(saved(tmp_path, name, {**OTHERS, "conv.bias": WEIGHTS["conv.bias"]}), usable)
    assert not is_beside(saved(tmp_path, name, OTHERS), [])  # no checkpoint says what the network is


@pytest.mark.parametrize(
    "name", ["epoch_4.pth", "new.pth", "no_disc_epoch_4.pth", "discrete_tokens.pth", "discount.pt"]
)
def test_another_network_is_no_discriminator_for_that(tmp_path: Path, name: str) -> None:
    assert not is_beside(saved(tmp_path, name, OTHERS), [saved(tmp_path, "epoch_3.pth", WEIGHTS)])


@pytest.mark.parametrize(("other", "name"), [("200-G.ckpt", "200-D.ckpt"), ("g_00005000", "do_00005000")])
def test_a_letter_says_it_beside_its_counterpart(tmp_path: Path, other: str, name: str) -> None:
    usable = [saved(tmp_path, other, WEIGHTS)]
    assert is_beside(saved(tmp_path, name, {"mpd": OTHERS, "steps": 3}), usable)
    assert not is_beside(saved(tmp_path, name, OTHERS), [saved(tmp_path, "epoch_3.pth", WEIGHTS)])
