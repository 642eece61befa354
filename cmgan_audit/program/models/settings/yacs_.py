"""yacs: files, other nodes and words of a command line that are merged into a tree of defaults, in place."""

from __future__ import annotations

from cmgan_audit.program.domain.containers import literal_in
from cmgan_audit.program.domain.values import NONE, Const, DictValue, ListValue, Value
from cmgan_audit.program.models.files import each_path, path_of
from cmgan_audit.program.models.lifting import copied
from cmgan_audit.program.models.registry import ModelCall, model
from cmgan_audit.program.models.settings.config_files import load_file, load_source


@model("builtins.dict.merge_from_file")
def _merge_from_file(call: ModelCall) -> Value | None:
    """`cfg.merge_from_file("configs/large.yaml")`: what the file says takes the place of the defaults."""
    path = call.get("cfg_filename", 0)
    if not isinstance(call.receiver, DictValue) or path is None:
        return None
    held = each_path(call, path_of(path), lambda found: load_file(call, found, "yaml", attribute_access=True))
    _merge(call, call.receiver, held)
    return NONE


@model("builtins.dict.merge_from_other_cfg")
def _merge_from_other(call: ModelCall) -> Value | None:
    other = call.get("cfg_other", 0)
    if not isinstance(call.receiver, DictValue) or other is None:
        return None
    _merge(call, call.receiver, copied(other, attribute_access=True))
    return NONE


@model("builtins.dict.merge_from_list")
def _merge_from_list(call: ModelCall) -> Value | None:
    """`cfg.merge_from_list(["TRAIN.BATCH", "4"])`: words of a command line are read as literals."""
    pairs = call.get("cfg_list", 0)
    if not isinstance(call.receiver, DictValue):
        return None
    if not isinstance(pairs, ListValue) or not pairs.complete:
        call.interpreter.journal.set_open(call.receiver)
        return NONE
    for key, value in zip(pairs.items[::2], pairs.items[1::2], strict=False):
        if isinstance(key, Const):
            target: Value | None = call.receiver
            *parents, last = str(key.value).split(".")
            for parent in parents:
                target = target.items.get(parent) if isinstance(target, DictValue) else None
            if isinstance(target, DictValue):
                call.interpreter.journal.set_item(target, last, _meant(value))
    return NONE


@model("yacs.config.CfgNode.load_cfg", "yacs.config.load_cfg")
def _load(call: ModelCall) -> Value | None:
    """A node made of an open file, or of a text."""
    source = call.get("cfg_file_obj_or_str", 0)
    return None if source is None else load_source(call, source, "yaml", attribute_access=True)


def _merge(call: ModelCall, target: DictValue, source: Value) -> None:
    """Write what a node holds into another, section by section; nodes that hold themselves are gone into once."""
    journal = call.interpreter.journal
    waiting, seen = [(target, source)], set[tuple[int, int]]()
    while waiting:
        into, given = waiting.pop()
        if not isinstance(given, DictValue) or not given.complete:
            journal.set_open(into)
        for key, value in list(given.items.items()) if isinstance(given, DictValue) else ():
            below = into.items.get(key)
            if not isinstance(below, DictValue) or not isinstance(value, DictValue):
                journal.set_item(into, key, _meant(value))
            elif (pair := (id(below.items), id(value.items))) not in seen:
                seen.add(pair)
                waiting.append((below, value))


def _meant(value: Value) -> Value:
    """A text is read as a literal where it is one: `"(1, 2)"`, and `1e-4`, which is a text in YAML."""
    meant = literal_in(value) if isinstance(value, Const) else None
    return value if meant is None else meant
