"""A JSON schema of the settings, so that editors complete keys, rules and parameters."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from typing import Any

from cmgan_audit.finding import FAIL_ON
from cmgan_audit.gate.settings import Settings
from cmgan_audit.rules.rule import ParameterValue, Rule

_TEXTS = {"type": "array", "items": {"type": "string"}}
_TYPES = {bool: "boolean", int: "integer", float: "number", str: "string"}


def settings_schema(rules: Iterable[Rule]) -> dict[str, Any]:
    """Return the schema of cmgan-audit.toml (and of `[tool.cmgan-audit]`), draft 2020-12."""
    shapes: dict[str, dict[str, Any]] = {
        "select": _TEXTS,
        "ignore": _TEXTS,
        "fail_on": {"enum": list(FAIL_ON)},
        "preview": {"type": "boolean"},
        "exclude": _TEXTS,
        "rules": _TEXTS,
        "baseline": {"type": "string"},
        "profile": {"type": "string"},
        "train_loaders": _TEXTS,
        "eval_loaders": _TEXTS,
        "per_path_ignores": {"type": "object", "additionalProperties": _TEXTS},
        "per_rule": _per_rule(rules),
    }
    help_texts = {entry.name: entry.metadata["help"] for entry in dataclasses.fields(Settings) if entry.metadata}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Settings of cmgan-audit",
        "type": "object",
        "additionalProperties": False,
        "properties": {key: {"description": text, **shapes[key]} for key, text in help_texts.items()},
    }


def _per_rule(rules: Iterable[Rule]) -> dict[str, Any]:
    properties: dict[str, Any] = {}
    for rule in rules:
        keys: dict[str, Any] = {"severity": {"enum": list(FAIL_ON[:-1])}}
        keys |= {name: _parameter(default) for name, default in rule.parameters.items()}
        entry = {"description": rule.summary, "type": "object", "additionalProperties": False, "properties": keys}
        properties |= {rule.id: entry, rule.name: {"$ref": f"#/properties/per_rule/properties/{rule.id}"}}
    # Rules of a team's own are not known here: their tables are left open.
    own = {"type": "object"}
    return {"type": "object", "properties": properties, "additionalProperties": own}


def _parameter(default: ParameterValue) -> dict[str, Any]:
    return {"type": _TYPES[type(default)], "default": default}
