"""A random draw in the text: put under a condition, or replaced by the middle of its range."""

from __future__ import annotations

import ast
from collections.abc import Callable, Sequence

from cmgan_audit.facts.records import Call, Draw
from cmgan_audit.finding import Edit, Location
from cmgan_audit.fixes.case import Sources
from cmgan_audit.fixes.centre import centre_of, drawn_expression
from cmgan_audit.fixes.document import UnrecognisedShapeError
from cmgan_audit.fixes.python_text import PythonText
from cmgan_audit.source.syntax import NamedFunction, names_in

# The longest line that a conditional expression may make; beyond it the draw gets an if statement.
WIDEST = 110
# How a function that draws for a dataset is told whether to.
TOLD = "random_start"


def fix_draw(sources: Sources, draw: Draw) -> list[Edit]:
    """The edits that put the middle of its range in place of a draw."""
    source = sources.python(draw.location.path)
    call = source.call(draw.location)
    node = drawn_expression(source, call, draw.callee)
    middle = centre_of(source, call, draw.callee)
    return [source.replace(node, middle if _stands_free(source, node) else f"({middle})")]


def guard_draw(sources: Sources, draw: Draw, condition: Callable[[PythonText], str]) -> list[Edit]:
    """The edits that keep a draw where a test of the dataset object holds, and take the middle elsewhere.

    Where a helper draws, it gets a parameter that the method of the object passes.

    Args:
        sources: the files.
        draw: the draw and the calls that lead to it.
        condition: the test as a method of the object writes it, in the style of its file.

    Raises:
        UnrecognisedShapeError: the object cannot tell the draw.
    """
    own, helpers = _split(draw)
    method = _function_around(sources, helpers[0].location if helpers else draw.location)
    if not own or not method.args.args or method.args.args[0].arg != "self":
        raise UnrecognisedShapeError(f"the draw at {draw.location} does not stand in a method of the dataset")
    edits: list[Edit] = []
    for step, call in enumerate(helpers):
        inner = helpers[step + 1].location if step + 1 < len(helpers) else draw.location
        told = condition(sources.python(call.location.path)) if step == 0 else TOLD
        edits += _tell(sources, call.location, _function_around(sources, inner), inner.path, told)
    source = sources.python(draw.location.path)
    return [*edits, *_guarded(source, draw, TOLD if helpers else condition(source))]


def _split(draw: Draw) -> tuple[Sequence[Call], Sequence[Call]]:
    """The calls that run methods of the object, and those of helpers behind the last of them."""
    last = max((position for position, call in enumerate(draw.calls) if call.own), default=-1)
    return draw.calls[: last + 1], draw.calls[last + 1 :]


def method_of(sources: Sources, draw: Draw) -> tuple[PythonText, NamedFunction]:
    """The method of the dataset object from which a draw is reached, with its file."""
    _, helpers = _split(draw)
    place = helpers[0].location if helpers else draw.location
    return sources.python(place.path), _function_around(sources, place)


def _function_around(sources: Sources, place: Location) -> NamedFunction:
    source = sources.python(place.path)
    function = source.function_around(source.expression(place))
    if function is None or isinstance(function, ast.Lambda):
        raise UnrecognisedShapeError(f"{place} stands in no function of its own")
    return function


def _tell(sources: Sources, place: Location, function: NamedFunction, path: str, told: str) -> list[Edit]:
    """Give a helper the parameter, and the call of it the argument."""
    source = sources.python(place.path)
    call = source.call(place)
    called = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
    if called != function.name and function.name not in ("__call__", "forward"):
        raise UnrecognisedShapeError(f"the call at {place} is not of {function.name}() in so many words")
    taken = names_in(function)
    parameters = {each.arg for each in (*function.args.args, *function.args.kwonlyargs)}
    if TOLD in taken | parameters:
        raise UnrecognisedShapeError(f"{function.name}() has a {TOLD} of its own")
    return [
        source.add_keyword(call, TOLD, told),
        sources.python(path).add_parameter(function, TOLD, "bool", "True"),
    ]


def _guarded(source: PythonText, draw: Draw, condition: str) -> list[Edit]:
    call = source.call(draw.location)
    node = drawn_expression(source, call, draw.callee)
    middle = centre_of(source, call, draw.callee)
    text = f"{source.source(node)} if {condition} else {middle}"
    statement = source.parent(node)
    start, end = source.place(node)
    line = source.text[source.line_start(start) : start] + text + source.text[end : source.line_end(end)]
    if len(line) > WIDEST and isinstance(statement, ast.Assign) and source.stands_alone(statement):
        return _branches(source, statement, node, condition, middle)
    return [source.replace(node, text if _stands_free(source, node) else f"({text})")]


def _branches(source: PythonText, statement: ast.Assign, node: ast.expr, condition: str, middle: str) -> list[Edit]:
    """The assignment of a draw as an if statement."""
    start, end = source.place(statement)
    indent = source.indent(statement) or ""
    inner = indent + ("\t" if "\t" in indent else "    ")
    targets = source.text[start : source.place(node)[0]]
    return [
        source.insert(start, f"if {condition}:\n{inner}"),
        source.insert(source.line_end(end), f"\n{indent}else:\n{inner}{targets}{middle}"),
    ]


def _stands_free(source: PythonText, node: ast.expr) -> bool:
    """Whether an expression stands where any other may stand without parentheses."""
    parent = source.parent(node)
    if isinstance(parent, ast.Call):
        return node is not parent.func
    return isinstance(parent, ast.Assign | ast.AnnAssign | ast.AugAssign | ast.Return | ast.keyword)
