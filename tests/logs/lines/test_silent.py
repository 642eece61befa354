"""Lines that name nothing that is looked for are not walked over; all others are."""

from __future__ import annotations

import re
from dataclasses import fields
from importlib.resources import files

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cmgan_audit.logs.lines import shapes
from cmgan_audit.logs.lines.plan import Plan
from cmgan_audit.logs.lines.shapes import understand
from cmgan_audit.logs.lines.silent import says_nothing_known
from cmgan_audit.logs.roles import RoleBook, parse_role


@pytest.mark.parametrize(
    "body", ["the quick brown fox \0 and \0 lazy dogs", "copying \0 things, \0 of them", "- \0 \0 \0 something else \0"]
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
        "L1 \0 and L2 \0",
        "SDRTest \0",
        "my figure is \0",
        "\0 epochs",
    ],
)
def test_not_silent(body: str) -> None:
    assert not says_nothing_known(body)


def test_names_that_the_user_gives_are_looked_for() -> None:
    name, role = parse_role("fox=metric")
    assert [value.name for value in understand("quick fox \0", RoleBook({name: role})).values] == []
    assert [value.name for value in understand("fox \0", RoleBook({name: role})).values] == ["fox"]


def _everything(plan: Plan) -> dict[str, object]:
    return {field.name: getattr(plan, field.name) for field in fields(plan)}


# Every word of the table of names, and what else gives a number its meaning.
WORDS = re.findall("[a-z0-9]+", files("cmgan_audit.logs").joinpath("roles.yaml").read_text(encoding="utf-8"))
WORDS += "L1 Acc@1 F1 top SDRTest valAcc ep12 E003 epoch_7 rank1 nan best saved until is of resume restored".split()
WORDS += ["loaded", "checkpoint", "improved", "dog", "the", "noisy", "dB", "x", "it/s", "验证", "손실", *["\0"] * 300]
PARTS = st.tuples(
    st.sampled_from(WORDS),
    st.sampled_from([str, str.upper, str.title]),
    st.sampled_from([*" " * 6, " | ", " - ", ", ", "/", " (", ") ", " @ ", "_", "\t", "% ", " -", ". ", " \x01 "]),
)


@given(st.lists(PARTS, min_size=2, max_size=7))
@settings(max_examples=300, deadline=None)
def test_what_is_not_walked_over_would_have_said_nothing(parts: list[tuple[str, type[str], str]]) -> None:
    line = "".join(spelling(word) + behind for word, spelling, behind in parts)
    found = understand(line, RoleBook())
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(shapes, "says_nothing_known", lambda body: False)
        assert _everything(understand(line, RoleBook())) == _everything(found)
