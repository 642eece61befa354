"""The guard of outputs that stand under the names of other utterances, as a shuffled loader leaves them.

An output in which its own clean recording is not heard is a bad one or another utterance's. The second can be shown:
the clean recording of another utterance is heard in it. So nothing is read again for outputs that are in order, and
noise, silence or speech of no utterance is accused of nothing.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from cmgan_audit.evaluation.guards.checks import Facts, Judged
from cmgan_audit.evaluation.material.audio import SAMPLE_RATE, AudioError, Signal, read_audio
from cmgan_audit.evaluation.material.names import shortened
from cmgan_audit.evaluation.material.pairs import Pair
from cmgan_audit.evaluation.metrics import Status
from cmgan_audit.evaluation.raising import raise_finding
from cmgan_audit.finding import Finding, JsonValue
from cmgan_audit.lazy_dataclasses import dataclass

DECIMATION = 4  # speech has most of its energy below 2 kHz, and the search takes a sixth of the time
LOWEST_HZ = 200.0  # hum, rumble and offsets are alike in recordings of different speech
RATE = SAMPLE_RATE // DECIMATION
MAX_LAG = RATE // 4  # a delay of up to 250 ms, as everywhere
HEARD = 0.5  # correlation; docs/compare-ckpts.md tells what other speech and noise reach by chance
UNHEARD = 0.3
LEAST_SHARE = 0.1  # of its energy that lies in the stretch which is compared: pauses resemble each other
LEAST_SECONDS = 1.0  # in less, speech of others reaches 0.5 by chance
MOST_SECONDS = 6.0
# What bounds the time, of a run whose outputs are all noise, too.
MOST_OUTPUTS = 16
MOST_RECORDINGS = 1000

Spectrum = npt.NDArray[np.complex64]


@dataclass(frozen=True, slots=True)
class _Taken:
    """What is searched of one recording.

    Attributes:
        spectrum: of all that is searched, zero below `LOWEST_HZ`.
        energy: up to every sample.
        length: in samples at `RATE`.
    """

    spectrum: Spectrum
    energy: npt.NDArray[np.float64]
    length: int

    def energy_within(self, length: int) -> float:
        """Energy in the first samples, and in as many more as the delay may be; never next to nothing."""
        within = float(self.energy[min(length + MAX_LAG, len(self.energy)) - 1])
        return max(within, LEAST_SHARE * float(self.energy[-1]))


def check_mixed_up(system: Judged, noisy_facts: Facts, pairs: Sequence[Pair], *, resample: bool) -> list[Finding]:
    """A finding where files of outputs hold other utterances than those under whose names they stand.

    Args:
        system: what is judged; only files can be mixed up, a network gets and gives one recording at a time.
        noisy_facts: of the noisy recordings; where these do not hold their own utterance, no output can.
        pairs: the whole test set, sorted by name.
        resample: whether other sample rates are brought to 16 kHz.
    """
    suspects = _suspects(system, noisy_facts)
    by_name = {pair.name: pair for pair in pairs}
    taken = _unlike_their_own({name: system.files[name] for name in suspects[:MOST_OUTPUTS]}, by_name, resample)
    held = _held(taken, by_name, resample)
    if not held:
        return []
    evidence: dict[str, JsonValue] = {
        "checkpoint": system.name,
        "unlike_their_reference": len(suspects),
        "looked_at": len(taken),
        "holds": dict[str, JsonValue](held),
    }
    return [
        raise_finding(
            "CMG718",
            system.name,
            evidence,
            checkpoint=system.name,
            n=len(held),
            total=len(taken),
            names=shortened([f"{name} holds {other}" for name, other in sorted(held.items())], 3),
        )
    ]


def _suspects(system: Judged, noisy_facts: Facts) -> list[str]:
    """Utterances whose reference is heard in the noisy recording, and in no part of the output; sorted."""
    heard = {utterance for (utterance, _), facts in noisy_facts.items() if facts.lag is not None}
    unheard = {utterance: True for utterance in system.files if utterance in heard}
    for (utterance, _), facts in system.facts.items():
        if facts.lag is not None or facts.fault not in ("", Status.LENGTH_MISMATCH):
            unheard[utterance] = False
    judged = {utterance for utterance, _ in system.facts}
    return sorted(utterance for utterance, suspected in unheard.items() if suspected and utterance in judged)


def _unlike_their_own(files: Mapping[str, Path], pairs: Mapping[str, Pair], resample: bool) -> dict[str, _Taken]:
    """Those in which their own recording is not heard here either: outputs of another length were not looked at."""
    unlike: dict[str, _Taken] = {}
    for name, path in files.items():
        output, own = _take(path, resample), _take(pairs[name].clean, resample)
        if output is not None and own is not None and _correlations([output], own)[0] < UNHEARD:
            unlike[name] = output
    return unlike


def _held(outputs: Mapping[str, _Taken], pairs: Mapping[str, Pair], resample: bool) -> dict[str, str]:
    """Output -> the other utterance that is heard in it, for those in which one is."""
    found: dict[str, str] = {}
    for other in _candidates(list(outputs), list(pairs)):
        left = [name for name in outputs if name not in found and _are_different(pairs[name], pairs[other])]
        if not left:
            continue
        clean = _take(pairs[other].clean, resample)
        if clean is None:
            continue
        alike = _correlations([outputs[name] for name in left], clean)
        for name, value in zip(left, alike, strict=True):
            # Speech of another test utterance may also be the noise of this one, and what a bad network keeps.
            if value >= HEARD and not _in_noisy(pairs[name], clean, resample):
                found[name] = other
    return found


def _are_different(one: Pair, other: Pair) -> bool:
    """Whether the clean recordings differ: one may stand in a set several times, with different noise."""
    return one.clean_sha256 != other.clean_sha256


def _candidates(outputs: Sequence[str], names: Sequence[str]) -> Sequence[str]:
    """The recordings that are searched for: all, of large sets those around the outputs (names may be off by a few)."""
    if len(names) <= MOST_RECORDINGS or not outputs:
        return names if outputs else ()
    first = max(0, min(names.index(outputs[0]) - MOST_RECORDINGS // 2, len(names) - MOST_RECORDINGS))
    return names[first : first + MOST_RECORDINGS]


def _in_noisy(pair: Pair, clean: _Taken, resample: bool) -> bool:
    noisy = _take(pair.noisy, resample)
    return noisy is None or bool(_correlations([noisy], clean)[0] >= UNHEARD)


def _take(path: Path, resample: bool) -> _Taken | None:
    """The first seconds of a recording; None without enough of it."""
    from scipy.fft import irfft, rfft
    from scipy.signal import resample_poly

    try:
        signal: Signal = read_audio(path, resample=resample, allow_empty=True)
    except AudioError:
        return None
    signal = signal[: round(MOST_SECONDS * SAMPLE_RATE)]
    if signal.size < LEAST_SECONDS * SAMPLE_RATE or not np.isfinite(signal).all():
        return None
    decimated, size = resample_poly(signal, 1, DECIMATION).astype(np.float32), _size()
    spectrum: Spectrum = rfft(decimated, size)
    spectrum[: math.ceil(LOWEST_HZ * size / RATE)] = 0.0
    energy = np.cumsum(irfft(spectrum, size) ** 2, dtype=np.float64)
    return _Taken(spectrum, energy, len(decimated)) if energy[-1] > 0.0 else None


def _correlations(outputs: Sequence[_Taken], clean: _Taken) -> npt.NDArray[np.float64]:
    """The largest correlation of every output with a clean recording, of either sign, over the delays."""
    from scipy.fft import irfft

    products = np.stack([output.spectrum for output in outputs]) * np.conj(clean.spectrum)
    correlation = np.abs(irfft(products, _size(), axis=-1))
    largest = np.maximum(correlation[:, : MAX_LAG + 1].max(axis=1), correlation[:, -MAX_LAG:].max(axis=1))
    # Where one is longer (outputs are cut to the length of the reference under whose name they stand), what the other
    # cannot hold does not count.
    common = [output.energy_within(clean.length) * clean.energy_within(output.length) for output in outputs]
    found: npt.NDArray[np.float64] = largest / np.sqrt(common)
    return found


def _size() -> int:
    from scipy.fft import next_fast_len

    return int(next_fast_len(round(MOST_SECONDS * RATE) + MAX_LAG, real=True))
