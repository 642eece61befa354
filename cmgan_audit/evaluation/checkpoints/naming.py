"""What a checkpoint's file name says, and the order in which people mean their files. Light: no torch."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from glob import glob, has_magic
from pathlib import Path
from typing import Any

from cmgan_audit.errors import MissingPathError
from cmgan_audit.evaluation.checkpoints.bundles import bundle_of
from cmgan_audit.evaluation.checkpoints.errors import CheckpointError
from cmgan_audit.evaluation.material.listing import is_recording, not_read, recordings_below
from cmgan_audit.lazy_dataclasses import dataclass
from cmgan_audit.lazy_regex import regex

SUFFIXES = (".pth", ".pt", ".ckpt", ".safetensors", ".bin", ".tar", ".onnx")
# `.pth.tar`, `.th`: letters only, so that nothing of a number is lost (`CMGAN_epoch_7_0.105`, `ckpt.epoch12`).
_ENDING = regex(r"(?:\.[a-z]+)+$", re.IGNORECASE)
# What torch.save writes under whatever name: the entry of a zip archive, or the number that older files begin with.
_HEAD_BYTES = 512
_ZIP, _ZIP_ENTRY = b"PK\x03\x04", b"/data.pkl"
_MAGIC_NUMBER = b"\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19"
# What trainers save beside weights, by names that begin so, with or without their moment (`epoch_3_optimizer.pth`). A
# word further on may tell apart what was trained (`cosine_scheduler.pth`).
_BESIDE_WEIGHTS = regex(
    r"(?:(?:epoch|ep|steps?|iter|ckpt|checkpoint|model|best|last|latest)?[\d_.=\-]+)?"
    r"(?:optim(?:i[sz]ers?)?|(?:lr_?)?sched(?:ulers?)?|(?:grad_?)?scaler|rng|random_states?|training_args)(?![a-z])",
    re.IGNORECASE,
)

_NUMBER_BEFORE = r"(?:^|(?<=[^a-z]))"  # a word starts here
# The plainest first: `epochs120_epoch_35` is of epoch 35. An `e` alone may be that of a power of ten (`lr5e-4`,
# `lr_e-4`) or of an abbreviation (`e2e`).
_EPOCHS = [
    regex(_NUMBER_BEFORE + r"(?:epoch|ep)[_=.\- ]*0*(\d+)", re.IGNORECASE),
    regex(_NUMBER_BEFORE + r"epochs[_=.\- ]*0*(\d+)", re.IGNORECASE),
    regex(r"(?:^|(?<=[^a-z\d]))e[_= ]*0*(\d+)(?![a-z\d])", re.IGNORECASE),
]
_STEP = regex(_NUMBER_BEFORE + r"(?:steps?|iter(?:ation)?s?|it|global_step|g|do)[_=.\- ]*0*(\d+)", re.IGNORECASE)
_COUNTED = regex(
    _NUMBER_BEFORE + r"(?:ckpt|checkpoint|model|net|generator|weights?|state)[_=.\- ]*0*(\d+)(?![\d.]|e-?\d)",
    re.IGNORECASE,
)
_SCORE = regex(r"(?<![\d.])(\d+\.\d+)(?![\d.])")


@dataclass(frozen=True, slots=True)
class FileName:
    """What a name says: epoch, step, and a decimal number at its end that is a loss or a score (None if silent)."""

    epoch: int | None = None
    step: int | None = None
    score: float | None = None


def read_name(name: str) -> FileName:
    """Understand names such as `CMGAN_epoch_7_0.105`, `epoch=3-step=1000.ckpt`, `ckpt_80`, `g_00005000`.

    Args:
        name: file name, with or without a suffix.
    """
    stem = name_without_ending(name)
    epoch = next((found for pattern in _EPOCHS if (found := pattern.search(stem))), None)
    step = _STEP.search(stem)
    counted = _COUNTED.search(stem)
    if epoch is None and step is None:
        epoch = counted
    scores = _SCORE.findall(stem)
    return FileName(
        epoch=int(epoch[1]) if epoch else None,
        step=int(step[1]) if step else None,
        score=float(scores[-1]) if scores else None,
    )


def epoch_from_content(content: object) -> int | None:
    """The epoch that a training script stored beside the weights."""
    if not isinstance(content, Mapping):
        return None
    for key in ("epoch", "epochs", "current_epoch", "cur_epoch", "last_epoch", "epoch_num", "epoch_idx"):
        value: Any = content.get(key)
        if hasattr(value, "numel") and value.numel() == 1:  # a tensor of one number
            value = value.item()
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
            return value
    return None


def natural_key(name: str) -> tuple[tuple[int, int, str], ...]:
    """Sort key with numbers in the order of their values: `epoch_2` before `epoch_10`."""
    parts = re.split(r"(\d+)", name)
    return tuple((0, int(part), "") if part.isdecimal() else (1, 0, part.lower()) for part in parts if part)


def expand_checkpoints(arguments: Sequence[str]) -> list[Path]:
    """The checkpoints that a command line means, in the order meant.

    A file stands for itself; a pattern (`ckpt/epoch_*.pth`) and a folder of checkpoints stand for these in natural
    order, be they files or folders of one checkpoint each (`bundles`). Such a folder stands for itself, and so does one
    of wav files, or of folders of them, which is one enhanced system.

    Raises:
        CheckpointError: a pattern matches nothing, or a folder holds neither.
        MissingPathError: a path is not there.
    """
    paths: list[Path] = []
    for argument in arguments:
        path = Path(argument)
        if path.is_dir():
            paths.extend(_expand_folder(path))
        elif path.exists():
            paths.append(path)
        elif has_magic(argument):
            matches = sorted(glob(argument, recursive=True), key=natural_key)  # noqa: PTH207 - patterns may be absolute
            if not matches:
                raise CheckpointError(f"{argument}: no file matches this pattern")
            paths.extend(Path(match) for match in matches)
        else:
            raise MissingPathError(f"{argument}: there is no such file or folder")
    return paths


def _holds_checkpoints(folder: Path) -> bool:
    try:
        return bool(_checkpoints_among([path for path in folder.iterdir() if path.is_file()]))
    except OSError:
        return False


def _expand_folder(folder: Path) -> list[Path]:
    if bundle_of(folder) is not None:
        return [folder]
    try:
        files = [path for path in folder.iterdir() if path.is_file() and not path.name.startswith(".")]
    except OSError as error:
        raise CheckpointError(f"{folder}: cannot be read: {error.strerror or error}") from error
    if any(is_recording(path) for path in files):
        return [folder]
    checkpoints = _checkpoints_among(files)
    if not checkpoints:
        bundles = [path for path in folder.iterdir() if path.is_dir() and bundle_of(path) is not None]
        if bundles:
            return sorted(bundles, key=lambda path: natural_key(path.name))
        below = next((path for path in sorted(folder.iterdir()) if path.is_dir() and _holds_checkpoints(path)), None)
        if below is None and next(recordings_below(folder), None) is not None:
            return [folder]
        hint = f"; its folder {below.name} does" if below else not_read(path.name for path in files)
        raise CheckpointError(
            f"{folder}: holds neither wav files nor checkpoints "
            f"(files named {', '.join(f'*{suffix}' for suffix in SUFFIXES[:4])}, like CMGAN_epoch_7_0.105, "
            f"or written by torch.save){hint}"
        )
    return sorted(checkpoints, key=lambda path: natural_key(path.name))


def name_without_ending(name: str) -> str:
    """A file's name without `.pth`, `.pth.tar`, `.th`."""
    return _ENDING.sub("", name)


def is_named_beside_weights(name: str) -> bool:
    """Whether a file has the name of what trainers save beside weights: an optimizer, a scheduler."""
    return _BESIDE_WEIGHTS.match(name) is not None


def _checkpoints_among(files: Sequence[Path]) -> list[Path]:
    """The checkpoints among the files of a folder: by their names, and where no name says so, what torch.save wrote.

    States of optimizers and the like are none where there are others: the last checkpoint decides, and must not be one.
    """
    named = [path for path in files if _is_checkpoint_name(path.name)]
    weights = [path for path in named if not is_named_beside_weights(path.name)]
    return weights or [path for path in files if path not in named and _is_saved_by_torch(path)] or named


def _is_checkpoint_name(name: str) -> bool:
    """Whether a name has a checkpoint's suffix, or is of the known kind without one."""
    if name.lower().endswith(SUFFIXES):
        return True
    said = read_name(name)
    bare = re.search(r"\.[a-z][a-z0-9]*$", name, re.IGNORECASE) is None
    return bare and (said.epoch is not None or said.step is not None)


def _is_saved_by_torch(path: Path) -> bool:
    try:
        with path.open("rb") as stream:
            head = stream.read(_HEAD_BYTES)
    except OSError:
        return False
    return (head.startswith(_ZIP) and _ZIP_ENTRY in head) or _MAGIC_NUMBER in head[:16]
