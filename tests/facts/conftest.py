"""The auditor that most tests of facts ask: what is shipped, as it is without settings."""

from __future__ import annotations

import datetime

import pytest

from cmgan_audit.gate.check import Auditor
from cmgan_audit.gate.door import collect, load_kinds
from cmgan_audit.gate.settings import Settings
from cmgan_audit.rules.catalogue import load_catalogue


@pytest.fixture(scope="session")
def auditor() -> Auditor:
    """One for all tests: loading the catalogue and making its rules ready takes longer than most of their trees."""
    load_kinds()
    return Auditor(load_catalogue(), Settings(), collect, datetime.date(2026, 1, 1))
