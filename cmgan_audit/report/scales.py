"""Which axis a curve is drawn on, and how much of a long one."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# A chart has some thousand columns of pixels; a value of every training step would be megabytes of lines in an SVG.
MOST_DRAWN = 4000


def spans_a_decade(curves: Iterable[Iterable[float]]) -> bool:
    """Whether a logarithmic axis has a power of ten to write on: below that it would be an axis without numbers."""
    values = [y for ys in curves for y in ys if math.isfinite(y)]
    return bool(values) and min(values) > 0 and max(values) >= 10 * min(values)


def logarithmic(axes: Axes, curves: Iterable[Iterable[float]]) -> None:
    """Draw over powers of ten, as plain numbers; over less than two of them, 2 and 5 of each have numbers, too."""
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

    values = [y for ys in curves for y in ys if math.isfinite(y)]
    axes.set_yscale("log")
    axes.yaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0) if max(values) < 100 * min(values) else (1.0,)))
    # Names may hold dollar signs, so that no text is parsed as mathematics, powers of ten included.
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.yaxis.set_minor_formatter(NullFormatter())


def outline(xs: Sequence[float], ys: Sequence[float]) -> tuple[Sequence[float], Sequence[float]]:
    """What is drawn of a curve: of a long one the lowest and the highest value of equal stretches, and both ends."""
    size = stretch(len(ys))
    if size == 1:
        return xs, ys
    kept = {0, len(ys) - 1}
    for start in range(0, len(ys), size):
        places = range(start, min(start + size, len(ys)))
        kept |= {min(places, key=ys.__getitem__), max(places, key=ys.__getitem__)}
    return [xs[at] for at in sorted(kept)], [ys[at] for at in sorted(kept)]


def stretch(values: int) -> int:
    """Of how many values the lowest and the highest are drawn; 1 where all are."""
    return 1 if values <= MOST_DRAWN else -(-2 * values // MOST_DRAWN)


def said_of_outline(values: int) -> str:
    """That not every value of a series of so many is drawn; "" where all are."""
    return f"lowest and highest of every {stretch(values)} values drawn" if values > MOST_DRAWN else ""
