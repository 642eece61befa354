"""What things are called: the names that the program assigns a loader to, read from the source."""

from __future__ import annotations

import ast

from cmgan_audit.facts.scene import Made, Scene
from cmgan_audit.facts.values import instances_of, same_object
from cmgan_audit.finding import Location
from cmgan_audit.program.values import Instance
from cmgan_audit.source.tree import SourceTree


class Assigned:
    """Names by the place of the call whose result they get: `train_loader = make(...)`."""

    def __init__(self, tree: SourceTree) -> None:
        self._tree = tree
        self._files: dict[str, dict[tuple[int, int], str]] = {}

    def at(self, place: Location) -> str:
        """The name that the call at a place is assigned to; "" when it is assigned to none."""
        if place.path not in self._files:
            module = self._tree.module(place.path)
            self._files[place.path] = {} if module is None else _targets(module)
        return self._files[place.path].get((place.line, place.column), "")


def _targets(module: ast.Module) -> dict[tuple[int, int], str]:
    found: dict[tuple[int, int], str] = {}
    for node in ast.walk(module):
        if isinstance(node, ast.Assign) and len(node.targets) == 1:
            _note(node.targets[0], node.value, found)
        elif isinstance(node, ast.AnnAssign) and node.value is not None:
            _note(node.target, node.value, found)
        elif isinstance(node, ast.Dict):
            for key, value in zip(node.keys, node.values, strict=True):
                if isinstance(key, ast.Constant) and isinstance(key.value, str):
                    found.setdefault((value.lineno, value.col_offset + 1), key.value)
    return found


def _note(target: ast.expr, value: ast.expr, found: dict[tuple[int, int], str]) -> None:
    if isinstance(target, ast.Tuple | ast.List) and isinstance(value, ast.Tuple | ast.List):
        for each, part in zip(target.elts, value.elts, strict=False):
            _note(each, part, found)
        return
    name = ""
    if isinstance(target, ast.Name):
        name = target.id
    elif isinstance(target, ast.Attribute):
        name = target.attr
    elif isinstance(target, ast.Subscript) and isinstance(target.slice, ast.Constant):
        name = str(target.slice.value)
    if not name:
        return
    for call in (value, *(value.args[:1] if isinstance(value, ast.Call) else ())):
        found.setdefault((call.lineno, call.col_offset + 1), name)
    if isinstance(value, ast.IfExp):
        _note(target, value.body, found)
        _note(target, value.orelse, found)


def names_of(scene: Scene, made: Made, assigned: Assigned) -> list[tuple[str, Location]]:
    """The names that a loader and its dataset get, with the places, nearest first."""
    found: list[tuple[str, Location]] = []
    places = [made.location, *(frame.call for frame in reversed(made.context.frames[-3:]))]
    places += [dataset.location for dataset in instances_of(made.arguments.get("dataset", 0))]
    for place in places:
        name = assigned.at(place)
        if name:
            found.append((name, place))
    for store in scene.stores:
        if isinstance(store.value, Instance) and same_object(store.value, made.loader):
            found.append((store.name, store.location))
    for event in scene.calls:
        for key, value in event.arguments.keywords.items():
            if isinstance(value, Instance) and same_object(value, made.loader):
                found.append((key, event.location))
    unique: dict[str, Location] = {}
    for name, place in found:
        unique.setdefault(name, place)
    return list(unique.items())
