"""Folders that are one checkpoint: told from a series of files, read as one, and refused with a way out."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from cmgan_audit.evaluation.checkpoints.bundles import path_digest
from cmgan_audit.evaluation.checkpoints.errors import CheckpointError
from cmgan_audit.evaluation.checkpoints.inspection import inspect_file
from cmgan_audit.evaluation.checkpoints.naming import expand_checkpoints
from cmgan_audit.evaluation.checkpoints.reading import open_file
from cmgan_audit.evaluation.checkpoints.weights import pick_weights

WEIGHTS = {"first.weight": torch.arange(4.0), "first.bias": torch.ones(2), "last.weight": torch.zeros(3)}
OTHER = {"layers.0.weight": torch.ones(2)}


def accelerate(folder: Path) -> None:
    save_file(WEIGHTS, folder / "model.safetensors")
    save_file(OTHER, folder / "model_1.safetensors")
    for name in ("optimizer.bin", "scheduler.bin", "random_states_0.pkl"):
        torch.save({"state": {}}, folder / name)


def trainer(folder: Path) -> None:
    torch.save(WEIGHTS, folder / "pytorch_model.bin")
    torch.save({"state": {}}, folder / "optimizer.pt")
    (folder / "trainer_state.json").write_text('{"epoch": 3.0, "global_step": 300}')


def shards(folder: Path) -> None:
    names = list(WEIGHTS)
    places = {names[0]: "model-1.safetensors", names[1]: "model-1.safetensors", names[2]: "model-2.safetensors"}
    for place in set(places.values()):
        held = {name: WEIGHTS[name] for name in names if places[name] == place}
        save_file(held, folder / place, metadata={"format": "pt"})
    (folder / "model.safetensors.index.json").write_text(json.dumps({"metadata": {}, "weight_map": places}))


def deepspeed(folder: Path) -> None:
    state = {"module": WEIGHTS, "optimizer": None, "sparse_tensor_module_names": set(), "global_steps": 100}
    torch.save(state, folder / "mp_rank_00_model_states.pt")
    torch.save({"optimizer_state_dict": {}}, folder / "zero_pp_rank_0_mp_rank_00_optim_states.pt")


def lightning_deepspeed(folder: Path) -> None:
    (folder / "checkpoint").mkdir()
    deepspeed(folder / "checkpoint")
    (folder / "latest").write_text("checkpoint")
    (folder / "zero_to_fp32.py").touch()


def speechbrain(folder: Path) -> None:
    torch.save(WEIGHTS, folder / "generator.ckpt")
    torch.save(OTHER, folder / "discriminator.ckpt")
    torch.save({"state": {}}, folder / "g_opt.ckpt")
    (folder / "counter.ckpt").write_text("12")
    (folder / "brain.ckpt").write_text("avg_train_loss: 0.0\n")
    (folder / "CKPT.yaml").write_text("pesq: 2.9\n")


MAKERS = (accelerate, trainer, shards, deepspeed, lightning_deepspeed, speechbrain)


@pytest.mark.parametrize(("make", "epoch"), list(zip(MAKERS, (2, 3, 2, 2, 2, 12), strict=True)))
def test_a_folder_that_is_one_checkpoint(tmp_path, make, epoch):
    folder = tmp_path / "epoch_2"
    folder.mkdir()
    make(folder)
    assert expand_checkpoints([str(folder)]) == [folder]
    read = open_file(folder)
    found = pick_weights(read, "first.weight").tensors
    assert found.keys() == WEIGHTS.keys() and all(torch.equal(found[name], WEIGHTS[name]) for name in WEIGHTS)
    assert read.epoch == epoch
    assert inspect_file(folder).size > 0


@pytest.mark.parametrize("make", MAKERS)
def test_folders_of_one_training_are_a_series_in_natural_order(tmp_path, make):
    for name in ("checkpoint-1000", "checkpoint-200", "tensorboard"):
        (tmp_path / name).mkdir()
        if name != "tensorboard":
            make(tmp_path / name)
    assert [path.name for path in expand_checkpoints([str(tmp_path)])] == ["checkpoint-200", "checkpoint-1000"]


def test_the_number_of_a_trainers_folder_is_no_epoch(tmp_path):
    folder = tmp_path / "checkpoint-500"
    folder.mkdir()
    trainer(folder)
    (folder / "trainer_state.json").write_text('{"epoch": 1.25}')
    assert open_file(folder).epoch is None


@pytest.mark.parametrize("epoch", ["NaN", "1e999", "-3.0", "true", '"7"', "null"])
def test_an_epoch_of_a_trainer_that_is_none(tmp_path, epoch):
    trainer(tmp_path)
    (tmp_path / "trainer_state.json").write_text(f'{{"epoch": {epoch}}}')
    assert open_file(tmp_path).epoch is None


@pytest.mark.parametrize("counted", ["9" * 5000, "²", "-1", "x", ""])
def test_a_counter_of_speechbrain_that_is_none(tmp_path, counted):
    speechbrain(tmp_path)
    (tmp_path / "counter.ckpt").write_text(counted)
    assert open_file(tmp_path).epoch is None


def test_of_two_forms_in_a_folder_safetensors_are_read(tmp_path):
    shards(tmp_path)
    torch.save({"first.weight": torch.zeros(9)}, tmp_path / "pytorch_model-1.bin")
    index = {"weight_map": {"first.weight": "pytorch_model-1.bin"}}
    (tmp_path / "pytorch_model.bin.index.json").write_text(json.dumps(index))
    assert pick_weights(open_file(tmp_path), "first.weight").tensors.keys() == WEIGHTS.keys()


def test_an_index_that_names_itself(tmp_path):
    name = "model.safetensors.index.json"
    (tmp_path / name).write_text(json.dumps({"weight_map": {"a": name}}))
    with pytest.raises(CheckpointError, match="1 of its 1 shards are missing"):
        open_file(tmp_path)


def test_weights_of_two_networks_are_told_by_their_files(tmp_path):
    accelerate(tmp_path)
    assert pick_weights(open_file(tmp_path), "layers.0.weight").name == "model_1"


def test_an_index_may_be_named_itself_and_does_not_lead_out_of_its_folder(tmp_path):
    folder = tmp_path / "model"
    folder.mkdir()
    shards(folder)
    index = folder / "model.safetensors.index.json"
    assert pick_weights(open_file(index), "first.weight").tensors.keys() == WEIGHTS.keys()
    (tmp_path / "outside.safetensors").write_bytes((folder / "model-1.safetensors").read_bytes())
    index.write_text(json.dumps({"weight_map": {"first.weight": "../outside.safetensors"}}))
    with pytest.raises(CheckpointError, match="1 of its 1 shards are missing: outside"):
        open_file(index)


@pytest.mark.parametrize("text", ["{", "[]", '{"weight_map": 3}', '{"weight_map": {"a": 1}}', '{"weight_map": {}}'])
def test_an_index_that_is_none(tmp_path, text):
    (tmp_path / "model.safetensors.index.json").write_text(text)
    with pytest.raises(CheckpointError, match=r"model\.safetensors\.index\.json: "):
        open_file(tmp_path)


@pytest.mark.parametrize(
    ("names", "said"),
    [
        (("zero_pp_rank_0_mp_rank_00_model_states.pt",), r"stage 3.*zero_to_fp32\.py"),
        (("mp_rank_00_model_states.pt", "mp_rank_01_model_states.pt"), "cut over 2 ranks"),
        ((".metadata", "__0_0.distcp"), "dcp_to_torch"),
    ],
)
def test_weights_that_are_spread_are_refused_with_a_way_out(tmp_path, names, said):
    for name in names:
        (tmp_path / name).touch()
    with pytest.raises(CheckpointError, match=said):
        expand_checkpoints([str(tmp_path)])


def test_files_that_only_lie_together_stay_a_series(tmp_path):
    for name in ("model_1.bin", "model_2.bin", "epoch_1.pth", "config.json"):
        (tmp_path / name).touch()
    assert len(expand_checkpoints([str(tmp_path)])) == 3


def test_the_digest_of_a_folder_follows_all_that_is_in_it(tmp_path):
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "a").write_text("1")
    before = path_digest(tmp_path)
    (tmp_path / "deep" / "a").write_text("2")
    assert path_digest(tmp_path) != before
