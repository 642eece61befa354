"""What is compared: folders of enhanced recordings, checkpoints behind an enhancer, and the noisy input itself."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import field
from pathlib import Path
from typing import Protocol, TypeAlias

import numpy as np
import numpy.typing as npt

from cmgan_audit.errors import InputError
from cmgan_audit.evaluation.checkpoints.naming import read_name
from cmgan_audit.evaluation.material.audio import (
    SAMPLE_RATE,
    AudioError,
    SampleRateError,
    file_sha256,
    probe,
    read_audio,
    same_channels,
    same_samples,
    wrong_rate,
)
from cmgan_audit.evaluation.material.matching import Matched
from cmgan_audit.evaluation.material.names import MEANT, shortened
from cmgan_audit.evaluation.material.output_names import MatchedOutputs, match_outputs
from cmgan_audit.evaluation.material.pairs import Pair
from cmgan_audit.evaluation.material.segments import Segment
from cmgan_audit.evaluation.models.enhancer import Enhancer, ModelError
from cmgan_audit.finding import JsonValue
from cmgan_audit.lazy_dataclasses import dataclass

NOISY = "noisy"
Estimate: TypeAlias = Path | npt.NDArray[np.float32]
"""An output: a file that a worker reads, or the samples of one segment."""


class System(Protocol):
    """One thing that is scored.

    Attributes:
        name: short and unique in a comparison.
        path: as given on the command line.
        sha256: of the checkpoint file, or of names and bytes of a folder.
        epoch: from the checkpoint's content or the name, None where neither says.
        settings: what else decides its output, for the report's signature ("" for recordings).
        remark: how its outputs were found, where that does not go without saying ("" where it does).
    """

    name: str
    path: str
    sha256: str
    epoch: int | None
    settings: str
    remark: str

    def missing(self, pairs: Sequence[Pair]) -> list[str]:
        """Names of the utterances for which there is no output and never will be."""
        ...

    def estimate_key(self, pair: Pair, segment: Segment) -> str:
        """All that decides the output for a segment: the same key means the same samples."""
        ...

    def estimate(self, pair: Pair, segment: Segment) -> Estimate:
        """The output for a segment; this is where a model runs."""
        ...

    def close(self) -> None:
        """Release what the system holds."""
        ...


@dataclass(slots=True)
class FolderSystem:
    """A folder of enhanced recordings, by utterance of the test set."""

    name: str
    path: str
    files: Mapping[str, Path]
    digests: Mapping[str, str]
    sha256: str
    epoch: int | None
    settings: str = ""
    remark: str = ""

    def missing(self, pairs: Sequence[Pair]) -> list[str]:
        """Utterances without a file in the folder."""
        return [pair.name for pair in pairs if pair.name not in self.files]

    def estimate_key(self, pair: Pair, segment: Segment) -> str:
        """The bytes of the file decide."""
        return f"audio:{self.digests[pair.name]}"

    def estimate(self, pair: Pair, segment: Segment) -> Estimate:
        """The file; a worker reads it."""
        return self.files[pair.name]

    def close(self) -> None:
        """Nothing is held."""


def open_folder(
    folder: Path, name: str, pairs: Sequence[Pair], *, among: Matched, resample: bool = False, strict: bool = False
) -> FolderSystem:
    """A system from a folder of enhanced recordings; headers are checked now, so that no run ends half way for them.

    A recording that is broken (a killed program leaves such) counts as missing, and the remark says why; where
    most are, the others say nothing about the system.

    Args:
        folder: with recordings that have the names of utterances, or those with something before and after them.
        name: of the system.
        pairs: the utterances that are scored.
        among: the whole test set, by whose names the recordings are found.
        resample: whether another sample rate is brought to 16 kHz.
        strict: a broken recording is an error.

    Raises:
        InputError: no recording of the test set in the folder, or most (with `strict`: any) of them are no mono audio.
        SampleRateError: a recording is not at 16 kHz and `resample` is off.
    """
    matched = match_outputs(
        folder,
        list(among.pairs),
        among.also,
        lambda utterance, path: any(same_samples(path, each) for each in among.pairs[utterance]),
    )
    wanted = {pair.name: matched.files[pair.name] for pair in pairs if pair.name in matched.files}
    if not wanted:
        raise InputError(
            f"{folder}: no recording of the utterances that are scored ({shortened(pair.name for pair in pairs)})"
        )
    several = 0
    broken: dict[str, AudioError] = {}
    for utterance, path in wanted.items():
        try:
            header = probe(path, allow_empty=True)
        except AudioError as error:
            broken[utterance] = error
            if strict:
                raise
            continue
        several += header.channels > 1
        if header.rate != SAMPLE_RATE and not resample:
            raise SampleRateError(wrong_rate(path, header.rate))
    if len(broken) > (1 - MEANT) * len(wanted):
        why = shortened(map(str, broken.values()), 1)
        raise AudioError(f"{folder}: {len(broken)} of {len(wanted)} recordings cannot be used ({why})")
    wanted = {utterance: path for utterance, path in wanted.items() if utterance not in broken}
    digests = {utterance: file_sha256(path) for utterance, path in wanted.items()}
    listing = "\n".join(f"{utterance}\0{digests[utterance]}" for utterance in sorted(digests))
    return FolderSystem(
        name,
        folder.as_posix(),
        wanted,
        digests,
        hashlib.sha256(listing.encode()).hexdigest(),
        read_name(folder.name).epoch,
        remark=_how_found(name, matched, several, list(broken.values())),
    )


def _how_found(name: str, matched: MatchedOutputs, several: int, broken: Sequence[AudioError]) -> str:
    """What does not go without saying of a folder's recordings."""
    told = [matched.how] if matched.how else []
    if matched.unused:
        told.append(f"not of the test set, and not scored: {shortened(matched.unused)}")
    if several:
        told.append(same_channels(several, len(matched.files)))
    if broken:
        count = "1 recording" if len(broken) == 1 else f"{len(broken)} recordings"
        told.append(f"{count} cannot be used, counted as missing ({shortened(map(str, broken), 1)})")
    return f"{name}: {'; '.join(told)}" if told else ""


def noisy_system(pairs: Iterable[Pair], path: str) -> FolderSystem:
    """The noisy input as a system of its own: what a network that does nothing would score."""
    listed = list(pairs)
    digests = {pair.name: pair.noisy_sha256 for pair in listed}
    listing = "\n".join(f"{utterance}\0{digests[utterance]}" for utterance in sorted(digests))
    files = {pair.name: pair.noisy for pair in listed}
    return FolderSystem(NOISY, path, files, digests, hashlib.sha256(listing.encode()).hexdigest(), None)


@dataclass(slots=True)
class ModelSystem:
    """A checkpoint behind an enhancer."""

    name: str
    path: str
    enhancer: Enhancer
    resample: bool
    sha256: str
    epoch: int | None
    settings: str
    remark: str = ""
    _identity: str = field(default="")

    def missing(self, pairs: Sequence[Pair]) -> list[str]:
        """A model has an output for everything."""
        return []

    def estimate_key(self, pair: Pair, segment: Segment) -> str:
        """Weights, code and settings by the enhancer's identity, and what it gets as input."""
        self._identity = self._identity or self.enhancer.identity
        return f"model:{self._identity}:{self.settings}:{pair.noisy_sha256}"

    def estimate(self, pair: Pair, segment: Segment) -> Estimate:
        """Run the model on the segment of the noisy recording; its errors name both."""
        noisy = segment.cut(read_audio(pair.noisy, resample=self.resample)).astype(np.float32)
        try:
            return self.enhancer.enhance(noisy)
        except ModelError as error:
            raise ModelError(f"{self.name}: {pair.noisy}: {error}") from error

    def close(self) -> None:
        """Release the network."""
        self.enhancer.close()


def model_system(enhancer: Enhancer, name: str, *, resample: bool = False) -> ModelSystem:
    """A system from an enhancer; its description gives path, digest and epoch."""
    said = enhancer.describe()
    epoch = said.get("epoch")
    return ModelSystem(
        name,
        str(said.get("path", "")),
        enhancer,
        resample,
        str(said.get("sha256", "")),
        epoch if isinstance(epoch, int) else None,
        f"model:{said.get('model')}|device:{said.get('device')}",
        remark=_which_weights(name, said),
    )


def _which_weights(name: str, said: Mapping[str, JsonValue]) -> str:
    """Which of several sets of weights were used; people who keep an average mean to evaluate it."""
    others = said.get("passed_over")
    if not isinstance(others, list) or not others:
        return ""
    used, listed = said.get("weights"), ", ".join(str(other) for other in others)
    chooser = said.get("chosen_by")
    if used is None:
        return f"{name}: the file holds several sets of weights of one network, {listed}; {chooser} decides which it is"
    way = f"{chooser} decides" if chooser else "--weights NAME takes others"
    return f"{name}: scored are the weights {used or '(top level)'}; the file also holds {listed} ({way})"


def short_names(paths: Sequence[Path]) -> list[str]:
    """A short, unique name for every path: as many of its last parts as are needed to tell it from the others."""
    parts = [path.resolve().parts for path in paths]
    names: list[str] = []
    for own in parts:
        depth = 1
        while depth < len(own) and sum(other[-depth:] == own[-depth:] for other in parts) > 1:
            depth += 1
        names.append("/".join(own[-depth:]))
    return names
