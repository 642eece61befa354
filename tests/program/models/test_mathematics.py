"""Functions of `math` give numbers where they are given numbers, and nothing that is not known becomes one."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest

from cmgan_audit.program.domain.values import Unknown
from tests.program.models.shown import Shown

Show = Callable[..., Shown]


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("math.ceil(10 / 4)", 3),
        ("math.floor(10 / 4)", 2),
        ("math.cos(math.pi)", -1.0),
        ("int(math.sqrt(16))", 4),
        ("math.sqrt(-1)", Unknown),  # Python raises
    ],
)
def test_what_is_computed(show: Show, written: str, value: object) -> None:
    (shown,) = show(f"import math, sink\nsink.show({written})\nif __name__ == '__main__':\n    pass\n").plain()
    assert shown == value


def test_what_is_not_known_stays_open(show: Show) -> None:
    text = "import math, sink\nfrom elsewhere import batch\nsink.show(math.ceil(batch / 2) == 2)\nsink.show(math.pi)\n"
    shown = show(text + "if __name__ == '__main__':\n    pass\n").plain()
    assert shown == [Unknown, math.pi]
