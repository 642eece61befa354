"""Loaders of which single batches are drawn to be looked at or listened to: a picture of the outputs is no score."""

from __future__ import annotations

from cmgan_audit.facts.losses import is_loss
from cmgan_audit.facts.metrics.scoring import metric_called
from cmgan_audit.facts.scene import Made, Pass, Scene
from cmgan_audit.lazy_regex import regex
from cmgan_audit.program.execution.trace import CallEvent
from cmgan_audit.program.naming.names import canonical

_SHOWING = frozenset(
    "save_image make_grid imshow imsave savefig add_image add_images add_audio add_figure add_video Image Audio".split()
)
_SCORING = regex(r"(?i)loss|criteri|metric|score|error|accura|psnr|ssim|snr|sdr|pesq|stoi|mse|mae|dist")


def looked_at(scene: Scene, made: Made) -> bool:
    """Whether of a loader only single batches are drawn, `next(iter(loader))`, and what comes of them is only shown."""
    own = scene.passes_over(made.loader)
    return bool(own) and all(single.event.is_one_draw and _is_shown(scene, single) for single in own)


def _is_shown(scene: Scene, single: Pass) -> bool:
    """Whether something is drawn, saved or logged as a picture or a sound behind a draw, and nothing is scored."""
    if any(use.kind in ("backward", "step") for use in scene.uses_in(single)):
        return False
    names = [
        canonical(event.callee)
        for position, event in enumerate(scene.run.events)
        if isinstance(event, CallEvent) and single.is_before(event, position)
    ]
    shown = any(name.rpartition(".")[2] in _SHOWING for name in names)
    return shown and not any(map(_scores, names))


def _scores(name: str) -> bool:
    """Whether a call computes a loss or a score, of a library or, by what it is called, of the tree."""
    called = name.removesuffix(".__call__").removesuffix(".forward").rpartition(".")[2]
    return bool(is_loss(name) or metric_called(name) or _SCORING.search(called))
