"""Lines that name nothing that is looked for are not walked over; all others are."""

from __future__ import annotations

import pytest

from cmgan_audit.logs.lines.shapes import understand
from cmgan_audit.logs.lines.silent import says_nothing_known
from cmgan_audit.logs.roles import RoleBook, parse_role


@pytest.mark.parametrize(
    "body", ["the quick brown fox \0 and \0 lazy dogs", "copying \0 of \0 things", "- \0 \0 \0 something else \0"]
)
def test_silent(body: str) -> None:
    assert says_nothing_known(body)
    plan = understand(body, RoleBook())
    assert (plan.slots, plan.useful) == (body.count("\0"), False)


@pytest.mark.parametrize(
    "body",
    [
        "mean pesq \0",
        "valAcc \0",
        "trainloss \0",
        "epoch \0 done",
        "\0 iterations",
        "myscore: \0",
        "G_GAN \0",
        "resumed at \0",
        "Loaded weights of \0",
        "PSNR \0 dB",
        "E003 | \0",
        "fold \0",
        "rank \0 is ready",
        "Start validation \0",
        "validation PESQ was not in top \0",
        "STOI \0",
        "siSDR \0",
    ],
)
def test_not_silent(body: str) -> None:
    assert not says_nothing_known(body)


def test_names_that_the_user_gives_are_looked_for() -> None:
    name, role = parse_role("fox=metric")
    assert [value.name for value in understand("quick fox \0", RoleBook({name: role})).values] == []
    assert [value.name for value in understand("fox \0", RoleBook({name: role})).values] == ["fox"]
