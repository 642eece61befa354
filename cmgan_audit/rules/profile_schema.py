"""From a profile's YAML file to a `Profile`; not loaded where no profile is asked for, since PyYAML is slow to load."""

from __future__ import annotations

from pathlib import Path

import yaml

from cmgan_audit.rules.document import Section, read_document
from cmgan_audit.rules.profile import NAMES, Profile, Reference
from cmgan_audit.rules.rule import ParameterValue, RuleError

_TEXTS = frozenset({"optimiser", "scheduler", "window"})


def read_profile(path: Path) -> Profile:
    """Read a profile.

    Raises:
        RuleError: it does not follow the schema; the message names file, line and the legal fields.
    """
    document = Section(path, read_document(path), "profile", ("name", "summary", "source", "values", "rules"))
    source = document.text("source", required=False)  # the file itself, where nothing else is named
    if "values" not in document:
        document.fail("profile: 'values' is missing")
    listing = Section(path, document.node("values"), "values", NAMES)
    values = {name: _reference(path, listing.node(name), name, source) for name in listing}
    parameters: dict[str, dict[str, ParameterValue]] = {}
    if "rules" in document:
        rules = Section(path, document.node("rules"), "rules", ())
        parameters = {rule: _parameters(path, rules.node(rule), rule) for rule in rules}
    return Profile(document.text("name"), values, parameters, path)


def _reference(path: Path, node: yaml.Node, name: str, source: str) -> Reference:
    entry = Section(path, node, name, ("value", "source"))
    value = entry.value("value")
    text = name in _TEXTS
    fits = isinstance(value, str) if text else isinstance(value, int | float) and not isinstance(value, bool)
    if not fits:
        entry.fail(f"{name}: {value!r} is not {'a text' if text else 'a number'} ({NAMES[name]})", "value")
    own = entry.text("source", required=False)
    return Reference(value, ", ".join(part for part in (source, own) if part) or path.name)


def _parameters(path: Path, node: yaml.Node, rule: str) -> dict[str, ParameterValue]:
    entry = Section(path, node, rule, ())
    found: dict[str, ParameterValue] = {}
    for name in entry:
        value = entry.value(name)
        if not isinstance(value, bool | int | float | str):
            raise RuleError(path, entry.line_of(name), f"{rule}.{name}: {value!r} is neither a number nor a text")
        found[name] = value
    return found
