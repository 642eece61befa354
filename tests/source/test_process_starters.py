"""Python files that start a training script once per process."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from cmgan_audit.source.process_starters import handed_on, may_start_processes, process_starts
from cmgan_audit.source.shell.expansion import UnknownWord
from cmgan_audit.source.tree import SourceTree

LAUNCHER = """
import subprocess
import sys
import torch

def main(config, extra):
    words = ["fit.py"]
    words += extra.split()
    words.append("--config={}".format(config))
    words.append("--gpus=%d" % torch.cuda.device_count())
    words.append(f"--group=run_{config}")
    for index in range(torch.cuda.device_count()):
        words[-2] = "--rank={}".format(index)
        subprocess.Popen([str(sys.executable), "-u"] + words)
"""


def starts(text: str) -> list[tuple[str, list[str]]]:
    assert may_start_processes(text.encode())
    return [(command.script, list(command.argv)) for command in process_starts("launch.py", ast.parse(text))]


def test_the_words_of_the_list_that_the_process_is_given() -> None:
    assert starts(LAUNCHER) == [("fit.py", ["--config=$value", "--rank=$value", "--group=run_$value"])]


def test_words_that_are_put_together_are_unknown_and_stand_in_their_places() -> None:
    (command,) = process_starts("launch.py", ast.parse(LAUNCHER))
    assert all(isinstance(word, UnknownWord) for word in command.argv)
    lines = LAUNCHER.splitlines()
    shown = [lines[place.line - 1][place.column - 1 : place.end_column - 1] for place in command.places]
    assert shown == ['"--config={}".format(config)', '"--rank={}".format(index)', 'f"--group=run_{config}"']


@pytest.mark.parametrize(
    ("call", "expected"),
    [
        ("subprocess.run([sys.executable, './fit.py', '--rank', str(i)])", [("fit.py", ["--rank", "$value"])]),
        ("subprocess.check_call(args=['python3', 'a/fit.py', '--local_rank=0'])", [("a/fit.py", ["--local_rank=0"])]),
        ("subprocess.call(['python', 'f.py', *['--rank', '1'], '-l' + l])", [("f.py", ["--rank", "1", "-l$value"])]),
        ("subprocess.run([sys.executable, 'fit.py', '--seed', str(i)])  # no rank", []),
        ("subprocess.run([sys.executable, script, '--rank', '0'])  # fit.py", []),
        ("subprocess.run(['bash', 'fit.py', '--rank', '0'])", []),
        ("subprocess.run('python fit.py --rank 0', shell=True)", []),
        ("pool.run([sys.executable, 'fit.py', '--rank', '0'])  # subprocess", []),
        ("subprocess.run()  # rank of fit.py", []),
    ],
)  # fmt: skip
def test_calls(call: str, expected: list[object]) -> None:
    assert starts(f"import subprocess, sys\nfor i in range(2):\n    {call}\n") == expected


@pytest.mark.parametrize(
    "around", ["try:\n    pass\nexcept OSError:", "match count:\n  case 2:", "with lock:", "else:"]
)
def test_each_call_counts_once_wherever_it_stands(around: str) -> None:
    before = "if count:\n    pass\n" if around == "else:" else ""
    lines = ["words = ['python', 'fit.py']", "words.append('--rank=0')", "subprocess.run(words)"]
    text = f"import subprocess\n{before}{around}\n" + "".join(f"    {line}\n" for line in lines)
    assert starts(text) == [("fit.py", ["--rank=0"])]


def test_a_list_whose_words_are_replaced_at_an_unknown_place_keeps_the_others() -> None:
    text = "import subprocess\nw = ['python', 'fit.py', '--rank', '0']\nw[at] = 'x'\nw[9] = 'x'\nsubprocess.run(w)\n"
    assert starts(text) == [("fit.py", ["--rank", "0"])]


def test_most_files_are_not_read_for_it() -> None:
    assert not may_start_processes(b"import subprocess\nsubprocess.run(['python', 'train.py'])\n")
    assert not may_start_processes(b"rank = 0\n")


def test_the_tree_counts_them_among_what_starts_a_script(tmp_path: Path) -> None:
    (tmp_path / "fit.py").write_text("import torch\n")
    (tmp_path / "launch.py").write_text(LAUNCHER)
    (tmp_path / "torn.py").write_text("import subprocess\nrank = [  # fit.py\n")
    tree = SourceTree(tmp_path)
    assert [command.location.path for command in tree.launches("fit.py")] == ["launch.py"]
    assert tree.launches("launch.py") == ()


HANDS_ON = """
import subprocess
import sys

words = {own}
for index in range(4):
    words.append("--rank={{}}".format(index))
    subprocess.Popen([str(sys.executable)] + words)
    words = words[:-1]
"""


@pytest.mark.parametrize("own", ["list(sys.argv)[1:]", "sys.argv[1:]"])
def test_a_file_that_starts_its_own_words_starts_the_script_that_stands_there(tmp_path: Path, own: str) -> None:
    (tmp_path / "fit.py").write_text("import torch\n")
    (tmp_path / "several.py").write_text(HANDS_ON.format(own=own))
    (tmp_path / "alone.py").write_text("import subprocess, sys\nsubprocess.run(sys.argv[1:])  # no rank\n")
    (tmp_path / "README.md").write_text(
        "```\npython -m several fit.py --config=a.yaml\npython alone.py fit.py --config=b.yaml\n```\n"
    )
    tree = SourceTree(tmp_path)
    assert [command.argv for command in tree.launches("fit.py")] == [("--config=a.yaml", "--rank=$value")]
    assert [command.argv[0] for command in tree.launches("several.py")] == ["fit.py"]


def test_a_file_that_starts_its_own_words_without_a_rank_hands_nothing_on() -> None:
    text = HANDS_ON.format(own="sys.argv[1:]").replace("--rank", "--number")
    assert handed_on("several.py", ast.parse(text)) == ()
