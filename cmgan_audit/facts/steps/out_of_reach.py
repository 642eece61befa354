"""The lines that a run may have come to on a way that was not followed, without those that it cannot come to.

Where gradients are never seen to be set back, or a scheduler never to step, a line that would do it may still have been
reached on a way that was not followed. The other trainings of a repository are no such lines: a function of
another script, of which other names were imported, and a trainer that no object is of.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator, Mapping, Sequence

from cmgan_audit.facts.classes import tree_classes
from cmgan_audit.facts.code import Reached, Stack
from cmgan_audit.facts.passes.outside_helpers import looks_on
from cmgan_audit.facts.selection.ways import was_taken
from cmgan_audit.facts.slices import Found
from cmgan_audit.facts.values import instances_of, same_object
from cmgan_audit.facts.view import View
from cmgan_audit.lazy_dataclasses import dataclass
from cmgan_audit.program.domain.values import ClassValue, External, FunctionValue, Instance, Value
from cmgan_audit.program.execution.sessions import interpreter_of
from cmgan_audit.program.execution.trace import CallEvent
from cmgan_audit.program.language.classes import class_attribute
from cmgan_audit.program.naming.modules import Module
from cmgan_audit.source.syntax import NamedFunction, first_of, is_line_of, walk

# How many calls may lead to a line.
_MOST_CALLS = 2
_DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
_Definition = NamedFunction | ast.ClassDef
# What gives any definition of a module or any class by a name that is a value, or all of them.
_FINDS_ANY = frozenset(
    "globals locals eval exec __import__ import_module getmembers __subclasses__ locate instantiate get_class"
    " get_method get_object".split()
)
_FINDS_IN_MODULE = frozenset({"getattr", "vars", "dir"})


def lines_in_reach(view: View, wanted: re.Pattern[str]) -> Iterator[tuple[str, int, re.Match[str]]]:
    """The lines of the files that a run executed code of in which something is found, without their comments.

    Each is given with its path, its number and the match; code that the run cannot come to is left out.
    """
    modules = {each.module.path: each.module for each in view.code.reached}
    found = [
        (path, number, match)
        for path in sorted(modules)
        for number, line in enumerate((view.tree.text(path) or "").splitlines(), start=1)
        if (match := wanted.search(line.partition("#")[0])) is not None
    ]
    apart = _apart(view, modules) if found else []
    for path, number, match in found:
        if not any(each.module.path == path and each.holds(number) for each in apart):
            yield path, number, match


def is_left_aside(view: View, path: str, number: int) -> bool:
    """Whether the settings of a run lead past a line: its branch is not taken, or only such branches call its function.

    Args:
        view: the run.
        path: the file.
        number: the line.
    """
    return any(_is_passed_by(view, path, node, _MOST_CALLS) for node in _calls_on(view, path, number))


def is_replaced(view: View, path: str, number: int) -> bool:
    """Whether a line is in a method that no object of a run has, or that only such methods call.

    A student's trainer has a `train_epoch` of its own in the place of that of its base class, and what only the latter
    called, to step a scheduler, nobody calls any more.
    """
    return any(_is_replaced(view, path, node, _MOST_CALLS) for node in _calls_on(view, path, number))


def _calls_on(view: View, path: str, number: int) -> Iterator[ast.Call]:
    for node in view.code.nodes(path):
        if isinstance(node, ast.Call) and is_line_of(number, node, node.func):
            yield node


def _is_replaced(view: View, path: str, node: ast.expr, calls: int) -> bool:
    around = view.code.around(path, node)
    if around is None or isinstance(around.node, ast.Module) or around.node in view.code.activations.values():
        return False
    return _is_overridden(view, path, around.node, around.name) or _all_mentions(
        view, path, around, calls, _is_replaced
    )


def _is_overridden(view: View, path: str, method: ast.AST, name: str) -> bool:
    """Whether every object that would have a method has another one of that name, and none asks for this one."""
    holder = first_of(view.code.parents(path, method), ast.ClassDef)
    if holder is None:
        return False
    if any(_asks_for(view, at, mention, holder) for at, mention in _mentions(view, name)):
        return False
    objects = [each for each in _objects(view) if _is_of(each, holder)]
    handed = (event for each in objects if isinstance(each, Instance) for event in view.scene.handed(each))
    if any((event.is_elsewhere or event.callee.startswith("?")) and not looks_on(event) for event in handed):
        return False
    classes = [each.cls if isinstance(each, Instance) else each for each in objects]
    held = [class_attribute(each, name) for each in classes if isinstance(each, ClassValue)]
    return bool(held) and all(each is not None and getattr(each[0], "node", method) is not method for each in held)


def _asks_for(view: View, path: str, mention: ast.expr, holder: ast.ClassDef) -> bool:
    """Whether a method is asked for by the class that has it, or by its name as a text.

    `super().train_epoch()`, `Trainer.train_epoch(self)`, `getattr(trainer, "train_epoch")`.
    """
    match mention:
        case ast.Constant() | ast.Attribute(value=ast.Call()):
            return True
        case ast.Attribute(value=ast.Attribute(attr=name)):
            return name == holder.name
        case ast.Attribute(value=ast.Name(id=name)):
            module = interpreter_of(view.scene.run).environments.get(path)
            owner = module.names.get(name) if module is not None else None
            return name == holder.name or (isinstance(owner, ClassValue) and _is_of(owner, holder))
    return False


def _is_of(value: Value | None, holder: ast.ClassDef) -> bool:
    """Whether a value is a class, or an object of one, that is or derives from the class of a definition."""
    return any(each.node is holder for each in tree_classes(value.cls if isinstance(value, Instance) else value))


def _is_passed_by(view: View, path: str, node: ast.expr, calls: int) -> bool:
    around = view.code.around(path, node)
    if around is None:
        return False
    stacks: list[Stack] = [()]
    if not isinstance(around.node, ast.Module):
        stacks = [stack for stack, function in view.code.activations.items() if function is around.node]
    if stacks:
        return all(was_taken(view, Found(node, path, stack)) is False for stack in stacks)
    return _all_mentions(view, path, around, calls, _is_passed_by)


def _all_mentions(
    view: View, path: str, function: Reached, calls: int, judge: Callable[[View, str, ast.expr, int], bool]
) -> bool:
    """Whether something holds wherever the files of a run speak of a function, with one call less to go through."""
    if not calls or _is_called_unseen(view, path, function.node):
        return False
    mentions = list(_mentions(view, function.name))
    return bool(mentions) and all(judge(view, at, each, calls - 1) for at, each in mentions)


def _is_called_unseen(view: View, path: str, function: ast.AST) -> bool:
    """Whether what is not in the tree may call a function: a base class its method, or what it is decorated with."""
    if getattr(function, "decorator_list", []):
        return True
    holder = first_of(view.code.parents(path, function), ast.ClassDef)
    waiting, seen = [] if holder is None else list(holder.bases), {"object", "ABC", "Module"}
    modules = {each.module.path: each.module for each in view.code.reached}.values() if waiting else ()
    classes = {node.name: node for module in modules for node in walk(module.tree) if isinstance(node, ast.ClassDef)}
    while waiting:
        base = waiting.pop()
        name = getattr(base, "id", getattr(base, "attr", ""))
        if name in seen:
            continue
        seen.add(name)
        if name not in classes:
            return True
        waiting += classes[name].bases
    return False


def _mentions(view: View, name: str) -> Iterator[tuple[str, ast.expr]]:
    """Where the files of a run speak of a function or method by its name, in a text too."""
    for path in sorted({each.module.path for each in view.code.reached}):
        for node in view.code.nodes(path):
            match node:
                case ast.Name(id=said) | ast.Attribute(attr=said) | ast.Constant(value=str() as said) if said == name:
                    yield path, node


@dataclass(frozen=True, slots=True, eq=False)
class _Defined:
    """A function or class at the top of a module."""

    module: Module
    node: _Definition

    def holds(self, line: int) -> bool:
        """Whether a line is one of its own."""
        return is_line_of(line, self.node)


def _apart(view: View, modules: Mapping[str, Module]) -> Sequence[_Defined]:
    """The definitions of a run's files that nothing which the run may come to speaks of, as far as names tell.

    A decorator may have put one where it is looked up by another name, and so may a base class.
    """
    executed: set[ast.AST] = {each.node for each in view.code.reached}
    objects = _classes_of_objects(view)
    everything = [_Defined(module, node) for module in modules.values() for node in _outermost(module)]
    registers = any(map(_tells_of_subclasses, everything))
    apart: list[_Defined] = []
    waiting = [(module, _outside(module, module.path == view.scene.run.entry)) for module in modules.values()]
    for each in everything:
        definition = each.node
        registered = registers and isinstance(definition, ast.ClassDef) and bool(definition.bases)
        used = definition.decorator_list or definition in objects or not executed.isdisjoint(walk(definition))
        if registered or used:
            waiting.append((each.module, walk(definition)))
        else:
            apart.append(each)
    libraries = _libraries(view)
    while waiting and apart:
        module, nodes = waiting.pop()
        read = _Read(module, libraries.get(module.path, frozenset()))
        for node in nodes:
            read.add(node)
        if read.anything:
            return []
        named = [each for each in apart if read.names(each)]
        apart = [each for each in apart if each not in named]
        waiting += [(each.module, walk(each.node)) for each in named]
    return apart


def _outermost(module: Module) -> list[_Definition]:
    return [node for node in module.tree.body if isinstance(node, _DEFINITIONS)] if module.tree is not None else []


def _tells_of_subclasses(defined: _Defined) -> bool:
    """Whether a class gets to know the classes that derive from it."""
    node = defined.node
    if not isinstance(node, ast.ClassDef):
        return False
    hooks = (each.name for each in node.body if isinstance(each, ast.FunctionDef))
    return any(each.arg == "metaclass" for each in node.keywords) or "__init_subclass__" in hooks


def _outside(module: Module, is_script: bool) -> list[ast.AST]:
    """What a module executes when it is imported or, where it is the script, started: definitions without bodies."""
    waiting: list[ast.AST] = list(module.tree.body) if module.tree is not None else []
    found: list[ast.AST] = []
    while waiting:
        node = waiting.pop()
        match node:
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                waiting += [node.args, *node.decorator_list]
            case ast.ClassDef():
                waiting += [*node.bases, *node.keywords, *node.decorator_list, *node.body]
            case ast.If() if not is_script and any(
                isinstance(each, ast.Name) and each.id == "__name__" for each in walk(node.test)
            ):
                pass  # what a file does when it is the script, and here it is not
            case _:
                found += walk(node)
    return found


def _libraries(view: View) -> Mapping[str, frozenset[str]]:
    """The names in the modules of a run that mean something of a library."""
    environments = interpreter_of(view.scene.run).environments
    return {
        path: frozenset(name for name, value in each.names.items() if isinstance(value, External))
        for path, each in environments.items()
    }


class _Read:
    """The names that some code of a module reads."""

    def __init__(self, module: Module, libraries: frozenset[str]) -> None:
        self._module = module
        self._own = {node.name for node in _outermost(module)}
        self._imported = dict(_imported(module))
        self._modules = set(self._imported) - libraries
        self._plain: set[str] = set()
        self._parts: set[str] = set()
        self.anything = False

    def names(self, defined: _Defined) -> bool:
        """Whether the code speaks of a definition: by its name, as a part of a module, or in a text with dots."""
        name = defined.node.name
        by_name = name in self._plain and (defined.module is self._module or name not in self._own)
        return by_name or name in self._parts

    def add(self, node: ast.AST) -> None:
        """Notes what one node reads."""
        match node:
            case ast.Name(id=name) | ast.Attribute(attr=name) if name in _FINDS_ANY:
                self.anything = True
            case ast.Name(id=name, ctx=ast.Load()):
                self._plain.add(name)
                self._parts.add(self._imported.get(name, ""))
            case ast.Attribute(attr=name) if _root(node) in self._imported:
                self._parts.add(name)
                self.anything |= name == "__dict__" and _root(node) in self._modules
            case ast.Call(func=ast.Name(id=name), args=[holder, *rest]) if name in _FINDS_IN_MODULE:
                if _root(holder) in self._modules:
                    part = rest[0].value if rest and isinstance(rest[0], ast.Constant) else None
                    self._parts.add(part if isinstance(part, str) else "")
                    self.anything |= not isinstance(part, str)
            case ast.Constant(value=str() as text) if "." in text and len(text.split()) == 1:
                self._parts.add(text.rpartition(".")[2])


def _root(node: ast.expr) -> str:
    while isinstance(node, ast.Attribute):
        node = node.value
    return node.id if isinstance(node, ast.Name) else ""


def _imported(module: Module) -> Iterator[tuple[str, str]]:
    """The names that the imports of a file bind, in functions too, each with what it is called where it comes from."""
    for node in walk(module.tree):
        match node:
            case ast.Import(names=names):
                for alias in names:
                    yield (alias.asname or alias.name).partition(".")[0], ""
            case ast.ImportFrom(names=names):
                for alias in names:
                    yield alias.asname or alias.name, alias.name


def is_held_by_others(view: View, thing: Instance, path: str, number: int, name: str) -> bool:
    """Whether `self.name` on a line is something else than `thing`, by the objects that the line may be about.

    Two networks that bring an optimiser each do not set back each other's gradients, though one class may be made where
    the other was: something is held by an object that is known, and none of the line's class holds it by this name.
    What it or its holder is handed to and is not known, as a class out of a registry, may hold it too.
    """
    around = [each for each in view.code.nodes(path) if isinstance(each, ast.ClassDef) and is_line_of(number, each)]
    objects = [each for each in _objects(view) if isinstance(each, Instance) and isinstance(each.cls, ClassValue)]
    holders = [
        each
        for each in objects
        if any(isinstance(one, Instance) and same_object(one, thing) for one in each.attrs.values())
    ]
    handed = (event for each in (thing, *holders) for event in view.scene.handed(each))
    if not around or not holders or any(event.is_elsewhere or event.callee.startswith("?") for event in handed):
        return False
    for each in objects:
        there = each.attrs.get(name)
        if _is_of(each, around[-1]) and (not isinstance(there, Instance) or same_object(there, thing)):
            return False
    return True


def _classes_of_objects(view: View) -> set[ast.AST]:
    """The classes of the tree that an object of the run is of, with what these derive from."""
    held = (value.cls if isinstance(value, Instance) else value for value in _objects(view))
    classes = {each.node: each for each in held if isinstance(each, ClassValue)}
    return {each.node for cls in classes.values() for each in tree_classes(cls)}


def _objects(view: View) -> Iterator[Value | None]:
    """What the methods of a run were called of, and what its calls gave: objects, and classes of class methods."""
    events = view.scene.run.events
    for frames in {id(event.context): event.context.frames for event in events}.values():
        yield from (frame.value.bound_to for frame in frames if isinstance(frame.value, FunctionValue))
    for event in events:
        if isinstance(event, CallEvent):
            yield from instances_of(event.result)
