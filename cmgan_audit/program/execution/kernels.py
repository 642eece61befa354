"""Numeric kernels: functions that only compute on arrays, so that nothing a rule asks about can happen in them.

Scores such as the weighted spectral slope or a DNSMOS wrapper are loops over frames with hundreds of operations.
Executing them symbolically takes most of the time of a small repository and gives what is known beforehand: some
number. A call of a kernel is an event like any other; only its body is left out. What may stand in one is listed here,
so that who writes a collector sees what it would miss: no loader, tensor, network, random draw, file or exception, but
for a check that two arrays are of one length.
"""

from __future__ import annotations

import ast
import builtins
from collections.abc import Iterator

from cmgan_audit.program.domain.values import (
    Arguments,
    BoundMethod,
    Choice,
    Const,
    External,
    FunctionValue,
    Instance,
    ListValue,
    ModuleValue,
    Symbol,
    Unknown,
    Value,
)
from cmgan_audit.program.execution.interpreter import Interpreter
from cmgan_audit.program.execution.state import Environment
from cmgan_audit.program.library.draws import draws_random
from cmgan_audit.source.syntax import called_name, names_in, single_parameters, walk

# Libraries that compute on NumPy arrays; what reads or writes files in them is not meant.
_LIBRARIES = frozenset({"numpy", "scipy", "math", "librosa", "onnxruntime", "numba"})
_ARRAY_LIBRARIES = _LIBRARIES - {"math"}
_FILES = frozenset("load save loadtxt savetxt genfromtxt fromfile memmap io open lib".split())
_BUILTINS = frozenset(
    "abs bool dict enumerate float int isinstance len list max min pow print range reversed round sorted str sum tuple "
    "zip True False None".split()
)
_NAMES_OF_FILES = frozenset(
    ("os", "os.path", *(f"os.path.{name}" for name in ("join", "dirname", "basename", "abspath")))
)
# What is read from arrays, from lists and dictionaries, and from a session that evaluates a fixed network.
_ATTRIBUTES = frozenset(
    "T all any append argmax argmin argsort astype clip co_filename __code__ conj copy cumsum diagonal dot dtype "
    "extend flatten get_inputs imag insert item items keys max mean min name ndim pop ravel real repeat reshape round "
    "run shape size sort squeeze std sum tobytes tolist transpose update values var".split()
)
# What `np.finfo` and `np.iinfo` tell of a type of numbers.
_OF_TYPES = frozenset("eps tiny smallest_normal resolution max min".split())
# Results of other libraries that are arrays too.
_ARRAYS = frozenset("numpy read tolist item resample astype".split())
_NEVER = frozenset((
    ast.Try, ast.TryStar, ast.Raise, ast.With, ast.AsyncWith, ast.AsyncFor, ast.Global, ast.Nonlocal, ast.Yield,
    ast.YieldFrom, ast.Await, ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda, ast.Import,
    ast.ImportFrom, ast.Delete, ast.NamedExpr, ast.Match,
))  # fmt: skip
_MOST_DEEP = 8


def left_out(it: Interpreter, function: FunctionValue, arguments: Arguments) -> bool:
    """Whether a call is one of a numeric kernel on plain arrays; it and what it calls then count as executed."""
    called = _kernel(it, function, 0)
    if called is None or not _is_worth_it(it, function, called):
        return False
    given = arguments.every
    if arguments.open_kwargs or not all(_is_plain(value) for value in given):
        return False
    for each in called:
        it.executed.setdefault(each.node, each)
    return True


def _kernel(it: Interpreter, function: FunctionValue, depth: int) -> tuple[FunctionValue, ...] | None:
    """A kernel with all kernels that it calls; None when it is none."""
    if function.node not in it.kernels:
        it.kernels[function.node] = None  # a function that calls itself is none
        it.kernels[function.node] = _examined(it, function, depth)
    return it.kernels[function.node]


def _examined(it: Interpreter, function: FunctionValue, depth: int) -> tuple[FunctionValue, ...] | None:
    node, scope = function.node, function.closure
    if (
        not isinstance(node, ast.FunctionDef)
        or not isinstance(scope, Environment)
        or scope.kind != "module"
        or node.decorator_list
        or function.bound_to is not None
        or depth > _MOST_DEEP
    ):
        return None
    nodes = [inner for statement in _without_length_checks(node.body) for inner in walk(statement)]
    if any(type(inner) in _NEVER for inner in nodes):
        return None
    spec = node.args
    if spec.vararg or spec.kwarg:
        return None
    local = {inner.id for inner in nodes if isinstance(inner, ast.Name) and isinstance(inner.ctx, ast.Store)}
    own = local | {each.arg for each in single_parameters(spec)}
    found: list[FunctionValue] = [function]
    for inner in nodes:
        if isinstance(inner, ast.Call) and isinstance(inner.func, ast.Name) and inner.func.id in own:
            return None  # what it was given is called: a network, perhaps
        if isinstance(inner, ast.Name) and inner.id not in own:
            more = _named(it, scope, inner.id, function, depth)
            if more is None:
                return None
            found += more
        elif isinstance(inner, ast.Attribute) and not _is_harmless(scope, inner, local):
            return None
    return tuple({each.node: each for each in found}.values())


def _without_length_checks(body: list[ast.stmt]) -> Iterator[ast.stmt]:
    """The statements of a function but for `if len(x) != len(y): raise ValueError(...)` and `if x.ndim != 1: raise`.

    Of arrays, nobody knows whether it is so, and what is raised then is what a failed score raises anyway.
    """
    lengths: set[str] = set()
    for statement in body:
        if isinstance(statement, ast.Assign) and _is_length(statement.value, lengths):
            lengths |= {target.id for target in statement.targets if isinstance(target, ast.Name)}
        if not (
            isinstance(statement, ast.If)
            and not statement.orelse
            and all(isinstance(inner, ast.Raise) for inner in statement.body)
            and _compares_lengths(statement.test, lengths)
        ):
            yield statement


def _compares_lengths(test: ast.expr, lengths: set[str]) -> bool:
    """Whether a test compares lengths with each other or with a number: `n == 0`, `x.ndim != 1 or y.ndim != 1`."""
    if isinstance(test, ast.BoolOp):
        return all(_compares_lengths(each, lengths) for each in test.values)
    if not isinstance(test, ast.Compare):
        return False
    sides = [side for side in (test.left, *test.comparators) if not isinstance(side, ast.Constant)]
    return bool(sides) and all(_is_length(side, lengths) for side in sides)


def _is_length(node: ast.expr, lengths: set[str]) -> bool:
    """Whether an expression is how long an array is: `len(x)`, `x.shape[0]`, `np.size(x)`, the least of some, or a name
    for one."""
    if isinstance(node, ast.Subscript):
        return _is_length(node.value, lengths)
    if isinstance(node, ast.Call):
        if isinstance(node.func, ast.Name) and node.func.id in ("min", "max"):
            return len(node.args) > 1 and all(_is_length(each, lengths) for each in node.args)
        return len(node.args) == 1 and called_name(node) in ("len", "size", "shape", "ndim")
    if isinstance(node, ast.Name):
        return node.id in lengths
    return isinstance(node, ast.Attribute) and node.attr in ("shape", "size", "ndim")


def _is_worth_it(it: Interpreter, function: FunctionValue, called: tuple[FunctionValue, ...]) -> bool:
    """Whether a kernel is left out: what it loops over are arrays.

    Other kernels are small, and what they make of Python's own numbers can be followed to a result, perhaps a setting.
    """
    known = it.left_out.get(function.node)
    if known is None:
        known = it.left_out[function.node] = any(map(_loops, called)) and any(map(_uses_arrays, called))
    return known


def _named(
    it: Interpreter, scope: Environment, name: str, function: FunctionValue, depth: int
) -> tuple[FunctionValue, ...] | None:
    """What a name that is not the function's own brings in; None when that is more than arithmetic."""
    value = scope.names.get(name)
    if value is None:
        known = not scope.stars and name in _BUILTINS and hasattr(builtins, name)
        return () if known else None
    if isinstance(value, FunctionValue):
        return () if value.node is function.node else _kernel(it, value, depth + 1)
    if isinstance(value, External):
        return () if _is_numeric(value.name) or value.name in _NAMES_OF_FILES else None
    return () if _is_constant(value) else None


def _is_harmless(scope: Environment, node: ast.Attribute, local: set[str]) -> bool:
    """Whether an attribute is one of an array, or a function of a library that only computes."""
    if isinstance(node.ctx, ast.Store):
        return isinstance(node.value, ast.Name) and node.value.id in local
    names: list[str] = []
    owner: ast.expr = node
    while isinstance(owner, ast.Attribute):
        names.insert(0, owner.attr)
        owner = owner.value
    value = scope.names.get(owner.id) if isinstance(owner, ast.Name) and owner.id not in local else None
    if isinstance(value, External):
        name = ".".join((value.name, *names))
        return _is_numeric(name) or name in _NAMES_OF_FILES
    return not isinstance(value, ModuleValue) and node.attr in _ATTRIBUTES


def _is_numeric(name: str) -> bool:
    parts = name.split(".")
    return parts[0] in _LIBRARIES and not draws_random(name) and "random" not in parts and not _FILES & set(parts)


def _is_constant(value: Value, depth: int = 0) -> bool:
    """Whether a value of a module is a number or an array, `np.finfo(np.float32).eps * 2` among them."""
    if isinstance(value, ListValue):
        return all(isinstance(item, Const) for item in value.items)
    if isinstance(value, Instance):
        return _is_numeric(value.external_name)
    if isinstance(value, BoundMethod):
        return isinstance(value.receiver, Instance) and value.name in _OF_TYPES and _is_constant(value.receiver)
    if isinstance(value, Unknown):
        made_of = value.computed.operands if value.computed is not None else ()
        known = bool(made_of) and not value.draws and depth < _MOST_DEEP
        return known and all(_is_constant(operand, depth + 1) for operand in made_of)
    return isinstance(value, Const)


def _is_plain(value: Value) -> bool:
    """Whether an argument can be an array or a number: nothing of the tree's own that a call could change."""
    if isinstance(value, Choice):
        return all(_is_plain(option.value) for option in value.options)
    if isinstance(value, Instance):
        name = value.external_name
        return _is_numeric(name) or name.rpartition(".")[2] in _ARRAYS
    return isinstance(value, Const | Symbol | Unknown)


def _loops(function: FunctionValue) -> bool:
    return any(isinstance(inner, ast.For | ast.While) for inner in walk(function.node))


def _uses_arrays(function: FunctionValue) -> bool:
    scope = function.closure
    names = names_in(function.node)
    values = [scope.names.get(name) for name in names] if isinstance(scope, Environment) else []
    return any(isinstance(value, External) and value.name.partition(".")[0] in _ARRAY_LIBRARIES for value in values)
