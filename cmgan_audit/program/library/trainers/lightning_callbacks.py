"""Lightning's callbacks: classes of the tree that a trainer tells of each step, beside the module itself."""

from __future__ import annotations

from collections.abc import Iterator

from cmgan_audit.finding import Location
from cmgan_audit.lazy_dataclasses import dataclass
from cmgan_audit.program.domain.values import (
    NONE,
    Arguments,
    Choice,
    ClassValue,
    FunctionValue,
    Instance,
    ListValue,
    Unknown,
    Value,
)
from cmgan_audit.program.execution.interpreter import Interpreter
from cmgan_audit.program.language.attributes import attribute
from cmgan_audit.program.language.classes import class_attribute
from cmgan_audit.program.library.trainers.hooks import call_hook
from cmgan_audit.source.syntax import positional_parameters


@dataclass(frozen=True, slots=True)
class Audience:
    """Whom a trainer tells of each step: first its callbacks, then the module.

    Attributes:
        it: the interpreter.
        trainer: the trainer, as callbacks get it.
        module: the module, or a choice of several.
        location: the call that runs the trainer.
        callbacks: the callbacks that the tree defines; Lightning's own do nothing here.
    """

    it: Interpreter
    trainer: Instance | None
    module: Value | None
    location: Location
    callbacks: tuple[Instance, ...]

    def hear(self, hook: str, *arguments: Value) -> None:
        """Run a hook of the callbacks and of the module; what it is given beyond its parameters is left out."""
        self.callbacks_hear(hook, *arguments)
        self.step(hook, *arguments)

    def callbacks_hear(self, hook: str, *arguments: Value) -> None:
        """Run a hook of the callbacks alone, for which each also gets the trainer and the module."""
        for callback in self.callbacks:
            given = (self.trainer or NONE, self.module or NONE, *arguments)
            call_hook(self.it, callback, hook, _fitting(callback, hook, given), self.location)

    def switch_to_eval(self) -> None:
        """Put the module into eval mode, as the trainer does before an evaluation."""
        if self.module is not None:
            method = attribute(self.it, self.module, "eval", self.location)
            self.it.call(method, Arguments(), self.location)

    def step(self, hook: str, *arguments: Value) -> Value | None:
        """Run a hook of the module alone: what it gives, None where it has none."""
        return call_hook(self.it, self.module, hook, _fitting(self.module, hook, arguments), self.location)


def audience(it: Interpreter, trainer: Instance | None, module: Value | None, location: Location) -> Audience:
    """Whom a trainer tells, by the callbacks that it was made with or that were put to it since."""
    own = None if trainer is None else trainer.attrs.get("@callbacks") or trainer.arguments.get("callbacks")
    added = call_hook(it, module, "configure_callbacks", (), location)
    found: list[Instance] = []
    for callback in (*_within(own), *_within(added)):
        if all(callback.attrs is not other.attrs for other in found):
            found.append(callback)
    return Audience(it=it, trainer=trainer, module=module, location=location, callbacks=tuple(found))


def _within(value: Value | None) -> Iterator[Instance]:
    """The objects of the tree's classes in a list of callbacks, or in any of several that may be meant."""
    if isinstance(value, ListValue):
        for item in value.items:
            yield from _within(item)
    elif isinstance(value, Choice):
        for option in value.options:
            yield from _within(option.value)
    elif isinstance(value, Instance) and isinstance(value.cls, ClassValue):
        yield value


def _fitting(owner: Value | None, hook: str, given: tuple[Value, ...]) -> tuple[Value, ...]:
    """As many arguments as a hook takes: later versions of Lightning give more, earlier ones gave others."""
    if not isinstance(owner, Instance) or not isinstance(owner.cls, ClassValue):
        return given
    found = class_attribute(owner.cls, hook)
    if found is None or not isinstance(found[0], FunctionValue):
        return given
    spec = found[0].node.args
    takes = len(positional_parameters(spec)) - 1
    if spec.vararg is not None:
        return given
    missing = takes - len(spec.defaults) - len(given)
    return (*given[: max(takes, 0)], *(Unknown(reason="what the trainer gives"),) * max(missing, 0))
