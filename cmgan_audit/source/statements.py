"""What statements do by their looks: leave the block that they stand in, end the program, say something."""

from __future__ import annotations

import ast
from collections.abc import Sequence

from cmgan_audit.source.syntax import called_name

# What ends the program, and what only tells somebody something, by the last part of the called name.
ENDS = frozenset({"exit", "quit", "_exit", "abort"})
SAYS = frozenset("print pprint info debug warning warn error exception critical log echo secho".split())


def leaves(block: Sequence[ast.stmt]) -> bool:
    """Whether a block never goes on to what stands behind it: it returns, jumps, raises or ends the program."""
    last = block[-1] if block else None
    return last is not None and (isinstance(last, ast.Return | ast.Continue | ast.Break) or gives_up(last))


def gives_up(statement: ast.stmt) -> bool:
    """Whether a statement raises an error, or ends the program."""
    return isinstance(statement, ast.Raise) or calls_one(statement, ENDS)


def calls_one(statement: ast.stmt, names: frozenset[str]) -> bool:
    """Whether a statement is nothing but a call of one of some functions, by the last parts of their names."""
    call = lone_call(statement)
    return call is not None and called_name(call) in names


def caught_by(handler: ast.ExceptHandler) -> set[str]:
    """The last parts of the names of the errors that a handler is for; none where it is for all of them."""
    named = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
    return {ast.unparse(each).rpartition(".")[2] for each in named if each is not None}


def lone_call(statement: ast.stmt) -> ast.Call | None:
    """The call that a statement is, where it does nothing with what that gives; None for any other statement."""
    return statement.value if isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Call) else None


def behind(child: ast.AST, parent: ast.AST) -> list[ast.stmt]:
    """The statements of the same block behind one that a node holds."""
    return _around(child, parent)[1]


def before(child: ast.AST, parent: ast.AST) -> list[ast.stmt]:
    """The statements of the same block before one that a node holds."""
    return _around(child, parent)[0]


def _around(child: ast.AST, parent: ast.AST) -> tuple[list[ast.stmt], list[ast.stmt]]:
    for name in ("body", "orelse", "finalbody"):
        block = getattr(parent, name, None)
        if isinstance(block, list) and child in block:
            at = block.index(child)
            return block[:at], block[at + 1 :]
    return [], []
