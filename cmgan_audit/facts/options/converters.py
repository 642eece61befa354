"""What the `type=` of an option makes of a text: some callables that read like types do not read texts at all."""

from __future__ import annotations

from cmgan_audit.facts.values import constant
from cmgan_audit.lazy_dataclasses import dataclass
from cmgan_audit.program.domain.values import Const, External, FunctionValue, Instance, ListValue, Value
from cmgan_audit.program.execution.probe import call_value
from cmgan_audit.program.execution.trace import Run

BOOL, REFUSED, TEXT = "bool", "refused", "text"

_SPLITTING = {"builtins.list": "list", "builtins.tuple": "tuple", "builtins.set": "set", "builtins.frozenset": "set"}
# Called with a text, these raise: argparse ends the program with "invalid dict value".
_REFUSING = ("builtins.dict", "builtins.bytes", "typing.List", "typing.Tuple", "typing.Dict", "typing.Set")
_SAMPLE = "0.1"
OFF = frozenset({"false", "f", "no", "n", "off", "0", "none", "null"})


@dataclass(frozen=True, slots=True)
class Converter:
    """A `type=` that gives something else than the text says.

    Attributes:
        kind: "bool" (every text but the empty one is True), "text" (it stays a text, and is asked as if it were a truth
            value), "list", "tuple" or "set" (a text is split into its characters), or "refused" (no text is accepted).
        name: as it is written in the program, for messages.
    """

    kind: str
    name: str

    def changes(self, text: str) -> bool:
        """Whether this text means something else than what comes out; a text without off-words means True."""
        return text.strip().lower() in OFF if self.kind in (BOOL, TEXT) else True

    def outcome(self, text: str) -> str:
        """What comes out, as Python writes it."""
        if self.kind in (BOOL, TEXT):
            return repr(bool(text))
        if self.kind == "list":
            return repr(list(text))
        return repr(tuple(text)) if self.kind == "tuple" else "a set of its characters"


def misleading(run: Run, kind: Value | None, parser: Instance) -> Converter | None:
    """The converter behind the `type=` of an option when it misreads texts, else None.

    A function of the tree is tried on two texts.
    """
    if isinstance(kind, External):
        if kind.name == "builtins.bool":
            return Converter(BOOL, "bool")
        if kind.name in _SPLITTING:
            return Converter(_SPLITTING[kind.name], kind.name.removeprefix("builtins."))
        if kind.name in _REFUSING:
            return Converter(REFUSED, kind.name.rpartition(".")[2])
        return None
    if not isinstance(kind, FunctionValue):
        return None
    if all(constant(_result(run, kind, word, parser)) is True for word in ("False", "0")):
        return Converter(BOOL, _named(kind))
    split = _result(run, kind, _SAMPLE, parser)
    if isinstance(split, ListValue) and split.complete and split.kind in ("list", "tuple"):
        characters = [item.value for item in split.items if isinstance(item, Const)]
        if characters == list(_SAMPLE) and len(characters) == len(split.items):
            return Converter(split.kind, _named(kind))
    return None


def _result(run: Run, function: FunctionValue, text: str, parser: Instance) -> Value:
    return call_value(run, function, [Const(value=text)], parser)[1]


def _named(function: FunctionValue) -> str:
    name = function.qualname.rpartition(".")[2]
    return name if name.isidentifier() else "lambda"
