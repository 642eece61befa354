"""Dropout that is a function and no layer: `F.dropout(x, p, self.training)` follows the mode of its network, and
`F.dropout(x, p)` drops in every mode, since `training` is True by default."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator

from cmgan_audit.facts.scene import Scene
from cmgan_audit.finding import Location
from cmgan_audit.lazy_dataclasses import dataclass
from cmgan_audit.program.domain.values import ClassValue, Const, External, FunctionValue, Instance, Value, options_of
from cmgan_audit.program.execution.sessions import interpreter_of
from cmgan_audit.program.language.classes import class_attribute
from cmgan_audit.program.naming.names import canonical

_DROPPING = frozenset(
    f"torch.nn.functional.{name}"
    for name in ("dropout", "dropout1d", "dropout2d", "dropout3d", "alpha_dropout", "feature_alpha_dropout")
)
_TRAINING_AT = 2  # dropout(input, p, training)


@dataclass(frozen=True, slots=True)
class Dropping:
    """A call in the `forward` of a network, or in a method that this one calls.

    Attributes:
        location: where it stands.
        follows_mode: whether `eval()` ends it; else nobody says whether the network is trained.
    """

    location: Location
    follows_mode: bool


def functional_dropouts(scene: Scene, parts: Iterable[Value]) -> Iterator[Dropping]:
    """The dropouts in the parts of a network, one part of each class.

    What is told `training=True` is meant to drop whenever the network runs, as in the prenets of Tacotron.
    """
    done: set[int] = set()
    for part in parts:
        if isinstance(part, Instance) and isinstance(part.cls, ClassValue) and id(part.cls.node) not in done:
            done.add(id(part.cls.node))
            yield from _of_part(scene, part, part.cls)


def _of_part(scene: Scene, part: Instance, cls: ClassValue) -> Iterator[Dropping]:
    waiting, known = ["forward"], {"forward"}
    while waiting:
        found = class_attribute(cls, waiting.pop())
        if found is None or not isinstance(found[0], FunctionValue):
            continue
        method = found[0]
        for call in _calls(method.node):
            called = call.func
            if isinstance(called, ast.Attribute) and isinstance(called.value, ast.Name) and called.value.id == "self":
                if called.attr not in known:
                    known.add(called.attr)
                    waiting.append(called.attr)
            elif _drops(scene, method, call) and not _is_off(part, call):
                told = [*call.args[_TRAINING_AT:], *(each.value for each in call.keywords if each.arg == "training")]
                open_words = any(each.arg is None for each in call.keywords)
                if not told and not open_words:
                    yield Dropping(method.module.location(call), follows_mode=False)
                elif told and not isinstance(told[0], ast.Constant):
                    yield Dropping(method.module.location(call), follows_mode=True)


def _calls(node: ast.AST) -> Iterator[ast.Call]:
    """The calls in a function, without those behind a test of the mode: `if self.training: x = F.dropout(x)`."""
    waiting: list[ast.AST] = [node]
    while waiting:
        current = waiting.pop()
        if isinstance(current, ast.If | ast.IfExp) and _asks_for_mode(current.test):
            continue
        if isinstance(current, ast.Call):
            yield current
        waiting.extend(ast.iter_child_nodes(current))


def _asks_for_mode(test: ast.expr) -> bool:
    return any(isinstance(node, ast.Attribute) and node.attr == "training" for node in ast.walk(test))


def _drops(scene: Scene, method: FunctionValue, call: ast.Call) -> bool:
    """Whether a call is one of torch's functional dropouts, as the names of the method's file stand at the end."""
    written = ast.unparse(call.func) if isinstance(call.func, ast.Name | ast.Attribute) else ""
    if "dropout" not in written:
        return False
    first, _, rest = written.partition(".")
    environment = interpreter_of(scene.run).environments.get(method.module.path)
    value: Value | None = None if environment is None else environment.names.get(first)
    return isinstance(value, External) and canonical(f"{value.name}.{rest}".rstrip(".")) in _DROPPING


def _is_off(part: Instance, call: ast.Call) -> bool:
    """Whether the share to be dropped is known to be nothing."""
    given = [*call.args[1:2], *(each.value for each in call.keywords if each.arg == "p")]
    match given:
        case [ast.Constant(value=share)]:
            return not share
        case [ast.Attribute(value=ast.Name(id="self"), attr=name)] if name in part.attrs:
            return all(isinstance(each.value, Const) and not each.value.value for each in options_of(part.attrs[name]))
    return False
