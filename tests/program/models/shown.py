"""What small programs hand to `sink.show(...)` when the interpreter executes them."""

from __future__ import annotations

from typing import Any

from cmgan_audit.program.domain.values import Choice, Const, DictValue, Instance, ListValue, Symbol, Unknown, Value
from cmgan_audit.program.execution.trace import CallEvent, Run


def plain(value: Value) -> Any:
    """The Python object behind a value; what is not known is the class `Unknown` itself."""
    if isinstance(value, Const):
        return value.value
    if isinstance(value, ListValue):
        items = [plain(item) for item in value.items]
        return tuple(items) if value.kind == "tuple" else items
    if isinstance(value, DictValue):
        return {key: plain(item) for key, item in value.items.items()}
    if isinstance(value, Symbol):
        return value.formula
    if isinstance(value, Choice):
        return {"one of": [plain(option.value) for option in value.options]}
    if isinstance(value, Instance):
        return value.external_name or value.cls.name  # type: ignore[attr-defined]
    return Unknown


class Shown:
    """What a program showed, per launch condition."""

    def __init__(self, runs: list[Run]) -> None:
        self.runs = runs

    def values(self, condition: str = "", entry: str = "train.py") -> list[Value]:
        """The values shown in the run of one launch."""
        run = next(run for run in self.runs if run.launch.condition == condition and run.entry == entry)
        return [
            event.arguments.positional[0]
            for event in run.events
            if isinstance(event, CallEvent) and event.callee == "sink.show"
        ]

    def plain(self, condition: str = "", entry: str = "train.py") -> list[Any]:
        """The same as Python objects."""
        return [plain(value) for value in self.values(condition, entry)]

    @property
    def conditions(self) -> list[str]:
        """The launches that were run."""
        return [run.launch.condition for run in self.runs]
