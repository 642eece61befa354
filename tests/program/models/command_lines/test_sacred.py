"""Sacred: local variables of functions as configurations, parameters filled in by name, `with` on the command line."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from cmgan_audit.program.domain.values import Unknown
from cmgan_audit.program.execution.trace import CallEvent
from tests.program.models.shown import Shown

Show = Callable[..., Shown]

SCRIPT = """
import sink
import torch
from sacred import Experiment, Ingredient

data = Ingredient("data")
ex = Experiment("separation", ingredients=[data])


@data.config
def _():
    size = 2
    root = "corpus"


@ex.config
def first():
    batch_size = 8
    if torch.cuda.is_available():
        batch_size //= 2
    rate = 0.1
    model = {"width": 4, "depth": 2}


@ex.config
def second(batch_size):
    steps = batch_size * 10


@ex.named_config
def small():
    batch_size = 1
    rate = 0.5


@data.capture
def load(root, size, extra=0):
    sink.show((root, size, extra))


@ex.capture(prefix="model")
def build(width, depth):
    sink.show((width, depth))


@ex.command
def score(rate):
    sink.show(rate)


@ex.automain
def train(batch_size, steps, rate, _config):
    sink.show((batch_size, steps, rate, _config["rate"]))
    load(extra=3)
    build(depth=7)
"""


def launched(show: Show, words: str) -> Shown:
    return show({"train.py": SCRIPT, "run.sh": f"python train.py {words}\n"})


def test_the_main_function_gets_the_local_variables_of_the_configurations(show: Show) -> None:
    shown = show(SCRIPT.replace("    if torch.cuda.is_available():\n        batch_size //= 2\n", ""))
    assert shown.plain() == [(8, 80, 0.1, 0.1), ("corpus", 2, 3), (4, 7)]


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("with batch_size=3", [(3, 30, 0.1, 0.1), ("corpus", 2, 3), (4, 7)]),
        ("with small", [(1, 10, 0.5, 0.5), ("corpus", 2, 3), (4, 7)]),
        ("with small rate=2", [(1, 10, 2, 2), ("corpus", 2, 3), (4, 7)]),
        ("-u with data.size=5 model.width=6 batch_size=2", [(2, 20, 0.1, 0.1), ("corpus", 5, 3), (6, 7)]),
        ("score with rate=3", [3]),
    ],
)
def test_a_command_line_settles_what_it_names(show: Show, words: str, expected: list[object]) -> None:
    assert launched(show, words).plain(f"run.sh: {words}") == expected


def test_a_file_of_settings_is_added(show: Show) -> None:
    text = (
        "import sink\nfrom sacred import Experiment\nex = Experiment()\nex.add_config('base.yaml')\n"
        "ex.add_config({'b': 2})\nex.add_config(c=3)\n"
        "@ex.main\ndef main(a, b, c, d=4):\n    sink.show((a, b, c, d))\n"
        "if __name__ == '__main__':\n    ex.run(config_updates={'c': 5})\n    ex.run_commandline()\n"
    )
    shown = show(
        {"train.py": text, "base.yaml": "a: 1\n", "more.yaml": "b: 9\n", "run.sh": "python train.py with more.yaml"}
    )
    assert shown.plain() == [(1, 2, 5, 4), (1, 2, 3, 4)]
    assert shown.plain("run.sh: with more.yaml") == [(1, 2, 5, 4), (1, 9, 3, 4)]


def test_every_run_is_seeded_and_an_imported_experiment_does_not_start(show: Show) -> None:
    text = (
        "import sink\nfrom sacred import Experiment\nex = Experiment()\n"
        "@ex.automain\ndef main(seed=1):\n    sink.show(1)\n"
    )
    shown = show({"train.py": text, "other.py": "import sink\nimport train\nsink.show(2)\n"})
    assert shown.plain() == [1]
    assert shown.plain(entry="other.py") == [2]
    seeds = {event.callee for event in shown.runs[-1].events if isinstance(event, CallEvent) and "seed" in event.callee}
    assert seeds == {"random.seed", "numpy.random.seed", "torch.manual_seed"}


CLASSES = """
import sink
from sacred import Experiment
ex = Experiment()


@ex.config
def config():
    width = 4
    model = {"depth": 3}


class Network:
    @ex.capture
    def __init__(self, width, scale=1):
        self.size = width * scale

    @staticmethod
    @ex.capture(prefix="model")
    def depth(depth, _config):
        return depth, _config["depth"]


class Wide(Network):
    def __init__(self):
        super().__init__(scale=10)


@ex.capture
def outside(width=1):
    sink.show(width)


outside()


@ex.automain
def main(seed, _seed):
    sink.show((Network().size, Wide().size, Network(3).size, Network.depth()))
    outside()
    sink.show(seed)
"""


def test_methods_are_filled_in_too_and_a_call_before_the_run_gets_its_defaults(show: Show) -> None:
    shown = show(CLASSES)
    assert shown.plain() == [1, (4, 40, 3, (3, 3)), 4, Unknown]


SECTIONS = """
import sink
from sacred import Experiment
ex = Experiment()
ex.add_config({"net": {"width": 4, "depth": 1}})
@ex.config
def first():
    low, high = 1, 2
    rates = [low for low in (3, 4)]
    model = {"width": 4, "depth": 1}
    twice = model["width"] * 2
    both = low + high
@ex.config
def second(net, both):
    both = both + 100
    area = net["width"] * net["depth"]
@ex.named_config
def wide():
    model = {"width": 8}
    net = {"width": 8}
@ex.automain
def main(low, high, both, rates, model, twice, area):
    sink.show((low, high, both, rates, model, twice, area))
"""


@pytest.mark.parametrize("words", ["low=5 model.width=8 net.width=8", "wide low=5"])
def test_a_setting_given_stays_in_what_is_unpacked_and_in_what_is_computed_from_it(show: Show, words: str) -> None:
    shown = show({"train.py": SECTIONS, "run.sh": f"python train.py with {words}\n"})
    assert shown.plain(f"run.sh: with {words}") == [(5, 2, 107, [3, 4], {"width": 8, "depth": 1}, 16, 8)]
