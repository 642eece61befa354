"""The series that the values of a shape go to, looked up once per run."""

from __future__ import annotations

from cmgan_audit.logs.lines.plan import Plan
from cmgan_audit.logs.runs import RunBuilder
from cmgan_audit.logs.series import EPOCH, Run, Series


class Targets:
    """Remembers the series of each plan whose values stand at epochs."""

    def __init__(self) -> None:
        # The plan is kept beside its series, so that no other one is taken for it once it is gone.
        self._known: dict[int, tuple[Plan, Run, list[Series]]] = {}

    def of(self, plan: Plan, builder: RunBuilder) -> list[Series]:
        """The series of a plan's values in the current run."""
        known = self._known.get(id(plan))
        if known is None or known[1] is not builder.run:
            series = [builder.series(value.name, value.role, EPOCH) for value in plan.values]
            known = self._known[id(plan)] = (plan, builder.run, series)
        return known[2]
