"""Causes behind reasons: carried to what is computed from a value, never read out of the sentence."""

from __future__ import annotations

import ast

import pytest

from cmgan_audit.program.domain.numbers import binary
from cmgan_audit.program.domain.reasons import Cause, Reason, cause_of, naming, not_in_tree, only_at_launch, required
from cmgan_audit.program.domain.values import Const, Unknown
from cmgan_audit.program.execution.probe import INDEX
from cmgan_audit.program.library.draws import seed_text


def test_what_is_computed_from_an_unknown_value_has_its_cause():
    number = binary(ast.Mod, INDEX, Const(value=7))
    assert isinstance(number, Unknown)
    assert cause_of(number.reason) is Cause.ITEM_INDEX
    assert seed_text(number) == "the index"


def test_a_name_that_sounds_like_an_index_is_none():
    assert seed_text(Unknown(reason="the name index_of_run is not defined")) == ""


@pytest.mark.parametrize(
    ("reason", "cause"),
    [
        (only_at_launch("--config"), Cause.LAUNCHER),
        (required("required argument --config has no default"), Cause.REQUIRED),
        (not_in_tree("a.json"), Cause.MISSING_FILE),
    ],
)
def test_a_reason_that_names_another_has_its_cause(reason: Reason, cause: Cause):
    outer = naming(f"what is loaded is not known: {reason}", reason)
    assert outer.endswith(str(reason))
    assert cause_of(outer) is cause


def test_a_reason_without_a_cause_stays_a_plain_text():
    assert type(naming("what is loaded is not known: a list", "a list")) is str
    assert cause_of("required by nobody, is not in the tree") is None
