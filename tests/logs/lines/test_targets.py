"""Each plan has the series of its own values."""

from __future__ import annotations

from cmgan_audit.logs.lines.plan import Plan, SlotValue
from cmgan_audit.logs.lines.targets import Targets
from cmgan_audit.logs.roles import RoleBook
from cmgan_audit.logs.runs import RunBuilder


def test_a_plan_that_is_gone_gives_its_series_to_no_other() -> None:
    builder, targets = RunBuilder("train.log"), Targets()
    role = RoleBook().of("pesq")
    assert role is not None
    for number in range(50):
        plan = Plan(1, values=[SlotValue(f"pesq {number}", role, (0,))])
        assert [series.name for series in targets.of(plan, builder)] == [f"pesq {number}"]
        del plan
