"""A template and its values made into one self-contained page."""

from __future__ import annotations

import base64
import functools
import hashlib
from importlib.resources import files
from typing import TYPE_CHECKING

from cmgan_audit import __version__

if TYPE_CHECKING:
    from jinja2 import Environment


def render_page(template: str, **values: object) -> str:
    """Fill a template of the package.

    Everything that is not of type Markup is escaped, and a value that a template names but nobody gives is an error.
    The page's security policy allows no address but `data:` and no script but ours, so that nothing leaves the file
    even if a name got through as markup.

    Args:
        template: name of a file in templates/.
        values: what it shows.
    """
    from markupsafe import Markup

    script = _text("players.js")
    return (
        _environment()
        .get_template(template)
        .render(
            version=__version__,
            style=Markup(_text("style.css")),
            script=Markup(script),
            script_hash=base64.b64encode(hashlib.sha256(script.encode()).digest()).decode(),
            **values,
        )
    )


@functools.cache
def _environment() -> Environment:
    from jinja2 import Environment, PackageLoader, StrictUndefined

    return Environment(
        loader=PackageLoader("cmgan_audit.report.html", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def _text(name: str) -> str:
    return files("cmgan_audit.report.html").joinpath("templates", name).read_text(encoding="utf-8")
