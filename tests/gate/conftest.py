"""A toy door for the tests of the gate: every line `batch_size = N` or `batch_size: N` is a loader of its own."""

from __future__ import annotations

import datetime
import re
import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import field
from pathlib import Path

import pathspec
import pytest

from cmgan_audit.errors import InputError
from cmgan_audit.finding import Location, Step
from cmgan_audit.gate.audited import Audited, Coverage
from cmgan_audit.gate.check import Auditor
from cmgan_audit.gate.settings import Settings
from cmgan_audit.lazy_dataclasses import dataclass
from cmgan_audit.rules.catalogue import Catalogue, load_catalogue
from cmgan_audit.rules.matching import Unresolved
from cmgan_audit.rules.record import Fact, Known, Record
from cmgan_audit.rules.schema import read_rule
from cmgan_audit.source.discovery import kind_of

TODAY = datetime.date(2026, 11, 23)

RULES = """
id: TOY{number}
name: {name}
summary: the batch is {name}
severity: {severity}
over: toy
when: size {test}
at: size
params: {{limit: 4}}
message: "{{anchor}} has a batch of {{size}}"
why: because
examples:
  - {{verdict: bad, files: {{a.py: "batch_size = 1"}}}}
  - {{verdict: good, files: {{a.py: "batch_size = 5"}}}}
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Toy(Record):
    size: Fact


@dataclass(frozen=True)
class ToyCollected:
    records: list[Record]
    coverage: Coverage
    unresolved: list[Unresolved] = field(default_factory=list)
    unmatched: tuple[str, ...] = ()
    asked: tuple[tuple[str, ...], ...] = ()


def collect(root: Path, exclude: Sequence[str], declared: object, overlay: Mapping[str, bytes]) -> ToyCollected:
    excluded = pathspec.GitIgnoreSpec.from_lines(exclude).match_file
    files = sorted(path for path in root.rglob("*") if kind_of(path.name) and path.is_file())
    names = [path.relative_to(root).as_posix() for path in files]
    kept = [name for name in names if not excluded(name)]
    if not any(kind_of(name) == "python" for name in kept):
        raise InputError(f"{root}: no Python file")
    records: list[Record] = []
    for name in kept:
        function = "module"
        for number, line in enumerate(_text(root, name, overlay).splitlines(), start=1):
            if define := re.match(r"def (\w+)", line):
                function = define[1]
            if found := re.search(r"batch_size\s*[=:]\s*(\d+)", line):
                place = Location(name, number, found.start() + 1, number, found.end() + 1)
                steps = (Step(place, f"batch_size is {found[1]}"),)
                records.append(Toy(location=place, anchor=function, size=Known(int(found[1]), steps)))
    return ToyCollected(records, Coverage(len(kept), len(kept), (), len(records), len(records)))


def _text(root: Path, name: str, overlay: Mapping[str, bytes]) -> str:
    return overlay[name].decode() if name in overlay else (root / name).read_text()


@pytest.fixture
def catalogue(tmp_path_factory: pytest.TempPathFactory) -> Catalogue:
    """The rules about the audit itself, and two about toys."""
    folder = tmp_path_factory.mktemp("rules")
    toys = [("101", "tiny-batch", "error", "< limit"), ("102", "odd-batch", "warning", "in (5, 7)")]
    rules = []
    for number, name, severity, test in toys:
        path = folder / f"{name}.yaml"
        path.write_text(RULES.format(number=number, name=name, severity=severity, test=test))
        rules.append(read_rule(path))
    return Catalogue([*(rule for rule in load_catalogue() if rule.id.startswith("CMG9")), *rules])


@pytest.fixture
def auditor(catalogue: Catalogue) -> Callable[..., Auditor]:
    """An auditor of toys with some settings."""
    return lambda **settings: Auditor(catalogue, Settings(**settings), collect, TODAY, {"toy": Toy})


@pytest.fixture
def tree(tmp_path: Path) -> Callable[..., Path]:
    """Write files into the audited folder and return it."""

    def write(files: dict[str, str]) -> Path:
        root = tmp_path / "repo"
        for name, content in files.items():
            path = root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content)
        return root

    return write


@pytest.fixture
def git(tmp_path: Path) -> Callable[..., str]:
    """Run git in the audited folder."""
    root = tmp_path / "repo"
    root.mkdir(exist_ok=True)
    identity = ["-c", "user.name=Test", "-c", "user.email=test@example.org", "-c", "commit.gpgsign=false"]

    def run(*arguments: str) -> str:
        done = subprocess.run(["git", *identity, *arguments], cwd=root, capture_output=True, text=True, check=True)
        return done.stdout.strip()

    run("init", "-q", "-b", "main")
    return run


@pytest.fixture
def rules_of() -> Callable[[Audited], list[str]]:
    """The rules of the findings that count, in order."""
    return lambda audited: [finding.rule for finding in audited.open]
