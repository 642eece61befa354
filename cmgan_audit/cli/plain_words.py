"""A command that reads plain words itself: Typer reads values with pydantic, whose loading takes long.

Whatever is not plain, wrong or unusual is left to Typer, so every message is Typer's own.
"""

from __future__ import annotations

import os
import re
import typing
from collections.abc import Callable
from pathlib import Path
from typing import Any

from typer.core import TyperCommand, TyperGroup, TyperOption

from cmgan_audit.lazy_regex import regex

_COUNT = regex(r"[1-9][0-9]{0,3}", re.ASCII)


class NotPlainError(Exception):
    """A value that Typer shall read."""


class PlainGroup(TyperGroup):
    """A group whose absent `--help` needs no pydantic: false is taken as it is, None would be read."""

    def get_help_option(self, ctx: Any) -> TyperOption | None:
        """The option `--help`, false where it is not given."""
        option = super().get_help_option(ctx)
        if option is not None and option.default is None:
            option.default = False
        return option


class PlainCommand(TyperCommand):
    """A command whose values are texts, readable paths, counts from 1 on and switches, most of the time."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:  # the class of `ctx` has no public name
        """Put the values of the parameters into the context, as the method of the same name in Typer does."""
        try:
            values = {} if ctx.resilient_parsing else self._plain_values(ctx, args)
        except NotPlainError:
            values = {}
        if not values:
            return super().parse_args(ctx, args)
        ctx.params.update(values)
        ctx.args = []
        return []

    def _plain_values(self, ctx: Any, args: list[str]) -> dict[str, Any]:
        given, rest, _ = self.make_parser(ctx).parse_args(args=list(args))  # wrong usage is raised here as in Typer
        kinds = typing.get_type_hints(self.callback)
        if rest or not given.keys() <= kinds.keys():  # --help is no parameter of the function
            raise NotPlainError
        values: dict[str, Any] = {}
        for parameter in self.get_params(ctx):
            if parameter.name in kinds:
                value, source = parameter.consume_value(ctx, given)
                ctx.set_parameter_source(parameter.name, source)
                values[parameter.name] = _read(kinds[parameter.name], value)
        return values


def _read(kind: object, value: Any) -> Any:
    """The value as the function takes it. Raises NotPlainError."""
    if kind is bool and isinstance(value, bool):
        return value
    if value is None:
        return () if kind in _LISTS else None
    if kind in _LISTS:
        return [_LISTS[kind](each) for each in value]
    if kind in _SINGLE and isinstance(value, str):
        return _SINGLE[kind](value)
    raise NotPlainError


def _text(value: str) -> str:
    if not value.isprintable():  # also what is no UTF-8
        raise NotPlainError
    return value


def _path(value: str) -> Path:
    if not _text(value) or not os.access(value, os.R_OK):  # Typer asks whether what exists can be read
        raise NotPlainError
    return Path(value)


def _count(value: str) -> int:
    if not _COUNT.fullmatch(value):
        raise NotPlainError
    return int(value)


_SINGLE: dict[object, Callable[[str], Any]] = {str: _text, str | None: _text, Path | None: _path, int | None: _count}
_LISTS: dict[object, Callable[[str], Any]] = {list[str] | None: _text, list[Path] | None: _path}
