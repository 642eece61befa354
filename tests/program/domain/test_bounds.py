"""Tests on numbers that depend on the run, decided by other tests on the way."""

from __future__ import annotations

import pytest

from cmgan_audit.program.domain.bounds import decided


@pytest.mark.parametrize(
    ("formula", "facts", "verdict"),
    [
        ("device_count > 1", [("1 > device_count", True)], False),
        ("device_count > 1", [("2 > device_count", True)], False),
        ("device_count > 1", [("4 > device_count", True)], None),
        ("device_count > 1", [("device_count >= 2", True)], True),
        ("device_count > 1", [("device_count <= 1", False)], True),
        ("device_count == 1", [("device_count > 1", True)], False),
        ("device_count != 1", [("device_count > 1", True)], True),
        ("device_count >= 3", [("device_count == 3", True)], True),
        ("device_count < 3", [("device_count == 3", True)], False),
        ("device_count > 1", [("other > 1", True)], None),
        ("device_count > 1", [], None),
        ("device_count < 0", [], False),
        ("world_size > 0", [], True),
        ("world_size > 1", [], None),
        ("min(1, device_count) > 1", [], False),
        ("min(2, device_count) > 1", [], None),
        ("max(1, device_count) < 1", [], False),
        ("max(1, device_count) >= 1", [], True),
        ("x // 2 > 4", [("x // 2 > 8", True)], True),
        ("x > -1", [("x >= 0", True)], True),
        ("device_count", [("device_count > 1", True)], None),
        (f"device_count > {2**2000}", [], None),
        (f"device_count > {2**53}", [(f"device_count == {2**53 + 1}", True)], True),
        ("no formula (", [("device_count > 1", True)], None),
    ],
)
def test_what_is_known_of_a_number_decides_a_test(formula, facts, verdict):
    assert decided(formula, facts) is verdict
