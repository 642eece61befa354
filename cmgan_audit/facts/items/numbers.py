"""How many items a loader goes over, where the program tells: what a dataset's `__len__` returns, the lengths of a
split, the first dimension of tensors that are made in it."""

from __future__ import annotations

from cmgan_audit.facts.items.making import defines
from cmgan_audit.facts.scene import Made, Scene
from cmgan_audit.facts.values import constant, length_of_range
from cmgan_audit.program.domain.values import ClassValue, Const, Instance, ListValue, Value
from cmgan_audit.program.execution.probe import call_method
from cmgan_audit.program.naming.names import canonical
from cmgan_audit.rules.record import Known

_SUBSET = "torch.utils.data.Subset"
_TENSORS = "torch.utils.data.TensorDataset"
_JOINED = "torch.utils.data.ConcatDataset"
# What makes a tensor of the sizes that it is given; `torch.full` takes them as one tuple.
_OF_SIZES = frozenset(f"torch.{name}" for name in ("zeros", "ones", "empty", "rand", "randn", "full"))
_DEEPEST = 4


def are_divided(scene: Scene, made: Made, batch: int) -> bool:
    """Whether a loader's items are known to make batches of one size, without a last one that is smaller.

    Where a sampler picks the items, or each process gets its share, their number is another one.

    Args:
        scene: the run.
        made: the loader.
        batch: its batch size.
    """
    arguments = made.arguments
    picked = [arguments.get("sampler", 3), arguments.get("batch_sampler", 4)]
    if any(each is not None and not (isinstance(each, Const) and each.value is None) for each in picked):
        return False
    dataset = arguments.get("dataset", 0)
    number = None if dataset is None else _number_of(scene, dataset)
    return number is not None and number > 0 and number % batch == 0


def _number_of(scene: Scene, value: Value, depth: int = _DEEPEST) -> int | None:
    """How many items a dataset has; None where the program does not tell."""
    if isinstance(value, ListValue):
        return len(value.items) if value.complete else None
    if not isinstance(value, Instance) or depth == 0:
        return None
    if isinstance(value.cls, ClassValue):
        if not defines(value.cls, "__len__"):
            return None
        return _whole(call_method(scene.run, value, "__len__", [])[1])
    arguments = value.arguments
    match canonical(value.external_name):
        case name if name == _SUBSET:
            given = arguments.get("@length") or arguments.get("indices", 1)
            return None if given is None else _whole(given) or _number_of(scene, given, depth - 1)
        case name if name == _TENSORS:
            return _number_of(scene, arguments.positional[0], depth - 1) if arguments.positional else None
        case name if name == _JOINED:
            parts = arguments.get("datasets", 0)
            if not isinstance(parts, ListValue) or not parts.complete:
                return None
            numbers = [_number_of(scene, part, depth - 1) for part in parts.items]
            return sum(number for number in numbers if number is not None) if None not in numbers else None
        case name if name in _OF_SIZES and arguments.positional:
            first = arguments.positional[0]
            return _whole(first.items[0] if isinstance(first, ListValue) and first.items else first)
    counted = length_of_range(value)
    return counted.value if isinstance(counted, Known) and isinstance(counted.value, int) else None


def _whole(value: Value) -> int | None:
    number = constant(value)
    return number if isinstance(number, int) and not isinstance(number, bool) else None
