"""Operators and comparisons on values that may be choices, containers or objects."""

from __future__ import annotations

import ast
from collections.abc import Callable, Sequence
from dataclasses import replace

from cmgan_audit.finding import Location
from cmgan_audit.program.domain import numbers
from cmgan_audit.program.domain.bounds import decided
from cmgan_audit.program.domain.containers import known_items
from cmgan_audit.program.domain.facts import Facts, both
from cmgan_audit.program.domain.joins import join_each, opposite, same
from cmgan_audit.program.domain.numbers import drawn
from cmgan_audit.program.domain.text_tests import COMPARISONS, OPPOSITES, exclude
from cmgan_audit.program.domain.values import (
    Arguments,
    Choice,
    ClassValue,
    Const,
    DictValue,
    External,
    FunctionValue,
    Instance,
    ListValue,
    ModuleValue,
    Option,
    Symbol,
    TextTest,
    Unknown,
    Value,
    options_of,
)
from cmgan_audit.program.execution.branches import truth
from cmgan_audit.program.execution.interpreter import Interpreter, joined
from cmgan_audit.program.execution.trace import TOLD_BY_LAUNCHERS
from cmgan_audit.program.naming.names import canonical

MOST_PAIRS = 16

# The classes of plain values: each has this one name.
PLAIN_TYPES = frozenset(f"builtins.{name}" for name in "int float str bool dict list tuple set bytes complex".split())
# Numbers that every process has, so that none of them is None.
_NUMBERS_OF_PROCESSES = frozenset({"rank", "world_size"})
# Classes of libraries whose objects equal no text and no number: `torch.device("cuda") == "cuda"` is False.
_LIKE_NO_CONSTANT = frozenset({"torch.device", "pathlib.Path", "argparse.Namespace"})


def operate(it: Interpreter, operation: type[ast.operator], left: Value, right: Value, location: Location) -> Value:
    """`left operation right`, for every pair of possibilities."""

    def one(a: Value, b: Value) -> Value:
        special = _special_method(it, operation, a, b, location)
        if special is not None:
            return special
        result = numbers.binary(operation, a, b)
        if isinstance(result, Unknown):
            return result.made_from(numbers.spelled(operation), (a, b), location, it.context.managers)
        return result

    divides = operation in (ast.Div, ast.FloorDiv, ast.Mod)
    return paired(it, left, right, one, raises=_divides_by_zero if divides else None)


def _divides_by_zero(left: Value, right: Value, facts: Facts) -> bool:
    """Whether a number is zero where some tests came out as they did: `4 // device_count` without a device raises.

    `"%d" % device_count` makes a text, and a tensor that is divided by zero is infinite.
    """
    number = isinstance(left, Symbol) or (isinstance(left, Const) and isinstance(left.value, int | float))
    return number and isinstance(right, Symbol) and decided(f"{numbers.operand(right)} == 0", facts) is True


def _is_command_line(value: Value) -> bool:
    return isinstance(value, External) and value.name == "sys.argv"


_SPECIAL = {
    ast.Add: "add",
    ast.Sub: "sub",
    ast.Mult: "mul",
    ast.Div: "truediv",
    ast.FloorDiv: "floordiv",
    ast.Mod: "mod",
    ast.BitOr: "or",
}


def _special_method(
    it: Interpreter, operation: type[ast.operator], left: Value, right: Value, location: Location
) -> Value | None:
    name = _SPECIAL.get(operation)
    if name is None:
        return None
    if isinstance(left, DictValue) and isinstance(right, DictValue) and operation is ast.BitOr:
        merged = DictValue(items={**left.items, **right.items}, complete=left.complete and right.complete)
        return merged.tainted(left.draws | right.draws)
    if operation is ast.Add and _is_command_line(left):
        return answers.call_library(it, "sys.argv.__add__", None, Arguments(positional=(right,)), location)
    if operation is ast.Add and _is_command_line(right):
        return answers.call_library(it, "sys.argv.__radd__", None, Arguments(positional=(left,)), location)
    if isinstance(left, Instance):
        result = answers.special_method(it, left, f"__{name}__", [right], location)
        if result is not None:
            return result
    if isinstance(right, Instance):
        return answers.special_method(it, right, f"__r{name}__", [left], location)
    return None


def paired(
    it: Interpreter,
    left: Value,
    right: Value,
    compute: Callable[[Value, Value], Value],
    raises: Callable[[Value, Value, Facts], bool] | None = None,
) -> Value:
    """A function of two values over all pairs of their options that can hold together.

    `raises` tells whether Python raises for two sides where the tests behind the right one came out as they did: such
    a pair is left out as long as others are left.
    """
    left, right = it.read(left), it.read(right)
    if not isinstance(left, Choice) and not isinstance(right, Choice):
        return compute(left, right)
    pairs = [(a, b) for a in options_of(left) for b in options_of(right) if not _contradict(it, a, b)]
    if raises is not None:
        pairs = [(a, b) for a, b in pairs if not (b.facts and raises(a.value, b.value, b.facts))] or pairs
    if len(pairs) > MOST_PAIRS:
        for a, b in pairs:
            if isinstance(a.value, Instance) or isinstance(b.value, Instance):
                compute(a.value, b.value)  # a special method of the tree is called, whatever it gives
        too_many = Unknown(reason=f"more than {MOST_PAIRS} possible values", draws=drawn(left, right))
        return too_many.made_from("or", (left, right))
    options: list[Option] = []
    for a, b in pairs:
        text = " and ".join(dict.fromkeys(part for part in (a.condition, b.condition) if part))
        facts = both(a.facts, b.facts)
        options.append(Option(_settled(compute(a.value, b.value), facts), text, facts))
    return joined(options).tainted(left.draws | right.draws)


def _settled(result: Value, facts: Facts) -> Value:
    """A test on a number that depends on the run, decided where the tests behind the operands decide it."""
    if not facts or not isinstance(result, Symbol):
        return result
    verdict = decided(result.formula, facts)
    return result if verdict is None else Const(value=verdict, trail=result.trail, draws=result.draws)


def _contradict(it: Interpreter, left: Option, right: Option) -> bool:
    if left.condition and right.condition and opposite(left.condition) == right.condition:
        return True
    if left.condition and right.condition and opposite(right.condition) == left.condition:
        return True
    return exclude(left.facts, it.forks.lasting(right.facts))


def over_options(it: Interpreter, value: Value, compute: Callable[[Value], Value]) -> Value:
    """A function of one value over its options."""
    value = it.read(value)
    if not isinstance(value, Choice):
        return compute(value)
    return join_each(value, compute).tainted(value.draws)


def negated(it: Interpreter, value: Value) -> Value:
    """`not value`."""

    def one(v: Value) -> Value:
        verdict = truth(it, v)
        if verdict is not None:
            return Const(value=not verdict, draws=v.draws)
        if isinstance(v, Symbol):
            at_one = None if v.at_one is None else not v.at_one
            return Symbol(formula=opposite(v.formula), at_one=at_one, trail=v.trail)
        if isinstance(v, TextTest):
            return replace(v, equal=not v.equal)
        return Unknown(reason="a test at run time", draws=drawn(v)).made_from("not", (v,))

    return over_options(it, value, one)


def compare(it: Interpreter, operation: type[ast.cmpop], left: Value, right: Value) -> Value:
    """One comparison of values that are no choices; of one that is open it is kept what was compared with what."""
    result = _compared(it, operation, left, right)
    if (
        type(result) is not Unknown
        or result.computed is not None
        or not isinstance(left, Const) ^ isinstance(right, Const)
    ):
        return result
    positive = OPPOSITES.get(operation, operation)
    asked = result.made_from(COMPARISONS[positive], (left, right))
    return asked if positive is operation else result.made_from("not", (asked,))


def _compared(it: Interpreter, operation: type[ast.cmpop], left: Value, right: Value) -> Value:
    if operation in (ast.Is, ast.IsNot, ast.Eq, ast.NotEq):
        verdict = _identical(left, right) if operation in (ast.Is, ast.IsNot) else _equal(left, right)
        if verdict is not None:
            positive = operation in (ast.Is, ast.Eq)
            return Const(value=verdict is positive, draws=drawn(left, right))
        if operation in (ast.Is, ast.IsNot):
            return Unknown(reason="an identity at run time", draws=drawn(left, right))
    if operation in (ast.In, ast.NotIn):
        contained = _contained(it, left, right)
        if it.launch.ranked and _is_environment(right) and isinstance(left, Const) and left.value in TOLD_BY_LAUNCHERS:
            contained = True
        if contained is None and _is_environment(right) and isinstance(left, Const) and isinstance(left.value, str):
            formula = f"{left.value} in os.environ"
            return Symbol(formula=formula if operation is ast.In else opposite(formula))
        if contained is None:
            open_test = Unknown(reason="a membership at run time", draws=drawn(left, right))
            return _text_test(it, operation, left, right) or open_test
        return Const(value=contained is (operation is ast.In), draws=drawn(left, right))
    return _text_test(it, operation, left, right) or numbers.compare(operation, left, right)


def _is_environment(value: Value) -> bool:
    """Whether a value is the variables that a process was started with: what they hold is one thing in all of a run."""
    return isinstance(value, External) and value.name == "os.environ"


def _text_test(it: Interpreter, operation: type[ast.cmpop], left: Value, right: Value) -> TextTest | None:
    """The comparison of something that is not known with a text, or with several."""
    whether_in = operation in (ast.In, ast.NotIn)
    if not whether_in and operation not in (ast.Eq, ast.NotEq):
        return None
    for asked, other in ((left, right),) if whether_in else ((left, right), (right, left)):
        texts = _texts_in(other) if whether_in else (other,)
        wanted = [each.value for each in texts if isinstance(each, Const) and isinstance(each.value, str)]
        formula = it.asked_for.formula_of(asked, wanted) if wanted and len(wanted) == len(texts) else None
        if formula is not None:
            reason = asked.reason if isinstance(asked, Unknown) else "a test at run time"
            return TextTest(reason=reason, formula=formula, equal=operation in (ast.Eq, ast.In), draws=other.draws)
    return None


def _texts_in(container: Value) -> Sequence[Value]:
    """What a short list or table holds; nothing where that is not known, or it is one text."""
    items, complete = known_items(container) if isinstance(container, ListValue | DictValue) else ([], False)
    return items if complete and len(items) <= MOST_PAIRS else ()


def _identical(left: Value, right: Value) -> bool | None:
    for one, other in ((left, right), (right, left)):
        if isinstance(other, Const) and (other.value is None or isinstance(other.value, bool)):
            if isinstance(one, Const):
                return one.value is other.value
            if _is_object(one) or (isinstance(one, Symbol) and one.formula in _NUMBERS_OF_PROCESSES):
                return False
    if isinstance(left, Instance | ListValue | DictValue | ClassValue | FunctionValue) and type(left) is type(right):
        return same(left, right)
    return _same_class(left, right)


def _same_class(left: Value, right: Value) -> bool | None:
    """Whether two values are one class, as in `type(value) is dict`; a library's class may go by several names."""
    if not (isinstance(left, External | ClassValue) and isinstance(right, External | ClassValue)):
        return None
    if isinstance(left, ClassValue) and isinstance(right, ClassValue):
        return same(left, right)
    if isinstance(left, External) and isinstance(right, External):
        one, other = canonical(left.name), canonical(right.name)
        if one == other:
            return True
        apart = _is_plain_type(left) and _is_plain_type(right)
        return False if apart or _are_members_of_one(one, other) or _are_classes_of_one(one, other) else None
    return False if _is_plain_type(left) or _is_plain_type(right) else None


def _are_members_of_one(left: str, right: str) -> bool:
    """Whether two different names stand for members of one enumeration of a library, as `Stage.TRAIN`."""
    owner, _, member = left.rpartition(".")
    other_owner, _, other = right.rpartition(".")
    return owner == other_owner and owner.rpartition(".")[2].istitle() and member.isupper() and other.isupper()


def _are_classes_of_one(left: str, right: str) -> bool:
    """Whether two different names stand for two classes of one module of a library, as `lr_scheduler.StepLR`.

    One and the same class may be had from several modules, but hardly from one, but for an underscore.
    """
    owner, _, name = left.rpartition(".")
    other_owner, _, other = right.rpartition(".")
    are_classes = all(each[:1].isupper() and not each.isupper() for each in (name.lstrip("_"), other.lstrip("_")))
    return owner == other_owner and "." in owner and are_classes and name.lstrip("_") != other.lstrip("_")


def _is_plain_type(value: Value) -> bool:
    return isinstance(value, External) and value.name in PLAIN_TYPES


def _is_object(value: Value) -> bool:
    """Whether a value is certainly an object of its own, and neither None nor a boolean."""
    if isinstance(value, Instance):
        last = value.external_name.rpartition(".")[2]
        return not value.external_name or last[:1].isupper()
    return isinstance(value, ListValue | DictValue | FunctionValue | ClassValue | ModuleValue)


def _equal(left: Value, right: Value) -> bool | None:
    if isinstance(left, ListValue | DictValue) and isinstance(right, ListValue | DictValue):
        from cmgan_audit.program.domain.containers import plain

        a, b = plain(left), plain(right)
        if a is not None and b is not None:
            return bool(a[0] == b[0])
        return None
    if isinstance(left, Instance) and isinstance(right, Instance):
        return True if left == right else (False if left.cls == right.cls and _is_member(left) else None)
    for one, other in ((left, right), (right, left)):
        if isinstance(one, Const) and isinstance(other, ListValue | DictValue | FunctionValue | ClassValue):
            return False
        if isinstance(one, Const) and one.value is None and _is_object(other):
            return False
        if isinstance(one, Const) and isinstance(other, Instance) and other.external_name in _LIKE_NO_CONSTANT:
            return False
    if isinstance(left, ClassValue | FunctionValue | ModuleValue) and type(left) is type(right):
        return same(left, right)
    return _same_class(left, right)


def _is_member(value: Instance) -> bool:
    from cmgan_audit.program.language.classes import is_enum

    return isinstance(value.cls, ClassValue) and is_enum(value.cls)


def _contained(it: Interpreter, item: Value, container: Value) -> bool | None:
    from cmgan_audit.program.domain.containers import key_of, plain
    from cmgan_audit.program.domain.values import Absent

    if isinstance(container, Instance) and isinstance(container.attrs.get("@items"), DictValue):
        container = container.attrs["@items"]
    key = key_of(item) if isinstance(container, DictValue) else None
    if key is not None and isinstance(container, DictValue):
        held = dictionaries.lookup(container, key[0])
        if held is None:
            return False if container.complete else None
        return None if any(isinstance(o.value, Absent) for o in options_of(it.read(held))) else True
    if isinstance(container, DictValue) and isinstance(item, Instance) and item.external_name == "pathlib.Path":
        return False if container.complete else None  # the known keys are texts and numbers, and no path equals one
    if isinstance(item, Const) and isinstance(container, Const):
        if isinstance(item.value, str) and isinstance(container.value, str):
            return item.value in container.value
        return None
    if isinstance(container, ListValue):
        wanted = plain(item)
        verdicts = [
            _equal(item, i) if wanted is None or plain(i) is None else plain(i) == wanted for i in container.items
        ]
        if True in verdicts:
            return True
        return False if container.complete and None not in verdicts else None
    return None


# Needed by functions above, and itself in need of them: these modules are one interpreter. As modules and behind all
# definitions they are found whichever is loaded first; an import in each function would be carried out at every call,
# which takes longer than many a call.
from cmgan_audit.program.library import answers, dictionaries  # noqa: E402
