"""Libraries that start a function of the tree: processes, threads, notebooks, command-line wrappers."""

from __future__ import annotations

from collections.abc import Sequence

from cmgan_audit.finding import Location
from cmgan_audit.lazy_dataclasses import dataclass
from cmgan_audit.program.domain.spreading import spread_items
from cmgan_audit.program.domain.values import (
    Arguments,
    BoundMethod,
    ClassValue,
    Const,
    DictValue,
    External,
    FunctionValue,
    Instance,
    Symbol,
    Unknown,
    Value,
    options_of,
)
from cmgan_audit.program.execution.interpreter import Interpreter

RANK = Symbol(formula="rank", at_one=0)


@dataclass(frozen=True, slots=True)
class Launcher:
    """How a library call starts a function: where the function stands among the arguments, and what it is given.

    `keyword` and `position` find the function, `args` and `kwargs` its arguments (a tuple and a dictionary);
    `ranked` puts the process number before them; `rest` passes all further positional arguments on; `hands` is the
    class of an object that the library makes for every call and puts before them.
    """

    keyword: str
    position: int | None
    args: str = "args"
    args_position: int | None = None
    kwargs: str = "kwargs"
    ranked: bool = False
    rest: bool = False
    hands: str = ""


_SPAWN = Launcher("fn", 0, args_position=1, ranked=True)
_REST = Launcher("fn", 0, args="", rest=True)
_TRIAL = Launcher("func", 0, args="", hands="optuna.trial.Trial")
_LAUNCHERS = {
    "torch.multiprocessing.spawn": _SPAWN,
    "torch.multiprocessing.start_processes": _SPAWN,
    "torch_xla.distributed.xla_multiprocessing.spawn": _SPAWN,
    "accelerate.notebook_launcher": Launcher("function", 0, args_position=1),
    "accelerate.debug_launcher": Launcher("function", 0, args_position=1),
    "accelerate.launchers.notebook_launcher": Launcher("function", 0, args_position=1),
    "concurrent.futures.ProcessPoolExecutor.submit": _REST,
    "concurrent.futures.ThreadPoolExecutor.submit": _REST,
    "submitit.AutoExecutor.submit": _REST,
    "submitit.SlurmExecutor.submit": _REST,
    "ray.tune.run": Launcher("run_or_experiment", 0, args="config"),
    "optuna.study.Study.optimize": _TRIAL,
    "optuna.create_study.optimize": _TRIAL,
    "optuna.load_study.optimize": _TRIAL,
    "wandb.agent": Launcher("function", 1, args=""),
    "atexit.register": _REST,
}
# Objects whose constructor names the function and whose method starts it.
_TARGET = Launcher("target", 1, args_position=3)
_STARTED_LATER = {
    "multiprocessing.Process": ("start", _TARGET),
    "multiprocessing.get_context.Process": ("start", _TARGET),
    "torch.multiprocessing.Process": ("start", _TARGET),
    "torch.multiprocessing.get_context.Process": ("start", _TARGET),
    "threading.Thread": ("start", _TARGET),
    "threading.Timer": ("start", _TARGET),
    "speechbrain.utils.metric_stats.MetricStats": ("append", Launcher("metric", 0, args="")),
}


def start(it: Interpreter, name: str, receiver: Value | None, arguments: Arguments, location: Location) -> Value | None:
    """Call the function that a launcher starts; None when `name` starts nothing."""
    method, later = _STARTED_LATER.get(receiver.external_name if isinstance(receiver, Instance) else "", ("", None))
    if later is not None and isinstance(receiver, Instance) and name.rpartition(".")[2] == method:
        _start(it, later, receiver.arguments, location)
        return Const(value=None)
    launcher = _LAUNCHERS.get(name)
    if launcher is None and isinstance(receiver, BoundMethod | Instance) and name.endswith((".submit", ".map_async")):
        launcher = _REST if arguments.positional and _is_code(arguments.positional[0]) else None
    if launcher is None:
        return None
    return _start(it, launcher, arguments, location)


def _start(it: Interpreter, launcher: Launcher, arguments: Arguments, location: Location) -> Value:
    function = arguments.get(launcher.keyword, launcher.position)
    if function is None or not any(_is_code(option.value) for option in options_of(function)):
        return Unknown(reason="the function that is started is not known")
    positional: list[Value] = [RANK] if launcher.ranked else []
    if launcher.hands:
        positional.append(Instance(cls=External(name=launcher.hands), arguments=Arguments(), location=location))
    unknown = ""
    if launcher.rest:
        positional += arguments.positional[1:]
        keywords = {key: value for key, value in arguments.keywords.items() if key != launcher.keyword}
    else:
        more, unknown = _spread(arguments.get(launcher.args, launcher.args_position) if launcher.args else None)
        positional += more
        keywords = _keywords(arguments.get(launcher.kwargs))
    return it.call(function, Arguments(positional=tuple(positional), keywords=keywords, open_kwargs=unknown), location)


def _spread(value: Value | None) -> tuple[Sequence[Value], str]:
    if value is None or (isinstance(value, Const) and value.value is None):
        return (), ""
    items, rest = spread_items(value)
    return items, f"*args of {rest}" if rest else ""


def _keywords(value: Value | None) -> dict[str, Value]:
    if not isinstance(value, DictValue):
        return {}
    return {key: item for key, item in value.items.items() if isinstance(key, str)}


def _is_code(value: Value) -> bool:
    return isinstance(value, FunctionValue | ClassValue | Instance | BoundMethod)
