"""Samplers of loaders: who splits the items over processes, who repeats items, who is told the epoch."""

from __future__ import annotations

from cmgan_audit.facts.classes import library_bases
from cmgan_audit.facts.processes import sizes_of_groups
from cmgan_audit.facts.records import Sampler
from cmgan_audit.facts.scene import Made, Scene
from cmgan_audit.facts.values import class_name, constant, fact_of, is_none, same_object
from cmgan_audit.finding import Step
from cmgan_audit.program.domain.values import Arguments, Choice, Const, Instance, Option, Symbol, Value, options_of
from cmgan_audit.program.domain.values import Unknown as UnknownValue
from cmgan_audit.rules.record import NO, Fact, Known, OneOf, Unknown

DISTRIBUTED = frozenset({"torch.utils.data.distributed.DistributedSampler", "torch.utils.data.DistributedSampler"})
RANDOM = frozenset(
    f"torch.utils.data{module}.{name}"
    for module in ("", ".sampler")
    for name in ("RandomSampler", "SubsetRandomSampler", "WeightedRandomSampler")
)
# Samplers of other libraries that split over processes and are told the epoch by name.
WRAPPERS = ("DistributedSamplerWrapper", "DistributedProxySampler")


def random_order(made: Made) -> Fact | None:
    """Whether the sampler of a loader goes through the items in random order, as `shuffle=True` has one made.

    None where no option of the sampler does. A DistributedSampler's own order is no part of this.
    """
    given = [made.arguments.get("sampler", 3), made.arguments.get("batch_sampler", 4)]
    sampler = next((each for each in given if each is not None and not is_none(each)), None)
    options = options_of(sampler) if sampler is not None else []
    found = [(option, _random_sampler(option.value)) for option in options]
    steps = [
        Step(each.location, f"{class_name(each)} goes through the items in random order") for _, each in found if each
    ]
    if not steps:
        return None
    if len(found) == len(steps):
        return Known(True, tuple(steps[:1]))
    return OneOf(
        tuple(Known(each is not None, tuple(steps[:1]) if each else (), option.condition) for option, each in found)
    )


def _random_sampler(value: Value, depth: int = 3) -> Instance | None:
    """The sampler of torch that draws the order, also inside a batch sampler."""
    if not isinstance(value, Instance):
        return None
    if library_bases(value) & RANDOM:
        return value
    if depth and "torch.utils.data.BatchSampler" in library_bases(value):
        inner = value.arguments.get("sampler", 0)
        return _random_sampler(inner, depth - 1) if inner is not None else None
    return None


def sampler_of(scene: Scene, made: Made) -> Sampler | None:
    """The sampler of a loader; None when the loader takes its default ones."""
    given = made.arguments.get("sampler", 3)
    batches = made.arguments.get("batch_sampler", 4)
    options = [option for option in options_of(given) if not is_none(option.value)] if given is not None else []
    if not options and batches is not None:
        options = [option for option in options_of(batches) if not is_none(option.value)]
        given = batches
    if not options or given is None:
        return None
    found = [each for each in (_distributed(option.value) for option in options) if each is not None]
    if found:
        return _distributed_sampler(scene, made, given, found[0])
    value = options[0].value
    if isinstance(value, Instance):
        return Sampler(
            location=value.location,
            anchor=f"{class_name(value)}",
            name=class_name(value),
            shards=NO,
            pads=NO,
            shuffles=Unknown("it is not a sampler of torch"),
            follows_epoch=Unknown("it is not a sampler of torch"),
        )
    reason = value.reason if isinstance(value, UnknownValue) else "the sampler is computed at run time"
    return Sampler(
        location=made.location,
        name="the sampler",
        shards=Unknown(reason),
        pads=Unknown(reason),
        shuffles=Unknown(reason),
        follows_epoch=Unknown(reason),
    )


def _distributed(value: Value, depth: int = 3) -> Instance | None:
    """The distributed sampler itself, also inside a batch sampler."""
    if not isinstance(value, Instance):
        return None
    bases = library_bases(value)
    if bases & DISTRIBUTED or any(name.rpartition(".")[2] in WRAPPERS for name in bases):
        return value
    if depth and any(name.endswith("Sampler") for name in bases):
        inner = [*value.arguments.positional[:1], *value.arguments.keywords.values(), *value.attrs.values()]
        for each in inner:
            for option in options_of(each):
                found = _distributed(option.value, depth - 1)
                if found is not None:
                    return found
    return None


def _distributed_sampler(scene: Scene, made: Made, given: Value, sampler: Instance) -> Sampler:
    arguments = _own_arguments(scene, sampler)
    condition = _condition(given, sampler)
    here = (Step(sampler.location, f"{class_name(sampler)} splits the items over the processes"),)
    shards: Fact = Known(constant(arguments.get("num_replicas", 1)) != 1, here)
    if condition:
        shards = OneOf((Known(True, here, condition), Known(False, (), f"not ({condition})")))
    drops = fact_of(arguments.get("drop_last", 5), False)
    pads = Known(not drops.value, drops.trail) if isinstance(drops, Known) else drops
    follows, evidence = _follows_epoch(scene, made, sampler)
    return Sampler(
        location=sampler.location,
        anchor=class_name(sampler),
        name=class_name(sampler),
        shards=shards,
        pads=NO if _is_for_one_process(scene, arguments) else pads,
        shuffles=fact_of(arguments.get("shuffle", 3), True),
        follows_epoch=follows,
        epoch_evidence=evidence,
        once=_once(scene, made),
    )


def _is_for_one_process(scene: Scene, arguments: Arguments) -> bool:
    """Whether the program itself starts a single process: then its sampler has all items, and repeats none.

    A number of processes that the command line may set is no such word.
    """
    replicas = arguments.get("num_replicas", 1)
    if replicas is not None and not (isinstance(replicas, Symbol) and replicas.formula == "world_size"):
        return False
    sizes = sizes_of_groups(scene)
    return bool(sizes) and all(isinstance(e, Const) and e.value == 1 and not e.overridable for e in sizes)


def _once(scene: Scene, made: Made) -> Fact:
    """Whether a script draws from a loader in one place and outside of any loop: a first batch, or an only epoch."""
    passes = scene.passes_over(made.loader)
    if len(passes) != 1 or passes[0].event.framework or not scene.is_reached:
        return NO
    return NO if passes[0].event.context.loops else Known(True, (Step(passes[0].event.location, "the only pass"),))


def _own_arguments(scene: Scene, sampler: Instance) -> Arguments:
    """The arguments that reach torch's sampler: those of super().__init__() in a class of the tree."""
    for event in scene.calls:
        receiver = event.receiver
        if event.callee.endswith("DistributedSampler.__init__") and isinstance(receiver, Instance):
            own = event.arguments if same_object(receiver, sampler) else None
            if own is not None:
                return own
    return sampler.arguments


def _condition(given: Value, sampler: Instance) -> str:
    if not isinstance(given, Choice):
        return ""
    texts = [option.condition for option in given.options if _holds(option, sampler)]
    return " or ".join(text for text in texts if text)


def _holds(option: Option, sampler: Instance) -> bool:
    return isinstance(option.value, Instance) and (
        same_object(option.value, sampler) or _distributed(option.value) is not None
    )


def _follows_epoch(scene: Scene, made: Made, sampler: Instance) -> tuple[Fact, str]:
    """Whether the sampler is told the epoch in every pass, and the evidence."""
    framework = next(
        (single.event.framework for single in scene.passes_over(made.loader) if single.event.framework), ""
    )
    if framework:
        return Known(True), f"{framework} calls set_epoch itself"
    calls = [
        use
        for use in scene.of("set_epoch")
        if use.on is not None
        and (same_object(use.on, sampler) or same_object(use.on, made.loader) or _distributed(use.on) is sampler)
    ]
    repeated = [use for use in calls if use.event.context.loops]
    given = [use.event.arguments.get("epoch", 0) for use in repeated]
    if repeated and (not all(isinstance(each, Const) for each in given) or len({constant(each) for each in given}) > 1):
        place = repeated[0].event.location
        return Known(True, (Step(place, "set_epoch is called in every epoch"),)), f"set_epoch is called at {place}"
    for store in scene.stores:
        if store.name == "epoch" and isinstance(store.target, Instance) and same_object(store.target, sampler):
            return Known(
                True, (Step(store.location, "the epoch is set here"),)
            ), f"its epoch is set at {store.location}"
    if calls:
        place = calls[0].event.location
        text = "set_epoch is called once, outside of the epoch loop"
        if repeated:
            text = f"set_epoch always gets the constant {constant(given[0])!r}"
        return Known(False, (Step(place, text),)), f"{text} ({place})"
    if any(use.on is None for use in scene.of("set_epoch")):
        return Unknown("set_epoch is called on something unknown"), ""
    return Known(False), "set_epoch is never called on it"
