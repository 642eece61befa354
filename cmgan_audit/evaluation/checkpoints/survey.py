"""What a pickle asks for, found without building any of it.

`torch.load(weights_only=True)` runs nothing that a pickle names, but it believes the sizes that a pickle claims: a
storage that claims more bytes than the file holds is read past its end, a tensor that claims more than its storage
makes the storage grow. So every claim is checked here first. The unpickler below replaces everything that a pickle
names by an inert object; nothing of a file is imported or called.
"""

from __future__ import annotations

import _compat_pickle
import math
import pickle
import struct
from collections.abc import Callable
from dataclasses import field
from typing import ClassVar, Protocol, TypeGuard

from cmgan_audit.lazy_dataclasses import dataclass
from cmgan_audit.lazy_regex import regex

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

# A file has a few dozen classes; torch goes through all that it may use each time one is used.
_MOST_NAMES = 2000
# Python's own hash of tuples in tuples ends the process when its stack is full.
_DEEPEST_TUPLE = 100
# Elements of a sparse tensor as it is looked at, with its zeros.
_LARGEST_SPARSE = 100_000_000

# What makes memory of any size when it is called, though a file only ever calls what is rebuilt from storages.
_ALLOCATING = regex(r"torch\.([a-z.]+\.)?\w*Tensor|builtins\.bytearray")

_NOT_READ = {
    "torch._utils._rebuild_meta_tensor_no_storage": (
        "holds a tensor of the meta device, which has no values; load the weights, then save"
    ),
    # torch believes the sizes in it, and would read what lies behind its values in memory.
    "torch._utils._rebuild_nested_tensor": "holds a nested tensor, which is no weight of a network and is not read",
}

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
        names: `module.name` of all globals, in order of appearance, as Python 3 calls them; a set that keeps its order.
        called: those of them that are called with arguments; classes of which only an empty object is made are not.
        filled: those whose objects are given items as dictionaries are.
        listed: those whose objects are given items as lists are.
        tensors: those that are subclasses of `torch.Tensor`, by what is made of them.
        storages: claims by key.
    """

    names: dict[str, None] = field(default_factory=dict)
    called: set[str] = field(default_factory=set)
    filled: set[str] = field(default_factory=set)
    listed: set[str] = field(default_factory=set)
    tensors: set[str] = field(default_factory=set)
    storages: dict[str, StorageClaim] = field(default_factory=dict)


class _Inert:
    """Stands for whatever a pickle names: swallows arguments, state and items."""

    asked_for = ""
    survey: ClassVar[Survey]

    def __new__(cls, *args: object, **kwargs: object) -> _Inert:
        if args and _ALLOCATING.fullmatch(cls.asked_for) and not all(map(_is_text, args)):
            raise SurveyError(f"makes a {cls.asked_for} of its own, where a checkpoint only has what was saved")
        return super().__new__(cls)

    def __init__(self, *args: object, **kwargs: object) -> None:
        self.survey.called.add(self.asked_for)
        if reason := _NOT_READ.get(self.asked_for):
            raise SurveyError(reason)
        if self.asked_for == "torch._utils._rebuild_sparse_tensor":
            _check_sparse(args)
        elif self.asked_for == "torch._tensor._rebuild_from_type_v2":  # a function and, third, what it is called with
            self.survey.tensors.add(_subclass(args))
            _check_tensor(args[2] if len(args) > 2 and isinstance(args[2], tuple) else ())
        else:
            _check_tensor(args)

    def __setstate__(self, state: object) -> None:
        _check_tensor(state if isinstance(state, tuple) else ())  # tensors of PyTorch 0.1

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


class _Nested(tuple[object, ...]):
    """A tuple with tuples in it, and how deep they nest."""

    depth = 1


def _bounded(code: int) -> Callable[[pickle.Unpickler], None]:
    """What makes a tuple, for tuples that do not nest too deeply."""
    make = pickle._Unpickler.dispatch[code]

    def load(unpickler: pickle.Unpickler) -> None:
        make(unpickler)
        stack: list[object] = vars(unpickler)["stack"]
        made = stack[-1]
        items = made if isinstance(made, tuple) else ()
        inner = [item.depth if isinstance(item, _Nested) else 1 for item in items if isinstance(item, tuple)]
        if inner:
            nested = _Nested(items)
            nested.depth = 1 + max(inner)
            if nested.depth > _DEEPEST_TUPLE:
                raise SurveyError(f"nests more than {_DEEPEST_TUPLE} tuples in each other, as no checkpoint does")
            stack[-1] = nested

    return load


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
        self._survey.names[full] = None
        if len(self._survey.names) > _MOST_NAMES:
            raise SurveyError(f"asks for more than {_MOST_NAMES} classes and functions, as no checkpoint does")
        if full == "collections.OrderedDict":
            return _PlainDict
        if full == "torch.Size":
            return _plain_size
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
        **{code[0]: _bounded(code[0]) for code in (pickle.TUPLE, pickle.TUPLE1, pickle.TUPLE2, pickle.TUPLE3)},
    }


def _is_text(value: object) -> bool:
    """Whether a pickle says by this what bytes hold, and not how many there are."""
    return isinstance(value, str | bytes) or getattr(value, "asked_for", "") == "_codecs.encode"


def _plain_size(sizes: tuple[int, ...] = ()) -> tuple[int, ...]:
    """In place of `torch.Size`."""
    return tuple(sizes)


def _subclass(args: tuple[object, ...]) -> str:
    """The class of a tensor that is made with these: a function, the class, and what the function is called with.

    Raises:
        SurveyError: its values lie in attributes, in a form that only the class knows.
    """
    function, kind = (getattr(arg, "asked_for", "") for arg in (*args, None, None)[:2])
    if function == "torch._utils._rebuild_wrapper_subclass":
        raise SurveyError(
            f"holds tensors of the class {kind}, whose values only the code of that class can tell. Where it is, save "
            "plain tensors: those that `.full_tensor()` of sharded or `.dequantize()` of quantised ones gives"
        )
    return str(kind)


def _check_sparse(args: tuple[object, ...]) -> None:
    """Check that a sparse tensor is not too large with its zeros."""
    parts = args[1] if len(args) > 1 and isinstance(args[1], tuple) else ()
    for size in parts:
        if _are_sizes(size) and math.prod(size) > _LARGEST_SPARSE:
            raise SurveyError(f"a sparse tensor of shape {list(size)} is too large to be looked at")


def _check_tensor(args: tuple[object, ...]) -> None:
    """Check that a tensor lies within its storage, where these are the arguments of what makes one."""
    if len(args) < 4:
        return
    storage, offset, shape, strides = args[:4]
    if not isinstance(storage, StorageClaim):
        return
    if not (isinstance(offset, int) and _are_sizes(shape) and _are_sizes(strides)):
        raise SurveyError(f"a tensor in storage {storage.key} has no shape of whole numbers")
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
