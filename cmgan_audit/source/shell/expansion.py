"""How shell words are expanded: quotes, variables, defaults, arrays, integer arithmetic, and what is known of paths."""

from __future__ import annotations

import ast
import posixpath
from collections.abc import Iterator, Sequence
from dataclasses import field

from cmgan_audit.lazy_dataclasses import dataclass
from cmgan_audit.lazy_regex import regex
from cmgan_audit.source.shell.paths import printed, without
from cmgan_audit.source.shell.syntax import Joined, Parser
from cmgan_audit.source.shell.words import NAME, Token, closing_end, tokens

_SPECIAL = regex(r"[0-9@*#?$!-]")
_WHOLE_LIST = regex(r'"?\$\{([A-Za-z_][A-Za-z0-9_]*|@)\[[@*]\]\}"?|"?\$([@*])"?|"?\$\{([@*])\}"?')
_BRACED = regex(r"([A-Za-z_][A-Za-z0-9_]*|[0-9]+|@)(?:\[([0-9]+)\])?(:?[-=])?")
_ARITHMETIC = regex(r"[0-9+\-*/%() ]{1,60}")
_BLANKS = regex(r"[ \t\n]+")
_ABOUT_PATHS = regex(r"\b(?:pwd|dirname|basename|realpath|readlink)\b")
_DEEPEST = 16
# Loops, calls and variables that double make long texts of short ones: so many characters are read and put in. The
# largest script that is read, once through, takes less.
_MOST_CHARACTERS = 10_000_000


class UnknownWord(str):
    """A word whose value is not known before it runs; the text is what the script says ("$1", "$(date)").

    `pieces` are the texts that it was put together of, known and unknown ones, where it was: "--size 2 --name $1".
    """

    pieces: tuple[str, ...] = ()


@dataclass(slots=True)
class State:
    """What a script holds while it runs.

    `places` says where variables were set; `left` is the folder before the present one. `rooted` names the variables
    that hold a path which counts from the folder that was entered when they were set.
    """

    variables: dict[str, str | list[str]] = field(default_factory=dict)
    exported: set[str] = field(default_factory=set)
    places: dict[str, Token] = field(default_factory=dict)
    folder: str = ""
    left: str = ""
    rooted: dict[str, str] = field(default_factory=dict)


class Expansion:
    """Words with the variables of a script that is read."""

    def __init__(self, variables: dict[str, str], base: str) -> None:
        self.state = State({**variables})
        self.base = base  # the folder that the script lies in
        self.from_here = False  # whether what was expanded last counts from the present folder
        self.nested = 0  # substitutions around the one that is expanded
        self.characters_left = _MOST_CHARACTERS

    def text_of(self, raw: str) -> str:
        """A raw word as one text, without splitting."""
        return joined([text for text, _ in self._parts(raw)])

    def expand(self, token: Token) -> list[str]:
        """A raw word as the words it becomes: unquoted variables are split at blanks, arrays spread."""
        raw = token.text
        self.characters_left -= len(raw)
        array = _WHOLE_LIST.fullmatch(raw)
        if array is not None:
            held = self.state.variables.get(array.group(1) or "@")
            if isinstance(held, list) and self._afford(held):
                return list(held)
            return [held] if isinstance(held, str) else [UnknownWord(raw.strip('"'))]
        words: list[list[str]] = [[]]
        for text, quoted in self._parts(raw):
            if quoted:
                words[-1].append(text)
                continue
            first, *others = split_at_blanks(text)
            words[-1].append(first)
            words.extend([other] for other in others)
        result = [joined(parts) for parts in words]
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
                end = closing_end(raw, offset)
                yield raw[offset + 1 : end - 1], True
                offset = end
            elif character == '"':
                end = closing_end(raw, offset)
                yield joined(list(self._inside(raw[offset + 1 : end - 1]))), True
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
        if text[offset] == "$" and not text.startswith(("(", "{", "["), offset + 1):
            name = NAME.match(text, offset + 1) or _SPECIAL.match(text, offset + 1)
            if name is None:
                return "$", offset + 1
            return self._value(name.group(), f"${name.group()}"), name.end()
        end = closing_end(text, offset if text[offset] == "`" else offset + 1)
        source = text[offset:end]
        if self.nested == _DEEPEST:
            return UnknownWord(source), end
        self.nested += 1
        if source.startswith("$(("):
            value = self._arithmetic(source[3:-2], source)
        elif source.startswith("$["):
            value = self._arithmetic(source[2:-1], source)
        elif source.startswith("${"):
            value = self._braced(text[offset + 2 : end - 1], source)
        else:
            value = self._substituted(text[offset + (1 if source.startswith("`") else 2) : end - 1], source)
        self.nested -= 1
        return value, end

    def _afford(self, texts: list[str]) -> bool:
        """Whether texts may be put in: a script that makes longer and longer ones is not followed for ever."""
        self.characters_left -= sum(map(len, texts))
        return self.characters_left >= 0

    def _value(self, name: str, source: str) -> str:
        held = self.state.variables.get(name)
        if held is None and name == "PWD":
            self.from_here = True
            return "."
        if isinstance(held, list):
            held = spaced(held)
        return self._read(name, held, source)

    def _read(self, name: str, held: str | None, source: str) -> str:
        """What a variable or an item of it holds, as it is from the present folder."""
        if held is None or not self._afford([held]):
            return UnknownWord(source)
        return self._from_here(held, self.state.rooted[name], source) if name in self.state.rooted else held

    def _from_here(self, path: str, then: str, source: str) -> str:
        """A path that counts from the folder of then, as it is from the present one."""
        self.from_here = True
        now = self.state.folder
        if then == now or isinstance(path, UnknownWord) or path.startswith("/"):
            return path
        if isinstance(then, UnknownWord) or isinstance(now, UnknownWord):
            return UnknownWord(source)
        if self._is_outside(now) or self._is_outside(posixpath.join(then, path)):
            return UnknownWord(source)  # above the tree nothing has a name
        return posixpath.relpath(posixpath.join("/", self.base, then, path), posixpath.join("/", self.base, now))

    def _is_outside(self, path: str) -> bool:
        return posixpath.normpath(posixpath.join(self.base, path)).split("/")[0] == ".."

    def _substituted(self, inner: str, source: str) -> str:
        """What commands print whose text is worked out: those about paths."""
        if not _ABOUT_PATHS.search(inner):
            return UnknownWord(source)
        given, self.from_here = self.from_here, False
        lines: list[list[str]] = []
        for each in Parser(list(tokens(inner))).block():
            statement = each.statement if isinstance(each, Joined) else each
            lines.append(
                [word for token in statement for word in self.expand(token)] if type(statement) is list else []
            )
        unknown = any(isinstance(word, UnknownWord) for line in lines for word in line)
        text = None if unknown or not all(lines) else printed(lines)
        if text is None:
            self.from_here = given
            return UnknownWord(source)
        command, absolute = lines[-1][0], self.from_here
        self.from_here = given or (command != "basename" and (absolute or command != "dirname"))
        if not absolute:
            return text
        if command == "basename" and text in (".", ".."):
            return UnknownWord(source)
        return _above(lines[-1][-1]) if command == "dirname" else text

    def _braced(self, inner: str, source: str) -> str:
        match = _BRACED.match(inner)
        if match is None:
            return UnknownWord(source)
        name, index, operator = match.groups()
        whole = self.state.variables.get(name)
        held = whole if isinstance(whole, str) else None if whole is None else " ".join(whole)
        if index is not None:
            held = whole[int(index)] if isinstance(whole, list) and int(index) < len(whole) else None
        if operator is not None and (held is None or (held == "" and ":" in operator)):
            default = self.text_of(inner[match.end() :])
            # A caller may set the variable: the default is what the script itself says.
            if "=" in operator:
                self.state.variables[name] = default
            return default
        given, self.from_here = self.from_here, False
        value = self._value(name, source) if index is None else self._read(name, held, source)
        absolute, self.from_here = self.from_here, given or self.from_here
        cut = inner[match.end() :]
        if operator is not None or not cut or isinstance(value, UnknownWord):
            return value
        if absolute and cut == "%/*":
            return _above(value)
        rest = without(value, cut)
        return UnknownWord(source) if rest is None or (absolute and rest in (".", "..")) else rest

    def _arithmetic(self, inner: str, source: str) -> str:
        expression = NAME.sub(lambda name: self._value(name.group(), "?"), inner.replace("$", ""))
        if not _ARITHMETIC.fullmatch(expression.strip() or "?"):
            return UnknownWord(source)
        return _integer(expression) or UnknownWord(source)


def _above(path: str) -> str:
    """The folder of what is a whole path when the script runs, although here it counts from the present folder: "." has
    one above it."""
    return posixpath.normpath(posixpath.join(path, ".."))


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


def joined(parts: list[str]) -> str:
    """One text of several pieces; unknown as soon as one piece is."""
    text = "".join(parts)
    if not any(isinstance(part, UnknownWord) for part in parts):
        return text
    word = UnknownWord(text)
    word.pieces = tuple(piece for part in parts if part or isinstance(part, UnknownWord) for piece in _pieces(part))
    return word


def spaced(words: Sequence[str]) -> str:
    """One text of several words, with blanks between them."""
    return joined([text for word in words for text in (" ", word)][1:])


def split_at_blanks(text: str) -> list[str]:
    """The words of a text; what is unknown of it may hold blanks, but counts as a part of one word."""
    if not isinstance(text, UnknownWord):
        return _BLANKS.split(text)
    words: list[list[str]] = [[]]
    for piece in _pieces(text):
        first, *others = [piece] if isinstance(piece, UnknownWord) else _BLANKS.split(piece)
        words[-1].append(first)
        words.extend([other] for other in others)
    return [joined(parts) for parts in words]


def undecided_value(name: str) -> UnknownWord:
    """What a variable holds that is set to this or that: nothing but its name is known."""
    return UnknownWord(f"${name}")


def in_common(name: str, values: Sequence[str | list[str] | None]) -> str:
    """What a variable holds that is set in branches: the words with which all of its values begin, and then more."""
    texts = [split_at_blanks(value) for value in values if isinstance(value, str)]
    common: list[str] = []
    if len(texts) == len(values):
        for words in zip(*texts, strict=False):
            if len({(word, isinstance(word, UnknownWord)) for word in words}) > 1:
                break
            common.append(words[0])
    rest = undecided_value(name)
    return spaced([*(word for word in common if word != rest), rest]) if any(common) else rest


def _pieces(text: str) -> tuple[str, ...]:
    return (text.pieces or (text,)) if isinstance(text, UnknownWord) else (text,)
