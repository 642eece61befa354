"""Lines that say that a score did not improve, and not the score: at which epochs or steps they stand."""

from __future__ import annotations

from collections.abc import Sequence

from cmgan_audit.logs.lines.plan import Plan
from cmgan_audit.logs.lines.tokens import counter
from cmgan_audit.logs.runs import RunBuilder, natural_x


def note_no_better(builder: RunBuilder, plan: Plan, numbers: Sequence[bytes], count: int) -> None:
    """Keep where lines of one shape stand: at their own epochs or steps, else at those that the log is at.

    Args:
        builder: has read the lines.
        plan: of the shape.
        numbers: of all the lines.
        count: of the lines.
    """
    for i in range(count):
        row = list(numbers[i * plan.slots : (i + 1) * plan.slots])
        epoch = plan.fixed_epoch if plan.epoch is None else float(row[plan.epoch])
        step = None if plan.step is None else counter(row[plan.step : plan.step + plan.step_slots])
        builder.run.unsaid.add(natural_x(builder, epoch, step, 0))
