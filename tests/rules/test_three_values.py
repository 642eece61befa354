"""The logic of three values, held against Python itself: a definite answer holds for every possible value."""

from __future__ import annotations

import itertools

from hypothesis import given
from hypothesis import strategies as st

from cmgan_audit.finding import Location
from cmgan_audit.lazy_dataclasses import dataclass
from cmgan_audit.rules.condition import Names, parse_condition
from cmgan_audit.rules.judging import Scope, judge
from cmgan_audit.rules.record import Fact, Known, OneOf, Record, Unknown
from cmgan_audit.rules.worlds import explore

DOMAIN = (0, 1, 2)
FIELDS = ("a", "b", "c")


@dataclass(frozen=True, slots=True, kw_only=True)
class Triple(Record):
    a: Fact
    b: Fact
    c: Fact


numbers = st.sampled_from(DOMAIN)
known = st.builds(Known, numbers)
one_of = st.builds(OneOf, st.lists(known, min_size=1, max_size=3).map(tuple))
unknown = st.just(Unknown("hidden"))
facts = known | one_of | unknown

atoms = st.one_of(
    st.sampled_from(FIELDS),
    st.builds("{} {} {}".format, st.sampled_from(FIELDS), st.sampled_from(["==", "!=", "<", ">="]), numbers),
    st.builds("{} < {}".format, st.sampled_from(FIELDS), st.sampled_from(FIELDS)),
    st.builds("{} in (0, {})".format, st.sampled_from(FIELDS), numbers),
    st.builds("0 < {} < {}".format, st.sampled_from(FIELDS), st.sampled_from(FIELDS)),
)
expressions = st.recursive(
    atoms,
    lambda inner: st.one_of(
        st.builds("({} and {})".format, inner, inner),
        st.builds("({} or {})".format, inner, inner),
        st.builds("(not {})".format, inner),
    ),
    max_leaves=6,
)


def possible(fact: Fact) -> list[int]:
    if isinstance(fact, Unknown):
        return list(DOMAIN)
    return [fact.value] if isinstance(fact, Known) else [option.value for option in fact.options]


def judged(text: str, values: dict[str, Fact]) -> list[bool | None]:
    record = Triple(location=Location("x.py", 1), **values)
    condition = parse_condition(text, Names((Triple,)))
    outcomes = explore(lambda world: judge(condition, Scope(record), world).truth)
    assert outcomes is not None
    return [outcome.result for outcome in outcomes]


@given(expressions, st.fixed_dictionaries(dict.fromkeys(FIELDS, known)))
def test_with_known_values_it_is_python(text, values):
    plain = {name: fact.value for name, fact in values.items()}
    assert judged(text, values) == [bool(eval(text, {}, plain))]


@given(expressions, st.fixed_dictionaries(dict.fromkeys(FIELDS, facts)))
def test_a_definite_answer_holds_for_every_possible_value(text, values):
    answers = set(judged(text, values))
    combinations = itertools.product(*(possible(values[name]) for name in FIELDS))
    truths = {bool(eval(text, {}, dict(zip(FIELDS, each, strict=True)))) for each in combinations}
    if answers == {True} or answers == {False}:
        assert truths == answers
    assert truths <= answers or None in answers


@given(expressions, st.fixed_dictionaries(dict.fromkeys(FIELDS, known | one_of)))
def test_without_unknowns_the_worlds_are_exactly_the_possibilities(text, values):
    combinations = itertools.product(*(possible(values[name]) for name in FIELDS))
    truths = {bool(eval(text, {}, dict(zip(FIELDS, each, strict=True)))) for each in combinations}
    assert set(judged(text, values)) == truths


configurations = st.lists(st.fixed_dictionaries(dict.fromkeys(FIELDS, numbers)), min_size=1, max_size=4)


@given(expressions, configurations)
def test_values_of_one_configuration_are_never_mixed_with_those_of_another(text, setups):
    values = {
        name: OneOf(tuple(Known(setup[name], condition=f"setup {n}") for n, setup in enumerate(setups)))
        for name in FIELDS
    }
    assert set(judged(text, values)) == {bool(eval(text, {}, setup)) for setup in setups}


def test_too_many_worlds_are_given_up_not_cut_short():
    @dataclass(frozen=True, slots=True, kw_only=True)
    class Wide(Record):
        facts: tuple[Fact, ...]

    many = tuple(OneOf((Known(0), Known(1))) for _ in range(12))
    record = Wide(location=Location("x.py", 1), facts=many)
    condition = parse_condition("all(x < 2 for x in facts)", Names((Wide,)))
    assert explore(lambda world: judge(condition, Scope(record), world)) is None
