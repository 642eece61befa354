"""Scripts that start themselves again, and that ask for what a launcher sets or which process they are."""

from __future__ import annotations

from pathlib import Path

import pytest

from cmgan_audit.program.execution.trace import Run
from tests.program.launches.followed import OPTIONS, loaders, runs_in

RESTARTED = """
import os
import subprocess
import sys
from torch.utils.data import DataLoader

given = sys.argv[1:]
if "--child" not in given:
    for rank in range(4):
        {start}
    sys.exit()
DataLoader([1], batch_size=4)
"""


# The script is shipped with a launch, and may be started without one.
BOTH = [("--child",), ("--size", "4", "--child")]


@pytest.mark.parametrize(
    ("start", "children"),
    [
        ("subprocess.Popen([sys.executable] + sys.argv + ['--child'])", BOTH),
        ("subprocess.run([sys.executable, *sys.argv, '--child'], check=True)", BOTH),
        ("os.execv(sys.executable, ['python'] + sys.argv + ['--child'])", BOTH),
        (
            "subprocess.Popen(['python', '-u', __file__, '--child', '--rank', str(rank)])",
            [("--child", "--rank", str(rank)) for rank in range(2)],
        ),
        (
            "subprocess.Popen([sys.executable, 'train.py', '--child', 'n=' + os.environ['N'], '%s' % os.getpid()])",
            [("--child", "n=\0its value", "\0a word")],
        ),
        (
            "subprocess.Popen([sys.executable, __file__, '--port', '1' if os.listdir('a') else '2', '--child'])",
            [("--port", "\0a word", "--child")],
        ),
        ("subprocess.Popen([sys.executable] + sys.argv)", []),
        ("subprocess.Popen([sys.executable, 'other.py', '--child'])", []),
        ("subprocess.Popen([sys.executable, '-m', 'pip', 'install', 'torch'])", []),
        ("subprocess.Popen('python train.py --child', shell=True)", []),
    ],
)
def test_a_script_that_starts_itself_again(tmp_path: Path, start: str, children: list[tuple[str, ...]]) -> None:
    found = runs_in(
        tmp_path, {"train.py": RESTARTED.format(start=start), "other.py": "", "run.sh": "python train.py --size 4\n"}
    )
    started = [run for run in found if "--child" in run.launch.argv]
    assert [run.launch.argv for run in started] == children
    assert all(loaders(run) == 1 for run in started)


ASKS = """
import os
from torch.utils.data import DataLoader
if {test}:
    DataLoader([1], batch_size=1)
"""


@pytest.mark.parametrize(
    ("test", "started"),
    [
        ("os.environ.get('SMALL', '0') == '1'", ["", "run.sh: SMALL=1"]),
        ("os.getenv('SMALL') == '1'", ["", "run.sh: SMALL=1"]),
        ("os.environ.get('LARGE', '0') == '1'", [""]),  # nobody asks for what the launcher sets
        ("int(os.environ.get('LOCAL_RANK', 1)) == 0", [""]),
    ],
)
def test_variables_that_a_launcher_sets_count_where_they_are_asked_for(
    tmp_path: Path, test: str, started: list[str]
) -> None:
    launcher = "export SMALL=1 LOCAL_RANK=0\npython train.py\npython train.py\n"
    found = runs_in(tmp_path, {"train.py": ASKS.format(test=test), "run.sh": launcher})
    assert [run.launch.condition for run in found] == started
    assert loaders(found[-1]) == (len(started) > 1)


@pytest.mark.parametrize(
    ("launcher", "started"),
    [
        ("torchrun --nproc_per_node=4 train.py\n", ["", "run.sh: torchrun"]),
        (
            "python -m torch.distributed.run --nproc_per_node $GPUS train.py --lr 1\n",
            ["", "run.sh: torch.distributed.run --lr 1"],
        ),
        ("torchrun --nproc_per_node=1 train.py\n", ["", "in several processes"]),
        ("", ["", "in several processes"]),
    ],
)
def test_a_script_that_asks_which_process_it_is(tmp_path: Path, launcher: str, started: list[str]) -> None:
    test = "int(os.environ.get('LOCAL_RANK', -1)) >= 0"
    train = ASKS.format(test=test) + "    torch.utils.data.distributed.DistributedSampler([1])\n"
    found = runs_in(tmp_path, {"train.py": "import torch\n" + train, "run.sh": launcher})
    assert [run.launch.condition for run in found] == started
    assert [loaders(run) for run in found] == [0, 1]


def test_variables_that_are_asked_for_with_the_configuration_count_too(tmp_path: Path) -> None:
    asks = "\nimport os\nDataLoader([1], batch_size=int(os.environ.get('SIZE', 4)))\n"
    files = {
        "train.py": OPTIONS.format(default=None) + asks,
        "a.json": '{"size": 4}',
        "run.sh": "SIZE=1 python train.py --config a.json\npython train.py --config a.json\n",
    }
    found = runs_in(tmp_path, files)
    assert [run.launch.condition for run in found] == ["run.sh: SIZE=1 --config a.json", "run.sh: --config a.json"]


def test_a_run_ends_where_it_asks_for_what_its_launcher_sets_and_begins_anew(
    tmp_path: Path, executed: list[Run]
) -> None:
    """What comes after a setting that is not known yet is followed once, with the setting."""
    asks = "\nimport os\nif os.environ.get('SIZE'):\n    more = os.environ.get('MORE', 1)\n"
    files = {
        "train.py": OPTIONS.format(default=None) + asks + "DataLoader([1], batch_size=1)\n",
        "a.json": '{"size": 4}',
        "run.sh": "export SIZE=1 MORE=2 OTHER=3\npython train.py --config a.json\n",
    }
    found = runs_in(tmp_path, files)
    assert [sorted(run.launch.environment) for run in found] == [["MORE", "SIZE"]]
    shipped = [run for run in executed if run.launch.argv]
    assert [sorted(run.launch.environment) for run in shipped] == [[], ["SIZE"], ["MORE", "SIZE"]]
    assert [loaders(run) for run in shipped] == [loaders(found[0]) - 1] * 2 + [loaders(found[0])]
