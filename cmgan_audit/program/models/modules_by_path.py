"""Modules that a program imports by the path of their file, and the folders that it adds to those of its imports."""

from __future__ import annotations

import posixpath

from cmgan_audit.program.domain.values import NONE, Const, Instance, ListValue, Unknown, Value
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


@model("sys.path.append", "sys.path.insert", "sys.path.extend")
def _searched_too(call: ModelCall) -> Value | None:
    """`sys.path.append(folder)`: modules are looked for there, before all other folders after an `insert`.

    A trainer that its configuration names (`path = "trainer.Trainer"`) lies beside that file in one of several folders.
    """
    given = call.get("object", 1 if call.callee.endswith("insert") else 0)
    for each in given.items if isinstance(given, ListValue) else (given,):
        path = path_of(each)
        if isinstance(path, Const) and isinstance(path.value, str):
            call.interpreter.search_in(_folders(call, path.value), first=call.callee.endswith("insert"))
    return NONE


def _folders(call: ModelCall, text: str) -> list[str]:
    """The folders of the tree that a path may mean: it begins at the root, or where the script is started."""
    bases = dict.fromkeys(("", posixpath.dirname(call.interpreter.entry)))
    found = dict.fromkeys(posixpath.normpath(posixpath.join(base, text)) for base in bases)
    return ["" if path == "." else path for path in found if call.interpreter.tree.is_folder(path)]
