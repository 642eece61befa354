"""What runs under several launches agree on, and which of it the tree shows: what a bare script does, or not."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from cmgan_audit.lazy_dataclasses import dataclass
from cmgan_audit.rules.record import Fact, Known


@dataclass(frozen=True, slots=True)
class Way:
    """A way in which something is set up.

    Attributes:
        group: what was seen of it.
        used: whether it is certainly used at all.
        unshown: whether only bare scripts set it up like this, by their own text, and all that the tree ships starts
            them with words.
        scripts: those that set it up like this; of a way that is shown, those that are shown to.
    """

    group: list[Any]
    used: bool
    unshown: bool
    scripts: frozenset[str]


def way_of(group: list[Any], facts: Iterable[Fact], *, used: bool) -> Way:
    """What several runs agree on, as a way; `facts` are those that may come from a launch."""
    unshown = all(each.unshown for each in group) and not _is_from_settings(facts)
    scripts = frozenset(each.script for each in group if each.unshown == unshown)
    return Way(group, used, unshown, scripts)


def _is_from_settings(facts: Iterable[Fact]) -> bool:
    """Whether a file of settings says one of the facts: what is shipped there counts, whatever a command overrides."""
    known = (fact.location for fact in facts if isinstance(fact, Known))
    return any(place is not None and not place.path.endswith((".py", ".ipynb")) for place in known)


def as_shown(ways: Sequence[Way]) -> list[Way]:
    """The ways in which something is set up when a script is started as a launcher or a document shows it.

    What a bare script does counts where nothing shows another start of it, or where no other start goes so far.
    """
    return [way for way in ways if not (way.unshown and way.scripts <= _shown_to(ways, used=way.used))]


def _shown_to(ways: Sequence[Way], *, used: bool) -> frozenset[str]:
    """The scripts that are shown to set something up, and to use it if that is asked."""
    return frozenset(script for way in ways if not way.unshown and (way.used or not used) for script in way.scripts)
