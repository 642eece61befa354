"""What the commands of a shell script do to its variables, its arguments and the folder that it stands in."""

from __future__ import annotations

import posixpath
import re

from cmgan_audit.lazy_regex import regex
from cmgan_audit.source.shell.calls import options_given
from cmgan_audit.source.shell.expansion import Expansion, UnknownWord, joined, spaced, undecided_value
from cmgan_audit.source.shell.words import Token, tokens

ASSIGNMENT = regex(r"([A-Za-z_][A-Za-z0-9_]*)(\+?)=")
_ARGUMENT = 10  # as many characters take the time of an argument that is handed over


class Variables(Expansion):
    """An expansion whose variables are written, too: by assignments, `export`, `cd`, `shift`, and what is given."""

    def _assign(self, name: str, value: str | list[str], *, from_here: bool = False) -> None:
        self.state.variables[name] = value
        self.state.rooted.pop(name, None)
        if from_here:
            self.state.rooted[name] = self.state.folder

    def _assigned(self, match: re.Match[str], token: Token) -> tuple[str, str | list[str], bool]:
        """The name and the value (a list for an array) of an assignment, and whether it is a path that counts from the
        present folder; nothing is written yet."""
        name, raw = match.group(1), token.text[match.end() :]
        self.from_here = False
        if raw.startswith("("):
            inner = [word for part in tokens(raw[1:-1]) if not part.operator for word in self.expand(part)]
            if match.group(2):
                held = self.state.variables.get(name, [])
                inner = [*(held if isinstance(held, list) else [held]), *inner]
            return name, inner, False
        value = self.text_of(raw)
        if match.group(2):
            held = self.state.variables.get(name, "")
            value = joined([held if isinstance(held, str) else spaced(held), value])
        return name, value, self.from_here

    def _declare(self, command: str, parts: list[Token]) -> None:
        for token in parts:
            match = ASSIGNMENT.match(token.text)
            name = match.group(1) if match else token.text
            if match is not None:
                _, value, from_here = self._assigned(match, token)
                self._assign(name, value, from_here=from_here)
                self.state.places[name] = token
            if command == "export":
                self.state.exported.add(name)

    def _change_folder(self, target: str) -> None:
        now = self.state.folder
        if target == "-":
            self.state.folder, self.state.left = self.state.left, now
            return
        self.state.left = now
        if isinstance(target, UnknownWord) or target.startswith(("/", "~")):
            self.state.folder = UnknownWord(target)
        else:
            folder = posixpath.normpath(posixpath.join(now, target))
            self.state.folder = UnknownWord(folder) if isinstance(now, UnknownWord) else folder if folder != "." else ""

    def _give(self, arguments: list[str]) -> None:
        """The arguments of a function or a script, in place of those that it had."""
        for key in [key for key in self.state.variables if is_positional(key)]:
            del self.state.variables[key]
        for position, text in enumerate(arguments, 1):
            self.state.variables[str(position)] = text
        self.state.variables["@"] = arguments
        self.characters_left -= _ARGUMENT * len(arguments)
        if not any(isinstance(text, UnknownWord) for text in arguments):
            self.state.variables["#"] = str(len(arguments))

    def _shift(self, count: str) -> None:
        given = self.state.variables.get("@")
        if isinstance(given, list) and count.isdigit():
            self._give(given[int(count) :])

    def _take_options(self) -> None:
        given = self.state.variables.get("@")
        if isinstance(given, list):
            variables, rest = options_given(given)
            for key, value in variables.items():
                self._assign(key, value)
            self._give(rest)

    def _is_undecided(self, name: str) -> bool:
        """Whether a variable holds this or that, depending on what is asked of the script."""
        held = self.state.variables.get(name)
        return isinstance(held, UnknownWord) and (held.pieces or (held,))[-1] == undecided_value(name)


def is_positional(name: str) -> bool:
    """Whether a variable is one of what a function or a script is given: `$1`, `$@`; `$0` stays in a function."""
    return name in {"@", "#"} or (name.isdigit() and name != "0")
