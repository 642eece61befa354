"""What a line of a text log says: its words are its shape, its numbers fill the slots of the shape.

`Epoch 3 | PESQ: 2.51` and `Epoch 4 | PESQ: 2.48` have one shape, `Epoch _ | PESQ: _`. A shape is understood once, into
a plan: which slot is the epoch, which slot is the PESQ, which slots are a date. Reading a log is then slicing columns
of numbers, however long it is. In a shape a slot is the character NUL.
"""

from __future__ import annotations

from cmgan_audit.logs.lines.crossing import tag_of
from cmgan_audit.logs.lines.events import (
    begins_process,
    epoch_of_checkpoint,
    is_of_one_item,
    says_from_where,
    says_no_better,
    says_over,
)
from cmgan_audit.logs.lines.labelled import LabelledLine
from cmgan_audit.logs.lines.list_shapes import rest_of_list
from cmgan_audit.logs.lines.named_checkpoints import named_checkpoint
from cmgan_audit.logs.lines.other_epochs import with_values
from cmgan_audit.logs.lines.phase_columns import cells_of, head_of, row_name_of, with_sign_between
from cmgan_audit.logs.lines.phase_heads import announced_phase
from cmgan_audit.logs.lines.plan import Plan, SlotArray
from cmgan_audit.logs.lines.prefixes import SLOT, USED, body_start, without_moments
from cmgan_audit.logs.lines.scales import without_ranges
from cmgan_audit.logs.lines.silent import says_nothing_known
from cmgan_audit.logs.lines.tables import cells_of_row, columns_of
from cmgan_audit.logs.lines.value_first import names_first
from cmgan_audit.logs.local_words import in_english
from cmgan_audit.logs.roles import RoleBook


def understand(shape: str, book: RoleBook) -> Plan:
    """Make the plan of a shape."""
    plan = _plan(in_english(shape), book)
    plan.settle()
    return plan


def _plan(shape: str, book: RoleBook) -> Plan:
    plan = Plan(shape.count(SLOT))
    masked = without_moments(shape)
    start = body_start(masked)
    masked = names_first(without_ranges(with_sign_between(masked, start), start), start)
    plan.body = masked[start:].strip()
    plan.key = plan.body.lstrip(":;|-)]> \t")
    plan.body_slot = sum(masked.count(c, 0, start) for c in (SLOT, USED))
    line = LabelledLine(plan, masked, start, book)
    plan.row = cells_of_row(shape[start:], plan.body_slot)
    if rest := rest_of_list(masked, start):
        plan.rest = SlotArray("", line.in_slots(rest), open="]" not in plan.body)
        return plan
    if not any(c.isalpha() for c in masked):
        return plan
    plan.checkpoint = named_checkpoint(masked, 0, line.slot_of.__getitem__)
    if not any(c.isalpha() for c in plan.body):
        return plan
    plan.ends = says_over(plan.body)
    if begins_process(plan.body):
        plan.process = True
        return plan
    if is_of_one_item(masked) or is_of_one_item(plan.body):
        plan.per_item = bool(plan.slots)
        return plan
    if plan.slots and not book.gives_roles and says_nothing_known(plan.body):
        return plan
    line.read()
    if plan.other_epoch is not None:
        plan.other_epoch = with_values(plan, plan.other_epoch.slot, masked)
    plan.from_checkpoint = plan.surely and says_from_where(plan.body)
    if plan.from_checkpoint and (at := epoch_of_checkpoint(masked, start)) is not None:
        plan.epoch = line.slot_of[at]
    plan.tag = tag_of(plan.body) if plan.epoch is not None and plan.values else ""
    plan.no_better = says_no_better(plan.body) and not any(value.role.kind == "metric" for value in plan.values)
    if not plan.slots:
        plan.columns = head_of(plan.body)
        plan.head = () if plan.columns else columns_of(plan.body)
    elif len(plan.values) <= 1 and plan.epoch is None and plan.step is None:
        cells = cells_of(masked, start, plan.body_slot)
        plan.row_of = (plan.values[0] if plan.values else line.first_of_row(cells)) if cells else None
        plan.row_name = row_name_of(plan.body) if cells and plan.row_of is None else ""
        plan.cells = cells if plan.row_of is not None or plan.row_name else ()
    if not any(value.role.kind in ("metric", "loss") for value in plan.values) and not plan.columns and not plan.head:
        plan.announces = announced_phase(plan.body)
    return plan
