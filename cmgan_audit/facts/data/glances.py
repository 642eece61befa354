"""Glances at a few listed files: a script that shows the first five has no result that depends on which these are.

Neither has a list of names that is only printed: `for name in missing[:10]: print(name)`.
"""

from __future__ import annotations

import ast
import re

from cmgan_audit.facts.metrics.scoring import metric_called
from cmgan_audit.facts.view import View
from cmgan_audit.lazy_regex import regex
from cmgan_audit.program.domain.values import Const, ListValue, Value
from cmgan_audit.program.execution.trace import Event
from cmgan_audit.source.statements import SAYS
from cmgan_audit.source.syntax import arguments_named, called_name, is_shared, walk

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
_TELLS = SAYS | {"exit"}
_SCREENS = ("stderr.write", "stdout.write", "tqdm.write")
_PUTS_TOGETHER = frozenset("str repr len join format enumerate sorted list tuple set".split())
_PARTS_OF_NAMES = frozenset("basename dirname relpath splitext split rsplit strip replace Path".split())
_KEEPERS = ("shutil.", "subprocess.", "os.rename", "os.replace", "os.symlink", "os.link", "os.system")


def only_looks(view: View) -> bool:
    """Whether a run neither trains, scores nor runs a network, and writes nothing."""
    scene = view.scene
    if not scene.is_reached or any(True for _ in scene.of("run", "backward", "step")):
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
    node = view.code.node_of(event)
    return isinstance(node, ast.Expr) or (node is not None and is_told(view, event.location.path, node))


def is_told(view: View, path: str, inner: ast.AST, names: int = 2) -> bool:
    """Whether what stands at a node of a file comes to nothing but words for somebody.

    Args:
        view: the run.
        path: the file.
        inner: the node.
        names: how many names one after the other it may be given.
    """
    for outer in view.code.parents(path, inner):
        match outer:
            case ast.Call() if not (_tells(outer) or _puts_together(outer)):
                return False
            case ast.ListComp(elt=made) | ast.SetComp(elt=made) | ast.GeneratorExp(elt=made) if _works(made):
                return False
            case ast.Yield() | ast.YieldFrom() | ast.Lambda() | ast.NamedExpr():
                return False
            case ast.Expr() | ast.Raise() | ast.Assert():
                return True
            case ast.If(test=asked, body=body, orelse=other) if asked is inner and _looks_up(asked):
                return all(map(_only_tells, (*body, *other)))
            case ast.If(test=asked) | ast.While(test=asked) if asked is inner:
                return True
            case ast.For(iter=drawn, body=body) if drawn is inner:
                return all(map(_only_tells, body))
            case ast.Assign(targets=[ast.Name() as name]) if names:
                return _are_told(view, path, name, names - 1)
            case ast.stmt():
                return False
        inner = outer
    return False


def _looks_up(test: ast.AST) -> bool:
    """Whether a test asks for one of the names, and not only whether there is any: `name in held`."""
    asked = (how for each in walk(test) if isinstance(each, ast.Compare) for how in each.ops)
    return any(isinstance(how, ast.In | ast.NotIn) for how in asked)


def _are_told(view: View, path: str, given: ast.Name, names: int) -> bool:
    """Whether all that a program does with a name that it gives here is to tell what it stands for."""
    name, scope = given.id, _scope_of(view, path, given)
    if not isinstance(scope, ast.FunctionDef):
        spoken = re.compile(rf"\b{name}\b")
        if any(spoken.search(view.tree.text(other) or "") for other in view.code.files if other != path):
            return False  # it may be imported there
    reads = [
        each
        for each in walk(scope)
        if isinstance(each, ast.Name) and each.id == name and isinstance(each.ctx, ast.Load)
    ]
    return all(is_told(view, path, each, names) for each in reads)


def _scope_of(view: View, path: str, given: ast.Name) -> ast.AST | None:
    """Where a name is known that is given here: in the function, unless that calls it global; else in the file."""
    for outer in view.code.parents(path, given):
        if isinstance(outer, ast.FunctionDef) and not is_shared(outer, given.id):
            return outer
        if isinstance(outer, ast.Module):
            return outer
    return None


def _tells(call: ast.Call) -> bool:
    """Whether a call tells something: on the screen or in a log, and not in a file that it is given."""
    if called_name(call) == "write":
        return ast.unparse(call.func).endswith(_SCREENS)
    files = arguments_named(call, "file")
    return called_name(call) in _TELLS and all(ast.unparse(each) in ("sys.stderr", "sys.stdout") for each in files)


def _puts_together(call: ast.Call) -> bool:
    """Whether a call only puts words together, `map` by a function that does, or makes an error that says them."""
    name = called_name(call)
    if name == "map":
        return bool(call.args) and isinstance(call.args[0], ast.Name | ast.Attribute) and not _works(call.args[0])
    return name in _PUTS_TOGETHER or name.endswith(("Error", "Exception"))


def _works(node: ast.AST) -> bool:
    """Whether code does something to the files by its names: it scores them, or copies, writes or sends something."""
    used = (getattr(each, "attr", getattr(each, "id", "")) for each in walk(node))
    return any(_has_a_result(name) or metric_called(name) for name in used if name)


def _only_tells(statement: ast.stmt) -> bool:
    """Whether a statement of a loop over names tells something of each, or puts together what is told."""
    match statement:
        case ast.Expr(value=ast.Call() as call):
            return _tells(call) and not any(map(_works, call.args))
        case ast.If(test=asked, body=body, orelse=other):
            return not _works(asked) and all(map(_only_tells, (*body, *other)))
        case ast.Assign(targets=[ast.Name()], value=value):
            calls = [each for each in walk(value) if isinstance(each, ast.Call)]
            return all(called_name(each) in _PUTS_TOGETHER | _PARTS_OF_NAMES for each in calls)
    return isinstance(statement, ast.Pass | ast.Continue | ast.Break)
