"""A constant that the evaluator claims is the value that Python computes: generated programs, run both ways.

`coin()` stands for everything that only a run can know: Python gets its answers from hypothesis, the evaluator finds
a library function that it knows nothing about.
"""

from __future__ import annotations

import functools
import itertools
import random
import resource
import tempfile
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cmgan_audit.program.domain.values import Absent, Choice, Const, DictValue, ListValue, Value, options_of
from cmgan_audit.program.execution.sessions import interpreter_of
from cmgan_audit.program.launches.runs import execute
from cmgan_audit.source.tree import SourceTree

NAMES = ("a", "b", "c", "d")
MOST_COINS = 14  # nested displays double their text in every pass


class TooLongError(BaseException):  # not caught by the generated handlers
    pass


class Writer:
    """Writes one random program; the seed is all that hypothesis has to choose, which keeps a test of many fast."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)

    def one(self, *options: str) -> str:
        return self.random.choice(options)

    def name(self) -> str:
        return self.random.choice(NAMES)

    def literal(self) -> str:
        texts = ("True", "False", "None", "0.5", "'x'", "'train'", "''", "[]", "{}", "(1, 2)", "[3, 5]", "{'k': 4}")
        return self.one(*texts) if self.random.random() < 0.5 else str(self.random.randint(-9, 40))

    def atom(self) -> str:
        return self.literal() if self.random.random() < 0.5 else self.name()

    def expression(self, depth: int = 2) -> str:
        if depth == 0 or self.random.random() < 0.2:
            return self.atom()
        left, right = self.expression(depth - 1), self.expression(depth - 1)
        name = self.name()
        shapes = [
            f"({left} {self.one('+', '-', '*', '//', '%', '/', '|', '&')} {right})",
            f"({left} {self.one('==', '!=', '<', '>=', 'is', 'in', 'not in')} {right})",
            f"({left} {self.one('and', 'or')} {right})",
            f"(not {left})",
            f"({left} if {self.one('coin()', name, 'True')} else {right})",
            f"[{left}, {right}]",
            f"{{'k': {left}, 'm': {right}}}",
            f"get({name}, 'k', {left})",
            f"{self.one('int', 'str', 'bool', 'len', 'abs', 'max', 'sorted', 'list', 'dict', 'set', 'sum')}({left})",
            f"{name}[{self.one('0', '-1', '1:', repr('k'), left)}]",
            f"[x for x in {name} if {self.one('x', 'coin()', 'True')}]",
            f"{{x: {left} for x in {name}}}",
            f"f'{{{name}}}-{{{left}}}'" if "'" not in left and "{" not in left else left,
            f"any(x for x in {name})",
            f"isinstance({left}, {self.one('int', 'str', 'dict', 'list', 'bool')})",
            f"maker({left})({right})",
        ]
        return self.random.choice(shapes)

    def block(self, depth: int, inside: str) -> list[str]:
        return [line for _ in range(self.random.randint(1, 1 + depth)) for line in self.statement(depth, inside)]

    def simple(self, inside: str) -> str:
        name, value = self.name(), self.expression()
        shapes = [
            *[f"{name} = {value}"] * 4,
            f"{name} {self.one('+=', '-=', '*=')} {value}",
            f"{name}['k'] = {value}",
            f"{name}.append({value})",
            f"{name}.update(k={value})",
            f"{name}.pop()",
            f"{name}.insert(0, {value})",
            f"{name}, {self.name()} = {value}, {self.expression(1)}",
            f"box.{self.name()} = {value}",
            f"{name} = getattr(box, '{self.name()}', {value})",
            f"{name} = helper({value})",
            f"{name} = helper({value}, b={self.expression(1)})",
            f"del {name}['k']",
            f"{name} = Box({value}).a",
        ]
        if "loop" in inside:
            shapes += ["break", "continue", "if coin(): break"]
        if "function" in inside:
            shapes += [f"return {value}", f"if coin(): return {value}"]
        return self.random.choice(shapes)

    def statement(self, depth: int, inside: str) -> list[str]:
        kind = self.random.random()
        if depth == 0 or kind < 0.45:
            return [self.simple(inside)]
        test = self.one("coin()", self.expression(1))
        body = indented(self.block(depth - 1, inside))
        other = indented(self.block(depth - 1, inside))
        if kind < 0.65:
            return [f"if {test}:", *body, *(["else:", *other] if self.random.random() < 0.6 else [])]
        looping = indented(self.block(depth - 1, f"{inside} loop"))
        if kind < 0.8:
            over = self.one("[1, 2, 3]", "range(40)", "items()", "range(3)", "{'k': 1}", self.name())
            return [
                f"for {self.name()} in {over}:",
                "    tick()",
                *looping,
                *(["else:", *other] if self.random.random() < 0.3 else []),
            ]
        if kind < 0.9:
            return [f"while {test}:", "    tick()", *looping]
        return ["try:", *body, self.one("except TypeError:", "except Exception:"), *other]

    def program(self) -> str:
        lines = [*HEADER]
        lines += [
            "def helper(a, b=2):",
            "    c = a",
            "    d = b",
            *indented(self.block(2, "function")),
            "    return c",
            "",
        ]
        lines += [f"{name} = {self.literal()}" for name in NAMES]
        for _ in range(self.random.randint(1, 5)):
            block = self.block(2, "")
            if self.random.random() < 0.7:
                block = ["try:", *indented(block), "except Exception:", "    pass"]
            lines += block
        return "\n".join(lines) + "\n"


def indented(lines: Sequence[str]) -> list[str]:
    return [f"    {line}" for line in lines]


HEADER = """
from outside import coin, items, tick

class Box:
    a = 1

    def __init__(self, a=None):
        if a:
            self.a = a

box = Box()

def get(owner, key, default):
    if isinstance(owner, dict):
        return owner.get(key, default)
    return default

def maker(first):
    def inner(second):
        return first or second
    return inner
""".splitlines()


@contextmanager
def little_memory() -> Iterator[None]:
    """A gigabyte more than there is: lists that are multiplied by each other in loops would take all of a machine."""
    size = Path("/proc/self/statm")
    if not size.exists():  # not on Linux
        yield
        return
    pages = int(size.read_text(encoding="ascii").split()[0])
    before, most = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (pages * resource.getpagesize() + 2**30, most))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, (before, most))


def run_by_python(program: str, coins: list[bool]) -> dict[str, object] | None:
    """The variables after Python ran the generated program; None when it raises or does not end."""
    answers = itertools.chain(coins, itertools.repeat(False))
    count = itertools.count()

    def coin() -> bool:
        tick()
        return next(answers)

    def tick() -> None:
        if next(count) > MOST_COINS:
            raise TooLongError

    def items() -> list[int]:
        return [4, 5][: sum(next(answers) for _ in range(2))]

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # "str" object is not callable; "is" with a literal
        code = compile(program.replace("from outside import coin, items, tick", ""), "generated", "exec")
    scope: dict[str, object] = {"coin": coin, "items": items, "tick": tick}
    try:
        with little_memory():
            exec(code, scope)  # the program is made of the pieces above, nothing else
    except (Exception, TooLongError):  # noqa: BLE001 (generated programs raise whatever they like)
        return None
    return scope


def agrees(value: Value, real: object, depth: int = 0) -> bool:
    """Whether an abstract value allows a real one; below ten levels a container that holds itself is believed."""
    if depth > 10:
        return True
    below = functools.partial(agrees, depth=depth + 1)
    match value:
        case Choice():
            return any(below(option.value, real) for option in options_of(value))
        case Const():
            return type(value.value) is type(real) and (value.value == real or value.value != value.value)
        case ListValue(complete=True, kind="list" | "tuple") if isinstance(real, list | tuple):
            kind = {"list": list, "tuple": tuple}[value.kind]
            whole = len(value.items) == len(real) and all(map(below, value.items, real))
            return isinstance(real, kind) and whole
        case DictValue(complete=True):
            if not isinstance(real, dict):
                return False
            known = all(
                below(item, real[key]) if key in real else maybe_absent(item) for key, item in value.items.items()
            )
            return known and real.keys() <= value.items.keys()
        case ListValue(kind="list" | "tuple" | "set"):
            return isinstance(real, list | tuple | set)
        case DictValue():
            return isinstance(real, dict)
    return True


def shown(value: Value, depth: int = 0) -> str:
    match value:
        case Const():
            return repr(value.value)
        case Choice():
            return "{" + " | ".join(f"{shown(o.value, depth)} if {o.condition}" for o in value.options) + "}"
        case ListValue() if depth < 4:
            inner = ", ".join(shown(i, depth + 1) for i in value.items)
            return f"{value.kind}[{inner}{'' if value.complete else ', ...'}]"
        case DictValue() if depth < 4:
            inner = ", ".join(f"{key!r}: {shown(item, depth + 1)}" for key, item in value.items.items())
            return f"dict[{inner}{'' if value.complete else ', ...'}]"
    return type(value).__name__


def maybe_absent(value: Value) -> bool:
    return any(isinstance(option.value, Absent) for option in options_of(value))


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.integers(0, 2**32), st.lists(st.booleans(), max_size=12))
def test_claims_hold_in_every_real_run(seed: int, coins: list[bool]) -> None:
    check(Writer(seed).program(), coins)


@pytest.mark.slow
def test_claims_hold_in_many_real_runs() -> None:
    for seed in range(3000):
        coins = [bool(seed >> bit & 1) for bit in range(10)]
        check(Writer(seed).program(), coins)


def check(program: str, coins: list[bool]) -> None:
    real = run_by_python(program, coins)
    if real is None:
        return
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "train.py").write_text(
            program + "if __name__ == '__main__':\n    import torch as loader\n", encoding="utf-8"
        )
        (run,) = execute(SourceTree(Path(folder)))
    if any("not followed" in step.note for step in run.limits):
        return  # what Python did later is not claimed
    names = interpreter_of(run).environments["train.py"].names
    for name in NAMES:
        if name in names and name in real:
            claim = shown(names[name])
            assert agrees(names[name], real[name]), f"{name}: {claim} but Python has {real[name]!r}\n{program}"
