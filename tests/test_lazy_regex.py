"""Regular expressions that are compiled later behave as those of the standard library do, and all of them are right."""

from __future__ import annotations

import ast
import importlib
import pkgutil
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import cmgan_audit
from cmgan_audit.lazy_regex import regex

PACKAGE = Path(cmgan_audit.__file__).parent


def _outside_functions(tree: ast.AST):
    """The nodes that run while the module is imported."""
    for child in ast.iter_child_nodes(tree):
        if not isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            yield child
            yield from _outside_functions(child)


def _held(value: object):
    """The values in a value, which may be a container of them."""
    yield value
    if isinstance(value, dict):
        value = [*value, *value.values()]
    if isinstance(value, list | tuple | set | frozenset):
        for inner in value:
            yield from _held(inner)


@given(text=st.text("ab "), flags=st.sampled_from([0, re.IGNORECASE]), subject=st.text("abAB "))
def test_they_find_what_compiled_ones_find(text, flags, subject):
    later, compiled = regex(text, flags), re.compile(text, flags)
    for ask in ("match", "fullmatch", "search"):
        ours, theirs = getattr(later, ask)(subject), getattr(compiled, ask)(subject)
        assert (ours and ours.span()) == (theirs and theirs.span())
    assert [match.span() for match in later.finditer(subject)] == [match.span() for match in compiled.finditer(subject)]
    assert later.findall(subject) == compiled.findall(subject)
    assert later.split(subject) == compiled.split(subject)
    assert later.subn("x", subject) == (later.sub("x", subject), compiled.subn("x", subject)[1])
    assert (later.pattern, later.flags) == (compiled.pattern, compiled.flags)


def test_bytes_are_searched_with_bytes():
    assert regex(rb"\d+").search(b"epoch 14").group() == b"14"


def test_it_is_compiled_once_and_by_its_first_use(monkeypatch):
    made = []
    compile_now = re.compile
    monkeypatch.setattr(re, "compile", lambda *given: made.append(given) or compile_now(*given))
    words = regex(r"\w+")
    assert made == []
    assert (words.findall("a b"), words.findall("c"), words.pattern) == (["a", "b"], ["c"], r"\w+")
    assert made == [(r"\w+", 0)]


def test_what_is_no_expression_fails_when_it_is_used():
    broken = regex("(")
    with pytest.raises(re.error):
        broken.search("")


def test_a_misspelt_method_is_named():
    with pytest.raises(AttributeError, match="'serach'"):
        regex("a").serach("a")


def test_every_expression_of_the_package_compiles():
    asked = 0
    for found in pkgutil.walk_packages(cmgan_audit.__path__, "cmgan_audit."):
        if found.name.endswith("__main__"):
            continue  # it runs the command
        for value in vars(importlib.import_module(found.name)).values():
            for expression in _held(value):
                if isinstance(expression, type(regex(""))):
                    assert expression.pattern is not None, f"{found.name}: {expression!r}"
                    asked += 1
    assert asked > 200


def test_no_module_compiles_an_expression_while_it_is_imported():
    at_import = [
        f"{path.relative_to(PACKAGE)}:{node.lineno}"
        for path in sorted(PACKAGE.rglob("*.py"))
        if "re.compile(" in (text := path.read_text(encoding="utf-8"))
        for node in _outside_functions(ast.parse(text))
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "re.compile"
    ]
    assert at_import == []
