"""How many steps the scripts of a tree may take: limits in steps, so that every machine finds the same.

A tree is followed as far as a continuous integration waits for it. Few scripts come to the limit of one script, and few
trees to that of all their scripts. Where they do, no script gets its tenth launch at the cost of another one's first.
"""

from __future__ import annotations

from cmgan_audit.lazy_regex import regex
from cmgan_audit.program.launches.spending import MOST_STEPS_OF_A_SCRIPT
from cmgan_audit.source.tree import SourceTree

# Of all scripts of a tree with all their launches. Of 250 audited repositories the largest takes a million.
MOST_STEPS_IN_ALL = 1_250_000
# Then the scripts that are left are followed under their first launch, until this is spent too.
STEPS_FOR_FIRST_LAUNCHES = 350_000
# With so many scripts each may take what a single one may; with twice as many half of it, and so on.
_SCRIPTS_WITH_THE_WHOLE = 32
_TRAINS = regex(rb"\.backward\(|\.fit\(|\.train\(|Trainer\(")


def steps_of_each(scripts: int) -> int:
    """How many steps one of so many scripts may take with all its launches.

    It changes seldom, so that answers are kept where a script is added.
    """
    most = MOST_STEPS_OF_A_SCRIPT
    while scripts > _SCRIPTS_WITH_THE_WHOLE:
        most //= 2
        scripts = (scripts + 1) // 2
    return most


def by_weight(tree: SourceTree, scripts: list[str]) -> list[str]:
    """The scripts in the order in which they get their steps: those that train by their own text come first.

    Of two such, the one that lies less deep: a library that was copied into the tree has scripts of its own.
    """

    def weight(script: str) -> tuple[bool, int]:
        return _TRAINS.search(tree.read_bytes(script) or b"") is None, script.count("/")

    return sorted(scripts, key=weight)
