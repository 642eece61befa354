"""Python files that start a training script once per process: `Popen([sys.executable, "train.py", f"--rank={i}"])`.

Only they give the script the rank that makes it distributed. They are read as a launcher is: the words of the list that
is handed to the process, in the order in which the function puts them there. What they hand over besides is unknown.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from cmgan_audit.finding import Location
from cmgan_audit.lazy_regex import regex
from cmgan_audit.source.commands import CommandLine
from cmgan_audit.source.shell.expansion import UnknownWord
from cmgan_audit.source.syntax import NamedFunction, arguments_named, walk

_MAY_START = regex(rb"\bsubprocess\b(?s:.*)rank\b|rank\b(?s:.*)\bsubprocess\b")
_OF_HANDING_ON = (b"subprocess", b"sys.argv", b"rank")
# The words that the file itself was started with.
_OWN_WORDS = frozenset({"sys.argv[1:]", "list(sys.argv)[1:]", "list(sys.argv[1:])"})
SUBPROCESS_STARTERS = frozenset({"Popen", "run", "call", "check_call", "check_output"})
# Words between the interpreter and the script that take no value.
INTERPRETER_SWITCHES = frozenset({"-u", "-O", "-B"})
_INTERPRETER = regex(r"(?:.*/)?python[0-9.]*")
_RANK = regex(r"--?(?:local[-_]?)?rank(?:=.*)?", re.DOTALL)
# What holds statements of its own, which come one by one.
_BLOCKS = (ast.stmt, ast.ExceptHandler, ast.match_case)

_Lists = dict[str, list[ast.expr]]


def may_start_processes(content: bytes) -> bool:
    """Whether a Python file is worth reading for scripts that it starts once per process."""
    return b".py" in content and _MAY_START.search(content) is not None


def may_hand_on(content: bytes) -> bool:
    """Whether a Python file is worth reading for whether it starts, once per process, what it is given as words."""
    return all(word in content for word in _OF_HANDING_ON)


def handed_on(path: str, module: ast.Module) -> tuple[CommandLine, ...]:
    """What a Python file adds to its own words where it starts them as a script with a rank: a command without one."""
    return tuple(each for each in _all_starts(path, module) if not each.script)


def process_starts(path: str, module: ast.Module) -> Iterator[CommandLine]:
    """The scripts that a Python file starts and gives a rank, in file order."""
    return (each for each in _all_starts(path, module) if each.script)


def _all_starts(path: str, module: ast.Module) -> Iterator[CommandLine]:
    functions = [node for node in walk(module) if isinstance(node, ast.FunctionDef)]
    for body in (module.body, *(function.body for function in functions)):
        yield from _starts(path, body)


def _starts(path: str, body: list[ast.stmt]) -> Iterator[CommandLine]:
    lists: _Lists = {}
    for node in _in_order(body):
        if isinstance(node, ast.Call) and _is_starter(node.func):
            given = [*node.args[:1], *arguments_named(node, "args")]
            command = _command(path, node, _items(given[0], lists)) if given else None
            if command is not None:
                yield command
        else:
            _note(node, lists)


def _in_order(body: list[ast.stmt]) -> Iterator[ast.AST]:
    """The statements and calls of a scope from top to bottom, without those of the functions in it."""
    for statement in body:
        if isinstance(statement, NamedFunction | ast.ClassDef):
            continue
        inner = [each for each in ast.iter_child_nodes(statement) if not isinstance(each, _BLOCKS)]
        yield from (node for each in inner for node in walk(each) if isinstance(node, ast.Call))
        yield statement
        for field in ("body", "orelse", "handlers", "finalbody", "cases"):
            blocks = getattr(statement, field, [])
            yield from _in_order([each for block in blocks for each in (getattr(block, "body", None) or [block])])


def _is_starter(function: ast.expr) -> bool:
    if isinstance(function, ast.Attribute):
        return (
            function.attr in SUBPROCESS_STARTERS
            and isinstance(function.value, ast.Name)
            and function.value.id == "subprocess"
        )
    return isinstance(function, ast.Name) and function.id == "Popen"


def _note(node: ast.AST, lists: _Lists) -> None:
    """What a statement or call makes of the lists that have names."""
    match node:
        case ast.Assign(targets=[ast.Name(id=name)], value=value):
            lists[name] = _items(value, lists)
        case ast.AugAssign(target=ast.Name(id=name), op=ast.Add(), value=value) if name in lists:
            lists[name] = [*lists[name], *_items(value, lists)]
        case ast.Assign(targets=[ast.Subscript(value=ast.Name(id=name), slice=index)], value=value) if name in lists:
            _replace(lists[name], index, value)
        case ast.Call(func=ast.Attribute(value=ast.Name(id=name), attr="append"), args=[value]) if name in lists:
            lists[name] = [*lists[name], value]
        case ast.Call(func=ast.Attribute(value=ast.Name(id=name), attr="extend"), args=[value]) if name in lists:
            lists[name] = [*lists[name], *_items(value, lists)]


def _replace(items: list[ast.expr], index: ast.expr, value: ast.expr) -> None:
    try:
        items[ast.literal_eval(index)] = value
    except (ValueError, TypeError, IndexError):
        return  # which word is replaced is not known: the others stand


def _items(node: ast.expr, lists: _Lists) -> list[ast.expr]:
    """The items that an expression is known to have; those of what is no list here are not known."""
    match node:
        case ast.List(elts=items) | ast.Tuple(elts=items):
            return [
                inner
                for item in items
                for inner in (_items(item.value, lists) if isinstance(item, ast.Starred) else [item])
            ]
        case ast.Name(id=name):
            return list(lists.get(name, ()))
        case ast.Subscript() | ast.Call() if ast.unparse(node) in _OWN_WORDS:
            return [node]
        case ast.BinOp(left=left, op=ast.Add(), right=right):
            return [*_items(left, lists), *_items(right, lists)]
    return []


def _command(path: str, call: ast.Call, items: list[ast.expr]) -> CommandLine | None:
    if not items or not _is_interpreter(items[0]):
        return None
    rest = items[1:]
    while rest and _word(rest[0]) in INTERPRETER_SWITCHES:
        rest = rest[1:]
    words = [_word(item) for item in rest]
    own = bool(rest) and ast.unparse(rest[0]) in _OWN_WORDS
    if not words or (not own and (isinstance(words[0], UnknownWord) or not words[0].endswith(".py"))):
        return None
    if not any(_RANK.fullmatch(word) for word in words[1:]):
        return None
    return CommandLine(
        location=_place(path, call),
        launcher="python",
        script="" if own else words[0].removeprefix("./"),
        module="",
        argv=tuple(words[1:]),
        places=tuple(_place(path, item) for item in rest[1:]),
    )


def _is_interpreter(node: ast.expr) -> bool:
    match node:
        case ast.Call(func=ast.Name(id="str"), args=[inner]):
            return _is_interpreter(inner)
        case ast.Attribute(value=ast.Name(id="sys"), attr="executable"):
            return True
        case ast.Constant(value=str(text)):
            return _INTERPRETER.fullmatch(text) is not None
    return False


def _word(node: ast.expr) -> str:
    """A word as it stands in a launch; of one that is put together the beginning is known."""
    match node:
        case ast.Constant(value=str(text)):
            return text
        case ast.JoinedStr(values=[ast.Constant(value=str(start)), *_]):
            return UnknownWord(f"{start}$value")
        case ast.Call(func=ast.Attribute(value=ast.Constant(value=str(text)), attr="format")):
            return UnknownWord(f"{text.partition('{')[0]}$value")
        case ast.BinOp(left=ast.Constant(value=str(text)), op=ast.Mod()):
            return UnknownWord(f"{text.partition('%')[0]}$value")
        case ast.BinOp(left=ast.Constant(value=str(text)), op=ast.Add()):
            return UnknownWord(f"{text}$value")
    return UnknownWord("$value")


def _place(path: str, node: ast.expr) -> Location:
    return Location(path, node.lineno, node.col_offset + 1, node.end_lineno, (node.end_col_offset or 0) + 1)
