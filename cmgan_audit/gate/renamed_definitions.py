"""Classes and functions that only got another name or place: what two texts of a tree say about them."""

from __future__ import annotations

import ast
import builtins
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cached_property

from cmgan_audit.gate.renamed_variables import LEAST_ALIKE, MOST_PAIRS, UNITS, Words, alike_share, statements, words_of
from cmgan_audit.lazy_dataclasses import dataclass
from cmgan_audit.lazy_regex import regex
from cmgan_audit.source.discovery import Failure
from cmgan_audit.source.python_file import parse_python
from cmgan_audit.source.syntax import NamedFunction

# So much of the statements of two definitions has to be alike where the names that only one of them has do not count,
# and so many of these have to say more than such names.
LEAST_ALIKE_IN_SHAPE = 0.8
LEAST_SAID = 3
# Where more pairs than these are built alike, they cannot be told apart by it, and to look at each takes minutes.
MOST_OF_ONE_SHAPE = 400
# Names that say nothing of what a function is for.
_EVERYWHERE = frozenset({"self", "cls", *dir(builtins)})

# A path and a dotted name there, "" for the file itself.
Key = tuple[str, str]

_HEADS = regex(rb"^([ \t]*)(?:async[ \t]+def|def|class)[ \t]+(\w+)", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Definition:
    """A class or a function: its file, its dotted name there, its kind, and its lines in the file.

    The file itself has no name.
    """

    path: str
    name: str
    kind: str
    first: int
    last: int

    @property
    def key(self) -> Key:
        """What tells it apart in a tree."""
        return self.path, self.name

    @property
    def outer(self) -> Key:
        """What it stands in."""
        return self.path, self.name.rpartition(".")[0]

    @property
    def word(self) -> str:
        """The last part of its name."""
        return self.name.rpartition(".")[2]

    @property
    def depth(self) -> int:
        """How many others it stands in."""
        return self.name.count(".")


@dataclass(frozen=True)
class Text:
    """What a definition says: its statements with its head, with a mark in place of its name.

    Layout is left out: a formatter may have been there too.
    """

    definition: Definition
    lines: tuple[Words, ...]

    @cached_property
    def parts(self) -> Counter[str]:
        """How often it has each statement."""
        return _joined(Counter(self.lines))

    @cached_property
    def names(self) -> frozenset[str]:
        """The names in it."""
        return frozenset(word for line in self.lines for word in line if word.isidentifier())

    @cached_property
    def shape(self) -> Counter[str]:
        """Its statements without any name."""
        return _joined(self.shape_beside(frozenset()))

    def shape_beside(self, names: frozenset[str]) -> Counter[Words]:
        """Its statements without the names that are not among these."""
        own = self.names - names
        return Counter(tuple("_?" if word in own else word for word in line) for line in self.lines)


def _joined(parts: Counter[Words]) -> Counter[str]:
    """The same as texts, which are hashed once: every pair of definitions is compared."""
    return Counter(" ".join(words) for words in parts.elements())


def definitions(path: str, data: bytes) -> Iterator[tuple[Definition, ast.AST]]:
    """A Python file, its classes and functions, outer ones first; nothing of a file that cannot be parsed."""
    parsed = parse_python(path, data)
    if isinstance(parsed, Failure):
        return
    yield Definition(path, "", "file", 1, len(parsed.lines)), parsed.tree
    waiting: list[tuple[ast.AST, str]] = [(parsed.tree, "")]
    while waiting:
        node, outer = waiting.pop()
        name = outer
        if isinstance(node, ast.ClassDef | NamedFunction):
            name = f"{outer}.{node.name}" if outer else node.name
            kind = "class" if isinstance(node, ast.ClassDef) else "function"
            yield Definition(path, name, kind, node.lineno, node.end_lineno or node.lineno), node
        waiting += reversed([(each, name) for each in ast.iter_child_nodes(node) if isinstance(each, UNITS)])


def renamed_definitions(before: Mapping[str, bytes], now: Mapping[str, bytes]) -> list[tuple[Definition, Definition]]:
    """Every definition that is there no more, with the one that has come in its place.

    Args:
        before: the Python files that changed, as they were.
        now: the same as they are, by the paths that they had, which are those of what is returned.
    """
    old, new = ({path: _heads(data) for path, data in side.items()} for side in (before, now))
    none: Counter[bytes] = Counter()
    if all(heads <= new.get(path, none) for path, heads in old.items()):
        return []  # nothing went; to parse is what costs
    gone: list[Text] = []
    come: list[Text] = []
    for path in sorted({*old, *new}):
        if old.get(path, none) != new.get(path, none):
            went, came = _went_and_came(path, before.get(path, b""), now.get(path, b""))
            gone += went
            come += came
    return _pair_up(gone, come)


def _heads(data: bytes) -> Counter[bytes]:
    """What a file defines, as far as its bytes and their indents tell."""
    found: Counter[bytes] = Counter()
    around: list[tuple[int, bytes]] = []
    for indent, word in _HEADS.findall(data):
        while around and around[-1][0] >= len(indent):
            around.pop()
        around.append((len(indent), word))
        found[b".".join(name for _, name in around)] += 1
    return found


def _went_and_came(path: str, before: bytes, now: bytes) -> tuple[list[Text], list[Text]]:
    """What one file defines no more, and what it did not define."""
    old, new = ({each: node for each, node in definitions(path, data) if each.name} for data in (before, now))
    were, are = ({each.key for each in side} for side in (old, new))
    return (
        [Text(each, _lines(each, node)) for each, node in old.items() if each.key not in are],
        [Text(each, _lines(each, node)) for each, node in new.items() if each.key not in were],
    )


def _lines(definition: Definition, node: ast.AST) -> tuple[Words, ...]:
    parts = (words_of(node), *statements(node))
    return tuple(tuple("@" if word == definition.word else word for word in words) for words in parts)


def _pair_up(gone: Sequence[Text], come: Sequence[Text]) -> list[tuple[Definition, Definition]]:
    """Pairs of definitions that are one under two names: first those of equal text, then the most alike, then those
    that say the same of other variables.

    Outer ones come first. What stands in one goes with it: methods of two classes often read the same.
    """
    pairs = _Pairs(gone, come)
    depths = sorted({text.definition.depth for text in come})
    for fits in [*(_of_depth(depth) for depth in depths), _of_any_depth]:
        old = [text for text in gone if text.definition.key not in pairs.before and fits(text)]
        new = [text for text in come if text.definition.key not in pairs.now and fits(text)]
        for look in (pairs.equal, pairs.alike, pairs.alike_in_shape):
            look(
                [text for text in old if text.definition.key not in pairs.before],
                [text for text in new if text.definition.key not in pairs.now],
            )
    return pairs.found


def _alike_but_for_names(old: Text, new: Text) -> bool:
    """Whether two texts are alike without the names of only one, and still say something then."""
    shared = old.names & new.names
    earlier, later = (text.shape_beside(shared) for text in (old, new))
    telling = shared - _EVERYWHERE
    said = [
        words for words in earlier & later if any(word in telling or word.startswith("=") for word in words)
    ]  # not only by how they are built
    return alike_share(earlier, later) >= LEAST_ALIKE_IN_SHAPE and len(said) >= LEAST_SAID


def _of_depth(depth: int) -> Callable[[Text], bool]:
    return lambda text: text.definition.depth == depth


def _of_any_depth(text: Text) -> bool:
    """What left its class, or came into one."""
    return True


class _Pairs:
    """Pairs that were found, by the keys of both sides."""

    def __init__(self, gone: Iterable[Text], come: Iterable[Text]) -> None:
        self._gone, self._come = ({text.definition.key for text in side} for side in (gone, come))
        self.found: list[tuple[Definition, Definition]] = []
        self.before: dict[Key, Key] = {}
        self.now: dict[Key, Key] = {}

    def equal(self, gone: Iterable[Text], come: Iterable[Text]) -> None:
        """Pair those that say the same."""
        by_text: dict[tuple[str, tuple[Words, ...]], list[Definition]] = {}
        for text in come:
            by_text.setdefault((text.definition.kind, text.lines), []).append(text.definition)
        for text in gone:
            before = text.definition
            same = [now for now in by_text.get((before.kind, text.lines), ()) if self._may_be(before, now)]
            if same:
                now = max(same, key=lambda now: (now.word == before.word, now.path == before.path))
                by_text[before.kind, text.lines].remove(now)
                self._add(before, now)

    def alike(self, gone: Sequence[Text], come: Sequence[Text]) -> None:
        """Pair those that say nearly the same; what changed its file, its name and its text is another."""
        found = [
            (share, old.definition, new.definition)
            for old, new in self._candidates(gone, come)
            if (share := alike_share(old.parts, new.parts)) >= LEAST_ALIKE
        ]
        for _, before, now in sorted(found, key=lambda each: -each[0]):  # of equals the first of the tree
            if before.key not in self.before and now.key not in self.now:
                self._add(before, now)

    def alike_in_shape(self, gone: Sequence[Text], come: Sequence[Text]) -> None:
        """Pair those that nearly say the same but for names that only one of them has, where each is the only one."""
        built_alike = [
            (old, new)
            for old, new in self._candidates(gone, come)
            if alike_share(old.shape, new.shape) >= LEAST_ALIKE_IN_SHAPE
        ]
        if len(built_alike) > MOST_OF_ONE_SHAPE:
            return
        found = [(old.definition, new.definition) for old, new in built_alike if _alike_but_for_names(old, new)]
        olds, news = (Counter(pair[side].key for pair in found) for side in (0, 1))
        for before, now in found:
            if olds[before.key] == news[now.key] == 1:
                self._add(before, now)

    def _candidates(self, gone: Sequence[Text], come: Sequence[Text]) -> list[tuple[Text, Text]]:
        """Which may be one though their texts differ."""
        if len(gone) * len(come) > MOST_PAIRS:
            return []
        return [
            (old, new)
            for old in gone
            for new in come
            if old.definition.kind == new.definition.kind
            and (old.definition.path == new.definition.path or old.definition.word == new.definition.word)
            and self._may_be(old.definition, new.definition)
        ]

    def _may_be(self, before: Definition, now: Definition) -> bool:
        """Whether what stands around two definitions lets them be one."""
        old, new = before.outer, now.outer
        if self.now.get(new, new) == old or not (old[1] or new[1]):
            return True
        if old in self.before or new in self.now:
            return False
        moved = old[1] == new[1] and old in self._gone and new in self._come  # and was much changed on the way
        return before.path == now.path or moved

    def _add(self, before: Definition, now: Definition) -> None:
        self.found.append((before, now))
        self.before[before.key] = now.key
        self.now[now.key] = before.key
