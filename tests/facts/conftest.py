"""The shipped rules, and the auditor that most tests of facts ask: as it is without settings."""

from __future__ import annotations

import datetime

import pytest

from cmgan_audit.gate.check import Auditor
from cmgan_audit.gate.door import collect, load_kinds
from cmgan_audit.gate.settings import Settings
from cmgan_audit.rules.catalogue import Catalogue, load_catalogue


@pytest.fixture(scope="session")
def catalogue() -> Catalogue:
    """One for all tests: loading it and making its rules ready takes longer than following most of their trees."""
    return load_catalogue()


@pytest.fixture(scope="session")
def auditor(catalogue: Catalogue) -> Auditor:
    load_kinds()
    return Auditor(catalogue, Settings(), collect, datetime.date(2026, 1, 1))
