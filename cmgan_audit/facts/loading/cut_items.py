"""Items that a loop cuts into pieces of its own before it trains on them: the pieces may be its batches.

for recording in DataLoader(dataset, batch_size=1):      # 1 x segments x samples
    for batch in recording.squeeze(0).split(16):         # 16 segments, or 16 frames of one signal
        loss(network(batch)).backward()

What is cut along its first dimension was a batch of segments or one signal; the program does not tell which, unless the
pieces are as long as signals are, or each of them becomes a batch of one: `batch.unsqueeze(0)`.
"""

from __future__ import annotations

import ast

from cmgan_audit.facts.bindings import bound_argument
from cmgan_audit.facts.code import Code, Reached
from cmgan_audit.facts.loading.pieces import Pieces, pieces_of
from cmgan_audit.facts.scene import Made, Pass, Use
from cmgan_audit.facts.steps.guards import given_to, last_name, number_at
from cmgan_audit.facts.values import known_number
from cmgan_audit.finding import Step
from cmgan_audit.lazy_regex import regex
from cmgan_audit.program.execution.trace import Condition, Context, Frame
from cmgan_audit.rules.record import Fact, Unknown
from cmgan_audit.source.syntax import walk

# So many items are no batch; a piece of so many is one of samples.
_SAMPLES = 1000
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
    for single in code.scene.passes_over(made.loader):
        for use in code.scene.of("backward"):
            if single.holds(use.event.context):
                place = _cut_at(code, single, use)
                if place is None:
                    return batch
                places.append(place)
    reason = "the loop cuts each item along its first dimension: a batch, or a signal"
    return Unknown(reason, tuple(places)) if places else batch


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
    for node in walk(given) if given is not None else ():
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mult):
            for factor in (node.left, node.right):
                number = factor.value if isinstance(factor, ast.Constant) else None
                if (isinstance(number, int) and number >= _SAMPLES) or _RATE.fullmatch(last_name(factor)):
                    return True
    return False


def _is_of_item(code: Code, single: Pass, context: Context, pieces: Pieces) -> bool:
    """Whether what is cut comes from what the loader gives: followed through the functions that are handed it."""
    place = single.event.loop.location
    outer = code.node_at(place)
    scope = None if outer is None else code.around(place.path, outer)
    wanted = code.around(pieces.path, pieces.cut)
    if scope is None or wanted is None or not isinstance(outer, ast.For | ast.AsyncFor):
        return False
    held = _grown(scope, _names_in(outer.target))
    for frame in context.frames[len(single.event.context.frames) :]:
        if scope.node is wanted.node:
            break
        if frame.value is not None:
            scope = Reached(frame.value.module, frame.value.node, frame.function)
            own = {name for name in held if name.startswith("self.")}
            held = _grown(scope, own | _handed(code, frame, held))
    return scope.node is wanted.node and bool(held & _names_in(pieces.cut))


def _handed(code: Code, frame: Frame, held: set[str]) -> set[str]:
    """The parameters that a call gives something of an item; all of them where the call does not tell."""
    function = frame.value.node if frame.value is not None else None
    parameters = (
        {each.arg for each in walk(function.args) if isinstance(each, ast.arg)} if function is not None else set()
    )
    call = code.call_at(frame.call)
    if function is None or call is None or any(isinstance(each, ast.Starred) for each in call.args):
        return parameters - {"self"}
    given = {name: bound_argument(function, call, name) for name in parameters}
    return {name for name, value in given.items() if value is not None and held & _names_in(value)}


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
