"""The legend of a chart, below its axes: within them the best free place may still cover the start of a curve."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

UNITS = 72.0  # in an inch
# In sizes of the font: a letter, rather too wide than too narrow; the drawn line with the gaps around it; a row.
LETTER, HANDLE, ROW = 0.6, 4.5, 1.6


def legend_below(figure: Figure, axes: Axes) -> None:
    """Say below the axes what their curves are, in as many columns as fit; the figure grows by the legend's rows."""
    import matplotlib as mpl

    handles, labels = axes.get_legend_handles_labels()
    if not labels:
        return
    font = float(mpl.rcParams["font.size"])
    across = figure.get_figwidth() * UNITS / font
    labels = [textwrap.fill(label, int((across - HANDLE) / LETTER)) for label in labels]
    columns = min(max(1, int(across / (HANDLE + LETTER * max(map(len, labels))))), len(labels))
    rows = max(sum(label.count("\n") + 1 for label in labels[at::columns]) for at in range(columns))
    figure.set_figheight(figure.get_figheight() + rows * ROW * font / UNITS)
    figure.legend(handles, labels, loc="outside lower left", ncols=columns, frameon=False)
