"""What things are called: the names that the program assigns a loader to, read from the source."""

from __future__ import annotations

import ast
from collections import defaultdict

from cmgan_audit.facts.loading.sharing import datasets_of_others
from cmgan_audit.facts.scene import Made, Scene
from cmgan_audit.facts.values import instances_of, is_among
from cmgan_audit.finding import Location
from cmgan_audit.program.domain.values import DictValue, Instance, ListValue, Value
from cmgan_audit.program.execution.sessions import interpreter_of
from cmgan_audit.program.execution.trace import Frame
from cmgan_audit.source.syntax import last_name, walk
from cmgan_audit.source.tree import SourceTree

# Line and column of a call, and which item of its result.
_Place = tuple[int, int, int | None]
_COPIES = frozenset({"copy.copy", "copy.deepcopy"})


class Assigned:
    """Names by the place of the call whose result they get: `train_loader = make(...)`."""

    def __init__(self, tree: SourceTree) -> None:
        self._tree = tree
        self._files: dict[str, dict[_Place, str]] = {}

    def at(self, place: Location, item: int | None = None) -> str:
        """The name that the call at a place (or one item of its result) is assigned to; "" when there is none."""
        if place.path not in self._files:
            module = self._tree.module(place.path)
            self._files[place.path] = {} if module is None else _targets(module)
        return self._files[place.path].get((place.line, place.column, item), "")


def _targets(module: ast.Module) -> dict[_Place, str]:
    found: dict[_Place, str] = {}
    for node in walk(module):
        if isinstance(node, ast.Assign) and len(node.targets) == 1:
            _note(node.targets[0], node.value, found)
        elif isinstance(node, ast.AnnAssign) and node.value is not None:
            _note(node.target, node.value, found)
        elif isinstance(node, ast.Dict):
            for key, value in zip(node.keys, node.values, strict=True):
                if isinstance(key, ast.Constant) and isinstance(key.value, str):
                    found.setdefault((value.lineno, value.col_offset + 1, None), key.value)
    return found


def _note(target: ast.expr, value: ast.expr, found: dict[_Place, str]) -> None:
    if isinstance(target, ast.Tuple | ast.List):
        if isinstance(value, ast.Tuple | ast.List):
            for each, part in zip(target.elts, value.elts, strict=False):
                _note(each, part, found)
        elif isinstance(value, ast.Call):
            for position, each in enumerate(target.elts):
                found.setdefault((value.lineno, value.col_offset + 1, position), last_name(each))
        return
    name = last_name(target)
    if not name:
        return
    for call in (value, *(value.args[:1] if isinstance(value, ast.Call) else ())):
        found.setdefault((call.lineno, call.col_offset + 1, None), name)
    if isinstance(value, ast.IfExp):
        _note(target, value.body, found)
        _note(target, value.orelse, found)


class Names:
    """The names that the loaders of one run get."""

    def __init__(self, scene: Scene, assigned: Assigned) -> None:
        self._scene = scene
        self._assigned = assigned
        # By the object that is named, in order: its name, or which item of a result it is, and the place. A run may
        # make hundreds of loaders, and tens of thousands of calls.
        self._given: dict[int, list[tuple[str | int, Location]]] = defaultdict(list)
        self._copied: dict[int, Location] = {}  # where what is a copy of another object was made
        for store in scene.stores:
            self._give(store.value, store.name, store.location)
        for event in scene.calls:
            if isinstance(event.result, ListValue):
                for item, value in enumerate(event.result.items):
                    self._give(value, item, event.location)
            for key, value in event.arguments.keywords.items():
                self._give(value, key, event.location)
            for value in (event.result, *event.arguments.every):
                self._give_keys(value, event.location)
            if event.callee in _COPIES:
                self._copied |= {id(each.attrs): event.location for each in instances_of(event.result)}
        for environment in interpreter_of(scene.run).environments.values():
            for value in environment.names.values():
                self._give_keys(value, None)

    def of(self, made: Made) -> list[tuple[str, Location]]:
        """The names that a loader and its own dataset get, with the places, nearest first."""
        ways = (frame for frame in reversed(made.context.frames[-3:]) if not self._holds_several(frame, made))
        places = [made.location, *(frame.call for frame in ways)]
        shared = datasets_of_others(self._scene, made)
        for dataset in made.datasets:
            if not is_among(dataset, shared):
                places.append(self._made_at(dataset))
        found = [(self._assigned.at(place), place) for place in places]
        for name, place in self._given.get(id(made.loader.attrs), ()):
            found.append((self._assigned.at(place, name) if isinstance(name, int) else name, place))
        unique: dict[str, Location] = {}
        for word, place in found:
            if word:
                unique.setdefault(word, place)
        return list(unique.items())

    def _holds_several(self, frame: Frame, made: Made) -> bool:
        """Whether a call makes an object that holds other loaders too: `train = Trainer(...)` names none of them."""
        if frame.function.rpartition(".")[2] != "__init__":
            return False
        others = (each for each in self._scene.made if each.location != made.location)
        return any(_calls(frame, each) for each in others)

    def of_dataset(self, made: Made) -> list[tuple[str, Location]]:
        """The names that the dataset of a loader was given where it was made or split off, with the places."""
        found = []
        for dataset in made.datasets:
            place = self._made_at(dataset)
            found.append((self._assigned.at(place), place))
            for name, place in self._given.get(id(dataset.attrs), ()):
                if isinstance(name, int):
                    found.append((self._assigned.at(place, name), place))
        return [(name, place) for name, place in dict(found).items() if name]

    def _made_at(self, dataset: Instance) -> Location:
        """Where a dataset was made: what the one is called that it is a copy of tells nothing of it."""
        return self._copied.get(id(dataset.attrs), dataset.location)

    def _give_keys(self, value: Value, place: Location | None) -> None:
        """A dictionary calls its loaders and datasets by their keys: `{split: DataLoader(...) for split in splits}`."""
        if isinstance(value, DictValue):
            for key, item in value.items.items():
                if isinstance(key, str) and isinstance(item, Instance):
                    self._give(item, key, place or item.location)

    def _give(self, value: Value, name: str | int, place: Location) -> None:
        if isinstance(value, Instance):
            self._given[id(value.attrs)].append((name, place))


def _calls(frame: Frame, made: Made) -> bool:
    """Whether a loader was made below a call."""
    return any((each.call, each.function) == (frame.call, frame.function) for each in made.context.frames)
