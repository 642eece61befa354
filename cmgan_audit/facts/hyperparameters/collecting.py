"""Collects the settings that reach a training: optimisers, schedulers, epochs, segments, spectra, weights of losses.

A program in which one name stands for several values (two sizes of STFT, say) has no such setting: it is left out
rather than guessed at.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from cmgan_audit.facts.adversarial.holders import Held, Holders
from cmgan_audit.facts.hyperparameters.records import Hyperparameter
from cmgan_audit.facts.hyperparameters.weights import weights_of
from cmgan_audit.facts.items.cuts import cuts_in
from cmgan_audit.facts.items.making import items_of
from cmgan_audit.facts.optimisers import is_scheduler
from cmgan_audit.facts.records import TRAIN
from cmgan_audit.facts.steps.windows import Update, updates_in
from cmgan_audit.facts.values import class_name, fact_of, instances_of, length_of_range, same_object, share_one
from cmgan_audit.facts.view import View
from cmgan_audit.finding import Location
from cmgan_audit.program.domain.values import Const, Instance, ListValue, Value, options_of
from cmgan_audit.program.domain.values import Unknown as UnknownValue
from cmgan_audit.program.execution.trace import CallEvent, SliceEvent
from cmgan_audit.program.naming.names import canonical
from cmgan_audit.rules.record import Fact, Known, Unknown, certainly

# The learning rates that optimisers of torch take without one.
_DEFAULT_RATES = {"Adam": 1e-3, "AdamW": 1e-3, "NAdam": 2e-3, "RAdam": 1e-3, "RMSprop": 1e-2, "SGD": 1e-3}


def hyperparameters_of(view: View) -> list[Hyperparameter]:
    """The settings of the training in a run; none where nothing is trained by the tree's own code."""
    if not view.scene.is_reached or not view.scene.trains:
        return []
    holders = Holders(view.scene)
    updates = list(updates_in(view, view.actions))
    trained = _players(updates, holders)
    found = [
        *_batches(view),
        *_optimisers(trained),
        *_schedulers(view, [optimiser for _, optimiser, _ in trained]),
        *_epochs(updates),
        *_segments(view),
        *_spectra(view),
        *(_made(name, what, place, fact) for name, what, place, fact in weights_of(view)),
    ]
    # Clean and noisy audio are cut on one line, or analysed on two: a line says one thing once.
    return list({(each.location.path, each.location.line, each.anchor): each for each in found}.values())


def _made(name: str, what: str, place: Location, fact: Fact, part: str = "") -> Hyperparameter:
    return Hyperparameter(location=place, anchor=f"{name}.{part}" if part else name, name=name, what=what, value=fact)


def _batches(view: View) -> Iterator[Hyperparameter]:
    for loader in view.loaders:
        if loader.trains and certainly(loader.iterated, True):
            yield _made("batch_size", "the training batch per process", loader.location, loader.batch_size)


# Optimisers and schedulers

_Player = tuple[str, Instance, Held]


def _players(updates: Sequence[Update], holders: Holders) -> list[_Player]:
    """The optimisers that step, as "generator" or "discriminator"; none where several could be the generator's."""
    found: list[_Player] = []
    for update in updates:
        held = holders.of(update.optimiser)
        known = any(same_object(update.optimiser, each) for _, each, _ in found)
        if held.complete and not known:
            found.append(("discriminator" if held.is_called_judge else "generator", update.optimiser, held))
    roles = [role for role, _, _ in found]
    return found if roles.count("generator") <= 1 and roles.count("discriminator") <= 1 else []


def _optimisers(trained: Iterable[_Player]) -> Iterator[Hyperparameter]:
    for role, optimiser, held in trained:
        name, network = class_name(optimiser), class_name(held.networks[0])
        network = (
            network if network[:1].isupper() else f"the {role}"
        )  # the class of `make_net().to(device)` is not known
        given = optimiser.arguments
        rate = fact_of(given.get("lr", 1), _DEFAULT_RATES.get(name), missing=given.open_kwargs)
        if not (isinstance(rate, Known) and rate.value is None):
            yield _made(f"{role}_lr", f"the learning rate of {network}", optimiser.location, rate, network)
        yield _made("optimiser", f"the optimiser of {network}", optimiser.location, Known(name), network)


def _schedulers(view: View, optimisers: Sequence[Instance]) -> Iterator[Hyperparameter]:
    for event in view.scene.calls:
        for scheduler in instances_of(event.result):
            if scheduler.location != event.location or not is_scheduler(scheduler):
                continue
            given = scheduler.arguments
            of = instances_of(given.get("optimizer", 0))
            if not share_one(of, optimisers):
                continue
            name = class_name(scheduler)
            yield _made("scheduler", "the scheduler of the learning rate", scheduler.location, Known(name))
            if name == "StepLR":
                every = fact_of(given.get("step_size", 1), None, missing=given.open_kwargs)
                yield _made("decay_epochs", "the step_size of StepLR", scheduler.location, every)
            if name in ("StepLR", "ExponentialLR"):
                position, default = (2, 0.1) if name == "StepLR" else (1, None)
                factor = fact_of(given.get("gamma", position), default, missing=given.open_kwargs)
                yield _made("decay_factor", f"the gamma of {name}", scheduler.location, factor)


def _epochs(updates: Iterable[Update]) -> Iterator[Hyperparameter]:
    """How often the loop over batches is gone through: the loop around it counts."""
    for update in updates:
        loops = update.step.event.context.loops
        around = loops[: next(index for index, loop in enumerate(loops) if loop is update.loop)]
        if len(around) != 1:
            continue
        fact = length_of_range(around[0].iterates)
        if fact is not None:
            yield _made("epochs", "the number of epochs", around[0].location, fact)


# Data and spectra


def _segments(view: View) -> Iterator[Hyperparameter]:
    """The length of the random cuts that training items are made with."""
    for made in view.made_for(TRAIN):
        for reading in items_of(view.scene, made).readings:
            for cut in cuts_in(reading.events):
                fact = _length_of_cut(cut.event) if isinstance(cut.event, SliceEvent) else None
                if fact is not None:
                    yield _made("segment", "the length of training segments", cut.place, fact)


def _length_of_cut(event: SliceEvent) -> Fact | None:
    """The length of `x[start : start + length]`, where it is written like this."""
    for option in options_of(event.index):
        for bounds in _slices(option.value):
            upper = bounds.items[1] if len(bounds.items) > 1 else None
            computed = upper.computed if isinstance(upper, UnknownValue) else None
            if computed is None or computed.operation != "+" or len(computed.operands) != 2:
                continue
            one, other = computed.operands
            length = other if one.draws and not other.draws else one if other.draws and not one.draws else None
            if isinstance(length, Const):
                return fact_of(length, None)
    return None


def _slices(index: Value) -> Iterator[ListValue]:
    if isinstance(index, ListValue) and index.kind == "slice":
        yield index
    elif isinstance(index, ListValue):
        for item in index.items:
            yield from _slices(item)


def _spectra(view: View) -> Iterator[Hyperparameter]:
    """The STFT of the training, where all its calls agree; losses of several resolutions have none."""
    calls = [
        event
        for event in view.scene.calls
        if canonical(event.callee) in ("torch.stft", "torch.Tensor.stft") and TRAIN in view.roles_in(event.context)
    ]
    for name, what, read in (
        ("n_fft", "the n_fft of the STFT", _size),
        ("hop_length", "the hop_length of the STFT", _hop),
        ("window", "the window of the STFT", _window),
    ):
        facts = [(event, read(event)) for event in calls]
        values = {fact.value if isinstance(fact, Known) else None for _, fact in facts}
        if len(values) == 1:
            for event, fact in facts:
                yield _made(name, what, event.location, fact)


def _shift(event: CallEvent) -> int:
    """`x.stft(n_fft)` has its arguments one place earlier than `torch.stft(x, n_fft)`."""
    return 0 if event.receiver is None else -1


def _size(event: CallEvent) -> Fact:
    return fact_of(event.arguments.get("n_fft", 1 + _shift(event)), None, missing=event.arguments.open_kwargs)


def _hop(event: CallEvent) -> Fact:
    given = event.arguments.get("hop_length", 2 + _shift(event))
    if given is not None and not (isinstance(given, Const) and given.value is None):
        return fact_of(given, None)
    size = _size(event)  # torch takes a quarter of the frame
    if isinstance(size, Known) and isinstance(size.value, int):
        return Known(size.value // 4, size.trail, size.condition, size.confidence)
    return Unknown("the frame of the STFT is not known")


def _window(event: CallEvent) -> Fact:
    given = event.arguments.get("window", 4 + _shift(event))
    if given is None:
        return Known("none")
    for window in instances_of(given):
        name = canonical(window.external_name).removesuffix(".to").removesuffix(".cuda").rpartition(".")[2]
        if name.endswith("_window"):
            return Known(name)
    return Unknown("the window of the STFT is not known")
