"""Where a program reads its options: by attribute, by key, or as the parameter that `**vars(args)` fills."""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import field
from functools import cached_property

from cmgan_audit.facts.code import Reached
from cmgan_audit.facts.view import View
from cmgan_audit.finding import Location
from cmgan_audit.lazy_dataclasses import dataclass
from cmgan_audit.lazy_regex import regex
from cmgan_audit.program.domain.values import External
from cmgan_audit.program.execution.sessions import interpreter_of
from cmgan_audit.source.syntax import called_name, single_parameters, walk

_SPREAD = regex(rb"[(,]\s*\*\*")
_KEY_READERS = ("getattr", "get", "pop")
_Mention = ast.expr | ast.arg


@dataclass(frozen=True, slots=True)
class Read:
    """A place that reads an option; `joined` says that it puts the pieces of a text together again."""

    location: Location
    joined: bool


@dataclass(eq=False)
class Reads:
    """The places in reached code that read something by a name.

    Only files that hold the name are looked at, each of their functions once.
    """

    view: View
    _found: dict[str, tuple[Read, ...]] = field(default_factory=dict)
    _read_in: dict[Reached, Mapping[str, list[_Mention]]] = field(default_factory=dict)
    _read_by: dict[str, Mapping[str, list[_Mention]]] = field(default_factory=dict)

    def of(self, name: str) -> tuple[Read, ...]:
        """Where an option is read, in the order of execution of the functions."""
        if name not in self._found:
            self._found[name] = tuple(self._reads(name))
        return self._found[name]

    def anywhere(self, name: str) -> Iterator[Location]:
        """Where the files that are reached read an option, also in functions that only run where it is given."""
        for path in self.view.code.files:
            module = self.view.code.module(path)
            if module is None or module.tree is None or name.encode() not in (self.view.tree.read_bytes(path) or b""):
                continue
            if path not in self._read_by:
                self._read_by[path] = _read_in(module.tree)
            mentions = self._read_by[path].get(name, ())
            yield from (module.location(each) for each in mentions if self._spreads or not isinstance(each, ast.arg))

    def _reads(self, name: str) -> Iterator[Read]:
        word = name.encode()
        for reached in self.view.code.reached:
            if word not in (self.view.tree.read_bytes(reached.module.path) or b""):
                continue
            if reached not in self._read_in:
                self._read_in[reached] = _mentions(reached)
            for node in self._read_in[reached].get(name, ()):
                if self._is_of_library(reached, node):
                    continue
                if not isinstance(node, ast.arg) or self._spreads:
                    yield self._read(reached, node)

    def _read(self, reached: Reached, node: _Mention) -> Read:
        parent = next(iter(self.view.code.parents(reached.module.path, node)), None)
        joined = isinstance(parent, ast.Call) and node in parent.args and called_name(parent) == "join"
        return Read(reached.module.location(node), joined)

    def _is_of_library(self, reached: Reached, node: _Mention) -> bool:
        """Whether an attribute belongs to a library: `torch.cuda` is no option `--cuda`."""
        if not isinstance(node, ast.Attribute) or not isinstance(node.value, ast.Name):
            return False
        environment = interpreter_of(self.view.scene.run).environments.get(reached.module.path)
        return environment is not None and isinstance(environment.names.get(node.value.id), External)

    @cached_property
    def _spreads(self) -> bool:
        """Whether reached files call something with `**`."""
        paths = {reached.module.path for reached in self.view.code.reached}
        return any(_SPREAD.search(self.view.tree.read_bytes(path) or b"") for path in paths)


def _read_in(tree: ast.Module) -> Mapping[str, list[_Mention]]:
    """What a whole file reads by name, but for what it calls, and the parameters of its functions."""
    nodes = list(walk(tree))
    called = {node.func for node in nodes if isinstance(node, ast.Call)}
    found: dict[str, list[_Mention]] = defaultdict(list)
    for node in nodes:
        if isinstance(node, ast.arg):
            found[node.arg].append(node)
        for name, mention in _named_by(node):
            if mention not in called:
                found[name].append(mention)
    return found


def _mentions(reached: Reached) -> Mapping[str, list[_Mention]]:
    """The names that a function reads by, and its parameters."""
    found: dict[str, list[_Mention]] = defaultdict(list)
    called: set[ast.AST] = set()
    for node in reached.own_nodes():
        if isinstance(node, ast.Call):
            called.add(node.func)
        for name, mention in _named_by(node):
            if mention not in called:  # an option is a value: what is called is something else
                found[name].append(mention)
    for parameter in _parameters(reached):
        found[parameter.arg].append(parameter)
    return found


def _parameters(reached: Reached) -> list[ast.arg]:
    if isinstance(reached.node, ast.Module):
        return []
    return single_parameters(reached.node.args)


def _named_by(node: ast.AST) -> Iterator[tuple[str, ast.expr]]:
    """The names that a node reads by: `args.x`, `args["x"]`, `getattr(args, "x")`, `args.get("x")`."""
    if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Load):
        yield node.attr, node
    elif isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Load):
        if isinstance(node.slice, ast.Constant) and isinstance(node.slice.value, str):
            yield node.slice.value, node
    elif isinstance(node, ast.Call) and called_name(node) in _KEY_READERS:
        for given in node.args[:2]:
            if isinstance(given, ast.Constant) and isinstance(given.value, str):
                yield given.value, node
