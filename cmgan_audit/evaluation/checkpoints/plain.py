"""Harmless stand-ins for the few classes, besides tensors, that training scripts leave in checkpoints.

NumPy scalars (a score), dtypes, paths and argparse results are values, but a pickle builds them by calling the class
that it names. `torch.load(weights_only=True)` lets us answer such a name with a function of ours; these decode
plain numbers and text and nothing else. No class of NumPy, pathlib or argparse is called on a file's word.
"""

from __future__ import annotations

import struct
from collections.abc import Callable

# NumPy type strings to struct codes; anything else stays undecoded.
_SCALARS = {
    "f8": "d",
    "f4": "f",
    "f2": "e",
    "i8": "q",
    "i4": "i",
    "i2": "h",
    "i1": "b",
    "u8": "Q",
    "u4": "I",
    "u2": "H",
    "u1": "B",
    "b1": "?",
}


class PlainDtype:
    """A NumPy dtype's type string, such as `f8`."""

    def __init__(self, code: object = "", *_: object) -> None:
        self.code = str(code)

    def __setstate__(self, state: object) -> None:
        """Byte order and layout: numbers are little-endian on every machine that trains networks."""


class PlainArray:
    """A NumPy array (a history of losses, the state of a random generator): its values are not looked at."""

    def __init__(self, *_: object) -> None:
        pass

    def __setstate__(self, state: object) -> None:
        """Shape, type and bytes; none of them is a weight."""


class PlainVersion:
    """The version of PyTorch that wrote a file; `str` itself would look a second argument up as an encoding."""

    def __new__(cls, text: object = "", *_: object) -> str:  # type: ignore[misc]
        """Its text."""
        return text if isinstance(text, str) else ""


class PlainNamespace:
    """The attributes of an argparse.Namespace or of another object that only holds values."""

    def __init__(self, *_: object) -> None:
        pass


def plain_scalar(dtype: object, data: object = b"") -> object:
    """Decode a NumPy scalar to a Python number; the type string in brackets if it is not a number."""
    code = dtype.code if isinstance(dtype, PlainDtype) else ""
    raw = data.encode("latin1") if isinstance(data, str) else data
    letter = _SCALARS.get(code.lstrip("<=|"))
    if letter is None or not isinstance(raw, bytes) or len(raw) != struct.calcsize(f"<{letter}"):
        return f"<numpy scalar {code}>"
    return struct.unpack(f"<{letter}", raw)[0]


def plain_array(*_: object) -> PlainArray:
    """An array without its values; the bytes that follow are dropped."""
    return PlainArray()


def plain_path(*parts: object) -> str:
    """Join the parts of a path object to text."""
    text = "/".join(str(part) for part in parts)
    return text[1:] if text.startswith("//") else text


def plain_encode(text: object, encoding: object = "latin1") -> bytes:
    """Bytes that protocol 2 writes as text (`_codecs.encode`)."""
    return str(text).encode("latin1", errors="replace")


# Python 3.13 alone has its paths in a module below.
_PATH_MODULES = ("pathlib", "pathlib._local")
_PATHS = ("PosixPath", "PurePosixPath", "WindowsPath", "PureWindowsPath")


def plain_values() -> list[Callable[..., object] | tuple[Callable[..., object], str]]:
    """For `torch.serialization.safe_globals`: our function for each name that a pickle may use."""
    return [
        (plain_scalar, "numpy.core.multiarray.scalar"),
        (plain_scalar, "numpy._core.multiarray.scalar"),
        (PlainDtype, "numpy.dtype"),
        (PlainArray, "numpy.ndarray"),
        (plain_array, "numpy.core.multiarray._reconstruct"),
        (plain_array, "numpy._core.multiarray._reconstruct"),
        (plain_encode, "_codecs.encode"),
        (PlainNamespace, "argparse.Namespace"),
        (PlainVersion, "torch.torch_version.TorchVersion"),
        *((plain_path, f"{module}.{name}") for module in _PATH_MODULES for name in _PATHS),
    ]
