"""Whatever stands in a tree: nothing of it is run, the execution ends, and what was not followed is said."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from cmgan_audit.program.domain.values import Const, Instance, ListValue, Value, options_of
from cmgan_audit.program.execution.probe import call_method
from cmgan_audit.program.execution.sessions import interpreter_of
from cmgan_audit.program.execution.trace import CallEvent, Run, SliceEvent
from cmgan_audit.program.launches.runs import execute
from cmgan_audit.source.tree import SourceTree


def runs_of(root: Path, **files: str) -> list[Run]:
    for name, text in files.items():
        path = root / (name.replace("__", "/") + ".py")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return list(execute(SourceTree(root)))


def batch_sizes(runs: list[Run]) -> list[Value | None]:
    found = []
    for run in runs:
        for event in run.events:
            if isinstance(event, CallEvent) and event.callee == "torch.utils.data.DataLoader":
                found.append(event.arguments.get("batch_size", 1))
    return found


def test_nothing_of_the_tree_is_executed(tmp_path: Path) -> None:
    """Every module writes a file when it is imported, run, built or called; none may appear."""
    root, marks = tmp_path / "tree", tmp_path / "marks"
    marks.mkdir()
    trap = f"""
import os, pathlib, subprocess, sys
def leave(name):
    pathlib.Path({str(marks)!r}, name + "-" + __name__).write_text("executed")
    os.system("touch {marks}/system")
    subprocess.run(["touch", "{marks}/subprocess"])
leave("import")
class Meta(type):
    def __new__(cls, *args, **kwargs):
        leave("meta")
        return super().__new__(cls, *args, **kwargs)
class Data(metaclass=Meta):
    leave("body")
    def __init__(self):
        leave("init")
    def __getitem__(self, index):
        leave("item")
    def __repr__(self):
        leave("repr")
        return ""
    def __eq__(self, other):
        leave("eq")
    def __hash__(self):
        leave("hash")
        return 0
    def __del__(self):
        leave("del")
def decorate(function):
    leave("decorate")
    return function
@decorate
def build(data=leave("default")):
    from torch.utils.data import DataLoader
    leave("call")
    exec("leave('exec')")
    eval("leave('eval')")
    __import__("helper")
    print(f"{{Data()!r:>10}}", Data() == Data(), {{Data(): 1}})
    return DataLoader(Data(), batch_size=2)
"""
    files = {"train": trap + "build()\n", "helper": trap, "package____init__": trap, "setup": trap, "conftest": trap}
    files["train"] = "import helper, package\n" + files["train"]
    before = set(sys.modules)
    runs = runs_of(root, **files)
    assert any(isinstance(value, Const) and value.value == 2 for value in batch_sizes(runs))
    for run in runs:
        for event in run.events:
            if isinstance(event, CallEvent) and isinstance(event.result, Instance):
                call_method(run, event.result, "__getitem__")
    assert list(marks.iterdir()) == []
    assert not {name for name in set(sys.modules) - before if name in ("helper", "package", "train")}
    assert not list(root.rglob("__pycache__"))


CYCLES = {
    "imports of each other": {
        "train": "import left, right\nfrom torch.utils.data import DataLoader\nDataLoader([1], left.b)\n",
        "left": "from right import *\nimport right\nb = 3\n",
        "right": "from left import *\nimport left\nfrom right import nothing\n",
    },
    "a module that imports itself": {
        "train": "import train\nfrom train import *\nfrom torch.utils.data import DataLoader\nDataLoader([1], 3)\n"
    },
    "a dictionary inside itself": {
        "train": "from torch.utils.data import DataLoader\nd = {'b': 3}\nd['d'] = d\nd['l'] = [d, d]\nd['l'].append(d['l'])\n"
        "print(d, d == d, str(d), d in d['l'], sorted(d['l']), {**d, 'e': d}, f'{d}')\nDataLoader([1], d['d']['d']['b'])\n"
    },
    "an object inside itself": {
        "train": "from torch.utils.data import DataLoader\nclass A:\n    pass\na = A()\na.a = a\na.b = 3\n"
        "while a.unknown:\n    a = a.a\nDataLoader([1], a.a.a.b)\n"
    },
    "functions that call each other": {
        "train": "from torch.utils.data import DataLoader\ndef f(n):\n    return g(n + 1)\ndef g(n):\n    return f(n * 2)\n"
        "f(1)\nf(lambda: f(f))\nDataLoader([1], 3)\n"
    },
    "a fixed point combinator": {
        "train": "from torch.utils.data import DataLoader\nY = lambda f: (lambda x: f(lambda v: x(x)(v)))(lambda x: f(lambda v: x(x)(v)))\n"
        "Y(lambda again: lambda n: again(n - 1) if n else 0)(900)\nDataLoader([1], 3)\n"
    },
    "a class that derives from itself": {
        "train": "from torch.utils.data import DataLoader\nclass A: pass\nclass A(A): pass\nB = A\nclass A(B, A): pass\n"
        "A().x\nDataLoader([1], 3)\n"
    },
    "a property that reads itself": {
        "train": "from torch.utils.data import DataLoader\nclass A:\n    @property\n    def p(self):\n        return self.p\n"
        "    def __getattr__(self, name):\n        return getattr(self, name)\n    def __setattr__(self, name, value):\n"
        "        setattr(self, name, value)\na = A()\na.p\na.q\na.r = 1\nDataLoader([1], 3)\n"
    },
    "a generator that yields from itself": {
        "train": "from torch.utils.data import DataLoader\ndef g():\n    yield 1\n    yield from g()\nfor x in g():\n    print(x)\n"
        "list(g())\nDataLoader([1], 3)\n"
    },
    "an iterator that is its own": {
        "train": "from torch.utils.data import DataLoader\nclass I:\n    def __iter__(self):\n        return self\n"
        "    def __next__(self):\n        return next(self)\nfor x in I():\n    break\nDataLoader([1], 3)\n"
    },
    "a decorator that decorates itself": {
        "train": "from torch.utils.data import DataLoader\ndef d(f):\n    @d\n    def inner(*a, **k):\n        return f(*a, **k)\n"
        "    return inner\n@d\ndef f():\n    pass\nf()\nDataLoader([1], 3)\n"
    },
    "keywords that grow": {
        "train": "from torch.utils.data import DataLoader\ndef f(**k):\n    return f(**k, **{'x' + str(len(k)): k})\nf()\nDataLoader([1], 3)\n"
    },
}


@pytest.mark.parametrize("name", CYCLES)
def test_cycles_end(name: str, tmp_path: Path) -> None:
    runs = runs_of(tmp_path, **CYCLES[name])
    values = batch_sizes(runs)
    assert any(
        isinstance(o.value, Const) and o.value.value == 3 for value in values if value for o in options_of(value)
    )
    assert all(interpreter_of(run).steps < 1_000 for run in runs)


DEEP = {
    "a huge range": "for i in range(10 ** 30):\n    x = i",
    "a long sum": "x = " + " + ".join(["1"] * 3000),
    "nested brackets": "x = " + "(" * 80 + "1" + ")" * 80,
    "nested lists": "x = " + "[" * 90 + "1" + "]" * 90,
    "nested calls": "x = " + "int(" * 85 + "1" + ")" * 85,
    "nested branches": "\n".join(" " * n + f"if unknown({n}):" for n in range(80)) + "\n" + " " * 80 + "x = 1",
    "a long chain of methods": "x = f" + ".a()" * 800,
    "a long chain of elif": "if a == 0:\n    x = 0\n"
    + "".join(f"elif a == {n}:\n    x = {n}\n" for n in range(1, 600)),
    "nested loops": "\n".join(" " * n + f"for i{n} in unknown({n}):" for n in range(19)) + "\n" + " " * 19 + "x = i0\n",
    "nested comprehensions": "x = " + "[" * 15 + "a" + "".join(f" for a{n} in items({n})]" for n in range(15)),
    "many undecided branches": "x = 0\n" + "".join(f"if unknown({n}):\n    x = {n}\n" for n in range(400)),
    "a power tower": "x = 9 ** 9 ** 9 ** 9\ny = 2 ** 100000000\nz = 1 << 10 ** 12\nw = 'a' * 10 ** 12\nv = [0] * 10 ** 12",
    "wide formats": "x = f'{1:999999999}'\ny = '%999999999d' % 1\nz = '{:>999999999}'.format(1)\nw = 'a'.ljust(10 ** 12)",
    "doubling text": "x = 'ab'\nfor i in [1, 2, 3, 4, 5, 6, 7, 8, 9, 10] * 3:\n    x = x + x\n    x = x.replace('a', x)",
    "doubling lists": "x = [1]\nfor i in range(32):\n    x = x + x\n    x.extend(x)\n    y = [x, x]\n    x = [y, y]",
    "doubling dictionaries": "x = {}\nfor i in range(32):\n    x = {'a': x, 'b': x, **x}",
    "large ranges": "x = list(range(10 ** 12))\ny = sum(range(10 ** 12))\nz = max(range(10 ** 12))\nw = [i for i in range(10 ** 12)]",
    "large numbers": "x = int('9' * 100000)\ny = str(10 ** 100000)\nz = float('1e999') // 1",
    "endless loops": "while True:\n    pass\n",
    "endless recursion in defaults": "def f(a=[]):\n    a.append(f)\n    return [g(a) for g in a]\nf()",
}


@pytest.mark.parametrize("name", DEEP)
def test_deep_and_large_programs_end(name: str, tmp_path: Path, calls_of: Callable[..., int]) -> None:
    head = "from torch.utils.data import DataLoader\nDataLoader([1], 3)\n"
    runs: list[Run] = []
    calls = calls_of(lambda: runs.extend(runs_of(tmp_path, train=f"{head}{DEEP[name]}\n")))
    assert [value.value for value in batch_sizes(runs) if isinstance(value, Const)] == [3]
    assert all(interpreter_of(run).steps < 10_000 for run in runs)
    assert calls < 1_000_000  # nor is a step of them large


def test_a_program_that_takes_too_many_steps_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cmgan_audit.program.execution.interpreter.MOST_STEPS", 20_000)
    functions = "def f0(x):\n    return x\n" + "".join(
        f"def f{n}(x):\n    return (f{n - 1}(x) if unknown() else f{n - 1}(not x)) if x else f{n - 1}(x)\n"
        for n in range(1, 30)
    )
    head = "from outside import unknown\nfrom torch.utils.data import DataLoader\nDataLoader([1], 3)\n"
    (run,) = runs_of(tmp_path, train=f"{head}{functions}\nf29(unknown())\nf28([unknown()])\n")
    assert batch_sizes([run])
    assert "20000 steps" in run.limits[-1].note
    assert interpreter_of(run).steps == 20_001


def test_a_program_that_joins_too_much_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Few steps, and at the end of each a list of hundreds of values is joined."""
    monkeypatch.setattr("cmgan_audit.program.execution.interpreter.MOST_STEPS", 20_000)
    head = "from outside import unknown\nfrom torch.utils.data import DataLoader\nDataLoader([1], 3)\n"
    growing = f"items = {list(range(400))}\n" + "if unknown():\n    items.append(unknown())\n" * 100
    (run,) = runs_of(tmp_path, train=f"{head}{growing}")
    assert batch_sizes([run])
    assert "40000 values joined" in run.limits[-1].note
    assert interpreter_of(run).steps < 2_000


@pytest.mark.parametrize(
    "text",
    [
        "print 'Python 2'",
        "def f(:\n",
        "\x00",
        "x = " + "(" * 5000,
        "class\n",
        "é = 1\nprint(é)\nfrom torch.utils.data import DataLoader\nDataLoader([1], 1)",
        "return 1",
        "yield 1",
        "break",
        "def f():\n    nonlocal x\n",
        "await x",
        "from . import x\nfrom .. import y\nfrom ...... import z",
        "import .x",
        "super().x",
        "del undefined, a.b, c[0]",
        "raise",
        "assert False",
        "from torch.utils.data import DataLoader\nx = DataLoader\nx.y.z = 1\nx[0][1] = 2\ndel x.y, x[0]\n*a, = x\nx += 1",
        "import sys\nsys.exit()\n",
        "async def f():\n    async for x in y:\n        async with z as w:\n            await w\nimport asyncio\nasyncio.run(f())",
        "match x:\n    case [1, *rest, {'a': b, **c}] | Point(x=0) as p if p:\n        pass\n",
        "try:\n    pass\nexcept* ValueError:\n    pass\n",
        "lambda: (yield)",
        "[(yield x) for x in y]",
        "global x\nx: int\n(x): int = 3\na.b: int = 4",
        "class A(*bases, metaclass=M, **kw): x: int; y = x",
        "@(lambda f: f)\n@a.b[c](d)\ndef f(a, /, b, *, c, **d) -> x: ...",
        "for x, (y, *z), a.b, c[0] in w: pass\nelse: pass",
        "with a as b, c as (d, e), f as g.h: pass",
        "x = yield_ = {**a, 'b': 1, None: 2, (1, 2): 3, 1.5: 4}\nx[(1, 2)], x[1.5], x[[1]]",
        "f(*a, b, *c, d=1, **e, **f)",
        "x = a if b else c or d and not e in f is not g",
        "x = b'bytes' 'text'",
        "print(f'{x!r:>{width}} {y=} {{}}')",
    ],
)
def test_any_text_is_survived(text: str, tmp_path: Path) -> None:
    runs_of(
        tmp_path,
        train=f"{text}\nif __name__ == '__main__':\n    loader = 1\n",
        other="import train\nloader = train.x\nprint(1)",
    )


def test_a_notebook_is_an_entry(tmp_path: Path) -> None:
    cell = '{"cell_type": "code", "source": ["from torch.utils.data import DataLoader\\n", "DataLoader([1], 3)"]}'
    (tmp_path / "train.ipynb").write_text(f'{{"cells": [{cell}], "nbformat": 4, "metadata": {{}}}}', encoding="utf-8")
    (value,) = batch_sizes(list(execute(SourceTree(tmp_path))))
    assert isinstance(value, Const)
    assert value.value == 3


CROP = """
import random
import torch
from torch.utils.data import DataLoader, Dataset

class Crops(Dataset):
    def __init__(self, length, train):
        self.length, self.train = length, train

    def __getitem__(self, index):
        sound = torch.load(index)
        if self.train:
            start = random.randint(0, len(sound) - self.length)
            self.seen = True
        else:
            start = 0
        return sound[start : start + self.length]

loaders = [DataLoader(Crops(100, train=flag), batch_size=4) for flag in (True, False)]
print(loaders)
"""


def test_a_probe_looks_at_the_object_and_leaves_no_trace(tmp_path: Path) -> None:
    (run,) = runs_of(tmp_path, train=CROP)
    datasets = [
        event.arguments.get("dataset", 0) for event in run.events if "DataLoader" in getattr(event, "callee", "")
    ]
    count = len(run.events)
    slices = []
    for dataset in datasets:
        assert isinstance(dataset, Instance)
        events, _ = call_method(run, dataset, "__getitem__")
        slices.append([event for event in events if isinstance(event, SliceEvent)])
        assert "seen" not in dataset.attrs
    assert [len(found) for found in slices] == [1, 0]
    assert [draw.callee for draw in slices[0][0].index.draws] == ["random.randint"]
    assert slices[0][0].location.line == 17
    assert len(run.events) == count


def test_every_operator_between_unknown_values_is_followed(tmp_path: Path) -> None:
    binary = ("+", "-", "*", "/", "//", "%", "**", "<<", ">>", "|", "^", "&", "@")
    compared = ("==", "!=", "<", "<=", ">", ">=", "is", "is not", "in", "not in", "and", "or")
    lines = [f"x = a {sign} b" for sign in (*binary, *compared)]
    lines += [f"a {sign}= b" for sign in binary]
    lines += [f"x = {sign} a" for sign in ("-", "+", "~", "not")]
    program = "import sys, torch\na, b = torch.load(sys.argv[1]), torch.load(sys.argv[2])\n" + "\n".join(lines)
    program += "\ntorch.utils.data.DataLoader(x)\n"
    (tmp_path / "train.py").write_text(program, encoding="utf-8")
    (run, *_) = execute(SourceTree(tmp_path))
    assert any(event.location.line == program.count("\n") for event in run.events)


def test_objects_that_hold_each_other_are_told_apart_in_a_set(tmp_path: Path) -> None:
    """Each holds the one before twice: written out in full, the last would fill the memory."""
    chain = "".join(f"x{n + 1} = Pair(x{n}, x{n})\n" for n in range(40))
    text = f"import torch\nclass Pair:\n    def __init__(self, a, b):\n        self.a, self.b = a, b\nx0 = 1\n{chain}"
    (run,) = runs_of(tmp_path, train=f"{text}print({{x39, x40}})  # a loader\n")
    (shown,) = [e.arguments.positional[0] for e in run.events if isinstance(e, CallEvent) and e.location.line == 46]
    assert isinstance(shown, ListValue)
    assert shown.complete
