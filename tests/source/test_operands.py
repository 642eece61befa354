import ast

import pytest

from cmgan_audit.source.operands import expression_of, operands, sure_operands


def parsed(text: str) -> ast.expr:
    found = expression_of(text)
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("text", "taken", "sure"),
    [
        ("a and not b", True, [("a", True), ("b", False)]),
        ("a and b", False, [("a and b", False)]),
        ("a or b", True, [("a or b", True)]),
        ("not (a or b)", True, [("a", False), ("b", False)]),
        ("n >= most > 0", True, [("n >= most", True), ("most > 0", True)]),
        ("n >= most > 0", False, [("n >= most > 0", False)]),
    ],
)
def test_what_has_to_come_out_so_that_a_test_does(text: str, taken: bool, sure: list[tuple[str, bool]]) -> None:
    assert [(ast.unparse(node), side) for node, side in sure_operands(parsed(text), taken=taken)] == sure


def test_all_that_a_test_asks_is_given_with_its_side() -> None:
    found = [(ast.unparse(node), side) for node, side in operands(parsed("a and (b or not c)"), taken=True)]
    assert found == [("a", True), ("b", True), ("c", False)]


@pytest.mark.parametrize("text", ["except ValueError", "a and (b", "x" * 10 + " ...", "\0"])
def test_a_text_that_is_no_expression_is_none(text: str) -> None:
    assert expression_of(text) is None
