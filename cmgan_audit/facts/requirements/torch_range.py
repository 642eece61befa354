"""The range of torch versions that a tree allows for one of its files."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Sequence
from functools import cached_property, lru_cache

from cmgan_audit.facts.requirements.documents import document_statements
from cmgan_audit.facts.requirements.manifests import manifest_statements
from cmgan_audit.facts.requirements.statement import Source, Stated
from cmgan_audit.finding import Confidence, Step, Trail
from cmgan_audit.lazy_regex import regex
from cmgan_audit.rules.record import Fact, Known, Unknown
from cmgan_audit.source.consulted import Consulted
from cmgan_audit.source.tree import SourceTree

# fmt: off
RELEASES = (
    "0.4.0", "0.4.1", "1.0.0", "1.0.1", "1.1.0", "1.2.0", "1.3.0", "1.3.1", "1.4.0", "1.5.0", "1.5.1", "1.6.0",
    "1.7.0", "1.7.1", "1.8.0", "1.8.1", "1.8.2", "1.9.0", "1.9.1", "1.10.0", "1.10.1", "1.10.2", "1.11.0", "1.12.0",
    "1.12.1", "1.13.0", "1.13.1", "2.0.0", "2.0.1", "2.1.0", "2.1.1", "2.1.2", "2.2.0", "2.2.1", "2.2.2", "2.3.0",
    "2.3.1", "2.4.0", "2.4.1", "2.5.0", "2.5.1", "2.6.0", "2.7.0", "2.7.1", "2.8.0", "2.9.0", "2.9.1",
)
# fmt: on

OLD_PYTHONS = ("2.7", "3.5", "3.6", "3.7", "3.8")
# The first torch with wheels for a version of Python.
FIRST_FOR_PYTHON = {
    "3.9": "1.7.1", "3.10": "1.11.0", "3.11": "1.13.0", "3.12": "2.2.0", "3.13": "2.5.0", "3.14": "2.9.0",
}  # fmt: skip

# The last torch with wheels for an old version of Python; the newer ones have it still.
LAST_FOR_PYTHON = {
    "2.7": "1.4.0", "3.5": "1.5.1", "3.6": "1.10.2", "3.7": "1.13.1", "3.8": "2.4.1", "3.9": "2.8.0",
}  # fmt: skip
NEW_PYTHONS = ("3.10", "3.11", "3.12", "3.13", "3.14")

_PIN = regex(r"==(\d+(?:\.\d+)*)", re.ASCII)

# Folders whose requirements are those of the folder above.
_ASIDE = regex(r"(requirements?|envs?|environments?|conda|docker|install(ation)?|setup|deps|docs?|\.devcontainer)")
# Folders whose requirements are not those of training.
_OTHER = regex(r"(^|/)(\.github|tests?|examples?|wandb|docs?/[^/]*\.txt$)(/|$)|docs?/.*requirements[^/]*$")


class TorchRange:
    """What a tree says about the version of torch; read when somebody asks, once."""

    def __init__(self, tree: SourceTree) -> None:
        self._tree = tree

    @property
    def statements(self) -> tuple[Stated, ...]:
        """Everything that the tree says about torch, its companions and Python, in the order of paths and lines."""
        statements, consulted = self._read
        self._tree.depends_on(consulted)
        return statements

    @cached_property
    def _read(self) -> tuple[tuple[Stated, ...], Consulted]:
        with self._tree.watched() as consulted:
            found = [*manifest_statements(self._tree), *document_statements(self._tree)]
        kept = [each for each in found if not _OTHER.search(each.location.path)]
        return tuple(sorted(kept, key=lambda each: (each.location.path, each.location.line))), consulted

    def allows(self, *, below: str, path: str = "") -> Fact:
        """Whether a torch older than `below` satisfies what the tree says.

        Args:
            below: a version, "1.9".
            path: the file that is asked about: the nearest folder above it that says something decides.

        Returns:
            Known(True): high confidence where a version is pinned, medium where only a range or a sentence of a
            document allows it. Known(False) where nothing older fits. Unknown where the tree names no version. The
            trail names the statements.
        """
        deciding = self._deciding(path)
        older = [each for each in deciding if _fits(_torch_ranges(each), below)]
        return self._told(path, deciding, older, self._python_floor(path, below))

    def reaches(self, *, first: str, path: str = "") -> Fact:
        """Whether a torch of at least `first` satisfies what the tree says: the other end of `allows`.

        Args:
            first: a version, "2.0".
            path: the file that is asked about.

        Returns:
            Known(True): high confidence where every statement pins such a version, medium where a range allows one.
            Known(False) where nothing that new fits, or the Python that is stated has none. Unknown where the tree
            names no version. The trail names the statements.
        """
        deciding = self._deciding(path)
        newer = [each for each in deciding if _reaches(_torch_ranges(each), first)]
        return self._told(path, deciding, newer, self._python_ceiling(path, first))

    def _told(self, path: str, deciding: list[Stated], fitting: list[Stated], of_python: list[Stated]) -> Fact:
        """Whether there may be such a torch.

        Args:
            path: the file that is asked about.
            deciding: the statements that count for it.
            fitting: those of them that leave such a torch.
            of_python: the statements about Python that leave none, which a pinned torch overrules.
        """
        if deciding and not fitting:
            return Known(False, _trail(deciding), confidence=_confidence(deciding))
        if of_python and not any(each.exact for each in fitting):
            return Known(False, _trail([*fitting, *of_python]), confidence=_confidence(of_python))
        if not deciding:
            named = [each for each in self.statements if each.package == "torch" and _above(each, path)]
            return Unknown("the tree names no version of torch", _trail(named[:1]))
        certain = len(fitting) == len(deciding) and all(each.exact for each in fitting)
        return Known(True, _trail(fitting), confidence=_confidence(fitting) if certain else Confidence.MEDIUM)

    def may_reach(self, *, first: str, path: str = "") -> Fact:
        """Like `reaches`, for rules that speak up where nothing is stated: then Known(True) with low confidence."""
        fact = self.reaches(first=first, path=path)
        return Known(True, fact.trail, confidence=Confidence.LOW) if isinstance(fact, Unknown) else fact

    def may_be(self, *, below: str, path: str = "") -> Fact:
        """Like `allows`, for rules that speak up where nothing is stated: then Known(True) with low confidence."""
        fact = self.allows(below=below, path=path)
        return Known(True, fact.trail, confidence=Confidence.LOW) if isinstance(fact, Unknown) else fact

    def _deciding(self, path: str) -> list[Stated]:
        """The statements that count for a file: of the nearest folder, the most binding ones."""
        for source in Source:
            said = [
                each for each in self.statements if each.source is source and each.package != "python" and each.ranges
            ]
            nearest = _nearest(said, path)
            for exact in (True, False):
                for companions in (False, True):
                    chosen = [
                        each for each in nearest if each.exact is exact and (each.package != "torch") is companions
                    ]
                    if chosen:
                        return chosen
        return []

    def _python_floor(self, path: str, below: str) -> list[Stated]:
        """The statements about Python, when every version of it that they allow needs a torch of at least `below`."""
        limit = _release(below)
        old = [*OLD_PYTHONS, *(python for python, first in FIRST_FOR_PYTHON.items() if _release(first) < limit)]
        return self._pythons_without(path, old)

    def _python_ceiling(self, path: str, first: str) -> list[Stated]:
        """The statements about Python, when no version of it that they allow has a torch of at least `first`."""
        limit = _release(first)
        new = [python for python, last in LAST_FOR_PYTHON.items() if _release(last) >= limit]
        return self._pythons_without(path, [*new, *NEW_PYTHONS])

    def _pythons_without(self, path: str, pythons: Sequence[str]) -> list[Stated]:
        """The statements about Python that count for a file, when they allow none of these versions."""
        for source in Source:
            said = [
                each for each in self.statements if each.source is source and each.package == "python" and each.ranges
            ]
            nearest = _nearest(said, path)
            if nearest:
                releases = [f"{python}.{patch}" for python in pythons for patch in range(30)]
                return nearest if not any(_any_in(each.ranges, releases) for each in nearest) else []
        return []


def _nearest(said: Sequence[Stated], path: str) -> list[Stated]:
    """The statements in the nearest folder above a file that holds any."""
    above = [each for each in said if _above(each, path)]
    deepest = max((len(_folder(each)) for each in above), default=0)
    return [each for each in above if len(_folder(each)) == deepest]


def _above(each: Stated, path: str) -> bool:
    folder = _folder(each)
    return not folder or f"{path}/".startswith(f"{folder}/")


def _folder(each: Stated) -> str:
    """The folder that a statement is about."""
    folder = posixpath.dirname(each.location.path)
    while folder and _ASIDE.fullmatch(posixpath.basename(folder)):
        folder = posixpath.dirname(folder)
    return folder


def _torch_ranges(each: Stated) -> tuple[str, ...]:
    """The ranges of torch that a statement means; torchaudio and torchvision need the torch of their own release."""
    if each.package == "torch":
        return each.ranges
    return tuple(text for text in (_of_companion(each.package, text) for text in each.ranges) if text)


def _of_companion(package: str, text: str) -> str:
    """`torchaudio==0.7.2` as `==1.7.*`, `torchvision>=0.15` as `>=2.0`."""
    clauses = []
    for part in text.split(","):
        match = re.fullmatch(r"(?P<operator>[<>=!~]+)(?P<major>\d+)\.(?P<minor>\d+).*", part)
        if match is None or match["operator"] == "!=":
            continue
        major, minor, operator = int(match["major"]), int(match["minor"]), match["operator"]
        if package == "torchvision":
            major, minor = (1, minor - 1) if minor < 15 else (2, minor - 15)
        elif major == 0:
            major = 1
        exact = operator in ("==", "~=")
        clauses.append(f"=={major}.{minor}.*" if exact else f"{operator.replace('>', '>=')[:2]}{major}.{minor}")
    return ",".join(clauses)


# The same few statements are asked about at every call of the tree that a version matters to.
@lru_cache(1024)
def _fits(ranges: tuple[str, ...], below: str) -> bool:
    """Whether a release older than `below` lies in one of the ranges; without a range, none is known to."""
    pinned = _pinned(ranges)
    if pinned is not None:
        return any(version < _release(below) for version in pinned)

    from packaging.version import Version

    return _any_in(ranges, [each for each in (*RELEASES, *_named(ranges)) if Version(each) < Version(below)])


@lru_cache(1024)
def _reaches(ranges: tuple[str, ...], first: str) -> bool:
    """Whether a release of at least `first` lies in one of the ranges, be it newer than those that we know."""
    pinned = _pinned(ranges)
    if pinned is not None:
        return any(version >= _release(first) for version in pinned)

    from packaging.version import Version

    floors = [version for text in ranges for version in re.findall(r">=(\d+(?:\.\d+)*)", text)]
    return _any_in(ranges, [each for each in (*RELEASES, *_named(ranges), *floors) if Version(each) >= Version(first)])


def _pinned(ranges: Sequence[str]) -> list[tuple[int, ...]] | None:
    """The releases, if each range is one plain pin, as most are: what reads all others takes long to load."""
    matches = [_PIN.fullmatch(text) for text in ranges]
    return None if None in matches else [_release(match[1]) for match in matches if match]


def _release(version: str) -> tuple[int, ...]:
    """The numbers of a plain version without zeros at its end: 1.10 and 1.10.0 are one release."""
    return tuple(map(int, re.sub(r"(\.0+)+$", "", version).split(".")))


def _named(ranges: Sequence[str]) -> list[str]:
    """The versions that the ranges name one by one; releases may be missing from our list."""
    return [version for text in ranges for version in re.findall(r"==(\d+(?:\.\d+)*)(?!\.\*|[\d.])", text)]


def _any_in(ranges: Sequence[str], versions: Sequence[str]) -> bool:
    from packaging.specifiers import InvalidSpecifier, SpecifierSet  # only where the question is asked

    for text in ranges:
        try:
            allowed = SpecifierSet(text)
        except InvalidSpecifier:
            continue
        if any(version in allowed for version in versions):
            return True
    return False


def _trail(statements: Sequence[Stated]) -> Trail:
    return tuple(Step(each.location, each.shown) for each in statements[:3])


def _confidence(statements: Sequence[Stated]) -> Confidence:
    prose = any(each.source is Source.PROSE for each in statements)
    return Confidence.MEDIUM if prose else Confidence.HIGH
