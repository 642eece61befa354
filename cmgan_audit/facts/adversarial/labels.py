"""Labels of a fixed size that a loss compares with a batch: `torch.ones(args.batch_size)`."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import TypeGuard

from cmgan_audit.facts.adversarial.batch_names import batch_tensor
from cmgan_audit.facts.classes import values_within
from cmgan_audit.facts.losses import is_loss
from cmgan_audit.facts.records import Loader
from cmgan_audit.facts.scene import Made
from cmgan_audit.facts.values import fact_of, same_object
from cmgan_audit.facts.view import View
from cmgan_audit.finding import Confidence, Step
from cmgan_audit.lazy_dataclasses import dataclass
from cmgan_audit.lazy_regex import regex
from cmgan_audit.program.domain.reasons import Cause, cause_of
from cmgan_audit.program.domain.values import Choice, Const, Instance, ListValue, Symbol, Value, options_of
from cmgan_audit.program.domain.values import Unknown as UnknownValue
from cmgan_audit.program.execution.trace import CallEvent, Context, innermost_function
from cmgan_audit.program.naming.modules import Module
from cmgan_audit.program.naming.names import canonical
from cmgan_audit.rules.record import Fact, Known, OneOf, Record, record_kind
from cmgan_audit.source.syntax import called_name, last_name, shown

_MAKERS = frozenset(
    "torch.ones torch.zeros torch.full torch.empty torch.Tensor torch.FloatTensor torch.cuda.FloatTensor".split()
)
# Arrays of which a tensor is made at once: `Tensor(np.ones((args.batch_size, 1)))`.
_ARRAYS = frozenset({"numpy.ones", "numpy.zeros", "numpy.full"})
_OF_ARRAYS = frozenset("Tensor FloatTensor tensor as_tensor from_numpy Variable".split())
# Methods that hand on a label of the same size, and those that fit it to the batch.
_SAME_SIZE = frozenset(
    "fill_ uniform_ requires_grad_ float double half view reshape unsqueeze squeeze flatten type_as detach clone mul "
    "mul_ add add_ sub random_ contiguous long expand pin_memory".split()
)
_FITTED = frozenset({"resize_", "resize_as_", "new_ones", "set_"})
# A test that compares the size of a batch.
_ASKS_SIZE = regex(r"(\blen\([^()]*\)|\.size\(0\)|\.shape\[0\]) (==|!=|<|>=) (?!1\b)")
_NOISE = frozenset({"torch.randn", "torch.normal"})
# Names that a file gives other names, in the order of the source, those that its losses compare, those that it cuts.
_InLosses = tuple[list[tuple[set[str], str]], set[str], set[str]]


@record_kind("label")
@dataclass(frozen=True, slots=True, kw_only=True)
class Label(Record):
    """A tensor of constants that a loss compares with the batches of a loader.

    Attributes:
        text: how it is made, as source text ("torch.ones(args.batch_size)").
        configured: whether its length is the loader's batch size as configured, not that of the batch at hand.
        longer_than_one: whether that length is more than one: a batch of one item is never short.
        role: of the loader, "train" or "eval".
        drop_last: whether the loader leaves a short last batch out.
        loader: the loader.
        batch: the name of a tensor of the batch in scope where the label is made; "" where none is known.
    """

    text: str
    configured: Fact
    longer_than_one: Fact
    role: Fact
    drop_last: Fact
    loader: Loader
    batch: str = ""


def configured_labels(view: View) -> Iterator[Label]:
    """The labels of a run whose length is the configured batch size of the loader that they are compared with."""
    makers = [event for event in view.scene.calls if _makes_label(view, event) and _length(event) is not None]
    if not makers or not view.scene.made:
        return
    uses = _Uses(view, makers)
    seen: set[tuple[object, int]] = set()
    for maker in makers:
        for context in uses.of(maker):
            found = _loader_around(view, context)
            length = _length(maker)
            if found is None or length is None or (maker.location, id(found[1])) in seen:
                continue
            made, loader = found
            if _leaves_short_out(context):
                continue
            if _is_same(length, made.arguments.get("batch_size", 1)):
                seen.add((maker.location, id(loader)))
                yield _label(view, maker, length, made, loader)


def _leaves_short_out(context: Context) -> bool:
    """Whether a batch was asked for its size before: `if len(noisy) < args.batch_size: continue`."""
    return any(_ASKS_SIZE.search(condition.text) for condition in context.conditions)


def _makes_label(view: View, event: CallEvent) -> bool:
    """Whether a call makes a tensor of a given size, or an array that becomes one at once."""
    name = canonical(event.callee)
    if name not in _ARRAYS:
        return name in _MAKERS
    node = view.code.node_of(event)
    holder = next(view.code.parents(event.location.path, node), None) if node is not None else None
    return isinstance(holder, ast.Call) and called_name(holder) in _OF_ARRAYS


def _label(view: View, maker: CallEvent, length: Value, made: Made, loader: Loader) -> Label:
    node = view.code.node_of(maker)
    size = fact_of(length, None)
    at_label = Step(maker.location, "the label has the configured batch size")
    at_loader = Step(loader.location, "the loader hands out batches of this size, the last one maybe shorter")
    trail = size.trail if isinstance(size, Known) else ()
    return Label(
        location=maker.location,
        anchor=innermost_function(maker.context),
        text="a label" if node is None else shown(node),
        configured=Known(True, (at_label, *trail, at_loader)),
        longer_than_one=_longer(size),
        role=loader.role,
        drop_last=loader.drop_last,
        loader=loader,
        batch=_batch_at_hand(view, maker, made),
    )


def _batch_at_hand(view: View, maker: CallEvent, made: Made) -> str:
    """The name of a tensor of the batch where a label is made inside the loop over its loader."""
    if made.arguments.get("collate_fn", 6) is not None:
        return ""  # only what torch itself stacks is known to have the items first
    passes = view.scene.passes_over(made.loader)
    loop = next((each.event.loop for each in passes if each.holds(maker.context)), None)
    return "" if loop is None else batch_tensor(view, maker, loop)


def _longer(size: Fact) -> Fact:
    """Whether a size is more than one; one that is only given at the start of the program may well be."""
    if isinstance(size, Known):
        return Known(size.value != 1, size.trail, size.condition, size.confidence)
    if isinstance(size, OneOf):
        options = [Known(each.value != 1, each.trail, each.condition, each.confidence) for each in size.options]
        return OneOf(tuple(options), size.trail)
    return Known(True, size.trail, confidence=Confidence.MEDIUM)


def _length(event: CallEvent) -> Value | None:
    """The first dimension of a tensor that is made, if it is a number of the configuration and not of a tensor."""
    given = event.arguments.get("size", 0)
    if isinstance(given, ListValue):
        given = given.items[0] if given.items else None
    if isinstance(given, Const):
        whole = isinstance(given.value, int) and not isinstance(given.value, bool)
        literal_one = given.value == 1 and all(step.location.line == event.location.line for step in given.trail)
        return given if whole and not literal_one else None
    return given if isinstance(given, Symbol | Choice | UnknownValue) else None


def _is_same(length: Value, batch: Value | None) -> bool:
    """Whether a length is the loader's batch size: the same number, the same formula, or the same required option.

    Of choices every option has to be; two values of which nothing is known may be anything.
    """
    if batch is None:
        return False
    lengths, sizes = options_of(length), options_of(batch)
    return len(lengths) == len(sizes) and all(
        _is_one(one.value, other.value) for one, other in zip(lengths, sizes, strict=True)
    )


def _is_one(length: Value, batch: Value) -> bool:
    if isinstance(length, Const) and isinstance(batch, Const):
        return length.value == batch.value is not None
    if isinstance(length, Symbol) and isinstance(batch, Symbol):
        return length.formula == batch.formula
    if isinstance(length, UnknownValue) and isinstance(batch, UnknownValue):
        required = cause_of(length.reason) is Cause.REQUIRED
        return required and length.reason == batch.reason and length.trail[:1] == batch.trail[:1]
    return False


def _loader_around(view: View, context: Context) -> tuple[Made, Loader] | None:
    """The loader whose loop an event happens in, the innermost."""
    around = (
        (made, record)
        for loop in reversed(context.loops)
        for single in view.scene.passes
        if single.event.loop is loop
        for made, record in view.made_loaders
        if same_object(made.loader, single.loader)
    )
    return next(around, None)


class _Uses:
    """Where labels are compared with something: the losses of the run, by the label."""

    def __init__(self, view: View, makers: list[CallEvent]) -> None:
        self._view = view
        self._made: dict[int, CallEvent] = {}
        self._fitted: set[int] = set()
        self._in_losses: dict[str, _InLosses] = {}
        self._compared: dict[int, list[Context]] = {id(maker): [] for maker in makers}
        for maker in makers:
            if isinstance(maker.result, Instance):
                self._made[id(maker.result.attrs)] = maker
        for event in view.scene.calls:
            self._note(event)

    def of(self, maker: CallEvent) -> list[Context]:
        """The contexts in which a label is compared; those of its making where a loss in the source names it."""
        if id(maker) in self._fitted:
            return []
        return self._compared[id(maker)] or ([maker.context] if _named_in_loss(self._view, self, maker) else [])

    def in_losses(self, module: Module) -> _InLosses:
        """What the executed code of a file gives other names, which its losses compare, and which hold a part of
        themselves: `ones = ones[: len(batch)]`."""
        if module.path not in self._in_losses:
            renamed: list[tuple[set[str], str]] = []
            compared: set[str] = set()
            cut: set[str] = set()
            for reached in self._view.code.reached:
                for node in reached.own_nodes() if reached.module is module else ():
                    if isinstance(node, ast.Assign) and isinstance(node.value, ast.Name):
                        renamed.append((_assigned_names(node), node.value.id))
                    compared |= _compared(node)
                    if isinstance(node, ast.Assign) and _is_part(node.value):
                        cut |= _assigned_names(node) & {last_name(node.value.value)}
            self._in_losses[module.path] = renamed, compared, cut
        return self._in_losses[module.path]

    def _note(self, event: CallEvent) -> None:
        member = event.callee.rpartition(".")[2]
        label = self._label(event.receiver)
        if label is not None and member in _FITTED:
            self._fitted.add(id(label))
        if label is not None and member in _SAME_SIZE and isinstance(event.result, Instance):
            self._made.setdefault(id(event.result.attrs), label)
        if is_loss(event.callee):
            given = event.arguments.every
            noise = any(_of_noise(value) for value in given)
            for value in given:
                for part in values_within(value, 3):
                    label = self._label(part)
                    if label is not None and not noise:
                        self._compared[id(label)].append(event.context)

    def _label(self, value: Value | None) -> CallEvent | None:
        return self._made.get(id(value.attrs)) if isinstance(value, Instance) else None


def _of_noise(value: Value) -> bool:
    """Whether what a label is compared with is made from noise of a configured size too, not from a batch."""
    return any(draw.callee in _NOISE for part in values_within(value, 3) for draw in part.draws)


def _named_in_loss(view: View, uses: _Uses, maker: CallEvent) -> bool:
    """Whether the name, key or attribute that a label is given to stands in a loss of the same file."""
    node = view.code.node_of(maker)
    module = view.code.module(maker.location.path)
    if node is None or module is None:
        return False
    names: set[str] = set()
    for parent in view.code.parents(maker.location.path, node):
        if _is_part(parent):
            return False  # it is cut to the batch
        if isinstance(parent, ast.Assign | ast.AnnAssign):
            targets = parent.targets if isinstance(parent, ast.Assign) else [parent.target]
            names = {last_name(target) for target in targets} - {""}
        if isinstance(parent, ast.stmt):
            break
    renamed, compared, cut = uses.in_losses(module)
    if names & cut:
        return False
    for more, given in renamed:  # `outputs["ones"] = ones` gives it another name
        if given in names:
            names |= more
    return not names.isdisjoint(compared)


def _is_part(node: ast.AST) -> TypeGuard[ast.Subscript]:
    """Whether an expression takes a slice of something, not one item."""
    return isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Slice | ast.Tuple)


def _assigned_names(node: ast.Assign) -> set[str]:
    return {last_name(target) for target in node.targets} - {""}


def _compared(node: ast.AST) -> set[str]:
    """The names that a loss compares: what it is called with, or one side of a difference."""
    if isinstance(node, ast.Call):
        called = ast.unparse(node.func).lower().rpartition(".")[2]
        if any(word in called for word in ("loss", "criterion", "mse", "bce")):
            return set().union(*map(_whole, node.args))
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Sub):
        return _whole(node.left) | _whole(node.right)
    return set()


def _whole(node: ast.expr) -> set[str]:
    """The names that an expression stands for as a whole; a slice of one is fitted to the batch."""
    if isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Constant):
        return {str(node.slice.value)}
    if isinstance(node, ast.Name | ast.Attribute):
        return {last_name(node)}
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        return _whole(node.func.value)
    if isinstance(node, ast.BinOp):
        return _whole(node.left) | _whole(node.right)
    return set()
