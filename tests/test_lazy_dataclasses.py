"""Dataclasses that are written later behave as those of the standard library do."""

from __future__ import annotations

import dataclasses
import pickle
from dataclasses import field
from typing import ClassVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cmgan_audit.lazy_dataclasses import copier_of, dataclass

KINDS = ("plain", "default", "factory")


def declared(decorate, kinds, *, base=object, **flags):
    """A class with one field per kind; those without a default come first, as Python asks for."""
    namespace: dict[str, object] = {"__annotations__": {}, "__doc__": "Declared here."}
    for number, kind in enumerate(sorted(kinds, key=lambda kind: kind != "plain")):
        namespace["__annotations__"][f"f{number}"] = "int"
        if kind == "default":
            namespace[f"f{number}"] = number
        elif kind == "factory":
            namespace[f"f{number}"] = field(default_factory=lambda: [1])
    return decorate(**flags)(type("Made", (base,), namespace))


@given(
    kinds=st.lists(st.sampled_from(KINDS), max_size=4),
    flags=st.fixed_dictionaries({}, optional={name: st.booleans() for name in ("frozen", "slots", "eq", "kw_only")}),
    given_values=st.lists(st.integers(0, 2), max_size=5),
    by_name=st.booleans(),
)
def test_they_do_what_the_standard_ones_do(kinds, flags, given_values, by_name):
    told = []
    for decorate in (dataclass, dataclasses.dataclass):
        cls = declared(decorate, kinds, **flags)
        arguments = () if by_name else given_values
        named = {f"f{number}": value for number, value in enumerate(given_values)} if by_name else {}
        try:
            one, other = cls(*arguments, **named), cls(*arguments, **named)
        except TypeError as error:
            told.append(str(error).replace(cls.__qualname__, ""))
            continue
        changed = dataclasses.replace(one, **dict.fromkeys([f.name for f in dataclasses.fields(one)][:1], 7))
        try:
            hashed = hash(one) == hash(other)
        except TypeError as error:
            hashed = str(error)
        told.append(
            (
                repr(one), repr(changed), one == other, one == changed, one != 3, hashed, dataclasses.asdict(one),
                cls.__match_args__, hasattr(one, "__dict__"), [f.name for f in dataclasses.fields(cls)],
            )
        )  # fmt: skip
    assert told[0] == told[1]


def test_a_field_left_out_of_comparison_hash_and_representation():
    @dataclass(frozen=True, slots=True)
    class Noted:
        value: int
        note: str = field(default="", compare=False)
        shown: int = field(default=0, repr=False)

    assert Noted(1, "a") == Noted(1, "b") != Noted(1, shown=2)
    assert hash(Noted(1, "a")) == hash(Noted(1, "b"))
    assert repr(Noted(1, "a", 3)).endswith("Noted(value=1, note='a')")


def test_classes_that_differ_in_names_only_keep_their_own():
    @dataclass(slots=True)
    class One:
        a: int
        b: list[int] = field(default_factory=list)
        c: int = field(default=1, kw_only=True)
        d: int = field(default=2, init=False)
        e: list[int] = field(default_factory=list, init=False)

    @dataclass(slots=True)
    class Other:
        v: int
        w: dict[str, int] = field(default_factory=dict)
        x: int = field(default=3, kw_only=True)
        y: int = field(default=4, init=False)
        z: dict[str, int] = field(default_factory=dict, init=False)

    @dataclass(slots=True, kw_only=True)
    class Named:
        v: int
        w: int = 5

    assert dataclasses.astuple(One(0)) == (0, [], 1, 2, []) and One(0).b is not One(0).b
    assert dataclasses.astuple(Other(0, {"k": 1}, x=7)) == (0, {"k": 1}, 7, 4, {})
    assert dataclasses.astuple(One(0, [1], c=6)) == (0, [1], 6, 2, [])
    assert (Named(v=1), Named(w=2, v=1)) == (Named(v=1, w=5), Named(v=1, w=2))
    for wrong in (lambda: One(0, [], 1), lambda: Named(1), lambda: Named(w=1), lambda: Other(), lambda: Other(0, d=1)):
        with pytest.raises(TypeError, match=r"(One|Other|Named)\.__init__\(\)"):
            wrong()


def test_a_field_that_has_to_be_given_does_not_stand_behind_one_that_has_not():
    @dataclass
    class Wrong:
        first: int = 1
        second: int = field()

    with pytest.raises(TypeError, match="non-default argument 'second' follows default argument"):
        Wrong()


def test_methods_of_ones_own_stay():
    @dataclass(frozen=True)
    class Own:
        value: int
        twice: int = field(init=False)

        def __post_init__(self) -> None:
            self.__dict__["twice"] = 2 * self.value

        def __eq__(self, other: object) -> bool:
            return isinstance(other, Own) and self.value % 10 == other.value % 10

        def __hash__(self) -> int:
            return self.value % 10

        def __repr__(self) -> str:
            return f"<{self.value}>"

    assert (Own(12), Own(12).twice, Own(12) == Own(2), hash(Own(12)), repr(Own(12))) == (Own(12), 24, True, 2, "<12>")


def test_a_class_below_has_methods_of_its_own():
    @dataclass(slots=True)
    class Above:
        first: int

    @dataclass(slots=True)
    class Below(Above):
        second: int = 2

    class Plain(Above):
        pass

    assert repr(Below(1)).endswith("Below(first=1, second=2)")
    assert Plain(1).first == Above(1).first == 1
    assert Above(1) != Below(1) and Plain(1) == Plain(1) and Plain(1) != Above(1)


def test_one_that_holds_itself_is_shown_in_full_once():
    @dataclass(slots=True)
    class Loop:
        inner: object = None

    loop = Loop()
    loop.inner = loop
    assert repr(loop).endswith("Loop(inner=...)")


@dataclass(frozen=True, slots=True)
class Sent:
    value: int
    rest: tuple[int, ...] = ()


def test_they_go_to_other_processes():
    assert pickle.loads(pickle.dumps(Sent(1, (2,)))) == Sent(1, (2,))


def test_an_argument_too_many_is_told_with_the_name_of_the_class():
    with pytest.raises(TypeError, match=r"Sent\.__init__\(\)"):
        Sent(1, (), 3)
    with pytest.raises(TypeError, match=r"Sent\.__init__\(\) missing 1 required positional argument: 'value'"):
        Sent()


def test_annotations_stay_what_was_written():
    for slots in (True, False):
        assert declared(dataclass, ["plain", "default"], slots=slots).__annotations__ == {"f0": "int", "f1": "int"}


def test_a_class_variable_is_no_field():
    @dataclass(slots=True)
    class Counted:
        made: ClassVar[int] = 3
        number: int

    assert [entry.name for entry in dataclasses.fields(Counted)] == ["number"]
    assert Counted.made == 3


def test_a_copy_holds_the_same_without_being_made_anew():
    made = []

    @dataclass(slots=True, eq=False)
    class Counted:
        first: list[int]
        second: int = 2

        def __post_init__(self) -> None:
            made.append(self)

    given = Counted([1])
    copy = copier_of(Counted)(given)
    assert type(copy) is Counted
    assert copy is not given
    assert (copy.first is given.first, copy.second, made) == (True, 2, [given])


@pytest.mark.parametrize("slots", [True, False])
def test_a_field_that_is_declared_again_keeps_its_place_and_takes_the_new_words(slots):
    told = []
    for decorate in (dataclass, dataclasses.dataclass):

        @decorate(frozen=True, slots=slots, kw_only=True)
        class Above:
            first: int
            second: list[int] = field(default_factory=list)

        @decorate(frozen=True, slots=slots)
        class Below(Above):
            third: str = "x"
            first: int = field(default=4, compare=False)

        described = [
            (each.name, each.default, each.compare, each.kw_only, each.metadata) for each in dataclasses.fields(Below)
        ]
        told.append(
            (repr(Below()), described, Below.__match_args__, Below(first=1) == Below(first=2), vars(Above).keys())
        )
    assert told[0][:4] == told[1][:4]
    assert ("first" in told[0][4]) == ("first" in told[1][4])


def test_a_default_that_objects_would_share_is_refused():
    with pytest.raises(ValueError, match=r"Shared\.values"):

        @dataclass(slots=True)
        class Shared:
            values: list[int] = []  # noqa: RUF012 (that is what is refused)
