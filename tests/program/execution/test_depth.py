"""How Python is set up while a tree is audited."""

from __future__ import annotations

import sys

from cmgan_audit.program.execution.depth import deeply


def test_a_long_number_of_a_program_can_be_written_during_an_audit():
    before = sys.get_int_max_str_digits()
    assert deeply(lambda: len(repr(16**6000))) == 7225
    assert sys.get_int_max_str_digits() == before
