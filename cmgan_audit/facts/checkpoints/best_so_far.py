"""The best score so far, by which a loop of epochs keeps its models, and where it begins."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator, Sequence

from cmgan_audit.facts.bindings import bindings_in
from cmgan_audit.facts.code import Reached
from cmgan_audit.lazy_regex import regex
from cmgan_audit.program.naming.modules import Module
from cmgan_audit.source.syntax import arguments_of, called_name, last_name, names_in, walk

# The best score so far, and how long there has been no better one, as names and as keys of a checkpoint.
BEST = regex(r"best|patience|no_improv|not_improv|without_improv|bad_epochs|stall|early_stop", re.IGNORECASE)
# What is called where a model is kept.
_KEEPS = regex(r".*(save|checkpoint|ckpt|state_dict|deepcopy|copyfile|copy2|dump).*", re.IGNORECASE)
_BEGINNINGS = frozenset({"float", "inf", "Inf", "infty", "np", "numpy", "math", "torch", "sys", "maxsize"})


def begun_anew(loop: ast.AST, around: Reached, modules: Sequence[Module]) -> set[str]:
    """The names and attributes that decide in a loop which model is kept or when it ends, get new values there, and
    begin as the same whenever the program starts.

    Args:
        loop: the loop.
        around: the function that it stands in.
        modules: the files of the run, in which an attribute may get a value, too.
    """
    inside, found = set(walk(loop)), set()
    asked = {ast.unparse(side) for side in _deciding(loop) if BEST.search(last_name(side))}
    for name, bound in bindings_in(around).items():
        if name in asked and any(each.statement in inside for each in bound):
            last = name.rpartition(".")[2]
            given = [each.value for each in bound if each.statement not in inside]
            if name.startswith("self."):  # any method may give it a value
                of_object = (each for module in modules for each in given_to_attribute(module, last))
                given = [each for each in of_object if each not in inside]
            if given and all(map(_is_beginning, given)):
                found.add(last)
    return found


def put_under_keys(modules: Iterable[Module]) -> Iterator[tuple[str, ast.expr]]:
    """What any dictionary of some files is given, with its key: `{"best_loss": best}`."""
    for module in modules:
        for node in walk(module.tree):
            match node:
                case ast.Dict(keys=keys, values=values):
                    for key, value in zip(keys, values, strict=True):
                        if isinstance(key, ast.Constant) and isinstance(key.value, str):
                            yield key.value, value
                case ast.keyword(arg=str() as key, value=value):
                    yield key, value
                case ast.Assign(targets=[ast.Subscript(slice=ast.Constant(value=str() as key))], value=value):
                    yield key, value


def given_to_attribute(module: Module, attribute: str) -> Iterator[ast.expr]:
    """What any object's attribute of a name is given in a file."""
    for node in walk(module.tree):
        match node:
            case ast.Assign(targets=targets, value=value):
                for target in targets:
                    for part in walk(target):
                        if isinstance(part, ast.Attribute) and part.attr == attribute:
                            yield value
            case ast.For(target=target, iter=value):
                if any(isinstance(part, ast.Attribute) and part.attr == attribute for part in walk(target)):
                    yield value


def _deciding(loop: ast.AST) -> Iterator[ast.expr]:
    """What is compared in a loop so that a model is kept or the loop is left, in a test or for one."""
    flags = {
        target.id: node.value
        for node in walk(loop)
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    for node in walk(loop):
        match node:
            case ast.If(test=test, body=body, orelse=otherwise) if any(map(_keeps_or_ends, (*body, *otherwise))):
                tests = [test, *(flags[name] for name in names_in(test) if name in flags)]
            case ast.Call() if _KEEPS.fullmatch(called_name(node)):
                tests = [flags[name] for name in names_in(*arguments_of(node)) if name in flags]
            case _:
                continue
        compared = (each for asked in tests for each in walk(asked) if isinstance(each, ast.Compare))
        yield from (side for each in compared for side in (each.left, *each.comparators))


def _keeps_or_ends(statement: ast.stmt) -> bool:
    return any(
        isinstance(each, ast.Break) or (isinstance(each, ast.Call) and _KEEPS.fullmatch(called_name(each)) is not None)
        for each in walk(statement)
    )


def _is_beginning(value: ast.expr | None) -> bool:
    """Whether a search begins with a value that is always the same: `float("inf")`, `-np.inf`, `0.0`."""
    if value is None or not names_in(value) <= _BEGINNINGS:
        return False
    return all(called_name(each) == "float" for each in walk(value) if isinstance(each, ast.Call))
