"""The value of every kind of expression."""

from __future__ import annotations

import ast
import builtins
from collections.abc import Callable
from typing import Any

from cmgan_audit.finding import Location
from cmgan_audit.program import numbers
from cmgan_audit.program.attributes import attribute
from cmgan_audit.program.branches import Side, choose, sides_of, truth
from cmgan_audit.program.calls import evaluate_call
from cmgan_audit.program.comprehensions import evaluate_comprehension, evaluate_dict_comprehension
from cmgan_audit.program.functions import own_nodes
from cmgan_audit.program.interpreter import MOST_NODES_DEEP, Interpreter, joined
from cmgan_audit.program.joins import Branch, join, opposite, same
from cmgan_audit.program.names import from_star
from cmgan_audit.program.numbers import drawn
from cmgan_audit.program.subscripts import evaluate_slice, subscript
from cmgan_audit.program.values import (
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
    Unknown,
    Value,
    options_of,
)

MOST_PAIRS = 16


def evaluate(it: Interpreter, node: ast.expr) -> Value:
    """The value of an expression in the current scope."""
    it.count()
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


def operate(it: Interpreter, operation: type[ast.operator], left: Value, right: Value, location: Location) -> Value:
    """`left operation right`, for every pair of possibilities."""

    def one(a: Value, b: Value) -> Value:
        special = _special_method(it, operation, a, b, location)
        return special if special is not None else numbers.binary(operation, a, b)

    return paired(it, left, right, one)


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
    from cmgan_audit.program.library import special_method

    name = _SPECIAL.get(operation)
    if name is None:
        return None
    if isinstance(left, DictValue) and isinstance(right, DictValue) and operation is ast.BitOr:
        merged = DictValue(items={**left.items, **right.items}, complete=left.complete and right.complete)
        return merged.tainted(left.draws | right.draws)
    if isinstance(left, Instance):
        result = special_method(it, left, f"__{name}__", [right], location)
        if result is not None:
            return result
    if isinstance(right, Instance):
        return special_method(it, right, f"__r{name}__", [left], location)
    return None


def paired(it: Interpreter, left: Value, right: Value, compute: Callable[[Value, Value], Value]) -> Value:
    """A function of two values over all pairs of their options that can hold together."""
    left, right = it.read(left), it.read(right)
    if not isinstance(left, Choice) and not isinstance(right, Choice):
        return compute(left, right)
    options: list[Option] = []
    for a in options_of(left):
        for b in options_of(right):
            if _contradict(a, b):
                continue
            text = " and ".join(dict.fromkeys(part for part in (a.condition, b.condition) if part))
            options.append(Option(compute(a.value, b.value), text, a.facts | b.facts))
    if len(options) > MOST_PAIRS:
        return Unknown(reason=f"more than {MOST_PAIRS} possible values", draws=drawn(left, right))
    return joined(options).tainted(left.draws | right.draws)


def _contradict(left: Option, right: Option) -> bool:
    if left.condition and right.condition and opposite(left.condition) == right.condition:
        return True
    if left.condition and right.condition and opposite(right.condition) == left.condition:
        return True
    return any((formula, not outcome) in right.facts for formula, outcome in left.facts)


def _unary(it: Interpreter, node: ast.UnaryOp) -> Value:
    value = it.read(evaluate(it, node.operand))
    if isinstance(node.op, ast.Not):
        return negated(it, value)
    return over_options(it, value, lambda v: numbers.unary(type(node.op), v))


def over_options(it: Interpreter, value: Value, compute: Callable[[Value], Value]) -> Value:
    """A function of one value over its options."""
    value = it.read(value)
    if not isinstance(value, Choice):
        return compute(value)
    return join([(compute(o.value), Branch(o.condition, o.facts)) for o in value.options]).tainted(value.draws)


def negated(it: Interpreter, value: Value) -> Value:
    """`not value`."""

    def one(v: Value) -> Value:
        verdict = truth(it, v)
        if verdict is not None:
            return Const(value=not verdict, draws=v.draws)
        if isinstance(v, Symbol):
            at_one = None if v.at_one is None else not v.at_one
            return Symbol(formula=opposite(v.formula), at_one=at_one, trail=v.trail)
        return Unknown(reason="a test at run time", draws=drawn(v))

    return over_options(it, value, one)


def _boolean(it: Interpreter, node: ast.BoolOp) -> Value:
    stops_at = isinstance(node.op, ast.Or)
    return _rest_of_boolean(it, node.values, stops_at)


def _rest_of_boolean(it: Interpreter, nodes: list[ast.expr], stops_at: bool) -> Value:
    value = it.read(evaluate(it, nodes[0]))
    if len(nodes) == 1:
        return value
    verdict = truth(it, value)
    if verdict is not None:
        return value if verdict is stops_at else _rest_of_boolean(it, nodes[1:], stops_at)
    taken, other = sides_of(value, it.text(nodes[0]))
    stop, go_on = (taken, other) if stops_at else (other, taken)
    location = it.location(nodes[0])
    kept = _as_tested(it, value, stops_at)
    return choose(
        it,
        [
            Side(stop, location, lambda: kept),
            Side(go_on, location, lambda: _rest_of_boolean(it, nodes[1:], stops_at)),
        ],
        drawn(value),
    )


def _as_tested(it: Interpreter, value: Value, outcome: bool) -> Value:
    """What an undecided operand of `and` / `or` can be when its test came out like this."""
    if isinstance(value, Choice):
        kept = [o for o in value.options if truth(it, o.value) is not (not outcome)]
        if kept:
            return joined(kept)
    if isinstance(value, Symbol) and isinstance(value.at_one, bool):
        return Const(value=outcome, trail=value.trail)
    return value


def _compare(it: Interpreter, node: ast.Compare) -> Value:
    left = evaluate(it, node.left)
    result: Value = Const(value=True)
    for operation, right_node in zip(node.ops, node.comparators, strict=True):
        right = evaluate(it, right_node)
        kind = type(operation)
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


def compare(it: Interpreter, operation: type[ast.cmpop], left: Value, right: Value) -> Value:
    """One comparison of values that are no choices."""
    if operation in (ast.Is, ast.IsNot, ast.Eq, ast.NotEq):
        verdict = _identical(left, right) if operation in (ast.Is, ast.IsNot) else _equal(left, right)
        if verdict is not None:
            positive = operation in (ast.Is, ast.Eq)
            return Const(value=verdict is positive, draws=drawn(left, right))
        if operation in (ast.Is, ast.IsNot):
            return Unknown(reason="an identity at run time", draws=drawn(left, right))
    if operation in (ast.In, ast.NotIn):
        contained = _contained(it, left, right)
        if contained is None:
            return Unknown(reason="a membership at run time", draws=drawn(left, right))
        return Const(value=contained is (operation is ast.In), draws=drawn(left, right))
    return numbers.compare(operation, left, right)


def _identical(left: Value, right: Value) -> bool | None:
    for one, other in ((left, right), (right, left)):
        if isinstance(other, Const) and (other.value is None or isinstance(other.value, bool)):
            if isinstance(one, Const):
                return one.value is other.value
            if _is_object(one):
                return False
    if isinstance(left, Instance | ListValue | DictValue | ClassValue | FunctionValue) and type(left) is type(right):
        return same(left, right)
    return None


def _is_object(value: Value) -> bool:
    """Whether a value is certainly an object of its own, and neither None nor a boolean."""
    if isinstance(value, Instance):
        last = value.external_name.rpartition(".")[2]
        return not value.external_name or last[:1].isupper()
    return isinstance(value, ListValue | DictValue | FunctionValue | ClassValue | ModuleValue)


def _equal(left: Value, right: Value) -> bool | None:
    if isinstance(left, ListValue | DictValue) and isinstance(right, ListValue | DictValue):
        from cmgan_audit.program.containers import plain

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
    if isinstance(left, ClassValue | FunctionValue | ModuleValue) and type(left) is type(right):
        return same(left, right)
    return None


def _is_member(value: Instance) -> bool:
    from cmgan_audit.program.classes import is_enum

    return isinstance(value.cls, ClassValue) and is_enum(value.cls)


def _contained(it: Interpreter, item: Value, container: Value) -> bool | None:
    from cmgan_audit.program.containers import plain
    from cmgan_audit.program.values import Absent

    if isinstance(container, Instance) and isinstance(container.attrs.get("@items"), DictValue):
        container = container.attrs["@items"]
    if isinstance(item, Const) and isinstance(container, DictValue):
        held = container.items.get(item.value)
        if held is None:
            return False if container.complete else None
        return None if any(isinstance(o.value, Absent) for o in options_of(it.read(held))) else True
    if isinstance(item, Const) and isinstance(container, Const):
        if isinstance(item.value, str) and isinstance(container.value, str):
            return item.value in container.value
        return None
    if isinstance(container, ListValue):
        wanted = plain(item)
        verdicts = [None if wanted is None or plain(i) is None else plain(i) == wanted for i in container.items]
        if True in verdicts:
            return True
        return False if container.complete and None not in verdicts else None
    return None


def _conditional(it: Interpreter, node: ast.IfExp) -> Value:
    test = it.read(evaluate(it, node.test))
    verdict = truth(it, test)
    if verdict is not None:
        return evaluate(it, node.body if verdict else node.orelse)
    taken, other = sides_of(test, it.text(node.test))
    location = it.location(node.test)
    return choose(
        it,
        [
            Side(taken, location, lambda: evaluate(it, node.body)),
            Side(other, location, lambda: evaluate(it, node.orelse)),
        ],
        drawn(test),
    )


def _display(kind: str) -> Callable[[Interpreter, Any], Value]:
    def build(it: Interpreter, node: ast.List | ast.Tuple | ast.Set) -> Value:
        from cmgan_audit.program.iteration import collected

        items: list[Value] = []
        complete = True
        for part in node.elts:
            if isinstance(part, ast.Starred):
                more, whole = collected(it, evaluate(it, part.value), it.location(part))
                items.extend(more)
                complete = complete and whole
            else:
                items.append(_written(it, evaluate(it, part), part, node))
        if kind == "set":
            seen = [item.value if isinstance(item, Const) else item for item in items]
            complete = complete and len(set(map(repr, seen))) == len(seen)
        return ListValue(items=items, kind=kind, complete=complete)

    return build


def _written(it: Interpreter, value: Value, part: ast.expr, whole: ast.expr) -> Value:
    """A literal item starts its way in the display that it is written in."""
    if isinstance(value, Const) and not value.trail:
        return value.via(it.location(part), f"{it.text(part, 40)} in {it.text(whole, 60)}")
    return value


def _dict(it: Interpreter, node: ast.Dict) -> Value:
    from cmgan_audit.program.containers import fill_dictionary
    from cmgan_audit.program.values import Arguments

    made = DictValue(items={})
    complete = True
    for key_node, value_node in zip(node.keys, node.values, strict=True):
        value = evaluate(it, value_node)
        if key_node is None:
            fill_dictionary(it, made, Arguments(positional=(value,)), it.location(value_node))
            continue
        key = it.read(evaluate(it, key_node))
        if isinstance(key, Const):
            made.items[key.value] = originated(it, value, value_node, f"{key.value!r} is set to")
        else:
            complete = False
    return made if complete and made.complete else DictValue(items=made.items, complete=False)


def originated(it: Interpreter, value: Value, node: ast.expr, note: str) -> Value:
    """A constant that has no way yet starts it where it is written: `note` and its source text."""
    if isinstance(value, Const) and not value.trail:
        return value.via(it.location(node), f"{note} {it.text(node)}")
    return value


def _lambda(it: Interpreter, node: ast.Lambda) -> Value:
    from cmgan_audit.program.definitions import parameter_defaults

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
    for part in node.values:
        value = numbers.binary(ast.Add, value, over_options(it, evaluate(it, part), lambda v: v))
        if isinstance(value, Choice):
            return value
    return value


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
    return Unknown(reason="a text made at run time", draws=drawn(value, spec))


def _named(it: Interpreter, node: ast.NamedExpr) -> Value:
    from cmgan_audit.program.imports import bind_name

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
    from cmgan_audit.program.loops import execute_loop

    value = evaluate(it, node.value)
    receive = it.activation.on_yield
    if receive is not None:
        execute_loop(it, node, value, receive)
    return Unknown(reason="what a generator returns")


def has_yield(node: ast.AST) -> bool:
    """Whether a function body yields."""
    return any(isinstance(inner, ast.Yield | ast.YieldFrom) for inner in own_nodes(node))


_HANDLERS: dict[type[ast.expr], Callable[[Interpreter, Any], Value]] = {
    ast.Constant: _constant,
    ast.Name: _name,
    ast.Attribute: _attribute,
    ast.Subscript: _subscript,
    ast.Call: evaluate_call,
    ast.BinOp: _binary,
    ast.UnaryOp: _unary,
    ast.BoolOp: _boolean,
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
