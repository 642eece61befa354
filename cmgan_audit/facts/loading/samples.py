"""Loaders that serve neither training nor evaluation: single batches are drawn to be looked at or listened to, items
are kept before the training, statistics are moved. A picture of the outputs is no score."""

from __future__ import annotations

from cmgan_audit.facts.code import Code
from cmgan_audit.facts.losses import is_loss
from cmgan_audit.facts.metrics.scoring import metric_called
from cmgan_audit.facts.passes.loops import is_kept
from cmgan_audit.facts.passes.modes import mode_at
from cmgan_audit.facts.scene import Made, Pass, Scene, Use
from cmgan_audit.lazy_regex import regex
from cmgan_audit.program.execution.trace import CallEvent, Event
from cmgan_audit.program.naming.names import canonical

_SHOWING = frozenset(
    "save_image make_grid imshow imsave savefig add_image add_images add_audio add_figure add_video Image Audio".split()
)
# A call that compares by what it is called, in the tree or in a library.
_SCORING = regex(
    r"(?i)loss|criteri|metric|score|error|accura|psnr|ssim|snr|sdr|pesq|stoi|mse|mae|dist|evaluat|simil|corr"
    r"|(?:wer|cer|compute)$"
)
_SAVES = frozenset({"torch.save", "numpy.save", "numpy.savez", "json.dump", "pickle.dump", "torch.jit.save"})
# What makes one number of many, or records one: the score that is written out where it is needed.
_ONE_NUMBER = frozenset("mean nanmean average sum nansum norm item add_scalar add_scalars log_metric".split())


def looked_at(scene: Scene, made: Made) -> bool:
    """Whether of a loader only single batches are drawn, `next(iter(loader))`, and what comes of them is only shown."""
    own = scene.passes_over(made.loader)
    return bool(own) and all(single.event.is_one_draw and _is_shown(scene, single) for single in own)


def kept_before(scene: Scene, made: Made) -> bool:
    """Whether a loader is gone through once before the training, and no network of the training gets what it gives.

    What is drawn there is kept, and is the same whenever it is listened to or scored later on.
    """
    start = min((use.position for use in scene.of("backward")), default=0)
    own = scene.passes_over(made.loader)
    return bool(own) and all(_is_before(scene, single, start) for single in own)


def _is_before(scene: Scene, single: Pass, start: int) -> bool:
    around = [loop for loop in single.event.context.loops if loop is not single.event.loop]
    if around or single.event.framework or single.event.is_one_draw or single.position >= start:
        return False
    if any(use.kind in ("backward", "step") for use in scene.uses_in(single)):
        return False  # the training itself, whose loop begins before its first gradient
    runs = [use for use in scene.uses if use.kind == "run" and single.holds(use.event.context)]
    return bool(runs) and all(use.on is not None and not is_kept(scene, use.on) for use in runs)


def moves_statistics(scene: Scene, made: Made) -> bool:
    """Whether networks that the run puts into training mode go through a loader and are saved, and nothing learns or is
    compared.

    Batch norms are estimated anew, a codebook is filled: what moves is what the networks keep of the data. Where no
    network is saved afterwards, its outputs are what the run is for, and the mode is a mistake.
    """
    own = scene.passes_over(made.loader)
    if not own or scene.trains:
        return False
    runs = [use for single in own for use in scene.uses_in(single) if use.kind == "run"]
    if not runs or not all(_was_told_to_train(scene, run) for run in runs):
        return False
    if not any(_saves_a_network(scene, event) for event in scene.run.events[runs[-1].position + 1 :]):
        return False
    return not any(
        _compares(event.callee)
        for event in scene.calls
        if any(single.holds(event.context) for single in own)
        and not any(frame.function.endswith(".forward") for frame in event.context.frames)
    )


def calibrates(code: Code, made: Made) -> bool:
    """Whether networks go through a loader, nobody takes what they give, and something is saved behind it.

    Observers of a quantised network and hooks note what passes by; no score comes of it.
    """
    scene = code.scene
    own = scene.passes_over(made.loader)
    runs: list[Event] = [use.event for single in own for use in scene.uses_in(single) if use.kind == "run"]
    if not runs:  # what a library made of a network runs it too: `prepare(network)(batch)`
        inside = (event for event in scene.calls if any(single.holds(event.context) for single in own))
        runs = [event for event in inside if event.callee.endswith(".__call__")]
    if scene.trains or not runs or not all(map(code.is_statement, runs)):
        return False
    behind = scene.run.events[scene.run.events.index(runs[-1]) + 1 :]
    return any(_saves_a_network(scene, event) or _saves_anything(event) for event in behind)


def _saves_anything(event: Event) -> bool:
    return isinstance(event, CallEvent) and canonical(event.callee) in _SAVES


def _was_told_to_train(scene: Scene, run: Use) -> bool:
    mode, told = mode_at(scene, run)
    return mode == "train" and told is not None and told.kind == "train"


def _saves_a_network(scene: Scene, event: Event) -> bool:
    """Whether a call takes the state of a network, as who saves it does, or saves one as a whole."""
    if not isinstance(event, CallEvent):
        return False
    whole = canonical(event.callee) == "torch.save" and any(map(scene.is_network, event.arguments.every))
    return whole or event.callee.endswith((".state_dict", ".save_pretrained"))


def _is_shown(scene: Scene, single: Pass) -> bool:
    """Whether something is drawn, saved or logged as a picture or a sound behind a draw, and nothing may be scored."""
    if any(use.kind in ("backward", "step") for use in scene.uses_in(single)):
        return False
    calls = [
        event
        for position, event in enumerate(scene.run.events)
        if isinstance(event, CallEvent) and single.is_before(event, position)
    ]
    shown = any(canonical(event.callee).rpartition(".")[2] in _SHOWING for event in calls)
    return shown and not any(_compares(event.callee) for event in calls) and not _gives_numbers(scene, calls)


def _compares(callee: str) -> bool:
    """Whether a call computes a loss or a score, of a library or, by what it is called, of the tree."""
    name = canonical(callee)
    called = name.removesuffix(".__call__").removesuffix(".forward").rpartition(".")[2]
    return bool(is_loss(name) or metric_called(name) or _SCORING.search(called))


def _gives_numbers(scene: Scene, calls: list[CallEvent]) -> bool:
    """Whether, outside of the networks, one number is made of many, or something is called that may do anything."""
    runs = {id(use.event) for use in scene.of("run")}
    around = [
        event
        for event in calls
        if id(event) not in runs and not any(frame.function.endswith(".forward") for frame in event.context.frames)
    ]
    return any(event.callee.rpartition(".")[2] in _ONE_NUMBER or event.is_elsewhere for event in around)
