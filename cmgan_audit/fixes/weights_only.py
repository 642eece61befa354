"""CMG604: `torch.load` is told to take weights only, where every torch that the tree allows knows the flag."""

from __future__ import annotations

import ast

from cmgan_audit.facts.checkpoints.records import FileLoad
from cmgan_audit.finding import Confidence, Edit
from cmgan_audit.fixes.case import Case, Repair, Sources
from cmgan_audit.fixes.document import UnrecognisedShapeError
from cmgan_audit.rules.record import Fact, Known, certainly

_FLAG = "weights_only"
_STATE = "the whole file becomes the state of a network, and such files hold tensors alone"


def take_weights_only(case: Case) -> Repair:
    """Pass `weights_only=True` to the load."""
    loads = [record for record in case.records if isinstance(record, FileLoad)]
    for load in loads:
        _need_the_flag(load.older_than_flag)
    title = f"pass {_FLAG}=True"
    edits = (_edit(case.sources, case),)
    if loads and all(certainly(each.only_weights, True) for each in loads):
        return Repair(title, edits, "safe", _STATE)
    return Repair(title, edits)


def _need_the_flag(older: Fact) -> None:
    """Raises UnrecognisedShapeError unless the requirements leave no torch that lacks the flag."""
    since = f"{_FLAG} exists from torch 1.13 on"
    if not isinstance(older, Known):
        raise UnrecognisedShapeError(f"{since}, and the project names no version of torch")
    said = "".join(f" ({step.note} at {step.location})" for step in older.trail[:1])
    if older.value:
        raise UnrecognisedShapeError(f"{since}, and the project allows an older one{said}")
    if older.confidence is not Confidence.HIGH:
        raise UnrecognisedShapeError(f"{since}, and only a sentence asks for that{said}")


def _edit(sources: Sources, case: Case) -> Edit:
    source = sources.python(case.place.path)
    call = source.call(case.place)
    given = {keyword.arg: keyword.value for keyword in call.keywords}
    if None in given:
        raise UnrecognisedShapeError(f"the call at {case.place} unpacks its arguments")
    if "pickle_module" in given or len(call.args) > 2:
        raise UnrecognisedShapeError(f"the load at {case.place} names a pickle module, which {_FLAG} rules out")
    flag = given.get(_FLAG)
    if flag is None:
        return source.add_keyword(call, _FLAG, "True")
    if isinstance(flag, ast.Constant):
        return source.replace(flag, "True")
    raise UnrecognisedShapeError(f"{_FLAG} is not written out at {case.place} but computed there")
