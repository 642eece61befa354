"""A small, honest reader of shell scripts: which simple commands run, with variables of constant value expanded.

It knows quotes, comments, continuations, here-documents, `for` over words, `if` / `while` / `case` (every branch is
read, what they assign is unknown afterwards; where arguments that are given decide, the branch that they lead to),
functions, arrays, `${x:-default}`, integer arithmetic, other scripts that are sourced or started with arguments, and
what is worked out about paths (`$(dirname "$0")`, `$PWD`). What it does not know (any other command substitution,
arguments that nobody gives, globs) stays as an `UnknownWord` with its source text.
"""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Iterator, Mapping
from itertools import islice

from cmgan_audit.lazy_dataclasses import dataclass
from cmgan_audit.source.shell.calls import called_script, variables_given
from cmgan_audit.source.shell.conditions import asks_of_arguments, taken
from cmgan_audit.source.shell.expansion import UnknownWord, in_common
from cmgan_audit.source.shell.syntax import Function, Group, Joined, Loop, Parser, Statement, Undecided
from cmgan_audit.source.shell.variables import ASSIGNMENT, Variables, is_positional
from cmgan_audit.source.shell.words import Token, tokens

_LOOP_LIMIT = 100
# Each loop over unknown words takes two turns: so many such loops inside each other do, what is deeper takes one.
_TURNS_DEEP = 3
_CALLS_DEEP = 8
_SOURCED_DEEP = 4
_MOST_SOURCED = 24
_STARTED_DEEP = 4
_MOST_STARTED = 24
_PARSE_OPTIONS = "parse_options.sh"
_STATEMENT = 100  # as many characters take the time of a statement

# The file that a script sources or starts, by the name that it gives and the folder that it has changed to: path and
# content.
Sources = Callable[[str, str], tuple[str, str] | None]


@dataclass(frozen=True, slots=True)
class Word:
    """One word of a command after expansion, and where it stands: `file` is "" for the script that is read."""

    text: str
    line: int
    column: int
    end_column: int
    file: str = ""

    @property
    def known(self) -> bool:
        """False when a part of it is only known when the script runs."""
        return not isinstance(self.text, UnknownWord)


@dataclass(frozen=True, slots=True)
class Simple:
    """One simple command: its words, and the folder that `cd` has led to.

    `environment` are the variables that were exported before and those set for this command alone, by name: what each
    holds and where that is written. `stands` is where the script itself comes to it, which may source another one.
    """

    words: tuple[Word, ...]
    folder: str
    environment: Mapping[str, Word]
    stands: Word


def commands(
    text: str,
    first_line: int = 1,
    variables: dict[str, str] | None = None,
    *,
    name: str = "",
    sources: Sources | None = None,
) -> Iterator[Simple]:
    """The simple commands of a script in order, as often as loops over constant words run them.

    Args:
        text: of the script.
        first_line: its number, where the text is a part of a document.
        variables: those that have a value before it begins.
        name: the path of the script, which is run from its own folder; "" for a part of a document.
        sources: finds the files that it sources.
    """
    statements = Parser(list(tokens(text, first_line))).block()
    yield from _Execution(dict(variables or {}), name, sources).block(statements)


class _Execution(Variables):
    def __init__(self, variables: dict[str, str], name: str = "", sources: Sources | None = None) -> None:
        super().__init__(variables, posixpath.dirname(name))
        self.functions: dict[str, list[Statement]] = {}
        self.deep = 0
        self.sources = sources
        self.sourced: list[str] = []  # the files that are being sourced, innermost last
        self.times_sourced = 0
        self.starts: list[str] = []  # the scripts that started this one, and this one
        self.times_started = 0
        self.turns_deep = 0  # in how many loops over unknown words a command stands
        self.decides = True  # False in a loop of which the first turn stands for all
        self.broken: bool | None = None  # whether `break` has ended the loop; None where it cannot
        self.ends = False  # whether `exit` ends the script: in a branch that is taken, not where it may be taken out
        self.ended = False
        self.own: Word | None = None  # the last command of the script itself
        if name:
            called = f"./{posixpath.basename(name)}"
            self._assign("0", called, from_here=True)
            self._assign("BASH_SOURCE", [called], from_here=True)

    def block(self, statements: list[Statement]) -> Iterator[Simple]:
        for statement in statements:
            self.characters_left -= _STATEMENT
            if self.characters_left < 0 or self.broken or self.ended:
                return
            if isinstance(statement, Loop):
                yield from self._loop(statement)
            elif isinstance(statement, Undecided) and statement.repeated:
                yield from self._while(statement)
            elif isinstance(statement, Undecided):
                body = self._taken(statement)
                yield from self._undecided(statement) if body is None else self._ending(body, ends=True)
            elif isinstance(statement, Function):
                self.functions[statement.name] = statement.body
            elif isinstance(statement, Group):
                yield from self._group(statement)
            elif isinstance(statement, Joined):
                yield from self._ending([statement.statement], ends=False)
            else:
                yield from self._simple(statement)

    def _ending(self, statements: list[Statement], *, ends: bool) -> Iterator[Simple]:
        """Statements in which `exit` ends the script, or in which it does so in some cases only."""
        outer, self.ends = self.ends, ends
        yield from self.block(statements)
        self.ends = outer

    def _loop(self, loop: Loop) -> Iterator[Simple]:
        words = ((word, token) for token in loop.words for word in self.expand(token))
        outer, self.broken = self.broken, None
        for word, token in list(islice(words, _LOOP_LIMIT)):
            if self.ended:
                break
            self._assign(loop.name.text, word)
            self.state.places[loop.name.text] = token
            if isinstance(word, UnknownWord):
                yield from self._turns(loop.body)
            else:
                yield from self.block(loop.body)
        self.broken = outer

    def _turns(self, body: list[Statement]) -> Iterator[Simple]:
        """The turns of a loop over nobody knows how many words: the first one, and what another one does otherwise.

        A variable that the second turn changes once more goes on to change, and is not known behind the loop.
        """
        self.turns_deep += 1
        yield from self._two_turns(body) if self.turns_deep <= _TURNS_DEEP else self.block(body)
        self.turns_deep -= 1

    def _two_turns(self, body: list[Statement]) -> Iterator[Simple]:
        """The first turn, and those commands of the second one that are not the same once more."""
        first = list(self.block(body))
        yield from first
        if self.ended:
            return
        done = {tuple(word.text for word in simple.words) for simple in first}
        before = dict(self.state.variables)
        again = list(self.block(body))
        yield from (simple for simple in again if tuple(word.text for word in simple.words) not in done)
        for name, value in before.items():
            held = self.state.variables.get(name)
            if held != value:
                self._assign(name, in_common(name, [value, held]))

    def _while(self, loop: Undecided) -> Iterator[Simple]:
        """A loop over arguments that are known, turn by turn: `while [ $# -gt 0 ]; do ... shift; done`."""
        outer, self.broken = self.broken, False
        # A condition without a variable, `while true`, tells nothing of how often.
        asks = any("$" in token.text for test in loop.tests for token in test)
        body = self._taken(loop) if asks else None
        turns = 0
        while body and not self.broken and not self.ended and turns < _LOOP_LIMIT:
            yield from self._ending(body, ends=True)
            body = self._taken(loop)
            turns += 1
        if body != [] and not self.broken and not self.ended:
            decided, self.decides = self.decides, False
            yield from self._undecided(loop)
            self.decides = decided
        self.broken = outer

    def _taken(self, statement: Undecided) -> list[Statement] | None:
        """What runs of several bodies, where arguments decide: in a script that another one starts, all that it knows,
        elsewhere only what is asked of `$1` and the like. What a script says itself is there to be changed."""
        decides = self.decides and (self.starts or asks_of_arguments(statement))
        return taken(statement, self.expand) if decides else None

    def _undecided(self, statement: Undecided) -> Iterator[Simple]:
        outer, self.broken = self.broken, None
        before, rooted = self.state.variables, self.state.rooted
        after: list[dict[str, str | list[str]]] = [before] if len(statement.bodies) < 2 else []
        for body in statement.bodies:
            self.characters_left -= len(before)
            self.state.variables, self.state.rooted = dict(before), dict(rooted)
            yield from self._ending(body, ends=True)
            if not self.ended:
                after.append(self.state.variables)
            self.ended = False
            rooted = {**rooted, **self.state.rooted}
        after = after or [before]
        merged: dict[str, str | list[str]] = {}
        for name in {name for variables in after for name in variables}:
            values = [variables.get(name) for variables in after]
            first = values[0]
            same = first is not None and all(value == first for value in values)
            merged[name] = first if same and first is not None else in_common(name, values)
        self.state.variables, self.state.rooted = merged, rooted
        self.broken = outer

    def _group(self, group: Group) -> Iterator[Simple]:
        kept = (dict(self.state.variables), dict(self.state.rooted), self.state.folder)
        yield from self.block(group.body)
        if group.subshell:
            self.ended = False
            self.state.variables, self.state.rooted, self.state.folder = kept

    def _simple(self, raw: list[Token]) -> Iterator[Simple]:
        assignments: list[tuple[str, str | list[str], bool]] = []
        places: dict[str, Token] = {}
        rest = list(raw)
        while rest and (match := ASSIGNMENT.match(rest[0].text)) is not None:
            places[match.group(1)] = rest.pop(0)
            assignments.append(self._assigned(match, places[match.group(1)]))
            if len(rest) == 0:
                self.state.places.update(places)
                for key, value, from_here in assignments:
                    self._assign(key, value, from_here=from_here)
                return
        words = [_placed(text, token) for token in rest for text in self.expand(token)]
        if not words:
            return
        if not words[0].file:
            self.own = words[0]
        name = words[0].text
        if name in {"export", "declare", "local", "readonly", "typeset"}:
            self._declare(name, rest[1:])
        elif name == "cd":
            targets = [word.text for word in words[1:] if word.text == "-" or not word.text.startswith("-")]
            self._change_folder(targets[0] if targets else UnknownWord("~"))
        elif name in self.functions and self.deep < _CALLS_DEEP:
            yield from self._call(name, words[1:])
        elif name == "break" and self.broken is not None:
            self.broken = True
        elif name == "exit" and self.ends:
            self.ended = True
        elif name == "shift":
            self._shift(words[1].text if len(words) > 1 else "1")
        elif name in {".", "source"} and len(words) > 1 and posixpath.basename(words[1].text) == _PARSE_OPTIONS:
            self._take_options()
        elif name in {".", "source"} and len(words) > 1 and (found := self._sourced(words[1])) is not None:
            yield from self._source(words[1].text, *found)
        else:
            exported = {key: self.state.variables.get(key) for key in sorted(self.state.exported)}
            self.characters_left -= len(exported)
            held = {**exported, **{key: value for key, value, _ in assignments}}
            environment = {
                key: _placed(value, places.get(key) or self.state.places.get(key, rest[0]))
                for key, value in held.items()
                if isinstance(value, str)
            }
            simple = Simple(tuple(words), self.state.folder, environment, self.own or words[0])
            yield simple
            at = called_script([word.text for word in words])
            if at is not None and len(self.starts) < _STARTED_DEEP and self.times_started < _MOST_STARTED:
                found = self._found(words[at])
                if found is not None:
                    yield from self._run(simple, at, *found)

    def _sourced(self, word: Word) -> tuple[str, str] | None:
        """The path and the content of a file that is sourced, where it is known and not read already."""
        if len(self.sourced) >= _SOURCED_DEEP or self.times_sourced >= _MOST_SOURCED:
            return None
        return self._found(word)

    def _found(self, word: Word) -> tuple[str, str] | None:
        """The path and the content of a file, where it is known which is meant and it is not being read already."""
        if self.sources is None or not word.known or isinstance(self.state.folder, UnknownWord):
            return None
        found = self.sources(word.text, self.state.folder)
        return None if found is None or found[0] in self.sourced or found[0] in self.starts else found

    def _source(self, name: str, path: str, text: str) -> Iterator[Simple]:
        """Another script as a part of this one.

        What it may change, but not whatever is asked of it, stays as this script says: `utils/parse_options.sh` sets
        what its caller gives.
        """
        before, rooted = dict(self.state.variables), dict(self.state.rooted)
        self._assign("BASH_SOURCE", [name], from_here=True)
        self.sourced.append(path)
        self.times_sourced += 1
        self.characters_left -= len(text)
        yield from self.block(Parser(list(tokens(text, file=path))).block())
        self.sourced.pop()
        self.state.variables.pop("BASH_SOURCE", None)
        for key, value in before.items():
            if key == "BASH_SOURCE" or self._is_undecided(key):
                self._assign(key, value)
                if key in rooted:
                    self.state.rooted[key] = rooted[key]

    def _run(self, simple: Simple, at: int, path: str, text: str) -> Iterator[Simple]:
        """The commands of another script that is started with arguments: it knows what is exported, and nothing that it
        sets comes back."""
        held = {key: word.text for key, word in simple.environment.items()}
        held |= {name: value for _, name, value in variables_given([word.text for word in simple.words[:at]])}
        other = _Execution(held, sources=self.sources)
        other.base, other.state.folder = self.base, self.state.folder
        other.state.exported = set(held)
        other.state.places = dict(self.state.places)
        other.own = simple.stands
        other._assign("0", simple.words[at].text, from_here=True)
        other._assign("BASH_SOURCE", [simple.words[at].text], from_here=True)
        other._give([word.text for word in simple.words[at + 1 :]])
        other.starts = [*self.starts, *self.sourced, path]
        other.times_started = self.times_started + 1
        other.characters_left = self.characters_left - len(text)
        yield from other.block(Parser(list(tokens(text, file=path))).block())
        self.times_started, self.characters_left = other.times_started, other.characters_left

    def _call(self, name: str, arguments: list[Word]) -> Iterator[Simple]:
        kept = {key: value for key, value in self.state.variables.items() if is_positional(key)}
        self._give([word.text for word in arguments])
        self.deep += 1
        yield from self.block(self.functions[name])
        self.deep -= 1
        for key in [key for key in self.state.variables if is_positional(key)]:
            del self.state.variables[key]
        self.state.variables.update(kept)


def _placed(text: str, token: Token) -> Word:
    return Word(text, token.line, token.column, token.end_column, token.file)
