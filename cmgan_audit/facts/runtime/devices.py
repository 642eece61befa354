"""Where tensors and networks of a distributed program are put: on the device of the process, or always on one."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator

from cmgan_audit.facts.code import stack_of
from cmgan_audit.facts.exclusive import exclusive
from cmgan_audit.facts.view import View
from cmgan_audit.finding import Location, Step
from cmgan_audit.lazy_dataclasses import dataclass
from cmgan_audit.lazy_regex import regex
from cmgan_audit.program.domain.values import Choice, Const, DictValue, Instance, Value
from cmgan_audit.program.execution.trace import CallEvent, Event, StoreEvent, innermost_function
from cmgan_audit.program.naming.names import canonical
from cmgan_audit.rules.record import Fact, Known, Record, Unknown, record_kind
from cmgan_audit.source.syntax import arguments_of, walk

_STARTS = ("torch.distributed.init_process_group", "torch.multiprocessing.spawn")
_VISIBLE = "CUDA_VISIBLE_DEVICES"
_NAMES = ("cuda", "cuda:0")
_FIRST = ("cuda:0",)
# What a test asks that only one process answers with yes, and what any test of which process this is speaks of.
_FIRST_ONLY = regex(r"(?!not \().*rank\w*(\(\))? == 0|is_(main|master)\w*\(\)", re.IGNORECASE)
_ONE_PROCESS = regex(r"rank|main_process|master|is_main|primary", re.IGNORECASE)
# Calls that set variables of the environment.
_SETTING = ("environ.setdefault", "environ.update", "os.putenv")
# What numbers a process: `LOCAL_RANK`, `SLURM_LOCALID`, `accelerator.process_index`.
_OF_PROCESS = regex(r"rank|local_?id|proc(?:ess)?_(?:id|index)", re.IGNORECASE)
_MOST_SHOWN = 6


@record_kind("placement")
@dataclass(frozen=True, slots=True, kw_only=True)
class Placement(Record):
    """How a program that runs in several processes names its devices.

    Attributes:
        script: its path.
        fixed: whether something is put on a device that is written into the code; placed at the first such call that
            every step reaches, or where one device object was made for all of them; its trail names the others.
        own_device: whether every process makes one device its own (`torch.cuda.set_device`, CUDA_VISIBLE_DEVICES), so
            that a plain "cuda" means it.
        first: whether every process puts something on the first device, by its number, although it has its own.
    """

    script: str
    fixed: Fact
    own_device: Fact
    first: Fact = Known(False)


def placements(view: View) -> Iterable[Record]:
    """The record of a program that is distributed; none for others."""
    scene = view.scene
    starts = [event for event in scene.calls if canonical(event.callee) in _STARTS]
    if not starts or not scene.is_reached or not scene.trains:
        return []
    started = starts[0]
    # Where one GPU is all there is, the program goes another way and starts no processes.
    several = [event for event in scene.calls if not all(exclusive(event.context, each.context) for each in starts)]
    sites = [event for event in several if _names_a_device(view, event) and not _is_of_one_process(event)]
    # What happens in every step comes first: a wrong device there is met in every process.
    ordered = sorted(sites, key=lambda event: not event.context.loops)
    written = [Step(place, "the device is written here") for place in map(_written_apart, ordered[:1]) if place]
    steps = dict.fromkeys(Step(event.location, f"{_shown(event)} names the device here") for event in ordered)
    trail = (*written, *list(steps)[:_MOST_SHOWN], Step(started.location, "the program runs in several processes"))
    own = _own_device(view)
    first = [event for event in ordered if _is_first_of_all(view, event)] if _is_chosen(own) else []
    if isinstance(own, Known) and first:
        return [_despite(view, first, own)]
    return [
        Placement(
            location=ordered[0].location if ordered else started.location,
            anchor=f"{scene.run.entry}:{innermost_function(ordered[0].context)}" if ordered else scene.run.entry,
            script=scene.run.entry,
            fixed=Known(bool(sites), trail if sites else trail[-1:]),
            own_device=own,
        )
    ]


def _despite(view: View, events: list[CallEvent], own: Known) -> Placement:
    """The record of a program whose processes have a device each and put something on the first one all the same."""
    steps = dict.fromkeys(Step(event.location, f"{_shown(event)} names the first device here") for event in events)
    trail = (*list(steps)[:_MOST_SHOWN], *own.trail)
    return Placement(
        location=events[0].location,
        anchor=f"{view.scene.run.entry}:{innermost_function(events[0].context)}",
        script=view.scene.run.entry,
        fixed=Known(True, trail),
        own_device=own,
        first=Known(True, trail),
    )


def _is_chosen(own: Fact) -> bool:
    """Whether each process chooses among all devices; where it sees one only, that one is its first."""
    return isinstance(own, Known) and bool(own.value) and not any(_VISIBLE in step.note for step in own.trail)


def _is_first_of_all(view: View, event: CallEvent) -> bool:
    """Whether every process puts something on the first device in each step of its training."""
    if not _names_a_device(view, event, _FIRST) or not event.context.loops:
        return False
    return not any(_ONE_PROCESS.search(condition.text) for condition in event.context.conditions)


def _is_of_one_process(event: CallEvent) -> bool:
    """Whether only the first process comes to a call: `if rank == 0:`."""
    return any(_FIRST_ONLY.fullmatch(condition.text) for condition in event.context.conditions)


def _is_written_out(view: View, event: CallEvent) -> bool:
    call = view.code.call_at(event.location)
    return call is not None and any(isinstance(each, ast.Constant) for each in call.args)


def _own_device(view: View) -> Fact:
    for event in view.scene.calls:
        name = canonical(event.callee)
        if (name == "torch.cuda.set_device" and not _is_written_out(view, event)) or any(
            manager.startswith("torch.cuda.device") for manager in event.context.managers
        ):
            return Known(True, (Step(event.location, "each process chooses its device here"),))
    for setting, given in _settings_of_visible(view):
        if setting.context.frames or _tells_of_process(view, setting, given):
            return Known(True, (Step(setting.location, f"{_VISIBLE} is set here"),))
    return _kept_off(view) or Known(False)


def _kept_off(view: View) -> Unknown | None:
    """A choice of a device that a setting keeps off in this run: `if args.gpu is not None: set_device(args.gpu)`.

    Whoever starts the processes may well give the option, each of them another number.
    """
    for function in view.code.reached:
        path = function.module.path
        for node in function.own_nodes():
            if _chooses_device(node):
                tests = [each.test for each in view.code.parents(path, node) if isinstance(each, ast.If)]
                if tests and not any(isinstance(test, ast.Constant) for test in tests):
                    step = Step(function.module.location(node), "a process would choose its device here")
                    return Unknown(f"a device is chosen only where {ast.unparse(tests[0])}", (step,))
    return None


def _chooses_device(node: ast.AST) -> bool:
    """Whether a statement makes a device that is not written into the code that of the process."""
    match node:
        case ast.Call(func=ast.Attribute(attr="set_device") as function, args=[given]):
            return ast.unparse(function).endswith("cuda.set_device") and not isinstance(given, ast.Constant)
        case ast.Assign(targets=[ast.Subscript(slice=ast.Constant(value=key))], value=value):
            return key == _VISIBLE and not isinstance(value, ast.Constant)
    return False


def _settings_of_visible(view: View) -> Iterator[tuple[Event, ast.AST]]:
    """Where the program says which GPUs a process sees, each with the expression that tells."""
    for store in _stores(view):
        if store.name == _VISIBLE:
            node = view.code.node_of(store)
            around = [] if node is None else [node, *view.code.parents(store.location.path, node)]
            yield from ((store, each.value) for each in around if isinstance(each, ast.Assign))
    for event in view.scene.named(lambda name: name.endswith(_SETTING)):
        node = view.code.call_at(event.location) or view.code.node_at(event.location)
        told = event.arguments.get("", 0)
        named = isinstance(told, DictValue) and _VISIBLE in told.items
        if node is not None and (named or _VISIBLE in ast.unparse(node)):
            yield event, node


def _tells_of_process(view: View, event: Event, given: ast.AST) -> bool:
    """Whether what is set is of the process, `os.environ["CUDA_VISIBLE_DEVICES"] = os.environ["LOCAL_RANK"]`, also by
    a name, or where the process is asked which one it is."""
    if any(_OF_PROCESS.search(condition.text) for condition in event.context.conditions):
        return True
    path, stack = event.location.path, stack_of(event.context)
    names = (each for each in walk(given) if isinstance(each, ast.Name))
    said = [given, *(value for name in names for value in view.slicer.given(name, path, stack))]
    return any(_OF_PROCESS.search(ast.unparse(each)) for each in said)


def _stores(view: View) -> Iterator[StoreEvent]:
    return (event for event in view.scene.run.events if isinstance(event, StoreEvent))


def _names_a_device(view: View, event: CallEvent, names: tuple[str, ...] = _NAMES) -> bool:
    """Whether a call puts something on a device whose number is written into the code, or left to the default."""
    member = canonical(event.callee).rpartition(".")[2]
    given = event.arguments
    if member in ("cuda", "to"):
        device = given.get("device", 0)
        if device is None:
            current = member == "cuda" and event.receiver is not None and not given.open_kwargs
            return current and "cuda" in names
        return _is_fixed(view, device, event, names)
    device = given.keywords.get("device")
    return device is not None and canonical(event.callee).startswith("torch.") and _is_fixed(view, device, event, names)


def _written_apart(event: CallEvent) -> Location | None:
    """Where the device that a call names was written, as one for the whole program: `device = torch.device("cuda")`."""
    device = event.arguments.get("device", 0)
    if not isinstance(device, Instance) or device.external_name != "torch.device":
        return None
    return None if device.location.lies_in(event.location) else device.location


def _is_fixed(view: View, device: Value, event: CallEvent, names: tuple[str, ...]) -> bool:
    """ "cuda", "cuda:0" or 0 as they stand in the code; a device object made of them is one too.

    A text that is put together ("cuda:{}".format(rank)), and a number that comes from elsewhere, may be the rank of the
    process even where this run has it as 0. What stands beside it for a machine without GPUs changes nothing.
    """
    if isinstance(device, Choice):
        others = [each.value for each in device.options if not _is_fixed_arm(view, each.value, event, names)]
        return len(others) < len(device.options) and all(_is_cpu(each) for each in others)
    if isinstance(device, Instance) and device.external_name == "torch.device":
        inner = device.arguments.get("type", 0)
        if device.arguments.get("index", 1) is not None:
            return _is_first_by_number(view.code.call_at(device.location))
        return isinstance(inner, Const | Choice) and _is_fixed(view, inner, event, names)
    if not isinstance(device, Const) or device.overridable:
        return False
    if type(device.value) is int and device.value == 0:
        call = view.code.call_at(event.location)
        return call is not None and any(isinstance(each, ast.Constant) for each in call.args[:1])
    return device.value in names and _is_literal(view, device)


def _is_first_by_number(call: ast.Call | None) -> bool:
    """Whether a device is written as `torch.device("cuda", 0)`."""
    words = arguments_of(call) if call is not None else []
    return [each.value for each in words if isinstance(each, ast.Constant)] == ["cuda", 0]


def _is_fixed_arm(view: View, arm: Value, event: CallEvent, names: tuple[str, ...]) -> bool:
    """The same for one side of an expression; a text that came no way stands in the expression itself."""
    here = isinstance(arm, Const) and not arm.trail and not arm.overridable and arm.value in names
    return here or _is_fixed(view, arm, event, names)


def _is_cpu(device: Value) -> bool:
    if isinstance(device, Instance) and device.external_name == "torch.device":
        inner = device.arguments.get("type", 0)
        return inner is not None and _is_cpu(inner)
    return isinstance(device, Const) and device.value == "cpu"


def _is_literal(view: View, value: Const) -> bool:
    node = view.code.node_at(value.trail[0].location) if value.trail else None
    arms = [node.body, node.orelse] if isinstance(node, ast.IfExp) else [node]
    return any(isinstance(arm, ast.Constant) and arm.value == value.value for arm in arms)


def _shown(event: CallEvent) -> str:
    member = canonical(event.callee).rpartition(".")[2]
    device = event.arguments.get("device", 0)
    return f"{member}({device.value!r})" if isinstance(device, Const) else f"{member}()"
