"""Collects the training loaders that the only evaluation of a training goes through.

The loader that learns is evaluated by itself on purpose, too, to see how well a network fits. Two things tell that it
is not meant: the loop says that it goes through an evaluation set (`valid_loader = train_loader`), or a loader that is
called one of an evaluation is made and nothing draws from it.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator

from cmgan_audit.facts.classes import shown_arguments
from cmgan_audit.facts.data.evaluated_sets import is_on_purpose, is_scored_elsewhere, is_trial, trains
from cmgan_audit.facts.data.records import EvaluationSet
from cmgan_audit.facts.loading.names import Names
from cmgan_audit.facts.loading.roles import leaning
from cmgan_audit.facts.records import Loader
from cmgan_audit.facts.scene import Made, Pass
from cmgan_audit.facts.steps.guards import last_name
from cmgan_audit.facts.values import class_name, instances_of
from cmgan_audit.facts.view import View
from cmgan_audit.finding import Step
from cmgan_audit.program.execution.trace import innermost_function
from cmgan_audit.rules.record import Known, certainly


def own_loaders(view: View) -> Iterable[EvaluationSet]:
    """A record for every pass that evaluates a network on its training loader, where nothing else is evaluated."""
    if not view.scene.trains:
        return
    drawn = [(made, loader) for made, loader in view.made_loaders if not certainly(loader.iterated, False)]
    if not drawn or not all(trains(loader) and certainly(loader.iterated, True) for _, loader in drawn):
        return
    passes = [(made, loader, single) for made, loader in drawn for single in _evaluations(view, made)]
    if not passes or is_trial(view) or is_scored_elsewhere(view):
        return
    names = Names(view.scene, view.assigned)
    idle = [made for made, loader in view.made_loaders if certainly(loader.iterated, False)]
    unused = next((made for made in idle if any(leaning(name) < 0 for name, _ in names.of(made))), None)
    for made, loader, single in passes:
        meant = leaning(_called(view, single)) < 0 or unused is not None
        if meant and not is_on_purpose(made, names):
            yield _record(view, made, loader, single, unused)


def _evaluations(view: View, made: Made) -> Iterator[Pass]:
    """The passes over a loader that run a network without gradients, in a function or under a name of evaluation."""
    scene = view.scene
    for single in scene.passes_over(made.loader):
        learns = any(single.holds(use.event.context) for use in scene.of("backward", "step"))
        runs = any(single.holds(use.event.context) for use in scene.of("run"))
        functions = [frame.function.rpartition(".")[2] for frame in single.event.context.frames]
        if learns or not runs or any(leaning(each) > 0 for each in functions[-1:]):
            continue
        if leaning(_called(view, single)) < 0 or any(leaning(each) < 0 for each in functions[-1:]):
            yield single


def _called(view: View, single: Pass) -> str:
    """What a loop calls the loader that it goes through; "" for a parameter, which other calls may give others."""
    node = view.code.node_at(single.event.loop.location)
    if not isinstance(node, ast.For | ast.AsyncFor):
        return ""
    drawn = node.iter
    while isinstance(drawn, ast.Call) and drawn.args:  # `enumerate(tqdm(loader))`
        drawn = drawn.args[0]
    around = view.code.around(single.event.loop.location.path, node)
    given = around.node.args if around is not None and not isinstance(around.node, ast.Module) else None
    name = last_name(drawn)
    own = [each.arg for each in ast.walk(given) if isinstance(each, ast.arg)] if given is not None else []
    return "" if isinstance(drawn, ast.Name) and name in own else name


def _record(view: View, made: Made, loader: Loader, single: Pass, unused: Made | None) -> EvaluationSet:
    frames = single.event.context.frames
    here = single.event.loop.location
    place = frames[-1].call if frames and not _called(view, single) else here
    datasets = instances_of(made.arguments.get("dataset", 0))
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
