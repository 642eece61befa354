"""Modules of torch that learn nothing: transforms that are written as a network, a random crop among them.

Where an item of a dataset is read they are followed like any function; a network with weights is only called there.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping

from cmgan_audit.program.domain.values import ClassValue, DictValue, Instance, ListValue, Value
from cmgan_audit.program.language.classes import is_network

_HOLDING = frozenset({"torch.nn.ModuleList", "torch.nn.ModuleDict", "torch.nn.Sequential", "collections.OrderedDict"})
_DEEPEST = 6


def learns_nothing(module: Value, first: Mapping[ast.AST, Instance], depth: int = _DEEPEST) -> bool:
    """Whether no part of a module is a layer or a weight of `torch.nn`, as far as what it holds is known.

    Args:
        module: the module, or what it holds.
        first: by its class the first layer that a network has built: it alone was followed, and tells for its like.
        depth: how far parts are looked into.
    """
    if isinstance(module, ListValue):
        return all(learns_nothing(each, first, depth) for each in module.items)
    if isinstance(module, DictValue):
        return all(learns_nothing(each, first, depth) for each in module.items.values())
    if not isinstance(module, Instance):
        return True
    name = module.external_name
    if name.startswith("torch.nn.") and name not in _HOLDING:
        return False
    built = module
    if isinstance(module.cls, ClassValue) and not module.attrs:
        if module.cls.node not in first:  # the first of its like was built on a way that ended
            return not is_network(module.cls)
        built = first[module.cls.node]
    parts: list[Value] = list(built.attrs.values())
    if name in _HOLDING:
        parts += module.arguments.positional
    elif not isinstance(module.cls, ClassValue) or not is_network(module.cls):
        return True
    return depth > 0 and all(learns_nothing(part, first, depth - 1) for part in parts)
