"""Command lines made of functions and decorators: click, typer, fire, tap, HfArgumentParser, tyro, optparse, LightningCLI."""

# ruff: noqa: E501 (a small program is easier to read on one line than folded)
from __future__ import annotations

from collections.abc import Callable

import pytest

from cmgan_audit.program.domain.values import Const, Unknown
from tests.program.models.shown import Shown

Show = Callable[..., Shown]
CLICK = (
    "import click, sink\n@click.command()\n@click.option('--batch-size', '-b', default=1, type=int, help='x')\n"
    "@click.option('--amp/--no-amp', default=True)\n@click.option('--fast', is_flag=True)\n"
    "@click.option('--w', multiple=True, type=float)\n@click.argument('mode', default='train')\n"
    "def main(batch_size, amp, fast, w, mode):\n    sink.show((batch_size, amp, fast, w, mode))\n"
)
TYPER = (
    "import typer, sink\nfrom typing import Annotated, Optional\n"
    "def main(batch_size: int = typer.Option(1, '--bs', help='x'), lr: Annotated[float, typer.Option('--rate')] = 0.5,\n"
    "         amp: bool = True, name: Optional[str] = None):\n    sink.show((batch_size, lr, amp, name))\n"
)
FIRE = "import fire, sink\nclass Trainer:\n    def __init__(self, batch_size=1, lr=0.5):\n        self.b = batch_size\n        self.lr = lr\n    def train(self, n=1):\n        sink.show((self.b, self.lr))\ndef main(batch_size=1, **kw):\n    sink.show((batch_size, kw))\n"
DOCOPT = (
    '"""Train.\n\nUsage:\n  train.py [options] <data> [--fast]\n\nOptions:\n  -b N, --batch=N  items [default: 4]\n'
    '  --checkpoint=<path>  go on from here\n  -v --verbose  say more\n"""\nimport sink\nfrom docopt import docopt\n'
)
ONE = "import sink\nfrom dataclasses import dataclass, field\nfrom {}\n@dataclass\nclass Data:\n    workers: int = 0\n@dataclass\nclass A:\n    batch_size: int = 1\n    name: str = None\n    data: Data = field(default_factory=Data)\n"
MAIN = "if __name__ == '__main__':\n    "


@pytest.mark.parametrize(
    ("program", "words", "expected"),
    [
        (CLICK + MAIN + "main()\n", "", (1, True, False, (), "train")),
        (CLICK + MAIN + "main()\n", "-b 4 --no-amp --fast --w 1 --w 2 test", (4, False, True, [1.0, 2.0], "test")),
        (TYPER + MAIN + "typer.run(main)\n", "", (1, 0.5, True, None)),
        (TYPER + MAIN + "typer.run(main)\n", "--bs 4 --rate 1e-3 --no-amp --name x", (4, 0.001, False, "x")),
        (TYPER.replace("def main", "app = typer.Typer()\n@app.command()\ndef main") + MAIN + "app()\n", "--bs=2", (2, 0.5, True, None)),
        (FIRE + MAIN + "fire.Fire(main)\n", "--batch_size=4 --x a", (4, {"x": "a"})),
        (FIRE + MAIN + "fire.Fire(Trainer)\n", "train --batch_size 2", (2, 0.5)),
        (FIRE + MAIN + "fire.Fire(Trainer)\n", "", (1, 0.5)),
        (FIRE + MAIN + "fire.Fire({'main': main})\n", "main --batch_size 3", (3, {})),
        ("import sink\nfrom tap import Tap\nclass A(Tap):\n    batch_size: int = 1\n    lr: float = 0.5\n" + MAIN + "a = A().parse_args()\n    sink.show((a.batch_size, a.lr))\n", "--batch_size 4", (4, 0.5)),
        ("import sink\nfrom dataclasses import dataclass\nfrom transformers import HfArgumentParser\n@dataclass\nclass A:\n    batch_size: int = 1\n@dataclass\nclass B:\n    lr: float = 0.5\n" + MAIN + "a, b = HfArgumentParser((A, B)).parse_args_into_dataclasses()\n    sink.show((a.batch_size, b.lr))\n", "--batch_size 4", (4, 0.5)),
        (ONE.format("argparse_dataclass import ArgumentParser") + MAIN + "a = ArgumentParser(A).parse_args()\n    sink.show((a.batch_size, a.name))\n", "", (1, None)),
        (ONE.format("argparse_dataclass import ArgumentParser") + MAIN + "a = ArgumentParser(A).parse_args()\n    sink.show((a.batch_size, a.name))\n", "--batch-size 4 --name x", (4, "x")),
        (ONE.format("argparse_dataclass import parse_args") + MAIN + "a = parse_args(A)\n    sink.show(a.batch_size)\n", "--batch-size 4", 4),
        (ONE.format("tyro import cli") + MAIN + "a = cli(A)\n    sink.show((a.batch_size, a.data.workers))\n", "--batch-size 4 --data.workers 2", (4, 2)),
        (ONE.format("tyro import cli") + "def main(batch_size: int = 1):\n    sink.show(batch_size)\n" + MAIN + "cli(main)\n", "--batch-size 4", 4),
        (DOCOPT + MAIN + "sink.show(docopt(__doc__))\n", "corpus", {"--batch": "4", "--checkpoint": None, "--verbose": False, "--fast": False, "<data>": "corpus"}),
        (DOCOPT + MAIN + "a = docopt(__doc__)\n    sink.show((int(a['--batch']), a['--checkpoint'], a['--verbose'], a['--fast']))\n", "-b 8 -v --fast --checkpoint=x.pt corpus", (8, "x.pt", True, True)),
        (DOCOPT.replace("[options] <data> [--fast]", "(fit | test) --lr=<x>") + MAIN + "a = docopt(__doc__)\n    sink.show((a['fit'], a['test'], a['--lr']))\n", "fit --lr 0.1", (True, False, "0.1")),
        ("import sink\nfrom optparse import OptionParser\np = OptionParser()\np.add_option('-b', '--batch', type='int', default=1)\n" + MAIN + "o, rest = p.parse_args()\n    sink.show(o.batch)\n", "--batch 4", 4),
    ],
)  # fmt: skip
def test_command_lines(show: Show, program: str, words: str, expected: object) -> None:
    files = {"train.py": program, **({"run.sh": f"python train.py {words}\n"} if words else {})}
    assert show(files).plain(f"run.sh: {words}" if words else "") == [expected]


@pytest.mark.parametrize(
    ("asked", "files"),
    [
        ("parse_json_file('hp.json')", {"hp.json": '{"batch_size": 4, "lr": 0.1}'}),
        ("parse_json_file(json_file=os.path.abspath(sys.argv[1]))", {"run.sh": "python train.py hp.json\n", "hp.json": '{"batch_size": 4, "lr": 0.1}'}),
        ("parse_json_file(sys.argv[1]) if len(sys.argv) == 2 else (A(), B())", {"run.sh": "python train.py hp.json\n", "hp.json": '{"batch_size": 4, "lr": 0.1}'}),
        ("parse_yaml_file('hp.yaml')", {"hp.yaml": "batch_size: 4\nlr: 0.1\n"}),
        ("parse_dict({'batch_size': 4, 'lr': 0.1})", {}),
    ],
)  # fmt: skip
def test_dataclasses_of_a_file_of_settings(show: Show, asked: str, files: dict[str, str]) -> None:
    program = (
        "import os, sys, sink\nfrom dataclasses import dataclass\nfrom transformers import HfArgumentParser\n"
        "@dataclass\nclass A:\n    batch_size: int = 1\n@dataclass\nclass B:\n    lr: float = 0.5\n"
        f"a, b = HfArgumentParser((A, B)).{asked}\nsink.show((a.batch_size, b.lr))\n"
    )
    shown = show({"train.py": program, **files})
    assert shown.plain("run.sh: hp.json" if "run.sh" in files else "") == [(4, 0.1)]


def test_defaults_of_click_and_typer_can_be_overridden_and_know_their_place(show: Show) -> None:
    for program, line in ((CLICK + MAIN + "main()\n", 3), (TYPER + MAIN + "typer.run(main)\n", 3)):
        value = show(program.replace("sink.show((batch_size", "sink.show(batch_size) or ((batch_size")).values()[0]
        assert isinstance(value, Const) and value.value == 1
        assert value.overridable in {"--batch-size", "--bs"} and value.trail[0].location.line == line


def test_groups_of_commands(show: Show) -> None:
    text = (
        "import click, sink\n@click.group()\n@click.pass_context\ndef cli(ctx):\n    pass\n"
        "@cli.command()\n@click.option('--b', default=1)\ndef train(b):\n    sink.show(b)\n"
        "@cli.command('eval')\ndef evaluate():\n    sink.show('eval')\n" + MAIN + "cli()\n"
    )
    shown = show({"train.py": text, "run.sh": "python train.py train --b 4\n"})
    assert shown.plain("run.sh: train --b 4") == [4]
    assert shown.plain() == [1, "eval"]


@pytest.mark.parametrize(
    "made",
    [
        "def main():\n    cli = click.Group()\n    cli.add_command(train)\n    cli()\n",
        "def main():\n    click.Group(commands={'train': train})()\n",
        "def main():\n    group = click.Group(commands={'train': train})\n    click.CommandCollection(sources=[group])()\n",
        "def main():\n    @click.group()\n    def cli():\n        pass\n    cli.add_command(train)\n    cli()\n",
    ],
)
def test_groups_that_functions_make(show: Show, made: str) -> None:
    text = "import click, sink\n@click.command()\n@click.option('--b', default=1)\ndef train(b):\n    sink.show(b)\n"
    files = {"train.py": text + made + MAIN + "main()\n", "run.sh": "python train.py train --b 4\n"}
    assert show(files).plain("run.sh: train --b 4") == [4]


@pytest.mark.parametrize(
    ("kept", "passed", "started"),
    [
        ("ctx.obj = {'b': b}", "context", "cli()"),
        ("ctx.ensure_object(dict)\n    ctx.obj['b'] = b", "context", "cli(obj={})"),
        ("ctx.ensure_object(dict)['b'] = b", "obj", "cli()"),
    ],
)
def test_a_group_hands_on_what_it_was_given(show: Show, kept: str, passed: str, started: str) -> None:
    text = (
        "import click, sink\n@click.group()\n@click.option('--b', default=1)\n@click.pass_context\n"
        f"def cli(ctx, b):\n    {kept}\n@cli.command()\n@click.pass_{passed}\n"
        f"def train(given):\n    sink.show({'given.obj' if passed == 'context' else 'given'}['b'])\n" + MAIN + started
    )
    shown = show({"train.py": text + "\n", "run.sh": "python train.py --b 4 train\n"})
    assert shown.plain() == [1]
    assert shown.plain("run.sh: --b 4 train") == [4]


def test_a_required_option_of_typer_is_unknown(show: Show) -> None:
    text = (
        "import typer, sink\ndef main(config: str, b: int = typer.Option(...)):\n    sink.show((config, b))\n"
        + MAIN
        + "typer.run(main)\n"
    )
    assert show(text).plain() == [(Unknown, Unknown)]


def test_lightning_cli_makes_modules_from_its_configuration(show: Show) -> None:
    text = (
        "import sink\nimport lightning.pytorch as pl\nfrom lightning.pytorch.cli import LightningCLI\n"
        "from torch.utils.data import DataLoader\nclass Net(pl.LightningModule):\n    def __init__(self, lr=0.1):\n        super().__init__()\n"
        "    def training_step(self, batch, i):\n        sink.show('step')\n"
        "class Data(pl.LightningDataModule):\n    def __init__(self, batch_size=4):\n        super().__init__()\n        self.b = batch_size\n"
        "    def train_dataloader(self):\n        sink.show(self.b)\n        return DataLoader(x, batch_size=self.b)\n"
        + MAIN + "LightningCLI(Net, Data)\n"
    )  # fmt: skip
    files = {
        "train.py": text,
        "c.yaml": "data:\n  batch_size: 2\n",
        "run.sh": "python train.py fit --config c.yaml\npython train.py fit -c c.yaml --data.batch_size=1\n",
    }
    shown = show(files)
    assert shown.plain("run.sh: fit --config c.yaml") == [2, "step"]
    assert shown.plain("run.sh: fit -c c.yaml --data.batch_size=1") == [1, "step"]


@pytest.mark.parametrize("folder", ["data/train", "f"])
def test_a_list_of_utterances_beside_the_configuration_is_no_second_configuration(show: Show, folder: str) -> None:
    text = (
        "import argparse, json, sink, yaml\np = argparse.ArgumentParser()\np.add_argument('--config', default='none.yaml')\n"
        "p.add_argument('--speakers')\na = p.parse_args()\nc = yaml.safe_load(open(a.config))\n"
        "speakers = json.load(open(a.speakers))\nsink.show(c['batch_size'])\n"
    )
    words = f"--config conf/a.yaml --speakers {folder}/speakers.json"
    files = {
        "train.py": text,
        "conf/a.yaml": "batch_size: 6\n",
        "conf/b.yaml": "batch_size: 1\n",
        "run.sh": f"python train.py {words}\n",
    }
    shown = show(files)
    assert shown.conditions == [f"run.sh: {words}"] and shown.plain(f"run.sh: {words}") == [6]


def test_a_dictionary_of_many_defaults_becomes_options_one_by_one(show: Show) -> None:
    many = ", ".join(f"o{number}={number}" for number in range(45))
    text = (
        f"import argparse, sink\ndefaults = dict(batch_size=2, {many})\np = argparse.ArgumentParser()\n"
        "for k, v in defaults.items():\n    p.add_argument(f'--{k}', default=v, type=type(v))\n"
        "sink.show((p.parse_args().batch_size, p.parse_args().o44))\n"
    )
    assert show(text).plain() == [(2, 44)]


PREFIGURE = "import sink\nfrom prefigure.prefigure import get_all_args\nargs = get_all_args()\nsink.show((args.batch_size, args.rate, args.name, args.config_dir, args.fast))\n"


def test_options_of_prefigure_stand_in_a_file(show: Show) -> None:
    files = {
        "train.py": PREFIGURE,
        "defaults.ini": "[DEFAULTS]\n# items of a batch\nbatch_size = 2\nrate = 1e-4\nname = 'small'\nconfig_dir = None\nfast = False\n"
        "template = {{}}\nmessage = {{name}: 1}\n",
        "run.sh": "python train.py --batch-size 8 --name large --config-dir configs\n",
    }
    shown = show(files)
    assert shown.plain() == [(2, 0.0001, "small", None, False)]
    assert shown.plain("run.sh: --batch-size 8 --name large --config-dir configs") == [
        (8, 0.0001, "large", "configs", False)
    ]


def test_without_its_file_prefigure_gives_nothing_that_is_known(show: Show) -> None:
    shown = show({"train.py": PREFIGURE})
    assert shown.plain() == [(Unknown,) * 5]
