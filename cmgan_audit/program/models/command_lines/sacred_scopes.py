"""Sacred's configuration functions, as functions that return their local variables and leave alone what is settled."""

from __future__ import annotations

import ast
import copy
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from cmgan_audit.source.syntax import single_parameters

# What has local variables of its own.
_SCOPES = (
    ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda, ast.ListComp, ast.SetComp, ast.DictComp,
    ast.GeneratorExp,
)  # fmt: skip


@lru_cache(64)
def leaving_names(node: ast.FunctionDef, settled: Sequence[str]) -> ast.FunctionDef:
    """A function that returns its local variables, of which some are given and stay what they are."""
    made = copy.copy(node)
    made.args = copy.copy(node.args)
    asked = {each.arg for each in single_parameters(node.args)}
    added = [name for name in map(parameter_of, settled) if name not in asked]
    made.args.kwonlyargs = [*node.args.kwonlyargs, *(ast.arg(arg=name) for name in added)]
    made.args.kw_defaults = [*node.args.kw_defaults, *(None for _ in added)]
    body = ast.Module(body=list(node.body), type_ignores=[])
    if settled:
        body = _Settled(settled).visit(copy.deepcopy(body))
    made.body = [*body.body, _written("return dict(locals())", node.body[-1])]
    return made


def parameter_of(path: str) -> str:
    """The parameter that takes what is settled: the name itself, and one of its own for an entry of a section."""
    return "_settled_" + path.replace(".", "__") if "." in path else path


def _written(text: str, place: ast.stmt) -> ast.stmt:
    """A statement as if it stood at the place of another."""
    made = ast.parse(text).body[0]
    for inner in ast.walk(made):
        if isinstance(inner, ast.expr | ast.stmt):
            ast.copy_location(inner, place)
    return made


class _Settled(ast.NodeTransformer):
    """Keeps what is settled from being assigned: to names, and to the entries of a dictionary of that name."""

    def __init__(self, paths: Sequence[str]) -> None:
        self._names = {path for path in paths if "." not in path}
        self._entries = [path for path in paths if "." in path]

    def visit(self, node: ast.AST) -> Any:
        return node if isinstance(node, _SCOPES) else super().visit(node)

    def visit_Name(self, node: ast.Name) -> ast.Name:
        taken = isinstance(node.ctx, ast.Store) and node.id in self._names
        return ast.copy_location(ast.Name("_settled", ast.Store()), node) if taken else node

    def visit_AugAssign(self, node: ast.AugAssign) -> ast.stmt:
        settled = isinstance(node.target, ast.Name) and node.target.id in self._names
        return ast.copy_location(ast.Pass(), node) if settled else node

    def visit_Assign(self, node: ast.Assign) -> list[ast.stmt]:
        made: list[ast.stmt] = [node]
        for path in self._entries:
            name, *keys = path.split(".")
            if any(isinstance(target, ast.Name) and target.id == name for target in node.targets):
                made.append(_written(f"{name}{''.join(f'[{key!r}]' for key in keys)} = {parameter_of(path)}", node))
        self.generic_visit(node)
        return made
