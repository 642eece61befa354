"""Loops over loaders in which networks run: which mode the networks are in, and whether gradients are kept."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from cmgan_audit.facts.classes import BATCH_NORMS, DROPOUTS, bare_network, values_within
from cmgan_audit.facts.losses import is_loss
from cmgan_audit.facts.passes.forwards import switched_off_inside, unread_parts
from cmgan_audit.facts.passes.functional_dropout import drops_by_mode, untold_dropout
from cmgan_audit.facts.passes.gradients import keeps_no_graph
from cmgan_audit.facts.passes.learning import TAKEN
from cmgan_audit.facts.passes.library_networks import code_is_elsewhere, name_of
from cmgan_audit.facts.passes.modes import (
    OPEN,
    at_work,
    gradients_off,
    impossible,
    left_in_eval,
    mode_at,
    only_in_training,
    original_of,
    parts_in_eval,
)
from cmgan_audit.facts.passes.own_statistics import keeps_statistics
from cmgan_audit.facts.records import EVAL, TRAIN, Loop
from cmgan_audit.facts.scene import Made, Pass, Scene, Use
from cmgan_audit.facts.values import class_name, constant, same_object
from cmgan_audit.finding import Location, Step
from cmgan_audit.program.domain.values import ClassValue, Const, Instance
from cmgan_audit.program.execution.trace import MAYBE, innermost_function
from cmgan_audit.program.naming.names import canonical
from cmgan_audit.rules.record import Fact, Known, Unknown, certainly


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
    """One pass as a record; None where no network runs in it, or nothing of a training happens in it."""
    name = innermost_function(single.event.context)
    if single.event.framework:
        return _loop_of_framework(scene, single, name)
    inside = scene.uses_in(single)
    runs = runs_among(scene, inside)
    if not runs:
        return None
    here = _role_here(inside, role, named)
    if single.event.loop in scene.run.cut_short and not certainly(here or role, TRAIN):
        return None  # `raise NotImplementedError` before the backward pass, unless an option is given
    return None if here is None else judged_loop(scene, single.event.location, name, here, inside, runs)


def judged_loop(
    scene: Scene, place: Location, function: str, role: Fact, inside: Sequence[Use], runs: Sequence[Use]
) -> Loop:
    """A loop of the program's own as a record.

    Args:
        scene: the run.
        place: where it begins.
        function: the qualified name of the function that it stands in.
        role: whether it trains or evaluates.
        inside: what happens to networks and optimisers in it.
        runs: those of them where a network runs.
    """
    working = [each for run in runs for each in at_work(scene, run)]
    mode, layers, unseen = _mode(scene, working)
    dropping = _dropping_in_eval(scene, working) if certainly(role, EVAL) and not certainly(mode, False) else None
    train_mode: Fact = Known(True)
    if certainly(role, TRAIN):
        train_mode, layers, unseen = _train_mode(scene, runs)
    return Loop(
        location=place,
        anchor=function,
        name=f"{function.rpartition('.')[2]}()" if function != "<module>" else "the script",
        role=role,
        eval_mode=dropping or mode,
        no_grad=_no_grad(scene, working),
        train_mode=train_mode,
        mode_layers=layers,
        unseen=unseen,
        unread_parts=_unread(scene, runs, layers + unseen, mode, train_mode),
        untold_dropout=dropping is not None,
        differentiates=any(use.kind == TAKEN for use in inside),
    )


def _unread(scene: Scene, runs: Sequence[Use], told: str, *modes: Fact) -> str:
    """The parts of the networks that come from libraries, where a wrong mode is only known to be harmless without."""
    if told or not any(certainly(mode, False) for mode in modes):
        return ""
    return ", ".join(dict.fromkeys(name for run in runs for name in unread_parts(scene, run)))


def runs_among(scene: Scene, uses: Iterable[Use]) -> list[Use]:
    """Those uses where a network runs that is trained, loaded or switched, or a copy of such a one.

    A loss of torch whose state is kept beside that of the network is none: it has no mode.
    """
    runs = [use for use in uses if use.kind == "run" and not is_loss(use.event.callee)]
    return [use for use in runs if _is_of_kept(scene, use) and not impossible(use)]


def _is_of_kept(scene: Scene, run: Use) -> bool:
    original = original_of(scene, run)
    return (run.on is not None and is_kept(scene, run.on)) or (original is not None and _is_of_kept(scene, original))


def _loop_of_framework(scene: Scene, single: Pass, anchor: str) -> Loop:
    """A pass that a framework makes: it sees to modes and gradients itself."""
    framework = single.event.framework
    done = Known(True, (Step(single.event.location, f"{framework} does this itself"),))
    runs = [use for use in scene.of("run") if single.event.role == EVAL and single.holds(use.event.context)]
    dropping = _dropping_in_eval(scene, runs)
    back = [run for run in runs_among(scene, runs) if _is_switched_back(scene, single, run)]
    mode, layers, unseen = _mode(scene, back) if back else (done, "", "")
    return Loop(
        location=single.event.location,
        anchor=anchor,
        name=framework,
        role=Known(single.event.role or TRAIN),
        eval_mode=dropping or mode,
        no_grad=done,
        train_mode=done,
        mode_layers=layers,
        unseen=unseen,
        framework=framework,
        untold_dropout=dropping is not None,
    )


def _is_switched_back(scene: Scene, single: Pass, run: Use) -> bool:
    """Whether the program puts a network back into training mode in a framework's pass, before it runs there."""
    state, switch = mode_at(scene, run)
    return state == "train" and switch is not None and switch is not run and single.holds(switch.event.context)


def _role_here(inside: Sequence[Use], role: Fact, named: str) -> Fact | None:
    """What a pass is for: training where something learns in it, else what its loader is for.

    None for a pass over training data without training: statistics, a warm-up, a preview.
    """
    steps = [use for use in inside if use.kind in ("backward", "step")]
    evaluates = role if isinstance(role, Known) and role.value == EVAL else None
    if steps and not (evaluates is not None and all(only_in_training(use) for use in steps)):
        return Known(TRAIN)
    if evaluates is not None:
        return Known(EVAL, evaluates.trail, confidence=evaluates.confidence)
    return None if named == TRAIN else role


def is_kept(scene: Scene, network: Instance) -> bool:
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


def _mode(scene: Scene, runs: Sequence[Use]) -> tuple[Fact, str, str]:
    """Whether the networks of a loop are in eval mode where they run, the layers that are not, and what is not seen."""
    first: tuple[Use, str] | None = None
    doubtful: tuple[Use, str] | None = None
    shown: Use | None = None
    layers: list[str] = []
    for run in runs:
        state, use = mode_at(scene, run)
        if state == "train":
            parts = [*parts_in_eval(scene, run), *switched_off_inside(scene, run)]
            if run.on is not None and any(same_object(part, bare_network(run.on)) for part in parts):
                continue
            switched = mode_layers(scene, run.on, parts) if run.on is not None else []
            if parts and run.on is not None and not switched and mode_layers(scene, run.on):
                continue  # what eval() changes is all in parts that are in eval mode
            if first is None or (switched and not layers):
                first = (run, class_name(bare_network(run.on)) if run.on is not None else "the network")
            layers += switched
        elif state == OPEN and use is not None:
            doubtful = doubtful or (run, str(use.event.location))
        else:
            shown = shown or use
    if first is not None:
        run, network = first
        steps = (Step(run.event.location, f"{network} runs here in training mode"),)
        return Known(False, steps), ", ".join(dict.fromkeys(layers)), _unseen(run)
    if doubtful is not None:
        return Unknown(f"whether the call at {doubtful[1]} switches the mode depends on the run"), "", ""
    seen = () if shown is None else (Step(shown.event.location, "eval() is called here"),)
    return Known(True, seen), "", ""


def _unseen(run: Use) -> str:
    """The class of a network that runs, where it comes from outside of the tree; else ""."""
    network = None if run.on is None else bare_network(run.on)
    return name_of(network) if network is not None and code_is_elsewhere(network) else ""


def _dropping_in_eval(scene: Scene, runs: Sequence[Use]) -> Known | None:
    """That a network drops whatever its mode is, placed where it does; None where none does."""
    done: set[int] = set()
    for run in runs:
        network = None if run.on is None else bare_network(run.on)
        if network is None or id(network) in done:
            continue
        done.add(id(network))
        place = untold_dropout(scene, network)
        if place is not None:
            untold = Step(place, "this drops in eval mode too: training is True where it is not given")
            return Known(False, (untold, Step(run.event.location, "the network runs here")))
    return None


def _train_mode(scene: Scene, runs: Sequence[Use]) -> tuple[Fact, str, str]:
    """Whether the networks of a training loop are in training mode in later passes too, and what their layers lack.

    What runs without gradients inside of it is evaluated: nothing is trained there, in whichever mode.
    """
    trained = [run for run in runs if not gradients_off(scene, run.position, run.event.context.managers)]
    left = [
        (run, use) for run in trained for use in [left_in_eval(scene, run)] if use is not None and run.on is not None
    ]
    if not left:
        return Known(True), "", ""
    # A network with layers that eval() switches tells more than one without.
    layers, run, use = max(
        ((mode_layers(scene, run.on), run, use) for run, use in left if run.on is not None),
        key=lambda each: bool(each[0]),
    )
    network = None if run.on is None else bare_network(run.on)
    name = "the network" if network is None else name_of(network)
    steps = (
        Step(use.event.location, f"{name} is switched to eval mode here, and nothing switches it back"),
        Step(run.event.location, f"the next pass trains {name} in eval mode"),
    )
    return Known(False, steps), ", ".join(layers), _unseen(run)


def _no_grad(scene: Scene, runs: Sequence[Use]) -> Fact:
    doubtful = ""
    for run in runs:
        managers = run.event.context.managers
        if gradients_off(scene, run.position, managers) or keeps_no_graph(scene, run):
            continue
        if any(manager.startswith(MAYBE) for manager in managers):
            doubtful = doubtful or str(run.event.location)
            continue
        network = class_name(bare_network(run.on)) if run.on is not None else "the network"
        return Known(False, (Step(run.event.location, f"{network} runs here with gradients on"),))
    if doubtful:
        return Unknown(f"whether gradients are off at {doubtful} depends on the run")
    place: Location = runs[0].event.location
    return Known(True, (Step(place, "gradients are off here"),))


def mode_layers(scene: Scene, network: Instance, leaving: Sequence[Instance] = ()) -> list[str]:
    """The layers of a network that eval() switches, by name; without those of some of its parts."""
    left = {id(inner) for part in leaving for inner in values_within(part, 10)}
    parts = [part for part in values_within(network, 10) if id(part) not in left]
    names = []
    for part in parts:
        if isinstance(part, Instance):
            name = canonical(part.external_name)
            member = name.rpartition(".")[2]
            if name.startswith("torch.nn.") and member in (*BATCH_NORMS, *DROPOUTS):
                if not (member in DROPOUTS and constant(part.arguments.get("p", 0)) == 0):  # a share of 0 drops nothing
                    names.append(member)
            elif name.startswith("torch.nn.") and member in ("LSTM", "GRU", "RNN", "MultiheadAttention"):
                dropout = part.arguments.get("dropout")
                if isinstance(dropout, Const) and dropout.value:
                    names.append(f"dropout of {member}")
            elif isinstance(part.cls, ClassValue) and keeps_statistics(part.cls):
                names.append(part.cls.node.name)
    if drops_by_mode(scene, parts):
        names.append("F.dropout")
    return list(dict.fromkeys(names))
