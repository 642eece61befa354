"""What classes of the audited program derive from, and what library objects wrap."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Sequence

from cmgan_audit.facts.values import instances_of
from cmgan_audit.program.domain.values import (
    Arguments,
    Choice,
    ClassValue,
    Const,
    DictValue,
    External,
    Instance,
    ListValue,
    Value,
)
from cmgan_audit.program.execution.trace import Event
from cmgan_audit.program.naming.names import canonical
from cmgan_audit.source.syntax import positional_parameters

LOADERS = (
    "torch.utils.data.DataLoader",
    "torchdata.stateful_dataloader.StatefulDataLoader",
    "speechbrain.dataio.dataloader.SaveableDataLoader",
    "speechbrain.dataio.dataloader.make_dataloader",
)

# Wrappers of a network: their first argument is the network that runs.
NETWORK_WRAPPERS = (
    "torch.nn.parallel.DistributedDataParallel",
    "torch.nn.parallel.DataParallel",
    "torch.distributed.fsdp.FullyShardedDataParallel",
    "torch.compile",
    "torch.jit.script",
    "torch.nn.SyncBatchNorm.convert_sync_batchnorm",
    "apex.parallel.DistributedDataParallel",
)

# Methods of a network: those that give its parameters, and those that run it.
PARAMETERS = (".parameters", ".named_parameters")
RUNS = (".__call__", ".forward")

# Layers that eval() switches, and those of them whose statistics pool over the batch.
BATCH_NORMS = (
    "BatchNorm1d",
    "BatchNorm2d",
    "BatchNorm3d",
    "SyncBatchNorm",
    "LazyBatchNorm1d",
    "LazyBatchNorm2d",
    "LazyBatchNorm3d",
)
OTHER_NORMS = (
    "InstanceNorm1d",
    "InstanceNorm2d",
    "InstanceNorm3d",
    "LayerNorm",
    "GroupNorm",
    "RMSNorm",
    "LocalResponseNorm",
)
# How many classes may derive from each other.
_MOST_BASES = 12
_LIGHTNING_TRAINER = "lightning.pytorch.Trainer"
DROPOUTS = ("Dropout", "Dropout1d", "Dropout2d", "Dropout3d", "AlphaDropout", "FeatureAlphaDropout")


def library_bases(value: Value) -> set[str]:
    """The qualified names of the library classes that a class or an object's class derives from (itself if library)."""
    known = value.cls if isinstance(value, Instance) else value
    if isinstance(known, External):  # most objects
        return {canonical(known.name)}
    found: set[str] = set()
    stack: list[Value] = [known]
    seen: set[int] = set()
    while stack:
        current = stack.pop()
        if isinstance(current, External):
            found.add(canonical(current.name))
        elif isinstance(current, ClassValue) and id(current.node) not in seen:
            seen.add(id(current.node))
            stack.extend(current.bases)
        elif isinstance(current, Choice):
            stack.extend(option.value for option in current.options)
    return found


def tree_classes(cls: Value | None) -> Iterator[ClassValue]:
    """A class of the tree and those that it derives from there, each once; none for what is no class of the tree."""
    waiting, seen = [cls], set[int]()
    while waiting:
        each = waiting.pop(0)
        if isinstance(each, ClassValue) and id(each.node) not in seen:
            seen.add(id(each.node))
            yield each
            waiting += each.bases


def own_method(cls: Value | None, name: str) -> ast.FunctionDef | None:
    """The method of a class of the tree, or of the first class in it that it derives from and that has one."""
    for _ in range(_MOST_BASES):
        if not isinstance(cls, ClassValue):
            return None
        for node in cls.node.body:
            if isinstance(node, ast.FunctionDef) and node.name == name:
                return node
        cls = next((base for base in cls.bases if isinstance(base, ClassValue)), None)
    return None


def has_unknown_base(cls: ClassValue) -> bool:
    """Whether a class of the tree derives from something that is not known."""
    return any(not isinstance(base, ClassValue | External) for each in tree_classes(cls) for base in each.bases)


def is_loader(value: Value) -> bool:
    """Whether an object is a torch DataLoader (or a class of the tree that derives from it)."""
    return isinstance(value, Instance) and bool(library_bases(value) & set(LOADERS))


def is_network(value: Value) -> bool:
    """Whether an object is a torch module."""
    bases = library_bases(value)
    return (isinstance(value, Instance) and any(map(_is_module, bases))) or any(
        name.endswith((".LightningModule", ".Brain", ".AveragedModel")) for name in bases
    )


def builds_network(event: Event) -> bool:
    """Whether an event happens in the constructor of a network of the tree, or in what that calls."""
    for frame in event.context.frames:
        owner = frame.value.bound_to if frame.value is not None else None
        if frame.function.endswith(".__init__") and isinstance(owner, Instance):
            if isinstance(owner.cls, ClassValue) and is_network(owner):
                return True
    return False


def _is_module(name: str) -> bool:
    return (
        name.startswith("torch.nn.")
        and not name.startswith("torch.nn.functional")
        and name.rpartition(".")[2][:1].isupper()
    )


def bare_network(value: Instance) -> Instance:
    """The network inside DistributedDataParallel and its like."""
    current = value
    for _ in range(8):
        if not (library_bases(current) & set(NETWORK_WRAPPERS)) or isinstance(current.cls, ClassValue):
            return current
        inner = instances_of(current.arguments.get("module", 0))
        if not inner:
            return current
        current = inner[0]
    return current


def values_within(value: Value, depth: int = 6, enters: Callable[[Instance], bool] | None = None) -> Iterator[Value]:
    """A value and what it was made from: options, items, arguments; attributes of objects of the tree.

    `enters` tells of which objects that counts; of all where it is not given.
    """
    seen: set[int] = set()
    waiting: list[tuple[Iterator[Value], int]] = [(iter((value,)), depth)]
    while waiting:
        siblings, left = waiting[-1]
        for current in siblings:
            if id(current) in seen:
                continue
            seen.add(id(current))
            yield current
            if type(current) is Const:  # most are: lists of ten thousand names of recordings
                continue
            inner = _made_of(current, enters)
            below = left if isinstance(current, Choice) else left - 1
            if inner and below >= 0:
                waiting.append((iter(inner), below))
                break
        else:
            waiting.pop()


def _made_of(value: Value, enters: Callable[[Instance], bool] | None) -> Sequence[Value]:
    """What a value was made from itself; those are kept as they are now, whoever changes it meanwhile."""
    if isinstance(value, Choice):
        return [option.value for option in value.options]
    if isinstance(value, ListValue):
        return tuple(value.items)
    if isinstance(value, DictValue):
        return tuple(value.items.values())
    if not isinstance(value, Instance) or (enters is not None and not enters(value)):
        return ()
    if isinstance(value.cls, ClassValue):
        return _parts_of(value)
    held = value.attrs.get("@items")  # what a ModuleList holds by now
    if held is None:
        return value.arguments.every
    known = isinstance(held, ListValue | DictValue) and held.complete
    return (held,) if known else (*value.arguments.every, held)


def _parts_of(held: Instance) -> list[Value]:
    """What an object of the tree holds in its attributes; the trainer that a module of Lightning is told is no part."""
    trainer = held.attrs.get("trainer")
    if isinstance(trainer, Instance) and _LIGHTNING_TRAINER in library_bases(trainer):
        return [each for each in held.attrs.values() if each is not trainer]
    return [*held.attrs.values()]


def loaders_within(value: Value, depth: int = 6) -> list[Instance]:
    """The loaders that are drawn from when a value is iterated: inside enumerate, tqdm, zip, islice and wrappers."""
    found: list[Instance] = []
    stack: list[tuple[Value, int]] = [(value, depth)]
    seen: set[int] = set()
    while stack:
        current, left = stack.pop()
        if id(current) in seen or left < 0:
            continue
        seen.add(id(current))
        if isinstance(current, Choice):
            stack.extend((option.value, left) for option in reversed(current.options))
        elif isinstance(current, ListValue) and current.kind != "generator":
            stack.extend((item, left - 1) for item in reversed(current.items))
        elif isinstance(current, Instance):
            if is_loader(current):
                if all(current.attrs is not known.attrs for known in found):
                    found.append(current)
                continue
            inner: list[Value] = [*current.arguments.every]
            if isinstance(current.cls, ClassValue):
                inner = list(current.attrs.values())
            stack.extend((item, left - 1) for item in reversed(inner))
    return found


def shown_arguments(arguments: Arguments, most: int = 4) -> str:
    """Arguments as text for a message: constants and names, the rest left out; of a long one, its beginning and end."""
    words = [repr(value.value) for value in arguments.positional if isinstance(value, Const)]
    words += [f"{key}={value.value!r}" for key, value in arguments.keywords.items() if isinstance(value, Const)]
    shown = [word if len(word) < 40 else f"{word[:17]}...{word[-19:]}" for word in words[:most]]
    return ", ".join(shown) + (", ..." if len(words) > most else "")


def bound_arguments(cls: ClassValue, arguments: Arguments) -> dict[str, Value]:
    """The arguments of a construction by the names of the constructor's parameters."""
    made = own_method(cls, "__init__")
    names = [] if made is None else [parameter.arg for parameter in positional_parameters(made.args)][1:]
    return {**dict(zip(names, arguments.positional, strict=False)), **arguments.keywords}
