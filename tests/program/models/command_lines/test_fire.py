"""Fire: the functions of a file, words beside flags, defaults that a launch may override."""

# ruff: noqa: E501 (a small program is easier to read on one line than folded)
from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.program.models.shown import Shown

Show = Callable[..., Shown]
MAIN = "if __name__ == '__main__':\n    "


def test_fire_without_a_component_offers_the_functions_of_its_file(show: Show) -> None:
    text = (
        "import fire, sink\ndef build(size=1):\n    sink.show(('built', size))\n"
        "def train(batch_size=2):\n    build(batch_size)\ndef score(batch_size=3):\n    sink.show(('scored', batch_size))\n"
        + MAIN + "fire.Fire()\n"
    )  # fmt: skip
    assert show(text).plain() == [("built", 2), ("scored", 3)]
    shown = show({"train.py": text, "run.sh": "python train.py train --batch_size 8\n"})
    assert shown.plain("run.sh: train --batch_size 8") == [("built", 8)]


def test_words_that_fire_is_given_fill_what_its_flags_leave(show: Show) -> None:
    text = "import fire, sink\ndef train(config='c.yaml', name='x', **kw):\n    sink.show((config, name, kw))\n" + MAIN
    files = {"train.py": text + "fire.Fire(train)\n", "run.sh": "python train.py --config a.yaml b --lr 1 ${more:+c}\n"}
    shown = show(files)
    assert shown.plain(shown.conditions[-1]) == [("a.yaml", "b", {"lr": 1})]
    held = "import fire, sink\nclass Job:\n    def __init__(self, root='r'):\n        self.root = root\n    def train(self, batch_size=1):\n        sink.show((self.root, batch_size))\n"
    files = {"train.py": held + MAIN + "fire.Fire(Job)\n", "run.sh": "python train.py train --root d --batch_size 8\n"}
    assert show(files).plain("run.sh: train --root d --batch_size 8") == [("d", 8)]


@pytest.mark.parametrize(
    ("words", "given"),
    [
        ("--shuffle False 4", (4, False, [])),
        ("--shuffle False 4 a b", (4, False, ["a", "b"])),
        ("4 False a", (4, False, ["a"])),
    ],
)
def test_words_that_fire_is_given_fill_parameters_before_the_rest(show: Show, words: str, given: object) -> None:
    text = (
        "import fire, sink\ndef train(size, shuffle=True, *rest):\n    sink.show((size, shuffle, list(rest)))\n" + MAIN
    )
    shown = show({"train.py": text + "fire.Fire(train)\n", "run.sh": f"python train.py {words}\n"})
    assert shown.plain(f"run.sh: {words}") == [given]


@pytest.mark.parametrize("start", ["fire.Fire(train)", "typer.run(train)"])
def test_a_default_path_of_fire_and_typer_is_another_file_where_the_tree_does_not_have_it(
    show: Show, start: str
) -> None:
    text = (
        "import fire, sink, typer, yaml\ndef train(config: str = 'conf/config.yaml'):\n"
        "    sink.show(yaml.safe_load(open(config))['batch_size'])\n" + MAIN + f"{start}\n"
    )
    shown = show({"train.py": text, "recipes/mix/confs/base.yaml": "batch_size: 6\n"})
    assert shown.conditions == ["configuration recipes/mix/confs/base.yaml"]
    assert shown.plain(shown.conditions[0]) == [6]
