"""What Lightning's modules keep of their arguments and optimisers, and what LightningCLI hands to parameters."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from cmgan_audit.facts.classes import values_within
from cmgan_audit.program.domain.values import Const, Instance, ListValue
from tests.program.models.shown import Shown

Show = Callable[..., Shown]
MODULE = """
import argparse, sink
import pytorch_lightning as pl
class Data(pl.LightningDataModule):
    def __init__(self, folder, batch_size=4, workers: int = 2, **rest):
        super().__init__()
        self.save_hyperparameters({saved})
    def show(self):
        sink.show({shown})
Data("corpus", batch_size=1, name="x").show()
"""


@pytest.mark.parametrize(
    ("saved", "shown", "expected"),
    [
        ("", "(self.hparams.folder, self.hparams['batch_size'], self.hparams.workers)", ("corpus", 1, 2)),
        ("logger=False", "(self.hparams.batch_size, self.hparams.name)", (1, "x")),
        ("'batch_size'", "(self.hparams.batch_size, 'workers' in self.hparams)", (1, False)),
        ("ignore=['folder']", "self.hparams.batch_size", 1),
        (
            "'folder'); self.save_hyperparameters('workers'",
            "(self.hparams.folder, self.hparams.workers)",
            ("corpus", 2),
        ),
        ("dict(a=5)", "self.hparams.a", 5),
        ("argparse.Namespace(a=5)", "self.hparams.a", 5),
    ],
)
def test_saved_hyperparameters(show: Show, saved: str, shown: str, expected: object) -> None:
    assert show(MODULE.format(saved=saved, shown=shown)).plain() == [expected]


def test_a_base_class_saves_its_own_arguments(show: Show) -> None:
    text = """
import sink
import lightning as L
class Base(L.LightningModule):
    def __init__(self, rate=0.5):
        super().__init__()
        self.save_hyperparameters()
class Net(Base):
    def __init__(self, width=8):
        super().__init__(rate=0.1)
sink.show(Net().hparams.rate)
"""
    assert show(text).plain() == [0.1]


@pytest.mark.parametrize(
    ("saved", "shown", "expected"),
    [
        ("", "(self.hparams.batch_size, self.hparams['batch_size'])", (1, 1)),
        ("self.save_hyperparameters('width')", "(self.hparams.batch_size, self.hparams.width)", (1, 8)),
        ("self.hparams.update(rate=2)", "(self.hparams.batch_size, self.hparams.rate)", (1, 2)),
        ("", "'batch_size' in self.hparams", True),
    ],
)
def test_settings_are_put_into_the_hyperparameters_one_by_one(
    show: Show, saved: str, shown: str, expected: object
) -> None:
    text = f"""
import sink
import pytorch_lightning as pl
class Base(pl.LightningModule):
    def __init__(self):
        super().__init__()
        self.hparams["batch_size"] = 1
class Net(Base):
    def __init__(self, width=8):
        super().__init__()
        {saved}
        sink.show({shown})
Net()
"""
    assert show(text).plain() == [expected]


def test_a_configuration_becomes_an_object_of_the_annotated_class(show: Show) -> None:
    text = """
import sink
from dataclasses import dataclass
from typing import Dict, Optional
import pytorch_lightning as pl
from pytorch_lightning.cli import LightningCLI
@dataclass
class Part:
    workers: int = 0
@dataclass
class Config:
    batch_size: int
    part: Part
class Net(pl.LightningModule):
    pass
class Data(pl.LightningDataModule):
    def __init__(self, train: Config, valid: Optional[Config] = None, other: dict = None,
                 sets: Dict[str, Config] = None, last: "int | None" = None, more: None | Part = None):
        super().__init__()
        sink.show((train.batch_size, train.part.workers, valid.batch_size, other["a"],
                   sets["a"]["batch_size"], more.workers))
LightningCLI(Net, Data, run=False)
"""
    files = {
        "train.py": text,
        "c.yaml": (
            "data:\n  train: {batch_size: 2, part: {workers: 3}}\n  valid: {batch_size: 1, part: {}}\n  other: {a: 5}\n"
            "  sets: {a: {batch_size: 6, part: {}}}\n  more: {workers: 7}\n"
        ),
        "run.sh": "python train.py -c c.yaml\n",
    }
    assert show(files).plain("run.sh: -c c.yaml") == [(2, 3, 1, 5, 6, 7)]


@pytest.mark.parametrize(
    ("returned", "optimizers", "schedulers"),
    [
        ("G", "G", ""),
        ("[G, D]", "G D", ""),
        ("([G, D], [plan(G)])", "G D", "plan"),
        ("{'optimizer': G, 'lr_scheduler': plan(G)}", "G", "plan"),
        ("[{'optimizer': G, 'lr_scheduler': {'scheduler': plan(G)}}, {'optimizer': D}]", "G D", "plan"),
    ],
)
def test_a_module_that_steps_by_hand_gets_what_it_has_configured(
    show: Show, returned: str, optimizers: str, schedulers: str
) -> None:
    text = f"""
import sink, torch
import lightning as L
from torch.optim.lr_scheduler import StepLR
def plan(optimizer):
    return StepLR(optimizer, step_size=7)
class Net(L.LightningModule):
    def configure_optimizers(self):
        net = torch.nn.Linear(4, 4)
        G, D = torch.optim.Adam(net.parameters(), lr=1), torch.optim.Adam(net.parameters(), lr=2)
        return {returned}
    def training_step(self, batch, number):
        sink.show((self.optimizers(), self.lr_schedulers()))
L.Trainer().fit(Net(), torch.utils.data.DataLoader([1, 2]))
"""
    (value,) = show(text).values()
    assert isinstance(value, ListValue)
    rates = {1: "G", 2: "D"}
    found = [[each for each in values_within(part) if isinstance(each, Instance)] for part in value.items]
    named = [rates[rate.value] for each in found[0] if isinstance(rate := each.arguments.get("lr"), Const)]
    planned = [each for each in found[1] if each.external_name.endswith("StepLR")]
    assert (" ".join(named), len(planned)) == (optimizers, len(schedulers.split()))


PER_DEVICE = """
import sink
import lightning as L
import torch
from torch.utils.data import DataLoader
class Data(L.LightningDataModule):
    def __init__(self, batch_size):
        super().__init__()
        self.save_hyperparameters()
        self.batch_size_per_device = batch_size
    def setup(self, stage=None):
        if self.trainer is not None:
            if self.hparams.batch_size % self.trainer.world_size != 0:
                raise RuntimeError("not divisible")
            self.batch_size_per_device = self.hparams.batch_size // self.trainer.world_size
    def train_dataloader(self):
        sink.show(self.batch_size_per_device)
        return DataLoader([1], batch_size=self.batch_size_per_device)
class Net(L.LightningModule):
    def training_step(self, batch, index):
        return batch.mean()
L.Trainer(TRAINER).fit(Net(), datamodule=Data(8))
"""


@pytest.mark.parametrize(
    ("trainer", "expected"),
    [
        ("devices=1", 8),
        ("devices=2, num_nodes=2", 2),
        ("devices=[0, 1]", 4),
        ("devices='4'", 2),
        ("devices='auto'", "8 // world_size"),
        ("devices=-1", "8 // world_size"),
        ("devices=2, num_nodes=int(input())", "8 // world_size"),
        ("", "8 // world_size"),
    ],
)
def test_a_data_module_divides_its_batch_by_the_processes_of_its_trainer(
    show: Show, trainer: str, expected: object
) -> None:
    assert show(PER_DEVICE.replace("TRAINER", trainer)).plain() == [expected]
