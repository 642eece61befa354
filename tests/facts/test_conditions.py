"""Conditions in evidence, as a person would write them."""

from __future__ import annotations

import pytest

from cmgan_audit.facts.conditions import as_read


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("not (not split)", "split"),
        ("not (not 'audio' in batch[0])", "'audio' in batch[0]"),
        ("not name in names", "name not in names"),
        ("not (ready)", "not (ready)"),
        ("len(wav) > self.cut", "len(wav) > self.cut"),
        ("except ValueError", "except ValueError"),
    ],
)
def test_double_negations_are_resolved(text: str, shown: str) -> None:
    assert as_read(text) == shown
