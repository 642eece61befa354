"""Lines that name nothing that is looked for: transcripts, file names, prose with numbers in it.

Where every line has other words, each is a shape of its own, and walking over its numbers is most of the work. A line
without a sign behind a name, and without any of the words that give a number its meaning, cannot say anything.
"""

from __future__ import annotations

import functools

from cmgan_audit.lazy_regex import regex
from cmgan_audit.logs.roles import WORD, table

# A sign behind a name, or a word that stands for one; a name of several words in one (`valAcc`, `SDRTest`); words that
# are known by their beginning or inside of others.
_TELLS = regex(
    r"[:=\u2248\u2192>\[]|\b(?i:is|was|equals|now|reached|of)\b[^\w\x00]*\x00|[a-z][A-Z]|[A-Z]{2}[a-z]{2}"
    r"|(?i:pesq|stoi|loss|epoch|resum|load|restor|continu|begin|improv|not in top)|\bE\d"
)


def says_nothing_known(body: str) -> bool:
    """Whether a line names no measure, counter, phase or output, and says of nothing that it went on or was loaded."""
    return _TELLS.search(body) is None and _known().isdisjoint(WORD.findall(body.lower()))


@functools.cache
def _known() -> frozenset[str]:
    t = table()
    counters = {word for names in (t.steps, t.ranks) for name in names for word in name}
    return t.telling | t.epochs | t.runs | t.outputs | frozenset(t.phases) | frozenset(counters)
