"""Constructors of dataset classes: where a flag is taken and kept, and whether every object would get it."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from cmgan_audit.finding import Edit, Location
from cmgan_audit.fixes.case import Sources
from cmgan_audit.fixes.document import UnrecognisedShapeError
from cmgan_audit.fixes.python_text import PythonText
from cmgan_audit.lazy_dataclasses import dataclass
from cmgan_audit.source.syntax import NamedFunction, last_name, walk


@dataclass(frozen=True, slots=True)
class Constructor:
    """The `__init__` of one class."""

    source: PythonText
    cls: ast.ClassDef
    function: NamedFunction

    def names(self) -> set[str]:
        """The names that a new parameter or attribute must not take."""
        arguments = self.function.args
        every = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs, arguments.vararg, arguments.kwarg]
        taken = {each.arg for each in every if each is not None}
        for node in walk(self.cls):
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "self":
                taken.add(node.attr)
            elif isinstance(node, NamedFunction | ast.ClassDef):
                taken.add(node.name)
            elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
                taken.add(node.id)
        return taken

    def take_and_keep(self, name: str, default: str) -> list[Edit]:
        """The edits that give it one more parameter and keep that as an attribute of the same name."""
        source, function = self.source, self.function
        parameter = source.add_parameter(function, name, "str", source.literal(default))
        keep = f"self.{name} = {name}"
        opening = list(_opening(function))
        rest = function.body[len(opening) :]
        return [parameter, source.insert_before(rest[0], keep) if rest else source.insert_after(opening[-1], keep)]


def _opening(function: NamedFunction) -> Iterator[ast.stmt]:
    """The docstring and the call of the base class's constructor at the beginning of a function."""
    for statement in function.body:
        value = statement.value if isinstance(statement, ast.Expr) else None
        text = isinstance(value, ast.Constant) and isinstance(value.value, str)
        if not text and not (value is not None and _is_base_constructor(value)):
            return
        yield statement


def _is_base_constructor(node: ast.AST) -> bool:
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "__init__"


def constructor_of(
    sources: Sources, made: Location, cls: Location, home: PythonText, drawing: ast.ClassDef
) -> Constructor:
    """The constructor that the call at `made` runs, if it is that of the class whose method draws.

    Args:
        sources: the files.
        made: the call that makes an object.
        cls: where the class of the object begins.
        home: the file of the class whose method draws.
        drawing: that class.

    Raises:
        UnrecognisedShapeError: it is another one, or objects of a subclass would never run it.
    """
    node = _class_at(sources.python(cls.path), cls)
    called = last_name(sources.python(made.path).call(made).func)
    if called != node.name:
        raise UnrecognisedShapeError(f"the object at {made} is not made by {node.name}(...) in so many words")
    function = _init(drawing)
    if function is None or (node is not drawing and _init(node) is not None):
        raise UnrecognisedShapeError(f"{drawing.name}, whose method draws, has no __init__ that {node.name}(...) runs")
    stranger = next(_forgetful_subclasses(sources, drawing), None)
    if stranger is not None:
        raise UnrecognisedShapeError(f"{stranger} derives from {drawing.name} and does not call its __init__")
    return Constructor(home, drawing, function)


def _class_at(source: PythonText, place: Location) -> ast.ClassDef:
    for node in walk(source.tree):
        if isinstance(node, ast.ClassDef) and (node.lineno, node.end_lineno) == (place.line, place.end_line):
            return node
    raise UnrecognisedShapeError(f"no class begins at {place}")


def _init(cls: ast.ClassDef) -> NamedFunction | None:
    return next((each for each in cls.body if isinstance(each, NamedFunction) and each.name == "__init__"), None)


def _forgetful_subclasses(sources: Sources, cls: ast.ClassDef) -> Iterator[str]:
    """Subclasses of the tree with a constructor that never calls one of a base."""
    for path, module in sources.modules_with(cls.name):
        for node in walk(module):
            if isinstance(node, ast.ClassDef) and any(last_name(base) == cls.name for base in node.bases):
                init = _init(node)
                if init is not None and not any(_is_base_constructor(each) for each in walk(init)):
                    yield f"{node.name} ({path}:{node.lineno})"
