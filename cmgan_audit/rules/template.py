"""Message templates: `{dataset.name}` takes the value that the record has in the world in which a rule is true."""

from __future__ import annotations

from collections.abc import Iterable
from string import Formatter
from typing import Any

from cmgan_audit.finding import Location
from cmgan_audit.lazy_dataclasses import dataclass
from cmgan_audit.rules.condition import ConditionError, Names, resolve
from cmgan_audit.rules.judging import Result, Scope, look_up
from cmgan_audit.rules.record import Known, OneOf, Record, Unknown
from cmgan_audit.rules.worlds import World

# `{location}` and `{dataset.location}` read "data.py:47".
PLACE = "location"


@dataclass(frozen=True, slots=True)
class Template:
    """Text with holes: literal parts, each followed by the chain of names of a hole (None behind the last)."""

    text: str
    parts: tuple[tuple[str, tuple[str, ...] | None], ...]

    def fill(self, scope: Scope, world: World) -> str:
        """Return the text with the values of the record; a value that is not known says so."""
        return "".join(
            literal + ("" if chain is None else show(_value(chain, scope, world))) for literal, chain in self.parts
        )


def parse_template(text: str, names: Names) -> Template:
    """Parse a template and check that the record has what its holes name.

    Raises:
        ConditionError: a brace is not closed, or a hole names something that the record does not have.
    """
    text = " ".join(text.split())
    try:
        parsed = list(Formatter().parse(text))
    except ValueError as error:
        raise ConditionError(f"{error} (write {{{{ for a brace)") from error
    parts: list[tuple[str, tuple[str, ...] | None]] = []
    for literal, name, spec, conversion in parsed:
        if name is None:
            parts.append((literal, None))
            continue
        chain = tuple(name.split("."))
        if spec or conversion or not all(part.isidentifier() for part in chain):
            raise ConditionError(f"{{{name}}}: a hole is a chain of names, as in {{dataset.name}}")
        if chain[-1] != PLACE:
            resolve(chain, names, through_relations=True)
        elif len(chain) > 1 and not resolve(chain[:-1], names).is_link:
            raise ConditionError(f"{{{name}}}: {chain[-2]!r} is not a linked record")
        parts.append((literal, chain))
    return Template(text, tuple(parts))


def _value(chain: tuple[str, ...], scope: Scope, world: World) -> Any:
    holder: Any = scope.record
    for position, _ in enumerate(chain):
        found = look_up(chain[: position + 1], scope, world) if chain[position] != PLACE else None
        if found is None:
            return getattr(holder, chain[position])
        if found.unknown or found.value is None:
            return found
        holder = found.value
        if isinstance(holder, tuple) and position + 1 < len(chain):
            rest = chain[position + 1 :]
            return tuple(_value(rest, Scope(member, scope.parameters), world) for member in holder)
    return holder


def show(value: Any) -> str:
    """Return a value as it reads in a sentence: lists joined, unknown values said to be so."""
    if isinstance(value, Result):
        return "an unknown value" if value.unknown else show(value.value)
    if isinstance(value, Known):
        return show(value.value)
    if isinstance(value, OneOf):
        return " or ".join(dict.fromkeys(show(option) for option in value.options))
    if isinstance(value, Unknown):
        return value.formula or "an unknown value"
    if isinstance(value, tuple | list | set | frozenset):
        return _join(dict.fromkeys(show(member) for member in value))
    if isinstance(value, Record):
        return value.anchor or str(value.location)
    if isinstance(value, Location):
        return str(value)
    return "none" if value is None else str(value)


def _join(words: Iterable[str]) -> str:
    listed = list(words)
    if len(listed) < 2:
        return "".join(listed) or "none"
    return f"{', '.join(listed[:-1])} and {listed[-1]}"
