"""What is only known at the end of a text log: which of the names that its lines gave are of one score."""

from __future__ import annotations

from cmgan_audit.logs.lines.hashes import HashedShapes
from cmgan_audit.logs.lines.improved import settle_improved
from cmgan_audit.logs.lines.phase_heads import PhaseHeads
from cmgan_audit.logs.lines.ranks import settle_ranks
from cmgan_audit.logs.lines.running_means import settle_running_means
from cmgan_audit.logs.lines.scales import settle_tops
from cmgan_audit.logs.selection.batches import settle_batches
from cmgan_audit.logs.series import Run


def settle(run: Run, shapes: HashedShapes, heads: PhaseHeads) -> None:
    """Settle the names of a run: each step takes those that the steps before have left."""
    shapes.settle(run)
    settle_ranks(run)
    settle_running_means(run)
    settle_tops(run)
    settle_improved(run)
    heads.settle(run)
    settle_batches(run)
