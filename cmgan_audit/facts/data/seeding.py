"""Whether the draws of a run repeat themselves in every run: what seeds the generator that they use."""

from __future__ import annotations

from cmgan_audit.facts.loading.crops import short_callee
from cmgan_audit.facts.view import View
from cmgan_audit.finding import Step
from cmgan_audit.program.domain.values import Const, Draw, Instance, Value
from cmgan_audit.program.execution.trace import CallEvent, Event, innermost_function
from cmgan_audit.program.library.draws import EVERYTHING_SEEDERS, SEEDERS
from cmgan_audit.program.naming.names import canonical
from cmgan_audit.rules.record import Fact, Known, Unknown

# The generator of the process that a drawing function uses.
_FAMILIES = {"random": "random", "numpy": "numpy", "torch": "torch", "sklearn": "numpy"}


def unseeded(view: View, draw: Draw, position: int) -> tuple[Fact, str]:
    """Whether the draw differs between runs, or what fixes it."""
    event = view.scene.run.events[position]
    assert isinstance(event, CallEvent)
    if draw.seeded:
        return Known(False), f"{draw.seeded} ({draw.location})"
    family = _FAMILIES.get(draw.callee.partition(".")[0], "")
    for before in view.scene.run.events[:position]:
        if isinstance(before, CallEvent) and _fixes(before, family):
            return Known(False), f"the generator is seeded at {before.location}"
    built = next((each for each in view.scene.run.events[:position] if _builds_objects(each)), None)
    if built is not None:
        return Unknown(f"the configuration that is loaded at {built.location} may seed the generator"), ""
    where = innermost_function(event.context)
    note = f"{short_callee(draw.callee)} picks the items" + (f" in {where}()" if where != "<module>" else "")
    return Known(True, (Step(draw.location, f"{note}, and nothing has seeded it"),)), ""


def _builds_objects(event: Event) -> bool:
    """Whether an event loads a configuration that may call functions itself."""
    return isinstance(event, CallEvent) and canonical(event.callee).endswith("load_hyperpyyaml")


def _fixes(event: CallEvent, family: str) -> bool:
    """Whether a call gives a generator the same state in every run."""
    name = canonical(event.callee)
    if SEEDERS.get(name) != family and not EVERYTHING_SEEDERS.fullmatch(name):
        return False
    given = [*event.arguments.positional[:1], *event.arguments.keywords.values()]
    if not given:  # `random.seed()` takes the time; `seed_everything()` has a default
        return name not in SEEDERS
    return not any(_differs(value) for value in given)


def _differs(seed: Value) -> bool:
    """Whether a seed is another one in every run: none, the time, a drawn number."""
    if isinstance(seed, Const):
        return seed.value is None
    return bool(seed.draws) or (
        isinstance(seed, Instance) and seed.external_name.startswith(("time.", "datetime.", "os."))
    )
