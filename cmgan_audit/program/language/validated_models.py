"""Models of pydantic: what their fields are given becomes what aliases, annotations and validators say."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TypeGuard

from cmgan_audit.finding import Location
from cmgan_audit.lazy_regex import regex
from cmgan_audit.program.domain.values import (
    Arguments,
    ClassValue,
    Const,
    DictValue,
    FunctionValue,
    Instance,
    Key,
    Unknown,
    Value,
)
from cmgan_audit.program.execution.interpreter import Interpreter
from cmgan_audit.program.language.annotations import aliases_of, annotated_classes
from cmgan_audit.program.language.classes import bound, class_attribute, field_names, is_validated, order_of_bases

# Methods of a model that make an object of a dictionary.
VALIDATING = frozenset({"model_validate", "parse_obj"})
_VALIDATORS = frozenset({"pydantic.model_validator", "pydantic.root_validator"})
_NO_LETTER = regex(r"[^a-z0-9]")


def keywords_of(items: DictValue) -> Arguments:
    """A dictionary as the arguments that `**` makes of it."""
    keywords = {key: value for key, value in items.items.items() if isinstance(key, str)}
    return Arguments(keywords=keywords, open_kwargs="" if items.complete else items.origin or "the dictionary")


def given_to_fields(it: Interpreter, cls: ClassValue, arguments: Arguments, location: Location) -> Arguments:
    """What the fields of a model are given, by their names.

    What is not given, but may come from elsewhere than the default, is not known: from files and the environment that
    `settings_customise_sources` names, or out of a validator that was not followed.
    """
    reason = "sources of its own" if class_attribute(cls, "settings_customise_sources") is not None else ""
    for validator in _validators(cls, before=True):
        given: dict[Key, Value] = dict(arguments.keywords.items())
        whole = DictValue(items=given, complete=not arguments.open_kwargs)
        made = it.call(bound(validator, cls), Arguments(positional=(whole,)), location)
        if not isinstance(made, DictValue):
            return _unknown(cls, Arguments(), "what a validator makes")
        arguments = keywords_of(made)
    names = {name: _key(cls, name, arguments) for name in field_names(cls)}
    keywords = {name: arguments.keywords[key] for name, key in names.items() if key is not None}
    keywords = {name: _made(it, cls, name, value, location) for name, value in keywords.items()}
    by_name = replace(arguments, keywords=keywords)
    return _unknown(cls, by_name, reason) if reason else by_name


def validate_after(it: Interpreter, instance: Instance, cls: ClassValue, location: Location) -> None:
    """Run what a model does with its fields once all of them are filled."""
    after = class_attribute(cls, "model_post_init")
    if after is not None and isinstance(after[0], FunctionValue):
        it.call(bound(after[0], instance), Arguments(positional=(Const(value=None),)), location)
    for validator in _validators(cls, before=False):
        it.call(bound(validator, instance), Arguments(), location)


def _unknown(cls: ClassValue, given: Arguments, reason: str) -> Arguments:
    unknown = {name: Unknown(reason=reason) for name in field_names(cls)}
    return replace(given, keywords={**unknown, **given.keywords})


def _key(cls: ClassValue, name: str, arguments: Arguments) -> str | None:
    """The key under which a field is given: its alias, its name, or the name as an `alias_generator` may write it."""
    for key in (*aliases_of(cls, name), name):
        if key in arguments.keywords:
            return key
    return next((key for key in arguments.keywords if _letters(key) == _letters(name)), None)


def _letters(name: str) -> str:
    return _NO_LETTER.sub("", name.lower())


def _made(it: Interpreter, cls: ClassValue, name: str, given: Value, location: Location) -> Value:
    """What a field holds: of a dictionary, as a file of settings has it, the object that its annotation asks for.

    Of several models it is the one that has fields for all that is given, if only one has.
    """
    if not isinstance(given, DictValue):
        return given
    keywords = keywords_of(given)
    models = [each for each in annotated_classes(cls, name) if is_validated(each)]
    if len(models) > 1:
        models = [each for each in models if keywords.keywords.keys() <= set(field_names(each))]
    return it.call(models[0], keywords, location) if len(models) == 1 else given


def _validators(cls: ClassValue, *, before: bool) -> Iterator[FunctionValue]:
    """The validators of a whole model, those of its bases first: `@model_validator(mode="after")`."""
    bases = (base for base in reversed(order_of_bases(cls)) if isinstance(base, ClassValue))
    members = (member for base in bases for member in base.namespace.values())
    for member in (each for each in members if isinstance(each, FunctionValue)):
        if any(_is_validator(each) and _is_before(each) is before for each in member.decorators):
            yield member


def _is_validator(decorator: Value) -> TypeGuard[Instance]:
    return isinstance(decorator, Instance) and decorator.external_name in _VALIDATORS


def _is_before(decorator: Instance) -> bool | None:
    mode, pre = decorator.arguments.get("mode", 0), decorator.arguments.get("pre", 0)
    if isinstance(pre, Const):
        return True if pre.value is True else None
    return mode.value != "after" if isinstance(mode, Const) else None
