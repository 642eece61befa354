"""Install commands and sentences of documents: `pip install torch==1.10.0`, "PyTorch 1.8 or newer"."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from urllib.parse import unquote

from cmgan_audit.facts.requirements.statement import PACKAGES, Source, Stated, clause, requirement
from cmgan_audit.finding import Location
from cmgan_audit.lazy_regex import regex
from cmgan_audit.source.tree import SourceTree

_INSTALL = regex(r"\b(?:(?:pip|pip3|conda|mamba|micromamba|uv|poetry|pipenv)\b[^\n`]*?\b(?:install|create|add)\b)")
_IMAGE = regex(r"^\s*FROM\s+(?:\S+/)?pytorch/pytorch:(?P<version>\d+\.\d+(?:\.\d+)?)", re.IGNORECASE)
# A document that tells how to install; a change log or a page of results tells of other people's versions.
_GUIDE = regex(r"^(readme|install|prereq|require|setup|environment|getting|usage|quick)", re.IGNORECASE)
_MARKS = regex(r"[`*_\[\](){}\"']")
_PROSE = regex(
    r"(?:(?<![\w./-])|(?<=badge/))(?P<name>pytorch|torch|torchaudio|torchvision|python)3?[\s:-]*"
    r"(?:(?:version|v)\.?\s*)?(?P<operator>==|>=|<=|~=|=|>|<|≥|≤)?[\s:v-]*(?P<version>\d+\.\d+(?:\.\d+)?(?![\w%]))"
    r"(?P<more>\s*\+|\s*(?:or|and|/)\s+(?:above|newer|later|higher|greater|up))?",
    re.IGNORECASE,
)
_OPERATORS = {"≥": ">=", "≤": "<=", "=": "==", None: "=="}


def document_statements(tree: SourceTree) -> Iterator[Stated]:
    """What launchers, Dockerfiles and documents of a tree say."""
    for path in tree.launcher_files:
        text = tree.text(path) or ""
        if "torch" not in text.lower():
            continue
        guide = bool(_GUIDE.match(posixpath.basename(path)))
        for number, line in enumerate(text.splitlines(), 1):
            yield from _of_line(line, Location(path, number), guide=guide)


def _of_line(line: str, location: Location, *, guide: bool) -> Iterator[Stated]:
    image = _IMAGE.match(line)
    if image is not None:
        yield Stated("torch", (f"=={image['version']}",), location)
        return
    command, _, comment = line.partition(" #")
    if _INSTALL.search(command):
        named = [found for word in _words(command) if (found := requirement(word)) is not None]
        yield from (Stated(*found, location) for found in named)
        line = comment
    if guide:
        yield from _of_prose(line, location)


def _words(command: str) -> list[str]:
    """The words of a command, also where it stands inside a sentence."""
    import shlex  # only for documents with an install command

    command = command.replace("`", " ")
    try:
        return shlex.split(command)
    except ValueError:  # an apostrophe of the sentence around it
        return [word.strip("\"'") for word in command.split()]


def _of_prose(line: str, location: Location) -> Iterator[Stated]:
    for match in _PROSE.finditer(_MARKS.sub(" ", unquote(line))):
        operator = ">=" if match["more"] else _OPERATORS.get(match["operator"], match["operator"])
        version = match["version"]
        if operator == "==" and version.count(".") == 1:
            version += ".*"
        found = clause(operator or "==", version)
        if found:
            yield Stated(PACKAGES[match["name"].lower()], (found,), location, Source.PROSE)
