"""Glances at a few listed files: a script that shows the first five has no result that depends on which these are.

Neither has a list of names that is only printed: `for name in missing[:10]: print(name)`.
"""

from __future__ import annotations

import ast

from cmgan_audit.facts.metrics.scoring import metric_called
from cmgan_audit.facts.view import View
from cmgan_audit.lazy_regex import regex
from cmgan_audit.program.domain.values import Const, ListValue, Value
from cmgan_audit.program.execution.trace import Event
from cmgan_audit.program.launches.unreached import NOT_REACHED
from cmgan_audit.source.syntax import called_name

# So many files are looked at one by one; more of them are a set.
_FEW = 20
# What keeps something beyond the end of a run; pictures and downloads are no result.
_KEEPING = frozenset(
    "write writelines write_text write_bytes writerow writerows dump dumps save savez savez_compressed savetxt tofile "
    "to_csv to_json to_parquet to_pickle symlink_to hardlink_to create_dataset".split()
)
# Scores by the name of a function, also of the tree's own.
_SCORING = regex(r"(?i)s[dn]r|stoi|pesq|scor|metric|composite|evaluat|(?<![a-z])(?:mos|wer|lsd)(?![a-z])")
# What tells somebody something, and what puts together what is told.
_TELLS = frozenset("print pprint info debug warning warn error exception critical log echo".split())
_PUTS_TOGETHER = frozenset("str repr len join format enumerate sorted list tuple".split())
_KEEPERS = ("shutil.", "subprocess.", "os.rename", "os.replace", "os.symlink", "os.link", "os.system")


def only_looks(view: View) -> bool:
    """Whether a run neither trains, scores nor runs a network, and writes nothing."""
    scene = view.scene
    if scene.run.launch.condition == NOT_REACHED or any(True for _ in scene.of("run", "backward", "step")):
        return False
    return not any(_has_a_result(event.callee) for event in scene.calls)


def _has_a_result(callee: str) -> bool:
    keeps = callee.rpartition(".")[2] in _KEEPING or callee.startswith(_KEEPERS)
    return keeps or bool(metric_called(callee) or _SCORING.search(callee.rpartition(".")[2]))


def is_few(index: Value) -> bool:
    """Whether a slice takes a handful of items from the beginning on, `[:5]`."""
    if not isinstance(index, ListValue) or len(index.items) != 3:
        return False
    start, stop, _ = index.items
    begins = isinstance(start, Const) and start.value in (None, 0)
    return begins and isinstance(stop, Const) and isinstance(stop.value, int) and 0 < stop.value <= _FEW


def is_only_told(view: View, event: Event) -> bool:
    """Whether an expression is only printed or logged, itself or one by one, or asked whether there is anything."""
    inner = view.code.node_of(event)
    for outer in view.code.parents(event.location.path, inner) if inner is not None else ():
        match outer:
            case ast.Call() if called_name(outer) in _TELLS:
                return True
            case ast.If(test=asked) if asked is inner:
                return True
            case ast.For(iter=drawn, body=body, orelse=[]) if drawn is inner:
                return all(map(_only_tells, body))
            case ast.Call() if called_name(outer) not in _PUTS_TOGETHER:
                return False
            case ast.stmt():
                return False
        inner = outer
    return False


def _only_tells(statement: ast.stmt) -> bool:
    return (
        isinstance(statement, ast.Expr)
        and isinstance(statement.value, ast.Call)
        and called_name(statement.value) in _TELLS
    )
