"""Functions that came out of another one, or of the top level of a script: their statements stood there before."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from cmgan_audit.gate.renamed_definitions import Definition, Key, definitions
from cmgan_audit.gate.renamed_variables import MOST_PAIRS, Words, statements

# So much of a function has to come from one place: it has a `return` of its own, and what a branch of it needs.
LEAST_TAKEN = 0.5


def extracted_functions(
    before: Mapping[str, bytes], now: Mapping[str, bytes], renamed: Mapping[Key, Key]
) -> list[tuple[Definition, Definition]]:
    """Every function that has come with statements that another scope has lost, and that scope as it was.

    A copy is none: its statements still stand where they stood.

    Args:
        before: the Python files that changed, as they were.
        now: the same as they are, by the paths that they had.
        renamed: new key -> old key of the definitions that only got another name or place.
    """
    old, new = _scopes(before), _scopes(now)
    there = {each.key for each in old}
    come = [each for each in new if each.kind == "function" and each.key not in there and each.key not in renamed]
    if not come or len(come) * len(old) > MOST_PAIRS:
        return []
    kept = {renamed.get(each.key, each.key): parts for each, parts in new.items()}
    # Of one that is there no more, what has come in its place was looked for by its name and text.
    lost = {each: parts - kept[each.key] for each, parts in old.items() if each.kind != "class" and each.key in kept}
    found = ((_source(new[function], lost), function) for function in come)
    return [(source, function) for source, function in found if source is not None]


def _scopes(files: Mapping[str, bytes]) -> dict[Definition, Counter[Words]]:
    """The statements of every definition in some files, and of their top levels."""
    found = (each for path, data in files.items() for each in definitions(path, data))
    return {each: Counter(statements(node)) for each, node in found}


def _source(function: Counter[Words], lost: Mapping[Definition, Counter[Words]]) -> Definition | None:
    """The scope that half or more of the statements of a function come from; None if there is none."""
    shared = {each: (function & parts).total() for each, parts in lost.items()}
    most = max(shared, key=lambda each: shared[each], default=None)
    return most if most is not None and shared[most] >= LEAST_TAKEN * function.total() else None
