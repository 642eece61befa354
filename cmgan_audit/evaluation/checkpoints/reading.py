"""Open a checkpoint file of any form, run nothing in it, and believe none of its claims unchecked."""

from __future__ import annotations

import hashlib
import io
import json
import mmap
import pickle
import struct
import warnings
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import torch

from cmgan_audit.evaluation.checkpoints.bundles import Bundle, bundle_of, parts_digest
from cmgan_audit.evaluation.checkpoints.errors import CheckpointError, first_line
from cmgan_audit.evaluation.checkpoints.naming import epoch_from_content, read_name
from cmgan_audit.evaluation.checkpoints.plain import plain_values
from cmgan_audit.evaluation.checkpoints.stand_ins import refused, stand_ins
from cmgan_audit.evaluation.checkpoints.survey import DAMAGE, Survey, SurveyError, WholeModelError, survey_pickle
from cmgan_audit.evaluation.in_its_place import in_its_place
from cmgan_audit.evaluation.material.listing import AUDIO_SUFFIXES
from cmgan_audit.lazy_dataclasses import dataclass

_TORCH_MAGIC = 0x1950A86A20F9469CFC6C  # first pickle of the format before PyTorch 1.6
_AT_ONCE = 1 << 20
_LONGEST_LINE = 1 << 13  # a name and a path
_SAFETENSORS_HEADER_LIMIT = 100_000_000  # the format's own limit


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A checkpoint file that was read.

    Attributes:
        path: as given: a file, or a folder that is one checkpoint.
        sha256: of the file's bytes.
        form: `torch zip`, `torch legacy`, `safetensors`, or what a folder is that is one checkpoint (`bundles`).
        content: what the file holds: tensors, containers and plain values only.
        epoch: from the content, else from the file name.
        epoch_from: `content`, `name` or "".
    """

    path: Path
    sha256: str
    form: str
    content: object
    epoch: int | None
    epoch_from: str


# What the zip reader of the standard library raises for files that lie about themselves; an offset before the
# beginning of the file is an OSError.
_DAMAGED = (
    zipfile.BadZipFile,
    EOFError,
    NotImplementedError,
    struct.error,
    ValueError,
    RuntimeError,
    OSError,
    OverflowError,
)


def open_file(path: Path) -> Checkpoint:
    """Read a checkpoint onto the CPU: a file, or a folder that is one checkpoint.

    Raises:
        CheckpointError: it is not there, not a checkpoint, damaged, or needs more than weights and plain values.
    """
    bundle = bundle_of(path)
    if bundle is not None:
        return _open_bundle(bundle)
    if path.is_dir():
        raise CheckpointError(f"{path}: a folder of recordings, where a checkpoint file is expected")
    try:
        with path.open("rb") as stream:
            start = stream.read(64)
            size = stream.seek(0, io.SEEK_END)
            stream.seek(0)
            sha256 = hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError as error:
        raise CheckpointError(f"{path}: cannot be read: {error.strerror or error}") from error
    if not start:
        raise CheckpointError(f"{path}: an empty file, not a checkpoint")
    if start.startswith(b"PK\x03\x04"):
        form, content = "torch zip", _read_zip(path, size)
    elif _looks_like_safetensors(start, path):
        form, content = "safetensors", _read_safetensors(path, size)
    elif start[:1] == b"\x80":
        form, content = "torch legacy", _read_legacy(path, size)
    else:
        raise CheckpointError(
            f"{path}: not a checkpoint: neither a PyTorch nor a safetensors file{_guess(start, path)}"
        )
    epoch, epoch_from = epoch_from_content(content), "content"
    if epoch is None:
        epoch, epoch_from = read_name(path.name).epoch, "name"
    return Checkpoint(path, sha256, form, content, epoch, epoch_from if epoch is not None else "")


def _open_bundle(bundle: Bundle) -> Checkpoint:
    """Read the files of a checkpoint that is a folder."""
    read = {part.stem: open_file(part).content for part in bundle.parts}
    content: object = read
    if bundle.joined:
        content = {name: tensor for part in read.values() for name, tensor in _tensors(part).items()}
    elif len(read) == 1:
        (content,) = read.values()
    epoch, epoch_from = bundle.epoch, "content"
    if epoch is None:
        epoch = epoch_from_content(content)
    if epoch is None and not bundle.counts_steps:
        epoch, epoch_from = read_name(bundle.place.name).epoch, "name"
    return Checkpoint(
        bundle.place,
        parts_digest(bundle),
        bundle.form,
        content,
        epoch,
        epoch_from if epoch is not None else "",
    )


def _tensors(content: object) -> Mapping[str, object]:
    """The tensors of a shard; beside metadata they lie one level deeper."""
    inner = content.get("state_dict", content) if isinstance(content, Mapping) else {}
    return inner if isinstance(inner, Mapping) else {}


def _guess(start: bytes, path: Path) -> str:
    """What a file that is no checkpoint seems to be."""
    if path.suffix.lower() == ".onnx":
        return " (an exported graph is run by compare-ckpts with --model onnx)"
    if start.startswith(b"RIFF"):
        return " (it is a wav file)"
    if found := in_its_place(start):
        return found
    if _lists_recordings(path):
        return " (it lists recordings: name the folder that holds them, or make one of links to them)"
    return ""


def _lists_recordings(path: Path) -> bool:
    """Whether the first line of a file ends in a recording's name, as in Kaldi's wav.scp."""
    with path.open("rb") as stream:
        first = stream.readline(_LONGEST_LINE).strip().strip(b"\"'")
    return first.lower().endswith(tuple(suffix.encode() for suffix in AUDIO_SUFFIXES))


def _read_zip(path: Path, size: int) -> object:
    survey = Survey()
    try:
        with zipfile.ZipFile(path) as archive:
            records = {info.filename.partition("/")[2]: info for info in archive.infolist()}
            folders = {info.filename.partition("/")[0] for info in archive.infolist()}
            if len(folders) > 1 or len(records) < len(archive.infolist()):
                raise CheckpointError(f"{path}: a zip archive of several folders or equal names, not a checkpoint")
            if "constants.pkl" in records or any(name.startswith("code/") for name in records):
                raise CheckpointError(
                    f"{path}: a TorchScript program, which is code and is not run; save weights with "
                    "torch.save(torch.jit.load(FILE).state_dict(), NEW)"
                )
            packed = [info.filename for info in archive.infolist() if info.compress_type != zipfile.ZIP_STORED]
            claimed = sum(info.file_size for info in archive.infolist())
            if packed or claimed > size:
                raise CheckpointError(
                    f"{path}: unpacks to {claimed:,} bytes from {size:,}; torch.save never compresses, so this is no "
                    "checkpoint of PyTorch (a zip bomb has this shape)"
                )
            if "data.pkl" not in records:
                raise CheckpointError(f"{path}: a zip archive without data.pkl, so not a checkpoint of PyTorch")
            # PyTorch writes none where `set_crc32_options(False)` says so; those that it writes it does not look at.
            for info in archive.infolist():
                if info.CRC == 0:
                    info.CRC = None  # type: ignore[assignment]
            survey_pickle(io.BytesIO(archive.read(records["data.pkl"])), survey)
            for claim in survey.storages.values():
                if f"data/{claim.key}" in records:
                    _check_sum(archive, records[f"data/{claim.key}"])
    except _DAMAGED as error:
        raise CheckpointError(f"{path}: damaged or cut short: {error}") from error
    except SurveyError as error:
        raise CheckpointError(f"{path}: {error}") from error
    for claim in survey.storages.values():
        record = records.get(f"data/{claim.key}")
        held = 0 if record is None else record.file_size
        if claim.size > held:
            raise CheckpointError(
                f"{path}: damaged: storage {claim.key} claims {claim.size:,} bytes, the file holds {held:,} of it"
            )
    return _load_weights_only(path, survey)


def _check_sum(archive: zipfile.ZipFile, record: zipfile.ZipInfo) -> None:
    """Read a record to its end, where the reader compares its checksum.

    Raises:
        BadZipFile: its bytes are not those that were written.
    """
    with archive.open(record) as stream:
        while stream.read(_AT_ONCE):
            pass


def _read_legacy(path: Path, size: int) -> object:
    survey = Survey()
    try:
        with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as stream:
            if survey_pickle(stream, survey) != _TORCH_MAGIC:
                raise CheckpointError(_not_torch(path, survey))
            for _ in range(4):  # protocol, system, the object itself, keys of the storages
                survey_pickle(stream, survey)
    except WholeModelError as error:
        raise CheckpointError(
            f"{path}: a whole model of class {error}, saved before PyTorch 1.6; only its own code can read it. "
            "Where that is, save its weights: torch.save(torch.load(FILE, weights_only=False).state_dict(), NEW)"
        ) from error
    except SurveyError as error:
        raise CheckpointError(f"{path}: damaged or cut short, or not a checkpoint: {error}") from error
    claimed = sum(claim.size for claim in survey.storages.values())
    if claimed > size:
        raise CheckpointError(f"{path}: damaged: its tensors claim {claimed:,} bytes, the file has only {size:,}")
    return _load_weights_only(path, survey)


def _not_torch(path: Path, survey: Survey) -> str:
    names = f" that asks for {', '.join(list(survey.names)[:5])}" if survey.names else ""
    return (
        f"{path}: a plain pickle{names}, not a checkpoint of PyTorch; it was not run. "
        "Where it was made, save the weights with torch.save(model.state_dict(), NEW)"
    )


def _load_weights_only(path: Path, survey: Survey) -> object:
    plain = plain_values()
    answered = {entry[1] for entry in plain if isinstance(entry, tuple)}
    foreign = refused(survey, answered)
    if foreign:
        raise _more_than_weights(path, foreign)
    try:
        with (
            torch.serialization.safe_globals([*plain, *stand_ins(survey, answered)]),
            # Without, indices of sparse tensors are believed, and what they point at is read and written.
            torch.sparse.check_sparse_tensor_invariants(),  # type: ignore[no-untyped-call]
            warnings.catch_warnings(),
        ):
            warnings.simplefilter("ignore")  # remarks on the age of a file; what matters ends as an error
            return torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        raise _more_than_weights(path, list(survey.names)) from error
    except (*DAMAGE, RuntimeError, OSError) as error:
        raise CheckpointError(f"{path}: damaged or cut short: {type(error).__name__}: {first_line(error)}") from error


def _more_than_weights(path: Path, names: Sequence[str]) -> CheckpointError:
    more = f" and {len(names) - 8} more" if len(names) > 8 else ""
    return CheckpointError(
        f"{path}: holds more than weights and was not loaded: it asks for "
        f"{', '.join(names[:8]) or 'an unsupported kind of object'}{more}. "
        "Loading such a file runs code. If you trust it, convert it once where it was made: "
        "torch.save(torch.load(FILE, weights_only=False)['state_dict'], NEW), with the key that holds the weights, "
        "or with .state_dict() where a whole model was saved"
    )


def _looks_like_safetensors(start: bytes, path: Path) -> bool:
    return path.suffix == ".safetensors" or (len(start) > 8 and start[8:9] == b"{" and start[5:8] == b"\0\0\0")


def _read_safetensors(path: Path, size: int) -> object:
    from safetensors import SafetensorError, safe_open

    with path.open("rb") as stream:
        head = stream.read(8)
    header = int.from_bytes(head, "little")
    if len(head) < 8 or header > min(size - 8, _SAFETENSORS_HEADER_LIMIT):
        raise CheckpointError(
            f"{path}: not a safetensors file: its header claims {header:,} bytes, the file has {size:,}"
        )
    try:
        with safe_open(path, framework="pt", device="cpu") as archive:
            tensors = {name: archive.get_tensor(name) for name in archive.keys()}  # noqa: SIM118 - not a mapping
            metadata: Mapping[str, str] = archive.metadata() or {}
    except (SafetensorError, OSError, ValueError, RuntimeError) as error:
        raise CheckpointError(f"{path}: damaged or cut short: {error}") from error
    if not metadata:
        return tensors
    return {"state_dict": tensors, **{key: _plain(value) for key, value in metadata.items() if key != "state_dict"}}


def _plain(value: str) -> object:
    """A metadata string as the value that it spells, if it is JSON."""
    try:
        return json.loads(value)
    except (ValueError, RecursionError):
        return value
