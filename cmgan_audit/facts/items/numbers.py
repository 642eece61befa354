"""How many items a loader goes over, where the program tells: what a dataset's `__len__` returns, the lengths of a
split, the first dimension of tensors that are made in it."""

from __future__ import annotations

from cmgan_audit.facts.items.making import defines
from cmgan_audit.facts.scene import Made, Scene
from cmgan_audit.facts.values import constant, length_of_range
from cmgan_audit.program.domain.values import ClassValue, Computation, Const, Instance, ListValue, Unknown, Value
from cmgan_audit.program.execution.probe import call_method
from cmgan_audit.program.naming.names import canonical
from cmgan_audit.rules.record import Known

_SUBSET = "torch.utils.data.Subset"
_TENSORS = "torch.utils.data.TensorDataset"
_JOINED = "torch.utils.data.ConcatDataset"
# What makes a tensor of the sizes that it is given, also as one tuple.
_OF_SIZES = frozenset(
    f"{module}.{name}" for module in ("torch", "numpy") for name in "zeros ones empty rand randn full".split()
) | {"numpy.random.rand", "numpy.random.randn"}
# What makes a tensor with as many items as what it is given first.
_OF_AS_MANY = frozenset(
    "torch.from_numpy torch.as_tensor torch.tensor torch.Tensor torch.FloatTensor torch.LongTensor numpy.array "
    "numpy.asarray torch.zeros_like torch.ones_like torch.rand_like torch.randn_like torch.empty_like".split()
)
_COUNTING = frozenset({"torch.arange", "numpy.arange"})
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
    if isinstance(value, Unknown) and depth:
        return _number_of_part(scene, value.computed, depth) if value.computed else _number_drawn(scene, value)
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
        case name if name in _OF_SIZES:
            return _first_size(arguments.get("size", 0) or arguments.get("shape"))
        case name if name in _OF_AS_MANY and arguments.positional:
            return _number_of(scene, arguments.positional[0], depth - 1)
        case name if name in _COUNTING and len(arguments.positional) == 1:
            return _whole(arguments.positional[0])
    counted = length_of_range(value)
    return counted.value if isinstance(counted, Known) and isinstance(counted.value, int) else None


def _number_drawn(scene: Scene, tensor: Unknown) -> int | None:
    """The items of a tensor of random numbers: the call that drew it was told of which size."""
    call = next((event for event in scene.named(_OF_SIZES.__contains__) if event.result is tensor), None)
    return None if call is None else _first_size(call.arguments.get("size", 0))


def _number_of_part(scene: Scene, made: Computation, depth: int) -> int | None:
    """The items of a part that is cut out of a tensor along its first dimension."""
    match made:
        case Computation(operation="[]", operands=(owner, ListValue(kind="slice", items=bounds))):
            number = _number_of(scene, owner, depth - 1)
            start, stop, step = map(constant, bounds)
            known = all(isinstance(bound, Const) for bound in bounds) and step in (None, 1)
            return len(range(number)[start:stop]) if number is not None and known else None
    return None


def _first_size(size: Value | None) -> int | None:
    if isinstance(size, ListValue):
        size = size.items[0] if size.items else None
    return None if size is None else _whole(size)


def _whole(value: Value) -> int | None:
    number = constant(value)
    return number if isinstance(number, int) and not isinstance(number, bool) else None
