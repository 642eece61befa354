"""Items that a loop cuts into pieces of its own before it trains on them: the pieces may be its batches.

for recording in DataLoader(dataset, batch_size=1):      # 1 x segments x samples
    for batch in recording.squeeze(0).split(16):         # 16 segments, or 16 frames of one signal
        loss(network(batch)).backward()

What is cut along its first dimension was a batch of segments or one signal; the program does not tell which, unless the
pieces are as long as signals are, or each of them becomes a batch of one: `batch.unsqueeze(0)`.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence

from cmgan_audit.facts.bindings import bound_argument, given_to
from cmgan_audit.facts.code import Code, Reached
from cmgan_audit.facts.items.measured import is_only_measured
from cmgan_audit.facts.items.pieces import Pieces, pieces_of
from cmgan_audit.facts.named_numbers import number_at
from cmgan_audit.facts.scene import Made, Pass, Use
from cmgan_audit.facts.values import known_number
from cmgan_audit.finding import Step
from cmgan_audit.lazy_regex import regex
from cmgan_audit.program.execution.trace import Condition, Context, Frame
from cmgan_audit.rules.record import Fact, Unknown
from cmgan_audit.source.syntax import Function, last_name, walk

# So many items are no batch; a piece of so many is one of samples.
_SAMPLES = 1000
_JUDGING = regex(r"(?i)loss|crit|s[dn]r|stoi|pesq|scor|metric")
_GROUP = regex(r"\(([^()]*)\)")
_FIRST_GROUP = regex(r"\s*\(([^()]*)\)")
_RATE = regex(r"(?i)(?:\w+_)?(?:sr|fs|sampl\w*_?(?:rate|freq\w*)|rate|hz)")


def cut_batch(code: Code, made: Made, batch: Fact) -> Fact:
    """The batch that a training step sees where every loop over a loader of single items cuts each of them.

    Args:
        code: the source of the run.
        made: the loader.
        batch: what the loader gives at a time.

    Returns:
        `batch` where an item is trained on as a whole, or in pieces that are no batches; else that it is not known.
    """
    if known_number(batch) != 1:
        return batch
    places = []
    passes = code.scene.passes_over(made.loader)
    for use in code.scene.of("backward"):
        for single in _innermost(passes, use):
            place = _cut_at(code, single, use) or _unfolded_at(code, single, use)
            if place is None:
                return batch
            places.append(place)
    reason = "the loop cuts each item into pieces: these may be its batches"
    return Unknown(reason, tuple(places)) if places else batch


def _innermost(passes: Sequence[Pass], use: Use) -> Iterator[Pass]:
    """The passes that hold a step, without the loop over an object whose `__iter__` draws from the loader itself."""
    context = use.event.context
    held = [single for single in passes if single.holds(context)]
    for single in held:
        behind = context.loops[next(n for n, loop in enumerate(context.loops) if loop is single.event.loop) + 1 :]
        inside = (each for each in held if len(each.event.context.frames) > len(single.event.context.frames))
        if not any(loop is each.event.loop for each in inside for loop in behind):
            yield single


def _cut_at(code: Code, single: Pass, use: Use) -> Step | None:
    """Where a loop between a pass and the gradients goes over pieces of an item; None where none does."""
    context = use.event.context
    loops = context.loops
    inner = loops[next(number for number, loop in enumerate(loops) if loop is single.event.loop) + 1 :]
    for loop in inner:
        node = code.node_at(loop.location)
        if not isinstance(node, ast.For | ast.While):
            continue
        for pieces in pieces_of(code, loop.location.path, node):
            here = Condition(ast.unparse(pieces.cut), loop.location)
            no_batch = _is_one_or_signal(code, context, here, pieces) or pieces.stands_alone(node)
            if not no_batch and _is_of_item(code, single, context, pieces):
                return Step(loop.location, f"the loop goes over pieces of {ast.unparse(pieces.cut)}")
    return None


def _is_one_or_signal(code: Code, context: Context, here: Condition, pieces: Pieces) -> bool:
    """Whether a piece is a single thing, or is as long as signals are: `int(seconds * sample_rate)`."""
    if pieces.size is None:
        return False
    size = known_number(number_at(code, context, here, pieces.size))
    if size is not None:
        return size == 1 or size >= _SAMPLES
    given = given_to(code, pieces.path, pieces.size) if isinstance(pieces.size, ast.Name) else pieces.size
    for node in walk(given):
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mult):
            for factor in (node.left, node.right):
                number = factor.value if isinstance(factor, ast.Constant) else None
                if (isinstance(number, int) and number >= _SAMPLES) or _RATE.fullmatch(last_name(factor)):
                    return True
    return False


def _is_of_item(code: Code, single: Pass, context: Context, pieces: Pieces) -> bool:
    """Whether what is cut comes from what the loader gives: followed through the functions that are handed it."""
    wanted = code.around(pieces.path, pieces.cut)
    return wanted is not None and any(
        scope.node is wanted.node and held & _names_in(pieces.cut) for scope, held in _scopes(code, single, context)
    )


def _unfolded_at(code: Code, single: Pass, use: Use) -> Step | None:
    """Where an item becomes many on the way from a pass to the gradients: `recording.unfold(1, size, size)[0]`."""
    for scope, held in _scopes(code, single, use.event.context):
        for node in scope.own_nodes():
            if not isinstance(node, ast.Call) or not _makes_many(node) or not held & _names_in(node):
                continue
            if not is_only_measured(code, scope, node):
                place = code.place_of(scope.module.path, node)
                return Step(place, f"{ast.unparse(node.func)}() makes pieces of what the loader gives")
    return None


def _makes_many(call: ast.Call) -> bool:
    """Whether windows are laid over a signal, or a part of another dimension goes to the first one with einops."""
    match call:
        case ast.Call(func=ast.Attribute(attr="unfold", value=base)):
            return last_name(base) not in ("F", "functional")  # that one takes images
        case ast.Call(args=[_, ast.Constant(value=str() as pattern), *_]) if last_name(call.func) == "rearrange":
            before, _, after = pattern.partition("->")
            first = _FIRST_GROUP.match(after)
            moved = set(first[1].split()) if first is not None else set[str]()
            return any(moved & set(group.split()) for group in _GROUP.findall(before))
    return False


def _scopes(code: Code, single: Pass, context: Context) -> Iterator[tuple[Reached, set[str]]]:
    """The functions on the way from a pass to something in it, with their names for what the loader gives.

    With each come the functions that it calls with something of that, such as a generator of pieces.
    """
    place = single.event.loop.location
    outer = code.node_at(place)
    scope = None if outer is None else code.around(place.path, outer)
    if scope is None or not isinstance(outer, ast.For | ast.AsyncFor):
        return
    held = _grown(scope, _names_in(outer.target))
    yield scope, held
    yield from _called(code, scope, held)
    for frame in context.frames[len(single.event.context.frames) :]:
        if frame.value is not None:
            scope = Reached(frame.value.module, frame.value.node, frame.function)
            own = {name for name in held if name.startswith("self.")}
            held = _grown(scope, own | _handed(code, frame, held))
            yield scope, held
            yield from _called(code, scope, held)


def _called(code: Code, scope: Reached, held: set[str]) -> Iterator[tuple[Reached, set[str]]]:
    """The functions of the tree that a function calls with something of an item."""
    for node in scope.own_nodes():
        if not isinstance(node, ast.Call) or not held & _names_in(node):
            continue
        name = last_name(node.func)
        if _JUDGING.search(name):
            continue  # it compares frames, and what the network gets stays as it is
        for each in code.reached:
            if isinstance(each.node, ast.FunctionDef) and each.node.name == name and each.node is not scope.node:
                yield each, _grown(each, _parameters_given(each.node, node, held))


def _handed(code: Code, frame: Frame, held: set[str]) -> set[str]:
    """The parameters that a call gives something of an item; all of them where the call does not tell."""
    function = frame.value.node if frame.value is not None else None
    if function is None:
        return set()
    call = code.call_at(frame.call)
    if call is None:
        return _parameters(function) - {"self"}
    return _parameters_given(function, call, held)


def _parameters_given(function: Function, call: ast.Call, held: set[str]) -> set[str]:
    if any(isinstance(each, ast.Starred) for each in call.args):
        return _parameters(function) - {"self"}
    given = {name: bound_argument(function, call, name) for name in _parameters(function)}
    return {name for name, value in given.items() if value is not None and held & _names_in(value)}


def _parameters(function: Function) -> set[str]:
    return {each.arg for each in walk(function.args) if isinstance(each, ast.arg)}


def _grown(scope: Reached, held: set[str]) -> set[str]:
    """The names of a function that hold what some of them do, or what is made of that."""
    for node in scope.own_nodes():
        match node:
            case ast.Assign(targets=targets, value=value) if held & _names_in(value):
                held = held.union(*map(_names_in, targets))
            case ast.For(target=target, iter=value) if held & _names_in(value):
                held = held | _names_in(target)
    return held


def _names_in(node: ast.AST) -> set[str]:
    """Names, and attributes of `self` with it: `{"self.clean", "noisy"}`."""
    found = set()
    for each in walk(node):
        match each:
            case ast.Attribute(value=ast.Name(id="self"), attr=name):
                found.add(f"self.{name}")
            case ast.Name(id=name) if name != "self":
                found.add(name)
    return found
