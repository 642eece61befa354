"""What a Hydra program leaves to the reader to choose: an experiment, or the primary file."""

from __future__ import annotations

from pathlib import Path

import pytest

from cmgan_audit.program.launches import configurations
from cmgan_audit.program.launches.hydra_choices import MOST_OF_A_SCORER
from cmgan_audit.program.launches.runs import execute
from cmgan_audit.source.tree import SourceTree

SCRIPT = """
import hydra
from torch.utils.data import DataLoader

@hydra.main(version_base=None, config_path="conf", config_name="config")
def main(cfg):
    DataLoader([1], batch_size=cfg.size)

if __name__ == "__main__":
    main()
"""
GLOBAL = "# @package _global_\n"


def started(folder: Path, files: dict[str, str], script: str = "train.py") -> list[tuple[str, ...]]:
    """How a script is started beside files."""
    for name, text in {script: SCRIPT, **files}.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    return [run.launch.argv for run in execute(SourceTree(folder)) if run.launch.argv]


def test_experiments_count_where_nothing_says_which_is_meant(tmp_path: Path) -> None:
    files = {
        "conf/config.yaml": "defaults:\n  - experiment: null\n  - _self_\nsize: 4\n",
        "conf/experiment/small.yaml": f"{GLOBAL}size: 1\n",
        "conf/experiment/debug.yaml": f"{GLOBAL}size: 2\n",
        "conf/experiment/part.yaml": "size: 3\n",
        "conf/hparams_search/optuna.yaml": f"{GLOBAL}size: 5\n",
        "conf/exp/large.yaml": f"{GLOBAL}size: 8\n",
    }
    assert started(tmp_path, files) == [("+exp=large",), ("experiment=small",)]


def test_experiments_that_nothing_shows_do_not_tell_that_nobody_starts_the_bare_script(tmp_path: Path) -> None:
    files = {"conf/config.yaml": "size: 4\n", "conf/exp/large.yaml": f"{GLOBAL}size: 8\n"}
    started(tmp_path, files)
    assert [run.launch.unshown for run in execute(SourceTree(tmp_path))] == [False, False]


def test_a_script_whose_primary_file_is_not_there_starts_with_no_experiment(tmp_path: Path) -> None:
    files = {"conf/other.yaml": "defaults:\n  - dset: small\nsize: 4\n", "conf/dset/small.yaml": f"{GLOBAL}size: 1\n"}
    assert started(tmp_path, files) == []


@pytest.mark.parametrize("name", ["overfit_batch", "overfitting", "fast_dev_run"])
def test_experiments_that_are_trials_by_their_names_are_none(tmp_path: Path, name: str) -> None:
    files = {"conf/config.yaml": "size: 4\n", f"conf/exp/{name}.yaml": f"{GLOBAL}size: 1\n"}
    assert started(tmp_path, files) == []


@pytest.mark.parametrize(
    ("config", "launcher"),
    [
        ("defaults:\n  - experiment: small\n", ""),
        ("defaults:\n  - experiment: null\n", "python train.py experiment=large\n"),
    ],
)
def test_an_experiment_that_is_chosen_is_the_one(tmp_path: Path, config: str, launcher: str) -> None:
    files = {
        "conf/config.yaml": f"{config}size: 4\n",
        "conf/experiment/small.yaml": f"{GLOBAL}size: 1\n",
        "conf/experiment/large.yaml": f"{GLOBAL}size: 8\n",
        "run.sh": launcher,
    }
    assert started(tmp_path, files) == ([("experiment=large",)] if launcher else [])


def test_an_experiment_that_a_document_leaves_open_is_each_of_them(tmp_path: Path) -> None:
    files = {
        "README.md": "```\npython train.py +exp={name} seed=1\n```\n",
        "conf/config.yaml": "size: 4\n",
        "conf/exp/large.yaml": f"{GLOBAL}size: 8\n",
        "conf/exp/small.yaml": f"{GLOBAL}size: 1\n",
        "conf/other/more.yaml": f"{GLOBAL}size: 3\n",
    }
    assert started(tmp_path, files) == [("+exp=large", "seed=1"), ("+exp=small", "seed=1")]


def test_a_primary_file_that_a_document_leaves_open_is_each_of_the_others(tmp_path: Path) -> None:
    files = {
        "README.md": "```\npython train.py -cn=CONFIG_NAME HYDRA_CONFIG_ARGUMENTS\n```\n",
        "conf/config.yaml": "defaults:\n  - _self_\nsize: 4\n",
        "conf/small.yaml": "defaults:\n  - _self_\nsize: 1\n",
        "conf/inference.yaml": "defaults:\n  - _self_\nsize: 2\n",
        "conf/shared.yaml": "size: 3\n",
    }
    assert started(tmp_path, files) == [("-cn=small",)]


def test_experiments_that_differ_in_names_and_lists_are_followed_once(tmp_path: Path) -> None:
    files = {
        "conf/config.yaml": "size: 4\nkinds: []\n",
        "conf/exp/a.yaml": f"{GLOBAL}name: a\nsize: 8\nkinds: [reverb]\n",
        "conf/exp/b.yaml": f"{GLOBAL}name: b\nsize: 8\nkinds: [delay, chorus]\n",
        "conf/exp/c.yaml": f"{GLOBAL}name: c\nsize: 2\nkinds: [reverb]\n",
        "conf/exp/d.yaml": f"{GLOBAL}defaults:\n  - override /model: other\nsize: 8\nkinds: [reverb]\n",
        "conf/exp/e.yaml": f"{GLOBAL}defaults:\n  - override /model: more\nsize: 8\nkinds: [reverb]\n",
        "conf/model/other.yaml": "size: 1\n",
    }
    assert started(tmp_path, files) == [("+exp=a",), ("+exp=c",), ("+exp=d",), ("+exp=e",)]
    told = [step.note for run in execute(SourceTree(tmp_path)) for step in run.limits]
    assert any(note.startswith("other names and lists in a configuration") for note in told)


def test_those_that_are_too_many_are_told_of(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cmgan_audit.program.launches.hydra_choices.MOST_OF_A_TRAINING", 3)
    files = {f"conf/exp/{number}.yaml": f"{GLOBAL}size: {number}\n" for number in range(1, 6)}
    files["conf/config.yaml"] = "size: 4\n"
    assert len(started(tmp_path, files)) == 3
    runs = list(execute(SourceTree(tmp_path)))
    assert "launches of train.py that are not followed, from this one on: 2" in runs[0].limits[0].note
    (tmp_path / "train.py").unlink()
    assert len(started(tmp_path, {}, "evaluate.py")) == MOST_OF_A_SCORER


@pytest.mark.parametrize(("name", "meant"), [("train_eval.py", True), ("main.py", True), ("preprocess.py", False)])
def test_what_a_script_is_called_tells_whether_it_trains(name: str, meant: bool) -> None:
    assert configurations.is_meant_to_train(f"src/{name}") == meant
