"""All runs of a tree: every script that can reach training code, under every launch that the tree ships."""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from cmgan_audit.program.configurations import candidates
from cmgan_audit.program.models.launches import bare, launches_of
from cmgan_audit.program.modules import ModuleIndex
from cmgan_audit.program.sessions import execute_entry, interpreter_of
from cmgan_audit.program.trace import Run
from cmgan_audit.program.unreached import execute_unreached
from cmgan_audit.source.tree import SourceTree

_MAIN = re.compile(rb"""if\s*\(?\s*(?:__name__\s*==\s*['"]__main__['"]|['"]__main__['"]\s*==\s*__name__)""")
# What a script that trains mentions: a loader (its own or a helper's), a trainer, or the gradient step itself.
_TRAINS = re.compile(rb"[Ll]oader|\.fit\(|\.backward\(|\btrain\w*\(")
_NOT_ENTRIES = re.compile(r"(?:^|/)(?:test_[^/]*|[^/]*_test|conftest|setup|conf|__init__)\.py$|(?:^|/)tests?/")
_RELEVANT = re.compile(rb"DataLoader|dataloader|\.fit\(|Dataset|pesq|torch")
_RECURSION = 30_000


def execute(tree: SourceTree) -> list[Run]:
    """Execute every entry of the tree symbolically; nothing of it is imported or run.

    Runs of the same entry stand together: the bare script first, then its launches in the order of the tree.
    """
    index = ModuleIndex(tree)
    runs: list[Run] = []
    with _deep_recursion():
        for entry in entries(tree):
            runs.extend(_runs_of(tree, index, entry))
        imported = {path for run in runs for path in interpreter_of(run).environments}
        for entry in silent_entries(tree):
            if entry not in imported:
                runs.extend(_runs_of(tree, index, entry))
        runs.extend(execute_unreached(tree, index, runs))
    return runs


@contextmanager
def _deep_recursion() -> Iterator[None]:
    """Calls of the audited program nest calls of ours; our own limits end first."""
    before = sys.getrecursionlimit()
    sys.setrecursionlimit(max(before, _RECURSION))
    try:
        yield
    finally:
        sys.setrecursionlimit(before)


def _runs_of(tree: SourceTree, index: ModuleIndex, entry: str) -> list[Run]:
    """The runs of one script: with its shipped launches, or with the configurations that lie beside it."""
    first = execute_entry(tree, index, entry, bare(entry))
    others = [execute_entry(tree, index, entry, launch) for launch in launches_of(tree, entry) if launch.argv]
    if not _lacks_configuration(first):
        return [first, *others]
    configured = [run for run in others if not _lacks_configuration(run)]
    if configured:
        return configured
    wanted = interpreter_of(first).notes["configuration"]
    tried = [execute_entry(tree, index, entry, launch) for launch in candidates(tree, entry, wanted)]
    configured = [run for run in tried if not _lacks_configuration(run)]
    return configured or [first, *others]


def _lacks_configuration(run: Run) -> bool:
    """Whether the script asked for a configuration file that this launch does not name."""
    return "configuration" in interpreter_of(run).notes


def entries(tree: SourceTree) -> list[str]:
    """The scripts: files with a main guard, files whose top level does something, and notebooks."""
    found = []
    for path in tree.python_files:
        if _NOT_ENTRIES.search(path):
            continue
        content = tree.read_bytes(path) or b""
        if (_MAIN.search(content) and _RELEVANT.search(content)) or _acts(tree, path, content):
            found.append(path)
    return [*found, *tree.notebooks]


def _acts(tree: SourceTree, path: str, content: bytes) -> bool:
    """Whether a file without a main guard trains when it is run: its top level loops or calls, not only defines."""
    if not _TRAINS.search(content):
        return False
    parsed = tree.parsed(path)
    return parsed is not None and any(_is_action(node) for node in parsed.tree.body)


def _is_action(node: ast.stmt) -> bool:
    """A loop, a block or a bare call: a statement that a module made for importing seldom has."""
    if isinstance(node, ast.If | ast.Try):
        return any(_is_action(inner) for inner in node.body)
    return isinstance(node, ast.For | ast.While | ast.With) or (
        isinstance(node, ast.Expr) and isinstance(node.value, ast.Call)
    )


def silent_entries(tree: SourceTree) -> list[str]:
    """Files whose top level only assigns, loaders among it: scripts, unless something imports them."""
    found = []
    for path in tree.python_files:
        content = tree.read_bytes(path) or b""
        if _NOT_ENTRIES.search(path) or b"DataLoader" not in content or _MAIN.search(content):
            continue
        parsed = tree.parsed(path)
        body = parsed.tree.body if parsed is not None else []
        if any(_assigns_call(node) for node in body) and not any(_is_action(node) for node in body):
            found.append(path)
    return found


def _assigns_call(node: ast.stmt) -> bool:
    return isinstance(node, ast.Assign | ast.AnnAssign) and isinstance(node.value, ast.Call)
