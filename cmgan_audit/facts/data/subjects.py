"""What a cut is about: the clean or the noisy signal, told by the names on the way to it."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import replace
from typing import Self

from cmgan_audit.facts.bindings import names_bound
from cmgan_audit.facts.name_words import name_words
from cmgan_audit.facts.view import View
from cmgan_audit.lazy_dataclasses import dataclass
from cmgan_audit.program.execution.trace import CallEvent, Event, Frame
from cmgan_audit.source.syntax import NamedFunction, bound_in, called_name, positional_parameters, shown, walk, words_in

CLEAN, NOISY = "clean", "noisy"
# What separation takes out of a mixture is the voice; the other stems have too many names.
_CLEAN_WORDS = frozenset(
    "clean target tgt reference ref gt groundtruth label dry anechoic hr hq wideband wb voice vocal vocals".split()
)
_NOISY_WORDS = frozenset(
    "noisy mix mixture mixed degraded corrupted distorted reverberant wet lr lq narrowband nb noised".split()
)
# What echo cancellation hears is the microphone, and what it is to give the speech at the near end. A clean signal may
# be one of a microphone, too, and the microphone is at the near end: the words tell where no surer one does, in order.
_ECHO_WORDS = ((frozenset({"mic", "microphone"}), NOISY), (frozenset({"nearend"}), CLEAN))
_NOISE_WORDS = frozenset("noise noises rir ir irs impulse response interferer interference".split())
# What a network gets is the noisy signal, but functions call many a signal their input: it tells where nothing else
# does. So does what was recorded, or came through a channel: clean speech and noise are recorded, too.
_INPUT_WORDS = frozenset("input inputs src".split())
_WEAK_WORDS = _INPUT_WORDS | {"recorded", "dirty", "impaired", "lossy", "compressed"}
# What calls that add one signal to another are called: `torch.add`, `add_noise`, `mix`.
_MIXING_WORDS = frozenset({"add", "mix"})
# How many assignments and calls a name is followed back: a helper reads, turns, mixes down and scales before it cuts.
_FAR = 10

_ITEM = "__getitem__"


@dataclass(frozen=True, slots=True)
class Subject:
    """A signal: which of the two it is ("" when the names do not tell), and what it is called there.

    `item` is what it is taken out of a collection by ("index" of `self.noisy[index]`), empty where it is not.
    `called_input` is whether nothing but that, or a word as weak, tells of it, in the function that cuts it.
    """

    side: str
    name: str
    item: str = ""
    called_input: bool = False

    @classmethod
    def of(cls, side: str, node: ast.expr) -> Self:
        """The signal of an expression."""
        return cls(side, shown(node, 40), _item_of(node))

    def may_belong_to(self, other: Subject) -> bool:
        """Whether two signals may be of one pair: not where each is taken by an index of its own, as unpaired ones."""
        return not self.item or not other.item or self.item == other.item


def _item_of(node: ast.expr) -> str:
    match node:
        case ast.Subscript(slice=ast.Constant() | ast.Slice() | ast.Tuple()):
            return ""
        case ast.Subscript(slice=index):
            return ast.unparse(index)
    return ""


def side_of(node: ast.AST) -> str:
    """What the names in an expression say; "" for neither, both, or noise alone."""
    words = _words(node)
    clean, noisy = bool(words & _CLEAN_WORDS), bool(words & _NOISY_WORDS)
    if (clean and noisy) or words & _NOISE_WORDS:
        return ""
    if not clean and not noisy:
        return next((side for some, side in _ECHO_WORDS if words & some), "")
    return CLEAN if clean else NOISY


def is_mixed_in(function: ast.AST) -> bool:
    """Whether what a function calls its input is added to the clean signal.

    `clean + gain * input` is the mixture, and so is `add_noise(clean, recorded, snr)`.
    """
    for node in walk(function):
        match node:
            case ast.BinOp(op=ast.Add(), left=one, right=other) | ast.AugAssign(op=ast.Add(), target=one, value=other):
                parts = (_words(one), _words(other))
            case ast.Call(args=[one, other, *_]) if _adds(called_name(node)):
                parts = (_words(one), _words(other))
            case _:
                continue
        if any(
            one & _CLEAN_WORDS and not other & _CLEAN_WORDS and other & _WEAK_WORDS
            for one, other in (parts, parts[::-1])
        ):
            return True
    return False


def _adds(called: str) -> bool:
    return not _MIXING_WORDS.isdisjoint(name_words(called))


def is_noise(node: ast.AST) -> bool:
    """Whether the names in an expression speak of noise alone or of a room."""
    words = _words(node)
    return bool(words & _NOISE_WORDS) and not words & (_CLEAN_WORDS | _NOISY_WORDS)


def _is_input_by_key(node: ast.AST) -> bool:
    """Whether an item is taken as the input: `path["inputs"]`, where a parameter of that name might hold anything."""
    parts = (part.slice for part in walk(node) if isinstance(part, ast.Subscript))
    return any(isinstance(key, ast.Constant) and key.value in _INPUT_WORDS for key in parts)


def _words(node: ast.AST) -> set[str]:
    names = list(_names(node))
    words = {word for name in names for word in name_words(name)} | {name.lower() for name in names}
    return words | {word.removesuffix("s") for word in words if len(word) > 3}


def _names(node: ast.AST) -> Iterator[str]:
    return (word for word in words_in(node) if len(word) < 60)


def subject_of(view: View, event: Event) -> list[Subject]:
    """What an event cuts: one signal, or both where one loop or comprehension goes over the two."""
    node = _cut_expression(view.code.node_of(event), event)
    frames = list(event.context.frames)
    called_input: list[Subject] = []
    for _ in range(_FAR):
        if node is None:
            return called_input
        if is_noise(node):
            return []
        side = side_of(node)
        if side:
            return [Subject.of(side, node)]
        if _is_input_by_key(node):
            return [Subject.of(NOISY, node)]
        both = _both_sides(node)
        if both:
            return both
        if not called_input and _words(node) & _WEAK_WORDS and _words(node).isdisjoint(_CLEAN_WORDS | _NOISY_WORDS):
            called_input = [replace(Subject.of(NOISY, node), called_input=True)]
        function = frames[-1].value.node if frames and frames[-1].value is not None else None
        name = _followed(node, function)
        source, beside = _assigned(function, name, node)
        if source is not None:
            if called_input and any(_words(each) & _CLEAN_WORDS for each in beside):
                return called_input  # `inputs, targets = mix(clean, noise)`: what goes in is the mixture
            node = source
            continue
        if len(frames) <= 1:  # the first is ours
            return called_input
        node = _argument(view, frames.pop(), name)
        called_input = []
    return called_input


def _cut_expression(node: ast.AST | None, event: Event) -> ast.expr | None:
    """The expression of the signal in `signal[a:b]`, `signal.narrow(...)`, `load(path, ...)`, `crop(signal)`."""
    if isinstance(node, ast.Expr | ast.Await | ast.Assign | ast.Return):
        node = node.value
    if isinstance(node, ast.Subscript):
        return node.value
    if isinstance(node, ast.Call):
        if isinstance(event, CallEvent) and event.receiver is not None and isinstance(node.func, ast.Attribute):
            if event.callee.endswith((".narrow", ".seek", ".setpos")):
                return node.func.value
        return node.args[0] if node.args else None
    return None


def _followed(node: ast.expr, function: ast.AST | None) -> str:
    """The name in an expression that is followed back: the first that the function itself gives or is given."""
    names = [part.id for part in walk(node) if isinstance(part, ast.Name)]
    own = names_bound(function) - {"self", "cls"} if function is not None else frozenset[str]()
    return next((name for name in names if name in own), names[0] if names else "")


def _assigned(function: ast.AST | None, name: str, before: ast.expr) -> tuple[ast.expr | None, list[ast.Name]]:
    """What the function last gave a name above an expression, or what its loop or comprehension takes it from.

    With it come the other names that get a part of the same.
    """
    found: ast.expr | None = None
    bound: list[ast.Name] = []
    for node in walk(function) if function is not None and name else ():
        if isinstance(node, ast.Assign) and node.lineno < before.lineno:
            names = [part for target in node.targets for part in bound_in(target)]
            targets = [part.id for part in names]
            if name in targets and _told(node.value, name) and not _changes_all(node.value, targets):
                if found is None or node.lineno >= found.lineno:
                    found, bound = node.value, names
        elif (
            isinstance(node, ast.For | ast.comprehension)
            and found is None
            and name in {part.id for part in bound_in(node.target)}
        ):
            found, bound = node.iter, bound_in(node.target)
    return found, [each for each in bound if each.id != name]


def _told(value: ast.expr, name: str) -> bool:
    """Whether an assignment tells more than `x = f(x)`."""
    return any(part != name for part in _names(value)) and not (
        isinstance(value, ast.Subscript) and isinstance(value.value, ast.Name) and value.value.id == name
    )


def _changes_all(value: ast.expr, targets: list[str]) -> bool:
    """`a, b = normalise(a, b)`: each stays what it was."""
    return len(targets) > 1 and set(targets) <= set(_names(value))


def _both_sides(source: ast.expr) -> list[Subject]:
    """`for x in (noisy, clean)`: each pass cuts one of the two."""
    items = source.elts if isinstance(source, ast.Tuple | ast.List) else []
    sides = [Subject.of(side_of(item), item) for item in items]
    return sides if {CLEAN, NOISY} <= {subject.side for subject in sides} else []


def _argument(view: View, frame: Frame, name: str) -> ast.expr | None:
    """What the caller of a function gave for a parameter."""
    module = view.code.module(frame.call.path)
    if module is None or frame.value is None or not name:
        return None
    call = view.code.node_at(frame.call)
    if isinstance(call, ast.Expr | ast.Await):
        call = call.value
    if (
        isinstance(call, ast.Subscript)
        and isinstance(frame.value.node, NamedFunction)
        and frame.value.node.name == _ITEM
    ):
        return call  # of two sets that are indexed side by side each cuts its own
    if not isinstance(call, ast.Call):
        return None
    parameters = [parameter.arg for parameter in positional_parameters(frame.value.node.args)]
    if name not in parameters:
        return None
    if isinstance(call.func, ast.Name) and call.func.id == "map" and len(call.args) == 2:
        return call.args[1]  # `map(cut, (clean, noisy))`: each call gets one of them
    for keyword in call.keywords:
        if keyword.arg == name:
            return keyword.value
    position = parameters.index(name) - int(frame.value.bound_to is not None)
    return call.args[position] if 0 <= position < len(call.args) else None
