"""Ignite: one function in every process, with its share of the batch."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from cmgan_audit.program.domain.values import Symbol, options_of
from cmgan_audit.program.execution.trace import CallEvent
from tests.program.models.shown import Shown

Show = Callable[..., Shown]


def test_ignite_starts_the_function_of_every_process_with_its_share_of_the_batch(show: Show) -> None:
    text = (
        "import ignite.distributed as idist, sink\ndef training(rank, size):\n"
        "    loader = idist.auto_dataloader([1], batch_size=size, shuffle=True)\n    sink.show((rank, loader))\n"
        "with idist.Parallel(backend='nccl') as parallel:\n    parallel.run(training, 8)\n"
        "idist.spawn('nccl', training, args=(4,))\n"
    )
    shown = show(text)
    assert shown.plain() == [("local_rank", "torch.utils.data.DataLoader")] * 2
    made = [event.arguments.keywords["batch_size"] for run in shown.runs for event in run.events
            if isinstance(event, CallEvent) and event.callee == "torch.utils.data.DataLoader"]  # fmt: skip
    assert [(size.formula, size.at_one) for size in made if isinstance(size, Symbol)] == [
        ("8 // world_size", 8),
        ("4 // world_size", 4),
    ]


def test_each_size_that_a_batch_may_have_is_shared(show: Show) -> None:
    text = (
        "import ignite.distributed as idist, sink, torch\nsize = 8 if torch.cuda.is_available() else None\n"
        "sink.show(idist.auto_dataloader([1], batch_size=size))\n"
    )
    (run,) = show(text).runs
    (size,) = (event.arguments.keywords["batch_size"] for event in run.events
               if isinstance(event, CallEvent) and event.callee == "torch.utils.data.DataLoader")  # fmt: skip
    assert [getattr(option.value, "formula", None) for option in options_of(size)] == ["8 // world_size", None]


def test_what_is_attached_to_an_engine_runs_in_the_order_of_its_events(show: Show) -> None:
    text = (
        "import sink\nfrom ignite.engine import Engine, Events\nengine = Engine(lambda own, batch: sink.show('step'))\n"
        "@engine.on(Events.COMPLETED)\ndef over():\n    sink.show('over')\n"
        "engine.add_event_handler(Events.EPOCH_COMPLETED(every=2), lambda own, word: sink.show(word), 'epoch')\n"
        "class Log:\n    def batch(self):\n        sink.show('batch')\n"
        "engine.add_event_handler(Events.ITERATION_COMPLETED, Log().batch)\nengine.run([1], max_epochs=3)\n"
    )
    assert show(text).plain() == ["step", "batch", "epoch", "over"]


@pytest.mark.parametrize(
    ("handler", "given"),
    [
        ("lambda own, word: sink.show(word)", "word='word'"),
        ("lambda word: sink.show(word)", "'word'"),
        ("lambda word: sink.show(word)", "word='word'"),
        ("lambda *given: sink.show(given[1])", "'word'"),
    ],
)
def test_a_handler_gets_the_engine_where_it_has_a_parameter_for_it(show: Show, handler: str, given: str) -> None:
    text = (
        "import sink\nfrom ignite.engine import Engine, Events\nengine = Engine(lambda own, batch: None)\n"
        f"engine.add_event_handler(Events.STARTED, {handler}, {given})\n"
        f"engine.on(Events.EPOCH_STARTED, {given})({handler})\nengine.run([1])\n"
    )
    assert show(text).plain() == ["word", "word"]


def test_an_engine_may_be_attached_to_itself(show: Show) -> None:
    text = (
        "import sink\nfrom ignite.engine import Engine, Events\nengine = Engine(lambda own, batch: sink.show('step'))\n"
        "engine.add_event_handler(Events.COMPLETED, engine.run, [1])\nengine.run([1])\nengine.run([2])\n"
    )
    assert show(text).plain() == ["step", "step"]


@pytest.mark.parametrize(("given", "steps"), [("", True), (", gradient_accumulation_steps=4", False)])
def test_a_supervised_trainer_does_what_its_step_does(show: Show, given: str, steps: bool) -> None:
    text = (
        "import torch\nfrom ignite.engine import create_supervised_trainer\nnet = torch.nn.Linear(1, 1)\n"
        "optimizer = torch.optim.Adam(net.parameters())\n"
        f"create_supervised_trainer(net, optimizer, torch.nn.MSELoss(){given}).run([(1, 2)])\n"
    )
    (run,) = show(text).runs
    members = [event.callee.rpartition(".")[2] for event in run.events if isinstance(event, CallEvent)]
    assert [each in members for each in ("train", "backward")] == [True, True]
    assert [each in members for each in ("zero_grad", "step")] == [steps, steps]
