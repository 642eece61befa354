"""Dataclasses whose methods are written when they are first called.

`dataclasses.dataclass` compiles up to six methods for every class while its module is imported. An audit loads some 270
classes and makes objects of a third of them: compiling them all took 0.12 s of the 0.6 s of a small repository. Here
the fields (and `__slots__`) are those that the standard library works out, and `dataclasses.fields`, `replace` and
`asdict` work as ever; `__init__`, `__eq__` and `__hash__` are compiled by their first call.

While the standard library works them out, annotations that are texts are hidden from it: it takes each apart three
times by a regular expression, to see whether it says `ClassVar`, `InitVar` or `KW_ONLY`. So `Field.type` tells nothing.

`frozen` is held by the type checker, which takes this for the standard decorator, and not at run time: a constructor
that may assign is twice as fast as one that has to go round its own guard, and there are millions of values. `order`
and `InitVar` are not supported.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from reprlib import recursive_repr
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from dataclasses import dataclass as dataclass
else:

    def dataclass(cls=None, /, *, frozen=False, eq=True, slots=False, kw_only=False):
        """Make a dataclass, as `dataclasses.dataclass` does; its methods are compiled when they are first called."""

        def made(cls):
            given = cls.__dict__
            methods = {}
            if "__init__" not in given:
                methods["__init__"] = _written_later("__init__", _constructor)
            if "__repr__" not in given:
                methods["__repr__"] = _shown
            if eq and "__eq__" not in given:
                methods["__eq__"] = _written_later("__eq__", _comparison)
            if eq and "__hash__" not in given:
                methods["__hash__"] = _written_later("__hash__", _hashing) if frozen else None
            if cls.__doc__ is None:  # the standard library would work out a signature: half a millisecond
                cls.__doc__ = cls.__name__
            told = given.get("__annotations__", {})
            hidden = bool(told) and all(isinstance(each, str) and "ClassVar" not in each for each in told.values())
            if hidden:
                cls.__annotations__ = dict.fromkeys(told, object)
            cls = dataclasses.dataclass(init=False, repr=False, eq=False, slots=slots, kw_only=kw_only)(cls)
            if hidden:
                cls.__annotations__ = told
            for name, method in methods.items():
                setattr(cls, name, method)
            return cls

        return made if cls is None else made(cls)


_T = TypeVar("_T")
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
    """`__init__`: its parameters are the fields, those for keywords only last; `__post_init__` is called after."""
    known: dict[str, Any] = {"_absent": dataclasses.MISSING}
    taken: tuple[list[str], list[str]] = ([], [])
    body = []
    for field in dataclasses.fields(cls):
        name, value = field.name, field.name
        if field.default is not dataclasses.MISSING:
            known[f"_default_{name}"] = field.default
            parameter, value = f"{name}=_default_{name}", name if field.init else f"_default_{name}"
        elif field.default_factory is not dataclasses.MISSING:
            known[f"_make_{name}"] = field.default_factory
            parameter = f"{name}=_absent"
            value = f"_make_{name}() if {name} is _absent else {name}" if field.init else f"_make_{name}()"
        else:
            parameter = name
            if not field.init:
                continue  # `__post_init__` gives it its value
        if field.init:
            taken[bool(field.kw_only)].append(parameter)
        body.append(f" self.{name} = {value}")
    if hasattr(cls, "__post_init__"):
        body.append(" self.__post_init__()")
    places, words = taken
    return _compiled("__init__", ["self", *places, *(["*", *words] if words else [])], body or [" pass"], known)


def _comparison(cls: type) -> Callable[..., Any]:
    names = [field.name for field in dataclasses.fields(cls) if field.compare]
    ours, theirs = (f"({''.join(f'{side}.{name},' for name in names)})" for side in ("self", "other"))
    body = [f" if other.__class__ is self.__class__: return {ours} == {theirs}", " return NotImplemented"]
    return _compiled("__eq__", ["self", "other"], body, {})


def _hashing(cls: type) -> Callable[..., Any]:
    counted = (field for field in dataclasses.fields(cls) if (field.compare if field.hash is None else field.hash))
    values = "".join(f"self.{field.name}," for field in counted)
    return _compiled("__hash__", ["self"], [f" return hash(({values}))"], {})


def copier_of(cls: type[_T]) -> Callable[[_T], _T]:
    """A function that copies an object field by field, without its constructor: a copy costs half of a new one."""
    lines = [f" made.{field.name} = value.{field.name}" for field in dataclasses.fields(cls)]  # type: ignore[arg-type]
    return _compiled(
        "copier", ["value"], [" made = _new(_cls)", *lines, " return made"], {"_new": object.__new__, "_cls": cls}
    )


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
