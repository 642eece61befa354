"""yacs: files and other nodes that are merged into a tree of defaults, in place."""

from __future__ import annotations

from cmgan_audit.program.domain.values import Const, DictValue, Value
from cmgan_audit.program.models.config_files import load_file, load_source
from cmgan_audit.program.models.files import each_path, path_of
from cmgan_audit.program.models.lifting import copied
from cmgan_audit.program.models.registry import ModelCall, model

_NONE = Const(value=None)


@model("builtins.dict.merge_from_file")
def _merge_from_file(call: ModelCall) -> Value | None:
    """`cfg.merge_from_file("configs/large.yaml")`: what the file says takes the place of the defaults."""
    path = call.get("cfg_filename", 0)
    if not isinstance(call.receiver, DictValue) or path is None:
        return None
    held = each_path(call, path_of(path), lambda found: load_file(call, found, "yaml", attribute_access=True))
    _merge(call, call.receiver, held)
    return _NONE


@model("builtins.dict.merge_from_other_cfg")
def _merge_from_other(call: ModelCall) -> Value | None:
    other = call.get("cfg_other", 0)
    if not isinstance(call.receiver, DictValue) or other is None:
        return None
    _merge(call, call.receiver, copied(other, attribute_access=True))
    return _NONE


@model("yacs.config.CfgNode.load_cfg", "yacs.config.load_cfg")
def _load(call: ModelCall) -> Value | None:
    """A node made of an open file, or of a text."""
    source = call.get("cfg_file_obj_or_str", 0)
    return None if source is None else load_source(call, source, "yaml", attribute_access=True)


def _merge(call: ModelCall, target: DictValue, source: Value) -> None:
    """Write what a node holds into another, section by section."""
    journal = call.interpreter.journal
    if not isinstance(source, DictValue) or not source.complete:
        journal.set_open(target)
    for key, value in source.items.items() if isinstance(source, DictValue) else ():
        below = target.items.get(key)
        if isinstance(below, DictValue) and isinstance(value, DictValue):
            _merge(call, below, value)
        else:
            journal.set_item(target, key, value)
