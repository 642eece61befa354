"""The settings that hold, as a settings file would say them, each with its meaning."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from typing import Any

from cmgan_audit.gate.settings import FILE_NAME, TABLE, Settings


def show(settings: Settings) -> str:
    """Return the settings as TOML, as their file would hold them, with the help of every key as a comment."""
    source = "defaults; no settings file" if settings.source is None else str(settings.source)
    own = settings.source is not None and settings.source.name == FILE_NAME
    lines = [f"# from: {source}", *(() if own else (f"[{TABLE}]",))]
    within = "" if own else f"{TABLE}."
    tables: list[str] = []
    for entry in dataclasses.fields(settings):
        if "help" not in entry.metadata:
            continue
        value = getattr(settings, entry.name)
        if isinstance(value, Mapping):
            tables += ["", f"# {entry.metadata['help']}", *_table(f"{within}{entry.name}", value)]
        else:
            lines += [f"# {entry.metadata['help']}", f"{entry.name} = {_value(value)}"]
    return "\n".join((*lines, *tables)) + "\n"


def _table(name: str, content: Mapping[str, Any]) -> list[str]:
    if content and all(isinstance(value, Mapping) for value in content.values()):
        return [
            line
            for key, inner in content.items()
            for line in (
                f"[{name}.{key}]",
                *(f"{_key(word)} = {_value(value)}" for word, value in inner.items()),
            )
        ]
    return [f"[{name}]", *(f"{_key(key)} = {_value(value)}" for key, value in content.items())]


def _key(text: str) -> str:
    return text if text.isidentifier() else json.dumps(text)


def _value(value: Any) -> str:
    """A value in TOML, which writes texts, numbers, lists and truth values as JSON does."""
    return json.dumps(list(value) if isinstance(value, tuple) else value, ensure_ascii=False)
