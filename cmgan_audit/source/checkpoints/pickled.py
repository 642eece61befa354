"""The plain values of a pickle, told from its opcodes: nothing that it names is imported, and nothing is called."""

from __future__ import annotations

import pickle
import struct

from cmgan_audit.lazy_dataclasses import dataclass
from cmgan_audit.source.checkpoints.machine import Machine, PickleError
from cmgan_audit.source.checkpoints.opcodes import STEPS

# In one pickle; a checkpoint of CMGAN with both optimisers has about 30,000.
MOST_OPCODES = 1_000_000


@dataclass(slots=True)
class Steps:
    """How many opcodes may still be followed, over many files."""

    left: int


@dataclass(slots=True)
class Pickled:
    """What one pickle holds.

    Attributes:
        value: its plain values.
        end: the offset behind it.
        names: the dotted names of everything that it would import.
        storages: whether it refers to storages outside of it, as the pickles of torch do.
    """

    value: object
    end: int
    names: frozenset[str]
    storages: bool


def read_pickle(data: bytes, start: int = 0, steps: Steps | None = None) -> Pickled:
    """Read the pickle that begins at an offset.

    Args:
        data: bytes that hold it.
        start: its offset.
        steps: those left over all files; what this one takes is taken off.

    Raises:
        PickleError: there is none, it is cut short or damaged, or it has more opcodes.
    """
    machine = Machine(data, start)
    try:
        value = _run(machine, data, steps or Steps(MOST_OPCODES))
    except (IndexError, KeyError, ValueError, TypeError, AttributeError, struct.error, OverflowError) as error:
        raise PickleError(f"damaged at byte {machine.position}") from error
    return Pickled(value, machine.position, frozenset(machine.names), machine.storages)


def _run(machine: Machine, data: bytes, steps: Steps) -> object:
    stop = pickle.STOP[0]
    most = min(steps.left, MOST_OPCODES)
    followed = 0
    try:
        while followed < most:
            followed += 1
            if machine.position >= len(data):
                raise PickleError("cut short")
            code = data[machine.position]
            machine.position += 1
            if code == stop:
                return machine.top()
            step = STEPS.get(code)
            if step is None:
                raise PickleError(f"no opcode at byte {machine.position - 1}")
            step(machine)
        raise PickleError(f"more than {most:,} opcodes")
    finally:
        steps.left -= followed
