"""Lightning: what a module keeps of its arguments and optimisers, and `Trainer.from_argparse_args` of version 1."""

from __future__ import annotations

from collections.abc import Iterator

from cmgan_audit.program.domain.values import (
    Arguments,
    Const,
    DictValue,
    External,
    Instance,
    Key,
    ListValue,
    Symbol,
    Value,
)
from cmgan_audit.program.models.lifting import as_dict
from cmgan_audit.program.models.registry import AttributeRead, ModelCall, attribute, model

_MODULES = ("lightning.pytorch.LightningModule", "lightning.pytorch.LightningDataModule")
_TRAINER = "lightning.pytorch.Trainer"
# The options of a trainer that the audit asks for; a program may declare them itself.
_OPTIONS = (
    "accumulate_grad_batches",
    "devices",
    "gpus",
    "limit_train_batches",
    "limit_val_batches",
    "max_epochs",
    "num_nodes",
    "precision",
    "strategy",
)


@model(f"{_TRAINER}.from_argparse_args")
def _from_options(call: ModelCall) -> Value | None:
    """A trainer made from the options of a command line, and from arguments that count before them."""
    given = call.get("args", 0)
    options = given.items if isinstance(given, DictValue) else {}
    keywords = {name: options[name] for name in _OPTIONS if name in options}
    keywords |= {name: value for name, value in call.arguments.keywords.items() if name != "args"}
    return call.interpreter.call(External(name=_TRAINER), Arguments(keywords=keywords), call.location)


@model(*(f"{name}.save_hyperparameters" for name in _MODULES))
def _save_hyperparameters(call: ModelCall) -> Value:
    """`self.hparams` holds the arguments of the constructor, some of them, or one collection of settings.

    What is saved later is added: a base class may have saved its own.
    """
    given = call.arguments.positional
    names = [value.value for value in given if isinstance(value, Const) and isinstance(value.value, str)]
    collections = [value for value in given if not isinstance(value, Const)]
    held = as_dict(collections[0]) if len(collections) == 1 else None
    kept: Value
    if held is not None:
        kept = DictValue(items=held.items, complete=held.complete, attribute_access=True, origin=held.origin)
    elif collections:
        kept = collections[0]  # an object with settings as its attributes
    else:
        own = call.interpreter.parameters
        left_out = _texts(call.get("ignore"))
        wanted = (name for name in own if name not in left_out and (not names or name in names))
        items: dict[Key, Value] = {name: own[name] for name in wanted}
        # A class that derives from this one adds the arguments of its own constructor, unless they are named.
        kept = DictValue(items=items, complete=bool(names), attribute_access=True)
    before = call.state("hparams")
    if isinstance(before, DictValue) and isinstance(kept, DictValue):
        items = {**before.items, **kept.items}
        kept = DictValue(items=items, complete=before.complete and kept.complete, attribute_access=True)
    call.set_state("hparams", kept)
    return Const(value=None)


def _texts(value: Value | None) -> set[object]:
    """The texts that an argument names: one, or several in a list."""
    parts = value.items if isinstance(value, ListValue) else [value]
    return {part.value for part in parts if isinstance(part, Const)}


@attribute(*(f"{name}.hparams" for name in _MODULES))
def _hyperparameters(read: AttributeRead) -> Value | None:
    """What was saved; a module that has saved nothing yet may put its settings there one by one."""
    held = read.state("hparams")
    if held is None:
        held = DictValue(items={}, complete=False, attribute_access=True)
        read.set_state("hparams", held)
    return held


@attribute(f"{_TRAINER}.callbacks")
def _callbacks(read: AttributeRead) -> Value | None:
    """The list of a trainer's callbacks, to which a program may put more."""
    held, trainer = read.state("callbacks"), read.receiver
    if held is None and isinstance(trainer, Instance):
        given = trainer.arguments.get("callbacks")
        held = given if isinstance(given, ListValue) else ListValue(items=[] if given is None else [given])
        read.set_state("callbacks", held)
    return held


@attribute(f"{_TRAINER}.world_size")
def _world_size(read: AttributeRead) -> Value:
    """The processes of a trainer: those of its devices and nodes where both are told, else as many as there are."""
    trainer = read.receiver
    arguments = trainer.arguments if isinstance(trainer, Instance) else Arguments()
    devices, nodes = arguments.get("devices"), arguments.get("num_nodes")
    here, machines = _count(devices), 1 if nodes is None else _count(nodes)
    if devices is None or here is None or machines is None:
        return Symbol(formula="world_size", at_one=1)
    return Const(value=here * machines, trail=devices.trail)


def _count(value: Value | None) -> int | None:
    """How many devices or nodes a trainer is told to take: a number, or a list of them; "auto" and -1 leave it open."""
    if isinstance(value, ListValue) and value.complete:
        return len(value.items) or None
    number = value.value if isinstance(value, Const) else None
    number = int(number) if isinstance(number, str) and number.isdigit() else number
    return number if isinstance(number, int) and not isinstance(number, bool) and number > 0 else None


@model("lightning.pytorch.LightningModule.optimizers")
def _optimizers(call: ModelCall) -> Value | None:
    """What a module that steps by hand asks for: its only optimiser, or all of them."""
    return _one_or_all([optimizer for optimizer, _ in _configured(call.state("configured"))])


@model("lightning.pytorch.LightningModule.lr_schedulers")
def _lr_schedulers(call: ModelCall) -> Value | None:
    """The schedulers beside the optimisers of a module."""
    return _one_or_all([scheduler for _, scheduler in _configured(call.state("configured"))])


def _one_or_all(values: list[Value | None]) -> Value | None:
    found = [value for value in values if value is not None]
    return found[0] if len(found) == 1 else ListValue(items=found) if found else None


def _configured(value: Value | None) -> Iterator[tuple[Value | None, Value | None]]:
    """Optimisers with their schedulers, in each of the forms that `configure_optimizers` may return."""
    if isinstance(value, DictValue):
        scheduler = value.items.get("lr_scheduler")
        inner = scheduler.items.get("scheduler") if isinstance(scheduler, DictValue) else scheduler
        yield value.items.get("optimizer"), inner
    elif isinstance(value, ListValue) and len(value.items) == 2 and all(map(_is_list, value.items)):
        optimizers, schedulers = value.items
        for optimizer in optimizers.items if isinstance(optimizers, ListValue) else ():
            yield optimizer, None
        for each in schedulers.items if isinstance(schedulers, ListValue) else ():
            yield None, each.items.get("scheduler") if isinstance(each, DictValue) else each
    elif isinstance(value, ListValue):
        for each in value.items:
            yield from _configured(each)
    elif isinstance(value, Instance):
        yield value, None


def _is_list(value: Value) -> bool:
    return isinstance(value, ListValue)
