"""What the networks of a run do inside: calling one gives an output and no events, so its `forward` is tried here."""

from __future__ import annotations

from collections.abc import Iterator

from cmgan_audit.facts.classes import is_network
from cmgan_audit.facts.view import View
from cmgan_audit.program.domain.values import ClassValue, FunctionValue, Instance, ModuleValue, Unknown
from cmgan_audit.program.execution.probe import attribute_of, call_value
from cmgan_audit.program.execution.sessions import interpreter_of
from cmgan_audit.program.execution.trace import CallEvent

MOST_TRIED = 24
_SIGNAL = Unknown(reason="what a network is given")


def calls_inside(view: View, word: bytes) -> Iterator[CallEvent]:
    """The calls in `forward` of the networks of the tree that the run makes, one network of each class.

    Args:
        view: the run.
        word: only networks are tried whose file, or a file that it takes names from, contains this word.
    """
    if not view.scene.is_reached:
        return
    telling = _files_with(view, word)
    tried: set[object] = set()
    for event in view.scene.calls if telling else ():
        made = event.result
        if not isinstance(made, Instance) or not isinstance(made.cls, ClassValue) or made.cls.node in tried:
            continue
        if len(tried) < MOST_TRIED and _may_mention(view, made.cls, telling) and is_network(made):
            tried.add(made.cls.node)
            yield from _inside(view, made)


def _files_with(view: View, word: bytes) -> frozenset[str]:
    return frozenset(path for path in view.code.files if word in (view.tree.read_bytes(path) or b""))


def _may_mention(view: View, cls: ClassValue, telling: frozenset[str]) -> bool:
    path = cls.module.path
    if path in telling:
        return True
    environment = interpreter_of(view.scene.run).environments.get(path)
    names = environment.names.values() if environment is not None else ()
    return any(
        isinstance(value, ModuleValue | FunctionValue | ClassValue) and value.module.path in telling for value in names
    )


def _inside(view: View, network: Instance) -> Iterator[CallEvent]:
    run = view.scene.run
    forward = attribute_of(run, network, "forward")
    if not isinstance(forward, FunctionValue):
        return
    signature = forward.node.args
    wanted = len(signature.posonlyargs) + len(signature.args) - 1 - len(signature.defaults)
    events, _ = call_value(run, forward, [_SIGNAL] * max(wanted, 0), network)
    yield from (event for event in events if isinstance(event, CallEvent))
