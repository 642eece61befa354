"""The numbers of a line as they are printed: counters, numbers of processes, thousands, and what is cut off."""

from __future__ import annotations

from cmgan_audit.logs.lines.plan import Plan, SlotValue

# No machine room has more processes than this has digits.
_MOST_DIGITS = 6
# No number of so many decimals is printed without any the next time.
_DECIMALS = 2


def ends_in_a_number(line: bytes) -> bool:
    """Whether a line ends in a number, which may go on where the log was cut off."""
    return line[-1:].isdigit() or line.endswith(b".")


def is_cut_off(token: bytes, before: bytes) -> bool:
    """Whether a number at the end of a log has no decimals where the one before in its place had several."""
    return not token.partition(b".")[2] and len(before.partition(b".")[2]) >= _DECIMALS


def counter(tokens: list[bytes]) -> float:
    """The number of a step; `12,500` has its thousands behind a comma, of `3,4` only the first is one."""
    thousands = tokens[0].isdigit() and all(len(token) == 3 and token.isdigit() for token in tokens[1:])
    return float(b"".join(tokens) if thousands else tokens[0])


def are_counters(numbers: list[bytes], plan: Plan) -> bool:
    """Whether both numbers of `[3, 200]` are whole, on every line of these."""
    return all(
        slot is not None and all(map(bytes.isdigit, numbers[slot :: plan.slots])) for slot in (plan.epoch, plan.step)
    )


def process(token: bytes) -> int:
    """The number of a process; whatever is no such number belongs to the first."""
    return int(token) if token.isdigit() and len(token) <= _MOST_DIGITS else 0


def number_in(row: list[bytes], value: SlotValue) -> float | None:
    """The number of a value; None where it cannot be read."""
    if value.constant is not None:
        return value.constant
    return value.sign * float(row[value.slots[0]]) if len(value.slots) == 1 else _joined(row, value)


def _joined(row: list[bytes], value: SlotValue) -> float | None:
    """The number in a slot; `1,234,567` and `2,64` are read where they are unambiguous, else None."""
    tokens = [row[slot] for slot in value.slots]
    if not all(token.isdigit() for token in tokens[:-1]):
        return None
    head, *groups = tokens
    whole = [*groups[:-1], groups[-1].partition(b".")[0]]
    # No score counts thousands: `PESQ: 2,634` has a decimal comma.
    scored = value.role.kind in ("metric", "best", "saved") and len(tokens) == 2 and groups[0].isdigit()
    if all(len(group) == 3 for group in whole) and len(head) <= 3 and head != b"0" and not scored:
        return (
            value.sign * float(b"".join(tokens))
            if b"." in groups[-1] or len(groups) > 1 or value.role.kind == "count"
            else None
        )
    if len(tokens) == 2 and groups[0].isdigit():
        return value.sign * float(head + b"." + groups[0])
    return None
