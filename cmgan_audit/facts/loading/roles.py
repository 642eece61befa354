"""Whether a loader serves training or evaluation, inferred from several signs; the signs stay with the answer.

What happens inside the loops over a loader counts most: gradients and optimiser steps make it a training loader, a
network that runs without them in eval mode or without gradients an evaluation loader. Names, paths and flags decide
where the loops do not, and then the answer has low confidence.
"""

from __future__ import annotations

import re

from cmgan_audit.facts.code import Code
from cmgan_audit.facts.loading.samples import calibrates, kept_before, looked_at, moves_statistics
from cmgan_audit.facts.loading.sharing import datasets_of_others
from cmgan_audit.facts.name_words import name_words
from cmgan_audit.facts.passes.modes import gradients_off, mode_at, only_in_training
from cmgan_audit.facts.records import EVAL, OTHER, TRAIN
from cmgan_audit.facts.scene import Made, Pass, Scene
from cmgan_audit.facts.values import class_name, instances_of, is_among
from cmgan_audit.finding import Confidence, Location, Step
from cmgan_audit.lazy_dataclasses import dataclass
from cmgan_audit.lazy_regex import regex
from cmgan_audit.program.domain.values import ClassValue, Const, Instance, Value
from cmgan_audit.program.execution.trace import Frame, innermost_function
from cmgan_audit.rules.record import Fact, Known, Unknown

_TRAIN = regex(r"train(ing|set|s|er)?|tr|trn|fit")
_EVAL = regex(
    r"test(ing|set|s)?|val|vals|valset|valid(ation|set|ate|s)?|eval(uation|uate|set)?|dev|devset|cv|tt|tst|vl|vld|infer(ence)?"
)
_GLUED = regex(r"(train|test|valid|val|eval)(set|ds|dl|loader|data|dataset|iter|gen|dataloader|generator|samples)")


@dataclass(frozen=True, slots=True)
class Sign:
    """One sign of a role: positive `weight` for training, negative for evaluation; `called` where it is a name."""

    weight: float
    text: str
    location: Location
    called: bool = False


def leaning(name: str) -> int:
    """+1 when a name speaks of training, -1 of evaluation, 0 of neither or of both."""
    train = evaluation = False
    for word in name_words(name):
        glued = _GLUED.fullmatch(word)
        word = glued.group(1) if glued else word
        train = train or bool(_TRAIN.fullmatch(word))
        evaluation = evaluation or bool(_EVAL.fullmatch(word))
    return int(train) - int(evaluation)


def path_leaning(text: str) -> int:
    """The leaning of a path: its last part that has one."""
    for part in reversed(re.split(r"[/\\]", text)):
        side = leaning(part)
        if side:
            return side
    return 0


def name_signs(scene: Scene, made: Made, names: list[tuple[str, Location]]) -> list[Sign]:
    """What the names around a loader say.

    Args:
        scene: the run.
        made: the loader.
        names: what the loader and its dataset are assigned to, with the places.
    """
    signs = [
        Sign(_weight(name) * leaning(name), f"it is called {name}", place, called=True)
        for name, place in names
        if leaning(name)
    ]
    for frame in made.context.frames[-2:]:
        function = frame.function.rpartition(".")[2]
        # What trains makes all loaders; `train()` is mostly that, though its loop may stand elsewhere.
        side = leaning(function) if len(name_words(function)) > 1 else 0
        if side and not (side > 0 and _trains(scene, frame)):
            signs.append(Sign(1.5 * side, f"it is made in {function}()", frame.call))
    shared = datasets_of_others(scene, made)
    for dataset in made.datasets:
        signs.extend(_dataset_signs(dataset, shared))
    shuffle = made.arguments.get("shuffle", 2)
    if isinstance(shuffle, Const) and shuffle.value is True:
        signs.append(Sign(0.5, "it shuffles", made.location))
    return signs


def _trains(scene: Scene, frame: Frame) -> bool:
    """Whether gradients are taken below a call: then it is a whole training, not a helper of one loader."""
    return any(
        each.call == frame.call and each.function == frame.function
        for use in scene.of("backward", "step")
        for each in use.event.context.frames
    )


def _weight(name: str) -> float:
    """What a name counts for: a trainer holds the loaders of evaluation too."""
    return 1.0 if name.rpartition(".")[2].lower() == "trainer" else 2.0


def _dataset_signs(dataset: Instance, shared: list[Instance], depth: int = 3) -> list[Sign]:
    signs: list[Sign] = []
    if is_among(dataset, shared):
        return signs
    name = class_name(dataset)
    if leaning(name):
        signs.append(Sign(1.5 * leaning(name), f"its dataset is a {name}", dataset.location))
    if isinstance(dataset.cls, ClassValue):
        pairs = [(key, value) for key, value in dataset.attrs.items() if not key.startswith("@")]
        pairs += [(key, value) for key, value in dataset.arguments.keywords.items() if key not in dataset.attrs]
        kept = {value.value for _, value in pairs if isinstance(value, Const)}
        pairs += [("", v) for v in dataset.arguments.positional if not (isinstance(v, Const) and v.value in kept)]
        signs.extend(sign for key, value in pairs for sign in _value_signs(key, value, dataset.location))
    elif depth:
        for position in range(2):
            for inner in instances_of(dataset.arguments.get("dataset" if position == 0 else "", position)):
                signs.extend(_dataset_signs(inner, shared, depth - 1))
    return list({(sign.weight, sign.text): sign for sign in signs}.values())


def _value_signs(key: str, value: Value, place: Location) -> list[Sign]:
    if not isinstance(value, Const):
        return []
    if isinstance(value.value, bool) and leaning(key):
        side = leaning(key) if value.value else -leaning(key)
        return [Sign(2.0 * side, f"{key}={value.value}", place)]
    if isinstance(value.value, str) and len(value.value) < 300 and path_leaning(value.value):
        shown = value.value if len(value.value) < 60 else "..." + value.value[-56:]
        named = f"{key}={shown!r}" if key else repr(shown)
        return [Sign(1.5 * path_leaning(value.value), named, place)]
    return []


def judged_by_names(signs: list[Sign]) -> str:
    """The role that the names alone speak for; "" when they do not."""
    total = sum(sign.weight for sign in signs)
    if abs(total) < 1:
        return ""
    return TRAIN if total > 0 else EVAL


def role_of(code: Code, made: Made, signs: list[Sign]) -> tuple[Fact, str]:
    """The role of a loader, and its signs in one sentence."""
    scene, named = code.scene, judged_by_names(signs)
    if looked_at(scene, made):
        return Known(OTHER, (Step(made.location, "single batches of it are drawn, to be looked at"),)), ""
    if kept_before(scene, made):
        return Known(
            OTHER, (Step(made.location, "it is gone through once, before the training, to keep its items"),)
        ), ""
    if _is_over_itself(scene, made):
        return Known(OTHER, (Step(made.location, "a dataset draws from itself while it is made"),)), ""
    if moves_statistics(scene, made):
        return Known(OTHER, (Step(made.location, "networks in training mode go through it, and nothing learns"),)), ""
    if named != EVAL and calibrates(code, made):
        return Known(OTHER, (Step(made.location, "networks go through it, and nobody takes what they give"),)), ""
    # The recordings of the training may be evaluated on; a loader that is called so for that is one of evaluation.
    called = judged_by_names([sign for sign in signs if sign.called])
    for role, text, place in _use_signs(scene, made, EVAL if called == EVAL else named, called):
        spoken = _spoken(role, signs)
        text = "; ".join([text, *(sign.text for sign in spoken[:3])])
        steps = (Step(place, f"serves {'training' if role == TRAIN else 'evaluation'}: {text}"),)
        return Known(role, steps), text
    if scene.passes_over(made.loader) and not scene.trains:
        return Known(OTHER, (Step(made.location, "nothing is trained or evaluated with it"),)), ""
    if named != EVAL and _only_shown(scene, made):
        return Known(OTHER, (Step(made.location, "no network gets what is drawn from it"),)), ""
    if named == TRAIN and _learns_nothing(scene, made):
        return Known(OTHER, (Step(made.location, "all that goes through it goes without gradients"),)), ""
    if named == TRAIN and _only_measured(scene, made):
        return Known(OTHER, (Step(made.location, "it is only evaluated, and others are trained on"),)), ""
    if named:
        spoken = _spoken(named, signs)
        text = "; ".join(sign.text for sign in spoken[:3])
        place = spoken[0].location if spoken else made.location
        return Known(named, (Step(place, f"by name: {text}"),), confidence=Confidence.LOW), text
    return Unknown("nothing tells whether it serves training or evaluation"), ""


def _is_over_itself(scene: Scene, made: Made) -> bool:
    """Whether the constructor of a dataset draws from a loader of its own items: statistics, a cache.

    Which split it is of says nothing of such a loader, whatever the dataset is called. One that the dataset keeps for
    others to draw from is a loader like any.
    """
    datasets = made.datasets
    frames = made.context.frames
    for depth, frame in enumerate(frames, start=1):
        owner = frame.value.bound_to if frame.value is not None and frame.function.endswith(".__init__") else None
        if isinstance(owner, Instance) and is_among(owner, datasets):
            drawn = [single.event.context.frames[:depth] for single in scene.passes_over(made.loader)]
            return bool(drawn) and all(each == frames[:depth] for each in drawn)
    return False


def _only_shown(scene: Scene, made: Made) -> bool:
    """Whether a loader is only drawn from to look at items, while others serve the training: a preview, statistics."""
    own = scene.passes_over(made.loader)
    if not own or any(single.holds(use.event.context) for single in own for use in scene.uses):
        return False
    return _others_train(scene, own)


def _learns_nothing(scene: Scene, made: Made) -> bool:
    """Whether all that a loader gives goes without gradients: features, codes of what has been trained before."""
    own = scene.passes_over(made.loader)
    if not own or any(event.is_elsewhere for event in scene.handed(made.loader)):
        return False
    return all(_goes_silent(scene, single) for single in own)


def _goes_silent(scene: Scene, single: Pass) -> bool:
    """Whether networks get what is drawn without gradients, and all that get it there run so too.

    What only prepares an item so may hand it to those that train on it: a prefetcher, the spectra of a batch.
    """
    if not gradients_off(scene, single.position, single.event.context.managers):
        return False
    one = single.event.is_one_draw
    got = [
        use
        for use in scene.of("run")
        if (single.is_before(use.event, use.position) if one else single.holds(use.event.context))
    ]
    return bool(got) and all(gradients_off(scene, run.position, run.event.context.managers) for run in got)


def _only_measured(scene: Scene, made: Made) -> bool:
    """Whether all that goes through a loader is an evaluation, while others serve the training: how well it fits.

    What code outside of the tree does with one that it is handed is not known.
    """
    if any(event.is_elsewhere for event in scene.handed(made.loader)):
        return False
    own = scene.passes_over(made.loader)
    runs = [[use for use in scene.uses_in(single) if use.kind == "run"] for single in own]
    quiet = own and all(
        inside
        and all(gradients_off(scene, run.position, run.event.context.managers) for run in inside)
        and all(mode_at(scene, run)[0] == "eval" for run in inside)
        for inside in runs
    )
    return bool(quiet) and _others_train(scene, own)


def _others_train(scene: Scene, own: list[Pass]) -> bool:
    """Whether something is trained on what other passes than these give."""
    training = {id(loop) for use in scene.of("backward", "step") for loop in use.event.context.loops}
    return any(each.event.framework or id(each.event.loop) in training for each in scene.passes if each not in own)


def declared_role(made: Made, role: str, pattern: str) -> tuple[Fact, str]:
    """The role that the project declares for a loader, and that as its sign in one sentence."""
    text = f"the settings declare it ({pattern})"
    step = Step(made.location, f"serves {'training' if role == TRAIN else 'evaluation'}: {text}")
    return Known(role, (step,)), text


def _spoken(role: str, signs: list[Sign]) -> list[Sign]:
    side = 1 if role == TRAIN else -1
    return sorted((sign for sign in signs if sign.weight * side > 0), key=lambda sign: -abs(sign.weight))


def _use_signs(scene: Scene, made: Made, named: str, called: str) -> list[tuple[str, str, Location]]:
    """What the loops over a loader do, the most telling first.

    A flag or a folder that speaks of training may be the wrong one: where nobody calls the loader that, what a function
    of evaluation goes through is evaluated.
    """
    trained: list[tuple[str, str, Location]] = []
    evaluated: list[tuple[str, str, Location]] = []
    for single in scene.passes_over(made.loader):
        where = innermost_function(single.event.context).rpartition(".")[2]
        inside = scene.uses_in(single)
        if single.event.framework:
            role = single.event.role or TRAIN
            target = trained if role == TRAIN else evaluated
            target.append((role, f"{single.event.framework} draws from it", single.event.location))
            continue
        steps = [use for use in inside if use.kind in ("backward", "step") and not scene.is_of_inner_loop(use, single)]
        # What trains and evaluates in one function asks for the mode: its caller's loader is what it is called. So is
        # one of which an item is drawn in a loop that trains: the steps may be those of the other items, and
        # they are where it only goes without gradients.
        one = single.event.is_one_draw
        asks = named == EVAL and ((one and scene.shares_loop(single)) or all(only_in_training(use) for use in steps))
        if steps and not asks and not (one and _goes_silent(scene, single)):
            trained.append((TRAIN, f"{where}() draws from it and trains", single.event.location))
            continue
        runs = [use for use in inside if use.kind == "run" and not scene.is_of_inner_loop(use, single)]
        silent = gradients_off(scene, single.position, single.event.context.managers)
        quiet = silent or (runs and all(gradients_off(scene, run.position, run.event.context.managers) for run in runs))
        in_eval = bool(runs) and all(mode_at(scene, run)[0] == "eval" for run in runs)
        validates = called != TRAIN and leaning(where) < 0
        if (runs or quiet) and (quiet or in_eval or named == EVAL) and (named != TRAIN or validates):
            how = "without gradients" if quiet else "in eval mode" if in_eval else "without training"
            evaluated.append((EVAL, f"{where}() draws from it {how}", single.event.location))
    return [*trained, *evaluated]
