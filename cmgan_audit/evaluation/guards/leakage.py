"""Test recordings that also stand in a training folder, by their bytes."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from cmgan_audit.errors import InputError, MissingPathError
from cmgan_audit.evaluation.material.audio import file_sha256
from cmgan_audit.evaluation.material.listing import recordings_below
from cmgan_audit.evaluation.material.names import shortened
from cmgan_audit.evaluation.material.pairs import Pair
from cmgan_audit.evaluation.raising import raise_finding
from cmgan_audit.finding import Finding, JsonValue


def check_leakage(pairs: Sequence[Pair], train_data: Path) -> list[Finding]:
    """A finding where a recording of the test set is also in the training folder, under whatever name.

    Only files of equal size are hashed, so a large training set costs a directory walk.

    Raises:
        MissingPathError: the training folder is not there.
        InputError: it holds no audio.
    """
    if not train_data.is_dir():
        raise MissingPathError(f"--train-data {train_data}: no such folder")
    train_files = list(recordings_below(train_data))
    if not train_files:
        raise InputError(f"--train-data {train_data}: no .wav or .flac file below it")
    digests = {digest: pair.name for pair in pairs for digest in (pair.clean_sha256, pair.noisy_sha256)}
    sizes = {path.stat().st_size for pair in pairs for path in (pair.clean, pair.noisy)}
    leaked: dict[str, str] = {}
    for path in train_files:
        if path.stat().st_size in sizes:
            utterance = digests.get(file_sha256(path))
            # The test recordings themselves, where the training folder lies above them, are no copies.
            if utterance is not None and not _same_file(path, pairs):
                leaked.setdefault(utterance, path.relative_to(train_data).as_posix())
    if not leaked:
        return []
    first = sorted(leaked)[0]
    return [
        raise_finding(
            "CMG710",
            "data",
            {"utterances": list[JsonValue](sorted(leaked)), "train_files": len(train_files)},
            n=len(leaked),
            total=len(pairs),
            names=shortened(sorted(leaked)),
            first=first,
            path=leaked[first],
        )
    ]


def _same_file(path: Path, pairs: Sequence[Pair]) -> bool:
    place = path.resolve()
    return any(place in (pair.clean.resolve(), pair.noisy.resolve()) for pair in pairs)
