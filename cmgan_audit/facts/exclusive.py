"""Whether two events of a run can never happen in one start of the program."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator

from cmgan_audit.program.execution.trace import Condition, Context, Frame
from cmgan_audit.source.operands import expression_of, sure_operands
from cmgan_audit.source.syntax import is_line_of


def exclusive(one: Context, other: Context) -> bool:
    """Whether two events are on different sides of a choice: an open test, or a function that is looked up by name.

    Inside a loop both sides may be taken, one after the other, and so they may in two calls of one function.
    """
    if set(one.loops) & set(other.loops):
        return False
    shared: list[Frame] = []
    for mine, theirs in zip(one.frames, other.frames, strict=False):
        if mine.call != theirs.call:
            break
        if mine.function != theirs.function or _path(mine) != _path(theirs):
            return True  # one call at one place, of one function or the other
        shared.append(mine)
    parted = next((pair for pair in zip(one.conditions, other.conditions, strict=False) if pair[0] != pair[1]), None)
    return parted is not None and parted[0].location == parted[1].location and _is_decided_in(parted[0], shared)


def _path(frame: Frame) -> str:
    return frame.value.module.path if frame.value is not None else ""


def _is_decided_in(condition: Condition, frames: list[Frame]) -> bool:
    """Whether a test stands in the innermost of some calls, or outside of functions where there are none."""
    if not frames:
        return True
    function = frames[-1].value
    if function is None or function.module.path != condition.location.path:
        return False
    return is_line_of(condition.location.line, function.node)


def ask_for_others(one: Context, other: Context) -> bool:
    """Whether two events stand under tests that ask one setting for different words: `args.mode == "test"` around the
    one, `args.mode == "train"` or `self.args.mode != "test"` around the other.

    What a loop goes through is another word in each pass, and what a function calls so another one in each call: only
    items and attributes are settings.
    """
    if set(one.loops) & set(other.loops):
        return False
    return exclude_each_other(condition.text for condition in (*one.conditions, *other.conditions))


def exclude_each_other(tests: Iterable[str]) -> bool:
    """Whether some tests cannot all come out as they are told to, since they ask a setting for different words.

    Args:
        tests: their texts, each as it is where it comes out: `args.mode == "train"`, `not (args.mode == "train")`.
    """
    wanted: dict[str, frozenset[object]] = {}
    unwanted: dict[str, frozenset[object]] = {}
    for setting, words, is_one in (asked for test in tests for asked in _words_asked(test)):
        if is_one:
            wanted[setting] = wanted.get(setting, words) & words
        else:
            unwanted[setting] = unwanted.get(setting, frozenset()) | words
    return any(words <= unwanted.get(setting, frozenset()) for setting, words in wanted.items())


def _words_asked(text: str) -> Iterator[tuple[str, frozenset[object], bool]]:
    """The settings that a test asks for words, the words, and whether it is one of them or none."""
    test = expression_of(text)
    for asked, holds in sure_operands(test, taken=True) if test is not None else ():
        match asked:
            case ast.Compare(
                left=ast.Attribute() | ast.Subscript() as setting,
                ops=[ast.Eq() | ast.Is() | ast.In() | ast.NotEq() | ast.IsNot() | ast.NotIn() as how],
                comparators=[wanted],
            ):
                words = wanted.elts if isinstance(wanted, ast.Tuple | ast.List | ast.Set) else [wanted]
                constants = frozenset(each.value for each in words if isinstance(each, ast.Constant))
                if constants and len(constants) == len(words):
                    is_one = holds is isinstance(how, ast.Eq | ast.Is | ast.In)
                    yield ast.unparse(setting).removeprefix("self."), constants, is_one
