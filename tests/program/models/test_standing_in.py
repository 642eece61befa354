"""Files of settings that stand for one that is not there, and that are looked for where none is named."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from cmgan_audit.facts.audit import collect
from cmgan_audit.program.domain.values import Const, Unknown, options_of
from tests.program.models.shown import Shown

Show = Callable[..., Shown]
JSON = '{"lr": 0.001,\n "train": {\n  "batch_size": 1}}'
TAIL = "\nif __name__ == '__main__':\n    pass\n"


@pytest.mark.parametrize(
    ("asked", "there"),
    [
        ("conf/c.json", "conf/c_template.json"),  # copied before the first start
        ("c.json", "c.example.json"),
        ("c.json", "example-c.json"),
        ("/home/somebody/venv/configs/c.json", "c.json"),  # moved since it was read on that machine
        ("/home/somebody/venv/configs/c.json", "settings/c.json"),
    ],
)
def test_a_file_of_settings_that_stands_for_the_one_that_is_not_there(show: Show, asked: str, there: str) -> None:
    text = f"import json, sink\nsink.show(json.load(open({asked!r}))['train']['batch_size']){TAIL}"
    shown = show({"train.py": text, there: JSON})
    assert shown.plain() == [1]
    value = shown.values()[0]
    assert isinstance(value, Const)
    assert str(value.trail[0].location) == f"{there}:3"


@pytest.mark.parametrize(
    ("asked", "files"),
    [
        ("c.json", {"c_template.json": '["a.wav", "b.wav"]'}),  # a list of recordings is no settings
        ("c.json", {"c_template.json": JSON, "c_example.json": JSON}),
        ("c.json", {"other/c_template.json": JSON}),
        ("c.json", {"c_large.json": JSON}),
        ("c.json", {"c_dist.json": JSON}),  # distributed
        ("/opt/vocoder/config.json", {"tools/config.json": JSON}),  # every project has one
        ("/home/somebody/c/configs/c.json", {"a/c.json": JSON, "b/c.json": JSON}),
    ],
)
def test_a_file_that_does_not_stand_for_another(show: Show, asked: str, files: dict[str, str]) -> None:
    shown = show({"train.py": f"import json, sink\nsink.show(json.load(open({asked!r}))){TAIL}", **files})
    assert isinstance(shown.values()[0], Unknown)


@pytest.mark.parametrize(
    "text",
    [
        "kept = 8\nif os.path.exists('c.json'):\n    kept = json.load(open('c.json'))['size']",
        "json.dump({'size': 8}, open('c.json', 'w'))\nkept = json.load(open('c.json'))['size']",
    ],
)
def test_nothing_stands_for_a_file_that_the_program_does_without_or_writes(show: Show, text: str) -> None:
    text = f"import json, os, sink\n{text}\nsink.show(kept){TAIL}"
    shown = show({"train.py": text, "c_example.json": '{"size": 1}'})
    assert 1 not in [option.value.value for option in options_of(shown.values()[0]) if isinstance(option.value, Const)]


def test_a_configuration_that_must_be_named_is_tried_with_those_that_lie_near(show: Show) -> None:
    text = (
        "import argparse, yaml, sink\np = argparse.ArgumentParser()\np.add_argument('--config', required=True)\n"
        "sink.show(yaml.safe_load(open(p.parse_args().config))['b'])" + TAIL
    )
    shown = show({"train.py": text, "configs/a.yaml": "b: 1\n", "configs/b.yaml": "b: 4\n"})
    assert {c: shown.plain(c) for c in shown.conditions} == {
        "configuration configs/a.yaml": [1],
        "configuration configs/b.yaml": [4],
    }


def test_of_two_opened_files_none_is_guessed(show: Show) -> None:
    text = (
        "import json, sink\nfirst = open('a.json').readlines()\nlast = open('b.json').readlines()\n"
        "sink.show(json.loads(''.join(last)))" + TAIL
    )
    assert show({"train.py": text, "a.json": "{}", "b.json": "{}"}).plain() == [Unknown]


def test_a_path_that_goes_through_pathlib_is_still_asked_for(show: Show) -> None:
    text = (
        "import argparse, pathlib, sink, toml\np = argparse.ArgumentParser()\np.add_argument('-C', required=True)\n"
        "path = pathlib.Path(p.parse_args().C).expanduser().absolute()\nsink.show(toml.load(path.as_posix())['b'])"
        + TAIL
    )
    result = show({"train.py": text, "a.toml": "b = 4\n"})
    assert {each: result.plain(each) for each in result.conditions} == {"configuration a.toml": [4]}


def test_a_documented_positional_file_is_tried(show: Show) -> None:
    text = "import sink, sys, yaml\nsink.show((yaml.safe_load(open(sys.argv[1]))['b'], sys.argv[2]))" + TAIL
    result = show({"train.py": text, "a.yaml": "b: 4\n", "README.md": "    python train.py <config.yaml> fast\n"})
    assert {each: result.plain(each) for each in result.conditions} == {"configuration a.yaml": [(4, "fast")]}


def test_files_of_another_format_are_no_broken_ones(tmp_path: Path, show: Show) -> None:
    text = (
        "import argparse, json, sink\np = argparse.ArgumentParser()\np.add_argument('--config', required=True)\n"
        "sink.show(json.load(open(p.parse_args().config))['b'])" + TAIL
    )
    result = show({"train.py": text, "conf/a.yml": "b: 1\n", "conf/b.json": '{"b": 4}'})
    assert {each: result.plain(each) for each in result.conditions} == {"configuration conf/b.json": [4]}
    assert not collect(tmp_path).coverage.failed
