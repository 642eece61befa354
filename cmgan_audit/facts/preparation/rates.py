"""What one call says of the sampling rate of the signal that it gives."""

from __future__ import annotations

from cmgan_audit.facts.recordings import READERS
from cmgan_audit.facts.runtime.flow import Node
from cmgan_audit.facts.values import fact_of, instances_of, with_step
from cmgan_audit.finding import Step
from cmgan_audit.lazy_regex import regex
from cmgan_audit.program.domain.values import Const, ListValue, Value
from cmgan_audit.program.domain.values import Unknown as UnknownValue
from cmgan_audit.program.naming.names import canonical
from cmgan_audit.rules.record import Fact, Known, OneOf, Unknown

# Functions that bring a signal to a rate: where that stands, and what it is without.
_RESAMPLING: dict[str, tuple[str, int | None, int | None]] = {
    "torchaudio.functional.resample": ("new_freq", 2, None),
    "librosa.resample": ("target_sr", 2, None),
    "librosa.core.resample": ("target_sr", 2, None),
    "julius.resample_frac": ("new_sr", 2, None),
    "resampy.resample": ("sr_new", 2, None),
    "librosa.load": ("sr", 1, 22050),
    "librosa.core.load": ("sr", 1, 22050),
}
_RESAMPLER = "torchaudio.transforms.Resample"
# Rates of recordings. Who "resamples" speech from 16000 to 17600 plays it faster: its rate is still 16000.
_USUAL = frozenset((8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000, 88200, 96000, 176400, 192000))
# What may give a signal another rate, or another speed, in words that are not read here: resample_poly, decimate,
# interpolate, ratecv, apply_effects_tensor, time_stretch.
_MAY_CHANGE = regex(r"(?i)resampl|decimat|interp|rate|speed|tempo|stretch|pitch|sox|effects|upsample|downsample|zoom")
# Libraries whose other functions leave the rate as it is; "?" is a method of something that is not known.
_UNDERSTOOD = frozenset("torch torchaudio numpy scipy librosa soundfile math builtins einops random ?".split())


def rate_of(node: Node) -> Fact | None:
    """The sampling rate that a call brings a signal to; None where it says none."""
    event, name = node.event, node.operation
    given, signature = (event.arguments, _RESAMPLING.get(name)) if event is not None else (None, None)
    if event is not None and name == f"{_RESAMPLER}.__call__":
        made = instances_of(event.receiver)
        given, signature = (made[0].arguments, ("new_freq", 1, 16000)) if len(made) == 1 else (None, None)
    if event is None or given is None or signature is None:
        return None
    argument, position, default = signature
    value = given.get(argument, position)
    if isinstance(value, Const) and value.value is None:
        return None  # the rate of the file
    missing = "" if default is not None and not given.open_kwargs else "the rate is not given"
    fact = fact_of(value, default, missing=missing)
    options = fact.options if isinstance(fact, OneOf) else (fact,)
    if any(isinstance(each, Known) and each.value not in _USUAL for each in options):
        return Unknown("it is no usual rate of recordings: the signal may be played faster or slower")
    return with_step(fact, Step(event.location, f"{name.removesuffix('.__call__')} brings the signal to it"))


def doubt_of(node: Node) -> Unknown | None:
    """Why a rate from before a call need not be that behind it; None where it is."""
    if _takes_every_nth(node):
        return Unknown("only some of the samples are taken")
    return Unknown(f"{node.operation} may change it") if _may_change(node.operation) else None


def _may_change(name: str) -> bool:
    *above, member = canonical(name).removesuffix(".__call__").split(".")
    if canonical(name) in READERS:
        return False
    return (bool(above) and above[0] not in _UNDERSTOOD) or _MAY_CHANGE.search(member) is not None


def _takes_every_nth(node: Node) -> bool:
    """Whether a subscript thins a signal out: `noisy[::3]`."""
    computed = node.value.computed if isinstance(node.value, UnknownValue) else None
    if computed is None or computed.operation != "[]":
        return False
    indices = [part for index in computed.operands[1:] for part in _within(index)]
    return any(isinstance(each, ListValue) and each.kind == "slice" and _steps(each) for each in indices)


def _within(index: Value) -> list[Value]:
    return index.items if isinstance(index, ListValue) and index.kind != "slice" else [index]


def _steps(index: ListValue) -> bool:
    step = index.items[2] if len(index.items) == 3 else None
    return step is not None and not (isinstance(step, Const) and step.value in (None, 1, -1))
