"""Words for training, validation and test: in names, in paths, and in the keys by which items are read."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from cmgan_audit.facts.name_words import name_words
from cmgan_audit.facts.slices import Found, Slice
from cmgan_audit.lazy_regex import regex

TRAIN, VALID, TEST = "train", "valid", "test"

_KINDS = {
    TRAIN: regex(r"train(ing|set|s)?|tr|trn"),
    VALID: regex(r"val|vals|valset|valid(ation|set|ate|s)?|dev|devset|cv|vld|eval"),
    TEST: regex(r"test(ing|set|s)?|tst|tt"),
}
_GLUED = regex(r"(train|test|valid|val|dev)(set|ds|dl|loader|data|dataset|iter|gen|wav|wavs|files|list|dir|path)")


def kinds_in(text: str) -> set[str]:
    """The splits that a name speaks of."""
    found = set()
    for word in name_words(text):
        glued = _GLUED.fullmatch(word)
        plain = glued.group(1) if glued else word
        found |= {kind for kind, pattern in _KINDS.items() if pattern.fullmatch(plain)}
    return found


def kind_of_path(text: str) -> str:
    """The split of a path: that of its last part that speaks of exactly one."""
    for part in reversed(re.split(r"[/\\]", text)):
        kinds = kinds_in(part)
        if len(kinds) == 1:
            return kinds.pop()
    return ""


def keys_behind(behind: Slice) -> Iterator[tuple[Found, str]]:
    """The keys by which what is behind an expression was read: `valid` of `lists["valid"]`, `lists.get("valid")` and
    `args.valid`, each with the place where it is."""
    for found in (*behind.named, *behind.calls):
        match found.node:
            case (
                ast.Subscript(slice=ast.Constant(value=str() as key))
                | ast.Attribute(attr=key)
                | ast.Call(func=ast.Attribute(attr="get"), args=[ast.Constant(value=str() as key), *_])
            ):
                yield found, key


def validation_key(keys: Iterator[tuple[Found, str]]) -> tuple[Found, str] | None:
    """The first key that speaks of a validation set, where none speaks of a test set; what is read of the training set
    beside it may be there for all of them."""
    spoken = [(found, key, kinds) for found, key in keys if (kinds := kinds_in(key))]
    if any(TEST in kinds for _, _, kinds in spoken):
        return None
    return next(((found, key) for found, key, kinds in spoken if VALID in kinds), None)
