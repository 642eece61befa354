"""Asteroid's command lines: sections of a file that the command line changes."""

from __future__ import annotations

from collections.abc import Callable

from tests.program.models.shown import Shown

RECIPE = """
import argparse, sink, yaml
from asteroid.utils import parse_args_as_dict, prepare_parser_from_dict

parser = argparse.ArgumentParser()
parser.add_argument("--exp_dir", default="exp/tmp")

def main(conf):
    sink.show((conf["training"]["size"], conf["training"]["half"], conf["optim"]["lr"], conf["main_args"]["exp_dir"]))

if __name__ == "__main__":
    with open("conf.yml") as file:
        settings = yaml.safe_load(file)
    arguments, plain = parse_args_as_dict(prepare_parser_from_dict(settings, parser=parser), return_plain_args=True)
    main(arguments)
    sink.show(plain.size)
"""
SETTINGS = "training:\n  size: 2\n  half: yes\noptim:\n  lr: null\n"


def test_the_settings_come_back_in_sections(show: Callable[..., Shown]) -> None:
    shown = show({"train.py": RECIPE, "conf.yml": SETTINGS})
    assert shown.plain() == [(2, True, None, "exp/tmp"), 2]


def test_the_command_line_changes_them_by_the_type_of_the_default(show: Callable[..., Shown]) -> None:
    started = "python train.py --size 8 --half no --lr 0.5 --exp_dir exp/a\n"
    shown = show({"train.py": RECIPE, "conf.yml": SETTINGS, "run.sh": started})
    (condition,) = (each for each in shown.conditions if each.startswith("run.sh"))
    assert shown.plain(condition) == [(8, False, 0.5, "exp/a"), 8]


def test_an_option_that_the_settings_do_not_have_is_not_made_up(show: Callable[..., Shown]) -> None:
    shown = show({"train.py": RECIPE, "conf.yml": "training:\n  size: 2\n"})
    assert shown.plain()[1] == 2
