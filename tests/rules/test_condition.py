"""What a condition may say: everything is checked against the record when the rule loads."""

from __future__ import annotations

import pytest

from cmgan_audit.rules.condition import ConditionError, Names, parse_condition

LEGAL = [
    'role == "eval" and dataset.random_crop',
    "1 <= batch_size < smallest",
    'role not in ("eval", "test")',
    "dataset is None or not dataset.random_crop",
    "any(not x.eval_mode for x in loops)",
    "all(x.dataset is not None for x in loops if x.eval_mode)",
    "any(x == 'BatchNorm1d' for x in norms)",
    "len(loops) > 1",
    "batch_size > -1",
    "dataset and loops",
]

WRONG = {
    "batch_sise < 4": "unknown field 'batch_sise' (did you mean 'batch_size'?)",
    "dataset.random_crp": "unknown field 'random_crp' (did you mean 'random_crop'?); known: anchor, name, random_crop",
    "dataset.random_crop.seed": "'random_crop' is a fact and has no field 'seed'",
    "loops.eval_mode": "use any(... for x in loops)",
    "location": "unknown field 'location'",
    "batch_size * 2 < 4": "batch_size * 2: not allowed here",
    "role.startswith('e')": "only any(), all() and len() can be called",
    "any(loops)": "write any(CONDITION for x in RELATION)",
    "any(x for x in batch_size.y)": "'batch_size' is a fact",
    "any(x.eval_mode for x in dataset)": "not a relation",
    "any(role == 'a' for role in loops)": "'role' already names something else",
    "dataset == 3": "dataset is a linked record",
    "loops == ()": "loops is a relation",
    "batch_size is 4": "`is` is for None",
    "anny(x.eval_mode for x in loops)": "unknown function 'anny' (did you mean 'any'?)",
    "role == ": "not an expression",
    "role = 'eval'": "not an expression",
    "lambda: 1": "not allowed here",
    "__import__('os')": "unknown function '__import__'",
}


@pytest.mark.parametrize("text", LEGAL)
def test_legal_conditions(lab, text):
    parse_condition(text, Names((lab.Loader,), ("smallest",)))


@pytest.mark.parametrize("text", WRONG)
def test_errors_name_what_is_wrong(lab, text):
    with pytest.raises(ConditionError) as caught:
        parse_condition(text, Names((lab.Loader,), ("smallest",)))
    assert WRONG[text] in str(caught.value)


def test_a_very_deep_condition_is_an_error_not_a_crash(lab):
    with pytest.raises(ConditionError):
        parse_condition("(" * 5000 + "role" + ")" * 5000, Names((lab.Loader,)))
