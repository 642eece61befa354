"""A matplotlib figure as SVG inside a page: named for screen readers, in the page's own colours and fonts."""

from __future__ import annotations

import io
import re
import warnings
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from markupsafe import Markup, escape

from cmgan_audit.lazy_regex import regex

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# Matplotlib draws in these; the page's style sheet says what each of them is, in light and in dark.
INK = "#010101"
MUTED = "#020202"
GRID = "#030303"
BAND = "#040404"
WORSE = "#050505"
BETTER = "#060606"
SAME = "#070707"
OPEN = "#080808"
_VARIABLES = {
    INK: "--ink",
    MUTED: "--muted",
    GRID: "--line",
    BAND: "--band",
    WORSE: "--worse",
    BETTER: "--better",
    SAME: "--same",
    OPEN: "--open",
}
_SETTINGS: dict[Any, Any] = {
    "svg.fonttype": "none",  # text stays text: it can be read aloud, found and copied
    "svg.hashsalt": "cmgan-audit",
    "text.parse_math": False,
    "axes.edgecolor": MUTED,
    "axes.labelcolor": INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "grid.color": GRID,
    "grid.linewidth": 0.7,
    "text.color": INK,
    "xtick.color": MUTED,
    "ytick.color": MUTED,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
}
_TAG = regex(r"<[^>]*>")  # matplotlib escapes the angle brackets of texts and attributes
_FONT = regex(r"font-family:[^;\"]*;? ?|font: ?([\d.]+px) [^;\"]*")


def inline_svg(
    draw: Callable[[Figure], None], *, name: str, title: str, description: str, size: tuple[float, float], font: float
) -> Markup:
    """Draw a figure and return it as an `<svg>` element.

    Args:
        draw: puts the axes into the figure.
        name: unique in the page; every id in the element begins with it.
        title: its accessible name.
        description: what it shows, in a sentence or two.
        size: width and height in inches of 72 units; the element scales to the width of its place.
        font: size of the text in those units.
    """
    import matplotlib as mpl
    from matplotlib.figure import Figure

    stream = io.StringIO()
    with mpl.rc_context({**_SETTINGS, "font.size": font}), warnings.catch_warnings():
        # The page's own fonts draw the text; that matplotlib's lacks a letter does not matter.
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")
        figure = Figure(figsize=size, layout="constrained")
        draw(figure)
        figure.savefig(stream, format="svg", transparent=True, metadata={"Date": None})
    return _embedded(stream.getvalue(), name, title, description)


def _embedded(document: str, name: str, title: str, description: str) -> Markup:
    body = document[document.index("<svg") :]
    body = re.sub(r"<metadata>.*?</metadata>", "", body, flags=re.DOTALL)
    body = _TAG.sub(lambda found: _adapted(found[0], name), body)
    inside = body[body.index(">") + 1 :]
    box = re.search(r'viewBox="([^"]+)"', body)
    view = box[1] if box else "0 0 100 100"
    head = Markup(
        '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" viewBox="{}" role="img" '
        'aria-labelledby="{}-title {}-desc"><title id="{}-title">{}</title><desc id="{}-desc">{}</desc>'
    ).format(view, name, name, name, escape(title), name, escape(description))
    return head + Markup(inside)


def _adapted(tag: str, name: str) -> str:
    """A tag with ids of its own in the page, the page's font, and colours by name."""
    tag = re.sub(r'\bid="([^"]+)"', rf'id="{name}-\1"', tag)
    tag = re.sub(r'href="#([^"]+)"', rf'href="#{name}-\1"', tag)
    tag = re.sub(r"url\(#([^)]+)\)", rf"url(#{name}-\1)", tag)
    tag = _FONT.sub(lambda found: f"font-size: {found[1]}" if found[1] else "", tag)
    for colour, variable in _VARIABLES.items():
        tag = tag.replace(colour, f"var({variable})")
    return tag
