"""Shell statements: loops, branches, functions and groups around simple commands."""

from __future__ import annotations

from cmgan_audit.lazy_dataclasses import dataclass
from cmgan_audit.source.shell.words import NAME, Token

_REDIRECTIONS = frozenset({">", ">>", "<", "&>", "&>>", ">&", "<&", ">|", "<>", "<<<"})
_SEPARATORS = frozenset({"\n", ";", "&", "&&", "||", "|", "|&"})
_JOINTS = frozenset({"&&", "||", "|", "|&"})
_DEEPEST = 100


@dataclass(slots=True)
class Loop:
    """`for name in words`."""

    name: Token
    words: list[Token]
    body: list[Statement]


@dataclass(slots=True)
class Undecided:
    """`if`, `case` or `while`: the bodies of which one (or none) runs.

    `tests` are the tokens that decide on each body: the conditions of an `if` (none of an `else`) or a `while`, the
    patterns of a `case` for its `subject`. There are none where the bodies do not exclude each other.
    """

    bodies: list[list[Statement]]
    tests: list[list[Token]]
    subject: Token | None = None
    repeated: bool = False


@dataclass(slots=True)
class Function:
    """A definition; its body runs where it is called."""

    name: str
    body: list[Statement]


@dataclass(slots=True)
class Group:
    """`{ ... }` or `( ... )`; a subshell keeps its variables and folder to itself."""

    body: list[Statement]
    subshell: bool


@dataclass(slots=True)
class Joined:
    """A statement behind `&&`, `||` or a pipe: what stands before it decides whether it runs, or it runs apart."""

    statement: Statement


Statement = list[Token] | Loop | Undecided | Function | Group | Joined


class Parser:
    """Statements of a token stream; a keyword that nothing opened is taken as a word."""

    def __init__(self, stream: list[Token]) -> None:
        self.stream = stream
        self.at = 0
        self.depth = 0

    def block(self, *stops: str) -> list[Statement]:
        """The statements up to one of the words that end the block."""
        statements: list[Statement] = []
        joined = False
        while self.at < len(self.stream):
            token = self.stream[self.at]
            if token.operator and token.text in _SEPARATORS:
                joined = token.text in _JOINTS or (joined and token.text == "\n")
                self.at += 1
            elif token.text in stops:
                break
            else:
                before = self.at
                statement = self._statement()
                if statement is not None:
                    statements.append(Joined(statement) if joined else statement)
                    joined = False
                self.at += self.at == before
        return statements

    def _statement(self) -> Statement | None:
        token = self.stream[self.at]
        self.depth += 1
        if self.depth > _DEEPEST:
            return self._simple()
        try:
            if token.text in {"if", "while", "until", "case", "for", "select"} and not token.operator:
                return {"if": self._if, "case": self._case, "for": self._for, "select": self._for}.get(
                    token.text, self._while
                )()
            if token.text == "{" or (token.text == "(" and token.operator):
                return self._group("}" if token.text == "{" else ")")
            if token.text in {"!", "time", "then", "do", "else"} and not token.operator:
                self.at += 1
                return None
            return self._function() or self._simple()
        finally:
            self.depth -= 1

    def _expect(self, *words: str) -> str:
        if self.at < len(self.stream) and self.stream[self.at].text in words:
            self.at += 1
            return self.stream[self.at - 1].text
        return ""

    def _if(self) -> Undecided:
        bodies: list[list[Statement]] = []
        tests: list[list[Token]] = []
        self.at += 1
        condition, test = self._condition("then", "fi")
        word = self._expect("then", "fi")
        while word and word != "fi":
            bodies.append(condition + self.block("elif", "else", "fi"))
            tests.append(test)
            word = self._expect("elif", "else", "fi")
            condition, test = [], []
            if word == "elif":
                condition, test = self._condition("then", "fi")
                word = self._expect("then", "fi")
        return Undecided(bodies, tests)

    def _condition(self, *stops: str) -> tuple[list[Statement], list[Token]]:
        """The statements of a condition, and the tokens that they are made of."""
        start = self.at
        statements = self.block(*stops)
        return statements, self.stream[start : self.at]

    def _while(self) -> Undecided:
        until = self.stream[self.at].text == "until"
        self.at += 1
        condition, test = self._condition("do", "done")
        self._expect("do")
        body = self.block("done")
        self._expect("done")
        return Undecided([condition + body], [] if until else [test], repeated=True)

    def _for(self) -> Statement:
        self.at += 1
        name = self.stream[self.at] if self.at < len(self.stream) else Token("", 0, 0, 0)
        self.at += 1
        words: list[Token] = []
        if self._expect("in"):
            while self.at < len(self.stream) and not self.stream[self.at].operator:
                words.append(self.stream[self.at])
                self.at += 1
        else:
            words.append(Token('"$@"', name.line, name.column, name.end_column, file=name.file))
            while self.at < len(self.stream) and self.stream[self.at].text not in {"do", "done"}:
                self.at += 1
        self.block("do", "done")
        self._expect("do")
        body = self.block("done")
        self._expect("done")
        return Loop(name, words, body)

    def _case(self) -> Undecided:
        bodies: list[list[Statement]] = []
        tests: list[list[Token]] = []
        falls_through = False
        start = self.at + 1
        while self.at < len(self.stream) and self.stream[self.at].text != "in":
            self.at += 1
        subject = self.stream[start] if self.at == start + 1 else None
        self.at += 1
        while self.at < len(self.stream) and not self._expect("esac"):
            start = self.at
            while self.at < len(self.stream) and self.stream[self.at].text not in {")", "esac"}:
                self.at += 1
            if self._expect(")"):
                tests.append(self.stream[start : self.at - 1])
                bodies.append(self.block(";;", ";&", ";;&", "esac"))
                falls_through |= self._expect(";;", ";&", ";;&") in {";&", ";;&"}
        return Undecided(bodies, [] if falls_through else tests, subject)

    def _group(self, closing: str) -> Group:
        self.at += 1
        body = self.block(closing)
        self._expect(closing)
        return Group(body, closing == ")")

    def _function(self) -> Function | None:
        texts = [token.text for token in self.stream[self.at : self.at + 4]]
        if texts[:1] == ["function"] and len(texts) > 1:
            self.at += 2
            if texts[2:4] == ["(", ")"]:
                self.at += 2
        elif texts[1:3] == ["(", ")"] and NAME.fullmatch(texts[0].replace("-", "_")):
            self.at += 3
        else:
            return None
        name = texts[1] if texts[0] == "function" else texts[0]
        while self._expect("\n"):
            pass
        if self.at < len(self.stream) and self.stream[self.at].text == "{":
            return Function(name, self._group("}").body)
        return Function(name, [])

    def _simple(self) -> list[Token]:
        words: list[Token] = []
        while self.at < len(self.stream):
            token = self.stream[self.at]
            if token.operator and token.text in _REDIRECTIONS:
                if words and words[-1].text.isdigit() and words[-1].end_column == token.column:
                    words.pop()
                self.at += 2
                continue
            if token.operator:
                break
            words.append(token)
            self.at += 1
        return words
