"""What a seed is made of, and which generators a call sets, in programs that the interpreter has executed."""

from __future__ import annotations

from pathlib import Path

import pytest

from cmgan_audit.facts.seedings import Seeding, seedings, set_besides_torch
from cmgan_audit.program.launches.runs import execute
from cmgan_audit.program.library.seeding import Generator, drawn_from
from cmgan_audit.source.tree import SourceTree

HEAD = "import datetime, os, random, sys, time, uuid\nimport numpy as np\nimport torch\nimport accelerate.utils\n"
TAIL = "\nfor batch in torch.utils.data.DataLoader([]):\n    batch.backward()\n"


def seedings_of(tmp_path: Path, line: str) -> list[Seeding]:
    (tmp_path / "train.py").write_text(HEAD + line + TAIL, encoding="utf-8")
    (run,) = execute(SourceTree(tmp_path))
    return list(seedings(run))


@pytest.mark.parametrize(
    "seed",
    [
        "int(time.time())",
        "int(time.time() * 1000) % 2**32",
        "time.time_ns() & 0xFFFF",
        "time.localtime()[5]",
        "datetime.datetime.now().microsecond",
        "os.getpid() + 1",
        "int.from_bytes(os.urandom(4), sys.byteorder)",
        "uuid.uuid4().int % 100",
        "random.randint(0, 100)",
    ],
)
def test_a_seed_from_a_clock_or_a_process_differs_in_every_run(tmp_path: Path, seed: str):
    (seeding,) = seedings_of(tmp_path, f"torch.manual_seed({seed})")
    assert seeding.drawn


@pytest.mark.parametrize("seed", ["7", "int('7') + 1", "int(os.environ['SEED'])", "len(sys.argv)"])
def test_a_seed_that_somebody_gives_does_not(tmp_path: Path, seed: str):
    (seeding,) = seedings_of(tmp_path, f"torch.manual_seed({seed})")
    assert not seeding.drawn


@pytest.mark.parametrize(
    ("line", "generators"),
    [
        ("torch.random.manual_seed(1)", [Generator.TORCH, Generator.CUDA]),
        ("torch.cuda.manual_seed_all(1)", [Generator.CUDA]),
        ("np.random.seed(1)", [Generator.NUMPY]),
        ("accelerate.utils.set_seed(1)", [Generator.TORCH, Generator.CUDA, Generator.PYTHON, Generator.NUMPY]),
    ],
)
def test_which_generators_a_call_sets(tmp_path: Path, line: str, generators: list[Generator]):
    (seeding,) = seedings_of(tmp_path, line)
    assert list(seeding.generators) == generators


@pytest.mark.parametrize("line", ["random.seed()", "np.random.seed(None)", "torch.random.fork_rng()"])
def test_without_a_seed_nothing_is_set(tmp_path: Path, line: str):
    assert seedings_of(tmp_path, line) == []


def test_a_function_of_the_tree_sets_what_it_calls_whatever_its_name_says(tmp_path: Path):
    line = "def seed_everything(seed):\n    random.seed(seed)\nseed_everything(3)"
    (seeding,) = seedings_of(tmp_path, line)
    assert seeding.name == "random.seed"
    assert set_besides_torch([seeding]) == "Python's random"


def test_the_generator_behind_a_draw():
    assert drawn_from("sklearn.model_selection.train_test_split") is Generator.NUMPY
    assert drawn_from("torchaudio.transforms.TimeMasking.__call__") is Generator.TORCH
    assert drawn_from("wave.uniform_") is None
