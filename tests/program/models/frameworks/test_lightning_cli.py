"""LightningCLI: files that name its modules, classes of its own kind, words that name classes and files."""

# ruff: noqa: E501 (a small program is easier to read on one line than folded)
from __future__ import annotations

from collections.abc import Callable

from tests.program.models.shown import Shown

Show = Callable[..., Shown]
MAIN = "if __name__ == '__main__':\n    "


CLI = (
    "import sink\nimport lightning.pytorch as pl\nfrom jsonargparse import lazy_instance\nfrom lightning.pytorch.cli import LightningCLI\n"
    "class Net(pl.LightningModule):\n    def __init__(self, lr: float):\n        super().__init__()\n    def training_step(self, batch, i):\n        pass\n"
    "class Part:\n    def __init__(self, seconds=2):\n        self.seconds = seconds\n"
    "class Data(pl.LightningDataModule):\n    def __init__(self, batch_size=4, part=lazy_instance(Part, seconds=3)):\n        super().__init__()\n        self.b = batch_size\n        self.part = part\n"
    "    def train_dataloader(self):\n        sink.show((self.b, self.part.seconds))\n        return [1]\n"
)  # fmt: skip


def test_lightning_cli_is_started_with_the_files_that_name_its_modules(show: Show) -> None:
    named = "model: {class_path: train.Net, init_args: {lr: 0.1}}\ndata: {class_path: train.Data, init_args: {batch_size: 6}}\n"
    files = {
        "train.py": CLI + MAIN + "LightningCLI()\n",
        "configs/a.yaml": named,
        "README.md": "```\npython train.py fit --config configs/xxx.yaml\n```\n",
    }
    shown = show(files)
    assert shown.conditions == ["configuration configs/a.yaml"]
    assert shown.plain("configuration configs/a.yaml") == [(6, 3)]
    files |= {
        "train.py": CLI + MAIN + "LightningCLI(Net, Data)\n",
        "configs/a.yaml": "model: {lr: 0.1}\ndata: {batch_size: 5}\n",
    }
    assert show(files).plain("configuration configs/a.yaml") == [(5, 3)]


def test_a_mode_whose_file_is_called_otherwise_is_given_another_one(show: Show) -> None:
    launches = "python train.py fit --config configs\\a.yaml\npython train.py test --config configs/a.yaml\n"
    files = {
        "train.py": CLI + MAIN + "LightningCLI(Net, Data)\n",
        "configs/a.yaml": "model: {lr: 0.1}\ndata: {batch_size: 2}\n",
        "run.sh": launches,
    }
    shown = show(files)
    assert shown.conditions == ["run.sh: test --config configs/a.yaml", "configuration configs/a.yaml"]
    assert shown.plain("configuration configs/a.yaml") == [(2, 3)]


def test_a_class_of_its_own_kind_of_lightning_cli_brings_its_defaults(show: Show) -> None:
    own = (
        "class Own(LightningCLI):\n    def add_arguments_to_parser(self, parser):\n"
        "        parser.set_defaults({'data.batch_size': 7, 'model.lr': 0.1})\n" + MAIN + "Own(Net, Data)\n"
    )
    files = {"train.py": CLI + own, "run.sh": "python train.py fit --data.batch_size 9\n"}
    shown = show(files)
    assert shown.plain() == [(7, 3)] and shown.plain("run.sh: fit --data.batch_size 9") == [(9, 3)]


def test_words_of_lightning_cli_name_classes_and_files_of_their_settings(show: Show) -> None:
    files = {
        "train.py": CLI + MAIN + "LightningCLI(parser_kwargs={'default_config_files': ['base.yaml']})\n",
        "base.yaml": "data: {class_path: train.Data}\n",
        "net.yaml": "lr: 0.1\n",
        "run.sh": "python train.py fit --model train.Net --model net.yaml --data.batch_size 3\n",
    }
    shown = show(files)
    assert shown.plain("run.sh: fit --model train.Net --model net.yaml --data.batch_size 3") == [(3, 3)]


def test_a_class_is_named_beside_a_file_of_its_settings(show: Show) -> None:
    files = {
        "train.py": CLI + MAIN + "LightningCLI()\n",
        "net.yaml": "model: {lr: 0.1}\ndata: {batch_size: 5}\n",
    }
    for words in (
        "fit --model train.Net --data train.Data --config net.yaml",
        "fit --config net.yaml --model train.Net --data train.Data",
        "fit --config net.yaml --model train.Net --data train.Data --data.batch_size 5",
    ):
        assert show({**files, "run.sh": f"python train.py {words}\n"}).plain(f"run.sh: {words}") == [(5, 3)]


def test_a_script_that_only_makes_a_cli_is_followed(show: Show) -> None:
    files = {
        "parts.py": CLI,
        "train.py": "from lightning.pytorch.cli import LightningCLI\n" + MAIN + "LightningCLI()\n",
        "net.yaml": "model: {class_path: parts.Net, init_args: {lr: 0.1}}\ndata: {class_path: parts.Data}\n",
        "run.sh": "python train.py fit --config net.yaml\n",
    }
    assert show(files).plain("run.sh: fit --config net.yaml") == [(4, 3)]
