"""Configuration files: which file is read, what its values are, and that each starts at its place in the file."""

# ruff: noqa: E501 (a small program is easier to read on one line than folded)
from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from cmgan_audit.program.domain.values import Const, Unknown
from tests.program.models.shown import Shown

Show = Callable[..., Shown]
TAIL = "\nif __name__ == '__main__':\n    pass\n"
YAML = "lr: 1.0e-3\ntrain:\n  batch_size: 1\n"
JSON = '{"lr": 0.001,\n "train": {\n  "batch_size": 1}}'
TOML = "lr = 0.001\n[train]\nbatch_size = 1\n"
EXPECTED = {"lr": 0.001, "train": {"batch_size": 1}}


@pytest.mark.parametrize(
    ("name", "text", "load"),
    [
        ("c.yaml", YAML, "import yaml\nwith open('c.yaml') as f:\n    c = yaml.safe_load(f)"),
        ("c.yaml", YAML, "import yaml\nc = yaml.load(open('c.yaml', 'r'), Loader=yaml.FullLoader)"),
        ("c.yaml", YAML, "import yaml\nfrom pathlib import Path\nc = yaml.full_load(Path('c.yaml').read_text())"),
        ("c.yaml", YAML, "from ruamel.yaml import YAML\nc = YAML(typ='safe').load(open('c.yaml'))"),
        ("c.json", JSON, "import json\nwith open('c.json') as f:\n    data = f.read()\nc = json.loads(data)"),
        ("c.json", JSON, "import json, os\nc = json.load(open(os.path.join(os.path.dirname(__file__), 'c.json')))"),
        ("c.json", JSON, "import json\nfrom pathlib import Path\nc = json.loads((Path(__file__).resolve().parent / 'c.json').read_bytes())"),
        ("c.json", JSON, "import json\nfrom pathlib import Path\nwith (Path.cwd() / 'c.json').open() as f:\n    c = json.load(f)"),
        ("c.toml", TOML, "import toml\nc = toml.load('c.toml')"),
        ("c.toml", TOML, "import tomllib\nwith open('c.toml', 'rb') as f:\n    c = tomllib.load(f)"),
        ("c.toml", TOML, "import rtoml, pathlib\nc = rtoml.load(pathlib.Path('c.toml'))"),
        ("c.toml", TOML, "import tomli\nc = tomli.loads(open('c.toml').read())"),
        ("c.yaml", YAML, "from omegaconf import OmegaConf\nc = OmegaConf.load('c.yaml')"),
        ("c.yaml", YAML, "from omegaconf import OmegaConf\nc = OmegaConf.to_container(OmegaConf.load('c.yaml'), resolve=True)"),
        ("c.yaml", YAML, "from hyperpyyaml import load_hyperpyyaml\nwith open('c.yaml') as f:\n    c = load_hyperpyyaml(f)"),
        ("c.json", JSON, "import json, easydict\nc = easydict.EasyDict(json.load(open('c.json')))\nassert c.train"),
        ("c.yaml", YAML, "import yaml, copy\nc = copy.deepcopy(yaml.safe_load(open('/home/me/project/c.yaml'.split('/')[-1])))"),
    ],
)  # fmt: skip
def test_loaders(show: Show, name: str, text: str, load: str) -> None:
    shown = show(
        {"train.py": f"import sink\n{load}\nsink.show(c)\nsink.show(c['train']['batch_size']){TAIL}", name: text}
    )
    assert shown.plain() == [EXPECTED, 1]
    value = shown.values()[1]
    assert isinstance(value, Const)
    line = next(number for number, row in enumerate(text.split("\n"), 1) if "batch_size" in row)
    assert str(value.trail[0].location) == f"{name}:{line}"
    assert value.trail[0].note == f"train.batch_size is 1 in {name}"


@pytest.mark.parametrize(
    ("entry", "config", "path"),
    [
        ("train.py", "conf/c.yaml", "'conf/c.yaml'"),
        ("src/train.py", "src/conf/c.yaml", "'conf/c.yaml'"),
        ("src/train.py", "conf/c.yaml", "'conf/c.yaml'"),
        ("src/train.py", "conf/c.yaml", "'../conf/c.yaml'"),
        (
            "src/train.py",
            "conf/c.yaml",
            "os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), 'conf', 'c.yaml')",
        ),
        ("src/train.py", "conf/c.yaml", "pathlib.Path(__file__).parents[1] / 'conf' / 'c.yaml'"),
        ("src/train.py", "src/c.yaml", "os.path.join(pathlib.Path(__file__).parent, 'c.yaml')"),
        ("src/train.py", "src/c.yaml", "os.getcwd() + '/src/c.yaml'"),
        ("src/train.py", "src/conf/c.yaml", "'/home/someone/repo/src/conf/c.yaml'"),
        ("src/train.py", "src/c.yaml", "os.path.splitext('c.txt')[0] + '.yaml'"),
        ("src/train.py", "src/c.yaml", "pathlib.Path('src/c.json').with_suffix('.yaml')"),
    ],
)
def test_where_a_path_leads(show: Show, entry: str, config: str, path: str) -> None:
    text = f"import os, pathlib, yaml, sink\nwith open({path}) as f:\n    sink.show(yaml.safe_load(f)['b']){TAIL}"
    assert show({entry: text, config: "b: 1\n"}).plain(entry=entry) == [1]


def test_what_1e_3_is_depends_on_the_loader(show: Show) -> None:
    text = "import sink, yaml, re\nfrom omegaconf import OmegaConf\nsink.show(yaml.safe_load(open('c.yaml'))['lr'])\n"
    text += "sink.show(OmegaConf.load('c.yaml').lr)\nloader = yaml.SafeLoader\n"
    text += "loader.add_implicit_resolver('tag:yaml.org,2002:float', re.compile('x'), list('-+0123456789.'))\n"
    text += "sink.show(yaml.load(open('c.yaml'), Loader=loader)['lr'])" + TAIL
    assert show({"train.py": text, "c.yaml": "lr: 1e-3\n"}).plain() == ["1e-3", 0.001, 0.001]


def test_object_hooks_make_objects_of_dictionaries(show: Show) -> None:
    text = (
        "import json, sink\nfrom types import SimpleNamespace\n"
        "c = json.load(open('c.json'), object_hook=lambda d: SimpleNamespace(**d))\nsink.show(c.train.batch_size)"
        + TAIL
    )
    assert show({"train.py": text, "c.json": JSON}).plain() == [1]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("sink.show(json.load(open('missing.json')))", "missing.json is not in the tree"),
        (
            "import sys\nsink.show(json.load(open(sys.argv[1])))",
            "which file is read is not known: the word 1 of the command line",
        ),
        ("sink.show(json.load(open('broken.json'))['a'])", "broken.json: not valid JSON"),
        ("sink.show(json.loads(fetch()))", "the parser is not known"),
    ],
)
def test_what_is_not_known_says_why(show: Show, text: str, reason: str) -> None:
    program = f"import json, sink\nfrom lib import fetch\n{text}{TAIL}"
    shown = show({"train.py": program, **({"broken.json": '{"a": 1,\n'} if "broken" in text else {})})
    (value,) = shown.values(shown.conditions[0])
    assert isinstance(value, Unknown) and reason in value.reason


def test_ini_files(show: Show) -> None:
    ini = "[DEFAULT]\nroot = /data\n[train]\nbatch_size = 1\npath = %(root)s/x\nflag = yes\n"
    text = (
        "import configparser, sink\nc = configparser.ConfigParser()\nc.read('c.ini')\n"
        "sink.show((c.getint('train', 'batch_size'), c['train']['path'], c['train'].getboolean('flag'), "
        "c.getfloat('train', 'nothing', fallback=2.5), c.sections(), dict(c.items('train'))['root']))" + TAIL
    )
    shown = show({"train.py": text, "c.ini": ini})
    assert shown.plain() == [(1, "/data/x", True, 2.5, ["train"], "/data")]


def test_options_of_ini_files_in_any_spelling(show: Show) -> None:
    text = (
        "import configparser, sink\nc = configparser.ConfigParser()\nc.read('c.ini')\n"
        "before = (c['TRAIN']['BATCH_SIZE'], 'Batch_Size' in c['TRAIN'], c.has_option('TRAIN', 'BATCH_SIZE'))\n"
        "c['TRAIN']['Epochs'] = '3'\nc.set('TRAIN', 'Batch_Size', '8')\n"
        "sink.show((*before, c.has_option('TRAIN', 'lr'), c.has_section('TEST'), c['TRAIN']['EPOCHS'], "
        "c['TRAIN'].get('BATCH_SIZE')))" + TAIL
    )
    shown = show({"train.py": text, "c.ini": "[TRAIN]\nBATCH_SIZE = 1\n"})
    assert shown.plain() == [("1", True, True, False, False, "3", "8")]


@pytest.mark.parametrize(
    ("made", "shown"),
    [
        ("c.read_dict({'TRAIN': {'Batch_Size': '8'}})", (True, "8")),
        ("c.add_section('TRAIN')\nc.set('TRAIN', 'Batch_Size', '8')", (True, "8")),
        ("c['TRAIN'] = {'Batch_Size': '8'}", (True, "8")),
        ("c = configparser.ConfigParser({'Batch_Size': '8'})\nc.add_section('TRAIN')", (True, "8")),
        ("c.read('c.ini')\nc.remove_option('TRAIN', 'BATCH_SIZE')", (False, "1")),
        ("c.read('c.ini')\ndel c['TRAIN']['BATCH_SIZE']", (False, "1")),
        ("c.read('c.ini')\nc.remove_section('TRAIN')", (False, "1")),
    ],
)
def test_options_that_a_program_gives_and_takes(show: Show, made: str, shown: tuple[object, ...]) -> None:
    text = (
        f"import configparser, sink\nc = configparser.ConfigParser()\n{made}\n"
        "sink.show((c.has_option('TRAIN', 'batch_size'), c.get('TRAIN', 'BATCH_size', fallback='1')))" + TAIL
    )
    assert show({"train.py": text, "c.ini": "[TRAIN]\nBATCH_SIZE = 4\n"}).plain() == [shown]


def test_options_in_a_text_that_a_program_holds_are_open(show: Show) -> None:
    text = "import configparser, sink\nc = configparser.ConfigParser()\nc.read_string('[TRAIN]')\n"
    [shown] = show({"train.py": text + "sink.show(c.has_option('TRAIN', 'size'))" + TAIL}).plain()
    assert shown not in (True, False)


def test_options_of_a_parser_that_keeps_their_case(show: Show) -> None:
    text = (
        "import configparser, sink\nc = configparser.ConfigParser()\nc.optionxform = str\nc.read('c.ini')\n"
        "given = dict(c.items('TRAIN'))\n"
        "sink.show((given['Size'], 'size' in c['TRAIN'], c['TRAIN']['Size'], c.getint('TRAIN', 'SIZE')))" + TAIL
    )
    assert show({"train.py": text, "c.ini": "[TRAIN]\nSize = 4\nSIZE = 8\n"}).plain() == [("4", False, "4", 8)]


MAPPINGS = [
    "argparse.Namespace(**d)", "types.SimpleNamespace(**d)", "tensorflow.contrib.training.HParams(**d)", "easydict.EasyDict(d)", "box.Box(d)", "munch.Munch(d)",
    "munch.munchify(d)", "addict.Dict(d)", "dotmap.DotMap(d)", "ml_collections.ConfigDict(d)", "omegaconf.OmegaConf.create(d)",
    "yacs.config.CfgNode(d)",
]  # fmt: skip


@pytest.mark.parametrize("make", MAPPINGS)
def test_dictionaries_with_attributes(show: Show, make: str) -> None:
    text = (
        "import argparse, types, tensorflow, easydict, box, munch, addict, dotmap, ml_collections, omegaconf, yacs.config, sink\n"
        f"d = {{'batch_size': 8, 'n': {{'x': 1}}}}\nc = {make}\nc.batch_size //= 8\nsink.show(c.batch_size)\nc.new = 3\n"
        f"sink.show(c.new)\nsink.show(d['batch_size']){TAIL}"
    )
    assert show(text).plain() == [1, 3, 8]


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("int(os.environ.get('BATCH', 4))", 4),
        ("os.getenv('BATCH', '4')", "4"),
        ("os.environ['BATCH']", Unknown),
        ("torch.cuda.device_count()", "device_count"),
        ("8 // dist.get_world_size()", "8 // world_size"),
        ("functools.partial(f, b=1)(c=2)", (1, 2)),
        ("operator.methodcaller('split', 'b', maxsplit=1)('abcb')", ["a", "cb"]),
        ("functools.partial(functools.partial(f, 3), c=4)()", (3, 4)),
        ("importlib.import_module('pkg.settings').BATCH", 1),
        ("getattr(importlib.import_module('.settings', 'pkg'), 'BATCH')", 1),
        ("dataclasses.asdict(C(b=2))", {"a": 1, "b": 2}),
        ("dataclasses.replace(C(), b=7).b", 7),
        ("copy.deepcopy({'a': [1, {'b': 2}]})", {"a": [1, {"b": 2}]}),
        ("ast.literal_eval('[1, 2]')", [1, 2]),
        ("json.loads('{\"a\": 1}')", {"a": 1}),
        ("yaml.safe_load('a: 1')", {"a": 1}),
    ],
)
def test_parts_of_python(show: Show, expression: str, expected: Any) -> None:
    text = (
        "import ast, copy, dataclasses, functools, importlib, json, operator, os, torch, yaml, sink\nimport torch.distributed as dist\n"
        "@dataclasses.dataclass\nclass C:\n    a: int = 1\n    b: int = 1\ndef f(b, c):\n    return (b, c)\n"
        f"sink.show({expression}){TAIL}"
    )
    assert show({"train.py": text, "pkg/__init__.py": "", "pkg/settings.py": "BATCH = 1\n"}).plain() == [expected]


def test_a_class_of_the_tree_that_reads_ini_files(show: Show) -> None:
    text = (
        "from configparser import ConfigParser\nimport sink\n"
        "class Settings(ConfigParser):\n    def __init__(self, defaults=None):\n"
        "        ConfigParser.__init__(self, defaults=None)\n    def optionxform(self, name):\n        return name\n"
        "c = Settings()\nc.read('c.ini')\nsink.show((c.getint('Train', 'Size'), c.getboolean('Train', 'flag')))" + TAIL
    )
    assert show({"train.py": text, "c.ini": "[Train]\nSize = 4\nflag = no\n"}).plain() == [(4, False)]


FILE_OPTIONS = {
    "jsonargparse": "action=jsonargparse.ActionConfigFile",
    "yamlargparse": "action=yamlargparse.ActionConfigFile",
    "configargparse": "is_config_file=True",
}


@pytest.mark.parametrize("library", FILE_OPTIONS)
@pytest.mark.parametrize(
    ("words", "shown"),
    [
        ("--config c.yaml", (2, 0.5, 7, "a")),
        ("--config c.yaml --batch-size 6", (6, 0.5, 7, "a")),
        ("--batch-size 6 --lr 1", (6, 1.0, 7, None)),
    ],
)
def test_a_file_of_option_values(show: Show, library: str, words: str, shown: tuple[object, ...]) -> None:
    text = (
        f"import {library}, sink\np = {library}.ArgumentParser()\n"
        f"p.add_argument('--config', {FILE_OPTIONS[library]})\n"
        "p.add_argument('--batch-size', dest='batch_size', type=int)\np.add_argument('--lr', type=float)\n"
        "p.add_argument('--seed', type=int, default=7)\np.add_argument('--name')\na = p.parse_args()\n"
        "sink.show((a.batch_size, a.lr, a.seed, a.name))" + TAIL
    )
    files = {"train.py": text, "c.yaml": "batch_size: 2\nlr: '0.5'\nname: a\n", "run.sh": f"python train.py {words}\n"}
    result = show(files)
    assert result.plain(next(each for each in result.conditions if each.startswith("run.sh"))) == [shown]


def test_a_file_of_option_values_that_nothing_names_is_looked_for(show: Show) -> None:
    text = (
        "import jsonargparse, sink\np = jsonargparse.ArgumentParser()\n"
        "p.add_argument('--config', action=jsonargparse.ActionConfigFile)\np.add_argument('--size', type=int)\n"
        "sink.show(p.parse_args().size)" + TAIL
    )
    result = show({"train.py": text, "conf/a.yaml": "size: 2\n", "conf/b.yaml": "size: 8\n"})
    assert {each: result.plain(each) for each in result.conditions} == {
        "configuration conf/a.yaml": [2],
        "configuration conf/b.yaml": [8],
    }


def test_a_command_that_leaves_its_file_open_keeps_its_other_words(show: Show) -> None:
    text = (
        "import argparse, yaml, sink\np = argparse.ArgumentParser()\np.add_argument('-c', '--config', required=True)\n"
        "p.add_argument('-n', '--name', required=True)\np.add_argument('--size', type=int, default=1)\n"
        "a = p.parse_args()\nsink.show((yaml.safe_load(open(a.config))['b'], a.size))" + TAIL
    )
    readme = "```\npython train.py -c [config file] -n [name of the run] --size 3\n```\n"
    result = show({"train.py": text, "config/a.yaml": "b: 1\n", "config/b.yaml": "b: 4\n", "README.md": readme})
    assert {each: result.plain(each) for each in result.conditions} == {
        "configuration config/a.yaml": [(1, 3)],
        "configuration config/b.yaml": [(4, 3)],
    }


def test_all_documents_of_a_yaml_file(show: Show) -> None:
    text = (
        "import yaml, sink\nheld = {}\nfor document in yaml.load_all(open('c.yaml'), Loader=yaml.Loader):\n"
        "    for key, value in document.items():\n        held[key] = value\n"
        "sink.show((held['train']['b'], held['data']['root']))" + TAIL
    )
    shown = show({"train.py": text, "c.yaml": "train:\n  b: 4\n---\ndata:\n  root: x\n---\n"})
    assert shown.plain() == [(4, "x")]


@pytest.mark.parametrize(
    "check",
    [
        "assert c['root'] != '', 'fill in root'",
        "if c['root'] == '':\n    raise ValueError('fill in root')",
        "if not c['root']:\n    print('fill in root')\n    raise Exception('no root')",
    ],
)
def test_what_has_to_be_filled_in_does_not_hide_the_rest(show: Show, check: str) -> None:
    text = f"import yaml, sink\nc = yaml.safe_load(open('c.yaml'))\n{check}\nsink.show(c['b'])" + TAIL
    result = show({"train.py": text, "c.yaml": "root: ''\nb: 4\n"})
    assert result.plain() == [4]
    assert "as if the check had passed" in result.runs[0].limits[0].note


def test_a_path_that_always_raises_is_not_taken(show: Show) -> None:
    text = (
        "import sink, sys\nmode = sys.argv[1]\nif mode == 'a':\n    size = 2\nelse:\n    raise ValueError(mode)\n"
        "sink.show(size)" + TAIL
    )
    assert show({"train.py": text}).plain() == [2]


STRIPPED = [
    "text = ''\nwith open('c.json') as f:\n    for line in f:\n        text += line.split('//')[0] + '\\n'\n",
    "text = ''.join(line.split('//')[0] for line in open('c.json').readlines())\n",
    "import re\ntext = re.sub(r'//.*', '', open('c.json').read())\n",
]


@pytest.mark.parametrize("strip", STRIPPED)
def test_a_json_file_whose_comments_are_taken_out_first(show: Show, strip: str) -> None:
    text = (
        f"import json, sink\ndef load():\n{indented(strip)}    return json.loads(text)\nsink.show(load()['b'])" + TAIL
    )
    assert show({"train.py": text, "c.json": '{\n "a": 1, // one\n "b": 4 // items\n}\n'}).plain() == [4]


def indented(text: str) -> str:
    return "".join(f"    {line}\n" for line in text.splitlines())


@pytest.mark.parametrize(
    "again",
    [
        "json.loads(json.dumps(c))['batch_size']",
        "json.loads(json.dumps(c), object_hook=lambda d: types.SimpleNamespace(**d)).batch_size",
        "yaml.safe_load(yaml.dump(c, sort_keys=False))['batch_size']",
        "OmegaConf.create(OmegaConf.to_yaml(OmegaConf.create(c))).batch_size",
        "OmegaConf.structured(OmegaConf.to_yaml(c)).batch_size",
    ],
)
def test_settings_that_are_written_as_a_text_and_read_again(show: Callable[..., Shown], again: str) -> None:
    text = "import json, types, yaml, sink\nfrom omegaconf import OmegaConf\nc = {'batch_size': 3}\n"
    assert show(f"{text}a = {again}\nc['batch_size'] = 4\nsink.show(a)\n").plain() == [3]
