"""The fast way through a long log: thousands of lines of one shape and one epoch, of which only a few are kept.

Once all series of a shape are thinned, most of its lines are only counted. One expression, made from the shape, jumps
over the lines that stay in the same epoch; every `stride`-th of them is read.
"""

from __future__ import annotations

import re

from cmgan_audit.logs.lines.plan import Plan
from cmgan_audit.logs.runs import RunBuilder
from cmgan_audit.logs.series import EPOCH

_NUMBER = rb"[0-9]++(?:\.[0-9]*+)?+(?:[eE][-+]?[0-9]++)?+"
# Jumping pays when a run is long and most of it is skipped.
SHORTEST = 4096
LEAST_STRIDE = 4


def is_thinned(plan: Plan, builder: RunBuilder) -> bool:
    """Whether most lines of this shape would only be counted."""
    if not plan.simple or plan.unnamed or plan.epoch is None or not plan.drives or plan.of_hash or plan.tag:
        return False
    series = [builder.series(value.name, value.role, EPOCH) for value in plan.values]
    return bool(series) and min(one.stride for one in series) >= LEAST_STRIDE


class SteadyShape:
    """Matches consecutive lines of one shape that share the epoch and the rank of the first."""

    def __init__(self, shape: bytes, plan: Plan) -> None:
        self.plan = plan
        words = shape.split(b"\0")
        held = {plan.epoch: b"epoch", plan.rank: b"rank"}
        first, rest = re.escape(words[0]), re.escape(words[0])
        for slot, word in enumerate(words[1:]):
            name = held.get(slot)
            first += (b"(?P<" + name + b">" + _NUMBER + b")" if name else _NUMBER) + re.escape(word)
            rest += (b"(?P=" + name + b")" if name else _NUMBER) + re.escape(word)
        self._run = re.compile(first + rb"\n(?>" + rest + rb"\n)*+")

    def end(self, block: bytes, position: int) -> int:
        """Where the run that begins at a line's start ends; the position itself when there is none worth jumping."""
        found = self._run.match(block, position)
        if found is None or found.end() - position < SHORTEST:
            return position
        return found.end()
