"""Small repositories that are audited, fixed in memory, and audited again."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from cmgan_audit.finding import Finding
from cmgan_audit.gate.check import Auditor
from cmgan_audit.gate.door import collect, load_kinds, mend
from cmgan_audit.gate.fixing import Fixed, fix_tree
from cmgan_audit.gate.settings import Settings
from cmgan_audit.rules.catalogue import load_catalogue


@dataclass
class Mended:
    """A repository before and after its fixes."""

    root: Path
    found: list[Finding]
    fixed: Fixed

    def text(self, path: str) -> str:
        """A file after the fixes."""
        change = self.fixed.changes.get(path)
        return (change.after if change else (self.root / path).read_bytes()).decode()

    def added(self, path: str) -> list[str]:
        """The lines of a file that the fixes made, without indentation."""
        before = (self.root / path).read_text().splitlines()
        return [line.strip() for line in self.text(path).splitlines() if line not in before]

    @property
    def remaining(self) -> list[Finding]:
        """The findings after the fixes."""
        return list(self.fixed.audited.open)


@pytest.fixture(scope="session")
def auditors() -> Callable[[str], Auditor]:
    """An auditor of one rule that gives findings their edits."""
    load_kinds()
    catalogue = load_catalogue()
    today = datetime.date(2026, 1, 1)
    return lambda rule: Auditor(catalogue, Settings(select=(rule,)), collect, today, mend=mend)


@pytest.fixture
def fix(tmp_path: Path, auditors: Callable[[str], Auditor]) -> Callable[..., Mended]:
    """Write files, find what one rule says of them, and fix that."""

    def run(rule: str, files: dict[str, str], *, unsafe: bool = True) -> Mended:
        for name, text in files.items():
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8", newline="")
        auditor = auditors(rule)
        found = [each for each in auditor.audit(tmp_path).open if each.rule == rule]
        fixed = fix_tree(tmp_path, lambda overlay: auditor.audit(tmp_path, overlay=overlay), unsafe=unsafe)
        again = fix_tree(
            tmp_path,
            lambda overlay: auditor.audit(
                tmp_path, overlay={**{path: change.after for path, change in fixed.changes.items()}, **overlay}
            ),
            unsafe=unsafe,
        )
        assert not again.audited.fixed, "a second run changes nothing"
        return Mended(tmp_path, found, fixed)

    return run
