"""What runs on a GPU gives what the CPU gives; skipped where PyTorch sees none."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from cmgan_audit.evaluation.models import DeviceError, ModelError, open_checkpoint
from cmgan_audit.evaluation.models.cmgan.network import TSCNet
from cmgan_audit.evaluation.models.devices import open_device
from cmgan_audit.evaluation.models.sources import ModelOptions, model_source
from cmgan_audit.evaluation.systems import model_system

from .test_cmgan import GOLDEN, known

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="PyTorch sees no GPU")

NOISY = known.known_waveform()


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory):
    path = tmp_path_factory.mktemp("cuda") / "CMGAN_epoch_3_0.1"
    network = TSCNet(known.SIZES["full"])
    network.load_state_dict(known.known_state(network))
    torch.save(network.state_dict(), path)
    return path


@pytest.mark.parametrize("size", ["small", "full"])
def test_the_network_computes_what_the_official_one_computes(size):
    network = TSCNet(num_channel=known.SIZES[size])
    network.load_state_dict(known.known_state(network))
    with torch.inference_mode(), np.load(GOLDEN / "golden.npz") as golden:
        place = open_device("cuda")
        ours = network.eval().to(place)(known.known_spectrum().to(place)).cpu().numpy()
        assert np.abs(ours - golden[f"{size}_spectrum"]).max() < 1e-4


def test_a_whole_utterance_is_enhanced_alike_and_always_the_same(checkpoint):
    torch.backends.cuda.matmul.allow_tf32 = True  # whoever uses the package may have switched it on
    gpu, cpu = open_checkpoint(checkpoint, device="cuda"), open_checkpoint(checkpoint)
    first = gpu.enhance(NOISY)
    assert np.abs(first - cpu.enhance(NOISY)).max() < 1e-4
    assert np.array_equal(gpu.enhance(NOISY), first)
    assert gpu.describe()["device"] == "cuda" and gpu.identity == cpu.identity


def test_a_batch_gives_what_its_members_give(checkpoint):
    gpu = open_checkpoint(checkpoint, device="cuda:0")
    batch = np.stack([NOISY[:16_000], 0.1 * NOISY[16_000:32_000]])
    alone = np.stack([gpu.enhance(row) for row in batch])
    assert np.abs(gpu.enhance_batch(batch) - alone).max() < 1e-4


def test_scores_of_another_device_are_not_taken_for_ones_of_this(checkpoint):
    settings = {model_system(open_checkpoint(checkpoint, device=name), "a").settings for name in ("cpu", "cuda")}
    assert settings == {"model:cmgan|device:cpu", "model:cmgan|device:cuda"}


def test_memory_that_runs_out_is_told_with_what_would_help(checkpoint):
    gpu = open_checkpoint(checkpoint, device="cuda")
    torch.cuda.empty_cache()
    torch.cuda.set_per_process_memory_fraction(0.001)
    try:
        with pytest.raises(ModelError, match=r"on cuda at an input of 60\.0 s; what needs less: --device cpu"):
            gpu.enhance(np.resize(NOISY, 960_000))
    finally:
        torch.cuda.set_per_process_memory_fraction(1.0)
    assert np.isfinite(gpu.enhance(NOISY)).all()


def test_a_gpu_that_is_not_there(checkpoint):
    count = torch.cuda.device_count()
    with pytest.raises(DeviceError, match=f"there are {count} CUDA devices, counted from 0"):
        open_checkpoint(checkpoint, device=f"cuda:{count}")


def test_a_users_factory_gets_the_device_and_its_network_is_put_there(tmp_path, checkpoint):
    (tmp_path / "mine.py").write_text(
        "import torch\n\n"
        "class Half(torch.nn.Module):\n"
        "    def __init__(self):\n"
        "        super().__init__()\n"
        "        self.gain = torch.nn.Parameter(torch.tensor(0.5))\n\n"
        "    def forward(self, samples):\n"
        "        assert samples.is_cuda and self.gain.is_cuda\n"
        "        return self.gain * samples\n\n"
        "def make(checkpoint, device):\n"
        "    assert device == 'cuda'\n"
        "    return Half(), 'waveform'\n"
    )
    enhancer = model_source(ModelOptions(model=f"{tmp_path / 'mine.py'}:make", device="cuda")).open(checkpoint)
    try:
        assert np.array_equal(enhancer.enhance(NOISY), 0.5 * NOISY)
    finally:
        enhancer.close()
