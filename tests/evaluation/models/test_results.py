"""What a user's model returns: audio in any form that can mean but one thing, or a message that says what it is."""

from __future__ import annotations

import numpy as np
import pytest

from cmgan_audit.evaluation.models import ModelError
from tests.evaluation.models.helpers import NOISY, factory, opened, quick


@quick
@pytest.mark.parametrize("pipeline", ["waveform", "cmgan"])
def test_a_network_with_a_pipeline(tmp_path, checkpoint, pipeline):
    body = f"import torch\nreturn torch.nn.Identity(), '{pipeline}'"
    enhancer = opened(factory(tmp_path, body), checkpoint)
    assert np.abs(enhancer.enhance(NOISY) - NOISY).max() < 1e-5  # the spectral pipeline is undone exactly
    assert enhancer.describe()["parameters"] == 0


@quick
@pytest.mark.parametrize(
    ("pipeline", "said"),
    [
        ("waveform", r"the pipeline `waveform` gave it a waveform of shape \[1, 3210\]; the other one is `cmgan`"),
        ("cmgan", r"the pipeline `cmgan` gave it a spectrum of shape \[1, 2, \d+, \d+\]; the other one is `waveform`"),
    ],
)
def test_a_network_of_another_kind_is_told_what_it_was_given(tmp_path, checkpoint, pipeline, said):
    body = f"import torch\nreturn torch.nn.Conv3d(7, 1, 1), '{pipeline}'"
    with pytest.raises(ModelError, match=said):
        opened(factory(tmp_path, body), checkpoint).enhance(NOISY)


@quick
@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("assert x.ndim == 3", r"\[1, 3210\]; the other one is `cmgan`$"),
        ("x.sum(2, 3, 4)", r"TypeError.*\[1, 3210\]; the other one is `cmgan`$"),
        ("raise torch.OutOfMemoryError('of 80 GiB')", r"of 80 GiB.*gave it a waveform of shape \[1, 3210\]$"),
    ],
)
def test_the_other_pipeline_is_named_where_the_input_may_be_what_was_wrong(tmp_path, checkpoint, body, said):
    net = f"import torch\nclass Net(torch.nn.Module):\n    def forward(self, x):\n        {body}\n"
    with pytest.raises(ModelError, match=said):
        opened(factory(tmp_path, net + "return Net(), 'waveform'"), checkpoint).enhance(NOISY)


@quick
@pytest.mark.parametrize("precision", ["half", "double"])
def test_a_network_on_waveforms_may_compute_in_another_precision(tmp_path, checkpoint, precision):
    body = f"import torch\nclass Net(torch.nn.Module):\n    def forward(self, x):\n        return x.{precision}()\n"
    enhanced = opened(factory(tmp_path, body + "return Net(), 'waveform'"), checkpoint).enhance(NOISY)
    assert enhanced.dtype == np.float32 and np.abs(enhanced - NOISY).max() < 1e-3


@quick
@pytest.mark.parametrize(
    ("result", "said"),
    [
        ("noisy.astype(np.complex64)", "returned complex64, where float32 is expected"),
        ("(noisy * 32767).astype(np.int16)", "returned int16"),
        ("noisy.reshape(2, -1)", r"returned shape \[2, 1605\]"),
        ("noisy[:, None]", r"returned shape \[3210, 1\]"),
        ("noisy.sum()", "returned float32, where|returned shape"),
        ("None", "returned NoneType"),
        ("[0.0]", "returned list"),
        ("1 / 0", r"ZeroDivisionError: division by zero \(.*mine\.py:5\)"),
    ],
)
def test_a_result_that_is_no_audio(tmp_path, checkpoint, result, said):
    enhancer = opened(factory(tmp_path, f"return lambda noisy: {result}"), checkpoint)
    for _ in range(2):  # the process lives on
        with pytest.raises(ModelError, match=said):
            enhancer.enhance(NOISY)


@quick
@pytest.mark.parametrize("result", ["noisy.astype(np.float64)", "noisy[None]", "torch.from_numpy(noisy)[None, None]"])
def test_a_result_that_can_mean_but_one_thing(tmp_path, checkpoint, result):
    enhancer = opened(factory(tmp_path, f"import torch\nreturn lambda noisy: {result}"), checkpoint)
    enhanced = enhancer.enhance(NOISY)
    assert enhanced.dtype == np.float32 and np.array_equal(enhanced, NOISY)


SEVERAL = """import torch
class Net(torch.nn.Module):
    def forward(self, x):
        return {result}
return Net(), 'waveform'
"""


@quick
@pytest.mark.parametrize(
    "result",
    [
        "(torch.stft(x, 400, 100, return_complex=True), -x)",
        "{'mask': x[:, :9], 'wav': -x}",
        "(torch.fft.rfft(x).abs(), -x)",
    ],
)
def test_the_waveform_among_what_a_network_returns(tmp_path, checkpoint, result):
    enhancer = opened(factory(tmp_path, SEVERAL.format(result=result)), checkpoint)
    assert np.array_equal(enhancer.enhance(NOISY), -NOISY)


@quick
def test_the_waveform_among_them_may_be_of_whole_frames(tmp_path, checkpoint):
    enhancer = opened(factory(tmp_path, SEVERAL.format(result="(x[:, :400], -x[:, None, :3200])")), checkpoint)
    assert np.array_equal(enhancer.enhance(NOISY), -NOISY[:3200])


@quick
@pytest.mark.parametrize(
    ("result", "said"),
    [
        ("(x, -x)", r"returned 2 values \(shape \[1, 3210\], shape \[1, 3210\]\)"),
        ("{'speech': x, 'noise': -x}", r"returned 2 values \(speech: shape \[1, 3210\], noise: shape \[1, 3210\]\)"),
    ],
)
def test_two_waveforms_are_not_chosen_from(tmp_path, checkpoint, result, said):
    enhancer = opened(factory(tmp_path, SEVERAL.format(result=result)), checkpoint)
    with pytest.raises(ModelError, match=said):
        enhancer.enhance(NOISY)


@quick
def test_lengths_and_nan_are_left_to_the_guards(tmp_path, checkpoint):
    enhancer = opened(factory(tmp_path, "return lambda noisy: np.append(noisy[:5], np.float32('nan'))"), checkpoint)
    assert len(enhancer.enhance(NOISY)) == 6
