"""The value of every kind of expression."""

from __future__ import annotations

import ast
import builtins
from collections.abc import Callable, Sequence
from typing import Any

from cmgan_audit.program.domain import numbers
from cmgan_audit.program.domain.containers import key_of
from cmgan_audit.program.domain.listings import listings_of
from cmgan_audit.program.domain.numbers import drawn
from cmgan_audit.program.domain.values import (
    Choice,
    Const,
    DictValue,
    External,
    FunctionValue,
    Instance,
    ListValue,
    Symbol,
    Unknown,
    Value,
    options_of,
)
from cmgan_audit.program.execution.branches import Side, asked, choose, sides_of, truth
from cmgan_audit.program.execution.interpreter import MOST_NODES_DEEP, Interpreter
from cmgan_audit.program.execution.supposing import suppose
from cmgan_audit.program.execution.trace import ComparedEvent
from cmgan_audit.program.language.attributes import attribute
from cmgan_audit.program.language.booleans import evaluate_boolean, evaluate_test
from cmgan_audit.program.language.calls import evaluate_call
from cmgan_audit.program.language.comprehensions import evaluate_comprehension, evaluate_dict_comprehension
from cmgan_audit.program.language.operators import compare, negated, operate, over_options, paired
from cmgan_audit.program.language.subscripts import evaluate_slice, subscript
from cmgan_audit.program.language.tables import entry_of, key_in, steps_of
from cmgan_audit.program.naming.names import from_star


def evaluate(it: Interpreter, node: ast.expr) -> Value:
    """The value of an expression in the current scope."""
    it.steps += 1  # as `count` does, whose call would take as long as the rest: every expression passes here
    if it.steps > it.budget or it.journal.joined > it.most_joined:
        it.exceed()
    handler = _HANDLERS.get(type(node))
    if handler is None:
        return Unknown(reason=f"{type(node).__name__} is not followed")
    if it.depth > MOST_NODES_DEEP:
        it.limit(it.location(node), "expressions are nested too deeply to be followed")
        return Unknown(reason="expressions are nested too deeply")
    it.depth += 1
    try:
        return handler(it, node)
    finally:
        it.depth -= 1


def _constant(it: Interpreter, node: ast.Constant) -> Value:
    if node.value is ...:
        return Unknown(reason="...")
    return Const(value=node.value)


def _name(it: Interpreter, node: ast.Name) -> Value:
    return read_name(it, node.id)


def read_name(it: Interpreter, name: str) -> Value:
    """What a name holds, from the innermost scope to Python's own names."""
    scope = it.activation.environment.scope_of(name)
    if scope is not None:
        return it.read(scope.names[name])
    stars = it.activation.environment.module_scope.stars
    library = from_star(stars, name) if stars and not hasattr(builtins, name) else None
    if library is not None:
        return External(name=library)
    if hasattr(builtins, name):
        return External(name=f"builtins.{name}")
    return Unknown(reason=f"the name {name} is not defined")


def _attribute(it: Interpreter, node: ast.Attribute) -> Value:
    return attribute(it, evaluate(it, node.value), node.attr, it.location(node))


def _subscript(it: Interpreter, node: ast.Subscript) -> Value:
    owner = evaluate(it, node.value)
    return subscript(it, owner, evaluate_slice(it, node.slice), it.location(node))


def _binary(it: Interpreter, node: ast.BinOp) -> Value:
    # A long sum is a deep tree on its left side: walked in a loop, not by recursion.
    chain: list[ast.BinOp] = [node]
    while isinstance(chain[-1].left, ast.BinOp):
        chain.append(chain[-1].left)
    value = evaluate(it, chain[-1].left)
    for current in reversed(chain):
        it.count()
        right = evaluate(it, current.right)
        value = operate(it, type(current.op), value, right, it.location(current))
    if isinstance(value, Const | Symbol | Choice) and any(o.value.trail for o in options_of(value)):
        return value.via(it.location(node), it.text(node))
    return value


def _unary(it: Interpreter, node: ast.UnaryOp) -> Value:
    if isinstance(node.op, ast.Not):
        return negated(it, asked(it, node.operand, it.read(evaluate_test(it, node.operand))))
    value = it.read(evaluate(it, node.operand))
    return over_options(it, value, lambda v: _signed(it, node, v))


def _signed(it: Interpreter, node: ast.UnaryOp, value: Value) -> Value:
    result = numbers.unary(type(node.op), value)
    return result.made_from("sign", (value,), it.location(node)) if isinstance(result, Unknown) else result


def _compare(it: Interpreter, node: ast.Compare) -> Value:
    left = asked(it, node.left, evaluate(it, node.left))
    result: Value = Const(value=True)
    for operation, right_node in zip(node.ops, node.comparators, strict=True):
        right = evaluate(it, right_node)
        kind = type(operation)
        if kind in (ast.Eq, ast.NotEq):
            _note_compared(it, node, left, right)
        one = paired(it, left, right, lambda a, b, kind=kind: compare(it, kind, a, b))  # type: ignore[misc]
        if len(node.ops) == 1:
            return one
        verdict = truth(it, one)
        if verdict is False:
            return Const(value=False)
        if verdict is None:
            result = Unknown(reason="a comparison at run time", draws=drawn(one, result))
        left = right
    return result


def _note_compared(it: Interpreter, node: ast.Compare, left: Value, right: Value) -> None:
    """Tell that names in the order of two listed folders are compared; sets and sorted lists tell nothing of it."""
    sides = (it.read(left), it.read(right))
    if all(side.draws or isinstance(side, ListValue) for side in sides):
        first, second = (frozenset(each for each in listings_of(side) if not each.seeded) for side in sides)
        if first and second and first != second and not any(map(_has_no_order, sides)):
            it.emit(ComparedEvent(location=it.location(node), context=it.context, orders=(first, second)))


def _has_no_order(value: Value) -> bool:
    if isinstance(value, ListValue):
        return value.kind == "set"
    name = value.external_name.rpartition(".")[2] if isinstance(value, Instance) else ""
    return name in ("set", "frozenset", "Counter", "keys")


def _conditional(it: Interpreter, node: ast.IfExp) -> Value:
    test = asked(it, node.test, it.read(evaluate_test(it, node.test)))
    verdict = truth(it, test)
    if verdict is not None:
        suppose(it, node.test, verdict, (node.orelse if verdict else node.body,), _only)
        return evaluate(it, node.body if verdict else node.orelse)
    taken, other = sides_of(it, test, it.text(node.test))
    location = it.location(node.test)
    return choose(
        it,
        [
            Side(taken, location, lambda: evaluate(it, node.body)),
            Side(other, location, lambda: evaluate(it, node.orelse)),
        ],
        drawn(test),
    )


def _only(it: Interpreter, parts: Sequence[ast.expr]) -> Value:
    (part,) = parts
    return evaluate(it, part)


def _display(kind: str) -> Callable[[Interpreter, Any], Value]:
    def build(it: Interpreter, node: ast.List | ast.Tuple | ast.Set) -> Value:
        from cmgan_audit.program.execution.iteration import collected

        items: list[Value] = []
        complete = True
        size = len(node.elts)
        it.steps += steps_of(size)
        for part in node.elts:
            entry = entry_of(part, size)
            if entry is not None:
                items.append(entry)
            elif isinstance(part, ast.Starred):
                more, whole = collected(it, evaluate(it, part.value), it.location(part))
                items.extend(more)
                complete = complete and whole
            else:
                items.append(_written(it, evaluate(it, part), part, node))
        if kind == "set":
            complete = complete and len(set(map(_as_member, items))) == len(items)
        return ListValue(items=items, kind=kind, complete=complete)

    return build


def _as_member(item: Value) -> object:
    """What tells two members of a set apart. Whole objects are never written out: they hold each other."""
    match item:
        case Const():
            return repr(item.value)
        case External(name=text) | Symbol(formula=text) | Unknown(reason=text):
            return type(item), text, item.trail
    return id(item)


def _written(it: Interpreter, value: Value, part: ast.expr, whole: ast.expr) -> Value:
    """A literal item starts its way in the display that it is written in."""
    if isinstance(value, Const) and not value.trail:
        return value.via(it.location(part), f"{it.text(part, 40)} in {it.text(whole, 60)}")
    return value


def _dict(it: Interpreter, node: ast.Dict) -> Value:
    from cmgan_audit.program.domain.values import Arguments
    from cmgan_audit.program.library.dictionaries import fill_dictionary, is_state, of_same_tensors

    made = DictValue(items={})
    complete = True
    size = len(node.keys)
    it.steps += steps_of(size)
    for key_node, value_node in zip(node.keys, node.values, strict=True):
        if key_node is None:
            value = evaluate(it, value_node)
            if size == 1 and is_state(value):
                return of_same_tensors(it, value, it.location(node))
            fill_dictionary(it, made, Arguments(positional=(value,)))
            continue
        entry = entry_of(value_node, size)
        value = evaluate(it, value_node) if entry is None else entry
        key = key_of(it.read(key_in(key_node, size) or evaluate(it, key_node)))
        if key is None:
            complete = False
        else:
            made.items[key[0]] = entry or originated(it, value, value_node, f"{key[0]!r} is set to")
    return made if complete and made.complete else DictValue(items=made.items, complete=False)


def originated(it: Interpreter, value: Value, node: ast.expr, note: str) -> Value:
    """A constant that has no way yet starts it where it is written: `note` and its source text."""
    if isinstance(value, Const) and not value.trail:
        return value.via(it.location(node), f"{note} {it.text(node)}")
    return value


def _lambda(it: Interpreter, node: ast.Lambda) -> Value:
    from cmgan_audit.program.language.definitions import parameter_defaults

    scope = it.activation.environment
    return FunctionValue(
        node=node,
        module=it.module,
        qualname="<lambda>",
        closure=scope,
        defaults=parameter_defaults(it, node.args),
    )


def _joined_text(it: Interpreter, node: ast.JoinedStr) -> Value:
    value: Value = Const(value="")
    parts: list[Value] = []
    for part in node.values:
        parts.append(over_options(it, evaluate(it, part), lambda v: v))
        value = numbers.binary(ast.Add, value, parts[-1])
        if isinstance(value, Choice):
            return value
    return value.made_from("str", tuple(parts)) if isinstance(value, Unknown) else value


def _formatted(it: Interpreter, node: ast.FormattedValue) -> Value:
    value = it.read(evaluate(it, node.value))
    spec = evaluate(it, node.format_spec) if node.format_spec is not None else Const(value="")
    conversions: dict[int, Callable[[object], str]] = {115: str, 114: repr, 97: ascii}
    convert = conversions.get(node.conversion)
    if isinstance(value, Const) and isinstance(spec, Const) and isinstance(spec.value, str):
        text, constant = spec.value, value.value
        if any(len(digits) > 3 for digits in "".join(c if c.isdigit() else " " for c in text).split()):
            return Unknown(reason="a very wide format")
        return numbers.constant(lambda: format(convert(constant) if convert else constant, text), "the format", value)
    return Unknown(reason="a text made at run time", draws=drawn(value, spec)).made_from("str", (value, spec))


def _named(it: Interpreter, node: ast.NamedExpr) -> Value:
    from cmgan_audit.program.execution.imports import bind_name

    value = originated(it, evaluate(it, node.value), node.value, f"{node.target.id} =")
    bind_name(it, it.activation.environment, node.target.id, value)
    return value


def _starred(it: Interpreter, node: ast.Starred) -> Value:
    return evaluate(it, node.value)


def _await(it: Interpreter, node: ast.Await) -> Value:
    return evaluate(it, node.value)


def _yield(it: Interpreter, node: ast.Yield) -> Value:
    value: Value = Const(value=None)
    if node.value is not None:
        value = originated(it, evaluate(it, node.value), node.value, "yields")
    receive = it.activation.on_yield
    if receive is not None:
        receive(value)
    return Unknown(reason="what is sent to a generator")


def _yield_from(it: Interpreter, node: ast.YieldFrom) -> Value:
    from cmgan_audit.program.language.loops import execute_loop

    value = evaluate(it, node.value)
    receive = it.activation.on_yield
    if receive is not None:
        execute_loop(it, node, value, receive)
    return Unknown(reason="what a generator returns")


_HANDLERS: dict[type[ast.expr], Callable[[Interpreter, Any], Value]] = {
    ast.Constant: _constant,
    ast.Name: _name,
    ast.Attribute: _attribute,
    ast.Subscript: _subscript,
    ast.Call: evaluate_call,
    ast.BinOp: _binary,
    ast.UnaryOp: _unary,
    ast.BoolOp: evaluate_boolean,
    ast.Compare: _compare,
    ast.IfExp: _conditional,
    ast.List: _display("list"),
    ast.Tuple: _display("tuple"),
    ast.Set: _display("set"),
    ast.Dict: _dict,
    ast.Lambda: _lambda,
    ast.JoinedStr: _joined_text,
    ast.FormattedValue: _formatted,
    ast.NamedExpr: _named,
    ast.Starred: _starred,
    ast.Await: _await,
    ast.Yield: _yield,
    ast.YieldFrom: _yield_from,
    ast.ListComp: evaluate_comprehension,
    ast.SetComp: evaluate_comprehension,
    ast.GeneratorExp: evaluate_comprehension,
    ast.DictComp: evaluate_dict_comprehension,
    ast.Slice: evaluate_slice,
}
