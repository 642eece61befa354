"""CMG101: the batch size is set to the smallest one that passes, where it is set."""

from __future__ import annotations

from cmgan_audit.finding import Edit
from cmgan_audit.fixes.case import Case, Repair
from cmgan_audit.fixes.document import UnrecognisedShapeError
from cmgan_audit.fixes.values import change_number
from cmgan_audit.rules.record import Known, OneOf


def set_batch_size(case: Case) -> Repair:
    """Set the batch size to the rule's `min_batch_size`."""
    wanted = case.parameters["min_batch_size"]
    if not isinstance(wanted, int):
        raise UnrecognisedShapeError(f"min_batch_size is {wanted!r}, no whole number")
    return Repair(f"set the batch size to {wanted}", (_edit(case, wanted),))


def _edit(case: Case, wanted: int) -> Edit:
    place = case.place
    values = set()
    for loader in case.loaders:
        fact = loader.batch_size
        options = fact.options if isinstance(fact, OneOf) else (fact,) if isinstance(fact, Known) else ()
        values |= {option.value for option in options if option.location == place}
        if loader.location == place:
            return _at_the_call(case, wanted)
    if len(values) != 1:
        raise UnrecognisedShapeError(f"what is set at {place} reaches the loader in several sizes")
    (value,) = values
    return change_number(case.sources, place, value, wanted)


def _at_the_call(case: Case, wanted: int) -> Edit:
    """A loader that is given no batch size takes 1."""
    source = case.sources.python(case.place.path)
    call = source.call(case.place)
    given = {keyword.arg for keyword in call.keywords}
    if "batch_size" in given or None in given or len(call.args) > 1:
        raise UnrecognisedShapeError(f"the batch size is given at {case.place} in a way that is not a number there")
    return source.add_keyword(call, "batch_size", str(wanted))
