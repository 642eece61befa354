"""CMG601: a setting that makes training go on from a checkpoint is off in what is shipped."""

from __future__ import annotations

from cmgan_audit.fixes.case import Case, Repair
from cmgan_audit.fixes.values import switch_off


def resume_when_asked(case: Case) -> Repair:
    """Switch the setting off where it is set; a checkpoint that is looked for without a setting is not touched."""
    return Repair("switch resuming off; who wants it asks for it", (switch_off(case.sources, case.place),))
