"""Options that say what a checkpoint goes into, and the devices it runs on."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from cmgan_audit.errors import AuditError, UsageError
from cmgan_audit.evaluation.models import ModelError, open_checkpoint
from cmgan_audit.evaluation.models.cmgan.network import TSCNet
from cmgan_audit.evaluation.models.sources import ModelOptions, model_source, parse_kwargs


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
