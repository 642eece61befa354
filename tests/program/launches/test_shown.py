"""Whether a launch shows how a training is started."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.program.launches.followed import runs_in

TRAIN = "from torch.utils.data import DataLoader\nDataLoader([1], batch_size=1)\n"


@pytest.mark.parametrize(
    ("launcher", "unshown"),
    [
        ("python train.py --size 4\n", True),
        ("python train.py --size 4\npython train.py\n", False),
        ("python train.py --size 4\npython train.py $@\n", False),
        ("python train.py --size 4 --resume last.pt\n", False),
        ("python train.py --size 4 --eval_only=1\n", False),
        ("python train.py --size 4 --test_set test.txt\n", True),
        ("python train.py --size 4 --continue_from ''\n", True),
        ("python train.py --continue_from='' --resume 0 --size 4\n", True),
        ("python train.py --size 4 --continue_from '' --resume last.pt\n", False),
        ("python train.py --size 4 --resume last.pt\npython train.py --size 8\n", True),
        ("", False),
    ],
)
def test_a_start_without_words_that_nothing_shows(tmp_path: Path, launcher: str, unshown: bool) -> None:
    found = runs_in(tmp_path, {"train.py": TRAIN, "run.sh": launcher})
    assert [run.launch.unshown for run in found if not run.launch.argv] == [unshown]


@pytest.mark.parametrize("launcher", ["ablation_batch4.sh", "test-short.sh", "sweep.sh"])
def test_a_launcher_that_tries_settings_shows_no_training(tmp_path: Path, launcher: str) -> None:
    files = {"train.py": TRAIN, launcher: "python train.py --size 4\n"}
    assert [run.launch.unshown for run in runs_in(tmp_path, files) if not run.launch.argv] == [False]
