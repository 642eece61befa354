"""What a loop that only runs a network is for, by the words of the function that it stands in."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from cmgan_audit.facts.bindings import bindings_in
from cmgan_audit.facts.code import Reached
from cmgan_audit.facts.loading.roles import leaning
from cmgan_audit.facts.scene import Pass
from cmgan_audit.facts.view import View
from cmgan_audit.source.syntax import last_name, walk, words_in


def purpose_of(view: View, single: Pass) -> int:
    """+1 where a loop looks at the training, -1 where it is an evaluation, 0 where nothing tells.

    The nearest word counts: what the loop adds up (`valid_loss += loss.item()`), where that goes then
    (`print("valid", total / len(valid_loader))`), and what its function is given to evaluate on.

    Args:
        view: the run.
        single: the loop over a loader.
    """
    place = single.event.loop.location
    node = view.code.node_at(place)
    around = None if node is None else view.code.around(place.path, node)
    if node is None or around is None:
        return 0
    kept = _added_up(around, node)
    sides = (leaning(" ".join(words)) for words in (kept, words_in(*_told_later(around, node, kept)), _given(around)))
    return next((side for side in sides if side), 0) if kept else 0


def _added_up(around: Reached, loop: ast.AST) -> set[str]:
    """What grows in a loop, by its last name."""
    inside = set(walk(loop))
    return {
        name.rpartition(".")[2]
        for name, each in bindings_in(around).items()
        if any(binding.adds and binding.statement in inside for binding in each)
    }


def _told_later(around: Reached, loop: ast.AST, kept: set[str]) -> Iterator[ast.stmt]:
    """The statements behind a loop that read what it added up."""
    end = getattr(loop, "end_lineno", 0)
    for node in around.own_nodes():
        if isinstance(node, ast.Assign | ast.AugAssign | ast.Expr | ast.Return) and node.lineno > end:
            read = (each for each in walk(node) if isinstance(each, ast.Name | ast.Attribute))
            if any(isinstance(each.ctx, ast.Load) and last_name(each) in kept for each in read):
                yield node


def _given(around: Reached) -> Iterator[str]:
    """The parameters of the function that speak of an evaluation."""
    if not isinstance(around.node, ast.Module):
        yield from (each.arg for each in walk(around.node.args) if isinstance(each, ast.arg) and leaning(each.arg) < 0)
