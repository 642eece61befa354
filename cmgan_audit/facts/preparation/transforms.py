"""What one call of a short-time Fourier transform or of its inverse sets: FFT size, hop, window length, window."""

from __future__ import annotations

from collections.abc import Mapping

from cmgan_audit.facts.preparation.records import FFT, HOP, WINDOW, WINDOW_LENGTH
from cmgan_audit.facts.runtime.flow import Node
from cmgan_audit.facts.spectra.forms import ISTFT, STFT
from cmgan_audit.facts.values import constant, fact_of, instances_of, is_none, is_number, with_step
from cmgan_audit.finding import Location, Step
from cmgan_audit.lazy_dataclasses import dataclass
from cmgan_audit.program.domain.values import Arguments, Choice, Const, External, Instance, Value, options_of
from cmgan_audit.program.naming.names import canonical
from cmgan_audit.rules.record import Fact, Known, OneOf, Unknown

_SPECTROGRAM = "torchaudio.transforms.Spectrogram"
_INVERSE = "torchaudio.transforms.InverseSpectrogram"


@dataclass(frozen=True, slots=True)
class _Signature:
    """The arguments of a transform: their names and positions (None: by keyword alone), and what holds without them.

    The hop without an argument is one `part`-th `of` the FFT size or the window length.
    """

    name: str
    places: Mapping[str, tuple[str, int | None]]
    fft: int | None
    part: int
    of: str
    window: str
    exponent: float = 1.0
    center: int | None = 5


_TORCH = {FFT: ("n_fft", 1), HOP: ("hop_length", 2), WINDOW_LENGTH: ("win_length", 3), WINDOW: ("window", 4)}
_LIBROSA = {
    FFT: ("n_fft", None),
    HOP: ("hop_length", None),
    WINDOW_LENGTH: ("win_length", None),
    WINDOW: ("window", None),
}
_TORCHAUDIO = {FFT: ("n_fft", 0), WINDOW_LENGTH: ("win_length", 1), HOP: ("hop_length", 2), WINDOW: ("window_fn", 4)}
_RECTANGLE = "rectangular"
_FORWARD = {
    **{name: _Signature("torch.stft", _TORCH, None, 4, FFT, _RECTANGLE) for name in STFT},
    **{
        name: _Signature("librosa.stft", _LIBROSA, 2048, 4, WINDOW_LENGTH, "Hann", center=None)
        for name in ("librosa.stft", "librosa.core.stft")
    },
    _SPECTROGRAM: _Signature("Spectrogram", _TORCHAUDIO, 400, 2, WINDOW_LENGTH, "Hann", 2.0, center=8),
}
_BACK = {
    **{name: _Signature("torch.istft", _TORCH, None, 4, FFT, _RECTANGLE) for name in ISTFT},
    **{
        # Its FFT size follows from the spectrum.
        name: _Signature("librosa.istft", _LIBROSA, None, 4, WINDOW_LENGTH, "Hann", center=None)
        for name in ("librosa.istft", "librosa.core.istft")
    },
    _INVERSE: _Signature("InverseSpectrogram", _TORCHAUDIO, 400, 2, WINDOW_LENGTH, "Hann", center=7),
}
_KINDS = {
    "hann_window": "Hann",
    "hann": "Hann",
    "hanning": "Hann",
    "hamming_window": "Hamming",
    "hamming": "Hamming",
    "blackman_window": "Blackman",
    "blackman": "Blackman",
    "bartlett_window": "Bartlett",
    "bartlett": "Bartlett",
    "ones": _RECTANGLE,
    "boxcar": _RECTANGLE,
}
_HAND_ON = frozenset("from_numpy tensor as_tensor FloatTensor asarray array Parameter Buffer".split())
_DEEPEST = 6


@dataclass(frozen=True, slots=True)
class Transform:
    """A call of a transform.

    Attributes:
        name: as reports write it.
        location: the call.
        settings: its settings that this module knows how to read.
        exponent: the power of magnitudes that it gives; None where that is not known.
    """

    name: str
    location: Location
    settings: Mapping[str, Fact]
    exponent: float | None = 1.0


def forward_transform(node: Node) -> Transform | None:
    """The transform that made a value: torch.stft and its like."""
    return _transform(node, _FORWARD)


def inverse_transform(node: Node) -> Transform | None:
    """The inverse transform that made a value."""
    return _transform(node, _BACK)


def _transform(node: Node, known: Mapping[str, _Signature]) -> Transform | None:
    event = node.event
    name, given = node.operation, event.arguments if event is not None else None
    if name.endswith(".__call__"):  # an object that was made with the settings
        made = instances_of(event.receiver) if event is not None else []
        if len(made) != 1 or canonical(made[0].external_name) not in known:
            return None
        name, given = canonical(made[0].external_name), made[0].arguments
    if name not in known:
        return None
    if given is None:
        given = node.value.arguments if isinstance(node.value, Instance) else Arguments()
    place = node.location or (event.location if event is not None else None)
    if place is None:
        return None
    signature = known[name]
    return Transform(signature.name, place, _settings(signature, given, place), _exponent(signature, given))


def _settings(signature: _Signature, given: Arguments, place: Location) -> dict[str, Fact]:
    raw = {setting: given.get(name, position) for setting, (name, position) in signature.places.items()}
    missing = f"an argument of {signature.name} may be among {given.open_kwargs}" if given.open_kwargs else ""
    found: dict[str, Fact] = {}
    found[FFT] = fact_of(raw[FFT], signature.fft, missing=missing)
    if signature.fft is None and not _is_given(raw[FFT]):
        found[FFT] = Unknown(missing or f"{signature.name} is told no FFT size")
    length = raw[WINDOW_LENGTH]
    found[WINDOW_LENGTH] = fact_of(length, None, missing=missing) if _is_given(length) or missing else found[FFT]
    hop = raw[HOP]
    whole = found[signature.of]
    found[HOP] = fact_of(hop, None, missing=missing) if _is_given(hop) or missing else _part(whole, signature.part)
    found = {setting: _number(fact) for setting, fact in found.items()}
    if _is_of_one_frame(found, given.get("center", signature.center), is_hop_given=_is_given(hop)):
        found[HOP] = Unknown("the frames may be cut out one by one, as in a stream")
    window = raw[WINDOW]
    found[WINDOW] = Unknown(missing) if window is None and missing else _window(window, signature.window)
    note = f"{signature.name} is called with this"
    return {setting: with_step(fact, Step(place, f"{note} {setting}")) for setting, fact in found.items()}


def _is_given(value: Value | None) -> bool:
    return value is not None and not is_none(value)


def _is_of_one_frame(found: Mapping[str, Fact], center: Value | None, *, is_hop_given: bool) -> bool:
    """Whether a transform may get one frame at a time: the hop is then that of whoever cuts the frames out."""
    if center is None or constant(center) is not False:
        return False
    hop, length = found[HOP], found[WINDOW_LENGTH]
    if not isinstance(hop, Known) or not isinstance(length, Known):
        return not is_hop_given
    return not is_hop_given or bool(is_number(hop.value) and is_number(length.value) and hop.value >= length.value)


def _part(fact: Fact, part: int) -> Fact:
    if not isinstance(fact, Known) or not isinstance(fact.value, int):
        return fact if isinstance(fact, Unknown) else Unknown("it is a part of the FFT size")
    return Known(fact.value // part, fact.trail, fact.condition, fact.confidence)


def _number(fact: Fact) -> Fact:
    """Only numbers are sizes: what is computed as 400.0 is 400."""
    options = fact.options if isinstance(fact, OneOf) else (fact,)
    if any(isinstance(each, Known) and not is_number(each.value) for each in options):
        return Unknown("it is no number")
    return fact


def _window(value: Value | None, default: str) -> Fact:
    if value is None or is_none(value):
        return Known(default)
    if isinstance(value, Choice):
        facts = [_window(option.value, default) for option in options_of(value)]
        known = [fact for fact in facts if isinstance(fact, Known)]
        if len(known) < len(facts):
            return Unknown("the window is not known")
        if len({fact.value for fact in known}) == 1:
            return known[0]
        conditions = [option.condition for option in value.options]
        return OneOf(tuple(Known(f.value, f.trail, c) for f, c in zip(known, conditions, strict=True)))
    kind, steps = _kind(value, _DEEPEST)
    return Known(kind, steps) if kind else Unknown("the window is not known")


def _kind(value: Value, depth: int) -> tuple[str, tuple[Step, ...]]:
    """The kind of a window and where it is chosen; "" where it is not known."""
    if isinstance(value, Const):
        return (_KINDS.get(value.value, ""), value.trail) if isinstance(value.value, str) else ("", ())
    if isinstance(value, External):
        return _KINDS.get(canonical(value.name).rpartition(".")[2], ""), value.trail
    if not isinstance(value, Instance) or depth == 0:
        return "", ()
    name = canonical(value.external_name).rpartition(".")[2]
    given = value.arguments
    if name in _KINDS:
        return _KINDS[name], (Step(value.location, f"the window is made by {name}"),)
    first = given.positional[0] if given.positional else None
    if name == "get_window":
        window = given.get("window", 0)
        return ("", ()) if window is None else _kind(window, depth - 1)
    if first is None or not (name in _HAND_ON or name == "sqrt"):
        return "", ()
    kind, steps = _kind(first, depth - 1)
    return (f"square root of {kind}" if kind and name == "sqrt" else kind), steps


def _exponent(signature: _Signature, given: Arguments) -> float | None:
    """The power of the magnitudes that a transform gives: 2 for a power spectrogram."""
    if signature.exponent == 1.0:
        return 1.0
    power = given.get("power", 5)
    if power is None:
        return signature.exponent
    if is_none(power):
        return 1.0
    number = constant(power)
    return float(number) if is_number(number) else None
