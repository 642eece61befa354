"""How scores pass through one function: its statements in order, branches joined, loops gone through twice."""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping, Sequence
from dataclasses import field

from cmgan_audit.facts.metrics.expressions import bind, element_of, grade_of, may_change
from cmgan_audit.facts.metrics.failing import asks_for_one_failure, item_fails
from cmgan_audit.facts.metrics.grades import NO_SCORES, Graded, Scores, combine, either, whole
from cmgan_audit.finding import Location
from cmgan_audit.lazy_dataclasses import dataclass
from cmgan_audit.program.naming.modules import Module
from cmgan_audit.source.statements import SAYS, calls_one, leaves
from cmgan_audit.source.syntax import walk

_TELLS = SAYS | {"write"}
_Loop = ast.For | ast.AsyncFor | ast.While
Called = Callable[[ast.Call, list[Graded], Mapping[str, Graded]], Graded | None]
Answered = Callable[[ast.Call], bool | None]
IsLoss = Callable[[ast.Call], bool]


@dataclass(frozen=True, slots=True, eq=False)
class Dropped:
    """A branch that drops a whole batch because one of its scores failed; `test` is the condition as text."""

    node: ast.If | ast.IfExp
    test: str


@dataclass(frozen=True, slots=True, eq=False)
class Difference:
    """Scores that something is subtracted from, or the other way round; `answer` is the side that holds none."""

    node: ast.BinOp
    target: Scores
    answer: int


@dataclass(slots=True, eq=False)
class Body:
    """One function as scores pass through it.

    Attributes:
        names: what variables hold at the statement that is looked at, by their text ("scores", "self.scores").
        attributes: what attributes hold that other methods of the file have set, by name.
        returned: what it gives back.
        answer: what it gives back where it asks whether a score failed: its truth value when one of a batch did.
        written: attributes that it sets.
        dropped: where it drops a batch.
        differences: what it subtracts from scores, or scores from.
    """

    module: Module
    call: Called
    asks: Answered
    is_loss: IsLoss
    attributes: Mapping[str, Graded]
    names: dict[str, Graded] = field(default_factory=dict)
    returned: Graded = NO_SCORES
    answer: bool | None = None
    written: dict[str, Graded] = field(default_factory=dict)
    dropped: list[Dropped] = field(default_factory=list)
    differences: list[Difference] = field(default_factory=list)
    _loops: list[bool] = field(default_factory=list)

    def place(self, node: ast.AST) -> Location:
        """Where a node stands."""
        return self.module.location(node)

    def attribute(self, text: str, name: str) -> Graded:
        """What an attribute holds: set here, or by another method."""
        return self.names[text] if text in self.names else self.attributes.get(name, NO_SCORES)

    def called(self, node: ast.Call, given: list[Graded], keywords: Mapping[str, Graded]) -> Graded | None:
        """What a call gives, as far as it is known."""
        return self.call(node, given, keywords)

    def answered(self, node: ast.Call) -> bool | None:
        """What a function of the tree answers that asks whether a score failed."""
        return self.asks(node)

    def subtracted(self, node: ast.BinOp, sides: tuple[Scores, Scores]) -> None:
        """Take note of a difference of which one side holds scores."""
        for number, side in enumerate(sides):
            if side == NO_SCORES and sides[1 - number] != NO_SCORES:
                self.differences.append(Difference(node, sides[1 - number], number))

    def run(self, statements: Sequence[ast.stmt]) -> None:
        """Go through statements in order."""
        for number, statement in enumerate(statements):
            self._statement(statement, statements[number + 1 :])

    def _statement(self, node: ast.stmt, rest: Sequence[ast.stmt]) -> None:
        match node:
            case ast.Assign():
                self._drops_in_value(node.value)
                value = grade_of(node.value, self)
                for target in node.targets:
                    self._assign(target, value)
            case ast.AnnAssign(value=ast.expr()):
                self._assign(node.target, grade_of(node.value, self))
            case ast.AugAssign():
                self._assign(node.target, combine((grade_of(node.target, self), grade_of(node.value, self))).reckoned())
            case ast.Return():
                if node.value is not None:
                    self._drops_in_value(node.value)
                    self.answer = asks_for_one_failure(node.value, self)
                self.returned = either(self.returned, grade_of(node.value, self))
            case ast.Expr():
                value = grade_of(node.value, self)
                if isinstance(node.value, ast.Call):
                    may_change(node.value, self)
                if isinstance(node.value, ast.Yield | ast.YieldFrom):
                    self.returned = either(self.returned, value)
            case ast.If():
                self._branch(node, rest)
            case ast.For() | ast.AsyncFor():
                self._loop(node, node.iter, node.target)
            case ast.While():
                self._loop(node, None, None)
            case ast.Try() | ast.TryStar():
                self._try(node)
            case ast.With() | ast.AsyncWith():
                for item in node.items:
                    grade_of(item.context_expr, self)
                self.run(node.body)
            case ast.Match():
                self._sides([case.body for case in node.cases])

    def _assign(self, target: ast.expr, value: Graded) -> None:
        if isinstance(target, ast.Tuple | ast.List):
            for number, each in enumerate(target.elts):
                same = isinstance(value, tuple) and len(value) == len(target.elts)
                self._assign(each, value[number] if isinstance(value, tuple) and same else whole(value))
            return
        text = ast.unparse(target)
        if isinstance(target, ast.Attribute):
            self.written[target.attr] = either(self.written.get(target.attr, NO_SCORES), value)
            self.names[text] = value
        elif isinstance(target, ast.Subscript):
            if isinstance(target.slice, ast.Constant) and isinstance(target.slice.value, str):
                self.names[text] = value
            else:
                base = ast.unparse(target.value)
                held = NO_SCORES if _is_everything(target.slice) else self.names.get(base, NO_SCORES)
                self.names[base] = combine([held, value])
        else:
            bind(target, value, self)

    def _sides(self, blocks: Sequence[Sequence[ast.stmt]]) -> None:
        """Run blocks of which one is taken, each from the same state, and join what they leave."""
        before = dict(self.names)
        after: list[dict[str, Graded]] = []
        for block in blocks:
            self.names = dict(before)
            self.run(block)
            if not leaves(block):
                after.append(self.names)
        self.names = dict(before)
        if after:
            for name in {name for side in after for name in side}:
                held: Graded = after[0].get(name, NO_SCORES)
                for side in after[1:]:
                    held = either(held, side.get(name, NO_SCORES))
                self.names[name] = held

    def _branch(self, node: ast.If, rest: Sequence[ast.stmt]) -> None:
        grade_of(node.test, self)
        if self._drops(node, rest):
            self.dropped.append(Dropped(node, ast.unparse(node.test)))
        self._sides([node.body, node.orelse])

    def _drops(self, node: ast.If, rest: Sequence[ast.stmt]) -> bool:
        failed = asks_for_one_failure(node.test, self)
        if failed is not None:
            lost = node.body if failed else (node.orelse or list(rest))
            kept = (node.orelse or list(rest)) if failed else node.body
            if node.orelse and _is_idle(lost) and (_trains(kept) or self._takes_a_loss(kept)):
                return True
            if failed or node.orelse:
                return _gives_up(lost, inside=bool(self._loops))
            return _gives_up(lost, inside=bool(self._loops)) or (not lost and _trains(kept))
        if any(self._loops) and item_fails(node.test, self):  # one item of the loop ends the function
            return bool(node.body) and isinstance(node.body[-1], ast.Return) and _gives_up(node.body, inside=False)
        return False

    def _takes_a_loss(self, block: Sequence[ast.stmt]) -> bool:
        """Whether a block computes a loss of the library."""
        nodes = (node for statement in block for node in walk(statement))
        return any(isinstance(node, ast.Call) and self.is_loss(node) for node in nodes)

    def _drops_in_value(self, node: ast.expr) -> None:
        """`None if -1 in scores else scores`."""
        if isinstance(node, ast.IfExp):
            failed = asks_for_one_failure(node.test, self)
            if failed is not None and _is_none(node.body if failed else node.orelse):
                self.dropped.append(Dropped(node, ast.unparse(node.test)))

    def _loop(
        self, node: ast.For | ast.AsyncFor | ast.While, iterated: ast.expr | None, target: ast.expr | None
    ) -> None:
        value = NO_SCORES if iterated is None else element_of(iterated, self)
        before = dict(self.names)
        for _ in range(2):  # what the first pass leaves reaches the second
            if target is not None:
                self._assign(target, value)
            self._loops.append(whole(value) != NO_SCORES or iterated is not None)
            self.run(node.body)
            self._loops.pop()
        for name, held in before.items():
            self.names[name] = either(held, self.names.get(name, NO_SCORES))
        self.run(node.orelse)

    def _try(self, node: ast.Try | ast.TryStar) -> None:
        before = dict(self.names)
        self.run(node.body)
        self.run(node.orelse)
        after = self.names
        for handler in node.handlers:
            self.names = {name: either(after.get(name, NO_SCORES), held) for name, held in before.items()} | {
                name: held for name, held in after.items() if name not in before
            }
            self.run(handler.body)
            if not leaves(handler.body):
                after = {
                    name: either(after.get(name, NO_SCORES), self.names.get(name, NO_SCORES))
                    for name in {*after, *self.names}
                }
        self.names = after
        self.run(node.finalbody)


def _is_everything(index: ast.expr) -> bool:
    """`[:]` and `[...]`: all items are written over."""
    if isinstance(index, ast.Slice):
        return index.lower is None and index.upper is None and index.step is None
    return isinstance(index, ast.Constant) and index.value is ...


def _gives_up(block: Sequence[ast.stmt], *, inside: bool) -> bool:
    """Whether a block hands on nothing in place of the scores: returns None, goes on to the next batch, or sets None.

    `inside` tells that it stands in a loop, which `continue` goes on with.
    """
    if not block:
        return False
    if any(isinstance(each, ast.For | ast.AsyncFor | ast.While) for each in block):
        return False
    for statement in block:
        if isinstance(statement, ast.Return):
            return statement.value is None or _is_none(statement.value)
        if isinstance(statement, ast.Continue):
            return inside
        if isinstance(statement, ast.Raise):
            return False
        if isinstance(statement, ast.Assign) and _is_none(statement.value):
            return True
    return False


def _is_none(node: ast.expr) -> bool:
    if isinstance(node, ast.Tuple | ast.List):
        return all(_is_none(each) for each in node.elts)
    return isinstance(node, ast.Constant) and (node.value is None or node.value is False)


def _is_idle(block: Sequence[ast.stmt]) -> bool:
    """Whether a block does nothing with the batch: it prints, and gives a loss of zero in place of the one to learn."""
    for statement in block:
        if isinstance(statement, ast.Assign | ast.AnnAssign):
            if not _is_zero(statement.value):
                return False
        elif not isinstance(statement, ast.Pass | ast.Continue) and not calls_one(statement, _TELLS):
            return False
    return True


def _is_zero(node: ast.expr | None) -> bool:
    """`0`, `0.0`, None, `torch.tensor([0.0])`, `torch.zeros(1)`."""
    if isinstance(node, ast.Call):
        name = ast.unparse(node.func).rpartition(".")[2]
        return name in ("zeros", "tensor", "float") and all(name == "zeros" or _is_zero(each) for each in node.args)
    if isinstance(node, ast.List | ast.Tuple):
        return bool(node.elts) and all(_is_zero(each) for each in node.elts)
    return isinstance(node, ast.Constant) and not node.value


def _trains(block: Sequence[ast.stmt]) -> bool:
    """Whether a block steps: the discriminator's step is under the condition that all scores are sound."""
    return any(
        isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "backward"
        for statement in block
        for node in walk(statement)
    )
