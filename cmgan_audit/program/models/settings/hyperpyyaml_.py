"""HyperPyYAML: references with arithmetic, objects made in YAML, includes, overrides of the command line.

Objects are made as if the program had called their class where they stand in the file, so that a seed or a data set
that a recipe makes in YAML is seen like any other.
"""

from __future__ import annotations

import ast
import operator
import posixpath
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from cmgan_audit.finding import Step, Trail
from cmgan_audit.lazy_regex import regex
from cmgan_audit.program.domain.reasons import naming, not_in_tree, required
from cmgan_audit.program.domain.values import (
    Arguments,
    Const,
    Constant,
    DictValue,
    Key,
    ListValue,
    ModuleValue,
    Unknown,
    Value,
)
from cmgan_audit.program.models.files import FileContent, each_path, path_of
from cmgan_audit.program.models.lifting import as_dict, dotted, scalar_value
from cmgan_audit.program.models.needed_files import NeededOption
from cmgan_audit.program.models.registry import ModelCall, derives, listing, model
from cmgan_audit.program.models.running import located
from cmgan_audit.source.data_files.formats import read_text
from cmgan_audit.source.data_files.nodes import DataError, DataNode, Mapping, Scalar, Sequence

derives("speechbrain.utils.data_utils.load_extended_yaml", "hyperpyyaml.load_hyperpyyaml")
derives("speechbrain.yaml.load_extended_yaml", "hyperpyyaml.load_hyperpyyaml")
derives("hyperpyyaml.core.load_hyperpyyaml", "hyperpyyaml.load_hyperpyyaml")

_REFERENCE = regex(r"<[^>]*>")
_TUPLE = regex(r"^\(.*\)$")
_OPERATORS: dict[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
}
# What PyYAML itself calls by a tag: recipes were written so before HyperPyYAML had tags of its own for it.
_TAGS_OF_PYYAML = {
    "!!python/object/apply": "!apply",
    "!!python/object/new": "!new",
    "!!python/name": "!name",
    "!!python/module": "!module",
}
_DEEPEST = 60
_MOST_NODES = 20_000

Path = tuple[Constant, ...]


@model("hyperpyyaml.load_hyperpyyaml")
def _load(call: ModelCall) -> Value | None:
    source, overrides = call.get("yaml_stream", 0), call.get("overrides", 1)
    if source is None:
        return None
    if isinstance(source, Const) and isinstance(source.value, str):
        try:
            node = read_text(call.location.path, source.value, "yaml12")
        except DataError as error:
            return Unknown(reason=error.reason)
        return Recipe(call, call.location.path, node, overrides_of(overrides)).load()
    if isinstance(source, Unknown) and not isinstance(source, FileContent):
        reason = naming(f"which recipe is loaded is not known: {source.reason}", source.reason)
        return Unknown(reason=reason, trail=source.trail)
    return each_path(call, path_of(source), lambda path: recipe(call, path, overrides_of(overrides)))


def recipe(call: ModelCall, path: str, overrides: DictValue | None) -> Value:
    """The hyperparameters of one file of the tree."""
    try:
        node = call.interpreter.tree.read_data(path, "yaml12")
    except DataError as error:
        call.interpreter.limit(call.location, f"{path}:{error.line}: {error.reason}")
        return Unknown(reason=f"{path}: {error.reason}")
    return Recipe(call, path, node, overrides).load()


def overrides_of(value: Value | None) -> DictValue | None:
    """Overrides as a dictionary: given as one, or as a YAML text."""
    if value is None or (isinstance(value, Const) and not value.value):
        return None
    held = as_dict(value)
    if held is not None:
        return held
    if isinstance(value, Const) and isinstance(value.value, str):
        from cmgan_audit.program.models.settings.interpolation import argument

        made = argument(value.value, value.trail[-1] if value.trail else None)
        return made if isinstance(made, DictValue) else None
    return DictValue(items={}, complete=False, origin="overrides that are not known")


class Recipe:
    """One file with its overrides. Every node is made once; a reference gives the same object."""

    def __init__(self, call: ModelCall, path: str, node: DataNode, overrides: DictValue | None) -> None:
        self.call = call
        self.path = path
        self.root = node
        self.overrides = overrides
        self.made: dict[int, Value] = {}
        self.active: list[str] = []
        self.left = _MOST_NODES

    def load(self) -> Value:
        """The dictionary that the program gets: entries that start with two underscores are made and dropped."""
        if not isinstance(self.root, Mapping):
            return self.value(self.root, ())
        items: dict[Key, Value] = {}
        for key, node in self.root.entries.items():
            if key is None or isinstance(key, bool | int | float | str):
                value = self.value(node, (key,))
                if not str(key).startswith("__"):
                    items[key] = value
        for name, value in (self.overrides.items if self.overrides is not None else {}).items():
            items.setdefault(name, value)
        known = self.overrides is None or self.overrides.complete
        return DictValue(items=items, origin=self.path, complete=known)

    # Nodes

    def value(self, node: DataNode, path: Path) -> Value:
        """What stands at a node, overridden, resolved and made."""
        self.left -= 1
        if len(path) > _DEEPEST or self.left < 0:
            return Unknown(reason=f"{self.path} is nested too deeply")
        override = self._override(path)
        if override is not None and not (isinstance(override, DictValue) and isinstance(node, Mapping)):
            return override
        if isinstance(node, Scalar):
            return self._scalar(node, path)
        if id(node) not in self.made:
            self.made[id(node)] = Unknown(reason="it contains itself")
            self.made[id(node)] = self._collection(node, path)
        return self.made[id(node)]

    def _override(self, path: Path) -> Value | None:
        value: Value | None = self.overrides
        for key in path:
            value = value.items.get(key) if isinstance(value, DictValue) else None
            if value is None:
                return None
        return value if path else None

    def _scalar(self, node: Scalar, path: Path) -> Value:
        key = _key(path)
        step = Step(node.location, f"{key} is {_written(node)} in {self._name}")
        if node.tag in {"!ref", "!copy"}:
            return self._reference(str(node.value), step)
        if node.tag == "!PLACEHOLDER":
            flag = f"--{path[0]!s}" if path else ""
            reason = required(f"{key} is a !PLACEHOLDER and must be given")
            return NeededOption(reason=reason, flag=flag, trail=(step,))
        if node.tag == "!tuple" or (not node.tag and node.text and _TUPLE.match(node.text)):
            return self._tuple(node, path)
        if node.tag:
            return self._made(node.tag, Arguments(), node)
        return scalar_value(node, self._name, key)

    def _tuple(self, node: Scalar, path: Path) -> Value:
        try:
            inner = read_text(self.path, f"[{str(node.value)[1:-1]}]", "yaml")
        except DataError:
            return Unknown(reason=f"{_written(node)} is no tuple")
        moved = [replace(item, location=node.location) for item in inner.items] if isinstance(inner, Sequence) else []
        return listing([self.value(item, (*path, number)) for number, item in enumerate(moved)], "tuple")

    def _collection(self, node: Sequence | Mapping, path: Path) -> Value:
        if isinstance(node, Sequence):
            items = [self.value(item, (*path, number)) for number, item in enumerate(node.items)]
            if node.tag and node.tag != "!tuple":
                return self._made(node.tag, Arguments(positional=tuple(items)), node)
            return listing(items, "tuple" if node.tag else "list")
        if node.tag.startswith("!include:"):
            return self._include(node, path)
        entries: dict[Key, Value] = {}
        for key, below in node.entries.items():
            if key is None or isinstance(key, bool | int | float | str):
                entries[key] = self.value(below, (*path, key))
        override = self._override(path)
        for name, value in (override.items if isinstance(override, DictValue) else {}).items():
            entries.setdefault(name, value)
        if not node.tag:
            return DictValue(items=entries, origin=f"{self.path}: {_key(path)}")
        return self._made(node.tag, _keywords(entries), node)

    @property
    def _name(self) -> str:
        return posixpath.basename(self.path)

    # References

    def _reference(self, text: str, step: Step) -> Value:
        if text in self.active or len(self.active) > _DEEPEST:
            return Unknown(reason=f"{text} refers to itself", trail=(step,))
        self.active.append(text)
        try:
            return self._resolved(text, step)
        finally:
            self.active.pop()

    def _resolved(self, text: str, step: Step) -> Value:
        if _REFERENCE.fullmatch(text):
            target = self._at(text.strip("<>"), step)
            return target.via(step.location, step.note) if isinstance(target, Const | Unknown) else target
        parts: list[str] = []
        end = 0
        trail: Trail = (step,)
        for match in _REFERENCE.finditer(text):
            value = self._at(match.group().strip("<>"), step)
            if not isinstance(value, Const):
                reason = value.reason if isinstance(value, Unknown) else f"{match.group()} is no plain value"
                return Unknown(reason=reason, trail=(*value.trail, step))
            trail = (*value.trail, step) if len(trail) == 1 else trail
            parts += [text[end : match.start()], _as_text(value.value)]
            end = match.end()
        joined = "".join([*parts, text[end:]])
        try:
            return Const(value=arithmetic(joined), trail=trail)
        except ArithmeticError as error:
            return Unknown(reason=f"{text}: {error}", trail=trail)

    def _at(self, reference: str, step: Step) -> Value:
        """The value at `key[sub][sub].attribute`."""
        reference, _, attribute = reference.partition(".")
        node: DataNode | None = self.root
        path: Path = ()
        value: Value | None = None
        for part in reference.split("["):
            part = part.strip("]")
            if value is not None or node is None:
                break
            key, node = _child(node, part)
            path = (*path, key)
            if isinstance(node, Mapping | Sequence) and node.tag:
                value = self.value(node, path)
        rest = reference.split("[")[len(path) :]
        if value is None and node is None:
            value = self._override(path) or Unknown(reason=f"<{reference}> is not in {self._name}", trail=(step,))
        elif value is None and node is not None:
            value = self._plain_text(node, path, step)
        assert value is not None
        for part in rest:
            held = as_dict(value)
            value = held.items.get(part.strip("]")) if held is not None else None
            if value is None:
                return Unknown(reason=f"<{reference}> is not in {self._name}", trail=(step,))
        return self.call.interpreter.attribute(value, attribute, step.location) if attribute else value

    def _plain_text(self, node: DataNode, path: Path, step: Step) -> Value:
        """A text without a tag that holds references is resolved when something refers to it."""
        value = self.value(node, path)
        if isinstance(value, Const) and isinstance(value.value, str) and _REFERENCE.search(value.value):
            return self._reference(value.value, step)
        return value

    # Objects

    def _made(self, tag: str, arguments: Arguments, node: DataNode) -> Value:
        call = replace(self.call, location=node.location)
        kind, _, name = tag.partition(":")
        kind = _TAGS_OF_PYYAML.get(kind, kind)
        if kind == "!include":
            return self._include_file(name, None)
        if kind not in {"!new", "!name", "!module", "!apply", "!applyref"} or not name:
            return Unknown(reason=f"the tag {tag} is the program's own")
        target = located(call, name)
        if kind == "!module" or (kind == "!name" and not arguments.positional and not arguments.keywords):
            return target
        if kind == "!name":
            if isinstance(target, ModuleValue | Unknown):
                return target
            made = call.instance("functools.partial", function=target, arguments=arguments)
            return replace(made, arguments=replace(arguments, positional=(target, *arguments.positional)))
        if kind == "!applyref":
            arguments = _spread(arguments)
        return call.interpreter.call(target, arguments, node.location)

    def _include(self, node: Mapping, path: Path) -> Value:
        overrides: dict[Key, Value] = {
            key: self.value(below, (*path, key)) for key, below in node.entries.items() if isinstance(key, str)
        }
        return self._include_file(node.tag.partition(":")[2], DictValue(items=overrides))

    def _include_file(self, name: str, overrides: DictValue | None) -> Value:
        found = self.call.interpreter.tree.resolve(name, [posixpath.dirname(self.path), ""])
        if found is None or len(self.active) > _DEEPEST:
            return Unknown(reason=not_in_tree(f"{name}, which {self._name} includes,"))
        self.active.append(found)
        try:
            if self.active.count(found) > 3:
                return Unknown(reason=f"{name} includes itself")
            node = self.call.interpreter.tree.read_data(found, "yaml12")
            inner = Recipe(self.call, found, node, overrides)
            inner.active = self.active
            return inner.load()
        except DataError as error:
            return Unknown(reason=f"{found}: {error.reason}")
        finally:
            self.active.pop()


def _child(node: DataNode, part: str) -> tuple[Constant, DataNode | None]:
    if isinstance(node, Mapping):
        found = node.entries.get(part)
        if found is None and part.lstrip("-").isdigit():
            return int(part), node.entries.get(int(part))
        return part, found
    return part, None


def _keywords(entries: dict[Key, Value]) -> Arguments:
    return Arguments(keywords={str(key): value for key, value in entries.items()})


def _spread(arguments: Arguments) -> Arguments:
    """`_args` and `_kwargs` of an !applyref."""
    first, named = arguments.keywords.get("_args"), arguments.keywords.get("_kwargs")
    if len(arguments.keywords) != 2 or not isinstance(first, ListValue) or not isinstance(named, DictValue):
        return arguments
    return Arguments(positional=tuple(first.items), keywords={str(key): value for key, value in named.items.items()})


def _key(path: Path) -> str:
    text = ""
    for part in path:
        text = f"{text}[{part}]" if isinstance(part, int) and not isinstance(part, bool) else dotted(text, part)
    return text


def _written(node: Scalar) -> str:
    """A scalar as it stands in the file."""
    return f"{node.tag} {node.value!s}".strip()


def _as_text(value: Constant) -> str:
    return value if isinstance(value, str) else str(value)


def arithmetic(text: str) -> Constant:
    """The value of an expression of numbers; any other text is itself, as HyperPyYAML has it.

    Raises ArithmeticError where the program would.
    """
    if len(text) > 2000:
        return text
    try:
        value: Constant = _computed(ast.parse(text, mode="eval").body)
    except (TypeError, SyntaxError, KeyError, ValueError, RecursionError, MemoryError):
        return text
    return value


def _computed(node: ast.expr) -> Any:
    if isinstance(node, ast.Constant):
        return node.value
    if isinstance(node, ast.BinOp):
        left, right = _computed(node.left), _computed(node.right)
        if isinstance(node.op, ast.Pow):
            if not isinstance(right, int | float) or abs(right) > 64:
                raise TypeError
            return left**right
        if isinstance(left, str) or isinstance(right, str):
            raise TypeError
        return _OPERATORS[type(node.op)](left, right)
    raise TypeError


__all__ = ["Recipe", "arithmetic", "overrides_of", "recipe"]
