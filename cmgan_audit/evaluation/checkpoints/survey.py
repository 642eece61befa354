"""What a pickle asks for, found without building any of it.

`torch.load(weights_only=True)` runs nothing that a pickle names, but it believes the sizes that a pickle claims: a
storage that claims more bytes than the file holds is read past its end, a tensor that claims more than its storage
makes the storage grow. So every claim is checked here first. The unpickler below replaces everything that a pickle
names by an inert object; nothing of a file is imported or called.
"""

from __future__ import annotations

import _compat_pickle
import pickle
import struct
from collections.abc import Callable
from dataclasses import field
from typing import ClassVar, Protocol, TypeGuard

from cmgan_audit.lazy_dataclasses import dataclass

# Bytes per element of the storage classes that torch pickles by name.
_ITEM_SIZES = {
    "DoubleStorage": 8,
    "FloatStorage": 4,
    "HalfStorage": 2,
    "BFloat16Storage": 2,
    "LongStorage": 8,
    "IntStorage": 4,
    "ShortStorage": 2,
    "CharStorage": 1,
    "ByteStorage": 1,
    "BoolStorage": 1,
    "UntypedStorage": 1,
    "QInt8Storage": 1,
    "QUInt8Storage": 1,
    "QInt32Storage": 4,
    "ComplexFloatStorage": 8,
    "ComplexDoubleStorage": 16,
}
_LARGEST_ITEM = 16


DAMAGE = (
    pickle.UnpicklingError,
    EOFError,
    ValueError,  # also UnicodeDecodeError: damaged strings
    TypeError,  # damaged opcodes meet values of the wrong kind
    LookupError,
    AttributeError,
    ArithmeticError,
    AssertionError,
    ImportError,
    MemoryError,  # a claimed length beyond all memory
    RecursionError,
    struct.error,
)
"""What reading a damaged pickle may raise, in Python's reader and in torch's."""


class Readable(Protocol):
    """A binary stream that never allocates more than it holds (`io.BytesIO`, `mmap.mmap`)."""

    def read(self, n: int, /) -> bytes:
        """At most n bytes."""
        ...

    def readline(self) -> bytes:
        """One line."""
        ...


class SurveyError(Exception):
    """A pickle is damaged or claims something impossible; the text says what, without the file's name."""


class WholeModelError(SurveyError):
    """A whole model in the format before PyTorch 1.6, which points at the code of its classes; the text is a class."""


@dataclass(frozen=True, slots=True)
class StorageClaim:
    """A storage that a pickle refers to: its key in the file, elements, and bytes per element."""

    key: str
    elements: int
    item_size: int

    @property
    def size(self) -> int:
        """Bytes."""
        return self.elements * self.item_size


@dataclass(slots=True)
class Survey:
    """Everything that a pickle asks for.

    Attributes:
        names: `module.name` of all globals, in order of appearance, as Python 3 calls them.
        called: those of them that are called with arguments; classes of which only an empty object is made are not.
        filled: those whose objects are given items as dictionaries are.
        listed: those whose objects are given items as lists are.
        storages: claims by key.
    """

    names: list[str] = field(default_factory=list)
    called: set[str] = field(default_factory=set)
    filled: set[str] = field(default_factory=set)
    listed: set[str] = field(default_factory=set)
    storages: dict[str, StorageClaim] = field(default_factory=dict)


class _Inert:
    """Stands for whatever a pickle names: swallows arguments, state and items."""

    asked_for = ""
    survey: ClassVar[Survey]

    def __init__(self, *args: object, **kwargs: object) -> None:
        self.survey.called.add(self.asked_for)
        if self.asked_for.startswith("torch._utils._rebuild_"):
            _check_tensor(args)

    def __setstate__(self, state: object) -> None:
        pass

    def __setitem__(self, key: object, value: object) -> None:
        self.survey.filled.add(self.asked_for)

    def append(self, item: object) -> None:
        self.survey.listed.add(self.asked_for)

    def extend(self, items: object) -> None:
        self.survey.listed.add(self.asked_for)


class _PlainDict(dict[object, object]):
    """An OrderedDict without its class; state dicts hang attributes on it, which do not matter here."""

    def __setstate__(self, state: object) -> None:
        pass


def _refuse_bytearray(unpickler: object) -> None:
    """Its length is allocated before anything is read."""
    raise SurveyError("holds a bytearray, which no checkpoint does")


class _Surveyor(pickle._Unpickler):
    """An unpickler that builds nothing and writes down what it was asked for.

    Python's own implementation in Python: unlike the one in C it does not allocate memory for a claimed memo index.
    """

    def __init__(self, stream: Readable, survey: Survey) -> None:
        super().__init__(stream, encoding="latin1")
        self._survey = survey

    def find_class(self, module: str, name: str, /) -> object:
        # torch.save writes names as Python 2 had them; torch.load reads them as it does.
        if (module, name) in _compat_pickle.NAME_MAPPING:
            module, name = _compat_pickle.NAME_MAPPING[(module, name)]
        else:
            module = _compat_pickle.IMPORT_MAPPING.get(module, module)
        full = f"{module}.{name}"
        if full not in self._survey.names:
            self._survey.names.append(full)
        if full == "collections.OrderedDict":
            return _PlainDict
        return type("Asked", (_Inert,), {"asked_for": full, "survey": self._survey})

    def get_extension(self, code: int) -> None:
        raise SurveyError(f"asks for the registered extension {code}")

    def persistent_load(self, pid: object, /) -> object:
        if isinstance(pid, tuple) and len(pid) > 1 and pid[0] == "module":
            raise WholeModelError(getattr(pid[1], "asked_for", "no name"))
        if not (isinstance(pid, tuple) and len(pid) >= 5 and pid[0] == "storage"):
            raise SurveyError(f"refers to something that is not a tensor storage ({str(pid)[:60]})")
        kind, key, elements = pid[1], str(pid[2]), pid[4]
        if not isinstance(elements, int) or elements < 0:
            raise SurveyError(f"storage {key} claims {str(elements)[:20]} elements")
        name = kind.asked_for.rpartition(".")[2] if isinstance(kind, type) and issubclass(kind, _Inert) else ""
        claim = StorageClaim(key, elements, _ITEM_SIZES.get(name, _LARGEST_ITEM))
        known = self._survey.storages.get(key)
        if known is None or claim.size > known.size:
            self._survey.storages[key] = claim
        return claim

    dispatch: ClassVar[dict[int, Callable[[pickle.Unpickler], None]]] = {
        **pickle._Unpickler.dispatch,
        pickle.BYTEARRAY8[0]: _refuse_bytearray,
    }


def _check_tensor(args: tuple[object, ...]) -> None:
    """Check that a tensor lies within its storage."""
    if len(args) < 4:
        return
    storage, offset, shape, strides = args[:4]
    if not isinstance(storage, StorageClaim):
        return
    if not (isinstance(offset, int) and _are_sizes(shape) and _are_sizes(strides)):
        return  # another kind of tensor; torch refuses or checks what it does not know
    last = offset + sum((n - 1) * step for n, step in zip(shape, strides, strict=False)) if all(shape) else offset - 1
    if offset < 0 or len(shape) != len(strides) or last >= storage.elements:
        raise SurveyError(
            f"a tensor of shape {list(shape)} is claimed to lie in storage {storage.key}, which has only "
            f"{storage.elements} elements"
        )


def _are_sizes(value: object) -> TypeGuard[tuple[int, ...]]:
    return isinstance(value, tuple) and all(isinstance(n, int) and n >= 0 for n in value)


def survey_pickle(stream: Readable, survey: Survey) -> object:
    """Read one pickle from a stream and write down what it asks for.

    Returns:
        The pickle's plain Python parts; everything else is inert.

    Raises:
        SurveyError: the pickle is damaged or claims something impossible.
    """
    try:
        return _Surveyor(stream, survey).load()
    except SurveyError:
        raise
    except DAMAGE as error:
        raise SurveyError(f"the pickle in it is damaged ({type(error).__name__}: {str(error)[:100]})") from error
