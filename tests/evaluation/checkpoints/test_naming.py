"""File names and their order."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from cmgan_audit.errors import MissingPathError
from cmgan_audit.evaluation.checkpoints.errors import CheckpointError
from cmgan_audit.evaluation.checkpoints.naming import expand_checkpoints, natural_key, read_name


@pytest.mark.parametrize(
    ("name", "epoch", "step", "score"),
    [
        ("CMGAN_epoch_7_0.105", 7, None, 0.105),
        ("CMGAN_epoch_0_0.313", 0, None, 0.313),
        ("latest_checkpoint.pth", None, None, None),
        ("g_00005000", None, 5000, None),
        ("do_00005000", None, 5000, None),
        ("epoch=3-step=1000.ckpt", 3, 1000, None),
        ("epoch=12-val_loss=0.52.ckpt", 12, None, 0.52),
        ("ckpt_80", 80, None, None),
        ("checkpoint_12.pth", 12, None, None),
        ("model-00012.pt", 12, None, None),
        ("epoch_10.pth", 10, None, None),
        ("ep007.pth", 7, None, None),
        ("best.pth", None, None, None),
        ("v2_final.pth", None, None, None),
        ("step_20000.safetensors", None, 20000, None),
        ("cmgan_bs4_lr5e-4_epoch_35", 35, None, None),
        ("cmgan_bs4_lr5e-4.pth", None, None, None),
        ("cmgan_epochs120_epoch_35.pth", 35, None, None),
        ("run_e12.pth", 12, None, None),
        ("cmgan_e2e_best.pth", None, None, None),
        ("e2e_net_e_7.pth", 7, None, None),
        ("cmgan_lr_e-4.pth", None, None, None),
        ("model_1e-4.pth", None, None, None),
        ("E7", 7, None, None),
        ("checkpoint_10.th", 10, None, None),
        ("model_0010.pth.tar", 10, None, None),
        ("ckpt.epoch12", 12, None, None),
    ],
)
def test_what_names_say(name, epoch, step, score):
    said = read_name(name)
    assert (said.epoch, said.step, said.score) == (epoch, step, score)


@given(st.text(max_size=40))
def test_any_name_can_be_read_and_sorted(name):
    read_name(name)
    assert natural_key(name) == natural_key(name)


@given(st.lists(st.integers(0, 10**6), unique=True))
def test_numbers_sort_by_value(numbers):
    names = sorted((f"epoch_{n}.pth" for n in numbers), key=natural_key)
    assert names == [f"epoch_{n}.pth" for n in sorted(numbers)]


def test_patterns_and_folders_come_in_natural_order(tmp_path):
    names = ["epoch_10.pth", "epoch_2.pth", "epoch_1.pth"]
    for name in names:
        (tmp_path / name).write_bytes(b"x")
    (tmp_path / "notes.txt").write_bytes(b"x")
    wanted = [tmp_path / name for name in ("epoch_1.pth", "epoch_2.pth", "epoch_10.pth")]
    assert expand_checkpoints([str(tmp_path / "*.pth")]) == wanted
    assert expand_checkpoints([str(tmp_path)]) == wanted
    given_order = [str(tmp_path / name) for name in names]
    assert [str(path) for path in expand_checkpoints(given_order)] == given_order


def test_names_without_a_suffix_in_a_folder(tmp_path):
    for name in ("CMGAN_epoch_2_0.2", "CMGAN_epoch_10_0.1", "README", "train.log", "run.py"):
        (tmp_path / name).write_bytes(b"x")
    assert [path.name for path in expand_checkpoints([str(tmp_path)])] == ["CMGAN_epoch_2_0.2", "CMGAN_epoch_10_0.1"]


@pytest.mark.parametrize("zipped", [True, False])
def test_what_torch_saved_is_a_checkpoint_under_any_name(tmp_path, zipped):
    for name in ("checkpoint.th", "best.model"):
        torch.save({"w": torch.zeros(2)}, tmp_path / name, _use_new_zipfile_serialization=zipped)
    np.savez(tmp_path / "losses.npz", a=np.zeros(2))
    (tmp_path / "history.json").write_text("{}")
    assert [path.name for path in expand_checkpoints([str(tmp_path)])] == ["best.model", "checkpoint.th"]


def test_what_else_torch_saved_beside_named_checkpoints_is_none(tmp_path):
    for name in ("epoch_1.pth", "epoch_2.pth", "features.dat", "history"):
        torch.save({"w": torch.zeros(2)}, tmp_path / name)
    assert [path.name for path in expand_checkpoints([str(tmp_path)])] == ["epoch_1.pth", "epoch_2.pth"]


def test_a_checkpoint_of_a_long_name(tmp_path):
    torch.save({"w": torch.zeros(2)}, tmp_path / ("a" * 250 + ".th"))
    assert len(expand_checkpoints([str(tmp_path)])) == 1


@pytest.mark.parametrize(
    "beside",
    [
        "optimizer.pth",
        "optim_g.pt",
        "lr_scheduler.pth",
        "epoch_3_optimizer.pth",
        "scaler.pt",
        "rng_state.pth",
        "training_args.bin",
    ],
)
def test_states_beside_the_weights_are_no_checkpoints_of_a_folder(tmp_path, beside):
    for name in (beside, "epoch_3.pth"):
        (tmp_path / name).write_bytes(b"x")
    assert [path.name for path in expand_checkpoints([str(tmp_path)])] == ["epoch_3.pth"]
    (tmp_path / "epoch_3.pth").unlink()
    assert [path.name for path in expand_checkpoints([str(tmp_path)])] == [beside]  # of which is said what it holds
    assert expand_checkpoints([str(tmp_path / beside)]) == [tmp_path / beside]


@pytest.mark.parametrize("name", ["cosine_scheduler.pth", "cmgan_optimized.pth", "optimized.pth", "best_model.pth"])
def test_words_that_tell_trainings_apart_name_checkpoints(tmp_path, name):
    for each in (name, "epoch_3.pth"):
        (tmp_path / each).write_bytes(b"x")
    assert len(expand_checkpoints([str(tmp_path)])) == 2


def test_a_folder_of_wav_files_is_one_system(tmp_path):
    (tmp_path / "a.wav").write_bytes(b"x")
    assert expand_checkpoints([str(tmp_path)]) == [tmp_path]


def test_what_means_nothing(tmp_path):
    with pytest.raises(CheckpointError, match="no file matches"):
        expand_checkpoints([str(tmp_path / "*.pth")])
    with pytest.raises(MissingPathError, match="no such file"):
        expand_checkpoints([str(tmp_path / "x")])
    with pytest.raises(CheckpointError, match="neither wav files nor checkpoints"):
        expand_checkpoints([str(tmp_path)])


def test_a_file_whose_name_looks_like_a_pattern(tmp_path):
    path = tmp_path / "epoch[3].pth"
    path.write_bytes(b"x")
    assert expand_checkpoints([str(path)]) == [path]


def test_a_folder_above_recordings_is_one_system(tmp_path):
    (tmp_path / "run" / "p232" / "wavs").mkdir(parents=True)
    (tmp_path / "run" / "p232" / "wavs" / "a.wav").touch()
    assert expand_checkpoints([str(tmp_path / "run")]) == [tmp_path / "run"]


def test_a_folder_above_the_checkpoints_says_where_they_are(tmp_path):
    for name in ("ckpt/epoch_1.pth", "samples/a.wav"):
        (tmp_path / "run" / name).parent.mkdir(parents=True)
        (tmp_path / "run" / name).touch()
    with pytest.raises(CheckpointError, match="its folder ckpt does"):
        expand_checkpoints([str(tmp_path / "run")])
