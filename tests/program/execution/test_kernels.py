"""Numeric kernels are left out, and nothing else is: whatever a rule may ask about is still executed."""

from __future__ import annotations

from pathlib import Path

import pytest

from cmgan_audit.program.domain.values import Const, Unknown
from cmgan_audit.program.execution.sessions import interpreter_of
from cmgan_audit.program.execution.trace import CallEvent, IterateEvent, Run
from cmgan_audit.program.launches.runs import execute
from cmgan_audit.source.tree import SourceTree

HEAD = """
import math, os, random
import numpy as np
import scipy.signal
import soundfile as sf
import torch
from torch.utils.data import DataLoader

loader = DataLoader([1], 3)
wave = sf.read("a.wav")[0]
"""


def run_of(folder: Path, code: str) -> Run:
    (folder / "train.py").write_text(HEAD + code, encoding="utf-8")
    (run,) = execute(SourceTree(folder))
    return run


def calls(run: Run) -> set[str]:
    return {event.callee for event in run.events if isinstance(event, CallEvent)}


KERNELS = {
    "constants that NumPy computed": """
EPS = np.finfo(np.float32).eps
FLOOR = np.finfo(np.float64).tiny * 2
WINDOW = np.hanning(30)
def score(clean):
    total = np.zeros(25)
    for start in range(0, len(clean), 30):
        total += np.log(np.sum(clean[start : start + 30] * WINDOW) + EPS + FLOOR)
    return total
score(wave)
""",
    "a score of arrays that must not be empty": """
def score(clean, other):
    if clean.ndim != 1 or np.ndim(other) != 1:
        raise ValueError("not mono")
    shorter = min(len(clean), other.size)
    if shorter == 0:
        raise ValueError("empty")
    for start in range(shorter):
        np.sum(clean[start:] * other[start:])
score(wave, wave)
""",
    "a loop over frames": """
def score(clean, frame=30):
    total = np.zeros(25)
    for start in range(0, len(clean), frame):
        part = np.fft.fft(clean[start : start + frame] * np.hanning(frame))
        total += np.sum(np.abs(part) ** 2)
    return 10 * math.log10(np.mean(total))
score(wave)
""",
    "kernels that call kernels": """
TABLE = [50.0, 120.0]
def band(part):
    return scipy.signal.lfilter(TABLE, 1, part).sum()
def score(clean):
    return np.mean([band(part) for part in clean]) + sum(band(clean) for n in range(3))
def whole(clean):
    total = []
    while len(clean) < 9000:
        clean = np.append(clean, clean)
    total.append(score(clean))
    return dict(value=np.mean(total))
whole(wave)
""",
    "a session that evaluates a fixed network": """
import onnxruntime as ort
def score(audio, sessions={}):
    options = ort.SessionOptions()
    options.intra_op_num_threads = 8
    if not sessions:
        sessions.update({"sig": ort.InferenceSession(os.path.join("a", "b.onnx"), sess_options=options)})
    for start in range(9):
        feature = np.array(audio[start:]).astype("float32")
        result = sessions["sig"].run(None, {each.name: feature for each in sessions["sig"].get_inputs()})
    return np.mean(result)
score(wave)
""",
    "a score of arrays that have to be of one length": """
def score(clean, noisy):
    length = np.size(clean)
    other = noisy.shape[0]
    if length != other:
        raise ValueError("not of one length")
    if len(clean) != len(noisy):
        raise ValueError("not of one length")
    for start in range(length):
        noisy = np.append(noisy, np.mean(clean[start:]))
    return np.mean(noisy)
score(wave, wave)
""",
}


@pytest.mark.parametrize("what", KERNELS)
def test_a_kernel_is_called_and_not_looked_into(what: str, tmp_path: Path) -> None:
    run = run_of(tmp_path, KERNELS[what])
    name = KERNELS[what].strip().splitlines()[-1].partition("(")[0]
    (event,) = [event for event in run.events if isinstance(event, CallEvent) and event.callee == f"train.{name}"]
    assert isinstance(event.result, Unknown)
    assert event.result.reason == f"a number that {name} computes"
    assert not calls(run) & {"numpy.mean", "numpy.append", "numpy.fft.fft"}


def test_what_a_kernel_calls_counts_as_executed(tmp_path: Path) -> None:
    run = run_of(tmp_path, KERNELS["kernels that call kernels"])
    assert {function.qualname for function in interpreter_of(run).executed.values()} == {"whole", "score", "band"}


# Each is a kernel but for one thing; `seen` is a call inside of it that must be an event.
LOOKED_INTO = {
    "it draws": ("for n in range(3):\n        x = np.random.randint(0, 9)\n", "numpy.random.randint"),
    "it draws with Python's own": ("for n in range(3):\n        x = random.random()\n", "random.random"),
    "it uses tensors": ("for n in range(3):\n        x = torch.sqrt(x)\n", "torch.sqrt"),
    "it reads a file": ("for n in range(3):\n        x = np.load('a.npy')\n", "numpy.load"),
    "it opens a file": ("for n in range(3):\n        open('a.txt', 'w')\n", "builtins.open"),
    "it makes a loader": ("for n in range(3):\n        DataLoader([2], 5)\n", "torch.utils.data.DataLoader"),
    "it catches": ("try:\n        for n in x:\n            np.sum(n)\n    except:\n        pass\n", "numpy.sum"),
    "it raises": ("for n in range(3):\n        if np.sum(x) > 3:\n            raise ValueError\n", "numpy.sum"),
    "it checks a value": ("if x > 3:\n        raise ValueError\n    for n in x:\n        np.sum(n)\n", "numpy.sum"),
    "it changes a global": ("global wave\n    for n in range(3):\n        wave = np.sum(x)\n", "numpy.sum"),
    "it calls what it is given": ("for n in range(3):\n        x(np.sum(n))\n", "numpy.sum"),
    "it trains what it is given": ("for n in range(3):\n        x.train(np.sum(n))\n", "numpy.sum"),
    "it goes back": ("for n in range(3):\n        np.sum(x).backward()\n", "numpy.sum"),
}  # fmt: skip


@pytest.mark.parametrize("why", LOOKED_INTO)
def test_anything_else_is_executed(why: str, tmp_path: Path) -> None:
    body, seen = LOOKED_INTO[why]
    run = run_of(tmp_path, f"def score(x):\n    np.prod(x)\n    {body}    return np.max(x)\nscore(wave)\n")
    assert {seen, "numpy.prod"} <= calls(run)


@pytest.mark.parametrize("given", ["loader", "[1, 2]", "torch.nn.Linear(2, 2)", "Own()"])
def test_a_kernel_of_something_else_than_arrays_is_executed(given: str, tmp_path: Path) -> None:
    code = f"class Own:\n    pass\ndef score(x):\n    for part in x:\n        np.sum(part)\nscore({given})\n"
    run = run_of(tmp_path, code)
    assert "numpy.sum" in calls(run)
    if given == "loader":
        assert any(isinstance(event, IterateEvent) for event in run.events)


def test_a_small_function_still_gives_its_number(tmp_path: Path) -> None:
    code = "def batch(n):\n    return len('ab') * n\nDataLoader([4], batch(4))\n"
    run = run_of(tmp_path, code)
    made = [event for event in run.events if isinstance(event, CallEvent) and event.callee.endswith("DataLoader")]
    assert not isinstance(made[-1].arguments.get("batch_size", 1), Unknown)


def test_a_loop_in_pure_python_is_still_followed(tmp_path: Path) -> None:
    code = (
        "def batch():\n    n = 1\n    for each in [1, 2]:\n        n = n * 2\n    return n\nDataLoader([4], batch())\n"
    )
    run = run_of(tmp_path, code)
    made = [event for event in run.events if isinstance(event, CallEvent) and event.callee.endswith("DataLoader")]
    size = made[-1].arguments.get("batch_size", 1)
    assert isinstance(size, Const)
    assert size.value == 4
