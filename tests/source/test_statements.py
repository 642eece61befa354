"""What statements do by their looks."""

from __future__ import annotations

import ast

import pytest

from cmgan_audit.source.statements import SAYS, before, behind, calls_one, gives_up, leaves


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("return", True),
        ("x = 1\nreturn x", True),
        ("raise ValueError", True),
        ("print(1)\nsys.exit()", True),
        ("os._exit(1)", True),
        ("continue", True),
        ("code = exit(1)", False),
        ("exit", False),
        ("return\nx = 1", False),
        ("", False),
    ],
)
def test_a_block_leaves_by_its_last_statement(text: str, expected: bool) -> None:
    assert leaves(ast.parse(text).body) is expected


def test_a_return_gives_nothing_up() -> None:
    assert [gives_up(each) for each in ast.parse("return 1\nraise\nos.abort()\nabort").body] == [
        False,
        True,
        True,
        False,
    ]


def test_what_a_statement_calls() -> None:
    text = "logger.warning(x)\nlogging.getLogger().info(x)\nx = print(1)\nprint(1).write()"
    assert [calls_one(each, SAYS) for each in ast.parse(text).body] == [True, True, False, False]


def test_the_statements_around_one() -> None:
    branch = ast.parse("if a:\n    b\nelse:\n    c\n    d\n    e\n").body[0]
    assert isinstance(branch, ast.If)
    first, middle, last = branch.orelse
    assert (before(middle, branch), behind(middle, branch)) == ([first], [last])
    assert (before(branch.test, branch), behind(branch.body[0], branch)) == ([], [])
