"""What each opcode of a pickle does to the machine."""

from __future__ import annotations

import pickle
import struct
from collections.abc import Callable

from cmgan_audit.source.checkpoints.machine import Machine, Thing

_LONGEST_NUMBER = 64


def _whole(text: str) -> object:
    """The number of INT and LONG; 00 and 01 are truth values there."""
    if text in ("00", "01"):
        return text == "01"
    text = text.removesuffix("L")
    return int(text) if len(text) <= _LONGEST_NUMBER else Thing("long")


def _signed(data: bytes) -> object:
    return int.from_bytes(data, "little", signed=True) if len(data) <= _LONGEST_NUMBER else Thing("long")


def _text(data: bytes) -> str:
    return data.decode("utf-8", "replace")


def _latin(data: bytes) -> str:
    return data.decode("latin-1")


def _step(opcode: bytes, step: Callable[[Machine], object]) -> tuple[int, Callable[[Machine], object]]:
    return opcode[0], step


# fmt: off
STEPS: dict[int, Callable[[Machine], object]] = dict((
    _step(pickle.PROTO, lambda m: m.take(1)),
    _step(pickle.FRAME, lambda m: m.take(8)),
    _step(pickle.MARK, lambda m: m.mark()),
    _step(pickle.POP, lambda m: m.pop()),
    _step(pickle.POP_MARK, lambda m: m.to_mark()),
    _step(pickle.DUP, lambda m: m.duplicate()),
    # plain values
    _step(pickle.NONE, lambda m: m.push(None)),
    _step(pickle.NEWTRUE, lambda m: m.push(True)),
    _step(pickle.NEWFALSE, lambda m: m.push(False)),
    _step(pickle.INT, lambda m: m.push(_whole(m.line()))),
    _step(pickle.LONG, lambda m: m.push(_whole(m.line()))),
    _step(pickle.BININT, lambda m: m.push(_signed(m.take(4)))),
    _step(pickle.BININT1, lambda m: m.push(m.number(1))),
    _step(pickle.BININT2, lambda m: m.push(m.number(2))),
    _step(pickle.LONG1, lambda m: m.push(_signed(m.take(m.number(1))))),
    _step(pickle.LONG4, lambda m: m.push(_signed(m.take(m.number(4))))),
    _step(pickle.FLOAT, lambda m: m.push(float(m.line()))),
    _step(pickle.BINFLOAT, lambda m: m.push(struct.unpack(">d", m.take(8))[0])),
    _step(pickle.STRING, lambda m: m.push(m.line()[1:-1])),
    _step(pickle.BINSTRING, lambda m: m.push(_latin(m.take(m.number(4))))),
    _step(pickle.SHORT_BINSTRING, lambda m: m.push(_latin(m.take(m.number(1))))),
    _step(pickle.UNICODE, lambda m: m.push(m.line())),
    _step(pickle.SHORT_BINUNICODE, lambda m: m.push(_text(m.take(m.number(1))))),
    _step(pickle.BINUNICODE, lambda m: m.push(_text(m.take(m.number(4))))),
    _step(pickle.BINUNICODE8, lambda m: m.push(_text(m.take(m.number(8))))),
    _step(pickle.SHORT_BINBYTES, lambda m: m.push(m.take(m.number(1)))),
    _step(pickle.BINBYTES, lambda m: m.push(m.take(m.number(4)))),
    _step(pickle.BINBYTES8, lambda m: m.push(m.take(m.number(8)))),
    _step(pickle.BYTEARRAY8, lambda m: m.push(m.take(m.number(8)))),
    _step(pickle.NEXT_BUFFER, lambda m: m.inert("buffer")),
    _step(pickle.READONLY_BUFFER, lambda m: None),
    # containers
    _step(pickle.EMPTY_TUPLE, lambda m: m.push(())),
    _step(pickle.TUPLE1, lambda m: m.tuple_of(1)),
    _step(pickle.TUPLE2, lambda m: m.tuple_of(2)),
    _step(pickle.TUPLE3, lambda m: m.tuple_of(3)),
    _step(pickle.TUPLE, lambda m: m.push(tuple(m.to_mark()))),
    _step(pickle.EMPTY_LIST, lambda m: m.push([])),
    _step(pickle.LIST, lambda m: m.push(m.to_mark())),
    _step(pickle.APPEND, lambda m: m.append()),
    _step(pickle.APPENDS, lambda m: m.appends()),
    _step(pickle.EMPTY_DICT, lambda m: m.push({})),
    _step(pickle.DICT, lambda m: m.dictionary()),
    _step(pickle.SETITEM, lambda m: m.set_item()),
    _step(pickle.SETITEMS, lambda m: m.set_items(m.to_mark())),
    _step(pickle.EMPTY_SET, lambda m: m.push([])),
    _step(pickle.ADDITEMS, lambda m: m.appends()),
    _step(pickle.FROZENSET, lambda m: m.push(m.to_mark())),
    # the memo
    _step(pickle.PUT, lambda m: m.remember(int(m.line()))),
    _step(pickle.BINPUT, lambda m: m.remember(m.number(1))),
    _step(pickle.LONG_BINPUT, lambda m: m.remember(m.number(4))),
    _step(pickle.MEMOIZE, lambda m: m.remember_next()),
    _step(pickle.GET, lambda m: m.recall(int(m.line()))),
    _step(pickle.BINGET, lambda m: m.recall(m.number(1))),
    _step(pickle.LONG_BINGET, lambda m: m.recall(m.number(4))),
    # what would be imported and called
    _step(pickle.GLOBAL, lambda m: m.global_name()),
    _step(pickle.STACK_GLOBAL, lambda m: m.stacked_name()),
    _step(pickle.REDUCE, lambda m: m.reduce()),
    _step(pickle.NEWOBJ, lambda m: m.new_object(keywords=False)),
    _step(pickle.NEWOBJ_EX, lambda m: m.new_object(keywords=True)),
    _step(pickle.OBJ, lambda m: m.old_object()),
    _step(pickle.INST, lambda m: m.old_instance()),
    _step(pickle.BUILD, lambda m: m.build()),
    _step(pickle.PERSID, lambda m: m.old_persistent()),
    _step(pickle.BINPERSID, lambda m: m.persistent()),
    _step(pickle.EXT1, lambda m: m.extension(1)),
    _step(pickle.EXT2, lambda m: m.extension(2)),
    _step(pickle.EXT4, lambda m: m.extension(4)),
))
# fmt: on
