"""The text of a rule, as `explain` and the rule pages have it."""

from __future__ import annotations

import pytest

from cmgan_audit.report.rule_text import chapters
from cmgan_audit.rules.catalogue import load_catalogue


@pytest.mark.parametrize(
    ("rule", "begins"),
    [
        ("CMG405", "pesq(16000, reference, estimate, 'wb');"),
        ("CMG105", "scaler.scale(loss).backward();"),
        ("CMG202", "Set drop_last=False"),
        ("CMG807", "Stop, or lower"),
    ],
)
def test_a_fix_begins_with_a_capital_unless_it_begins_with_code(rule, begins):
    assert dict(chapters(load_catalogue()[rule]))["Fix"].startswith(begins)
