"""The same message from another handler or process: the words and numbers of a line just before, said once more."""

from __future__ import annotations

from collections.abc import Sequence

from cmgan_audit.lazy_dataclasses import dataclass
from cmgan_audit.logs.lines.plan import Plan

# Two handlers print one message on neighbouring lines; farther apart it is said again on purpose.
_DISTANCE = 4


@dataclass(slots=True)
class _Seen:
    """A line that was read, and the epoch that the log was at."""

    plan: Plan
    row: list[bytes]
    line: int
    epoch: float | None

    def body(self) -> list[bytes]:
        """The numbers behind the logger's prefix."""
        return self.row[self.plan.body_slot :]


class Echoes:
    """Remembers the last line of every message."""

    def __init__(self) -> None:
        self._recent: dict[str, _Seen] = {}

    def last_of(self, plan: Plan) -> Sequence[bytes] | None:
        """The numbers of the line before of this shape; None where the message was last said in another one."""
        before = self._recent.get(plan.key)
        return before.row if before is not None and before.plan is plan else None

    def remember(self, plan: Plan, row: list[bytes], line: int, epoch: float | None) -> None:
        """A line was read, and is no echo."""
        self._recent[plan.key] = _Seen(plan, row, line, epoch)

    def says_again(self, plan: Plan, row: Sequence[bytes], line: int) -> bool:
        """Whether a line just before said the same numbers in the same words."""
        before = self._recent.get(plan.key)
        return before is not None and line - before.line <= _DISTANCE and before.body() == row[plan.body_slot :]

    def is_echo(self, plan: Plan, row: list[bytes], line: int, epoch: float | None) -> bool:
        """Whether another handler printed this message just before: the same words and numbers behind another prefix.

        Behind the same prefix the message must say by a step, a metric's epoch or a time that it is the same moment;
        two equal losses in a row are two values.
        """
        before = self._recent.get(plan.key)
        now = _Seen(plan, row, line, epoch)
        if before is None or line - before.line > _DISTANCE or before.body() != row[plan.body_slot :]:
            self._recent[plan.key] = now
            return False
        if before.plan is not plan:
            return plan.epoch is not None or before.epoch == epoch
        has_metric = plan.epoch is not None and any(value.role.kind == "metric" for value in plan.values)
        echo = plan.step is not None or has_metric or (plan.body_slot > 0 and before.row == row)
        self._recent[plan.key] = now
        return echo
