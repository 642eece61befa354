"""Launches that only try a program out, by what its trainer is told."""

from __future__ import annotations

from pathlib import Path

import pytest

from cmgan_audit.program.launches.runs import execute
from cmgan_audit.source.tree import SourceTree

SCRIPT = """
import hydra
import pytorch_lightning as pl
from torch.utils.data import DataLoader

class Net(pl.LightningModule):
    def training_step(self, batch, number):
        return batch.mean()

@hydra.main(version_base=None, config_path="conf", config_name="config")
def main(cfg):
    trainer = hydra.utils.instantiate(cfg.trainer)
    if cfg.trains:
        trainer.fit(Net(), DataLoader([1], batch_size=cfg.size))

main()
"""


def followed(folder: Path, experiment: str, *, bare_trains: bool = True) -> bool:
    """Whether a script is followed with an experiment that says this of its trainer."""
    texts = {
        "train.py": SCRIPT,
        "conf/config.yaml": f"trains: {bare_trains}\nsize: 4\ntrainer:\n  _target_: pytorch_lightning.Trainer\n",
        "conf/exp/toy.yaml": f"# @package _global_\ntrains: true\nsize: 1\ntrainer:\n  {experiment}\n",
    }
    for name, text in texts.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    return ("+exp=toy",) in [run.launch.argv for run in execute(SourceTree(folder))]


@pytest.mark.parametrize(
    "told",
    [
        "fast_dev_run: true",
        "fast_dev_run: 3",
        "overfit_batches: 0.01",
        "limit_train_batches: 0.02",
        "limit_train_batches: 1",
        "max_steps: 10",
    ],
)
def test_a_few_batches_are_a_trial(tmp_path: Path, told: str) -> None:
    assert not followed(tmp_path, told)


@pytest.mark.parametrize(
    "told",
    [
        "fast_dev_run: false",
        "overfit_batches: 0",
        "limit_train_batches: 1.0",
        "limit_train_batches: 2000",
        "max_steps: -1",
        "max_steps: 50000",
    ],
)
def test_more_of_them_are_a_training(tmp_path: Path, told: str) -> None:
    assert followed(tmp_path, told)


def test_a_trial_counts_where_nothing_else_trains(tmp_path: Path) -> None:
    assert followed(tmp_path, "fast_dev_run: true", bare_trains=False)
