"""Loaders of one run as records: their arguments with trails, their role, and their neighbours."""

from __future__ import annotations

from cmgan_audit.facts.classes import BATCH_NORMS
from cmgan_audit.facts.code import Code
from cmgan_audit.facts.items.crops import dataset_of
from cmgan_audit.facts.items.cut_items import cut_batch
from cmgan_audit.facts.items.gathered_batches import gathered_batch
from cmgan_audit.facts.items.own_batches import made_anew, over_processes, own_batch, own_drop_last, split_batch
from cmgan_audit.facts.items.stacked_items import stacked_batch
from cmgan_audit.facts.loading.declared import NO_ROLES, DeclaredRoles
from cmgan_audit.facts.loading.names import Assigned, Names
from cmgan_audit.facts.loading.reseeding import reseeded
from cmgan_audit.facts.loading.roles import declared_role, judged_by_names, name_signs, role_of
from cmgan_audit.facts.loading.samplers import random_order, sampler_of
from cmgan_audit.facts.loading.starts import while_training
from cmgan_audit.facts.passes.accumulation import accumulation_of
from cmgan_audit.facts.passes.left_early import left_early
from cmgan_audit.facts.passes.loops import loops_of
from cmgan_audit.facts.records import EVAL, Dataset, Loader, Norm
from cmgan_audit.facts.scene import Made, Scene
from cmgan_audit.facts.values import fact_of, known_number, with_step
from cmgan_audit.finding import Step
from cmgan_audit.program.domain.values import Instance
from cmgan_audit.program.execution.trace import CallEvent, innermost_function
from cmgan_audit.program.naming.names import canonical
from cmgan_audit.rules.record import Fact, Known, OneOf, Unknown, certainly

UNREACHED = "not reached from any script"


def loaders_of(scene: Scene, assigned: Assigned, declared: DeclaredRoles = NO_ROLES) -> list[Loader]:
    """Every loader that a run makes.

    Args:
        scene: the run.
        assigned: the names that results of calls are assigned to.
        declared: the roles that the project declares.
    """
    norms = norms_of(scene)
    code = Code(scene)
    called = Names(scene, assigned)
    return [_loader(code, made, called, declared, norms) for made in scene.made]


def norms_of(scene: Scene) -> tuple[Norm, ...]:
    """The normalisation layers that a run makes, each place once."""
    found: dict[object, Norm] = {}
    for event in scene.norms:
        layer = canonical(event.callee).rpartition(".")[2]
        over_batch = Known(layer in BATCH_NORMS)
        found.setdefault(
            event.location, Norm(location=event.location, anchor=layer, layer=layer, over_batch=over_batch)
        )
    return tuple(found.values())


def _loader(code: Code, made: Made, called: Names, declared: DeclaredRoles, norms: tuple[Norm, ...]) -> Loader:
    scene = code.scene
    arguments = made.arguments
    names = called.of(made)
    signs = name_signs(scene, made, names)
    own_word, pattern = declared.role_of(
        made.location.path, innermost_function(made.context), [name for name, _ in names]
    )
    role, sign_text = declared_role(made, own_word, pattern) if own_word else role_of(code, made, signs)
    dataset = dataset_of(code, made)
    if certainly(role, EVAL):
        dataset = reseeded(scene, made, dataset)
    here = Step(made.location, "the loader gets it here")
    missing = arguments.open_kwargs
    others = made_anew(scene, made)
    given = fact_of(while_training(scene, made, arguments.get("batch_size", 1)), 1, missing=missing)
    batch = others or own_batch(made, given)
    batch = over_processes(batch)
    if not certainly(role, EVAL):  # where nothing learns, it is items that are scored
        batch = stacked_batch(code, made, batch)
    batch = cut_batch(code, made, gathered_batch(code, made, batch))
    drop_last = own_drop_last(made) or fact_of(arguments.get("drop_last", 8), False, missing=missing)
    if others is not None and isinstance(drop_last, Known) and not drop_last.value:
        drop_last = Unknown("what becomes of the last batch is up to the wrapper that makes other batches")
    steps = accumulation_of(code, made)
    each = known_number(batch)
    times = known_number(steps)
    accumulated: Fact = Unknown("batch size or accumulation is not known")
    if each is not None and times is not None:
        accumulated = Known(each * times)
    batch = split_batch(scene, made, batch)  # an optimiser step sees the parts of all processes
    return Loader(
        location=made.location,
        anchor=_anchor(made, role, dataset),
        role=role,
        signs=sign_text,
        batch_size=with_step(batch, here),
        accumulation=steps,
        accumulated_batch=accumulated,
        effective_batch=_formula(scene, each, times),
        batch_norms=_norm_text(norms),
        shuffle=_taken(random_order(made) or fact_of(arguments.get("shuffle", 2), False, missing=missing), here),
        drop_last=_taken(drop_last, here),
        num_workers=fact_of(arguments.get("num_workers", 5), 0, missing=missing),
        iterated=_iterated(scene, made),
        left_early=left_early(code, made),
        dataset=dataset,
        sampler=sampler_of(scene, made),
        loops=loops_of(scene, made, role, own_word or judged_by_names(signs)),
        norms=norms,
        declared=pattern,
    )


def _taken(fact: Fact, here: Step) -> Fact:
    """A setting that came a way, which ends at the loader."""
    ways = [option.trail for option in fact.options] if isinstance(fact, OneOf) else [fact.trail]
    return with_step(fact, here) if any(ways) else fact


def _anchor(made: Made, role: Fact, dataset: Dataset) -> str:
    word = role.value if isinstance(role, Known) else "some"
    return f"{innermost_function(made.context)}.{word}_loader({dataset.name})"


def _formula(scene: Scene, batch: int | None, times: int | None) -> str:
    """The effective batch: per process x processes x accumulated steps."""
    parts = [f"{batch}" if batch is not None else "the same"]
    if scene.named(lambda name: name.endswith("init_process_group")):
        parts = [f"{parts[0]} x world size"]
    if times != 1:
        parts.append(f"{times if times is not None else 'an unknown number of'} accumulated steps")
    return " x ".join(parts)


def _norm_text(norms: tuple[Norm, ...]) -> str:
    """The layers whose statistics depend on the batch, as a clause."""
    places: dict[str, list[str]] = {}
    for norm in norms:
        if isinstance(norm.over_batch, Known) and norm.over_batch.value:
            places.setdefault(norm.layer, []).append(str(norm.location))
    if not places:
        others = sorted({norm.layer for norm in norms})
        seen = f" ({', '.join(others)} {'does' if len(others) == 1 else 'do'} not depend on it)" if others else ""
        return f"no layer with batch statistics was found{seen}"
    words = [f"{layer} ({', '.join(where[:2])}{', ...' if len(where) > 2 else ''})" for layer, where in places.items()]
    return f"statistics over the batch are taken by {' and '.join(words)}"


def _iterated(scene: Scene, made: Made) -> Fact:
    passes = scene.passes_over(made.loader)
    if passes:
        return Known(True, (Step(passes[0].event.location, "it is drawn from here"),))
    if scene.run.launch.condition == UNREACHED:
        return Unknown(f"the loader at {made.location} is {UNREACHED}")
    for event in scene.handed(made.loader):
        if _may_draw(event):
            return Unknown(f"it is handed to {event.callee.strip('?.') or 'something that is not known'}")
    return Known(False, (Step(made.location, "it is never drawn from"),))


def _may_draw(event: CallEvent) -> bool:
    """Whether a call cannot be looked into, so that it may draw from a loader that it is handed."""
    callee = canonical(event.callee)
    library = isinstance(event.result, Instance) and bool(event.result.external_name)
    unknown = not callee or callee.startswith("?")
    return (library or unknown) and callee.partition(".")[0] not in ("builtins", "tqdm")
