"""Ignite: one function in every process, with its share of the batch."""

from __future__ import annotations

from collections.abc import Callable

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
