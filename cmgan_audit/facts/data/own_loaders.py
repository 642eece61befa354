"""Collects the training loaders that the only evaluation of a training goes through.

The loader that learns is evaluated by itself on purpose, too, to see how well a network fits. Two things tell that it
is not meant: the loop, or a call on the way to it, says that it goes through an evaluation set (`valid_loader =
train_loader`, `fit(loader, valid_loader=loader)`), or a loader that is called one of an evaluation is made and nothing
draws from it. Beside such an idle one, a loop that evaluates in the function of the training counts too: `for batch in
train_loader` was copied, and its name left as it was.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Sequence

from cmgan_audit.facts.bindings import bound_argument
from cmgan_audit.facts.classes import shown_arguments
from cmgan_audit.facts.data.evaluated_sets import (
    is_after_training,
    is_on_purpose,
    is_scored_elsewhere,
    is_trial,
    trains,
)
from cmgan_audit.facts.data.purposes import purpose_of
from cmgan_audit.facts.data.records import EvaluationSet
from cmgan_audit.facts.loading.names import Names
from cmgan_audit.facts.loading.roles import leaning
from cmgan_audit.facts.passes.modes import gradients_off, mode_at
from cmgan_audit.facts.records import Loader
from cmgan_audit.facts.scene import Made, Pass, Scene, Use
from cmgan_audit.facts.values import class_name
from cmgan_audit.facts.view import View
from cmgan_audit.finding import Step
from cmgan_audit.program.execution.trace import innermost_function
from cmgan_audit.rules.record import Known, certainly
from cmgan_audit.source.syntax import first_of, is_line_of, last_name, names_in, walk


def own_loaders(view: View) -> Iterable[EvaluationSet]:
    """A record for every pass that evaluates a network on its training loader, where nothing else is evaluated."""
    if not view.scene.trains:
        return
    drawn = [(made, loader) for made, loader in view.made_loaders if not certainly(loader.iterated, False)]
    drawn = [(made, loader) for made, loader in drawn if not is_after_training(view, made, loader)]
    if not drawn or not all(trains(loader) and certainly(loader.iterated, True) for _, loader in drawn):
        return
    idle = [made for made, loader in view.made_loaders if certainly(loader.iterated, False)]
    passes = [(made, loader, single) for made, loader in drawn for single in _evaluations(view, made, bool(idle))]
    if not passes or is_trial(view) or is_scored_elsewhere(view):
        return
    names = Names(view.scene, view.assigned)
    unused = next((made for made in idle if _is_forgotten(view, [name for name, _ in names.of(made)])), None)
    for made, loader, single in passes:
        said = _said(view, single)
        measures_fit = 1 in said and -1 not in said
        meant = _is_called_evaluation(view, single) or (unused is not None and not measures_fit)
        meant = meant or (-1 in said and 1 not in said)
        if meant and not is_on_purpose(made, names):
            yield _record(view, made, loader, single, unused)


def _evaluations(view: View, made: Made, beside_idle: bool) -> Iterator[Pass]:
    """The passes over a loader that run a network without gradients, to evaluate it by what the program calls them."""
    scene = view.scene
    passes = [(each, scene.uses_in(each)) for each in scene.passes_over(made.loader)]
    learning = [single for single, inside in passes if any(use.kind in ("backward", "step") for use in inside)]
    for single, inside in passes:
        runs = [use for use in inside if use.kind == "run"]
        if single in learning or not runs:
            continue
        functions = [frame.function.rpartition(".")[2] for frame in single.event.context.frames]
        side = leaning(functions[-1]) if functions else 0
        if side < 0 or (side == 0 and _is_called_evaluation(view, single)):
            yield single
        elif beside_idle and any(_follows(single, each) for each in learning) and _is_quiet(scene, single, runs):
            if purpose_of(view, single) < 0:
                yield single


def _follows(single: Pass, other: Pass) -> bool:
    """Whether a pass comes after another one and as often, in one function or below it: one before may prepare it."""
    here, there = single.event.context, other.event.context
    around = here.loops[:-1]
    below = here.frames == there.frames[: len(here.frames)] and around == there.loops[: len(around)]
    return below and single.position > other.position


def _is_quiet(scene: Scene, single: Pass, runs: Sequence[Use]) -> bool:
    """Whether a pass runs its networks as an evaluation does."""
    if gradients_off(scene, single.position, single.event.context.managers):
        return True
    return all(
        gradients_off(scene, run.position, run.event.context.managers) or mode_at(scene, run)[0] == "eval"
        for run in runs
    )


def _called(view: View, single: Pass) -> str:
    """What a loop calls the loader that it goes through; "" for a parameter, which other calls may give others."""
    node, drawn = view.code.node_at(single.event.loop.location), _drawn(view, single)
    if node is None or drawn is None:
        return ""
    around = view.code.around(single.event.loop.location.path, node)
    given = around.node.args if around is not None and not isinstance(around.node, ast.Module) else None
    name = last_name(drawn)
    own = [each.arg for each in ast.walk(given) if isinstance(each, ast.arg)] if given is not None else []
    return "" if isinstance(drawn, ast.Name) and name in own else name


def _drawn(view: View, single: Pass) -> ast.expr | None:
    """The expression that a loop or a comprehension goes through, without what only counts or shows the items."""
    node = view.code.node_at(single.event.loop.location)
    drawn = node.iter if isinstance(node, ast.For | ast.AsyncFor) else node if isinstance(node, ast.expr) else None
    while isinstance(drawn, ast.Call) and drawn.args:  # `enumerate(tqdm(loader))`
        drawn = drawn.args[0]
    return drawn


def _is_called_evaluation(view: View, single: Pass) -> bool:
    """Whether a loop calls what it goes through an evaluation set, or the calls do that hand the loader on to it."""
    called = _called(view, single)
    if called:
        return leaning(called) < 0
    sides = {leaning(name) for name in _handed_as(view, single)}
    return -1 in sides and 1 not in sides


def _handed_as(view: View, single: Pass) -> Iterator[str]:
    """What a loader is called on its way through calls to the loop over it: parameters, and what they are given."""
    drawn, loop = _drawn(view, single), single.event.loop.location
    passed = {id(each.loader.attrs) for each in view.scene.passes if each.event.loop.location == loop}
    for number, frame in enumerate(reversed(single.event.context.frames)):
        function, call = frame.value, view.code.call_at(frame.call)
        if not isinstance(drawn, ast.Name) or function is None or call is None:
            return
        if number or len(passed) == 1:  # what one loop calls several loaders is said of none of them
            yield drawn.id
        drawn = bound_argument(function.node, call, drawn.id)
        match drawn:
            case ast.Subscript(slice=ast.Constant(value=str() as key)):  # `loaders["valid"]`
                yield key
            case ast.Attribute(attr=name) | ast.Name(id=name):
                yield name


def _is_forgotten(view: View, names: list[str]) -> bool:
    """Whether a loader that nothing draws from is called one of an evaluation, and no setting switches that on.

    `if args.validate: evaluate(valid_loader)` draws from it where it is asked to.
    """
    if not any(leaning(name) < 0 for name in names):
        return False
    for place, _ in view.code.decisions:
        node = view.code.node_at(place)
        branch = first_of(_around(view, place.path, node), ast.If)
        for block in (branch.body, branch.orelse) if branch is not None else ():
            read = names_in(*block)
            if not read.isdisjoint(names) and not _was_executed(view, place.path, block):
                return False
    return True


def _around(view: View, path: str, node: ast.AST | None) -> Iterator[ast.AST]:
    return iter(()) if node is None else view.code.parents(path, node)


def _was_executed(view: View, path: str, block: list[ast.stmt]) -> bool:
    places = (event.location for event in view.scene.calls)
    return any(place.path == path and is_line_of(place.line, *block) for place in places)


def _said(view: View, single: Pass) -> set[int]:
    """The leanings of what the statement that evaluates calls its outcome: `train_loss = evaluate(train_loader)`."""
    frames = single.event.context.frames
    call = view.code.call_at(frames[-1].call) if frames else None
    around = _around(view, frames[-1].call.path, call) if frames else iter(())
    statement = first_of(around, ast.stmt)
    if call is None or not isinstance(statement, ast.Expr | ast.Assign | ast.AugAssign | ast.AnnAssign):
        return set()
    given = {id(part) for part in walk(call)}
    said: set[int] = set()
    for part in walk(statement):
        word = part.value if isinstance(part, ast.Constant) else last_name(part)
        if id(part) not in given and isinstance(word, str):
            said.add(leaning(word))
    return said


def _record(view: View, made: Made, loader: Loader, single: Pass, unused: Made | None) -> EvaluationSet:
    frames = single.event.context.frames
    here = single.event.loop.location
    place = frames[-1].call if frames and not _called(view, single) else here
    datasets = made.datasets
    steps = [Step(place, "the training loader is evaluated here")]
    steps += [] if place == here else [Step(here, "the loop of the evaluation")]
    steps.append(Step(made.location, "it is made here, and trained on"))
    steps += [] if unused is None else [Step(unused.location, "nothing draws from this loader")]
    return EvaluationSet(
        location=place,
        anchor=f"{innermost_function(single.event.context)}.loader",
        role=loader.role,
        dataset=class_name(datasets[0]) if datasets else "the data set",
        given=shown_arguments(datasets[0].arguments) if datasets else "",
        from_training=Known(True, tuple(steps)),
    )
