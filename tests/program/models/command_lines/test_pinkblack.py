"""PinkBlack: the dictionary that is handed to `setup` becomes options."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from cmgan_audit.program.domain.values import Unknown
from tests.program.models.shown import Shown

Show = Callable[..., Shown]
TRAIN = """
import sink
import PinkBlack.io
args = PinkBlack.io.{call}dict(batch=12, lr=0.01, Name="adam", amp=False, log=True))
sink.show((args.batch, args.lr, args.name, args.amp, args.log, args.gpu))
"""


@pytest.mark.parametrize("call", ["setup(default_args=", "setup(False, False, ", "get_args("])
def test_defaults_become_options(show: Show, call: str) -> None:
    words = "--batch 2 --name sgd --amp --log"
    shown = show({"train.py": TRAIN.format(call=call), "run.sh": f"python train.py {words}\n"})
    assert shown.plain() == [(12, 0.01, "adam", False, True, None)]
    assert shown.plain(f"run.sh: {words}") == [(2, 0.01, "sgd", True, False, None)]


def test_defaults_that_are_not_all_known_leave_further_options_open(show: Show) -> None:
    given = "{**lab.defaults(), 'batch': 12}"
    text = f"import sink, lab, PinkBlack.io\nargs = PinkBlack.io.setup(default_args={given})\n"
    shown = show({"train.py": text + "sink.show(args.batch)\nsink.show(args.lr)\n"}).plain()
    assert shown == [12, Unknown]
