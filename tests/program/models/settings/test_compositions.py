"""OmegaConf, Hydra and HyperPyYAML. Expectations were computed with omegaconf 2.3, hydra-core 1.3 and hyperpyyaml 1.2."""

# ruff: noqa: E501 (a small program is easier to read on one line than folded)
from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from cmgan_audit.program.domain.values import Const, Unknown
from tests.program.models.shown import Shown

Show = Callable[..., Shown]
TAIL = "\nif __name__ == '__main__':\n    pass\n"


def shows(setting: str) -> str:
    """A script that Hydra starts with conf/config.yaml, and that shows one setting."""
    head = "import hydra, sink\n@hydra.main(version_base=None, config_path='conf', config_name='config')\n"
    return f"{head}def main(cfg):\n    sink.show(cfg.{setting})\nif __name__ == '__main__':\n    main()\n"


@pytest.mark.parametrize(
    ("program", "expected"),
    [
        (
            "OmegaConf.load('c.yaml')",
            {"b": 4, "half": 4, "name": "b4-lr0.001", "n": {"x": 4, "up": 4, "lr": 0.001}, "env": "d"},
        ),
        ("OmegaConf.merge(OmegaConf.load('c.yaml'), {'b': 1}).n.x", 1),
        ("OmegaConf.merge(OmegaConf.load('c.yaml'), OmegaConf.create('b: 2')).name", "b2-lr0.001"),
        (
            "OmegaConf.merge({'a': {'x': 1, 'y': 2}}, {'a': {'y': 3}}, {'a': {'z': [1]}})",
            {"a": {"x": 1, "y": 3, "z": [1]}},
        ),
        ("OmegaConf.merge({'a': [1, 2]}, {'a': [3]})", {"a": [3]}),
        ("OmegaConf.create(['a.b=1', 'a.c=x'])", {"a": {"b": 1, "c": "x"}}),
        ("OmegaConf.from_dotlist(['a.b=1e-3', 'a.c=[1,2]'])", {"a": {"b": 0.001, "c": [1, 2]}}),
        ("OmegaConf.select(OmegaConf.load('c.yaml'), 'n.lr')", 0.001),
        ("OmegaConf.structured(C)", {"batch_size": 4}),
        ("OmegaConf.merge(OmegaConf.structured(C()), {'batch_size': 1}).batch_size", 1),
    ],
)
def test_omegaconf(show: Show, program: str, expected: Any) -> None:
    config = "b: 4\nhalf: ${b}\nname: b${b}-lr${n.lr}\nn:\n  x: ${b}\n  up: ${..b}\n  lr: 1e-3\nenv: ${oc.env:HERE,d}\n"
    text = (
        "import sink\nfrom dataclasses import dataclass\nfrom omegaconf import OmegaConf\n@dataclass\nclass C:\n    batch_size: int = 4\n"
        f"sink.show({program}){TAIL}"
    )
    assert show({"train.py": text, "c.yaml": config}).plain() == [expected]


def test_omegaconf_resolvers_mutation_and_cycles(show: Show) -> None:
    text = (
        "import sink\nfrom omegaconf import OmegaConf\nOmegaConf.register_new_resolver('mul', lambda x, y: x * y)\n"
        "c = OmegaConf.load('c.yaml')\nsink.show(c.m)\nc.b = 1\nsink.show(OmegaConf.merge(c, {'z': 1}).m)\nsink.show(c.loop)"
        + TAIL
    )
    config = "b: 4\nm: ${mul:${b},3}\nloop: ${loop2}\nloop2: ${loop}\n"
    assert show({"train.py": text, "c.yaml": config}).plain() == [12, 3, Unknown]


def test_the_command_line_of_omegaconf(show: Show) -> None:
    text = (
        "import sink\nfrom omegaconf import OmegaConf\nbase = OmegaConf.load('c.yaml')\n"
        "c = OmegaConf.merge(base, OmegaConf.from_cli())\nsink.show(c.train.batch_size)" + TAIL
    )
    shown = show(
        {"train.py": text, "c.yaml": "train: {batch_size: 4}\n", "run.sh": "python train.py train.batch_size=1\n"}
    )
    assert shown.plain() == [4]
    (value,) = shown.values("run.sh: train.batch_size=1")
    assert isinstance(value, Const) and value.value == 1 and str(value.trail[0].location) == "run.sh:1"


CONF = {
    "conf/config.yaml": (
        "defaults:\n  - db: mysql\n  - model/enc: small\n  - _self_\nbatch_size: 4\nlr: 1e-3\nx: ${db.port}\n"
        'y: "p${batch_size}-${model.enc.dim}"\ndb:\n  host: self\n'
    ),
    "conf/db/mysql.yaml": "host: localhost\nport: 3306\nuser: ${batch_size}\n",
    "conf/db/pg.yaml": "host: pg\nport: 5432\nrel: ${.port}\n",
    "conf/model/enc/small.yaml": "dim: 16\n",
    "conf/model/enc/big.yaml": "defaults:\n  - small\n  - _self_\ndim: 64\nextra: ${.dim}\n",
    "conf/exp/a.yaml": "# @package _global_\ndefaults:\n  - override /db: pg\n  - override /model/enc: big\nbatch_size: 1\n",
    "conf/exp/none.yaml": "# @package _global_\n",
    "conf/exp/b.yaml": "# @package foo.bar\nq: 1\n",
}
MYSQL = {"host": "self", "port": 3306, "user": 4}
BASE = {"db": MYSQL, "model": {"enc": {"dim": 16}}, "batch_size": 4, "lr": 0.001, "x": 3306, "y": "p4-16"}
EXPERIMENT = {
    "db": {"host": "self", "port": 5432, "rel": 5432}, "model": {"enc": {"dim": 64, "extra": 64}}, "batch_size": 1,
    "lr": 0.001, "x": 5432, "y": "p1-64",
}  # fmt: skip


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("", BASE),
        ("batch_size=8 ++db.host=zz", {**BASE, "batch_size": 8, "db": {"host": "zz", "port": 3306, "user": 8}, "y": "p8-16"}),
        ("db=pg", {**BASE, "db": {"host": "self", "port": 5432, "rel": 5432}, "x": 5432}),
        ("+exp=a", EXPERIMENT),
        ("+exp=a db=mysql", {**EXPERIMENT, "db": {**MYSQL, "user": 1}, "x": 3306}),
        ("+exp=none", BASE),
        ("+exp=b", {**BASE, "foo": {"bar": {"q": 1}}}),
        ("+new.key=[1,2,a] lr=1e-4", {**BASE, "new": {"key": [1, 2, "a"]}, "lr": 0.0001}),
        ("+db@second=pg", {**BASE, "second": {"host": "pg", "port": 5432, "rel": 5432}}),
        ("batch_size=$SIZE db=$DB", {**BASE, "batch_size": Unknown, "db": {**MYSQL, "user": Unknown}, "y": Unknown}),
        ("~db.host batch_size=null y=1", {**BASE, "batch_size": None, "db": {"port": 3306, "user": None}, "y": 1}),
    ],
)  # fmt: skip
def test_hydra(show: Show, words: str, expected: dict[str, Any]) -> None:
    text = (
        "import hydra, sink\n@hydra.main(version_base=None, config_path='conf', config_name='config')\ndef main(cfg):\n"
        "    sink.show(cfg)\nif __name__ == '__main__':\n    main()\n"
    )
    shown = show({**CONF, "train.py": text, **({"run.sh": f"python train.py {words}\n"} if words else {})})
    assert shown.plain(f"run.sh: {words}" if words else "") == [expected]


def test_a_function_of_dora_gets_the_same_configuration(show: Show) -> None:
    text = (
        "import sink\nfrom dora import hydra_main\n@hydra_main(config_path='conf', config_name='config')\n"
        "def main(cfg):\n    sink.show(cfg.db.port)\nif __name__ == '__main__':\n    main()\n"
    )
    assert show({**CONF, "train.py": text}).plain() == [3306]


def test_a_hydra_before_1_1_puts_the_primary_file_first(show: Show) -> None:
    """denoiser's layout: `config_path` is the file, group files are written for the top level."""
    files = {
        "train.py": "import hydra, sink\n@hydra.main(config_path='conf/config.yaml')\ndef main(args):\n    sink.show(args.b)\n    sink.show(args.dset.train)\nif __name__ == '__main__':\n    main()\n",
        "conf/config.yaml": "defaults:\n  - dset: debug\n  - hydra/job_logging: colorlog\nb: 4\n",
        "conf/dset/debug.yaml": "dset:\n  train: egs\nb: 2\n",
        "conf/dset/big.yaml": "dset:\n  train: big\n",
        "run.sh": "python train.py dset=big b=1\n",
    }  # fmt: skip
    shown = show(files)
    assert (shown.plain(), shown.plain("run.sh: dset=big b=1")) == ([2, "egs"], [1, "big"])
    value = shown.values()[0]
    assert isinstance(value, Const) and str(value.trail[0].location) == "conf/dset/debug.yaml:3"


def test_a_configuration_that_an_experiment_replaces_need_not_be_there(show: Show) -> None:
    files = {
        "train.py": shows("model.dim"),
        "conf/config.yaml": "defaults:\n  - model: gone\n  - _self_\n  - exp: null\n",
        "conf/model/small.yaml": "dim: 16\n",
        "conf/exp/a.yaml": "# @package _global_\ndefaults:\n  - override /model: small\n",
        "run.sh": "python train.py exp=a\n",
    }
    shown = show(files)
    assert shown.plain("run.sh: exp=a") == [16]
    (run,) = [run for run in shown.runs if run.launch.condition]
    assert run.limits == []


def test_a_launch_that_hydra_cannot_compose_counts_only_where_no_other_can_be(show: Show) -> None:
    files = {
        "train.py": shows("size"),
        "conf/config.yaml": "defaults:\n  - model: small\n  - _self_\nsize: 4\n",
        "conf/model/small.yaml": "dim: 16\n",
        "run.sh": "python train.py model=old size=1\n",
    }
    shown = show(files)
    assert (shown.plain(), shown.plain("run.sh: model=old size=1")) == ([4], [])
    (run,) = [run for run in shown.runs if run.launch.condition]
    assert [step.note for step in run.limits] == ["the configuration model/old is not in conf"]


def test_where_hydra_can_compose_no_launch_all_are_followed(show: Show) -> None:
    files = {
        "train.py": shows("size"),
        "conf/config.yaml": "defaults:\n  - model: gone\n  - _self_\nsize: 4\n",
        "conf/model/small.yaml": "dim: 16\n",
        "run.sh": "python train.py size=1\n",
    }
    shown = show(files)
    assert (shown.plain(), shown.plain("run.sh: size=1")) == ([4], [1])


def test_hydra_instantiates_positional_arguments_too(show: Show) -> None:
    files = {
        "parts.py": "class Part:\n    def __init__(self, size):\n        self.size = size\nclass All:\n    def __init__(self, *parts):\n        self.parts = parts\n",
        "train.py": "import hydra, sink\n@hydra.main(version_base=None, config_path='conf', config_name='config')\n"
        "def main(cfg):\n    sink.show(hydra.utils.instantiate(cfg.all).parts[1].size)\n"
        "    sink.show(hydra.utils.instantiate(cfg.all, _recursive_=False).parts[1].size)\n"
        "if __name__ == '__main__':\n    main()\n",
        "conf/config.yaml": "all:\n  _target_: parts.All\n  _args_:\n    - {_target_: parts.Part, size: 2}\n    - {_target_: parts.Part, size: 3}\n",
    }
    assert show(files).plain() == [3, 3]
    (made, _) = show({**files, "train.py": files["train.py"].replace(".parts[1].size", ".parts[1]")}).plain()
    assert made == "Part"


def test_hydra_compose_store_and_instantiate(show: Show) -> None:
    text = (
        "import hydra, sink\nfrom dataclasses import dataclass\nfrom hydra import compose, initialize\n"
        "from hydra.core.config_store import ConfigStore\n@dataclass\nclass Opt:\n    lr: float = 0.1\n"
        "ConfigStore.instance().store(group='opt', name='adam', node=Opt)\n"
        "class Loader:\n    def __init__(self, batch_size, inner=None):\n        sink.show(batch_size)\n        self.inner = inner\n"
        "with initialize(version_base=None, config_path='conf'):\n    cfg = compose(config_name='c', overrides=['data.batch_size=1'])\n"
        "sink.show(cfg.opt.lr)\nloader = hydra.utils.instantiate(cfg.data)\npartial = hydra.utils.instantiate(cfg.data, _partial_=True)\n"
        "partial(batch_size=3)" + TAIL
    )
    config = (
        "defaults:\n  - opt: adam\n  - _self_\ndata:\n  _target_: train.Loader\n  batch_size: 4\n"
        "  inner:\n    _target_: train.Loader\n    batch_size: 7\n"
    )
    assert show({"train.py": text, "conf/c.yaml": config}).plain() == [0.1, 7, 1, 7, 3]


RECIPE = """
seed: 10
__set_seed: !apply:torch.manual_seed [!ref <seed>]
lr: 1e-3
b: !ref <seed> * 2
c: !ref <lr> / 10
d: out/<seed>
e: !ref <d>/sub
f: !ref <g[h]>
g: {h: 7, j: !ref <seed> // 3}
m: (1, 2, 3)
o: !ref <b> + <c>
p: yes
q: 010
ab: !ref <seed>-<f>
ad: !ref -<f>
af: !copy <g>
aj: !ref (<seed> + 1) * 2
options:
    batch_size: !ref <b>
module: !new:pkg.Thing
    size: !ref <g[h]>
function: !name:pkg.scale
    by: !ref <seed>
again: !ref <module>
size: !ref <module.size>
sub: !include:sub.yaml
    k: !ref <seed>
"""


def test_hyperpyyaml(show: Show) -> None:
    text = (
        "import sink\nfrom hyperpyyaml import load_hyperpyyaml\nwith open('hparams/r.yaml') as f:\n    h = load_hyperpyyaml(f, {'lr': 0.5})\n"
        "sink.show(h['again'] is h['module'])\nsink.show(h['function'](3))\nsink.show(h['size'])\n"
        "for k in ('module', 'function', 'again', 'size'):\n    del h[k]\nsink.show(h)\nsink.show(h['options']['batch_size'])"
        + TAIL
    )
    files = {
        "train.py": text,
        "hparams/r.yaml": RECIPE,
        "hparams/sub.yaml": "k: 1\nl: !ref <k> + 1\n",
        "pkg.py": "class Thing:\n    def __init__(self, size):\n        self.size = size\ndef scale(x, by):\n    return x * by\n",
    }
    shown = show(files)
    same, scaled, size, recipe, batch = shown.plain()
    assert (same, scaled, size, batch) == (True, 30, 7, 20)
    assert recipe == {
        "seed": 10, "lr": 0.5, "b": 20, "c": 0.05, "d": "out/<seed>", "e": "out/10/sub", "f": 7, "g": {"h": 7, "j": 3}, "m": (1, 2, 3),
        "o": 20.05, "p": "yes", "q": 10, "ab": 3, "ad": "-7", "af": {"h": 7, "j": 3}, "aj": 22, "options": {"batch_size": 20},
        "sub": {"k": 10, "l": 11},
    }  # fmt: skip
    value = shown.values()[-1]
    assert isinstance(value, Const)
    assert [str(step.location) for step in value.trail[:3]] == [
        "hparams/r.yaml:2",
        "hparams/r.yaml:5",
        "hparams/r.yaml:20",
    ]
    seeds = [e for run in shown.runs for e in run.events if getattr(e, "callee", "") == "torch.manual_seed"]
    assert str(seeds[0].location) == "hparams/r.yaml:3"


def test_a_recipe_that_calls_by_the_tags_of_pyyaml(show: Show) -> None:
    text = (
        "import sink\nfrom hyperpyyaml import load_hyperpyyaml\nsink.show(load_hyperpyyaml(open('r.yaml'))['kept'])"
        + TAIL
    )
    recipe = "seed: 7\n__set_seed: !!python/object/apply:torch.manual_seed [!ref <seed>]\nkept: 1\n"
    shown = show({"train.py": text, "r.yaml": recipe})
    assert shown.plain() == [1]
    seeds = [e for run in shown.runs for e in run.events if getattr(e, "callee", "") == "torch.manual_seed"]
    assert [seed.arguments.positional[0].value for seed in seeds] == [7]


def test_a_recipe_of_speechbrain_as_a_library(show: Show) -> None:
    text = (
        "import sys, sink\nimport speechbrain as sb\nfrom hyperpyyaml import load_hyperpyyaml\n"
        "class Brain(sb.Brain):\n    def compute_forward(self, batch, stage):\n        sink.show(self.hparams.b)\n"
        "file, run_opts, overrides = sb.parse_arguments(sys.argv[1:])\nwith open(file) as f:\n    h = load_hyperpyyaml(f, overrides)\n"
        "brain = Brain(hparams=h, run_opts=run_opts)\nbrain.fit(h['n'], data, train_loader_kwargs={'batch_size': h['b']})"
        + TAIL
    )
    files = {
        "train.py": text,
        "hparams/train.yaml": "data: !PLACEHOLDER\nb: 4\nn: 3\n",
        "README.md": "`python train.py hparams/train.yaml --b 1 --data x`\n",
    }
    shown = show(files)
    assert shown.plain("README.md: hparams/train.yaml --b 1 --data x") == [1]
    loaders = [e for run in shown.runs for e in run.events if getattr(e, "callee", "").endswith("DataLoader")]
    assert [e.arguments.keywords["batch_size"].value for e in loaders] == [1]


def test_a_recipe_whose_document_leaves_the_file_open(show: Show) -> None:
    text = (
        "import sys, sink\nimport speechbrain as sb\nfrom hyperpyyaml import load_hyperpyyaml\n"
        "file, run_opts, overrides = sb.parse_arguments(sys.argv[1:])\nwith open(file) as f:\n    h = load_hyperpyyaml(f, overrides)\n"
        "sink.show((h['b'], h['data']))" + TAIL
    )
    files = {
        "train.py": text,
        "hparams/a.yaml": "data: !PLACEHOLDER\nb: 4\n",
        "hparams/b.yaml": "data: !PLACEHOLDER\nb: 8\n",
        "README.md": "`python train.py hparams/<model>.yaml --data x`\n",
    }
    shown = show(files)
    assert {each: shown.plain(each) for each in shown.conditions} == {
        "configuration hparams/a.yaml": [(4, "x")],
        "configuration hparams/b.yaml": [(8, "x")],
    }


def test_a_configuration_that_refers_to_itself_ends(show: Show) -> None:
    text = "import sink\nfrom hyperpyyaml import load_hyperpyyaml\nsink.show(load_hyperpyyaml(open('r.yaml')))" + TAIL
    recipe = "a: !ref <b>\nb: !ref <a>\nc: !include:r.yaml\nd: !ref <nothing[x]>\ne: &e [*e]\n"
    (found,) = show({"train.py": text, "r.yaml": recipe}).plain()
    assert found["a"] is Unknown and found["d"] is Unknown
    assert "a" in json.dumps(found, default=str)


def test_objects_inside_themselves_and_shared_a_billion_times_end(show: Show) -> None:
    bomb = "a: &a [1, 1, 1, 1, 1, 1, 1, 1, 1, 1]\n" + "".join(
        f"{y}: &{y} [{', '.join(['*' + x] * 10)}]\n" for x, y in zip("abcdefghij", "bcdefghijk", strict=True)
    )
    text = (
        "import copy, dataclasses, sink\nfrom omegaconf import OmegaConf\n@dataclasses.dataclass\nclass C:\n    x: int = 1\n"
        "c = C()\nc.me = c\nd = {}\nd['me'] = d\nsink.show(OmegaConf.create(d)['me'])\nbig = OmegaConf.load('bomb.yaml')\n"
        "sink.show(OmegaConf.merge(big, {'z': 1}).z)\ncopy.deepcopy(d)\nsink.show(dataclasses.asdict(c)['x'])" + TAIL
    )
    assert show({"train.py": text, "bomb.yaml": bomb}).plain() == [Unknown, 1, 1]


def test_a_composition_from_a_whole_path(show: Show) -> None:
    program = (
        "import sink\nfrom pathlib import Path\nfrom hydra import compose, initialize_config_dir\n"
        "folder = Path(__file__).resolve().parents[1] / 'configs'\n"
        "with initialize_config_dir(version_base=None, config_dir=str(folder)):\n    cfg = compose(config_name='c')\n"
        "sink.show(cfg.b)" + TAIL
    )
    shown = show({"tool/train.py": program, "configs/c.yaml": "b: 4\n"})
    assert shown.plain(entry="tool/train.py") == [4]


def test_a_main_function_that_names_a_whole_path(show: Show) -> None:
    program = (
        "import hydra, sink\nfrom pathlib import Path\nfolder = Path(__file__).resolve().parents[2] / 'src/conf'\n"
        "@hydra.main(version_base=None, config_path=str(folder), config_name='config')\n"
        "def main(cfg):\n    sink.show(cfg.b)\nmain()\n"
    )
    shown = show({"pipeline/train/exp.py": program, "src/conf/config.yaml": "b: 4\n"})
    assert shown.plain(entry="pipeline/train/exp.py") == [4]


@pytest.mark.parametrize(("local", "noted"), [("optional local", False), ("local", True)])
def test_only_a_missing_file_that_is_not_optional_is_noted(show: Show, local: str, noted: bool) -> None:
    text = (
        "import hydra, sink\n@hydra.main(config_path='conf', config_name='train')\n"
        "def main(cfg):\n    sink.show(cfg.data.b)\nif __name__ == '__main__':\n    main()\n"
    )
    files = {
        "train.py": text,
        "conf/train.yaml": f"defaults:\n  - data: some\n  - {local}: default\n",
        "conf/data/some.yaml": "b: 4\n",
    }
    shown = show(files)
    assert shown.plain() == [4]
    notes = [step.note for run in shown.runs for step in run.limits]
    assert any("local/default is not in conf" in note for note in notes) == noted
