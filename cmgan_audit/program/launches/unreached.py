"""Loaders in code that no script reaches: executed on their own when something refers to them.

A function that nothing in the tree mentions is dead and stays unseen. A hook that a framework calls, a helper that is
referred to, and everything in a tree without scripts is executed with unknown arguments.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from dataclasses import replace

from cmgan_audit.finding import Location, Step
from cmgan_audit.lazy_dataclasses import dataclass
from cmgan_audit.program.domain.reasons import given_by_caller
from cmgan_audit.program.domain.values import Arguments, ClassValue, Const, FunctionValue, Unknown, Value
from cmgan_audit.program.execution.imports import environment_of
from cmgan_audit.program.execution.interpreter import BudgetExceededError, Interpreter, ProgramRaisedError
from cmgan_audit.program.execution.sessions import module_activation_of, new_session
from cmgan_audit.program.execution.trace import Condition, Launch, Run
from cmgan_audit.program.language.attributes import attribute
from cmgan_audit.program.language.classes import class_attribute
from cmgan_audit.program.naming.modules import Module, ModuleIndex
from cmgan_audit.source.syntax import NamedFunction, single_parameters, walk
from cmgan_audit.source.tree import SourceTree

NOT_REACHED = "not reached from any script"
_HOOKS = frozenset(
    {
        "train_dataloader",
        "val_dataloader",
        "test_dataloader",
        "predict_dataloader",
        "get_train_dataloader",
        "get_eval_dataloader",
        "make_dataloader",
        "setup",
    }
)


@dataclass(frozen=True, slots=True)
class Place:
    """An outermost function, or a method with its class, in which a loader is built."""

    location: Location
    function: NamedFunction
    owner: ast.ClassDef | None

    @property
    def names(self) -> set[str]:
        """The names by which code would refer to it."""
        if self.owner is not None and self.function.name.startswith("__"):
            return {self.owner.name}
        return {self.function.name}

    def is_live(self, mentioned: set[str]) -> bool:
        """Whether a framework calls it, or code of the tree mentions it."""
        return self.function.name in _HOOKS or bool(self.names & mentioned)


def places(tree: SourceTree) -> Iterator[Place]:
    """The functions of the tree that build a loader."""
    for path in tree.python_files:
        if b"DataLoader" not in (tree.read_bytes(path) or b"") or "test" in path.lower().split("/")[-1]:
            continue
        parsed = tree.parsed(path)
        for function, cls in _functions(parsed.tree) if parsed is not None else ():
            if parsed is not None and _builds_loader(function):
                yield Place(parsed.location(function), function, cls)


def _functions(module: ast.Module) -> Iterator[tuple[NamedFunction, ast.ClassDef | None]]:
    """The functions of a module and the methods of its classes, each with its class."""
    for node in module.body:
        if isinstance(node, NamedFunction):
            yield node, None
        elif isinstance(node, ast.ClassDef):
            methods = (inner for inner in node.body if isinstance(inner, NamedFunction))
            yield from ((method, node) for method in methods)


def referred_to(tree: SourceTree, waiting: Sequence[Place]) -> set[str]:
    """Which of the places' names code of the tree reads."""
    return _mentioned(tree, {name for place in waiting for name in place.names})


def _builds_loader(function: NamedFunction) -> bool:
    for node in walk(function):
        if isinstance(node, ast.Call):
            callee = node.func
            name = (
                callee.attr if isinstance(callee, ast.Attribute) else callee.id if isinstance(callee, ast.Name) else ""
            )
            if name == "DataLoader":
                return True
    return False


def _mentioned(tree: SourceTree, names: set[str]) -> set[str]:
    """Which of the names code of the tree reads; definitions and imports of a name are no mention."""
    found: set[str] = set()
    for path in (*tree.python_files, *tree.notebooks):
        content = tree.read_bytes(path) or b""
        missing = [name for name in names - found if name.encode() in content]
        parsed = tree.parsed(path) if missing else None
        if parsed is None:
            continue
        for node in walk(parsed.tree):
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load) and node.id in names:
                found.add(node.id)
            elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Load) and node.attr in names:
                found.add(node.attr)
    return found


def execute_place(tree: SourceTree, index: ModuleIndex, place: Place) -> Run:
    """Execute a function with unknown arguments, after the top level of its file."""
    path = place.location.path
    it = new_session(tree, index, path, Launch(condition=NOT_REACHED, location=Location(path, 1)))
    module = index.at(path)
    if module is None:
        return it.run
    try:
        scope = environment_of(it, module)
        it.context = replace(it.context, conditions=(Condition(NOT_REACHED, module.location(place.function)),))
        with module_activation_of(it, module):
            _call(it, place, scope.names, module)
    except ProgramRaisedError as error:
        it.limit(error.location, f"{place.function.name} ends here: {error.name or 'an error'} is raised")
    except BudgetExceededError:
        it.run.limits.append(Step(Location(path, place.function.lineno), "too many steps to be followed"))
    return it.run


def _call(it: Interpreter, place: Place, names: dict[str, Value], module: Module) -> None:
    where = module.location(place.function)
    if place.owner is None:
        target: Value = names.get(place.function.name, Unknown(reason="a function that is gone"))
    else:
        cls = names.get(place.owner.name)
        if not isinstance(cls, ClassValue):
            return
        constructor = class_attribute(cls, "__init__")
        # In a place of its own: of two functions that one place calls, only one ever runs.
        made = it.call(cls, unknown_arguments(constructor[0] if constructor else None), module.location(place.owner))
        if place.function.name == "__init__":
            return
        target = attribute(it, made, place.function.name, where)
    if isinstance(target, FunctionValue) and target.node is place.function:
        it.call(target, unknown_arguments(target), where)


def unknown_arguments(function: Value | None) -> Arguments:
    """Arguments of which nothing is known; parameters with a default keep it, for callers to override."""
    if not isinstance(function, FunctionValue):
        return Arguments()
    spec = function.node.args
    keywords: dict[str, Value] = {}
    parameters = single_parameters(spec)
    own = 1 if function.defined_in is not None and parameters else 0
    for parameter in parameters[own:]:
        default = function.defaults.get(parameter.arg)
        if default is None:
            keywords[parameter.arg] = Unknown(reason=given_by_caller(parameter.arg, function.qualname))
        elif isinstance(default, Const):
            note = f"{parameter.arg} defaults to {default.value!r} in {function.qualname}"
            started = default if default.trail else default.via(function.module.location(parameter), note)
            keywords[parameter.arg] = replace(started, overridable="the caller")
    return Arguments(keywords=keywords)
