"""One sentence of a tree about the versions of a package, whatever dialect it is written in."""

from __future__ import annotations

import enum
import re

from cmgan_audit.finding import Location
from cmgan_audit.lazy_dataclasses import dataclass
from cmgan_audit.lazy_regex import regex


@enum.unique
class Source(enum.Enum):
    """What kind of text states a version, by how far it binds an installation."""

    INSTALLED = "an installation follows it: a requirements file, a manifest, a lock file, an install command"
    PROSE = "a document mentions it"


@dataclass(frozen=True, slots=True)
class Stated:
    """What one place says about a package.

    Attributes:
        package: "torch", "torchaudio", "torchvision" or "python".
        ranges: alternatives as PEP 440 texts ("==1.10.0", ">=1.8,<2"); a version must satisfy one of them. Empty when
            the package is named without a version.
        location: where it stands.
        source: how far it binds.
    """

    package: str
    ranges: tuple[str, ...]
    location: Location
    source: Source = Source.INSTALLED

    @property
    def exact(self) -> bool:
        """Whether it names one version (or one line of versions, as conda's `=1.7` does)."""
        return bool(self.ranges) and all(text.startswith("==") and "," not in text for text in self.ranges)

    @property
    def shown(self) -> str:
        """As text for a trail: "torch ==1.10.0"."""
        return f"{self.package} {' or '.join(self.ranges)}" if self.ranges else f"{self.package} without a version"


# The names of a package on PyPI and conda.
PACKAGES = {
    "torch": "torch",
    "pytorch": "torch",
    "pytorch-cpu": "torch",
    "pytorch-gpu": "torch",
    "torchaudio": "torchaudio",
    "torchvision": "torchvision",
    "python": "python",
}

_NAME = r"(?P<name>[A-Za-z][A-Za-z0-9_-]*)"
_REQUIREMENT = regex(
    rf"^(?:[\w./-]+::)?{_NAME}\s*(?:\[[^\]]*\])?\s*\(?\s*(?P<range>(?:[<>=!~]{{1,3}}\s*[\w.*+!-]+\s*,?\s*)*)\)?\s*(?:$|[;#@\s=])"
)
_CLAUSE = regex(r"(?P<operator>[<>=!~]{1,3})\s*(?P<version>[\w.*+!-]+)")
_VERSION = regex(r"\d+(?:\.\d+)*(?:\.\*)?")


def requirement(text: str) -> tuple[str, tuple[str, ...]] | None:
    """A requirement of pip or conda: the package and its ranges; None when it is about another package or none at all.

    Args:
        text: "torch>=1.8,<2; python_version > '3'", "pytorch=1.7.1=py3.8_cuda11", "torch @ https://...".
    """
    match = _REQUIREMENT.match(text.strip().strip("\"'"))
    if match is None or match["name"].lower() not in PACKAGES:
        return None
    return PACKAGES[match["name"].lower()], pep440(match["range"])


def pep440(text: str) -> tuple[str, ...]:
    """The clauses of pip or conda ("=1.7" is a prefix there) in PEP 440; what is no version is left out."""
    clauses = []
    for match in _CLAUSE.finditer(text):
        found = clause(match["operator"], match["version"])
        if found:
            clauses.append(found)
    return (",".join(clauses),) if clauses else ()


def clause(operator: str, version: str) -> str:
    """One clause in PEP 440 without the local part ("+cu113"); "" when the version cannot be read."""
    match = _VERSION.match(version)
    if match is None or operator not in ("=", "==", "===", ">=", "<=", ">", "<", "!=", "~="):
        return ""
    number = match[0]
    if operator in ("=", "==="):
        operator, number = "==", number if number.endswith(".*") or operator == "===" else f"{number}.*"
    if operator == "~=" and "." not in number:
        operator = ">="
    if operator not in ("==", "!="):
        number = number.removesuffix(".*")
    return operator + number


def poetry(text: str) -> tuple[str, ...]:
    """The ranges of Poetry's and Pipenv's dialect: "^1.8", "~1.8", "1.10.0", ">=1.5,<2", "^1.8 || ^2.0", "*"."""
    found = [_poetry_range(part) for part in text.split("||")]
    return tuple(found) if all(found) else ()


def _poetry_range(text: str) -> str:
    clauses = []
    for part in re.split(r"[,\s]+(?=[\^~<>=!\d])", text.strip()):
        match = re.fullmatch(r"(?P<operator>\^|~=|~|[<>=!]{1,3})?\s*(?P<version>\d[\w.*+!-]*)", part.strip())
        if match is None:
            return ""
        operator = match["operator"] or "=="
        clauses.append(_bounded(operator, match["version"]) if operator in "^~" else clause(operator, match["version"]))
    return ",".join(each for each in clauses if each)


def _bounded(operator: str, version: str) -> str:
    """Poetry's caret keeps the first number that is not zero, its tilde the first two numbers."""
    numbers = [int(part) for part in re.findall(r"\d+", version.partition("+")[0])[:3]]
    kept = 1 if operator == "^" else min(2, len(numbers))
    while operator == "^" and kept < len(numbers) and not any(numbers[:kept]):
        kept += 1
    upper = [*numbers[: kept - 1], numbers[kept - 1] + 1]
    return f">={'.'.join(map(str, numbers))},<{'.'.join(map(str, upper))}"
