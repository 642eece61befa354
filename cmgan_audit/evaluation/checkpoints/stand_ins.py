"""Whole models, and objects of classes that are not here, read as what they hold and never as what they are.

`torch.save(model)` writes the module objects themselves: a pickle that names every class, builds an empty object of it
and fills in its attributes. The attributes are tensors and plain values, so an object of ours that takes them is all
that is needed to read the weights; the class itself, and the code that it would run, is never asked for. The same goes
for settings that a training script kept in a class of its own.
"""

from __future__ import annotations

import sys
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping

import torch
from torch import Tensor

from cmgan_audit.evaluation.checkpoints.limits import Steps
from cmgan_audit.evaluation.checkpoints.survey import Survey
from cmgan_audit.lazy_regex import regex

_MOST_NESTED = 100
"""No network nests its modules as deeply; a pickle may hold one that contains itself."""


class StandIn:
    """An object of a class that is not here: its attributes, where they are plain."""

    def __init__(self, *args: object) -> None:
        """Whatever the class was called with is not looked at."""

    def __new__(cls, *args: object) -> StandIn:
        """Take what a pickle gives the class to make an object of, and leave it."""
        return super().__new__(cls)

    def __setstate__(self, state: object) -> None:
        """Take the attributes: a dictionary, or a dictionary and the slots."""
        for part in state if isinstance(state, tuple) else (state,):
            if isinstance(part, Mapping):
                self.__dict__.update(
                    # An attribute that is named like a method of Python's would be called in its place.
                    {name: value for name, value in part.items() if isinstance(name, str) and name[:2] != "__"}
                )


class _Filled:
    """A dictionary of a class that is not here."""

    def __new__(cls, *args: object) -> OrderedDict[object, object]:  # type: ignore[misc]
        """What torch fills and gives attributes to is a plain dictionary."""
        given = args[0] if args and isinstance(args[0], Mapping) else {}
        return OrderedDict(given)


class _Listed:
    """A list of a class that is not here, a deque for example."""

    def __new__(cls, *args: object) -> list[object]:  # type: ignore[misc]
        """What torch appends to is a plain list."""
        return list(args[0]) if args and isinstance(args[0], list | tuple) else []


class _PlainTensor(Tensor):
    """A tensor of a subclass that is not here, one of torch with another name: its values are in the file."""

    # What is computed of it is of torch's own class.
    __torch_function__ = torch._C._disabled_torch_function_impl  # type: ignore[assignment]

    def __new__(cls, *args: object) -> _PlainTensor:
        """A file makes tensors of what it holds; called with sizes, a tensor would allocate them."""
        raise TypeError("makes a tensor of its own, where a checkpoint only has what was saved")

    def __setstate__(self, state: object) -> None:
        """The attributes of the subclass are not looked at."""


# What torch knows by itself: tensors and their containers.
_KNOWN = regex(
    r"torch\._utils\._rebuild_\w+|torch\.(storage\.)?\w*Storage|torch\.(Size|device|Tensor|[a-z]+[0-9]+\w*|bool)"
    r"|torch\._tensor\._rebuild\w*|torch\.nn\.parameter\.Parameter|collections\.(OrderedDict|Counter)"
    r"|builtins\.(set|bytearray|complex)|torch\.serialization\._get_layout|_codecs\.encode"
)
# Names of Python's own that objects are made of; every other one is a reason to say what the file asks for.
_HARMLESS = regex(
    r"collections\.\w+|argparse\.\w+|pathlib\.(_local\.)?\w+|datetime\.\w+|decimal\.\w+|fractions\.\w+|uuid\.UUID"
    r"|enum\.\w+|typing\.\w+|types\.(SimpleNamespace|NoneType|MappingProxyType)|functools\.partial|logging\.\w+"
    r"|copyreg\._reconstructor|dataclasses\.\w+|inspect\._empty|operator\.(itemgetter|attrgetter)|math\.\w+"
    r"|builtins\.(frozenset|dict|list|tuple|int|float|str|bytes|bool|object|type|slice|range|getattr|NoneType"
    r"|len|min|max|sum|abs|print)"
)
# Parts of PyTorch whose objects hold their tensors as attributes. Other functions of it that a pickle calls make
# tensors of a kind that is not read here.
_OBJECTS_OF_TORCH = regex(
    r"torch\.(nn|optim|utils|cuda\.amp|amp|distributions|functional|torch_version)\.[\w.]+"
    r"|torch\.distributed\.(distributed_c10d|algorithms)\.[\w.]+|torch\._C\._(distributed_c10d|nn)\.[\w.]+"
)


def refused(survey: Survey, answered: set[str]) -> list[str]:
    """What a pickle asks for that is neither a tensor nor a plain object: functions of Python's, foreign tensors.

    Args:
        survey: of the pickle.
        answered: names for which there is a reading of its own.
    """
    return [
        name
        for name in survey.names
        if name not in answered and not _KNOWN.fullmatch(name) and _is_suspect(name, survey)
    ]


def _is_suspect(name: str, survey: Survey) -> bool:
    root = name.partition(".")[0]
    if root in sys.stdlib_module_names:
        return _HARMLESS.fullmatch(name) is None
    return root == "torch" and name in survey.called and _OBJECTS_OF_TORCH.fullmatch(name) is None


def stand_ins(survey: Survey, answered: set[str]) -> list[Callable[..., object] | tuple[Callable[..., object], str]]:
    """For `torch.serialization.safe_globals`: ours for each other name that a pickle uses."""
    made: list[Callable[..., object] | tuple[Callable[..., object], str]] = []
    for name in survey.names:
        if name in answered or _KNOWN.fullmatch(name):
            continue
        if name in survey.tensors:
            made.append((_PlainTensor, name))
        elif name in survey.filled or name == "collections.defaultdict":
            made.append((_Filled, name))
        elif name in survey.listed or name == "collections.deque":
            made.append((_Listed, name))
        else:
            made.append((StandIn, name))
    return made


def is_module(value: object) -> bool:
    """Whether this stands for a network or a part of one."""
    return isinstance(value, StandIn) and all(
        isinstance(vars(value).get(name), Mapping) for name in ("_parameters", "_buffers", "_modules")
    )


def state_of(module: object, steps: Steps) -> dict[str, Tensor]:
    """What `state_dict()` of a whole model would give, of what stands for it: names and tensors in its order."""
    return dict(_state(module, "", 0, steps))


def _state(module: object, prefix: str, depth: int, steps: Steps) -> Iterator[tuple[str, Tensor]]:
    steps.count()
    if not is_module(module) or depth > _MOST_NESTED:
        return
    held = vars(module)
    passing = held.get("_non_persistent_buffers_set")
    passing = passing if isinstance(passing, set | list) else ()
    for group in ("_parameters", "_buffers"):
        for name, tensor in held[group].items():
            if isinstance(tensor, Tensor) and not (group == "_buffers" and name in passing):
                yield f"{prefix}{name}", tensor.detach()
    for name, child in held["_modules"].items():
        yield from _state(child, f"{prefix}{name}.", depth + 1, steps)
