"""Which objects change weights: optimisers, the schedulers of their rates, and the scalers of gradients.

A class of the tree counts as what it derives from.
"""

from __future__ import annotations

from cmgan_audit.facts.classes import library_bases
from cmgan_audit.lazy_regex import regex
from cmgan_audit.program.domain.values import ClassValue, Instance

_OPTIMISERS = regex(r"(Fused)?(\w*Adam\w*|SGD\w*|RMSprop\w*|Adagrad|Adadelta|Lion|Lamb|LARS|AdaBelief|Adafactor)")
_LIBRARIES = ("torch.optim.", "apex.optimizers.", "bitsandbytes.optim.")
_SCHEDULERS = "torch.optim.lr_scheduler."
_SCHEDULE_MAKERS = regex(r"transformers\.(optimization\.)?get_\w*schedule\w*")
_SCALERS = regex(r"torch\.(cuda\.)?amp\.(grad_scaler\.)?GradScaler")


def names_optimiser(name: str) -> bool:
    """Whether a qualified name is that of an optimiser of torch, or of a library that names it like one."""
    last = name.rpartition(".")[2]
    known = name.startswith(_LIBRARIES) or _OPTIMISERS.fullmatch(last) is not None
    return known and _is_class(last) and not name.startswith(_SCHEDULERS)


def is_optimiser(value: Instance) -> bool:
    """Whether an object is an optimiser."""
    return any(names_optimiser(name) for name in library_bases(value))


def is_scheduler(value: Instance) -> bool:
    """Whether an object changes the learning rate of an optimiser as torch's schedulers do."""
    if _SCHEDULE_MAKERS.fullmatch(value.external_name):
        return True
    return any(name.startswith(_SCHEDULERS) and _is_class(name.rpartition(".")[2]) for name in library_bases(value))


def is_called_scheduler(value: Instance) -> bool:
    """Whether an object is a scheduler, if only by its name: `timm.scheduler`, or a class of the tree of its own."""
    name = value.cls.name if isinstance(value.cls, ClassValue) else value.external_name
    return "cheduler" in name or is_scheduler(value)


def is_scaler(value: Instance) -> bool:
    """Whether an object is torch's GradScaler, or derives from it."""
    return any(_SCALERS.fullmatch(name) for name in library_bases(value))


def is_stateful(value: Instance) -> bool:
    """Whether an object is one of them, whose state a training goes on with."""
    return is_optimiser(value) or is_scheduler(value) or is_scaler(value)


def kind_of(value: Instance) -> str:
    """Which of them an object is, in a word; "" where it is none."""
    kinds = {"optimiser": is_optimiser, "scheduler": is_scheduler, "scaler": is_scaler}
    return next((kind for kind, holds in kinds.items() if holds(value)), "")


def _is_class(name: str) -> bool:
    return name.lstrip("_")[:1].isupper()
