"""Scripts of which an option gives a part of the path of their configuration."""

from __future__ import annotations

from pathlib import Path

import pytest

from cmgan_audit.program.execution.trace import Run
from cmgan_audit.program.launches import runs
from cmgan_audit.source.tree import SourceTree
from tests.program.launches.followed import loaders, words

SCRIPT = """
import argparse
import os
from pathlib import Path

import yaml
from torch.utils.data import DataLoader

parser = argparse.ArgumentParser()
parser.add_argument("--corpus", required=True)
parser.add_argument("--seed", type=int, default=0)
args = parser.parse_args()
with open({path}) as file:
    config = yaml.safe_load(file)
loader = DataLoader([1], batch_size=config["size"])
"""

BY_POSITION = """
import argparse
import json
import os

from torch.utils.data import DataLoader

parser = argparse.ArgumentParser()
parser.add_argument("experiment", default="experiments/somewhere")
args = parser.parse_args()
with open(os.path.join(args.experiment, "params.json")) as file:
    settings = json.load(file)
for key, value in settings.items():
    vars(args)[key] = value
loader = DataLoader([1], batch_size=args.size)
"""


def found_in(folder: Path, files: dict[str, str]) -> list[Run]:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    return list(runs.execute(SourceTree(folder)))


@pytest.mark.parametrize(
    "path",
    [
        "os.path.join('./conf', args.corpus, 'train.yaml')",
        "Path('conf') / args.corpus / 'train.yaml'",
        "f'conf/{args.corpus}/train.yaml'",
        "'conf/' + args.corpus + '/train.yaml'",
        "'conf/%s/%s.yaml' % (args.corpus, 'train')",
        "'conf/{}/{}.yaml'.format(args.corpus, 'train')",
    ],
)
def test_an_option_is_given_each_word_that_leads_to_a_file(tmp_path: Path, path: str) -> None:
    files = {
        "train.py": SCRIPT.format(path=path),
        "conf/lj/train.yaml": "size: 4\n",
        "conf/vctk/train.yaml": "size: 8\n",
        "conf/vctk/model.yaml": "width: 8\n",
    }
    found = found_in(tmp_path, files)
    assert words(found) == [("--corpus", "lj"), ("--corpus", "vctk")]
    assert [loaders(run) for run in found] == [1, 1]


def test_a_word_that_stands_twice_in_a_path_is_the_same_in_both_places(tmp_path: Path) -> None:
    path = "os.path.join('conf', args.corpus, args.corpus + '.yaml')"
    files = {"train.py": SCRIPT.format(path=path), "conf/a/a.yaml": "size: 4\n", "conf/a/b.yaml": "size: 1\n"}
    assert words(found_in(tmp_path, files)) == [("--corpus", "a")]


def test_an_option_is_given_no_word_that_it_does_not_take(tmp_path: Path) -> None:
    script = SCRIPT.format(path="f'conf/{args.corpus}.yaml'").replace(
        "required=True", "choices=['b', 'c'], required=True"
    )
    files = {"train.py": script, **{f"conf/{name}.yaml": "size: 4\n" for name in "abcd"}}
    assert words(found_in(tmp_path, files)) == [("--corpus", "b"), ("--corpus", "c")]


def test_what_a_document_leaves_open_is_filled_in(tmp_path: Path) -> None:
    shown = "```\npython train.py --corpus CORPUS --seed 9\npython train.py --corpus <name>\n```\n"
    path = "os.path.join('conf', args.corpus, 'train.yaml')"
    files = {"train.py": SCRIPT.format(path=path), "conf/lj/train.yaml": "size: 4\n", "README.md": shown}
    assert words(found_in(tmp_path, files)) == [("--corpus", "lj", "--seed", "9"), ("--corpus", "lj")]


def test_an_option_that_leads_to_no_file_of_the_tree_is_left_open(tmp_path: Path) -> None:
    files = {"train.py": SCRIPT.format(path="os.path.join('conf', args.corpus, 'train.yaml')"), "conf/a.yaml": "a: 1\n"}
    assert words(found_in(tmp_path, files)) == [()]


def test_a_folder_that_is_given_by_position_has_no_default(tmp_path: Path) -> None:
    files = {
        "train.py": BY_POSITION,
        "experiments/small/params.json": '{"size": 4}',
        "experiments/large/params.json": '{"size": 8}',
    }
    found = found_in(tmp_path, files)
    assert words(found) == [("experiments/large",), ("experiments/small",)]
    assert [run.launch.condition for run in found] == ["experiments/large", "experiments/small"]
