"""yacs: a file or another node that is merged takes the place of the defaults; what it leaves out stays."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from cmgan_audit.program.domain.values import Const, DictValue
from tests.program.models.shown import Shown

Show = Callable[..., Shown]
FILE = "TRAIN:\n  BATCH: 1\n  NEW: 3\n"
DEFAULTS = """
import sink
import yaml
from yacs.config import CfgNode as CN
cfg = CN(new_allowed=True)
cfg.TRAIN = CN()
cfg.TRAIN.BATCH = 16
cfg.TRAIN.RATE = 0.001
section = cfg.TRAIN
"""
TAIL = "\nsink.show(cfg)\nsink.show(section.BATCH)\n"


@pytest.mark.parametrize(
    "merge",
    [
        "cfg.merge_from_file('c.yaml')",
        "cfg.defrost()\ncfg.merge_from_file(cfg_filename='c.yaml')\ncfg.freeze()",
        "cfg.merge_from_other_cfg(CN.load_cfg(open('c.yaml')))",
        "with open('c.yaml') as f:\n    cfg.merge_from_other_cfg(CN(yaml.safe_load(f)))",
    ],
)
def test_what_is_merged_takes_the_place_of_the_defaults(show: Show, merge: str) -> None:
    shown = show({"train.py": DEFAULTS + merge + TAIL, "c.yaml": FILE})
    assert shown.plain() == [{"TRAIN": {"BATCH": 1, "RATE": 0.001, "NEW": 3}}, 1]
    batch = shown.values()[1]
    assert isinstance(batch, Const)
    assert str(batch.trail[0].location) == "c.yaml:2"


def test_a_copy_keeps_the_defaults(show: Show) -> None:
    body = "own = cfg.clone()\nown.merge_from_file('c.yaml')\nsink.show(own.TRAIN.BATCH)"
    assert show({"train.py": DEFAULTS + body + TAIL, "c.yaml": FILE}).plain()[0] == 1
    assert show({"train.py": DEFAULTS + body + TAIL, "c.yaml": FILE}).plain()[2] == 16


def test_a_file_that_is_not_there_leaves_the_node_open(show: Show) -> None:
    whole = show({"train.py": DEFAULTS + "cfg.merge_from_file('missing.yaml')" + TAIL}).values()[0]
    assert isinstance(whole, DictValue)
    assert not whole.complete


def test_words_of_a_list_are_read_as_literals(show: Show) -> None:
    body = "cfg.merge_from_list(['TRAIN.BATCH', '4', 'TRAIN.RATE', '1e-4', 'TRAIN.NAME', 'large'])"
    assert show({"train.py": DEFAULTS + body + TAIL}).plain()[0] == {
        "TRAIN": {"BATCH": 4, "RATE": 1e-4, "NAME": "large"}
    }


def test_a_node_that_holds_itself_is_merged_once(show: Show) -> None:
    body = "cfg.TRAIN.ALL = cfg\ncfg.merge_from_other_cfg(cfg)\n"
    assert show({"train.py": DEFAULTS + body + "sink.show(cfg.TRAIN.BATCH)"}).plain() == [16]
