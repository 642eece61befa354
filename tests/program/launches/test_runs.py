"""Which runs a script gets: bare, as it is started, or with the configuration that it asks for."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from cmgan_audit.facts.audit import collect
from cmgan_audit.facts.records import Loader
from cmgan_audit.facts.units.following import Effort
from cmgan_audit.program.execution.trace import Run
from cmgan_audit.program.launches import runs
from cmgan_audit.rules.record import Known
from cmgan_audit.source.tree import SourceTree
from tests.program.launches.followed import OPTIONS, REFUSES, SCRIPT, loaders, runs_in, words


def test_without_its_configuration_a_script_is_left_where_it_asks(tmp_path: Path, executed: list[Run]) -> None:
    found = runs_in(tmp_path, {"run.sh": "python train.py a.yaml\n", "a.yaml": "size: 4\n"})
    assert words(found) == [("a.yaml",)]
    assert [(run.launch.argv, loaders(run)) for run in executed] == [((), 1), (("a.yaml",), 2)]


def test_a_path_that_leads_nowhere_counts_where_nothing_is_known(tmp_path: Path) -> None:
    started = "python train.py gone.yaml\npython train.py a.yaml\n"
    assert words(runs_in(tmp_path, {"run.sh": started, "a.yaml": "size: 4\n"})) == [("a.yaml",)]


def test_a_file_that_was_renamed_is_looked_for_beside_the_named_one(tmp_path: Path) -> None:
    (tmp_path / "settings" / "old").mkdir(parents=True)
    (tmp_path / "conf").mkdir()
    files = {
        "run.sh": "python train.py settings/train.yaml --x 3\n",
        "settings/train_all.yaml": "size: 4\n",
        "settings/old/a.yaml": "size: 1\n",
        "conf/b.yaml": "size: 2\n",
    }
    assert words(runs_in(tmp_path, files)) == [("settings/train_all.yaml", "--x", "3")]


@pytest.mark.parametrize(
    ("named", "expected"),
    [
        ("gone.yaml", [("--config", "conf/a.yaml")]),  # the one that lies in the tree
        ("conf/a.yaml", [(), ("--config", "conf/a.yaml")]),
    ],
)
def test_a_script_that_refuses_to_start_without_a_word_asks_its_launch_for_the_file(
    tmp_path: Path, named: str, expected: list[tuple[str, ...]]
) -> None:
    (tmp_path / "conf").mkdir()
    files = {"train.py": REFUSES, "run.sh": f"python train.py --config {named}\n", "conf/a.yaml": "size: 4\n"}
    assert words(runs_in(tmp_path, files)) == expected


def test_configurations_of_recipes_far_from_the_script(tmp_path: Path) -> None:
    (tmp_path / "egs" / "vctk" / "conf").mkdir(parents=True)
    (tmp_path / "bin").mkdir()
    (tmp_path / "egs" / "vctk" / "conf" / "a.yaml").write_text("size: 4\n", encoding="utf-8")
    found = runs_in(tmp_path, {"bin/train.py": SCRIPT, "train.py": ""})
    assert words(found) == [("../egs/vctk/conf/a.yaml",)]


def test_a_default_on_another_machine_means_the_file_of_that_name(tmp_path: Path) -> None:
    (tmp_path / "logger").mkdir()
    script = OPTIONS.format(default="/home/somebody/project/config.json")
    files = {"train.py": script, "config.json": '{"size": 4}', "logger/levels.json": '{"size": 9}'}
    assert words(runs_in(tmp_path, files)) == [("--config", "config.json")]


def test_a_file_that_no_option_names_does_not_stand_for_the_one_that_is_started_with(tmp_path: Path) -> None:
    fixed = "\nimport json\nlevels = json.load(open('levels.json'))\n"  # read first, and not in the tree
    files = {"train.py": fixed + OPTIONS.format(default="config.json"), "config_train.json": '{"size": 4}'}
    assert words(runs_in(tmp_path, files)) == [("--config", "config_train.json")]


def test_a_path_that_has_to_be_given_is_asked_for_like_a_file(tmp_path: Path) -> None:
    files = {"train.py": OPTIONS.format(default=None), "base.json": '{"size": 4}', "one_batch.json": '{"size": 1}'}
    found = runs_in(tmp_path, files)
    assert words(found) == [("--config", "base.json")]  # on one batch nobody trains
    assert loaders(found[0]) == 1


@pytest.mark.parametrize("checkpoint", ["<checkpoint>", "path/to/checkpoint.pth"])
def test_a_launch_that_goes_on_from_a_file_of_the_reader_names_no_configuration(
    tmp_path: Path, checkpoint: str
) -> None:
    (tmp_path / "configs" / "training").mkdir(parents=True)
    readme = f"```\npython train.py --config=configs/small.json\npython train.py --resume={checkpoint}\n```\n"
    files = {
        "train.py": OPTIONS.format(default=None),
        "README.md": readme,
        "configs/training/small.json": '{"size": 4}',  # moved since the document was written
        "configs/training/large.json": '{"size": 8}',
    }
    assert words(runs_in(tmp_path, files)) == [("--config=configs/training/small.json",)]


def test_a_configuration_beside_the_script_is_tried(tmp_path: Path) -> None:
    found = runs_in(tmp_path, {"run.sh": "python train.py\n", "a.yaml": "size: 4\n"})
    assert words(found) == [("a.yaml",)]
    assert loaders(found[0]) == 2


@pytest.mark.parametrize(
    "said",
    [
        "# python train.py b.yaml",
        '"""How it is started:\n\n    CUDA_VISIBLE_DEVICES=0 python train.py \\\\\n        b.yaml\n"""',
        "if True:\n    '''\n    python train.py b.yaml\n    '''",
    ],
)
def test_a_configuration_that_the_script_itself_names_is_taken_before_those_beside_it(
    tmp_path: Path, said: str
) -> None:
    files = {"train.py": f"{said}\n{SCRIPT}", "a.yaml": "size: 2\n", "b.yaml": "size: 4\n"}
    assert words(runs_in(tmp_path, files)) == [("b.yaml",)]


@pytest.mark.parametrize("shipped, said", [("a.yaml", "b.yaml"), ("a.yaml", "--size 3")])
def test_what_the_script_itself_names_counts_only_where_no_launch_does(tmp_path: Path, shipped: str, said: str) -> None:
    files = {"train.py": f"# python train.py {said}\n{SCRIPT}", "run.sh": f"python train.py {shipped}\n"}
    files |= {"a.yaml": "size: 2\n", "b.yaml": "size: 4\n"}
    assert words(runs_in(tmp_path, files)) == [(shipped,)]


def test_where_nothing_names_a_configuration_the_script_is_followed_to_its_end(tmp_path: Path) -> None:
    found = runs_in(tmp_path, {})
    assert words(found) == [()]
    assert loaders(found[0]) == 2


def test_a_document_that_names_the_configuration_later_leads_to_another_answer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    tree = tmp_path / "tree"
    tree.mkdir()
    (tree / "train.py").write_text(SCRIPT, encoding="utf-8")
    (tree / "README.md").write_text("A model.\n", encoding="utf-8")
    (tree / "more.cfg.yaml").write_text("size: 4\n", encoding="utf-8")
    (tree / "other.yaml").write_text("size: 5\n", encoding="utf-8")

    def sizes() -> set[object]:
        records = collect(tree, effort=Effort(cached=True)).records
        found = (record.batch_size for record in records if isinstance(record, Loader))
        return {size.value for size in found if isinstance(size, Known)}

    assert sizes() == {1, 4, 5}
    (tree / "README.md").write_text("    python train.py other.yaml\n", encoding="utf-8")
    assert sizes() == {1, 5}


# The configuration is given by an option with a default.
OPTION = (
    SCRIPT.replace("import sys", "import argparse")
    .replace(
        "first =", 'parser = argparse.ArgumentParser()\nparser.add_argument("--config", default="c.yaml")\nfirst ='
    )
    .replace("open(sys.argv[1])", "open(parser.parse_args().config)")
)


def test_only_files_of_the_format_that_is_asked_for_are_tried(tmp_path: Path, executed: list[Run]) -> None:
    found = runs_in(tmp_path, {"train.py": OPTION, "a.yml": "size: 4\n", "b.toml": "size = 8\n", "run.sh": ""})
    assert words(found) == [("--config", "a.yml")]
    assert [run.launch.argv for run in executed] == [(), ("--config", "a.yml")]


def test_a_run_with_a_file_that_cannot_be_read_ends_there(tmp_path: Path, executed: list[Run]) -> None:
    """What the script would do without it costs time and tells nothing."""
    files = {"train.py": OPTION, "a.yml": "size: [4\n", "b.yml": "size: 4\n", "run.sh": ""}
    assert words(runs_in(tmp_path, files)) == [("--config", "b.yml")]
    assert [(run.launch.argv, loaders(run)) for run in executed] == [
        ((), 1),
        (("--config", "a.yml"), 1),
        (("--config", "b.yml"), 2),
    ]


def test_files_that_the_script_does_not_read_are_tried_once(tmp_path: Path, executed: list[Run]) -> None:
    asks = OPTION.replace("open(", "open('conf_' + ")
    found = runs_in(tmp_path, {"train.py": asks, "a.yaml": "size: 4\n", "b.yaml": "size: 5\n"})
    assert words(found) == [("--config", "a.yaml")]
    assert [run.launch.argv for run in executed] == [(), ("--config", "a.yaml")]


@pytest.mark.parametrize(("many", "told"), [(12, []), (14, ["c12.yaml: 2"])])
def test_configurations_that_are_too_many_are_told_of(tmp_path: Path, many: int, told: list[str]) -> None:
    files = {f"c{number:02}.yaml": f"size: {number + 4}\n" for number in range(many)}
    found = runs_in(tmp_path, {"train.py": OPTION, **files})
    assert len(found) == 12
    limits = [f"{step.location.path}: {step.note.rpartition(' ')[2]}" for run in found for step in run.limits]
    assert limits == told


MODES = """
import argparse
import json
from torch.utils.data import DataLoader

parser = argparse.ArgumentParser()
parser.add_argument("action", nargs="?", default="train")
parser.add_argument("--list", default="train")
options = parser.parse_args()
if options.action == "train":
    files = json.load(open(options.list + ".json"))
    DataLoader(files, batch_size=4)
else:
    DataLoader([1], batch_size=1)
"""


def test_where_launches_and_files_are_many_each_of_them_has_its_turn(tmp_path: Path) -> None:
    asks = OPTION.replace("first =", "parser.add_argument('--name')\nfirst =")
    assert asks != OPTION
    names = [f"run{number}" for number in range(4)]
    files = {f"{letter}.yaml": "size: 4\n" for letter in "abdef"}
    started = "".join(f"python train.py --config $CONFIG --name {name}\n" for name in names)
    found = words(runs_in(tmp_path, {"train.py": asks, "run.sh": started, **files}))
    assert len(found) == 12 < len(names) * len(files)
    assert {argv[1] for argv in found} == set(files)
    assert {argv[3] for argv in found} == set(names)


def test_a_mode_that_no_command_gives_a_configuration_counts_as_it_is_started(tmp_path: Path) -> None:
    started = "python train.py train\npython train.py test\n"
    found = runs_in(tmp_path, {"train.py": MODES, "run.sh": started})
    assert words(found) == [(), ("train",), ("test",)]
    assert all(loaders(run) for run in found)


def test_an_option_that_names_the_folder_of_a_list_asks_for_no_configuration(tmp_path: Path) -> None:
    asks = OPTION.replace(
        "open(parser.parse_args().config)", "open(os.path.join(parser.parse_args().config, 'a.yaml'))"
    )
    asks = asks.replace("import yaml", "import os\nimport yaml")
    found = runs_in(tmp_path, {"train.py": asks, "a.yaml": "size: 4\n", "run.sh": "python train.py --config other\n"})
    assert words(found) == [(), ("--config", "other")]


@pytest.mark.parametrize(
    ("default", "started", "expected"),
    [
        ('"data"', "--data <folder>", [()]),
        ('"data"', "--data <folder> --size 3", [(), ("--data", "\0a placeholder", "--size", "3")]),
        ("None", "--data <folder>", [(), ("--data", "\0a placeholder")]),
    ],
)
def test_a_command_that_only_fills_in_a_folder_is_the_bare_script(
    tmp_path: Path, default: str, started: str, expected: list[tuple[str, ...]]
) -> None:
    script = (
        "import argparse\nfrom torch.utils.data import DataLoader\np = argparse.ArgumentParser()\n"
        f"p.add_argument('--data', default={default})\np.add_argument('--size', type=int, default=4)\n"
        "a = p.parse_args()\nDataLoader(a.data, batch_size=a.size)\n"
    )
    readme = f"```\npython train.py {started}\n```\n"
    assert words(runs_in(tmp_path, {"train.py": script, "README.md": readme})) == expected


ONE_MODE_NEEDS_MORE = """
import argparse
from torch.utils.data import DataLoader

parser = argparse.ArgumentParser()
parser.add_argument("--mode", required=True)
parser.add_argument("--loss"{default})
args = parser.parse_args()
if args.mode == "train":
    if args.loss != "l1" and args.loss != "l2":
        raise ValueError("choose a loss")
    DataLoader([1], batch_size=4)
else:
    DataLoader([1], batch_size=1)
"""


@pytest.mark.parametrize(("default", "made"), [("", 2), (', default="mse"', 1)])
def test_an_option_that_only_one_mode_needs_ends_no_mode(tmp_path: Path, default: str, made: int) -> None:
    (run,) = runs_in(tmp_path, {"train.py": ONE_MODE_NEEDS_MORE.format(default=default)})
    assert loaders(run) == made


def test_what_only_a_notebook_mentions_is_no_dead_code(tmp_path: Path) -> None:
    (tmp_path / "data.py").write_text(
        "from torch.utils.data import DataLoader\ndef make(items):\n    return DataLoader(items, batch_size=4)\n"
    )
    cell = {"cell_type": "code", "metadata": {}, "outputs": [], "source": "from cloned import data\ndata.make([1])\n"}
    (tmp_path / "demo.ipynb").write_text(json.dumps({"cells": [cell], "nbformat": 4, "nbformat_minor": 5}))
    program = runs.Program(SourceTree(tmp_path))
    assert [place.function.name for place in program.unreached(set(), any_run=True)] == ["make"]


def test_a_script_that_trains_is_not_started_with_what_scores(tmp_path: Path) -> None:
    for name in ("train", "test"):
        (tmp_path / "configs" / name).mkdir(parents=True)
        (tmp_path / "configs" / name / "a.yaml").write_text("size: 4\n", encoding="utf-8")
    assert words(runs_in(tmp_path, {})) == [("configs/train/a.yaml",)]
    scoring = SCRIPT.replace("first = ", "model = ")
    (tmp_path / "train.py").unlink()
    (tmp_path / "score.py").write_text(scoring, encoding="utf-8")
    found = list(runs.execute(SourceTree(tmp_path)))
    assert words(found) == [("configs/test/a.yaml",), ("configs/train/a.yaml",)]


def test_a_file_beside_the_code_does_not_stand_for_the_configuration(tmp_path: Path) -> None:
    script = 'import json\ntry:\n    sizes = json.load(open("parts/sizes.json"))\nexcept OSError:\n    pass\n' + SCRIPT
    assert words(runs_in(tmp_path, {"train.py": script, "a.yaml": "size: 4\n"})) == [("a.yaml",)]
