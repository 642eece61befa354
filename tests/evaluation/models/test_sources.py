"""Models that users bring: right ones work, wrong ones end in a message that names them."""

from __future__ import annotations

import os
import time
from pathlib import Path

import numpy as np
import pytest
import torch

from cmgan_audit.errors import AuditError, UsageError
from cmgan_audit.evaluation.models import ModelError, open_checkpoint
from cmgan_audit.evaluation.models.cmgan.network import TSCNet
from cmgan_audit.evaluation.models.enhancer import CodeError
from cmgan_audit.evaluation.models.hosted.enhancer import CodeModel, HostedEnhancer, TimeLimits
from cmgan_audit.evaluation.models.sources import ModelOptions, model_source, parse_kwargs
from cmgan_audit.evaluation.systems import model_system

# What a model gives, or how it fails, is the same in a process that is started for it as in a copy of this one.
# What it imports, prints, reads and draws is tested in the first.
quick = pytest.mark.usefixtures("forked_hosts")
NOISY = np.random.default_rng(1).normal(0, 0.1, 3210).astype(np.float32)


@pytest.fixture
def checkpoint(tmp_path):
    path = tmp_path / "gain_epoch_5.pth"
    torch.save({"gain": torch.tensor([0.5])}, path)
    return path


def factory(tmp_path, body):
    """Options for a file with a factory `make(checkpoint, device)` of this body."""
    lines = "\n".join(f"    {line}" for line in body.splitlines())
    path = tmp_path / "mine.py"
    path.write_text(f"import os, sys, time\nimport numpy as np\n\ndef make(checkpoint, device):\n{lines}\n")
    return ModelOptions(model=f"{path}:make")


def opened(options, checkpoint):
    return model_source(options).open(checkpoint)


def hosted(options, checkpoint, **limits):
    path = Path(options.model.rpartition(":")[0])
    return HostedEnhancer(CodeModel("factory", options.model, path.parent), checkpoint, "cpu", TimeLimits(**limits))


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


@quick
@pytest.mark.parametrize("pipeline", ["waveform", "cmgan"])
def test_a_network_with_a_pipeline(tmp_path, checkpoint, pipeline):
    body = f"import torch\nreturn torch.nn.Identity(), '{pipeline}'"
    enhancer = opened(factory(tmp_path, body), checkpoint)
    assert np.abs(enhancer.enhance(NOISY) - NOISY).max() < 1e-5  # the spectral pipeline is undone exactly
    assert enhancer.describe()["parameters"] == 0


@quick
@pytest.mark.parametrize("precision", ["half", "double"])
def test_a_network_on_waveforms_may_compute_in_another_precision(tmp_path, checkpoint, precision):
    body = f"import torch\nclass Net(torch.nn.Module):\n    def forward(self, x):\n        return x.{precision}()\n"
    enhanced = opened(factory(tmp_path, body + "return Net(), 'waveform'"), checkpoint).enhance(NOISY)
    assert enhanced.dtype == np.float32 and np.abs(enhanced - NOISY).max() < 1e-3


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
    "result", ["(torch.stft(x, 400, 100, return_complex=True), -x)", "{'mask': x[:, :9], 'wav': -x}"]
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


def test_a_factory_may_have_the_name_of_what_it_imports(tmp_path, checkpoint):
    (tmp_path / "repo").mkdir()
    (tmp_path / "repo" / "mine.py").write_text("def turned(noisy):\n    return -noisy\n")
    options = factory(
        tmp_path, f"sys.path.insert(0, {str(tmp_path / 'repo')!r})\nfrom mine import turned\nreturn turned"
    )
    assert np.array_equal(opened(options, checkpoint).enhance(NOISY), -NOISY)


@pytest.mark.parametrize(
    ("imported", "said"),
    [
        ("nowhere.to_be", r"which runs cmgan-audit, has no nowhere: install it there, or cmgan-audit into"),
        ("layers", r"; layers is in .*/src, and imports start from .*: name the folder that your own scripts run in"),
    ],
)
def test_a_module_that_is_not_there_comes_with_a_way_out(tmp_path, checkpoint, imported, said):
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "layers.py").write_text("")
    (tmp_path / "net.py").write_text(f"import {imported}\n")
    with pytest.raises(CodeError, match=said) as caught:
        opened(ModelOptions(repo=tmp_path, network="net:Net"), checkpoint)
    assert str(checkpoint) not in str(caught.value)  # of a series, none is to blame


@quick
def test_lengths_and_nan_are_left_to_the_guards(tmp_path, checkpoint):
    enhancer = opened(factory(tmp_path, "return lambda noisy: np.append(noisy[:5], np.float32('nan'))"), checkpoint)
    assert len(enhancer.enhance(NOISY)) == 6


def test_what_user_code_prints_reaches_stderr_and_never_stdout(tmp_path, checkpoint, capfd):
    body = "print('loading')\nos.system('echo from a child')\nreturn lambda noisy: print('busy') or noisy"
    enhancer = opened(factory(tmp_path, body), checkpoint)
    assert np.array_equal(enhancer.enhance(NOISY), NOISY)
    enhancer.close()
    captured = capfd.readouterr()
    assert captured.out == ""
    assert all(word in captured.err for word in ("loading", "from a child"))


def gone(pid, within):
    """Whether a process has ended after at most `within` seconds: a signal that was sent is not yet one delivered."""
    deadline = time.monotonic() + within
    while time.monotonic() < deadline:
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        except (FileNotFoundError, ProcessLookupError):
            return True
        if state == "Z":  # ended; nobody asks for its status here
            return True
        time.sleep(0.02)
    return False


@quick
def test_user_code_that_hangs_is_stopped_with_its_children(tmp_path, checkpoint):
    pid = tmp_path / "pid"
    body = (
        "import subprocess\nchild = subprocess.Popen(['sleep', '600'])\n"
        f"open({str(pid)!r}, 'w').write(str(child.pid))\ntime.sleep(600)"
    )
    with pytest.raises(ModelError, match=r"loading .* took more than 2 s and was stopped"):
        hosted(factory(tmp_path, body), checkpoint, opening=2.0)
    assert gone(int(pid.read_text()), within=20.0)


@quick
def test_an_utterance_that_hangs_is_stopped(tmp_path, checkpoint):
    enhancer = hosted(
        factory(tmp_path, "return lambda noisy: time.sleep(60)"), checkpoint, utterance=1.0, per_second=0.0
    )
    with pytest.raises(ModelError, match="enhancing an utterance took more than 1 s"):
        enhancer.enhance(NOISY)


@quick
def test_a_process_that_dies_is_started_again_but_not_for_ever(tmp_path, checkpoint):
    enhancer = opened(factory(tmp_path, "return lambda noisy: os._exit(4) if noisy[0] > 5 else noisy"), checkpoint)
    deadly = np.full(10, 9, dtype=np.float32)
    for _ in range(2):
        with pytest.raises(ModelError, match="ended with status 4 while enhancing"):
            enhancer.enhance(deadly)
        assert np.array_equal(enhancer.enhance(NOISY), NOISY)
    with pytest.raises(ModelError, match="status 4"):
        enhancer.enhance(deadly)
    with pytest.raises(ModelError, match="died 3 times"):
        enhancer.enhance(NOISY)


def test_user_code_cannot_read_the_terminal(tmp_path, checkpoint):
    enhancer = opened(factory(tmp_path, "assert sys.stdin.read() == ''\nreturn lambda noisy: noisy"), checkpoint)
    assert np.array_equal(enhancer.enhance(NOISY), NOISY)


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


def test_a_command(tmp_path, checkpoint):
    script = tmp_path / "infer.py"
    script.write_text(
        "import sys, wave\nckpt, source, target = sys.argv[1:]\nassert open(ckpt, 'rb').read()\nprint('enhancing')\n"
        "open(target, 'wb').write(open(source, 'rb').read())\n"
    )
    options = ModelOptions(enhance_command=f"python3 {script} {{checkpoint}} {{noisy}} {{out}}")
    source = model_source(options)
    assert source.notice == "runs the command python3 once an utterance"
    enhancer = source.open(checkpoint)
    noisy = np.round(NOISY * 32768).astype(np.float32) / np.float32(32768)
    assert np.array_equal(enhancer.enhance(noisy), noisy)
    identity = enhancer.identity
    script.write_text(script.read_text() + "# changed\n")
    assert source.open(checkpoint).identity != identity


@pytest.mark.parametrize(
    ("command", "said"),
    [
        ("false {noisy} {out}", "false: ended with status 1"),
        ("true {noisy} {out}", "true: wrote no audio"),
        ("cp /dev/null {out} {noisy}", "cp: ended with status"),
    ],
)
def test_a_command_that_fails(checkpoint, command, said):
    with pytest.raises(ModelError, match=said):
        opened(ModelOptions(enhance_command=command), checkpoint).enhance(NOISY)


def test_a_command_that_hangs(checkpoint):
    from cmgan_audit.evaluation.models.command import CommandEnhancer

    with pytest.raises(ModelError, match=r"sleep: took more than 0\.5 s"):
        CommandEnhancer(("sleep", "60"), checkpoint, seconds=0.5).enhance(NOISY)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"model": "cmgam"}, "--model cmgam: not one of cmgan, onnx, PATH.py:callable"),
        ({"model": "nowhere.py:make"}, "there is no file"),
        ({"model": "a.b:c", "enhance_command": "x {noisy} {out}"}, "exclude each other"),
        ({"network": "a:B"}, "go with --repo"),
        ({"repo": Path()}, "--repo needs --network"),
        ({"repo": Path("nowhere"), "network": "a:B"}, "there is no such folder"),
        ({"repo": Path(), "network": "a:B", "pipeline": "mel"}, "not one of cmgan, waveform"),
        ({"repo": Path(), "network": "a.B"}, "--network a.B: not one of PATH.py:callable"),
        ({"repo": Path(), "network": "a:B", "kwargs": "64"}, "write NAME=VALUE"),
        ({"repo": Path(), "network": "a:B", "kwargs": "a=open('x')"}, "write NAME=VALUE"),
        ({"repo": Path(), "network": "a:B", "official_chunking": True}, "--official-chunking is for the built-in"),
        ({"enhance_command": "python3 x.py {noisy}"}, "{out} is missing"),
        ({"enhance_command": "python3 x.py {noisy} {out} {device}"}, "{device} is none of"),
        ({"enhance_command": "no-such-program {noisy} {out}"}, "there is no program no-such-program"),
        ({"enhance_command": "python3 'x {noisy} {out}"}, "No closing quotation"),
    ],
)
def test_wrong_options_are_usage_errors(options, said):
    with pytest.raises(UsageError) as caught:
        model_source(ModelOptions(**options))
    assert said in str(caught.value) and caught.value.exit_status == 2


def test_kwargs_are_literals_or_words():
    assert parse_kwargs("a=64,b=1e-3, c=relu,d='x,y',e=[1, 2],f=True,g=None") == {
        "a": 64, "b": 1e-3, "c": "relu", "d": "x,y", "e": [1, 2], "f": True, "g": None,
    }  # fmt: skip
    assert parse_kwargs("") == {}


def test_a_device_that_is_not_there(tmp_path, checkpoint):
    torch.save(TSCNet(4).state_dict(), checkpoint)
    for device, said in (("gpu", "not a device"), ("meta", "not supported")):
        with pytest.raises(AuditError, match=said) as caught:
            open_checkpoint(checkpoint, device=device)
        assert caught.value.exit_status == 2
    if not torch.cuda.is_available():
        with pytest.raises(AuditError, match="sees no CUDA device"):
            open_checkpoint(checkpoint, device="cuda:0")


@pytest.mark.parametrize(
    ("kind", "message", "said"),
    [
        (torch.OutOfMemoryError, "CUDA out of memory. Tried to", "of memory on cpu at an input of 17.5 s; what needs"),
        (RuntimeError, "DefaultCPUAllocator: can't allocate memory", "less: --segments 3x2s, --official-chunking$"),
        (RuntimeError, "cuDNN error: FAILED\nmore", "cmgan: failed on cpu: cuDNN error: FAILED$"),
    ],
)
def test_what_pytorch_cannot_run_is_an_error_of_the_model(checkpoint, monkeypatch, kind, message, said):
    torch.save(TSCNet(4).state_dict(), checkpoint)
    enhancer = open_checkpoint(checkpoint)

    def fail(*_: object) -> None:
        raise kind(message)

    monkeypatch.setattr(TSCNet, "forward", fail)
    with pytest.raises(ModelError, match=said):
        enhancer.enhance(np.zeros(280_000, np.float32))
