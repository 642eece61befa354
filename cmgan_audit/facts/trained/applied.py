"""Where the numbers of a configuration take effect in a training script: optimisers, STFTs, segments of the data set.

The batch size is a fact of the loaders already.
"""

from __future__ import annotations

from collections.abc import Iterator

from cmgan_audit.facts.classes import values_within
from cmgan_audit.facts.optimisers import names_optimiser
from cmgan_audit.facts.records import TRAIN
from cmgan_audit.facts.scene import Made
from cmgan_audit.facts.trained.families import FFT, HOP, RATE, SEGMENT, WINDOW, family_of
from cmgan_audit.facts.trained.records import AppliedSetting
from cmgan_audit.facts.values import fact_of, instances_of, with_step
from cmgan_audit.facts.view import View
from cmgan_audit.finding import Location, Step
from cmgan_audit.program.domain.values import Const, DictValue, Instance, ListValue, Value
from cmgan_audit.program.execution.trace import CallEvent
from cmgan_audit.program.naming.names import canonical

# The arguments of an STFT that are settings: name, position.
_STFTS = {
    "torch.stft": ((FFT, "n_fft", 1), (HOP, "hop_length", 2), (WINDOW, "win_length", 3)),
    "librosa.stft": ((FFT, "n_fft", 9), (HOP, "hop_length", 9), (WINDOW, "win_length", 9)),
}


def applied_settings(view: View) -> Iterator[AppliedSetting]:
    """The settings of a run that trains."""
    if not view.scene.trains:
        return
    for event in view.scene.calls:
        name = canonical(event.callee)
        if names_optimiser(name):
            yield from _rates(event)
        for family, argument, position in _STFTS.get(name, ()):
            value = event.arguments.get(argument, position)
            yield from _applied(family, value, event.location, "the STFT gets it here")
    yield from _segments(view)


def _rates(event: CallEvent) -> Iterator[AppliedSetting]:
    """The learning rate of an optimiser, and those of its groups of parameters."""
    yield from _applied(RATE, event.arguments.get("lr", 1), event.location, "the optimiser gets it here")
    groups = event.arguments.get("params", 0)
    if isinstance(groups, ListValue):
        for group in groups.items:
            if isinstance(group, DictValue):
                yield from _applied(RATE, group.items.get("lr"), event.location, "the optimiser gets it here")


def _segments(view: View) -> Iterator[AppliedSetting]:
    for made in view.made_for(TRAIN):
        for holder in _datasets(made):
            for name, value in holder.attrs.items():
                if family_of(name) == SEGMENT:
                    yield from _applied(SEGMENT, value, made.location, "the training set keeps it")


def _datasets(made: Made) -> Iterator[Instance]:
    """The dataset of a loader, and the objects that it holds."""
    for dataset in made.datasets:
        for inner in values_within(dataset, 2):
            yield from instances_of(inner)


def _applied(family: str, value: Value | None, location: Location, note: str) -> Iterator[AppliedSetting]:
    if value is None or (isinstance(value, Const) and value.value is None):
        return
    yield AppliedSetting(
        location=location, anchor=family, family=family, value=with_step(fact_of(value, None), Step(location, note))
    )
