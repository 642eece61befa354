"""Loops over loaders in which networks run: which mode the networks are in, and whether gradients are kept."""

from __future__ import annotations

from cmgan_audit.facts.classes import BATCH_NORMS, DROPOUTS, bare_network, is_network, values_within
from cmgan_audit.facts.records import EVAL, TRAIN, Loop
from cmgan_audit.facts.roles import gradients_off
from cmgan_audit.facts.scene import Made, Pass, Scene, Use
from cmgan_audit.facts.values import class_name, constant, same_object
from cmgan_audit.finding import Location, Step
from cmgan_audit.program.joins import opposite
from cmgan_audit.program.names import canonical
from cmgan_audit.program.trace import innermost_function
from cmgan_audit.program.values import Const, Instance
from cmgan_audit.rules.record import Fact, Known, Unknown


def loops_of(scene: Scene, made: Made, role: Fact, named: str) -> tuple[Loop, ...]:
    """The loops over a loader that run a network.

    Args:
        scene: the run.
        made: the loader.
        role: of the loader.
        named: the role that names alone speak for, "" when they do not.
    """
    found = []
    for single in scene.passes_over(made.loader):
        loop = _loop(scene, single, role, named)
        if loop is not None:
            found.append(loop)
    return tuple(found)


def _loop(scene: Scene, single: Pass, role: Fact, named: str) -> Loop | None:
    name = innermost_function(single.event.context)
    place = single.event.location
    framework = single.event.framework
    if framework:
        done = Known(True, (Step(place, f"{framework} does this itself"),))
        return Loop(
            location=place,
            anchor=name,
            name=framework,
            role=Known(single.event.role or TRAIN),
            eval_mode=done,
            no_grad=done,
            framework=framework,
        )
    inside = [use for use in scene.uses if single.holds(use.event.context)]
    runs = [
        use
        for use in inside
        if use.kind == "run" and use.on is not None and _is_kept(scene, use.on) and not _impossible(use)
    ]
    if not runs:
        return None
    if any(use.kind in ("backward", "step") for use in inside):
        here: Fact = Known(TRAIN)
    elif isinstance(role, Known) and role.value == EVAL:
        here = Known(EVAL, role.trail, confidence=role.confidence)
    elif named == TRAIN:
        return None  # a pass over training data without training: statistics, a warm-up, a preview
    else:
        here = role
    mode, layers = _mode(scene, runs)
    return Loop(
        location=place,
        anchor=name,
        name=f"{name.rpartition('.')[2]}()" if name != "<module>" else "the script",
        role=here,
        eval_mode=mode,
        no_grad=_no_grad(scene, runs),
        mode_layers=layers,
    )


def _impossible(use: Use) -> bool:
    """Whether a use stands under a branch and its opposite: the two sides of one test, met on the way."""
    texts = {condition.text for condition in use.event.context.conditions}
    return any(opposite(text) in texts for text in texts)


def _is_kept(scene: Scene, network: Instance) -> bool:
    """Whether an object is a network that is trained, loaded or switched, rather than a loss or a transform."""
    bare = bare_network(network)
    kept = ("keep", "eval", "train")
    return any(
        use.on is not None and same_object(bare_network(use.on), bare) and _counts(use) for use in scene.of(*kept)
    )


def _counts(use: Use) -> bool:
    member = canonical(use.event.callee).rpartition(".")[2]
    return use.kind in ("eval", "train") or member in (
        "parameters",
        "named_parameters",
        "load_state_dict",
        "state_dict",
    )


def _mode(scene: Scene, runs: list[Use]) -> tuple[Fact, str]:
    """Whether the networks of a loop are in eval mode where they run, and the layers that are not."""
    first: tuple[Use, str] | None = None
    doubtful: tuple[Use, str] | None = None
    shown: Use | None = None
    layers: list[str] = []
    for run in runs:
        state, use = _state(scene, run)
        if state == "train":
            switched = mode_layers(run.on) if run.on is not None else []
            if first is None or (switched and not layers):
                first = (run, class_name(bare_network(run.on)) if run.on is not None else "the network")
            layers += switched
        elif state == "open" and use is not None:
            doubtful = doubtful or (run, str(use.event.location))
        else:
            shown = shown or use
    if first is not None:
        run, network = first
        steps = (Step(run.event.location, f"{network} runs here in training mode"),)
        return Known(False, steps), ", ".join(dict.fromkeys(layers))
    if doubtful is not None:
        return Unknown(f"whether the call at {doubtful[1]} switches the mode depends on the run"), ""
    steps = (Step(shown.event.location, "eval() is called here"),) if shown is not None else ()
    return Known(True, steps), ""


def _state(scene: Scene, run: Use) -> tuple[str, Use | None]:
    """The mode of a network at one of its uses: "train", "eval", or "open" when a switch may not have happened."""
    assert run.on is not None
    network = bare_network(run.on)
    here = {condition.text for condition in run.event.context.conditions}
    possible: dict[str, Use] = {}
    for use in reversed([use for use in scene.of("eval", "train") if use.position < run.position]):
        if use.on is None or not _reaches(bare_network(use.on), network):
            continue
        under = {condition.text for condition in use.event.context.conditions}
        if any(opposite(text) in here for text in under):
            continue
        mode = _mode_after(use)
        possible.setdefault(mode, use)
        if under <= here:
            break
    else:
        possible.setdefault("train", run)  # as it was made
    if len(possible) == 1:
        return next(iter(possible.items()))
    return "open", next(iter(possible.values()))


def _mode_after(use: Use) -> str:
    """The mode that `eval()`, `train()` or `train(flag)` leaves."""
    argument = use.event.arguments.get("mode", 0)
    if use.kind == "eval":
        return "eval"
    if argument is not None and not isinstance(argument, Const):
        return "open"
    return "eval" if constant(argument) is False else "train"


def _reaches(switched: Instance, network: Instance) -> bool:
    """Whether switching one module switches another: it is the same, or a part of it."""
    if same_object(switched, network):
        return True
    return any(
        isinstance(part, Instance) and is_network(part) and same_object(bare_network(part), network)
        for part in values_within(switched, 4)
    )


def _no_grad(scene: Scene, runs: list[Use]) -> Fact:
    for run in runs:
        if not gradients_off(scene, run.position, run.event.context.managers):
            network = class_name(bare_network(run.on)) if run.on is not None else "the network"
            return Known(False, (Step(run.event.location, f"{network} runs here with gradients on"),))
    place: Location = runs[0].event.location
    return Known(True, (Step(place, "gradients are off here"),))


def mode_layers(network: Instance) -> list[str]:
    """The layers of a network that eval() switches, by name."""
    names = []
    for part in values_within(network, 10):
        if isinstance(part, Instance):
            name = canonical(part.external_name)
            member = name.rpartition(".")[2]
            if name.startswith("torch.nn.") and member in (*BATCH_NORMS, *DROPOUTS):
                names.append(member)
            elif name.startswith("torch.nn.") and member in ("LSTM", "GRU", "RNN", "MultiheadAttention"):
                dropout = part.arguments.get("dropout")
                if isinstance(dropout, Const) and dropout.value:
                    names.append(f"dropout of {member}")
    return list(dict.fromkeys(names))
