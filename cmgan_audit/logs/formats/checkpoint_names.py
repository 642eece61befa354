"""What checkpoints say without being loaded: epochs and scores in their names, numbers saved beside the weights.

A checkpoint's pickle is read by an unpickler that knows no class and calls nothing: everything but plain dictionaries,
strings and numbers becomes an inert object. Weights are never touched.
"""

from __future__ import annotations

import io
import pickle
import re
import struct
import zipfile
from collections import OrderedDict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from cmgan_audit.lazy_regex import regex
from cmgan_audit.logs.roles import RoleBook, counter_kind
from cmgan_audit.logs.runs import RunBuilder, natural_x
from cmgan_audit.logs.series import Note, Reading, Role

SUFFIXES = (".pth", ".pt", ".ckpt", ".tar", ".pkl", ".safetensors")
_EPOCH = regex(r"(?<![A-Za-z])(epoch|ep|e|step|steps|iter)[_\-= ]?(\d+)", re.IGNORECASE)
_NAMED = regex(r"(?<![A-Za-z])([A-Za-z][A-Za-z_/\- ]*?)[_\-= ]?(-?\d+\.\d+)(?!\d)")
_BARE = regex(r"epoch[_\-]?\d+[_\-](-?\d+\.\d+)$", re.IGNORECASE)
_PICKLE_LIMIT = 64 << 20
_BROKEN = (
    pickle.UnpicklingError, EOFError, AttributeError, ImportError, IndexError, KeyError, TypeError, ValueError,
    MemoryError, OverflowError, struct.error, zipfile.BadZipFile, OSError, NotImplementedError, RecursionError,
)  # fmt: skip


def names_of(path: Path) -> tuple[float | None, float | None, dict[str, float]]:
    """Epoch, step and named numbers in a checkpoint's name: `CMGAN_epoch_7_0.105`, `epoch=3-val_pesq=2.51.ckpt`."""
    stem = path.name
    for suffix in SUFFIXES:
        stem = stem.removesuffix(suffix)
    epoch = step = None
    for match in _EPOCH.finditer(stem):
        value = float(match.group(2))
        if match.group(1).lower().startswith("e"):
            epoch = value if epoch is None else epoch
        else:
            step = value if step is None else step
    rest = _EPOCH.sub(" ", stem)
    values = {m.group(1).strip(" _-="): float(m.group(2)) for m in _NAMED.finditer(rest)}
    bare = _BARE.search(stem)
    if bare:
        # CMGAN's own trainer ends the name with the generator's loss on the test set, cut to five characters.
        values = {"loss in checkpoint name": float(bare.group(1))}
    return epoch, step, values


def read_checkpoints(paths: Sequence[Path], source: str, book: RoleBook) -> Reading:
    """One run from the names and the embedded numbers of a folder's checkpoints, in the order of their epochs."""
    rows: list[tuple[float | None, float | None, dict[str, float]]] = []
    notes: list[Note] = []
    for path in paths:
        epoch, step, values = names_of(path)
        for name, value in embedded_numbers(path).items():
            counter = counter_kind(name)
            if counter == "epoch":
                epoch = value if epoch is None else epoch
            elif counter == "step":
                step = value if step is None else step
            else:
                values.setdefault(name, value)
        if values and (epoch is not None or step is not None):
            rows.append((epoch, step, values))
    builder = RunBuilder(source)
    for place, (epoch, step, values) in enumerate(sorted(rows, key=lambda r: (r[0] or 0.0, r[1] or 0.0)), start=1):
        for name, value in values.items():
            role = book.of(name)
            if role is None or role.kind not in ("metric", "loss", "best"):
                continue
            kind, x = natural_x(builder, epoch, step, place)
            shown = name if "checkpoint" in name else f"{name} (checkpoints)"
            builder.add(
                shown,
                Role(role.kind, role.measure, role.phase, role.network, role.higher_is_better),
                kind,
                x,
                value,
                place,
            )
    return Reading(source, "checkpoints", builder.finish(), notes)


class _Inert(dict[Any, Any]):
    """Stands for every object of a class: swallows what the pickle does to it."""

    def __init__(self, *_: object, **__: object) -> None:
        super().__init__()

    def __setstate__(self, _: object) -> None:
        return None

    def append(self, _: object) -> None:
        """As a list has it."""

    def extend(self, _: object) -> None:
        """As a list has it."""


class _Reader(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        """No class is ever imported."""
        return OrderedDict if (module, name) == ("collections", "OrderedDict") else _Inert

    def persistent_load(self, _: object) -> Any:
        """Weights stay on the disk."""
        return _Inert()


def embedded_numbers(path: Path) -> dict[str, float]:
    """Numbers that a checkpoint holds at its top level, such as `epoch` and `pesq_score`; {} when it cannot be read."""
    try:
        if zipfile.is_zipfile(path):
            with zipfile.ZipFile(path) as archive:
                inner = next((i for i in archive.infolist() if i.filename.endswith("data.pkl")), None)
                if inner is None or inner.file_size > _PICKLE_LIMIT:
                    return {}
                loaded = _Reader(io.BytesIO(archive.read(inner))).load()
        else:
            with path.open("rb") as stream:
                if stream.read(1) != b"\x80":
                    return {}
                stream.seek(0)
                loaded = _legacy(stream)
    except _BROKEN:
        # A checkpoint is not a log: what cannot be read here is the business of `inspect`.
        return {}
    if not isinstance(loaded, dict):
        return {}
    return {
        key: float(value)
        for key, value in loaded.items()
        if isinstance(key, str) and isinstance(value, int | float) and not isinstance(value, bool)
    }


def _legacy(stream: io.BufferedReader) -> object:
    """Checkpoints before torch 1.6: magic number, version and system information come first."""
    loaded = _Reader(stream).load()
    if isinstance(loaded, int):
        _Reader(stream).load()
        _Reader(stream).load()
        loaded = _Reader(stream).load()
    return loaded
