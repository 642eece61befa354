"""CMG204: an evaluation loader without a distributed sampler. CMG211: the sampler of training is told the epoch."""

from __future__ import annotations

import ast

from cmgan_audit.facts.records import Loader, Loop
from cmgan_audit.finding import Edit
from cmgan_audit.fixes.case import Case, Repair
from cmgan_audit.fixes.document import UnrecognisedShapeError
from cmgan_audit.fixes.python_text import PythonText
from cmgan_audit.rules.record import OneOf
from cmgan_audit.source.syntax import NamedFunction, arguments_of, last_name, walk


def without_sampler(case: Case) -> Repair:
    """Give the evaluation loader no sampler, so that every process scores the whole set."""
    for other in case.other_loaders:
        if other.sampler is not None and other.sampler.location == case.place and not other.evaluates:
            raise UnrecognisedShapeError(f"the sampler at {case.place} is also that of the loader at {other.location}")
    source = case.sources.python(case.place.path)
    node = _with_alternative(source, source.call(case.place))
    parent = source.parent(node)
    if isinstance(parent, ast.keyword):
        if parent.arg != "sampler":
            raise UnrecognisedShapeError(f"the sampler at {case.place} is passed as {parent.arg}")
    else:
        _refuse_other_uses(source, parent, case)
    return Repair(
        "give the evaluation loader no sampler: every process scores the whole set", (source.replace(node, "None"),)
    )


def _with_alternative(source: PythonText, call: ast.Call) -> ast.expr:
    """The call, or the whole `call if distributed else None`."""
    parent = source.parent(call)
    if isinstance(parent, ast.IfExp):
        other = parent.orelse if parent.body is call else parent.body
        if isinstance(other, ast.Constant) and other.value is None:
            return parent
    return call


def _refuse_other_uses(source: PythonText, parent: ast.AST | None, case: Case) -> None:
    """Raises UnrecognisedShapeError where the assigned sampler is more than the argument `sampler` of a loader."""
    if not isinstance(parent, ast.Assign) or len(parent.targets) != 1 or not isinstance(parent.targets[0], ast.Name):
        raise UnrecognisedShapeError(f"the sampler at {case.place} is neither an argument nor a plain variable")
    name = parent.targets[0].id
    scope = source.function_around(parent) or source.tree
    for node in walk(scope):
        if not isinstance(node, ast.Name) or node.id != name or not isinstance(node.ctx, ast.Load):
            continue
        holder = source.parent(node)
        if not (isinstance(holder, ast.keyword) and holder.arg == "sampler"):
            raise UnrecognisedShapeError(f"{name} ({case.place}) is used for more than the sampler of a loader")


def tell_epoch(case: Case) -> Repair:
    """Call `set_epoch` at the beginning of every epoch of the training loop."""
    edits = dict.fromkeys(_told(case, loader, loop) for loader in case.loaders for loop in loader.loops)
    if not edits:
        raise UnrecognisedShapeError("no training loop over the loader was found")
    return Repair("call set_epoch at the beginning of every epoch", tuple(edits))


def _told(case: Case, loader: Loader, loop: Loop) -> Edit:
    source = case.sources.python(loop.location.path)
    node = source.expression(loop.location)
    inner = source.parent(node)
    drawn = _drawn_from(node)
    if drawn is None or not isinstance(inner, ast.For) or inner.iter is not node:
        raise UnrecognisedShapeError(f"what the loop at {loop.location} draws from is not a name")
    text = source.source(drawn)
    function = source.function_around(inner)
    if isinstance(drawn, ast.Name) and _wraps_loader(function or source.tree, drawn.id):
        raise UnrecognisedShapeError(
            f"what the loop at {loop.location} draws from wraps a loader and may have no sampler"
        )
    epoch, before = _epoch_around(source, inner, function)
    call = f"{text}.sampler.set_epoch({epoch})"
    if loader.sampler is not None and isinstance(loader.sampler.shards, OneOf):
        # On one process there is another sampler, which has no such method.
        call = f"if hasattr({text}.sampler, {source.literal('set_epoch')}):\n{_deeper(source, before)}{call}"
    return source.insert_before(before, call)


def _deeper(source: PythonText, statement: ast.stmt) -> str:
    indent = source.indent(statement)
    if indent is None:
        raise UnrecognisedShapeError("the body of the epoch loop does not begin on a line of its own")
    return indent + ("\t" if "\t" in indent else "    ")


def _drawn_from(node: ast.expr) -> ast.expr | None:
    """The loader in `enumerate(tqdm(loader))`, as a name or an attribute."""
    while isinstance(node, ast.Call) and node.args:
        if isinstance(node.func, ast.Attribute) and node.func.attr in ("items", "values"):
            return None
        node = node.args[0]
    plain = node
    while isinstance(plain, ast.Attribute):
        plain = plain.value
    return node if isinstance(plain, ast.Name) else None


def _wraps_loader(scope: ast.AST, name: str) -> bool:
    """Whether a name is given what is made of something called a loader: `progress = Progress(train_loader)`."""
    return any(
        "loader" in last_name(argument).lower()
        for node in walk(scope)
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Call)
        if any(isinstance(target, ast.Name) and target.id == name for target in node.targets)
        for argument in arguments_of(node.value)
    )


def _epoch_around(source: PythonText, inner: ast.For, function: ast.AST | None) -> tuple[str, ast.stmt]:
    """The name of the epoch, and the statement in front of which the sampler is told."""
    for outer in source.parents(inner):
        if outer is function:
            break
        if isinstance(outer, ast.For) and isinstance(outer.target, ast.Name):
            return outer.target.id, outer.body[0]
    if isinstance(function, NamedFunction):
        arguments = [each.arg for each in (*function.args.args, *function.args.kwonlyargs)]
        epoch = next((name for name in arguments if "epoch" in name.lower() and "epochs" not in name.lower()), None)
        if epoch is not None:
            return epoch, inner
    raise UnrecognisedShapeError("the loop over epochs does not stand around the training loop")
