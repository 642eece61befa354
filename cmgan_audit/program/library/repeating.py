"""Whether a seed is the same whenever the same item is read: made from constants, the item's index or its name alone.

A number of the pass in it, a clock, or another draw makes it another one with every pass.
"""

from __future__ import annotations

from collections.abc import Sequence

from cmgan_audit.lazy_regex import regex
from cmgan_audit.program.domain.listings import lists_a_folder
from cmgan_audit.program.domain.reasons import GIVEN_AT_START, Cause, cause_of
from cmgan_audit.program.domain.values import (
    CALLED_ON,
    BoundMethod,
    Const,
    Instance,
    Listing,
    ListValue,
    Unknown,
    Value,
    options_of,
)
from cmgan_audit.program.library.seeding import differs

# Methods that make one value of a text, a path or a hash, and always the same one of the same.
_OF_SAME = frozenset(
    "encode decode digest hexdigest intdigest lower upper casefold strip lstrip rstrip split rsplit partition "
    "rpartition replace removeprefix removesuffix format join zfill as_posix resolve with_suffix relative_to item "
    "tolist group groups".split()
)
# Functions that give the same for the same arguments; `hash` of a text does so within one run.
_SAME = regex(
    r"builtins\.(?:hash|int|str|abs|len|sum|ord|repr|bytes|float|round|min|max|tuple|list|sorted|reversed|enumerate)|(?:builtins\.)?int\.from_bytes"
    r"|zlib\.(?:crc32|adler32)|binascii\.(?:crc32|hexlify)|hashlib\.\w+|xxhash\.\w+|mmh3\.\w+"
    r"|re\.(?:search|match|fullmatch|findall|sub|split)"
    r"|os\.path\.(?:join|basename|dirname|splitext|split|abspath|normpath|relpath)|os\.fspath"
    r"|pathlib\.(?:Pure)?(?:Posix)?Path|torch\.(?:tensor|as_tensor)|numpy\.u?int\d*"
    r"|numpy\.random\.(?:SeedSequence|PCG64|PCG64DXSM|Philox|MT19937|SFC64)"
)
# Attributes of a path.
_OF_PATH = frozenset("name stem suffix parent parts".split())
# What code that was not followed gives back.
_NOT_FOLLOWED = frozenset({"call", "network"})
_DEEPEST = 12
_INDEX = "the index"


def seed_text(seed: Value | None) -> str:
    """A seed that is the same whenever the same item is read, in words; empty when it is not.

    So is one that is drawn from a generator which the index seeds, as where another item is taken instead.
    """
    if seed is not None and seed.draws and all(draw.seeded.endswith(_INDEX) for draw in seed.draws):
        return _INDEX
    if seed is None or differs(seed) or (isinstance(seed, Const) and seed.value is None) or not _repeats(seed):
        return ""
    return repr(seed.value) if isinstance(seed, Const) else _INDEX


def keeps_its_object(member: str) -> bool:
    """Whether the result of a method depends on what it is called on and on nothing else."""
    return member in _OF_SAME


def _repeats(value: Value, depth: int = _DEEPEST) -> bool:
    if isinstance(value, Const):
        return True
    if depth == 0:
        return False
    if isinstance(value, ListValue):  # of one that is not wholly known, what is known stands for the rest
        return (value.complete or bool(value.items)) and _holds(value) and _all_repeat(value.items, depth)
    if isinstance(value, Unknown):
        return _unknown_repeats(value, depth)
    if isinstance(value, Instance):
        return _result_repeats(value, depth)
    if isinstance(value, BoundMethod):  # an attribute of what nothing is known of
        return value.name in _OF_PATH and _repeats(value.receiver, depth - 1)
    options = options_of(value)
    return len(options) > 1 and _all_repeat([option.value for option in options], depth)


def _all_repeat(values: Sequence[Value], depth: int) -> bool:
    return all(_repeats(each, depth - 1) for each in values)


def _unknown_repeats(value: Unknown, depth: int) -> bool:
    computed = value.computed
    if computed is None:
        cause = cause_of(value.reason)
        is_same = cause is Cause.ITEM_INDEX or cause is Cause.MISSING_FILE or cause in GIVEN_AT_START
        return is_same or _is_listed(value)
    if computed.operation in _NOT_FOLLOWED:
        return False
    if computed.operation == "len":
        return _holds(computed.operands[0])
    if computed.operation == "[]":  # a dataset holds the same names in every pass: the place decides
        owner, *index = computed.operands
        return _holds(owner) and (_all_repeat(index, depth) if index else _gives_the_same(owner, depth))
    return _all_repeat(computed.operands, depth)


def _is_listed(value: Value) -> bool:
    """Whether something is one of the names in a folder, or was made of one before the item is read."""
    return bool(value.draws) and all(isinstance(draw, Listing) for draw in value.draws)


def _holds(owner: Value) -> bool:
    """Whether something keeps what it holds from pass to pass: it was neither drawn nor made from a clock."""
    return not differs(owner)


def _gives_the_same(owner: Value, depth: int) -> bool:
    """Whether a loop goes through the same things in every pass: a folder, the lines of a file, the letters of a name;
    `next()` of a counter gives another number each time."""
    if not isinstance(owner, Instance):
        return True
    name = owner.external_name
    return lists_a_folder(name) or name.startswith("io.") or _result_repeats(owner, depth)


def _result_repeats(result: Instance, depth: int) -> bool:
    name, given = result.external_name, result.arguments
    called_on = result.attrs.get(CALLED_ON)
    if called_on is None and not _SAME.fullmatch(name):
        return name.startswith("?.") and keeps_its_object(name[2:]) and _is_listed(result)
    used = [*given.every, *([called_on] if called_on is not None else [])]
    return bool(used) and not given.open_kwargs and _all_repeat(used, depth)
