"""What counts as an optimiser, a scheduler or a scaler: libraries' objects, and those of classes of the tree."""

from __future__ import annotations

from pathlib import Path

import pytest

from cmgan_audit.facts.optimisers import is_called_scheduler, is_optimiser, is_scaler, is_scheduler, is_stateful
from cmgan_audit.program.domain.values import Instance
from cmgan_audit.program.execution.trace import CallEvent
from cmgan_audit.program.launches.runs import execute
from cmgan_audit.source.tree import SourceTree

PROGRAM = """
import apex, sink, timm, torch, transformers
from torch.optim.lr_scheduler import _LRScheduler
class Warm(_LRScheduler):
    pass
class NoamScheduler:
    pass
class Careful(torch.optim.AdamW):
    pass
sink.show({made})
for batch in torch.utils.data.DataLoader([]):
    batch.backward()
"""


def made(tmp_path: Path, expression: str) -> Instance:
    (tmp_path / "train.py").write_text(PROGRAM.format(made=expression), encoding="utf-8")
    (run,) = execute(SourceTree(tmp_path))
    (shown,) = [e for e in run.events if isinstance(e, CallEvent) and e.callee == "sink.show"]
    value = shown.arguments.positional[0]
    assert isinstance(value, Instance)
    return value


@pytest.mark.parametrize(
    ("expression", "kinds"),
    [
        ("torch.optim.Adam([])", {"optimiser", "stateful"}),
        ("apex.optimizers.FusedLAMB([])", {"optimiser", "stateful"}),
        ("transformers.AdamW([])", {"optimiser", "stateful"}),
        ("Careful([])", {"optimiser", "stateful"}),
        ("torch.optim.lr_scheduler.StepLR(None, 3)", {"scheduler", "called", "stateful"}),
        ("transformers.get_linear_schedule_with_warmup(None)", {"scheduler", "called", "stateful"}),
        ("Warm(None)", {"scheduler", "called", "stateful"}),
        ("NoamScheduler()", {"called"}),
        ("timm.scheduler.create_scheduler(None)", {"called"}),
        ("torch.cuda.amp.GradScaler()", {"scaler", "stateful"}),
        ("torch.nn.Linear(1, 1)", set()),
    ],
)
def test_what_an_object_is(tmp_path: Path, expression: str, kinds: set[str]):
    value = made(tmp_path, expression)
    found = {
        "optimiser": is_optimiser(value),
        "scheduler": is_scheduler(value),
        "called": is_called_scheduler(value),
        "scaler": is_scaler(value),
        "stateful": is_stateful(value),
    }
    assert {name for name, is_one in found.items() if is_one} == kinds
