"""How the items of a loader come about: its dataset's own code and its `collate_fn`, executed on the very objects.

`__getitem__` (or `__iter__`) runs on the object that the loader holds, with the arguments that it was made with, on a
scratch state; so flags cut their branches. What this shows is kept, since several collectors ask for it.
"""

from __future__ import annotations

from dataclasses import field

from cmgan_audit.facts.classes import tree_classes
from cmgan_audit.facts.items.pipelines import parameters_of, pipelines_of
from cmgan_audit.facts.scene import Made, Scene
from cmgan_audit.facts.values import why_unknown
from cmgan_audit.lazy_dataclasses import dataclass
from cmgan_audit.program.domain.reasons import Cause, cause_of
from cmgan_audit.program.domain.values import (
    ClassValue,
    Const,
    DictValue,
    FunctionValue,
    Instance,
    ListValue,
    Value,
    options_of,
)
from cmgan_audit.program.domain.values import Unknown as UnknownValue
from cmgan_audit.program.execution.probe import INDEX, call_method, call_value
from cmgan_audit.program.execution.sessions import interpreter_of
from cmgan_audit.program.execution.trace import Event

# Wrappers that hand out the items of the datasets that they hold: argument and position.
WRAPPERS = {
    "torch.utils.data.Subset": ("dataset", 0),
    "torch.utils.data.random_split": ("dataset", 0),
    "torch.utils.data.ConcatDataset": ("datasets", 0),
    "torch.utils.data.ChainDataset": ("datasets", 0),
    "torch.utils.data.StackDataset": ("datasets", 0),
}


@dataclass(frozen=True, slots=True, eq=False)
class Reading:
    """One piece of code that makes items: what happened in it, in order.

    Attributes:
        owner: the object whose method ran; None for a plain function.
        function: what ran, as text ("Speech.__getitem__").
        fields: the values of an item that a function takes which SpeechBrain makes the items with; else none.
        events: what happened.
        result: what it returned.
    """

    owner: Instance | None
    function: str
    events: tuple[Event, ...]
    result: Value
    fields: tuple[str, ...] = ()


@dataclass(slots=True)
class Items:
    """Everything that makes the items of one loader.

    Attributes:
        datasets: the datasets, out of torch's wrappers.
        readings: their code and that of the `collate_fn`.
        looked_at: what was found and needs no execution, as text.
        unknown: why a part is not known.
    """

    datasets: list[Instance] = field(default_factory=list)
    readings: list[Reading] = field(default_factory=list)
    looked_at: list[str] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)


def items_of(scene: Scene, made: Made) -> Items:
    """How the items of a loader come about."""
    if made not in scene.items:
        scene.items[made] = _read(scene, made)
    return scene.items[made]


def _read(scene: Scene, made: Made) -> Items:
    items = Items()
    value = made.arguments.get("dataset", 0)
    if value is not None:
        items.datasets = datasets_in(value, items)
    for dataset in items.datasets:
        _read_dataset(scene, dataset, items)
    collate = made.arguments.get("collate_fn", 6)
    if collate is not None:
        _read_collate(scene, collate, made.loader, items)
    return items


def datasets_in(value: Value, items: Items, depth: int = 6) -> list[Instance]:
    """The dataset objects behind a value, out of torch's wrappers; what is no object is noted in `items`."""
    result: list[Instance] = []
    for option in options_of(value):
        each = option.value
        if isinstance(each, ListValue | DictValue):
            held = each.items.values() if isinstance(each, DictValue) else each.items
            for item in held:
                if isinstance(item, Instance) and depth:
                    result += datasets_in(item, items, depth - 1)
            items.looked_at.append(f"a {each.kind if isinstance(each, ListValue) else 'dictionary'} of items")
        elif not isinstance(each, Instance):
            if not (isinstance(each, Const) and each.value is None):
                items.unknown.append(f"the dataset is not known: {why_unknown(each)}")
        elif each.external_name in WRAPPERS and depth:
            name, position = WRAPPERS[each.external_name]
            inner = each.attrs.get(name) or each.arguments.get(name, position)  # `valid.dataset = copy.copy(data)`
            result += datasets_in(inner, items, depth - 1) if inner is not None else []
        else:
            result.append(each)
    return result


def _read_dataset(scene: Scene, dataset: Instance, items: Items) -> None:
    if not isinstance(dataset.cls, ClassValue):
        name = dataset.external_name
        functions = pipelines_of(scene, dataset)
        if functions:
            for function in functions:
                _read_pipeline(scene, function, dataset, items)
        elif name.startswith(("torch.", "builtins.")):
            items.looked_at.append(name)
        else:
            items.unknown.append(_elsewhere(scene, name))
        return
    for method, arguments in (("__getitem__", [INDEX]), ("__iter__", []), ("__getitems__", [INDEX])):
        if not defines(dataset.cls, method):
            continue
        events, result = call_method(scene.run, dataset, method, arguments)
        items.readings.append(Reading(dataset, f"{dataset.cls.name}.{method}", tuple(events), result))
        return
    items.unknown.append(f"{dataset.cls.name} has no __getitem__ in this tree")


def _elsewhere(scene: Scene, name: str) -> str:
    """Why nothing is known of a class that no file here defines; a folder of that name should have held it."""
    missing = interpreter_of(scene.run).tree.is_folder(name.partition(".")[0])
    return f"{name} is not in this tree" if missing else f"{name} is a library's dataset"


def _read_pipeline(scene: Scene, function: Value, dataset: Instance, items: Items) -> None:
    name = _function_name(function)
    if not name:
        items.unknown.append(f"a pipeline of the dataset is not known: {why_unknown(function)}")
        return
    fields = parameters_of(function)
    given: list[Value] = [UnknownValue(reason=f"{field} of an item") for field in fields]
    events, result = call_value(scene.run, function, given, dataset)
    items.readings.append(Reading(None, name, tuple(events), result, fields))


def is_index_of_item(value: Value) -> bool:
    """Whether a value is the index that a dataset is asked for, or is computed from it alone."""
    return isinstance(value, UnknownValue) and cause_of(value.reason) is Cause.ITEM_INDEX and not value.draws


def defines(cls: ClassValue, method: str) -> bool:
    """Whether a class of the tree, or one of its bases in the tree, has a method."""
    return any(getattr(node, "name", "") == method for each in tree_classes(cls) for node in each.node.body)


def _read_collate(scene: Scene, collate: Value, loader: Instance, items: Items) -> None:
    for option in options_of(collate):
        batch = ListValue(items=[UnknownValue(reason="an item of the dataset")], complete=False)
        function = option.value
        name = _function_name(function)
        if name:
            events, result = call_value(scene.run, function, [batch], loader)
            items.readings.append(Reading(None, name, tuple(events), result))
        elif isinstance(function, Instance) and isinstance(function.cls, ClassValue):
            events, result = call_method(scene.run, function, "__call__", [batch])
            items.readings.append(Reading(function, f"{function.cls.name}.__call__", tuple(events), result))


def _function_name(value: Value) -> str:
    """The name of a function of the tree, also of one that some arguments were given to already; else empty."""
    if isinstance(value, Instance) and value.external_name.endswith(".partial"):
        inner = value.arguments.get("func", 0)
        return _function_name(inner) if inner is not None else ""
    return value.qualname if isinstance(value, FunctionValue) else ""
