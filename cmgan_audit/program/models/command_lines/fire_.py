"""Fire: a command line made of whatever it is given, a function, a class, a dictionary of them, or the file itself."""

from __future__ import annotations

import ast
import posixpath

from cmgan_audit.program.domain.values import (
    NONE,
    Arguments,
    ClassValue,
    Const,
    DictValue,
    FunctionValue,
    Instance,
    Key,
    Value,
)
from cmgan_audit.program.models.command_lines.argparse_parsing import command_words
from cmgan_audit.program.models.command_lines.function_command_lines import Flag, completed, flags_of, literal
from cmgan_audit.program.models.registry import ModelCall, model
from cmgan_audit.source.syntax import names_in, positional_parameters, single_parameters


@model("fire.Fire", "fire.core.Fire")
def _fire(call: ModelCall) -> Value | None:
    component = call.get("component", 0)
    words, steps = command_words(call, call.get("command", 1))
    flags, rest = flags_of(words, steps)
    keywords = {flag.name: literal(flag) for flag in flags}
    offered = component.items if isinstance(component, DictValue) else None
    if component is None or (isinstance(component, Const) and component.value is None):
        offered = _defined(call)
    if offered is not None:
        chosen = [offered[word] for word in rest[:1] if word in offered]
        if component is not None or chosen:
            targets, rest = chosen or list(offered.values()), rest[1:]
        else:
            targets = _commands_of_file(call, offered)
        for target in targets:
            _called(call, target, keywords, rest)
        return NONE
    return None if component is None else _called(call, component, keywords, rest)


def _called(call: ModelCall, target: Value, keywords: dict[str, Value], rest: list[str]) -> Value:
    if isinstance(target, ClassValue | Instance):
        made: Value = target
        if isinstance(target, ClassValue):
            own = _taken(target, keywords)
            made = call.interpreter.call(target, Arguments(keywords=own), call.location)
            keywords = {name: value for name, value in keywords.items() if name not in own}
        for word in rest[:1] or _commands(made):
            method = call.interpreter.attribute(made, word, call.location)
            call.interpreter.call(method, _bound(method, keywords, rest[1:]), call.location)
        return made
    return call.interpreter.call(target, _bound(target, keywords, rest), call.location)


def _bound(target: Value, keywords: dict[str, Value], rest: list[str]) -> Arguments:
    """The words of a command line as arguments: flags by their names, then the other words for what is left."""
    values = [literal(Flag("", word, None)) for word in rest]
    if not isinstance(target, FunctionValue):
        return Arguments(positional=tuple(values), keywords=keywords)
    names = _positional(target)
    left = [name for name in names if name not in keywords]
    given = {**keywords, **dict(zip(left, values, strict=False))}
    more = values[len(left) :] if target.node.args.vararg is not None else []
    before = [given.pop(name) for name in names] if more else []
    return Arguments(positional=(*before, *more), keywords=given if more else completed(target, given))


def _positional(function: FunctionValue) -> list[str]:
    names = [each.arg for each in positional_parameters(function.node.args)]
    return names[1:] if function.bound_to is not None else names


def _taken(cls: ClassValue, keywords: dict[str, Value]) -> dict[str, Value]:
    """The flags that the constructor of a class takes; the others are for its method."""
    from cmgan_audit.program.language.classes import constructor_of

    constructor = constructor_of(cls)
    if constructor is None:
        return dict(keywords)
    spec = constructor.node.args
    names = {each.arg for each in single_parameters(spec)}
    return {name: value for name, value in keywords.items() if name in names or spec.kwarg is not None}


def _commands(made: Value) -> list[str]:
    """The commands that a class offers: its public methods; without a word of the command line any may be meant."""
    cls = made.cls if isinstance(made, Instance) else None
    if not isinstance(cls, ClassValue):
        return []
    return [
        name for name, held in cls.namespace.items() if isinstance(held, FunctionValue) and not name.startswith("_")
    ]


def _defined(call: ModelCall) -> dict[Key, Value]:
    """The functions and classes of the file that is executed: what `Fire()` offers."""
    it = call.interpreter
    tree = it.module.tree
    made = ast.FunctionDef | ast.ClassDef
    names = [node.name for node in tree.body if isinstance(node, made)] if tree is not None else []
    name = posixpath.splitext(posixpath.basename(it.module.path))[0]
    module = it.import_module(name)  # it runs already: nothing is executed again
    return {name: it.attribute(module, name, call.location) for name in names if not name.startswith("_")}


def _commands_of_file(call: ModelCall, offered: dict[Key, Value]) -> list[Value]:
    """Of what `Fire()` offers, the functions that nothing else in the file uses: the others are their helpers."""
    tree = call.interpreter.module.tree
    used = names_in(tree)
    return [value for name, value in offered.items() if isinstance(value, FunctionValue) and name not in used]
