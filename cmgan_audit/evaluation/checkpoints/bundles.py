"""Checkpoints that are folders: shards of large models, and what accelerate, DeepSpeed, SpeechBrain save at one moment.

A folder of checkpoint files is a series; these are one checkpoint each, told by what lies beside the weights. Light: no
torch, and of the files only small text is read.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path

from cmgan_audit.evaluation.checkpoints.errors import CheckpointError
from cmgan_audit.lazy_dataclasses import dataclass
from cmgan_audit.lazy_regex import regex

INDEX_SUFFIX = ".index.json"
_MOST_TEXT = 50_000_000
_MOST_EPOCHS = 10**9

# The network of Hugging Face's libraries and accelerate; further networks of one training are numbered.
_SAVED_MODEL = regex(r"((diffusion_)?pytorch_)?model(_\d+)?\.(safetensors|bin)")
_NUMBERED = regex(r"_\d+\.")
# What lies beside it where it is the state of one moment, and not one checkpoint of a series.
_SAVED_WITH_IT = regex(
    r"(optimizer|scheduler)(_\d+)?\.(bin|pt)|random_states_\d+\.pkl|rng_state(_\d+)?\.pth|trainer_state\.json"
    r"|training_args\.bin|config\.json|custom_checkpoint_\d+\.pkl"
)
_EPOCHS = regex(r"[0-9]{1,9}")
_NO_NETWORK = ("optim", "opt.", "sched", "scaler", "counter", "brain.", "dataloader", "normalizer")


@dataclass(frozen=True, slots=True)
class Bundle:
    """A folder that is one checkpoint.

    Attributes:
        place: the folder, or the index file that was named.
        form: what it is, in words.
        parts: files with weights.
        joined: whether the parts are shards of one set of weights; else each is one of its own, named after its file.
        epoch: where a file beside the weights tells it.
        counts_steps: whether a number in its name counts steps of training, not epochs.
    """

    place: Path
    form: str
    parts: tuple[Path, ...]
    joined: bool = False
    epoch: int | None = None
    counts_steps: bool = False

    @property
    def size(self) -> int:
        """Bytes of its weights."""
        return sum(part.stat().st_size for part in self.parts)


def bundle_of(place: Path) -> Bundle | None:
    """The checkpoint that a folder is, or that an index of shards describes; None for every other folder or file.

    Raises:
        CheckpointError: it is one whose weights cannot be put together here, or an index names files that are missing.
    """
    if place.name.endswith(INDEX_SUFFIX) and place.is_file():
        return _sharded(place, place)
    if not place.is_dir():
        return None
    try:
        names = {path.name for path in place.iterdir()}
    except OSError as error:
        raise CheckpointError(f"{place}: cannot be read: {error.strerror or error}") from error
    for kind in ("safetensors", "bin"):  # in this order, where a folder has both
        indices = sorted(name for name in names if name.endswith(f".{kind}{INDEX_SUFFIX}"))
        if indices:
            return _sharded(place, place / indices[-1])
    if ".metadata" in names and any(name.endswith(".distcp") for name in names):
        raise CheckpointError(
            f"{place}: shards of torch.distributed.checkpoint; put them together first: "
            f"python -m torch.distributed.checkpoint.format_utils dcp_to_torch {place} FILE"
        )
    return _deepspeed(place, names) or _speechbrain(place, names) or _saved_state(place, names)


def path_digest(path: Path) -> str:
    """Hex digest of a file's bytes, or of names and bytes of all files below a folder.

    Raises:
        CheckpointError: something cannot be read.
    """
    try:
        if not path.is_dir():
            return _file_digest(path)
        files = sorted(each for each in path.rglob("*") if each.is_file())
        return _listing_digest({each.relative_to(path).as_posix(): each for each in files})
    except OSError as error:
        raise CheckpointError(f"{path}: cannot be read: {error.strerror or error}") from error


def parts_digest(bundle: Bundle) -> str:
    """Hex digest of the weights of a bundle, by names and bytes of its files."""
    return _listing_digest({part.name: part for part in bundle.parts})


def _listing_digest(files: Mapping[str, Path]) -> str:
    listing = "\n".join(f"{name}\0{_file_digest(file)}" for name, file in sorted(files.items()))
    return hashlib.sha256(listing.encode(errors="surrogateescape")).hexdigest()


def _file_digest(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _sharded(place: Path, index: Path) -> Bundle:
    listed = _json(index)
    table = listed.get("weight_map") if isinstance(listed, Mapping) else None
    if not isinstance(table, Mapping) or not all(isinstance(name, str) for name in table.values()):
        raise CheckpointError(f"{index}: no index of shards: it has no weight_map of tensor names and file names")
    # Names of files only: an index does not point out of its folder.
    parts = tuple(index.parent / Path(name).name for name in sorted(set(table.values())))
    # A shard that is an index itself is none: it could name the first one again.
    missing = [part.name for part in parts if not part.is_file() or part.name.endswith(INDEX_SUFFIX)]
    if missing or not parts:
        raise CheckpointError(
            f"{index}: {len(missing)} of its {len(parts)} shards are missing: {', '.join(missing[:4])}"
        )
    epoch, steps = _trainer_epoch(index.parent)
    return Bundle(place, f"{len(parts)} shards", parts, joined=True, epoch=epoch, counts_steps=steps)


def _deepspeed(place: Path, names: set[str]) -> Bundle | None:
    folder = place
    tagged = _text(place / "latest").strip() if "latest" in names else ""
    tags = [name for name in names if _has_states(place / name)] if tagged else []
    if tags and tags == [tagged]:  # Lightning writes each checkpoint as a folder with one tag in it
        folder, names = place / tagged, {path.name for path in (place / tagged).iterdir()}
    ranks = sorted(name for name in names if name.startswith("mp_rank_") and name.endswith("_model_states.pt"))
    if any(name.startswith("zero_pp_rank_") and name.endswith("_model_states.pt") for name in names):
        raise CheckpointError(
            f"{place}: DeepSpeed's ZeRO stage 3, whose weights are spread over the ranks; put them together first with "
            f"the script that DeepSpeed left beside them: python zero_to_fp32.py {place} FILE"
        )
    if len(ranks) > 1:
        raise CheckpointError(f"{place}: a model cut over {len(ranks)} ranks by DeepSpeed; save it whole first")
    return Bundle(place, "DeepSpeed folder", (folder / ranks[0],)) if ranks else None


def _has_states(folder: Path) -> bool:
    return folder.is_dir() and next(folder.glob("*_model_states.pt"), None) is not None


def _speechbrain(place: Path, names: set[str]) -> Bundle | None:
    if "CKPT.yaml" not in names:
        return None
    found = sorted(name for name in names if name.endswith(".ckpt") and not _is_no_network(name))
    if not found:
        return None
    counted = _text(place / "counter.ckpt").strip() if "counter.ckpt" in names else ""
    epoch = int(counted) if _EPOCHS.fullmatch(counted) else None
    return Bundle(place, "SpeechBrain folder", tuple(place / name for name in found), epoch=epoch)


def _is_no_network(name: str) -> bool:
    return any(word in name.lower() for word in _NO_NETWORK)


def _saved_state(place: Path, names: set[str]) -> Bundle | None:
    models = sorted(name for name in names if _SAVED_MODEL.fullmatch(name))
    # The first network has no number: `model_1.bin`, `model_2.bin` beside `config.json` are a series.
    if all(_NUMBERED.search(name) for name in models) or not any(_SAVED_WITH_IT.fullmatch(name) for name in names):
        return None
    if any(name.endswith(".safetensors") for name in models):
        models = [name for name in models if name.endswith(".safetensors")]
    parts = tuple(place / name for name in models)
    epoch, steps = _trainer_epoch(place)
    return Bundle(place, "folder of a saved state", parts, epoch=epoch, counts_steps=steps)


def _trainer_epoch(folder: Path) -> tuple[int | None, bool]:
    """The epoch in the state of Hugging Face's trainer (it counts fractions), and whether there is such a state."""
    path = folder / "trainer_state.json"
    if not path.is_file():
        return None, False
    state = _json(path)
    epoch = state.get("epoch") if isinstance(state, Mapping) else None
    if not isinstance(epoch, int | float) or isinstance(epoch, bool) or not 0 <= epoch < _MOST_EPOCHS:
        return None, True  # JSON of Python may hold NaN and infinity
    return (round(epoch) if abs(epoch - round(epoch)) < 1e-6 else None), True


def _json(path: Path) -> object:
    try:
        return json.loads(_text(path))
    except (ValueError, RecursionError) as error:
        raise CheckpointError(f"{path}: not JSON: {error}") from error


def _text(path: Path) -> str:
    try:
        with path.open("rb") as stream:
            return stream.read(_MOST_TEXT).decode(errors="replace")
    except OSError as error:
        raise CheckpointError(f"{path}: cannot be read: {error.strerror or error}") from error
