"""Copies of objects: what happens to a copy happens to the copy alone."""

from __future__ import annotations

from dataclasses import replace

from cmgan_audit.program.domain.values import (
    Arguments,
    Choice,
    DictValue,
    HeapValue,
    Instance,
    ListValue,
    Value,
)
from cmgan_audit.program.models.registry import ModelCall, model


@model("copy.deepcopy")
def _deepcopy(call: ModelCall) -> Value | None:
    value = call.get("x", 0)
    return None if value is None else _Copies().of(value)


@model("torch.optim.swa_utils.AveragedModel")
def _averaged(call: ModelCall) -> Value:
    """An average of weights begins as a deep copy of its network: what switches or moves one leaves the other alone."""
    arguments = _Copies().of_arguments(call.arguments)
    network = arguments.get("model", 0)
    made = replace(call.instance(), arguments=arguments)
    return made if network is None else replace(made, attrs={"module": network})


class _Copies:
    """The objects that one deep copy makes, each original once: what was shared is shared among the copies, too."""

    def __init__(self) -> None:
        self._made: dict[int, HeapValue] = {}
        self._to_fill: list[tuple[Instance | ListValue | DictValue, HeapValue]] = []

    def of(self, value: Value) -> Value:
        """A value with all that it is made of as other objects."""
        made = self._empty(value)
        self._fill()
        return made

    def of_arguments(self, given: Arguments) -> Arguments:
        """What a call is given, with all that it is made of as other objects."""
        made = self._arguments(given)
        self._fill()
        return made

    def _fill(self) -> None:
        while self._to_fill:  # without recursion: objects refer to each other in long chains
            original, copy = self._to_fill.pop()
            match original, copy:
                case ListValue(), ListValue():
                    copy.items.extend(map(self._empty, original.items))
                case DictValue(), DictValue():
                    copy.items.update((key, self._empty(each)) for key, each in original.items.items())
                case Instance(), Instance():
                    copy.attrs.update((name, self._empty(each)) for name, each in original.attrs.items())

    def _empty(self, value: Value) -> Value:
        """The copy of a value, which is filled later."""
        if isinstance(value, Choice):
            options = tuple(replace(option, value=self._empty(option.value)) for option in value.options)
            return replace(value, options=options)
        if not isinstance(value, Instance | ListValue | DictValue):
            return value
        known = self._made.get(id(value.cell))
        if known is not None:
            return known
        made: HeapValue
        if isinstance(value, ListValue):
            made = replace(value, items=[])
        elif isinstance(value, DictValue):
            made = replace(value, items={})
        else:  # a wrapper of a library holds its network in its arguments
            made = replace(value, arguments=self._arguments(value.arguments), attrs={})
        self._made[id(value.cell)] = made
        self._to_fill.append((value, made))
        return made

    def _arguments(self, given: Arguments) -> Arguments:
        return replace(
            given,
            positional=tuple(map(self._empty, given.positional)),
            keywords={name: self._empty(each) for name, each in given.keywords.items()},
        )


@model("copy.copy", "dataclasses.replace")
def _copy(call: ModelCall) -> Value | None:
    value = call.get("x", 0) or call.get("obj")
    if isinstance(value, DictValue):
        return replace(value, items=dict(value.items))
    if isinstance(value, ListValue):
        return replace(value, items=list(value.items))
    if isinstance(value, Instance):
        attrs = dict(value.attrs)
        if call.callee.endswith("replace"):
            attrs.update(call.arguments.keywords)
        return replace(value, attrs=attrs)
    return value
