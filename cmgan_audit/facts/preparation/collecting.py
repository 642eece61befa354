"""Collects what a run does to signals before the networks of the tree, and to what these give."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property

from cmgan_audit.facts.classes import bare_network, bound_arguments
from cmgan_audit.facts.passes.library_networks import RUNNING
from cmgan_audit.facts.passes.modes import gradients_off
from cmgan_audit.facts.preparation.comparing import preparations_of, union
from cmgan_audit.facts.preparation.growth import Growth, Growths
from cmgan_audit.facts.preparation.records import ANY, COMPRESSION, EXPANSION, INVERSE, RATE, SignalSetting
from cmgan_audit.facts.preparation.signals import Signals
from cmgan_audit.facts.preparation.transforms import Transform, forward_transform, inverse_transform
from cmgan_audit.facts.records import EVAL, TRAIN
from cmgan_audit.facts.scene import Use
from cmgan_audit.facts.view import View
from cmgan_audit.finding import Step
from cmgan_audit.lazy_dataclasses import dataclass
from cmgan_audit.program.domain.values import ClassValue, Const, FunctionValue, Instance, ListValue, Value
from cmgan_audit.program.execution.probe import attribute_of
from cmgan_audit.program.execution.trace import CallEvent
from cmgan_audit.rules.record import Fact, Known, Record, Unknown

# A file without these words neither transforms nor resamples anything.
_WORDS = (b"stft", b"Spectrogram", b"resampl", b"Resampl", b"librosa")
_LOADING = frozenset("load_state_dict load_from_checkpoint from_pretrained load_checkpoint load_model".split())
MOST_INVERSES = 40


@dataclass(slots=True)
class _Network:
    """A network with weights of one run, and its calls where it is trained and where it is evaluated."""

    network: Instance
    cls: ClassValue
    training: list[Use]
    evaluation: list[Use]


def preparations(view: View) -> Iterator[Record]:
    """The preparations of the networks that a run trains and evaluates; of others the settings alone."""
    if not view.scene.is_reached or not _mentioned(view):
        return
    networks = _networks(view)
    if not networks:
        return
    around = _Around(view, Signals(view.flow))
    trained = {id(each.cls.node) for each in networks if each.training}
    for each in networks:
        if each.training:
            settings = around.settings(each, each.training, trains=True)
            told = {ANY: Known(True), **settings}  # one that tells nothing may set anything
            yield from (_setting(view, each, name, fact, trains=True) for name, fact in told.items())
            if each.evaluation:
                yield from preparations_of(
                    each.cls.name,
                    list(around.settings(each, each.evaluation, trains=False).items()),
                    {name: [fact] for name, fact in settings.items()},
                    each.network.location,
                    f"{view.scene.run.entry}:{_defined(each.cls)}",
                    separate=False,
                )
        elif each.evaluation and id(each.cls.node) not in trained and _loads(view):
            settings = around.settings(each, each.evaluation, trains=False)
            yield from (_setting(view, each, name, fact, trains=False) for name, fact in settings.items())


def _mentioned(view: View) -> bool:
    contents = (view.tree.read_bytes(path) or b"" for path in view.code.files)
    return any(word in content for content in contents for word in _WORDS)


def _networks(view: View) -> list[_Network]:
    found: dict[int, _Network] = {}
    steps = any(use.kind in ("backward", "step") for use in view.scene.uses)
    for use in view.scene.of("run"):
        network = None if use.on is None else bare_network(use.on)
        if network is None or not isinstance(network.cls, ClassValue):
            continue
        if use.event.callee.rpartition(".")[2] not in RUNNING or not view.flow.has_weights(network):
            continue
        single = found.setdefault(id(network.attrs), _Network(network, network.cls, [], []))
        role = view.role_at(use.event.context)
        off = gradients_off(view.scene, use.position, use.event.context.managers)
        if role == TRAIN and not off:
            single.training.append(use)
        elif role == EVAL or not (steps or view.scene.of_frameworks):
            single.evaluation.append(use)
    return [each for each in found.values() if each.training or each.evaluation]


def _loads(view: View) -> bool:
    """Whether a run takes weights from somewhere: else it shows what a network does, or counts its parameters."""
    return bool(view.scene.named(lambda name: name == "torch.load" or name.rpartition(".")[2] in _LOADING))


def _setting(view: View, of: _Network, name: str, fact: Fact, *, trains: bool) -> SignalSetting:
    place = _defined(of.cls)
    script = view.scene.run.entry
    return SignalSetting(
        location=of.network.location,
        anchor=f"{script}:{place}:{name}:{trains}",
        network=of.cls.name,
        cls=place,
        made_with=_made_with(view, of),
        script=script,
        trains=trains,
        setting=name,
        value=fact,
    )


def _defined(cls: ClassValue) -> str:
    return f"{cls.module.path}:{cls.qualname}"


def _made_with(view: View, of: _Network) -> tuple[tuple[str, str], ...]:
    """What the constructor gets as text: a network of other sizes, or of another kind, does not take these weights."""
    constructor = attribute_of(view.scene.run, of.network, "__init__")
    defaults = constructor.defaults if isinstance(constructor, FunctionValue) else {}
    given = {**defaults, **bound_arguments(of.cls, of.network.arguments)}
    texts = ((name, _as_text(value)) for name, value in sorted(given.items()))
    return tuple((name, text) for name, text in texts if text is not None)


def _as_text(value: Value) -> str | None:
    """A constant, or a list of them, as text by which it is compared; None for what is not known."""
    if isinstance(value, ListValue) and value.complete:
        parts = [_as_text(item) for item in value.items]
        return None if None in parts else ", ".join(part for part in parts if part is not None)
    if not isinstance(value, Const) or value.value is None:
        return None
    number = value.value
    return f"{number:g}" if isinstance(number, int | float) and not isinstance(number, bool) else str(number)


class _Around:
    """What happens to signals around the networks of one run."""

    def __init__(self, view: View, signals: Signals) -> None:
        self._view = view
        self._signals = signals
        self._before = Growths(signals, self._of_spectrum)

    def settings(self, of: _Network, uses: Sequence[Use], *, trains: bool) -> dict[str, Fact]:
        """The settings of what is done before and behind some calls of a network.

        Each is one fact over all calls; one that is not known for a call is not known. A call without a transform
        before it counts where the network is trained alone, one on zeros or random numbers nowhere else.
        """
        found: dict[str, list[Fact]] = {}
        calls = list({id(use.event): use for use in uses}.values())
        for use in calls:
            given = use.event.arguments.every
            step = Step(use.event.location, f"{of.cls.name} gets the signal here")
            transforms = self._signals.transforms_behind(given)
            if not trains and any(self._signals.is_made_up(value) for value in given[:1]):
                continue
            for name in transforms[0].settings if transforms else ():
                found.setdefault(name, []).append(union([each.settings[name] for each in transforms], step))
            if transforms:
                found.setdefault(COMPRESSION, []).append(self._compression(given, transforms, step))
            rates = self._signals.rates_behind(given)
            if rates:
                found.setdefault(RATE, []).append(union(rates, step))
        if trains:
            unseen = Unknown(f"what another call of {of.cls.name} in the training gets is not known")
            for facts in found.values():
                facts.extend([unseen] * (len(facts) < len(calls)))
        for name, facts in self._behind(of, calls).items():
            found.setdefault(name, []).extend(facts)
        return {name: union(facts) for name, facts in found.items()}

    def _compression(self, given: Sequence[Value], transforms: Sequence[Transform], step: Step) -> Fact:
        growth = self._before.of_all(given)
        if growth is None or growth.power <= 0.0:
            return Unknown("how the spectrum reaches the network is not understood")
        steps = growth.steps or (Step(transforms[0].location, _in_all(growth, "compressed")),)
        return Known(round(growth.power, 4), (*steps, step), confidence=growth.confidence)

    def _of_spectrum(self, value: Value) -> Growth | None:
        node = None if self._signals.network_of(value) is not None else self._signals.flow.node(value)
        made = None if node is None else forward_transform(node)
        return None if made is None or made.exponent is None else Growth(made.exponent)

    def _behind(self, of: _Network, uses: Sequence[Use]) -> dict[str, list[Fact]]:
        """The settings of the inverse transforms that outputs of some calls go into, and how these are expanded."""
        found: dict[str, list[Fact]] = {}
        calls = {id(use.event) for use in uses}
        for back, spectrum, outputs in self._inverses:
            if not outputs or not all(id(event) in calls for event in outputs):
                continue
            step = Step(outputs[0].location, f"{of.cls.name} gives the spectrum here")
            for name, fact in back.settings.items():
                found.setdefault(f"{INVERSE}{name}", []).append(union([fact], step))
            found.setdefault(EXPANSION, []).append(self._expansion(of, spectrum, back, step))
        return found

    @cached_property
    def _inverses(self) -> list[tuple[Transform, Value, list[CallEvent]]]:
        """The inverse transforms of the run, each with its spectrum and the calls of networks behind that."""
        found: list[tuple[Transform, Value, list[CallEvent]]] = []
        for event in self._view.scene.calls:
            node = self._signals.flow.node(event.result) if _may_be_inverse(event) else None
            back = None if node is None or node.event is not event else inverse_transform(node)
            spectrum = event.arguments.positional[0] if event.arguments.positional else event.arguments.get("input")
            if back is not None and spectrum is not None and len(found) < MOST_INVERSES:
                found.append((back, spectrum, self._signals.outputs_behind(spectrum)))
        return found

    def _expansion(self, of: _Network, spectrum: Value, back: Transform, step: Step) -> Fact:
        growth = Growths(self._signals, lambda value: self._of_output(of, value)).of(spectrum)
        if growth is None or growth.power <= 0.0:
            return Unknown("how the output reaches the inverse transform is not understood")
        steps = growth.steps or (Step(back.location, _in_all(growth, "expanded")),)
        return Known(round(growth.power, 4), (*steps, step), confidence=growth.confidence)

    def _of_output(self, of: _Network, value: Value) -> Growth | None:
        network = self._signals.network_of(value)
        if network is not None:
            return Growth(1.0) if network.attrs is of.network.attrs else None
        node = self._signals.flow.node(value)
        return Growth(0.0) if node is not None and forward_transform(node) is not None else None


def _in_all(growth: Growth, what: str) -> str:
    """What a report says of a spectrum where no single step tells it."""
    return f"the spectrum is not {what}" if growth.power == 1.0 else f"magnitudes come to the power of {growth.power:g}"


def _may_be_inverse(event: CallEvent) -> bool:
    made = event.receiver
    names = (event.callee, made.external_name if isinstance(made, Instance) else "")
    return any("istft" in name or "InverseSpectrogram" in name for name in names)
