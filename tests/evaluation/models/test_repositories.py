"""Networks of users' repositories, by class and checkpoint."""

from __future__ import annotations

import os

import numpy as np
import pytest
import torch

from cmgan_audit.evaluation.models import ModelError, open_checkpoint
from cmgan_audit.evaluation.models.cmgan.network import TSCNet
from cmgan_audit.evaluation.models.enhancer import CodeError
from cmgan_audit.evaluation.models.sources import ModelOptions, model_source
from cmgan_audit.evaluation.systems import model_system
from tests.evaluation.models.helpers import NOISY, opened, quick


@pytest.mark.parametrize(
    ("imported", "said"),
    [
        ("nowhere.to_be", r"which runs cmgan-audit, has no nowhere: install it there, or cmgan-audit into"),
        ("layers", r"; layers is in .*/src, and imports start from .*: name the folder that your own scripts run in"),
        ("src.layer", r"; .*/src has no layer; it has: layers$"),
    ],
)
def test_a_module_that_is_not_there_comes_with_a_way_out(tmp_path, checkpoint, imported, said):
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "layers.py").write_text("")
    (tmp_path / "net.py").write_text(f"import {imported}\n")
    with pytest.raises(CodeError, match=said) as caught:
        opened(ModelOptions(repo=tmp_path, network="net:Net"), checkpoint)
    assert str(checkpoint) not in str(caught.value)  # of a series, none is to blame


REPOSITORY = '''
import torch

class Scale(torch.nn.Module):
    """A network for waveforms whose only weight is a gain."""

    def __init__(self, start=1.0, names=()):
        super().__init__()
        print("building")
        self.gain = torch.nn.Parameter(torch.tensor([start]))

    def forward(self, noisy):
        return noisy * self.gain
'''


@pytest.fixture
def repository(tmp_path):
    folder = tmp_path / "repo"
    (folder / "models").mkdir(parents=True)
    (folder / "models" / "generator.py").write_text(REPOSITORY)
    return folder


@quick
def test_the_network_class_of_a_repository(repository, checkpoint):
    options = ModelOptions(
        repo=repository, network="models.generator:Scale", kwargs="start=0.25,names=['a', 'b']", pipeline="waveform"
    )
    source = model_source(options)
    assert source.notice is not None and "runs the code of models.generator:Scale" in source.notice
    enhancer = source.open(checkpoint)
    assert np.array_equal(enhancer.enhance(NOISY), NOISY * np.float32(0.5))


@quick
@pytest.mark.parametrize(("pipeline", "shape"), [("waveform", "[1, 3210]"), ("cmgan", "[1, 2, 34, 201]")])
def test_a_network_that_returns_something_else_is_referred_to_a_factory(repository, checkpoint, pipeline, shape):
    place = repository / "models" / "generator.py"
    place.write_text(place.read_text().replace("return noisy * self.gain", "return noisy * self.gain, noisy, noisy"))
    options = ModelOptions(repo=repository, network="models.generator:Scale", pipeline=pipeline)
    with pytest.raises(ModelError) as caught:
        opened(options, checkpoint).enhance(NOISY)
    assert f"returned 3 values (shape {shape}, " in str(caught.value)
    assert str(caught.value).endswith("goes into a factory (--model FILE.py:factory, docs/models.md)")


@quick
def test_which_of_several_sets_a_repositorys_network_takes(repository, tmp_path):
    torch.save({"model": {"gain": torch.ones(1)}, "ema": {"gain": torch.zeros(1)}, "epoch": 8}, tmp_path / "last.pth")
    options = ModelOptions(repo=repository, network="models.generator:Scale", pipeline="waveform")
    system = model_system(opened(options, tmp_path / "last.pth"), "last")
    assert system.epoch == 8
    assert system.remark == (
        "last: scored are the weights model; the file also holds ema (--weights NAME takes others)"
    )


def test_a_fork_of_cmgan_gives_what_the_built_in_network_gives(tmp_path):
    torch.manual_seed(1)
    path = tmp_path / "epoch_3.pth"
    torch.save({"epoch": 3, "state_dict": {f"module.{n}": t for n, t in TSCNet(4).state_dict().items()}}, path)
    repo = tmp_path / "fork"
    repo.mkdir()
    (repo / "net.py").write_text(
        "from cmgan_audit.evaluation.models.cmgan.network import TSCNet\n\n"
        "class Fork(TSCNet):\n"
        "    def forward(self, x):\n"
        "        real, imag = super().forward(x).split(1, dim=1)\n"
        "        return real, imag\n"
    )
    fork = opened(ModelOptions(repo=repo, network="net:Fork", kwargs="num_channel=4"), path)
    built_in = open_checkpoint(path)
    assert np.abs(fork.enhance(NOISY) - built_in.enhance(NOISY)).max() < 1e-6
    assert fork.describe()["parameters"] == built_in.describe()["parameters"]
    assert fork.identity != built_in.identity


@quick
@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"network": "models.generator:Nothing"}, "has no Nothing; it has: Scale"),
        ({"network": "models.nowhere:Scale"}, "No module named 'models.nowhere'"),
        ({"kwargs": "stop=1"}, "cannot be built with --kwargs stop=1: .*unexpected keyword argument 'stop'"),
        ({"pipeline": "cmgan"}, "returned|expects"),
    ],
)
def test_a_repository_that_does_not_fit(repository, checkpoint, changes, said):
    options = {"repo": repository, "network": "models.generator:Scale", "pipeline": "waveform", **changes}
    if "pipeline" in changes:
        source = (repository / "models" / "generator.py").read_text()
        (repository / "models" / "generator.py").write_text(source.replace("noisy * self.gain", "noisy[:, :1]"))
    with pytest.raises(ModelError, match=said):
        opened(ModelOptions(**options), checkpoint).enhance(NOISY)


@quick
def test_a_checkpoint_that_does_not_fit_the_repositorys_network(repository, tmp_path):
    path = tmp_path / "other.pth"
    torch.save({"gain": torch.zeros(2), "bias": torch.zeros(1)}, path)
    with pytest.raises(
        ModelError, match=r"1 unexpected: bias; 1 of another shape: gain is \[2\] where \[1\] is needed"
    ):
        opened(ModelOptions(repo=repository, network="models.generator:Scale", pipeline="waveform"), path)


@quick
def test_a_hostile_checkpoint_is_not_run_for_a_repository_either(repository, tmp_path):
    class Evil:
        def __reduce__(self):
            return (os.system, (f"touch {tmp_path / 'was_run'}",))

    path = tmp_path / "evil.pth"
    torch.save({"gain": torch.zeros(1), "x": Evil()}, path)
    with pytest.raises(ModelError, match=r"posix\.system"):
        opened(ModelOptions(repo=repository, network="models.generator:Scale", pipeline="waveform"), path)
    assert not (tmp_path / "was_run").exists()
