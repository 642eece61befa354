"""What a factory that users bring may be, and how wrong ones end: in a message that names them."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from cmgan_audit.evaluation.models import ModelError
from cmgan_audit.evaluation.models.sources import ModelOptions
from cmgan_audit.evaluation.systems import model_system
from tests.evaluation.models.helpers import NOISY, factory, opened, quick


@quick
@pytest.mark.parametrize(
    "body",
    [
        "return lambda noisy: noisy * np.float32(0.5)",
        "class Halver:\n    def enhance(self, noisy):\n        return noisy * np.float32(0.5)\nreturn Halver()",
        "import torch\ngain = torch.load(checkpoint, weights_only=True)['gain']\n"
        "return lambda noisy: torch.from_numpy(noisy) * gain",
    ],
    ids=["function", "object", "tensor"],
)
def test_a_factory(tmp_path, checkpoint, body):
    enhancer = opened(factory(tmp_path, body), checkpoint)
    enhanced = enhancer.enhance(NOISY)
    assert enhanced.dtype == np.float32 and np.array_equal(enhanced, NOISY * np.float32(0.5))
    assert np.array_equal(enhancer.enhance_batch(np.stack([NOISY, -NOISY]))[1], -enhanced)
    assert enhancer.describe()["epoch"] == 5
    enhancer.close()
    enhancer.close()


def test_what_a_model_draws_is_the_same_on_every_run(tmp_path, checkpoint):
    draws = "random.random() * np.random.rand() * float(torch.rand(()))"
    body = f"import random, torch\nreturn lambda noisy: (noisy * {draws}).astype(np.float32)"
    first = opened(factory(tmp_path, body), checkpoint)
    second = opened(factory(tmp_path, body), checkpoint)
    assert np.array_equal(first.enhance(NOISY), second.enhance(NOISY))
    assert np.array_equal(first.enhance(NOISY), second.enhance(NOISY))


SCALE = """import torch
class Scale(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.gain = torch.nn.Parameter(torch.zeros(1))
    def forward(self, noisy):
        return noisy * self.gain
network = Scale()
network.load_state_dict(torch.load(checkpoint, weights_only=True)[{key!r}])
"""


@quick
@pytest.mark.parametrize(
    ("key", "last", "weights", "passed_over"),
    [
        ("model", "return network, 'waveform'", "model", ["ema", "best"]),
        ("ema", "return network, 'waveform'", "ema", ["model", "best", "copy"]),
        ("model", "network.load_state_dict({'gain': torch.tensor([9.0])})\nreturn network, 'waveform'", None, None),
        ("model", "return lambda noisy: network(torch.from_numpy(noisy))", None, None),
    ],
)
def test_which_of_several_sets_a_factory_takes_is_told_where_it_shows(tmp_path, key, last, weights, passed_over):
    sets = {name: {"gain": torch.tensor([gain])} for name, gain in (("model", 0.5), ("ema", 0.25), ("best", 0.75))}
    torch.save({**sets, "copy": sets["model"], "epoch": 12}, tmp_path / "last.pth")
    options = factory(tmp_path, SCALE.format(key=key) + last)
    said = opened(options, tmp_path / "last.pth").describe()
    assert (said["weights"], said["epoch"]) == (weights, 12)
    assert said["passed_over"] == (passed_over or ["model", "ema", "best", "copy"])
    remark = model_system(opened(options, tmp_path / "last.pth"), "last").remark
    if weights is None:
        assert remark == (
            "last: the file holds several sets of weights of one network, model, ema, best, copy; "
            "the factory decides which it is"
        )
    else:
        assert remark.startswith(f"last: scored are the weights {weights}; the file also holds {passed_over[0]}, ")
        assert remark.endswith("(the factory decides)")


@quick
def test_a_checkpoint_that_only_the_factory_can_read_is_described_by_its_name(tmp_path):
    (tmp_path / "own_epoch_3.bin").write_bytes(b"a form of their own")
    said = opened(factory(tmp_path, "return lambda noisy: noisy"), tmp_path / "own_epoch_3.bin").describe()
    assert (said["epoch"], said["weights"], said["passed_over"]) == (3, None, [])


def test_a_module_on_the_python_path(tmp_path, checkpoint, monkeypatch):
    (tmp_path / "pack").mkdir()
    (tmp_path / "pack" / "__init__.py").write_text("")
    (tmp_path / "pack" / "models.py").write_text("def make(checkpoint, device):\n    return lambda noisy: -noisy\n")
    monkeypatch.chdir(tmp_path)
    assert np.array_equal(opened(ModelOptions(model="pack.models:make"), checkpoint).enhance(NOISY), -NOISY)


@quick
def test_identity_follows_code_and_weights_and_nothing_else(tmp_path, checkpoint):
    def identity(body, path=checkpoint):
        enhancer = opened(factory(tmp_path, body), path)
        enhancer.close()
        return enhancer.identity

    copy = tmp_path / "copy.pth"
    copy.write_bytes(checkpoint.read_bytes())
    other = tmp_path / "other.pth"
    torch.save({"gain": torch.tensor([0.7])}, other)
    base = identity("return lambda noisy: noisy")
    assert identity("return lambda noisy: noisy") == base == identity("return lambda noisy: noisy", copy)
    assert base != identity("return lambda noisy: noisy * 2")
    assert base != identity("return lambda noisy: noisy", other)


@quick
@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("raise ValueError('no such preset')", r"ValueError: no such preset \(.*mine\.py:5\)"),
        ("sys.exit(3)", "SystemExit: 3"),
        ("return 7", "returned int; a factory returns"),
        ("return lambda noisy: noisy, 'mel'", "with a pipeline of cmgan, waveform"),
        ("import torch\nreturn torch.nn.Identity()", "name its pipeline"),
        ("import torch\nreturn torch.nn.Identity(), 'cmgan', {'n_fff': 1}", "has no setting n_fff"),
        ("os._exit(9)", "ended with status 9 while loading"),
        ("os.abort()", r"signal 6 \(Aborted\) while loading"),
    ],
)
def test_a_factory_that_fails(tmp_path, checkpoint, body, said):
    with pytest.raises(ModelError, match=said) as caught:
        opened(factory(tmp_path, body), checkpoint)
    assert "mine.py:make" in str(caught.value)
    assert str(caught.value).count(str(checkpoint)) == 1  # of a series, it must be told which one


def test_a_factory_may_have_the_name_of_what_it_imports(tmp_path, checkpoint):
    (tmp_path / "repo").mkdir()
    (tmp_path / "repo" / "mine.py").write_text("def turned(noisy):\n    return -noisy\n")
    options = factory(
        tmp_path, f"sys.path.insert(0, {str(tmp_path / 'repo')!r})\nfrom mine import turned\nreturn turned"
    )
    assert np.array_equal(opened(options, checkpoint).enhance(NOISY), -NOISY)
