"""Dropout that is a function and no layer: `F.dropout(x, p, self.training)` follows the mode of its network, and
`F.dropout(x, p)` drops in every mode, since `training` is True by default.

What the networks do is found by executing their `forward`: a share may be 0 outside of training, a method may have
returned before, and a flag of the network may switch the dropout off.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import lru_cache

from cmgan_audit.facts.classes import RUNS, is_network, values_within
from cmgan_audit.facts.scene import Scene
from cmgan_audit.facts.values import instances_of
from cmgan_audit.finding import Location
from cmgan_audit.lazy_regex import regex
from cmgan_audit.program.domain.values import (
    BoundMethod,
    ClassValue,
    Const,
    FunctionValue,
    Instance,
    Unknown,
    Value,
    options_of,
)
from cmgan_audit.program.execution.probe import attribute_of, call_value
from cmgan_audit.program.execution.sessions import interpreter_of
from cmgan_audit.program.execution.trace import CallEvent
from cmgan_audit.program.naming.names import canonical
from cmgan_audit.source.syntax import positional_parameters

_DROPPING = frozenset(
    f"torch.nn.functional.{name}"
    for name in ("dropout", "dropout1d", "dropout2d", "dropout3d", "alpha_dropout", "feature_alpha_dropout")
)
# What a file with such a call looks like; `self.dropout(x)` is a layer. Most networks need not be executed.
_MENTIONED = regex(r"(?<!self)\.(?:feature_)?(?:alpha_)?dropout[123]?d?\s*\(|import\b[^\n]*\b(?:alpha_)?dropout")
_MODE = "training"


def drops_by_mode(scene: Scene, parts: Iterable[Value]) -> bool:
    """Whether a part of a network has a functional dropout that `eval()` ends; one part of each class is looked at."""
    done: set[int] = set()
    for part in parts:
        cls = _class_that_may_drop(part)
        if isinstance(part, Instance) and cls is not None and id(cls.node) not in done:
            done.add(id(cls.node))
            if any(_follows_mode(call) for call in _calls_in_forward(scene, part)):
                return True
    return False


def untold_dropout(scene: Scene, network: Instance) -> Location | None:
    """Where a network drops in every mode whenever it runs; None where that is not certain.

    What is told `training=True` is meant to drop whenever the network runs, as in the prenets of Tacotron.
    """
    if not _is_mentioned(scene) or all(_class_that_may_drop(part) is None for part in values_within(network, 10)):
        return None
    waiting, done = [network], {id(network)}
    while waiting:
        for call in _calls_in_forward(scene, waiting.pop()):
            if call.context.conditions:
                continue
            if _is_untold(call):
                return call.location
            for part in _run_by(call):
                if id(part) not in done:
                    done.add(id(part))
                    waiting.append(part)
    return None


def _class_that_may_drop(part: Value) -> ClassValue | None:
    """The class of a network in whose file such a dropout stands."""
    if not isinstance(part, Instance) or not isinstance(part.cls, ClassValue) or not is_network(part):
        return None
    parsed = part.cls.module.parsed
    return part.cls if parsed is not None and _mentions(parsed.text) else None


def _is_mentioned(scene: Scene) -> bool:
    """Whether such a dropout stands in a file of the run: seldom, and what a network is made of may be a lot."""
    modules = (environment.module for environment in interpreter_of(scene.run).environments.values())
    return any(module.parsed is not None and _mentions(module.parsed.text) for module in modules)


@lru_cache(maxsize=2048)  # every part of every network that runs in a loop asks again
def _mentions(text: str) -> bool:
    return "dropout" in text and _MENTIONED.search(text) is not None


def _calls_in_forward(scene: Scene, part: Instance) -> list[CallEvent]:
    """The calls that a network makes when it runs, those of its parts left out; none where its code is not known.

    Every loop that a network runs in asks, of each of its parts.
    """
    if id(part) not in scene.tried_forwards:
        scene.tried_forwards[id(part)] = part, _tried_forward(scene, part)
    return scene.tried_forwards[id(part)][1]


def _tried_forward(scene: Scene, part: Instance) -> list[CallEvent]:
    forward = attribute_of(scene.run, part, "forward") if isinstance(part.cls, ClassValue) else None
    if not isinstance(forward, FunctionValue):
        return []
    parameters = forward.node.args
    positional = positional_parameters(parameters)[1:]
    needed = len(positional) - len(parameters.defaults)
    signals = [Unknown(reason="what the network is given")] * max(0, needed)
    events, _ = call_value(scene.run, forward, signals, part)
    return [event for event in events if isinstance(event, CallEvent)]


def _run_by(call: CallEvent) -> Iterator[Instance]:
    """The networks that run in a call: the one that is called, and what a container of layers holds."""
    if not call.callee.endswith(RUNS):
        return
    for network in filter(is_network, instances_of(call.receiver)):
        if isinstance(network.cls, ClassValue):
            yield network
        elif network.external_name == "torch.nn.Sequential":
            yield from (each for each in _layers_of(network) if is_network(each))


def _layers_of(container: Instance) -> Iterator[Instance]:
    for given in container.arguments.positional:
        yield from instances_of(given)


def _is_dropout(call: CallEvent) -> bool:
    return canonical(call.callee) in _DROPPING


def _is_untold(call: CallEvent) -> bool:
    given = call.arguments
    if not _is_dropout(call) or given.open_kwargs or given.get("training", 2) is not None:
        return False
    share = given.get("p", 1)
    return share is None or all(isinstance(each.value, Const) and each.value.value for each in options_of(share))


def _follows_mode(call: CallEvent) -> bool:
    if not _is_dropout(call):
        return False
    share, told = call.arguments.get("p", 1), call.arguments.get("training", 2)
    if isinstance(share, Const) and not share.value:
        return False
    if told is None:
        return any(f".{_MODE}" in condition.text for condition in call.context.conditions)
    return any(isinstance(each.value, BoundMethod) and each.value.name == _MODE for each in options_of(told))
