"""The state of networks in the order of the run: train or eval mode, gradients on or off."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from cmgan_audit.facts.classes import bare_network, is_network, values_within
from cmgan_audit.facts.code import Code
from cmgan_audit.facts.conditions import exclude
from cmgan_audit.facts.optimisers import names_optimiser
from cmgan_audit.facts.passes.last_pass import only_in_last_pass
from cmgan_audit.facts.passes.part_switches import SOME_PARTS
from cmgan_audit.facts.passes.switching_helpers import may_have_switched
from cmgan_audit.facts.scene import COPIED, COPYING, Scene, Use
from cmgan_audit.facts.values import constant, instances_of, is_among, same_object
from cmgan_audit.lazy_regex import regex
from cmgan_audit.program.domain.values import Const, Instance
from cmgan_audit.program.execution.trace import (
    GRADIENT_MODES,
    MODES_RESTORED,
    CallEvent,
    Context,
    Loop,
    is_without_gradients,
)
from cmgan_audit.program.naming.names import canonical

OPEN = "open"
_IN_TRAINING = regex(r"[\w.]+\.training")
_ORDER = regex("[<>]")


def mode_at(scene: Scene, run: Use) -> tuple[str, Use | None]:
    """The mode of a network where it runs, and the call that set it.

    Returns:
        "train" or "eval"; "open" when a switch that decides may not have happened, or code that is not there may have
        switched it.
    """
    if run.on is None:
        return OPEN, None
    network = bare_network(run.on)
    here = run.event.context.tests
    possible: dict[str, Use] = {}
    sides: list[frozenset[str]] = []
    for use in reversed([use for use in scene.of("eval", "train", SOME_PARTS) if use.position < run.position]):
        if use.on is None or is_put_back(use, run.event.context) or not scene.reaches(bare_network(use.on), network):
            continue
        under = use.event.context.tests
        if exclude(under, here):
            continue
        possible.setdefault(mode_after(use), use)
        if use.kind == SOME_PARTS:
            continue
        held = here if under <= here else here | _made_under(scene, network)
        if under <= held or any(_are_two_sides(under - held, other) for other in sides):
            break
        sides.append(under - held)
    else:
        original = original_of(scene, run)
        state, use_before = (_as_made(scene, network), run) if original is None else mode_at(scene, original)
        possible.setdefault(state, use_before or run)  # as it was made, or as what it is a copy of
    if len(possible) > 1:
        return OPEN, next(iter(possible.values()))
    ((state, use),) = possible.items()
    if state == "train":
        helper = may_have_switched(scene, run, network, None if use is run else use)
        if helper is not None:
            return OPEN, replace(run, event=helper)
    return state, use


def is_put_back(use: Use, context: Context) -> bool:
    """Whether a framework has put the modes back that a switch changed, before it comes to some place."""
    return MODES_RESTORED in use.event.context.managers and MODES_RESTORED not in context.managers


def _as_made(scene: Scene, network: Instance) -> str:
    """The mode of a network that nothing has switched: training mode, by its class.

    What another package loads is mostly in eval mode already (`from_pretrained`), and so are networks that measure.
    Of a network from outside only one that this run trains, made by its class, is known to be as torch makes it.
    """
    if is_network(network):
        return "train"
    maker = network.external_name.rpartition(".")[2]
    by_its_class = (maker[:1].isupper() or not maker) and not maker.endswith(("Loss", "Criterion"))
    return "train" if by_its_class and _is_trained(scene, network, []) else "eval"


def _made_under(scene: Scene, network: Instance) -> frozenset[str]:
    """The tests under which a network is made: wherever it runs, they came out like that."""
    for event in scene.calls:
        if is_among(network, instances_of(event.result)):
            return event.context.tests
    return frozenset()


def _are_two_sides(tests: frozenset[str], others: frozenset[str]) -> bool:
    """Whether tests are those of others, but for one that came out the other way: one of the two holds in any case."""
    return len(tests - others) == len(others - tests) == 1 and exclude(tests - others, others - tests)


def original_of(scene: Scene, run: Use) -> Use | None:
    """The run that a copy of a network would have been on its original, there where the copy was made."""
    for made in scene.of(COPIED):
        if made.on is None or run.on is None or made.position >= run.position:
            continue
        if scene.reaches(bare_network(made.on), bare_network(run.on)):
            originals = instances_of(made.event.arguments.get(COPYING[canonical(made.event.callee)], 0))
            pairs = zip(instances_of(made.event.result), originals, strict=False)
            original = next((each for copy, each in pairs if same_object(copy, made.on)), None)
            return None if original is None else Use(run.kind, made.event, made.position, original)
    return None


def parts_in_eval(scene: Scene, run: Use) -> list[Instance]:
    """The parts of a network that are in eval mode where it runs, though the whole of it is not: `net.body.eval()`."""
    network = None if run.on is None else bare_network(run.on)
    off = (use for use in scene.of("eval", "train") if use.position < run.position and mode_after(use) == "eval")
    switched = [bare_network(use.on) for use in off if use.on is not None]
    return [
        part
        for part in switched
        if network is not None and scene.reaches(network, part) and mode_at(scene, replace(run, on=part))[0] == "eval"
    ]


def at_work(scene: Scene, run: Use) -> list[Use]:
    """Where a network that a method of its own runs is at work: `model.enhance(x)` may call `self.eval()` first.

    Returns:
        The runs of its parts inside of the method, each as one of the whole network; the call itself where none is
        known.
    """
    depth, frames = len(run.event.context.frames), run.event.context.frames
    inner = []
    for use in scene.of("run"):
        if use.position <= run.position:
            continue
        there = use.event.context.frames
        if use.event.location == run.event.location and len(there) == depth:
            break  # the method is called once more
        if len(there) > depth and there[depth].call == run.event.location and there[:depth] == frames:
            in_eval = mode_at(scene, use)[0] == "eval"  # the part that is at work was switched by itself
            inner.append(use if in_eval else replace(use, on=run.on))
    return inner or [run]


def left_in_eval(scene: Scene, run: Use) -> Use | None:
    """The `eval()` that is still in force when a loop around a network's run comes round again; None where none is.

    The first pass may be in training mode all the same: what counts is what the end of the loop's body leaves behind,
    and whether anything before the run switches back. An evaluation at the beginning of the body counts as well.
    """
    if run.on is None:
        return None
    network = bare_network(run.on)
    switches = [
        use
        for use in scene.of("eval", "train")
        if use.on is not None
        and not is_put_back(use, run.event.context)
        and scene.reaches(bare_network(use.on), network)
    ]
    if not _is_trained(scene, network, switches):
        return None  # a teacher or a metric network is meant to stay in eval mode
    for loop in reversed(run.event.context.loops):
        inside = [use for use in switches if loop in use.event.context.loops]
        before = [use for use in inside if use.position < run.position]
        left = _in_force_behind(before)
        if left is not None and _is_of_an_evaluation(scene, left, run, network):
            return left
        if before and _is_meant_for(before[-1], run):
            return None  # every pass of this loop switches it off on purpose before it runs
        if any(use.position < run.position and mode_after(use) != "eval" for use in inside):
            return None  # every pass of this loop begins in training mode; so does what lies around it
        behind = [use for use in inside if use.position > run.position]
        left = _in_force_behind(behind)
        while left is not None and not _comes_round(scene, run, left, loop):
            behind.remove(left)
            left = _in_force_behind(behind)
        if left is not None:
            return left
    return None


def _comes_round(scene: Scene, run: Use, left: Use, loop: Loop) -> bool:
    """Whether a pass that runs the network follows in a loop behind something that happens in it."""
    if loop.unrolled:
        later = (use for use in scene.of("run") if use.position > left.position)
        if not any(use.event.location == run.event.location and loop in use.event.context.loops for use in later):
            return False
    return not only_in_last_pass(Code(scene), left.event, loop)


def _in_force_behind(switches: Sequence[Use]) -> Use | None:
    """The `eval()` among switches in order that is in force behind them, at least in some passes of a loop.

    A `train()` that stands under a comparison of scores, as the one beside `torch.save(best)` does, puts the network
    back only in the passes that set a new best.
    """
    off = next((use for use in reversed(switches) if mode_after(use) == "eval"), None)
    if off is None:
        return None
    on = [use for use in switches if use.position > off.position]
    known = off.event.context.tests
    tests = [use.event.context.tests - known for use in on]
    return off if all(any(map(_asks_for_a_best, each)) for each in tests) else None


def _is_meant_for(switch: Use, run: Use) -> bool:
    """Whether the last switch before a run is an `eval()` that happens whenever the network runs there."""
    here = run.event.context.tests
    return mode_after(switch) == "eval" and switch.event.context.tests <= here


def _is_of_an_evaluation(scene: Scene, off: Use, run: Use, network: Instance) -> bool:
    """Whether an `eval()` before a run belongs to an evaluation that comes first, and may come before this very run.

    What switches a discriminator off while it judges the generator, or a network by a flag that also decides whether
    anything is learnt, evaluates nothing.
    """
    under = off.event.context.tests
    between = [use for use in scene.uses if off.position < use.position < run.position]
    if not any(
        use.kind == "run"
        and use.on is not None
        and same_object(bare_network(use.on), network)
        and gradients_off(scene, use.position, use.event.context.managers)
        for use in between
    ):
        return False
    loop = run.event.context.loops[-1]
    learning = [
        use for use in scene.of("backward", "step") if use.position > run.position and loop in use.event.context.loops
    ]
    elsewhere = {condition.text for use in (run, *learning) for condition in use.event.context.conditions}
    return not exclude(under, elsewhere)


def _asks_for_a_best(test: str) -> bool:
    """Whether a test, as it was taken, asks whether a score is better than the best one so far."""
    return "best" in test.lower() and bool(_ORDER.search(test)) and not test.startswith("not ")


def _is_trained(scene: Scene, network: Instance, switches: list[Use]) -> bool:
    """Whether a network is switched to training mode somewhere, or an optimiser is made with its parameters."""
    if any(mode_after(use) == "train" for use in switches):
        return True
    asked = [
        use.event
        for use in scene.of("keep")
        if use.on is not None
        and same_object(bare_network(use.on), network)
        and canonical(use.event.callee).endswith(".parameters")
    ]
    return any(
        any(each.location.lies_in(event.location) for each in asked) or _is_given(event, asked)
        for event in scene.calls
        if names_optimiser(canonical(event.callee))
    )


def _is_given(optimiser: CallEvent, asked: Sequence[CallEvent]) -> bool:
    """Whether an optimiser gets parameters that were asked for elsewhere: `build(config, model.parameters())`."""
    given = optimiser.arguments.get("params", 0)
    held = [] if given is None else [each for each in values_within(given, 6) if isinstance(each, Instance)]
    results = [event.result for event in asked if isinstance(event.result, Instance)]
    return any(each.attrs is result.attrs for each in held for result in results)


def mode_after(use: Use) -> str:
    """The mode that `eval()`, `train()` or `train(flag)` leaves."""
    argument = use.event.arguments.get("mode", 0)
    if use.kind == "eval":
        return "eval"
    if use.kind == SOME_PARTS:
        return OPEN
    if argument is not None and not isinstance(argument, Const):
        return OPEN
    return "eval" if constant(argument) is False else "train"


def gradients_off(scene: Scene, position: int, managers: tuple[str, ...]) -> bool:
    """Whether gradients are off at a position of the run."""
    for manager in reversed(managers):
        if is_without_gradients(manager) or manager == "torch.set_grad_enabled(False)":
            return True
        if manager.startswith(("torch.enable_grad", "torch.set_grad_enabled(True)")):
            return False
    state = False
    for use in scene.of("grad"):
        # A manager that switches gradients puts back what was before it at its end.
        switching = any(each.startswith(GRADIENT_MODES) for each in use.event.context.managers)
        if use.position < position and not switching:
            argument = use.event.arguments.get("mode", 0)
            state = isinstance(argument, Const) and argument.value is False
    return state


def only_in_training(use: Use) -> bool:
    """Whether a use stands behind a module's question whether it is in training mode: `if self.training:`."""
    return any(_IN_TRAINING.fullmatch(condition.text) for condition in use.event.context.conditions)


def impossible(use: Use) -> bool:
    """Whether a use stands under a branch and its opposite: the two sides of one test, met on the way."""
    texts = use.event.context.tests
    return exclude(texts, texts)
