"""Dataclasses that cost little until they are used.

`dataclasses.dataclass` compiles up to six methods for every class while its module is imported, and describes each of
its fields. An audit loads some 300 classes and makes objects of a third of them: compiling them all took 0.12 s of the
0.6 s of a small repository. Here only the class itself is made, with `__slots__` if it shall have them; `__init__`,
`__eq__` and `__hash__` are compiled by their first call, and the fields are described for whoever asks first, such as
`dataclasses.fields`, `replace` and `asdict`, which work as ever.

An annotation counts only as far as it says `ClassVar`, and `Field.type` tells nothing.

`frozen` is held by the type checker, which takes this for the standard decorator, and not at run time: a constructor
that may assign is twice as fast as one that has to go round its own guard, and there are millions of values. `order`,
`KW_ONLY` and `InitVar` are not supported, nor are classes of the standard decorator above or below those of this one.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import MISSING, Field
from functools import lru_cache
from reprlib import recursive_repr
from types import CodeType, FunctionType, MemberDescriptorType
from typing import TYPE_CHECKING, Any

# What a class and those above it declare: by name of field the default (`MISSING`, a value, or what `field(...)`
# gave), and whether the field is for keywords only.
_DECLARED = "__declared_fields__"
# Where the standard library looks for the fields of a class.
_DESCRIPTIONS = "__dataclass_fields__"

if TYPE_CHECKING:
    from dataclasses import dataclass as dataclass
else:

    def dataclass(cls=None, /, *, frozen=False, eq=True, slots=False, kw_only=False):
        """Make a dataclass, as `dataclasses.dataclass` does; its methods are compiled when they are first called."""

        def made(cls):
            given = cls.__dict__
            declared = _declared(cls, kw_only)
            added = {_DECLARED: declared, _DESCRIPTIONS: _DESCRIBED_LATER}
            if "__match_args__" not in given:
                added["__match_args__"] = _places(declared)
            if "__init__" not in given:
                added["__init__"] = _written_later("__init__", _constructor)
            if "__repr__" not in given:
                added["__repr__"] = _shown
            if eq and "__eq__" not in given:
                added["__eq__"] = _written_later("__eq__", _comparison)
            if eq and "__hash__" not in given:
                added["__hash__"] = _written_later("__hash__", _hashing) if frozen else None
            if slots:
                return _with_slots(cls, declared, added)
            for name, (default, _) in declared.items():
                if isinstance(default, Field) and given.get(name) is default:
                    if default.default is MISSING:
                        delattr(cls, name)
                    else:
                        setattr(cls, name, default.default)
            for name, value in added.items():
                setattr(cls, name, value)
            return cls

        return made if cls is None else made(cls)


_Declared = dict[str, tuple[Any, bool]]


def _declared(cls: type, kw_only: bool) -> _Declared:
    """What a class and those above it declare, in the order of the standard library: a field keeps its first place."""
    declared: _Declared = {}
    for base in cls.__mro__[-2:0:-1]:
        declared.update(base.__dict__.get(_DECLARED, {}))
    for name, said in cls.__annotations__.items():
        if "ClassVar" in str(said):
            continue
        default = getattr(cls, name, MISSING)
        if isinstance(default, MemberDescriptorType):  # the slot of a class above
            default = MISSING
        elif type(default).__hash__ is None:
            raise ValueError(
                f"{cls.__name__}.{name}: objects would share their default; default_factory makes one each"
            )
        declared[name] = default, kw_only
    return declared


def _places(declared: _Declared) -> tuple[str, ...]:
    """The fields that a constructor takes by their place."""
    return tuple(
        [
            name
            for name, (default, kw_only) in declared.items()
            if not (_for_keywords(default, kw_only) or (isinstance(default, Field) and not default.init))
        ]
    )


def _for_keywords(default: Any, kw_only: bool) -> bool:
    return kw_only if not isinstance(default, Field) or default.kw_only is MISSING else bool(default.kw_only)


def _with_slots(cls: type, declared: _Declared, added: dict[str, Any]) -> type:
    """A class again, with slots: they have to be there when it is made."""
    namespace = {name: value for name, value in cls.__dict__.items() if name not in declared}
    namespace.pop("__dict__", None)
    namespace.pop("__weakref__", None)
    inherited: set[str] = set()
    for base in cls.__mro__[1:-1]:
        there = base.__dict__.get("__slots__", ())
        inherited.update((there,) if isinstance(there, str) else there)
    own = tuple([name for name in declared if name not in inherited])
    namespace.update(added, __slots__=own, __qualname__=cls.__qualname__)
    return type(cls)(cls.__name__, cls.__bases__, namespace)


class _DescribedLater:
    """Stands for `__dataclass_fields__` until somebody asks for it."""

    def __get__(self, _: object, owner: type) -> dict[str, Field[Any]]:
        holder = next(each for each in owner.__mro__ if _DESCRIPTIONS in each.__dict__)
        described = {name: _described(name, *told) for name, told in getattr(holder, _DECLARED).items()}
        setattr(holder, _DESCRIPTIONS, described)
        return described


def _described(name: str, default: Any, kw_only: bool) -> Field[Any]:
    """A field as `dataclasses.fields` and those like it look at it."""
    entry: Any = default if isinstance(default, Field) else dataclasses.field(default=default)
    entry.name, entry.kw_only = name, _for_keywords(default, kw_only)
    entry._field_type = _PLAIN_FIELD
    described: Field[Any] = entry
    return described


@dataclasses.dataclass(init=False, repr=False, eq=False)
class _Like:
    """Tells how the standard library marks a field that is neither a class variable nor for `__init__` only."""

    name: object


_PLAIN_FIELD: Any = vars(_Like)[_DESCRIPTIONS]["name"]._field_type
_DESCRIBED_LATER = _DescribedLater()

_Writer = Callable[[type], Callable[..., Any]]


def _written_later(name: str, write: _Writer) -> Callable[..., Any]:
    """A method that, called for the first time, is compiled for the class that has it and takes this one's place."""

    def first(self: object, *arguments: object, **named: object) -> object:
        for owner in type(self).__mro__:
            if owner.__dict__.get(name) is first:
                method = write(owner)
                method.__qualname__ = f"{owner.__qualname__}.{name}"
                setattr(owner, name, method)
                break
        else:  # another thread, or a comparison within this one, came first
            owner = next(each for each in type(self).__mro__ if name in each.__dict__)
        return owner.__dict__[name](self, *arguments, **named)

    first.__name__ = name
    return first


def _constructor(cls: type) -> Callable[..., Any]:
    """`__init__`: its parameters are the fields, those for keywords only last; `__post_init__` is called after.

    Many classes differ in the names of their fields only: what is compiled is one function for all of them, which gets
    the names of each.
    """
    known: dict[str, Any] = {"_absent": MISSING}
    taken: tuple[dict[str, Any], dict[str, Any]] = ({}, {})  # by name the default, by place and for keywords only
    makers: dict[str, Any] = {}
    kept = []
    for name, (said, kw_only) in getattr(cls, _DECLARED).items():
        default: Any = said
        maker: Any = MISSING
        init = True
        if isinstance(said, Field):
            default, maker, init = said.default, said.default_factory, said.init
        if init:
            taken[_for_keywords(said, kw_only)][name] = default
        if maker is not MISSING:
            makers[name] = maker
        elif not init and default is not MISSING:
            kept.append(name)
            known[f"_kept_{len(kept) - 1}"] = default
    places, words = taken
    parameters = [*places, *words]
    alone = [name for name in makers if name not in places and name not in words]
    known |= {f"_make_{number}": makers[name] for number, name in enumerate([*parameters, *alone]) if name in makers}
    made = tuple([name in makers for name in parameters])
    code = _constructor_like(made, len(alone), len(kept), hasattr(cls, "__post_init__"))
    names = {f"f{number}": name for number, name in enumerate([*parameters, *alone, *kept])}
    code = code.replace(
        co_argcount=1 + len(places),
        co_kwonlyargcount=len(words),
        co_names=tuple([names.get(name, name) for name in code.co_names]),
        co_varnames=tuple([names.get(name, name) for name in code.co_varnames]),
    )
    defaults = _defaults(cls, places, makers)
    method = FunctionType(code, known, "__init__", defaults)
    method.__kwdefaults__ = {
        name: default for name, default in words.items() if default is not MISSING or name in makers
    }
    return method


def _defaults(cls: type, places: dict[str, Any], makers: dict[str, Any]) -> tuple[Any, ...]:
    """What stands for the last parameters where they are left out."""
    defaults: list[Any] = []
    for name, default in places.items():
        if default is not MISSING or name in makers:
            defaults.append(default)
        elif defaults:
            raise TypeError(f"{cls.__name__}: non-default argument {name!r} follows default argument")
    return tuple(defaults)


@lru_cache(None)
def _constructor_like(made: tuple[bool, ...], alone: int, kept: int, more: bool) -> CodeType:
    """The code of a constructor whose fields are called f0, f1 and so on.

    Args:
        made: for each parameter, whether a function makes its value where it is left out.
        alone: how many fields behind those are never given but made.
        kept: how many behind those always hold their default.
        more: whether `__post_init__` is called.
    """
    body = [
        f" self.f{number} = _make_{number}() if f{number} is _absent else f{number}"
        if is_made
        else f" self.f{number} = f{number}"
        for number, is_made in enumerate(made)
    ]
    count = len(made)
    body += [f" self.f{count + number} = _make_{count + number}()" for number in range(alone)]
    body += [f" self.f{count + alone + number} = _kept_{number}" for number in range(kept)]
    body += [" self.__post_init__()"] if more else []
    parameters = [f"f{number}" for number in range(count)]
    return _compiled("__init__", ["self", *parameters], body or [" pass"], {}).__code__


def _comparison(cls: type) -> Callable[..., Any]:
    names = [field.name for field in dataclasses.fields(cls) if field.compare]
    ours, theirs = (f"({''.join(f'{side}.{name},' for name in names)})" for side in ("self", "other"))
    body = [f" if other.__class__ is self.__class__: return {ours} == {theirs}", " return NotImplemented"]
    return _compiled("__eq__", ["self", "other"], body, {})


def _hashing(cls: type) -> Callable[..., Any]:
    counted = (field for field in dataclasses.fields(cls) if (field.compare if field.hash is None else field.hash))
    values = "".join(f"self.{field.name}," for field in counted)
    return _compiled("__hash__", ["self"], [f" return hash(({values}))"], {})


def copier_of(cls: type[Any]) -> Callable[[Any], Any]:
    """A function that copies an object field by field, without its constructor: a copy costs half of a new one."""
    lines = [f" made.{field.name} = value.{field.name}" for field in dataclasses.fields(cls)]
    body = [" made = _new(_cls)", *lines, " return made"]
    return _compiled("copier", ["value"], body, {"_new": object.__new__, "_cls": cls})


def _compiled(name: str, parameters: list[str], body: list[str], known: dict[str, Any]) -> Callable[..., Any]:
    written = "\n".join([f"def {name}({', '.join(parameters)}):", *body])
    exec(written, known)
    method: Callable[..., Any] = known.pop(name)
    return method


@recursive_repr()
def _shown(self: Any) -> str:  # a dataclass, which has no type of its own
    fields = (field for field in dataclasses.fields(self) if field.repr)
    values = ", ".join(f"{field.name}={getattr(self, field.name)!r}" for field in fields)
    return f"{self.__class__.__qualname__}({values})"
