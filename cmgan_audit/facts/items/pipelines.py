"""Items that SpeechBrain's `DynamicItemDataset` makes: functions that are handed to it, not methods of a class."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Sequence

from cmgan_audit.facts.scene import Scene
from cmgan_audit.facts.values import instances_of, share_one
from cmgan_audit.program.domain.containers import known_items
from cmgan_audit.program.domain.values import FunctionValue, Instance, Value, options_of
from cmgan_audit.program.naming.names import canonical
from cmgan_audit.source.syntax import positional_parameters

_DATASET = "DynamicItemDataset"
# Where each way to make such a dataset takes its functions.
_PLACES = {_DATASET: 1, "from_json": 2, "from_csv": 2, "from_arrow_dataset": 2}
_ADDS = "add_dynamic_item"
_DEEPEST = 4


def is_dynamic(dataset: Instance) -> bool:
    """Whether a dataset makes its items by functions that were handed to it."""
    return _DATASET in dataset.external_name


def pipelines_of(scene: Scene, dataset: Instance) -> list[Value]:
    """The functions that make the items of a dataset; empty for other datasets, and where none is known."""
    if not is_dynamic(dataset):
        return []
    same = [dataset, *_filtered_from(scene, dataset)]
    found = [function for each in same for function in _given(each)]
    for event in scene.named(lambda name: name.endswith(_ADDS)):
        by_method = event.receiver is not None and _is_one(event.receiver, same)
        first = event.arguments.get("datasets", 0)
        if by_method or (event.receiver is None and first is not None and _holds_one(first, same)):
            function = event.arguments.get("func", 0 if by_method else 1)
            found += [] if function is None else [option.value for option in options_of(function)]
    return found


def parameters_of(function: Value) -> tuple[str, ...]:
    """What a function calls the values of an item that it takes."""
    if not isinstance(function, FunctionValue):
        return ()
    given = function.node.args
    names = [each.arg for each in positional_parameters(given)]
    return tuple(names[int(function.bound_to is not None) :])


def asks_the_item(
    test: ast.AST | None, fields: Sequence[str], given_to: Callable[[ast.Name], ast.expr | None] = lambda name: None
) -> bool:
    """Whether a test asks a value of the item itself, such as a mark that only items of the training set have.

    Args:
        test: the test of a branch.
        fields: what the function calls the values of an item that it takes.
        given_to: what another name stands for, where that is one expression.
    """

    def asks(part: ast.expr) -> bool:
        return asks_the_item(part, fields, given_to)

    match test:
        case (
            ast.UnaryOp(op=ast.Not(), operand=inner) | ast.Call(func=ast.Name(id="bool" | "int" | "str"), args=[inner])
        ):
            return asks(inner)
        case ast.Call(func=ast.Attribute(value=inner, attr=member)) if hasattr(str, member):
            return asks(inner)  # `split.startswith("train")`
        case ast.BoolOp(values=parts):
            return any(map(asks, parts))
        case ast.Compare(left=left, comparators=others):
            return any(map(asks, (left, *others)))
        case ast.Name(id=name) if name not in fields:
            value = given_to(test)
            return value is not None and asks_the_item(value, fields)
        case ast.Name():
            return True
    return False


def _given(dataset: Instance) -> Iterator[Value]:
    place = _PLACES.get(dataset.external_name.rpartition(".")[2])
    given = dataset.arguments.get("dynamic_items", place) if place is not None else None
    for item in known_items(given)[0] if given is not None else ():
        yield from (option.value for option in options_of(item))


def _filtered_from(scene: Scene, dataset: Instance) -> Iterator[Instance]:
    """The datasets that `filtered_sorted()` and the like took the items of a dataset from."""
    for _ in range(_DEEPEST):
        if ".filtered_" not in canonical(dataset.external_name):
            return
        event = next((each for each in scene.calls if _is_one(each.result, [dataset])), None)
        before = instances_of(event.receiver) if event is not None and event.receiver is not None else ()
        if not before:
            return
        yield from before
        dataset = before[0]


def _holds_one(value: Value, datasets: list[Instance]) -> bool:
    items = known_items(value)[0]
    return any(_is_one(item, datasets) for item in items)


def _is_one(value: Value, datasets: list[Instance]) -> bool:
    return share_one(instances_of(value), datasets)
