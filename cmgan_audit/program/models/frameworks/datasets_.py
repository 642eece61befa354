"""Hugging Face's datasets: one split of what `load_dataset` gave, what makes another set of the same recordings, and
dictionaries of sets that a script fills itself.
"""

from __future__ import annotations

from dataclasses import replace

from cmgan_audit.finding import Step
from cmgan_audit.program.domain.values import Const, DictValue, Instance, Value
from cmgan_audit.program.models.frameworks.module_lists import of_dictionary
from cmgan_audit.program.models.registry import ModelCall, model

_LOADED = "datasets.load_dataset"
_FILLED = "datasets.DatasetDict"
# Methods that change what an item holds; which recordings there are stays as it is.
_KEEPING = "cast cast_column map remove_columns rename_column rename_columns select_columns with_format with_transform"


@model(*(f"{sets}.{name}" for sets in (_LOADED, _FILLED) for name in _KEEPING.split()))
def _same_recordings(call: ModelCall) -> Value | None:
    return call.receiver


@model(_FILLED)
def _dictionary(call: ModelCall) -> Value | None:
    """`DatasetDict({"train": ...})`, `DatasetDict(train=...)`, or an empty one whose sets are stored by their keys."""
    given, named = call.get("", 0), call.arguments.keywords
    if given is not None and not isinstance(given, DictValue):
        return None
    items = {} if given is None else dict(given.items)
    items.update(named)
    whole = (given is None or given.complete) and not call.arguments.open_kwargs
    return call.instance(items=DictValue(items=items, complete=whole))


model(*(f"{_FILLED}.{name}" for name in ("items", "keys", "values", "pop", "get", "update")))(of_dictionary)


@model(f"{_LOADED}.__setitem__")
def _put(call: ModelCall) -> Value | None:
    """`data["valid"] = data["train"].select(...)`: the set is what it was given from then on."""
    key, value = call.get("", 0), call.get("", 1)
    if isinstance(key, Const) and isinstance(key.value, str) and value is not None:
        call.set_state(f"split:{key.value}", value)
    return Const(value=None)


@model(f"{_LOADED}.__getitem__")
def _split(call: ModelCall) -> Value | None:
    """`load_dataset(name)["test"]` is `load_dataset(name, split="test")`, one object whenever it is asked for."""
    loaded, key = call.receiver, call.get("", 0)
    if not isinstance(loaded, Instance) or not isinstance(key, Const) or not isinstance(key.value, str):
        return None
    if loaded.arguments.get("split", 4) is not None or loaded.arguments.open_kwargs:
        return None  # a column
    known = call.state(f"split:{key.value}")
    if known is not None:
        return known
    split = replace(key, trail=(*key.trail, Step(call.location, f"split {key.value!r} of what was loaded")))
    keywords = {**loaded.arguments.keywords, "split": split}
    files = keywords.get("data_files")
    if isinstance(files, DictValue) and key.value in files.items:
        keywords["data_files"] = files.items[key.value]
    part = replace(loaded, arguments=replace(loaded.arguments, keywords=keywords), attrs={}, location=call.location)
    call.set_state(f"split:{key.value}", part)
    return part
