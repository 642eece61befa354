"""Shell text as raw words and operators: quotes, comments, continuations and here-documents."""

from __future__ import annotations

import re
from collections.abc import Iterator

from cmgan_audit.lazy_dataclasses import dataclass
from cmgan_audit.lazy_regex import regex

_SPACES = " \t\r"
# Longest first: the first that matches is the operator.
_THREE = (";;&", "&>>", "<<<", "<<-")
_TWO = ("&&", "||", ";;", ";&", "|&", "&>", ">>", "<<", ">&", "<&", ">|", "<>")
_OPERATORS = (*_THREE, *_TWO, ">", "<", "|", "&", ";", "(", ")")
_CLOSING = {"'": "'", '"': '"', "`": "`", "(": ")", "{": "}", "[": "]"}
NAME = regex(r"[A-Za-z_][A-Za-z0-9_]*")


@dataclass(frozen=True, slots=True)
class Token:
    """A raw word (quotes still on) or an operator; "\n" ends a line. Lines count from 1.

    `file` is the file that it stands in, "" for the one that is read.
    """

    text: str
    line: int
    column: int
    end_column: int
    operator: bool = False
    file: str = ""


def tokens(text: str, first_line: int = 1, file: str = "") -> Iterator[Token]:
    """Raw words and operators; an unterminated quote ends at the end of the text."""
    lexer = _Lexer(text, first_line, file)
    yield from lexer.run()


class _Lexer:
    def __init__(self, text: str, first_line: int, file: str) -> None:
        self.text = text
        self.file = file
        self.line = first_line
        self.start = 0  # offset of the current line's start
        self.offset = 0
        self.documents: list[tuple[str, bool]] = []

    def run(self) -> Iterator[Token]:
        text, size = self.text, len(self.text)
        while self.offset < size:
            character = text[self.offset]
            if character in _SPACES:
                self.offset += 1
            elif text.startswith(("\\\n", "\\\r\n"), self.offset):
                self._newline(text.index("\n", self.offset) + 1)
            elif character == "\n":
                yield self._token("\n", 1, operator=True)
                self._newline(self.offset)
                self._skip_documents()
            elif character == "#":
                end = text.find("\n", self.offset)
                self.offset = size if end < 0 else end
            else:
                yield from self._operator_or_word()

    def _newline(self, offset: int) -> None:
        self.offset = self.start = offset
        self.line += 1

    def _token(self, text: str, length: int, *, operator: bool) -> Token:
        column = self.offset - self.start + 1
        self.offset += length
        return Token(text, self.line, column, column + length, operator, self.file)

    def _operator_or_word(self) -> Iterator[Token]:
        operator = next((o for o in _OPERATORS if self.text.startswith(o, self.offset)), None)
        if operator is None:
            yield self._word()
        elif operator in {"<<", "<<-"}:
            self.offset += len(operator)
            while self.text[self.offset : self.offset + 1] in {" ", "\t"}:
                self.offset += 1
            delimiter = self._word().text
            self.documents.append((re.sub(r"[\"'\\]", "", delimiter), operator == "<<-"))
        else:
            yield self._token(operator, len(operator), operator=True)

    def _word(self) -> Token:
        line, column, begin = self.line, self.offset - self.start + 1, self.offset
        end = _word_end(self.text, begin)
        raw = self.text[begin:end]
        breaks = raw.count("\n")
        if breaks:
            self.line += breaks
            self.start = begin + raw.rindex("\n") + 1
        self.offset = end
        return Token(raw, line, column, column + len(raw.split("\n", 1)[0]), file=self.file)

    def _skip_documents(self) -> None:
        """The lines of here-documents that were announced on the line before."""
        for delimiter, tabs in self.documents:
            while self.offset < len(self.text):
                end = self.text.find("\n", self.offset)
                end = len(self.text) if end < 0 else end
                content = self.text[self.offset : end].rstrip("\r")
                self._newline(min(end + 1, len(self.text)))
                if (content.lstrip("\t") if tabs else content) == delimiter:
                    break
        self.documents.clear()


def _word_end(text: str, offset: int) -> int:
    """Where the raw word that starts at `offset` ends; at least one character further."""
    begin = offset
    while offset < len(text):
        character = text[offset]
        if character == "\\":
            offset += 3 if text.startswith("\\\r\n", offset) else 2
        elif character in "'\"`":
            offset = closing_end(text, offset)
        elif text.startswith(("$(", "${", "$["), offset) or (
            character == "(" and text[offset - 1 : offset] == "=" and offset > begin
        ):
            offset = closing_end(text, offset if character == "(" else offset + 1)
        elif character in _SPACES or character in "\n;&|<>()":
            break
        else:
            offset += 1
    return min(max(offset, begin + 1), len(text))


def closing_end(text: str, offset: int) -> int:
    """After the quote or bracket that closes the one at `offset`; one further than the text where none does.

    What `$(...)` holds inside double quotes has its own quotes, and quotes inside of brackets hide brackets. "[" is one
    only in `$[sizes[0] * 2]`, the older form of `$((sizes[0] * 2))`.
    """
    stack = [_CLOSING[text[offset]]]
    offset += 1
    while offset < len(text):
        character, closing = text[offset], stack[-1]
        offset += 1
        if character == closing:
            stack.pop()
            if not stack:
                return offset
        elif closing == "'":
            continue
        elif character == "\\":
            offset += 1
        elif closing == '"':
            if character == "$" and text.startswith(("(", "{"), offset):
                stack.append(_CLOSING[text[offset]])
                offset += 1
        elif closing != "`" and character in _CLOSING and (character != "[" or closing == "]"):
            stack.append(_CLOSING[character])
    return len(text) + 1
