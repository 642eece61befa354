"""CMG403: a label gets the length of the batch at hand, not the configured one."""

from __future__ import annotations

import ast

from cmgan_audit.facts.adversarial.labels import Label
from cmgan_audit.fixes.case import Case, Repair
from cmgan_audit.fixes.document import UnrecognisedShapeError
from cmgan_audit.source.syntax import arguments_named


def size_of_the_batch(case: Case) -> Repair:
    """Make the label as long as a tensor of the batch that stands in scope."""
    labels = [each for each in case.every if isinstance(each, Label) and each.location == case.place]
    names = {each.batch for each in labels}
    if len(names) != 1 or "" in names:
        raise UnrecognisedShapeError(f"no tensor of the batch is known by name at {case.place}")
    (name,) = names
    source = case.sources.python(case.place.path)
    call = source.call(case.place)
    size = _first_axis(call)
    title = f"make the label as long as the batch: {name}.size(0)"
    reason = "changes nothing where a batch is full; a short one gets a label of its own length"
    return Repair(title, (source.replace(size, f"{name}.size(0)"),), reason=reason)


def _first_axis(call: ast.Call) -> ast.expr:
    """The expression of the first dimension of a tensor that a call makes."""
    given = arguments_named(call, "size") or call.args[:1]
    size = given[0] if given else None
    if isinstance(size, ast.Tuple | ast.List) and size.elts:
        size = size.elts[0]
    if size is None or isinstance(size, ast.Starred):
        raise UnrecognisedShapeError("the size of the label is not written out where it is made")
    return size
