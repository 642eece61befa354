"""The built-in network and its pipeline against what the official code computed (golden/make.py)."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import torch

from cmgan_audit.evaluation.models.cmgan.attention import relative_attention
from cmgan_audit.evaluation.models.cmgan.cores import on_all_cores
from cmgan_audit.evaluation.models.cmgan.network import TSCNet
from cmgan_audit.evaluation.models.cmgan.normalising import norm_and_prelu
from cmgan_audit.evaluation.models.cmgan.pipeline import (
    SpectralSettings,
    chunk_count,
    compress,
    enhance_waveform,
    expand,
)

GOLDEN = Path(__file__).parent / "golden"


def _known() -> ModuleType:
    spec = importlib.util.spec_from_file_location("known_weights", GOLDEN / "known_weights.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


known = _known()


@pytest.fixture(scope="module")
def golden() -> dict[str, np.ndarray]:
    with np.load(GOLDEN / "golden.npz") as archive:
        return dict(archive)


def _network(size: str) -> TSCNet:
    network = TSCNet(num_channel=known.SIZES[size])
    network.load_state_dict(known.known_state(network), strict=True)
    return network.eval()


@pytest.mark.parametrize("size", ["small", "full"])
def test_the_network_computes_what_the_official_one_computes(size, golden):
    with torch.inference_mode():
        ours = _network(size)(known.known_spectrum()).numpy()
    assert np.abs(golden[f"{size}_spectrum"]).max() > 0.5
    assert np.abs(ours - golden[f"{size}_spectrum"]).max() < 1e-4


@pytest.mark.parametrize("size", ["small", "full"])
def test_tensor_names_are_the_official_ones_in_their_order(size, golden):
    assert set(TSCNet(known.SIZES[size]).state_dict()) == set(golden[f"{size}_names"].tolist())


def test_the_full_network_has_the_published_number_of_parameters():
    with torch.device("meta"):
        assert sum(parameter.numel() for parameter in TSCNet().parameters()) == 1_834_833


@pytest.mark.parametrize(("name", "chunk"), [("whole", None), ("chunked", known.CHUNK)])
def test_the_pipeline_computes_what_the_official_evaluation_computes(name, chunk, golden):
    noisy = torch.from_numpy(known.known_waveform())[None]
    with torch.inference_mode():
        enhanced = enhance_waveform(_network("small"), noisy, SpectralSettings(chunk_samples=chunk))[0].numpy()
    assert np.abs(enhanced[::4] - golden[f"small_{name}"]).max() < 1e-5


def test_chunked_and_whole_differ():
    golden = np.load(GOLDEN / "golden.npz")
    assert np.abs(golden["small_whole"] - golden["small_chunked"]).max() > 1e-3


@pytest.fixture(params=[1, 2])
def threads(request):
    before = torch.get_num_threads()
    torch.set_num_threads(request.param)
    yield request.param
    torch.set_num_threads(before)


def test_inference_in_pieces_equals_the_plain_forward_of_training(threads):
    network = _network("small")
    spectrum = known.known_spectrum()
    plain = network(spectrum).detach()  # with gradients nothing is cut into pieces or overwritten
    with torch.inference_mode():
        assert (network(spectrum) - plain).abs().max() < 1e-5


def test_inference_leaves_its_input_alone():
    spectrum = known.known_spectrum()
    before = spectrum.clone()
    with torch.inference_mode():
        _network("small")(spectrum)
    assert torch.equal(spectrum, before)


def test_a_batch_gives_what_its_members_give():
    rng = np.random.default_rng(5)
    batch = torch.from_numpy(rng.normal(0, [[0.01], [0.3], [0.1]], (3, 4150)).astype(np.float32))
    network = _network("small")
    with torch.inference_mode():
        together = enhance_waveform(network, batch, SpectralSettings())
        alone = torch.cat([enhance_waveform(network, row[None], SpectralSettings()) for row in batch])
    assert (together - alone).abs().max() < 1e-5


def test_less_than_half_a_window_is_enhanced_too():
    noisy = torch.randn(2, 50, generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        enhanced = enhance_waveform(_network("small"), noisy, SpectralSettings())
    assert enhanced.shape == noisy.shape and torch.isfinite(enhanced).all()


@pytest.mark.parametrize("n", [1, 7, 128, 129, 300])
@pytest.mark.parametrize("max_distance", [3, 512])
def test_relative_attention_is_the_textbook_formula(n, max_distance):
    generator = torch.Generator().manual_seed(n)
    query, key, value = (torch.randn(6, n, 4, generator=generator) for _ in range(3))
    embedding = torch.randn(2 * max_distance + 1, 4, generator=generator)
    distance = (torch.arange(n)[:, None] - torch.arange(n)[None]).clamp(-max_distance, max_distance) + max_distance
    scores = query @ key.transpose(-1, -2) + torch.einsum("sid,ijd->sij", query, embedding[distance])
    expected = (scores / 2.0).softmax(dim=-1) @ value
    assert (relative_attention(query / 2.0, key, value, embedding, max_distance) - expected).abs().max() < 1e-5


def test_compression_is_undone_by_expansion_even_at_zero():
    spectrum = torch.randn(2, 5, 7, dtype=torch.complex64)
    spectrum[0, 0, 0] = 0
    packed = compress(spectrum, 0.3)
    assert packed.shape == (2, 2, 7, 5)
    assert (expand(packed, 0.3) - spectrum).abs().max() < 1e-5


@pytest.mark.parametrize(("seconds", "pieces"), [(15, 1), (16, 1), (17, 2), (40, 4), (100, 10), (1700, 125)])
def test_official_chunking_cuts_into_equal_pieces(seconds, pieces):
    assert chunk_count(seconds * 16_000, SpectralSettings(chunk_samples=256_000)) == pieces


@pytest.mark.parametrize("offset", [0.0, 30.0])
def test_instance_norm_keeps_its_digits_on_long_maps(offset):
    rows = torch.randn(1, 400, 201, 4, generator=torch.Generator().manual_seed(0)) * 2 + offset
    x = rows.permute(0, 3, 1, 2)  # channels last, as in the network
    norm, prelu = torch.nn.InstanceNorm2d(4, affine=True), torch.nn.PReLU(4)
    torch.nn.init.uniform_(norm.weight)
    normed = torch.nn.functional.instance_norm(x.double(), weight=norm.weight.double(), bias=norm.bias.double())
    exact = torch.nn.functional.prelu(normed, prelu.weight.double())
    with torch.inference_mode():
        tiled = norm_and_prelu(lambda start, stop: x[:, :, start:stop], x.shape, norm, prelu)
    assert (tiled - exact).abs().max() < 2e-5
    whole = norm_and_prelu(lambda start, stop: x[:, :, start:stop], x.shape, norm, prelu)  # the way of training
    assert (whole - exact).abs().max() < 1e-3


@pytest.mark.parametrize("frames", [1, 3, 9, 47])
def test_tiles_of_few_frames_see_the_frames_before_them(frames):
    """Maps shorter than a dilation, and a last tile of a few frames."""
    network = _network("small")
    spectrum = torch.randn(1, 2, frames, 201, generator=torch.Generator().manual_seed(frames))
    plain = network(spectrum).detach()
    with torch.inference_mode():
        # Both are as far from what double precision gives; how far depends on the threads that torch uses.
        assert (network(spectrum) - plain).abs().max() < 4e-6 * plain.abs().max()


def test_work_on_all_cores_keeps_the_order_and_passes_errors_on():
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        assert on_all_cores(lambda n: n * n, range(50)) == [n * n for n in range(50)]
        with pytest.raises(ZeroDivisionError):
            on_all_cores(lambda n: 1 // n, range(3))
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)
