"""What a step gives for each batch in a dictionary, `{"loss": loss}`, and the means of it behind all batches."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence

from cmgan_audit.facts.averages.called import called_function
from cmgan_audit.facts.averages.counting import Count
from cmgan_audit.facts.averages.means import means_of, with_equal_weights
from cmgan_audit.facts.averages.summed import sums_items
from cmgan_audit.facts.averages.taking_in import Intake, Mean, behind, intake_of, is_measure, is_weighted
from cmgan_audit.facts.bindings import bound_argument
from cmgan_audit.facts.code import Code, Reached, Stack, stack_of
from cmgan_audit.facts.scene import Pass
from cmgan_audit.facts.view import View
from cmgan_audit.lazy_dataclasses import dataclass
from cmgan_audit.source.syntax import walk

# Through how many functions an answer is followed that each only hands on.
_MOST_HANDED_ON = 3
_CONVERSIONS = frozenset({"item", "cpu", "detach", "numpy", "float"})


@dataclass(frozen=True, slots=True, eq=False)
class _Given:
    """The dictionaries of a step: the nodes that they are written in, and the calls that lead there."""

    nodes: Sequence[ast.AST]
    path: str
    stack: Stack


def output_means(
    view: View, single: Pass, drawing: ast.AST, around: Reached, body: Sequence[ast.AST], count: Count
) -> Iterator[Mean]:
    """The means of what one pass over a loader gathers in dictionaries.

    Args:
        view: the run.
        single: the pass.
        drawing: the loop or the comprehension that draws the batches.
        around: the function that it stands in.
        body: the nodes of one pass of a loop; none for a comprehension.
        count: what counts the batches.
    """
    path, stack = single.event.loop.location.path, stack_of(single.event.context)
    gathered = _gathered(drawing, body, view.code, path)
    for name, value in gathered:
        given = _given_by(view.code, value, body, path, stack)
        if given is None:
            continue
        for node, key, where in _averaged_in(view.code, name, around, path, stack, drawing, count):
            for each, held in _measures(given.nodes, key):
                if not sums_items(view, held, given.path, given.stack):
                    statement = drawing if given.path != path else held
                    yield Mean(Intake(statement, each, held, "list"), node, where)


def _measures(nodes: Sequence[ast.AST], key: str | None) -> Iterator[tuple[str, ast.expr]]:
    """What a step reports under a key, or under every one of them (None), each batch with the same weight."""
    for each in dict.fromkeys(_keys_in(nodes)) if key is None else [key]:
        held = put_under(nodes, each)
        if held is not None and not is_weighted(held) and is_measure(f"{each} {ast.unparse(held)}"):
            yield each, held


def _keys_in(nodes: Sequence[ast.AST]) -> list[str]:
    """The keys of the dictionaries that are written out among some nodes."""
    written = (node for node in nodes if isinstance(node, ast.Dict))
    return [str(key.value) for each in written for key in each.keys if isinstance(key, ast.Constant)]


def _gathered(
    drawing: ast.AST, body: Sequence[ast.AST], code: Code, path: str
) -> Iterator[tuple[str | ast.expr, ast.expr]]:
    """What dictionaries are gathered in, as a name or the comprehension itself, and what gives one of them."""
    if isinstance(drawing, ast.ListComp | ast.GeneratorExp):
        statement = next(code.parents(path, drawing), None)
        match statement:
            case ast.Assign(targets=[ast.Name(id=name)]):
                yield name, drawing.elt
            case _:
                yield drawing, drawing.elt
        return
    for node in body:
        match node:
            case ast.Call(func=ast.Attribute(value=ast.Name(id=name), attr="append"), args=[value]):
                yield name, value


def _given_by(code: Code, value: ast.expr, body: Sequence[ast.AST], path: str, stack: Stack) -> _Given | None:
    """The dictionaries behind a value: it is written as one, or a function of the tree gives it."""
    if isinstance(value, ast.Name):
        bound = [
            node.value
            for node in body
            if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == value.id and len(node.targets) == 1
        ]
        value = bound[0] if len(bound) == 1 else value
    if isinstance(value, ast.Dict):
        return _Given([value], path, stack)
    called = called_function(code, value, path, stack)
    return None if called is None else _Given(list(walk(called[0])), called[1], called[2])


def _averaged_in(
    code: Code, name: str | ast.expr, around: Reached, path: str, stack: Stack, drawing: ast.AST, count: Count
) -> Iterator[tuple[ast.AST, str | None, Reached]]:
    """The means of what stands under a key of all that was gathered, here and in a function that is handed it."""
    later = behind(around.own_nodes(), drawing)
    if isinstance(name, str):
        yield from ((node, key, around) for node, key in _averaged_keys(later, name, count))
    else:
        later = list(code.holders(path, drawing))
    for call in later:
        if not isinstance(call, ast.Call):
            continue
        handed = [each for each in call.args if each is name or (isinstance(each, ast.Name) and each.id == name)]
        called = called_function(code, call, path, stack) if handed else None
        module = code.module(called[1]) if called is not None else None
        if called is None or module is None:
            continue
        parameters = [each.arg for each in called[0].args.args]
        own = next((each for each in parameters if bound_argument(called[0], call, each) is handed[0]), None)
        inner = Reached(module, called[0], called[0].name)
        for node, key in _averaged_keys(inner.own_nodes(), own, count) if own is not None else ():
            yield node, key, inner


def keys_given(view: View, single: Pass, value: ast.expr) -> list[str]:
    """The keys of the dictionaries that are written out in the function of the tree that a call leads to, or in one
    whose answer that hands on: `return self.criterion(estimate, clean)`. What is a sum over the items is left out."""
    path, stack = single.event.loop.location.path, stack_of(single.event.context)
    for _ in range(_MOST_HANDED_ON):
        called = called_function(view.code, value, path, stack)
        if called is None:
            return []
        function, path, stack = called
        nodes = list(walk(function))
        returned = [node.value for node in nodes if isinstance(node, ast.Return) and node.value is not None]
        keys = _keys_in(nodes)
        if keys or len(returned) != 1:
            under = {key: put_under(nodes, key) for key in keys}
            return [key for key, held in under.items() if held is None or not sums_items(view, held, path, stack)]
        value = returned[0]
    return []


def _averaged_keys(nodes: Sequence[ast.AST], outputs: str, count: Count) -> Iterator[tuple[ast.AST, str | None]]:
    """The means of what stands under one key of all outputs, `mean([x["loss"] for x in outputs])`; None for every key.

    Args:
        nodes: where they are looked for.
        outputs: the name of the outputs.
        count: what counts the batches, beside `len(outputs)`.
    """
    for node in nodes:
        match node:
            case ast.Assign(targets=[ast.Name(id=name)], value=ast.ListComp() as made):
                key = _key_of_each(made, outputs)
                if key is not None:
                    taken = Intake(node, name, made, "list")
                    yield from ((mean, key) for mean in list(means_of(taken, nodes, count))[:1])
            case ast.For(target=ast.Name(id=one), iter=ast.Name(id=source)) if source == outputs:
                yield from _summed_keys(node, one, nodes, _LengthOr(outputs, count))
            case ast.DictComp(value=mean, generators=[ast.comprehension(target=ast.Name(id=named))]):
                match taken_of_each(averaged(mean, outputs, count), outputs):
                    case ast.Subscript(slice=ast.Name(id=key)) if key == named:
                        yield node, None
        key = _key_of_each(averaged(node, outputs, count), outputs)
        if key is not None:
            yield node, key


def averaged(node: ast.AST, outputs: str, count: Count) -> ast.expr | None:
    """What an expression averages over all outputs, each with the same weight; None where it is no such mean."""
    match node:
        case ast.BinOp(left=ast.Call(func=ast.Name(id="sum"), args=[summed, *_]), op=ast.Div(), right=right):
            return summed if _LengthOr(outputs, count).counts(right) else None
        case ast.Call():
            return with_equal_weights(node)
    return None


@dataclass(frozen=True, slots=True)
class _LengthOr:
    """What counts the outputs: their number, or that of the batches."""

    outputs: str
    count: Count

    def counts(self, node: ast.expr) -> bool:
        """Whether an expression is the number of outputs."""
        return ast.unparse(node) == f"len({self.outputs})" or self.count.counts(node)


def _summed_keys(loop: ast.For, one: str, nodes: Sequence[ast.AST], count: Count) -> Iterator[tuple[ast.AST, str]]:
    """The means of what a loop over the outputs adds up: `for x in outputs: total += x["loss"]`."""
    later = behind(nodes, loop)
    for statement in loop.body:
        taken = intake_of(statement)
        match converted(taken.value) if taken is not None else None:
            case ast.Subscript(value=ast.Name(id=name), slice=ast.Constant(value=str() as key)) if name == one:
                assert taken is not None
                yield from ((mean, key) for mean in list(means_of(taken, later, count))[:1])


def _key_of_each(values: ast.expr | None, outputs: str) -> str | None:
    """The key that is taken of every output: "loss" in `[x["loss"].item() for x in outputs]`."""
    match taken_of_each(values, outputs):
        case ast.Subscript(slice=ast.Constant(value=str() as key)):
            return key
    return None


def taken_of_each(values: ast.expr | None, outputs: str) -> ast.Subscript | ast.Name | None:
    """What is taken of every output: `x["loss"]` in `[x["loss"].item() for x in outputs]`, or `x` as a whole."""
    match values:
        case ast.ListComp(elt=element, generators=[each]) | ast.GeneratorExp(elt=element, generators=[each]):
            match each, converted(element):
                case (
                    ast.comprehension(target=ast.Name(id=one), iter=source, ifs=[]),
                    ast.Subscript(value=ast.Name(id=name)) | ast.Name(id=name) as taken,
                ) if ast.unparse(source) == outputs and name == one:
                    return taken
    return None


def converted(node: ast.expr) -> ast.expr:
    """What is converted: `x["loss"]` of `x["loss"].detach().item()`."""
    match node:
        case ast.Call(func=ast.Attribute(value=inner, attr=name), args=[]) if name in _CONVERSIONS:
            return converted(inner)
        case ast.Call(func=ast.Name(id="float"), args=[inner]):
            return converted(inner)
    return node


def put_under(step: Sequence[ast.AST], key: object) -> ast.expr | None:
    """What a step puts under a key into a dictionary that is written out in it."""
    for node in step:
        if isinstance(node, ast.Dict):
            for name, value in zip(node.keys, node.values, strict=True):
                if isinstance(name, ast.Constant) and name.value == key:
                    return value
    return None
