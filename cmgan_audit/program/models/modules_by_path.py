"""Modules that a program imports by the path of their file: settings that are written as Python."""

from __future__ import annotations

import posixpath

from cmgan_audit.program.domain.values import Instance, Unknown, Value
from cmgan_audit.program.models.files import each_path, path_of
from cmgan_audit.program.models.registry import ModelCall, model

_SPEC = "importlib.util.spec_from_file_location"
_LOADER = "importlib.machinery.SourceFileLoader"


@model("importlib.util.module_from_spec")
def _from_spec(call: ModelCall) -> Value | None:
    """`module_from_spec(spec_from_file_location("settings", path))`, which `exec_module` fills next."""
    return _of(call, call.get("spec", 0), _SPEC, "location")


@model(f"{_LOADER}.load_module")
def _of_loader(call: ModelCall) -> Value | None:
    return _of(call, call.receiver, _LOADER, "path")


@model("imp.load_source")
def _source(call: ModelCall) -> Value | None:
    path = call.get("pathname", 1)
    return None if path is None else _module(call, path)


def _of(call: ModelCall, made: Value | None, name: str, word: str) -> Value | None:
    if not isinstance(made, Instance) or made.external_name != name:
        return None
    path = made.arguments.get(word, 1)
    return None if path is None else _module(call, path)


def _module(call: ModelCall, path: Value) -> Value | None:
    def imported(found: str) -> Value:
        if not found.endswith(".py"):
            return Unknown(reason=f"{found} is no module")
        return call.interpreter.import_module(posixpath.splitext(found)[0].replace("/", "."))

    return each_path(call, path_of(path), imported)
