"""A small, honest reader of shell scripts: which simple commands run, with variables of constant value expanded.

It knows quotes, comments, continuations, here-documents, `for` over words, `if` / `while` / `case` (every branch is
read, what they assign is unknown afterwards), functions, arrays, `${x:-default}` and integer arithmetic. What it does
not know (command substitution, positional parameters, globs) stays as an `UnknownWord` with its source text.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from dataclasses import field

from cmgan_audit.lazy_dataclasses import dataclass
from cmgan_audit.lazy_regex import regex
from cmgan_audit.source.shell_syntax import Function, Group, Loop, Parser, Statement, Undecided
from cmgan_audit.source.shell_words import NAME, Token, bracket_end, quote_end, tokens

_SPECIAL = regex(r"[0-9@*#?$!-]")
_ASSIGNMENT = regex(r"([A-Za-z_][A-Za-z0-9_]*)(\+?)=")
_WHOLE_LIST = regex(r'"?\$\{([A-Za-z_][A-Za-z0-9_]*|@)\[[@*]\]\}"?|"?\$([@*])"?|"?\$\{([@*])\}"?')
_BRACED = regex(r"([A-Za-z_][A-Za-z0-9_]*|[0-9]+|@)(?:\[([0-9]+)\])?(:?[-=])?")
_ARITHMETIC = regex(r"[0-9+\-*/%() ]{1,60}")
_LOOP_LIMIT = 24
_CALLS_DEEP = 8


class UnknownWord(str):
    """A word whose value is not known before it runs; the text is what the script says ("$1", "$(date)")."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Word:
    """One word of a command after expansion, and where it stands."""

    text: str
    line: int
    column: int
    end_column: int

    @property
    def known(self) -> bool:
        """False when a part of it is only known when the script runs."""
        return not isinstance(self.text, UnknownWord)


@dataclass(frozen=True, slots=True)
class Simple:
    """One simple command: its words, and the folder that `cd` has led to.

    `environment` are the variables that were exported before and those set for this command alone, by name: what each
    holds and where that is written.
    """

    words: tuple[Word, ...]
    folder: str
    environment: Mapping[str, Word]


@dataclass(slots=True)
class _State:
    variables: dict[str, str | list[str]] = field(default_factory=dict)
    exported: set[str] = field(default_factory=set)
    places: dict[str, Token] = field(default_factory=dict)
    folder: str = ""


def commands(text: str, first_line: int = 1, variables: dict[str, str] | None = None) -> Iterator[Simple]:
    """The simple commands of a script in order, as often as loops over constant words run them."""
    statements = Parser(list(tokens(text, first_line))).block()
    yield from _Execution(dict(variables or {})).block(statements)


class _Execution:
    def __init__(self, variables: dict[str, str]) -> None:
        self.state = _State({**variables})
        self.functions: dict[str, list[Statement]] = {}
        self.deep = 0

    def block(self, statements: list[Statement]) -> Iterator[Simple]:
        for statement in statements:
            if isinstance(statement, Loop):
                yield from self._loop(statement)
            elif isinstance(statement, Undecided):
                yield from self._undecided(statement)
            elif isinstance(statement, Function):
                self.functions[statement.name] = statement.body
            elif isinstance(statement, Group):
                yield from self._group(statement)
            else:
                yield from self._simple(statement)

    def _loop(self, loop: Loop) -> Iterator[Simple]:
        words = [(word, token) for token in loop.words for word in self.expand(token)]
        for word, token in words[:_LOOP_LIMIT]:
            self.state.variables[loop.name.text] = word
            self.state.places[loop.name.text] = token
            yield from self.block(loop.body)

    def _undecided(self, statement: Undecided) -> Iterator[Simple]:
        before = dict(self.state.variables)
        after: list[dict[str, str | list[str]]] = [before] if len(statement.bodies) < 2 else []
        for body in statement.bodies:
            self.state.variables = dict(before)
            yield from self.block(body)
            after.append(self.state.variables)
        merged: dict[str, str | list[str]] = {}
        for name in {name for variables in after for name in variables}:
            values = [variables.get(name) for variables in after]
            first = values[0]
            same = first is not None and all(value == first for value in values)
            merged[name] = first if same and first is not None else UnknownWord(f"${name}")
        self.state.variables = merged

    def _group(self, group: Group) -> Iterator[Simple]:
        kept = (dict(self.state.variables), self.state.folder)
        yield from self.block(group.body)
        if group.subshell:
            self.state.variables, self.state.folder = kept

    def _simple(self, raw: list[Token]) -> Iterator[Simple]:
        assignments: list[tuple[str, str | list[str]]] = []
        places: dict[str, Token] = {}
        rest = list(raw)
        while rest and (match := _ASSIGNMENT.match(rest[0].text)) is not None:
            places[match.group(1)] = rest.pop(0)
            assignments.append(self._assigned(match, places[match.group(1)]))
        if not rest:
            self.state.variables.update(assignments)
            self.state.places.update(places)
            return
        words = [_placed(text, token) for token in rest for text in self.expand(token)]
        if not words:
            return
        name = words[0].text
        if name in {"export", "declare", "local", "readonly", "typeset"}:
            self._declare(name, rest[1:])
        elif name == "cd":
            self._change_folder(words[1].text if len(words) > 1 else UnknownWord("~"))
        elif name in self.functions and self.deep < _CALLS_DEEP:
            yield from self._call(name, words[1:])
        else:
            exported = {key: self.state.variables.get(key) for key in sorted(self.state.exported)}
            places = {**self.state.places, **places}
            held = {**exported, **dict(assignments)}
            environment = {
                key: _placed(value, places.get(key, rest[0])) for key, value in held.items() if isinstance(value, str)
            }
            yield Simple(tuple(words), self.state.folder, environment)

    def _assigned(self, match: re.Match[str], token: Token) -> tuple[str, str | list[str]]:
        """The name and the value (a list for an array) of an assignment; nothing is written yet."""
        name, raw = match.group(1), token.text[match.end() :]
        if raw.startswith("("):
            inner = [word for part in tokens(raw[1:-1]) if not part.operator for word in self.expand(part)]
            if match.group(2):
                held = self.state.variables.get(name, [])
                inner = [*(held if isinstance(held, list) else [held]), *inner]
            return name, inner
        value = self.text_of(raw)
        if match.group(2):
            held = self.state.variables.get(name, "")
            value = _joined([held if isinstance(held, str) else " ".join(held), value])
        return name, value

    def _declare(self, command: str, parts: list[Token]) -> None:
        for token in parts:
            match = _ASSIGNMENT.match(token.text)
            name = match.group(1) if match else token.text
            if match is not None:
                self.state.variables.update([self._assigned(match, token)])
                self.state.places[name] = token
            if command == "export":
                self.state.exported.add(name)

    def _change_folder(self, target: str) -> None:
        if isinstance(target, UnknownWord) or target.startswith(("/", "~")):
            self.state.folder = UnknownWord(target)
        else:
            self.state.folder = f"{self.state.folder}/{target}".lstrip("/")

    def _call(self, name: str, arguments: list[Word]) -> Iterator[Simple]:
        kept = {key: value for key, value in self.state.variables.items() if key.isdigit() or key == "@"}
        for key in kept:
            del self.state.variables[key]
        for position, word in enumerate(arguments, 1):
            self.state.variables[str(position)] = word.text
        self.state.variables["@"] = [word.text for word in arguments]
        self.deep += 1
        yield from self.block(self.functions[name])
        self.deep -= 1
        for key in [key for key in self.state.variables if key.isdigit() or key == "@"]:
            del self.state.variables[key]
        self.state.variables.update(kept)

    # Expansion

    def text_of(self, raw: str) -> str:
        """A raw word as one text, without splitting."""
        return _joined([text for text, _ in self._parts(raw)])

    def expand(self, token: Token) -> list[str]:
        """A raw word as the words it becomes: unquoted variables are split at blanks, arrays spread."""
        raw = token.text
        array = _WHOLE_LIST.fullmatch(raw)
        if array is not None:
            held = self.state.variables.get(array.group(1) or "@")
            if isinstance(held, list):
                return list(held)
            return [held] if isinstance(held, str) else [UnknownWord(raw.strip('"'))]
        words: list[list[str]] = [[]]
        for text, quoted in self._parts(raw):
            if quoted or isinstance(text, UnknownWord):
                words[-1].append(text)
                continue
            pieces = re.split(r"[ \t\n]+", text)
            words[-1].append(pieces[0])
            words.extend([piece] for piece in pieces[1:])
        result = [_joined(parts) for parts in words]
        quoted_empty = raw.startswith(('"', "'"))
        return [word for word in result if word or quoted_empty]

    def _parts(self, raw: str) -> Iterator[tuple[str, bool]]:
        """Pieces of a raw word with whether they are protected from splitting."""
        offset = 0
        while offset < len(raw):
            character = raw[offset]
            if character == "\\":
                step = 3 if raw.startswith("\\\r\n", offset) else 2
                yield ("" if raw[offset + 1 : offset + step] in {"\n", "\r\n"} else raw[offset + 1 : offset + 2]), True
                offset += step
            elif character == "'":
                end = quote_end(raw, offset)
                yield raw[offset + 1 : end - 1], True
                offset = end
            elif character == '"':
                end = quote_end(raw, offset)
                yield _joined(list(self._inside(raw[offset + 1 : end - 1]))), True
                offset = end
            elif character in "$`":
                value, offset = self._variable(raw, offset)
                yield value, False
            elif character in "*?[" and not raw.startswith("[", offset):
                yield UnknownWord(character), True
                offset += 1
            else:
                end = offset + 1
                while end < len(raw) and raw[end] not in "\\'\"$`*?":
                    end += 1
                yield raw[offset:end], True
                offset = end

    def _inside(self, text: str) -> Iterator[str]:
        """The pieces of a double-quoted text."""
        offset = 0
        while offset < len(text):
            character = text[offset]
            if character == "\\" and text[offset + 1 : offset + 2] in {'"', "\\", "$", "`", "\n"}:
                yield text[offset + 1].replace("\n", "")
                offset += 2
            elif character in "$`":
                value, offset = self._variable(text, offset)
                yield value
            else:
                end = offset + 1
                while end < len(text) and text[end] not in "\\$`":
                    end += 1
                yield text[offset:end]
                offset = end

    def _variable(self, text: str, offset: int) -> tuple[str, int]:
        """The value of the `$...` at `offset`, and where it ends."""
        if text[offset] == "`":
            end = quote_end(text, offset)
            return UnknownWord(text[offset:end]), end
        if text.startswith("$((", offset):
            end = bracket_end(text, offset + 1)
            return self._arithmetic(text[offset + 3 : end - 2], text[offset:end]), end
        if text.startswith("$(", offset):
            end = bracket_end(text, offset + 1)
            return UnknownWord(text[offset:end]), end
        if text.startswith("${", offset):
            end = bracket_end(text, offset + 1)
            return self._braced(text[offset + 2 : end - 1], text[offset:end]), end
        name = NAME.match(text, offset + 1) or _SPECIAL.match(text, offset + 1)
        if name is None:
            return "$", offset + 1
        return self._value(name.group(), name.group().join(("$", ""))), name.end()

    def _value(self, name: str, source: str) -> str:
        held = self.state.variables.get(name)
        if isinstance(held, list):
            return _joined([" ".join(held), *[UnknownWord("") for word in held if isinstance(word, UnknownWord)]])
        return UnknownWord(source) if held is None else held

    def _braced(self, inner: str, source: str) -> str:
        match = _BRACED.match(inner)
        if match is None:
            return UnknownWord(source)
        name, index, operator = match.groups()
        held = self.state.variables.get(name)
        if index is not None:
            return held[int(index)] if isinstance(held, list) and int(index) < len(held) else UnknownWord(source)
        if operator is not None:
            if held is None or (held == "" and ":" in operator):
                value = self.text_of(inner[match.end() :])
                # A caller may set the variable: the default is what the script itself says.
                if "=" in operator:
                    self.state.variables[name] = value
                return value
            return self._value(name, source)
        return self._value(name, source) if match.end() == len(inner) else UnknownWord(source)

    def _arithmetic(self, inner: str, source: str) -> str:
        expression = NAME.sub(lambda name: self._value(name.group(), "?"), inner.replace("$", ""))
        if not _ARITHMETIC.fullmatch(expression.strip() or "?"):
            return UnknownWord(source)
        return _integer(expression) or UnknownWord(source)


def _placed(text: str, token: Token) -> Word:
    return Word(text, token.line, token.column, token.end_column)


def _integer(expression: str) -> str:
    """The value of an expression of integers and + - * / % (division towards zero), "" when it has none."""

    def compute(node: ast.expr) -> int:
        match node:
            case ast.Constant(value=int(value)):
                return value
            case ast.UnaryOp(op=ast.USub(), operand=operand):
                return -compute(operand)
            case ast.BinOp(left=left, op=ast.Add(), right=right):
                return compute(left) + compute(right)
            case ast.BinOp(left=left, op=ast.Sub(), right=right):
                return compute(left) - compute(right)
            case ast.BinOp(left=left, op=ast.Mult(), right=right):
                return compute(left) * compute(right)
            case ast.BinOp(left=left, op=ast.Div(), right=right):
                return int(compute(left) / compute(right))
            case ast.BinOp(left=left, op=ast.Mod(), right=right):
                return compute(left) % compute(right)
        raise ValueError(expression)

    try:
        return str(compute(ast.parse(expression.strip(), mode="eval").body))
    except (SyntaxError, ValueError, ArithmeticError):
        return ""


def _joined(parts: list[str]) -> str:
    """One text of several pieces; unknown as soon as one piece is."""
    text = "".join(parts)
    return UnknownWord(text) if any(isinstance(part, UnknownWord) for part in parts) else text
