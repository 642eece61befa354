"""All runs of a tree: every script that can reach training code, under every launch that the tree ships."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from cmgan_audit.program.configurations import candidates, option_of
from cmgan_audit.program.entries import entries, silent_entries
from cmgan_audit.program.models.launches import bare, launches_of
from cmgan_audit.program.modules import ModuleIndex
from cmgan_audit.program.sessions import execute_entry, interpreter_of
from cmgan_audit.program.trace import Run
from cmgan_audit.program.unreached import execute_unreached
from cmgan_audit.source.tree import SourceTree

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
    return option_of(interpreter_of(run).notes.get("configuration")) is not None
