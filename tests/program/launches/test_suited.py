"""Of the configurations that lie beside a script, those are followed that hold what it asks for."""

from __future__ import annotations

from pathlib import Path

import pytest

from cmgan_audit.program.execution.sessions import interpreter_of
from cmgan_audit.program.launches import runs
from cmgan_audit.source.tree import SourceTree

SCRIPT = """
import sys
import yaml
from torch.utils.data import DataLoader

config = yaml.safe_load(open(sys.argv[1]))
{early}
last = DataLoader([1], batch_size=config["size"])
"""
FILES = {"plain.yaml": "size: 4\n", "wide.yaml": "size: 4\ndecoder: wide\n"}


def tried(folder: Path, early: str, files: dict[str, str] = FILES) -> list[str]:
    """The configurations under which the script is followed."""
    for name, text in {"train.py": SCRIPT.format(early=early), **files}.items():
        (folder / name).write_text(text, encoding="utf-8")
    return [" ".join(run.launch.argv) for run in runs.execute(SourceTree(folder))]


def test_a_file_without_a_key_that_is_asked_for_belongs_to_another_script(tmp_path: Path) -> None:
    assert tried(tmp_path, "decoder = config['decoder']") == ["wide.yaml"]


@pytest.mark.parametrize("hook", ["OrderedDict", "lambda held: OrderedDict(held)"])
def test_dictionaries_that_a_parser_makes_anew_still_come_from_the_file(tmp_path: Path, hook: str) -> None:
    early = (
        "import json\nfrom collections import OrderedDict\nfrom addict import Dict\n"
        f"config = json.load(open(sys.argv[1]), object_hook={hook})\ndecoder = config['decoder']"
    )
    files = {"plain.json": '{"size": 4}', "wide.json": '{"size": 4, "decoder": "wide"}'}
    assert tried(tmp_path, early, files) == ["wide.json"]
    gives = early.replace(f"object_hook={hook}", "object_hook=Dict")
    assert tried(tmp_path, gives, files) == ["plain.json", "wide.json"]


def test_where_every_file_lacks_something_all_are_followed_to_the_end(tmp_path: Path) -> None:
    assert tried(tmp_path, "encoder = config['encoder']") == ["plain.yaml", "wide.yaml"]
    found = list(runs.execute(SourceTree(tmp_path)))
    assert all(interpreter_of(run).must_hold == "" for run in found)


def test_the_only_file_is_followed_whatever_it_lacks(tmp_path: Path) -> None:
    assert tried(tmp_path, "decoder = config['decoder']", {"plain.yaml": "size: 4\n"}) == ["plain.yaml"]


@pytest.mark.parametrize(
    "early",
    [
        "decoder = config.get('decoder')",
        "decoder = config['decoder'] if 'decoder' in config else None",
        "if sys.platform == 'linux':\n    decoder = config['decoder']",
        "try:\n    decoder = config['decoder']\nexcept KeyError:\n    decoder = None",
        "config['decoder'] = 'narrow'\ndecoder = config['decoder']",
        "def unused():\n    return config['decoder']",
        "import contextlib\nwith contextlib.suppress(KeyError):\n    decoder = config['decoder']",
        "while input():\n    decoder = config['decoder']",
        "decoder = config[{'a': 'size', 'b': 'decoder'}[input()]]",
        "from addict import Dict\ndecoder = Dict(config).decoder",
        "from dotmap import DotMap\ndecoder = DotMap(config)['decoder']",
        "from box import Box\ndecoder = Box(config, default_box=True).decoder",
        "from munch import DefaultMunch\ndecoder = DefaultMunch(None, config).decoder",
    ],
)
def test_a_key_that_the_script_can_do_without_tells_nothing(tmp_path: Path, early: str) -> None:
    assert tried(tmp_path, early) == ["plain.yaml", "wide.yaml"]


def test_what_only_one_of_several_modes_asks_for_tells_nothing(tmp_path: Path) -> None:
    modes = "{'train': lambda: config['size'], 'score': lambda: config['decoder']}"
    assert tried(tmp_path, f"{modes}[input()]()") == ["plain.yaml", "wide.yaml"]


@pytest.mark.parametrize(("answer", "found"), [("return True", ["plain.yaml", "wide.yaml"]), ("return", ["wide.yaml"])])
def test_a_manager_that_swallows_errors_lets_the_program_go_on(tmp_path: Path, answer: str, found: list[str]) -> None:
    early = (
        "class Quiet:\n    def __enter__(self):\n        return self\n    def __exit__(self, *error):\n"
        f"        {answer}\nwith Quiet():\n    decoder = config['decoder']"
    )
    assert tried(tmp_path, early) == found


@pytest.mark.parametrize("library", ["from easydict import EasyDict as Made", "from munch import Munch as Made"])
def test_attributes_that_are_not_there_are_errors_in_other_libraries(tmp_path: Path, library: str) -> None:
    assert tried(tmp_path, f"{library}\ndecoder = Made(config).decoder") == ["wide.yaml"]


MODES = """
import sys
import argparse
import yaml
from torch.utils.data import DataLoader

parser = argparse.ArgumentParser()
parser.add_argument("mode")
parser.add_argument("--config", required=True)
args = parser.parse_args()
config = yaml.safe_load(open(args.config))
if args.mode == "train":
    loader = DataLoader([1], batch_size=config["size"])
else:
    loader = DataLoader([1], batch_size=config["score"]["size"])
"""


def test_a_mode_that_no_file_suits_is_followed_though_one_suits_another_mode(tmp_path: Path) -> None:
    shown = "```\npython train.py train --config <config>\npython train.py score --config <config>\n```\n"
    found = tried(tmp_path, "", {"train.py": MODES, "README.md": shown, "plain.yaml": FILES["plain.yaml"]})
    assert found == ["train --config plain.yaml", "score --config plain.yaml"]


def test_a_file_in_the_nearest_folder_above_stands_where_none_lies_nearer(tmp_path: Path) -> None:
    script = SCRIPT.format(early="")
    for name, text in {"bin/train.py": script, "plain.yaml": "size: 4\n", "package.json": "{}"}.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text, encoding="utf-8")
    assert [run.launch.condition for run in runs.execute(SourceTree(tmp_path))] == ["configuration plain.yaml"]
    (tmp_path / "bin" / "near.yaml").write_text("size: 2\n", encoding="utf-8")
    assert [run.launch.condition for run in runs.execute(SourceTree(tmp_path))] == ["configuration bin/near.yaml"]


def test_files_below_the_folder_above_stand_where_none_lies_nearer(tmp_path: Path) -> None:
    files = {
        "scripts/train.py": SCRIPT.format(early=""),
        "recipes/small/plain.yaml": "size: 4\n",
        "results/last.json": '{"size": 9}',
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True)
        (tmp_path / name).write_text(text, encoding="utf-8")
    conditions = [run.launch.condition for run in runs.execute(SourceTree(tmp_path))]
    assert conditions == ["configuration recipes/small/plain.yaml"]


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("recipes/net.yaml", "size: 4\n"),
        ("tests/net.yaml", "size: 4\ndecoder: wide\n"),
        ("test/net.yaml", "size: 4\ndecoder: wide\n"),
    ],
)
def test_a_file_below_the_folder_above_has_to_hold_all_and_to_be_of_no_test(
    tmp_path: Path, path: str, text: str
) -> None:
    files = {"scripts/train.py": SCRIPT.format(early="decoder = config['decoder']"), path: text}
    for name, written in files.items():
        (tmp_path / name).parent.mkdir(parents=True)
        (tmp_path / name).write_text(written, encoding="utf-8")
    assert [run.launch.condition for run in runs.execute(SourceTree(tmp_path))] == [""]


def test_of_too_many_files_those_are_tried_that_are_called_like_the_script(tmp_path: Path) -> None:
    files = {f"recipes/{letter}.yaml": "size: 4\n" for letter in "abcdefghijklmn"}
    files |= {"recipes/speech_declip.yaml": "size: 4\ndecoder: wide\n"}
    files |= {"train_declip.py": SCRIPT.format(early="decoder = config['decoder']")}
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text, encoding="utf-8")
    assert [run.launch.location.path for run in runs.execute(SourceTree(tmp_path)) if run.launch.location] == [
        "recipes/speech_declip.yaml"
    ]


def test_a_list_of_recordings_is_no_configuration(tmp_path: Path) -> None:
    files = {"lists.json": '["a.wav", "b.wav"]', "plain.yaml": FILES["plain.yaml"]}
    assert tried(tmp_path, "", files) == ["plain.yaml"]


TWO_LISTS = """
import argparse
import json
from torch.utils.data import DataLoader

parser = argparse.ArgumentParser()
parser.add_argument("--train_list", required=True)
parser.add_argument("--valid_list", required=True)
args = parser.parse_args()
for path in (args.train_list, args.valid_list):
    with open(path) as file:
        DataLoader(json.load(file)["clean"], batch_size=4)
"""


@pytest.mark.parametrize(
    ("files", "both"),
    [
        (["train.json", "valid.json"], ["--train_list train.json --valid_list valid.json"]),
        (["names.json"], []),
    ],
)
def test_one_file_does_not_stand_for_both_that_are_asked_for(tmp_path: Path, files: list[str], both: list[str]) -> None:
    (tmp_path / "train.py").write_text(TWO_LISTS, encoding="utf-8")
    for name in files:
        (tmp_path / name).write_text('{"clean": ["a.wav", "b.wav"]}', encoding="utf-8")
    found = [" ".join(run.launch.argv) for run in runs.execute(SourceTree(tmp_path))]
    assert [words for words in found if words.count("_list") == 2] == both
