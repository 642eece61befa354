"""Whether the draws of a run repeat themselves in every run: what seeds the generator that they use."""

from __future__ import annotations

from cmgan_audit.facts.items.crops import short_callee
from cmgan_audit.facts.seedings import seedings
from cmgan_audit.facts.view import View
from cmgan_audit.finding import Step
from cmgan_audit.program.domain.values import Draw
from cmgan_audit.program.execution.trace import CallEvent, Event, innermost_function
from cmgan_audit.program.library.seeding import Generator, drawn_from
from cmgan_audit.program.naming.names import canonical
from cmgan_audit.rules.record import Fact, Known, Unknown


def unseeded(view: View, draw: Draw, position: int) -> tuple[Fact, str]:
    """Whether the draw differs between runs, or what fixes it."""
    event = view.scene.run.events[position]
    assert isinstance(event, CallEvent)
    if draw.seeded:
        return Known(False), f"{draw.seeded} ({draw.location})"
    wanted = drawn_from(draw.callee)
    for seeding in seedings(view.scene.run, position):
        fits = wanted in seeding.generators if wanted is not None else len(seeding.generators) == len(Generator)
        if seeding.position < position and fits and not seeding.drawn:
            return Known(False), f"the generator is seeded at {seeding.event.location}"
    built = next((each for each in view.scene.run.events[:position] if _builds_objects(each)), None)
    if built is not None:
        return Unknown(f"the configuration that is loaded at {built.location} may seed the generator"), ""
    where = innermost_function(event.context)
    note = f"{short_callee(draw.callee)} picks the items" + (f" in {where}()" if where != "<module>" else "")
    return Known(True, (Step(draw.location, f"{note}, and nothing has seeded it"),)), ""


def _builds_objects(event: Event) -> bool:
    """Whether an event loads a configuration that may call functions itself."""
    return isinstance(event, CallEvent) and canonical(event.callee).endswith("load_hyperpyyaml")
