"""Edits of Python source: arguments, parameters and statements are added in the manner of what stands there."""

from __future__ import annotations

import ast

import pytest

from cmgan_audit.fixes.python_text import PythonText


def edited(text: str, make) -> str:
    source = PythonText("a.py", text.encode())
    after = source.apply([make(source)]).decode()
    ast.parse(after)
    return after


def first(source: PythonText, kind: type[ast.AST]):
    return next(node for node in ast.walk(source.tree) if isinstance(node, kind))


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("f()", "f(mode=1)"),
        ("f( )", "f(mode=1 )"),
        ("f(a)", "f(a, mode=1)"),
        ("f(a, )", "f(a, mode=1, )"),
        ("f((a))", "f((a), mode=1)"),
        ("(f)(a)", "(f)(a, mode=1)"),
        ("f(a, **k)", "f(a, **k, mode=1)"),
        ("f(')', a)  # (", "f(')', a, mode=1)  # ("),
        ("f(\n    a,\n    b,  # last\n)", "f(\n    a,\n    b,  # last\n    mode=1,\n)"),
        ("f(a,\n  b)", "f(a,\n  b,\n  mode=1)"),
        ("x[0](y)", "x[0](y, mode=1)"),
    ],
)
def test_a_keyword_argument_is_added(before, after):
    assert edited(before, lambda source: source.add_keyword(first(source, ast.Call), "mode", "1")) == after


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("def f(): pass", "def f(mode=1): pass"),
        ("def f(self): pass", "def f(self, mode=1): pass"),
        ("def f(self, cut=(1)): pass", "def f(self, cut=(1), mode=1): pass"),
        ("def f(self, a,): pass", "def f(self, a, mode=1,): pass"),
        ("def f(self, *a): pass", "def f(self, *a, mode=1): pass"),
        ("def f(self, a, **k): pass", "def f(self, a, mode=1, **k): pass"),
        ("def f(self, a, /): pass", "def f(self, a, /, mode=1): pass"),
        ("def f(self, a: int) -> int: pass", "def f(self, a: int, mode: int = 1) -> int: pass"),
        ("@d(1)\ndef f(self, a): pass", "@d(1)\ndef f(self, a, mode=1): pass"),
        ("def f(self, a=g(')')): pass", "def f(self, a=g(')'), mode=1): pass"),
        ("async def f(self,\n            a): pass", "async def f(self,\n            a, mode=1): pass"),
    ],
)
def test_a_parameter_is_added(before, after):
    def make(source):
        function = first(source, (ast.FunctionDef, ast.AsyncFunctionDef))
        return source.add_parameter(function, "mode", "int", "1")

    assert edited(before, make) == after


def test_a_statement_is_put_on_a_line_of_its_own_or_in_front_of_one_that_has_none():
    def make(source):
        return source.insert_before(first(source, ast.FunctionDef).body[0], "a = 1")

    assert edited("def f():\n\tpass", make) == "def f():\n\ta = 1\n\tpass"
    assert edited("def f(): pass", make) == "def f(): a = 1; pass"


def test_a_statement_is_put_behind_the_comment_of_another_one():
    text = "def f():\n    '''what'''  # it does\n"
    made = edited(text, lambda source: source.insert_after(first(source, ast.FunctionDef).body[0], "a = 1"))
    assert made == "def f():\n    '''what'''  # it does\n    a = 1\n"
