"""The settings that a checkpoint carries: plain values in its dictionaries and configuration objects, by place."""

from __future__ import annotations

from collections.abc import Iterator

from cmgan_audit.lazy_dataclasses import dataclass
from cmgan_audit.source.checkpoints.machine import Thing

# A configuration is small; what a stranger's file repeats without end is left.
_DEEPEST = 10
_MOST_KEYS = 200_000
_LONGEST_KEY = 100
# What the parameters and buffers of layers are called, and how deep a checkpoint keeps them.
_WEIGHTS = frozenset({"weight", "bias", "weight_g", "weight_v", "weight_orig", "running_mean", "num_batches_tracked"})
_DEEPEST_WEIGHTS = 3
# Where configuration objects of OmegaConf, ml_collections and others keep what they hold.
_WRAPPERS = frozenset({"_content", "_val", "_fields", "_data", "_store", "__dict__"})
# Keys by which the states of optimisers, schedulers and gradient scalers are known, whatever they are saved under.
_STATES = frozenset({"param_groups", "base_lrs", "growth_factor"})


@dataclass(frozen=True, slots=True)
class Embedded:
    """A plain value in a checkpoint.

    Attributes:
        place: the keys that lead to it, such as ("args", "batch_size").
        value: a number, a text, a truth value or None.
        beside: the other keys of the same dictionary or object.
    """

    place: tuple[str, ...]
    value: bool | int | float | str | None
    beside: frozenset[str]


def holds_weights(content: object) -> bool:
    """Whether a content holds the weights of a network: features of a data set are saved by torch too."""
    waiting: list[tuple[object, int]] = [(content, 0)]
    left = _MOST_KEYS
    while waiting and left > 0:
        holder, depth = waiting.pop()
        for part in _parts(holder):
            for key, value in part.items():
                left -= 1
                if isinstance(key, str) and key[-_LONGEST_KEY:].rpartition(".")[2] in _WEIGHTS:
                    return True
                if depth < _DEEPEST_WEIGHTS:
                    waiting.append((value, depth + 1))
    return False


def embedded_values(content: object) -> Iterator[Embedded]:
    """The plain values of a checkpoint, without the states of optimisers and the like."""
    waiting: list[tuple[tuple[str, ...], object]] = [((), content)]
    seen: set[int] = set()
    left = _MOST_KEYS
    while waiting:
        place, holder = waiting.pop()
        parts = _parts(holder)
        if not parts or id(holder) in seen or len(place) > _DEEPEST:
            continue
        seen.add(id(holder))
        left -= 1 + sum(map(len, parts))
        if left < 0:
            return
        held = _joined(parts)
        keys = frozenset(held)
        if keys & _STATES:
            continue
        for key, value in held.items():
            inner = place if key in _WRAPPERS else (*place, key)
            plain = _unwrapped(value)
            if plain is None or isinstance(plain, bool | int | float | str):
                if inner:
                    yield Embedded(inner, plain, keys)
            elif key in _WRAPPERS or not key.startswith("_"):
                waiting.append((inner, plain))


def _parts(holder: object) -> list[dict[object, object]]:
    """The dictionaries that make up a dictionary or an object: its items, its attributes, its slots."""
    if isinstance(holder, dict):
        return [holder]
    if not isinstance(holder, Thing) or holder.name.startswith(("torch.", "numpy.")):
        return []
    state = holder.state if isinstance(holder.state, tuple) else (holder.state,)
    return [part for part in (holder.items, *state[:2]) if isinstance(part, dict)]


def _joined(parts: list[dict[object, object]]) -> dict[str, object]:
    items = (item for part in parts for item in part.items())
    return {key: value for key, value in items if isinstance(key, str) and len(key) <= _LONGEST_KEY}


def _unwrapped(value: object) -> object:
    """A node of OmegaConf stands for the value in it."""
    if isinstance(value, Thing) and isinstance(value.state, dict):
        return value.state.get("_val", value)
    return value
