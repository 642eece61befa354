"""Walks over syntax trees give what `ast` gives, without the marks that nobody asks for."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import cmgan_audit
from cmgan_audit.finding import Location
from cmgan_audit.source import syntax
from cmgan_audit.source.python_file import ParsedFile, parse_python
from cmgan_audit.source.syntax import (
    arguments_named,
    arguments_of,
    bound_in,
    children,
    excused,
    holders_at,
    is_line_of,
    last_name,
    names_in,
    outline_of,
    own_nodes,
    positional_parameters,
    shown,
    single_parameters,
    walk,
)

FILES = sorted(Path(cmgan_audit.__file__).parent.glob("program/language/*.py"))
MARKS = (ast.expr_context, ast.operator, ast.cmpop, ast.boolop, ast.unaryop)


def parsed(text: str) -> ParsedFile:
    file = parse_python("train.py", text.encode())
    assert isinstance(file, ParsedFile)
    return file


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_walk_gives_the_nodes_of_ast_in_its_order(path: Path) -> None:
    tree = ast.parse(path.read_bytes())
    assert walk(tree) == [node for node in ast.walk(tree) if not isinstance(node, MARKS)]


def test_every_syntax_of_python_keeps_its_children() -> None:
    text = (
        "import a.b as c\nglobal_name: int = 0\n"
        "@d(1)\n"
        "async def f(x, /, y: int = 2, *z, k=3, **w) -> e:\n    async for i in x: await i\n    return f'{y!r:>{k}}'\n"
        "class A(B, metaclass=C):\n    t = [j for j in q if j]\n"
        "match p:\n    case {'k': K(v=1), **rest}: pass\n    case [1, *others] | None as named: pass\n"
        "try: raise u from v\nexcept* E as e: pass\n"
        "def g():\n    global h, i\n    return {**j, 'k': lambda *, l, m=1: l}\n"
        "match n:\n    case None: pass\n"
    )
    tree = ast.parse(text)
    assert set(walk(tree)) == {node for node in ast.walk(tree) if not isinstance(node, MARKS)}


def test_the_outermost_node_at_a_place_also_behind_letters_of_several_bytes() -> None:
    file = parsed("s = 'äö' + g(x)\nh(y)\n")
    statement = file.tree.body[0]
    assert isinstance(statement, ast.Assign)
    call = statement.value.right  # type: ignore[attr-defined]
    outline = outline_of(file)
    assert file.location(call).column == 12
    assert outline.at(file.location(call)) is call
    assert outline.at(Location("train.py", 2, 1, 2, 5)) is file.tree.body[1]  # the statement, not its call
    assert outline.at(Location("train.py", 2, 2, 2, 5)) is None


def test_a_package_of_many_small_files_is_outlined_once() -> None:
    files = [parsed(f"x = {number}\n") for number in range(100)]
    outlines = [outline_of(file) for file in files]
    assert [outline_of(file) for file in files] == outlines


def test_the_outlines_of_large_files_are_let_go_but_for_the_last() -> None:
    files = [parsed(f"x = '{str(number) * 150_000}'\n") for number in range(5)]
    outlines = [outline_of(file) for file in files]
    assert outline_of(files[4]) is outlines[4]
    assert outline_of(files[0]) is not outlines[0]
    huge = parsed(f"x = '{'x' * 900_000}'\n")
    assert outline_of(huge) is outline_of(huge)


def test_holders_come_innermost_first() -> None:
    file = parsed("def f():\n    while True:\n        break\n")
    function = file.tree.body[0]
    leave = walk(function)[-1]
    assert isinstance(leave, ast.Break)
    assert [type(node) for node in outline_of(file).parents(leave)] == [ast.While, ast.FunctionDef, ast.Module]


EVERY_SYNTAX = (
    "@d(1)\n@e(\n    2)\nasync def f(x: int = 1, /, y: int = 2, *z, k=3, **w) -> e:\n    async for i in x: await i\n"
    "    return f'{y!r:>{k}}'\n"
    "class A(B, metaclass=C):\n    t = [j for j in q if j]\n    s = lambda a, b=1: a\n"
    "match p:\n    case {'k': K(v=1), **rest} if rest: g(1)\n"
    "try: raise u from v\nexcept (E, F) as e: pass\nfinally: h()\n"
    "with a(1) as b, c(\n  2) as (d, e): x = {**p, 'ä': q[1:2, ::3]}; y(k=4)\n"
)


@pytest.mark.parametrize("text", [EVERY_SYNTAX, Path(syntax.__file__).read_text(encoding="utf-8")])
def test_a_single_question_has_the_answers_of_the_outline(text: str) -> None:
    file = parsed(text)
    outline = outline_of(file)
    asked = 0
    for node in walk(file.tree):
        if isinstance(node, ast.expr | ast.stmt) and not any(
            isinstance(each, ast.JoinedStr) for each in outline.parents(node)
        ):
            place = file.location(node)
            found = outline.at(place)
            assert found is not None
            assert holders_at(file, place) == (found, *outline.parents(found))
            asked += 1
    assert asked > 50
    assert holders_at(file, Location("train.py", 1, 1, 1, 2)) == ()


def test_own_nodes_stand_in_the_order_of_the_source_and_stop_at_inner_functions() -> None:
    tree = ast.parse("def f():\n    a = b\n    def g():\n        c\n    d\n")
    names = [node.id for node in own_nodes(tree.body[0]) if isinstance(node, ast.Name)]
    assert names == ["a", "b", "d"]
    assert children(tree.body[0].body[0]) == [*tree.body[0].body[0].targets, tree.body[0].body[0].value]  # type: ignore[attr-defined]


def test_an_expression_that_is_cut_shows_that():
    node = ast.parse("names[0 : int(len(names) * self.share_of_training)]", mode="eval").body
    assert shown(node) == "names[0:int(len(names) * self.share_of_training)]"
    assert shown(node, 20) == "names[0:int(len(n..."


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("try:\n    import a\nexcept ImportError:\n    import b\nfinally:\n    import c", 1),
        ("with contextlib.suppress(ImportError):\n    import a", 1),
        ("if t.TYPE_CHECKING:\n    import a\nelse:\n    import b", 1),
        ("with open(path):\n    import a\nif not TYPE_CHECKING_OFF:\n    import b", 0),
    ],
)
def test_imports_that_may_fail(text: str, count: int) -> None:
    tree = ast.parse(text)
    assert sum(isinstance(node, ast.Import) for node in excused(tree)) == count


@pytest.mark.parametrize(
    ("text", "word"),
    [("x", "x"), ("self.args.x", "x"), ("parts['x']", "x"), ("parts[0]", ""), ("f(x)", ""), ("parts[1:]", "")],
)
def test_the_word_that_a_value_is_kept_under(text: str, word: str) -> None:
    assert last_name(ast.parse(text, mode="eval").body) == word


def test_names_that_are_read_and_names_that_are_bound() -> None:
    statement = ast.parse("x, self.y, z[i] = x, w").body[0]
    assert names_in(statement) == {"x", "self", "z", "i", "w"}
    assert [name.id for name in bound_in(statement)] == ["x"]
    assert names_in(None, ast.Name("a")) == {"a"}


def test_parameters_by_place_and_those_of_one_value() -> None:
    (function,) = ast.parse("def f(self, a, /, b, *rest, c=1, **more): pass").body
    assert isinstance(function, ast.FunctionDef)
    assert [each.arg for each in positional_parameters(function.args)] == ["self", "a", "b"]
    assert [each.arg for each in single_parameters(function.args)] == ["self", "a", "b", "c"]


def test_arguments_of_a_call_and_those_under_some_names() -> None:
    call = ast.parse("f(a, *b, c=d, **e, g=h)", mode="eval").body
    assert isinstance(call, ast.Call)
    assert [ast.unparse(each) for each in arguments_of(call)] == ["a", "*b", "d", "e", "h"]
    assert [ast.unparse(each) for each in arguments_named(call, "g", "c")] == ["d", "h"]


def test_lines_of_a_node_and_of_a_block() -> None:
    body = ast.parse("first(\n    1,\n)\n\nlast(\n)\n").body
    assert [line for line in range(8) if is_line_of(line, body[0])] == [1, 2, 3]
    assert [line for line in range(8) if is_line_of(line, *body)] == [1, 2, 3, 4, 5, 6]
    assert not is_line_of(1)
