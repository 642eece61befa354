"""Functions that worker processes and threads apply to items: joblib, multiprocessing pools, executors.

The function is called here as it would be there; for a map, once with an item that stands for all.
"""

from __future__ import annotations

from cmgan_audit.program.domain.values import (
    Arguments,
    BoundMethod,
    Choice,
    ClassValue,
    External,
    FunctionValue,
    Instance,
    ListValue,
    Unknown,
    Value,
    options_of,
)
from cmgan_audit.program.models.registry import ModelCall, derives, listing, model

for _alias in ("joblib.parallel.delayed", "sklearn.externals.joblib.delayed", "sklearn.utils.fixes.delayed"):
    derives(_alias, "joblib.delayed")
for _alias in ("joblib.parallel.Parallel", "sklearn.externals.joblib.Parallel", "sklearn.utils.parallel.Parallel"):
    derives(_alias, "joblib.Parallel")
for _alias in (
    "multiprocessing.pool.Pool",
    "multiprocessing.pool.ThreadPool",
    "multiprocessing.dummy.Pool",
    "multiprocessing.get_context.Pool",
    "torch.multiprocessing.Pool",
    "torch.multiprocessing.get_context.Pool",
    "multiprocess.Pool",
    "pathos.multiprocessing.ProcessingPool",
    "pathos.multiprocessing.ProcessPool",
):
    derives(_alias, "multiprocessing.Pool")
for _alias in ("ProcessPoolExecutor", "ThreadPoolExecutor"):
    derives(f"concurrent.futures.{_alias}", "concurrent.futures.Executor")
    derives(f"concurrent.futures.process.{_alias}", "concurrent.futures.Executor")
    derives(f"concurrent.futures.thread.{_alias}", "concurrent.futures.Executor")


@model("joblib.delayed.__call__")
def _delayed(call: ModelCall) -> Value | None:
    """`delayed(f)(a, b)`: what f gives, once `Parallel` has run it."""
    held = call.receiver.arguments.get("function", 0) if isinstance(call.receiver, Instance) else None
    if not _is_code(held) or held is None:
        return None
    return call.interpreter.call(held, call.arguments, call.location)


@model("joblib.Parallel.__call__")
def _parallel(call: ModelCall) -> Value | None:
    """The results of the delayed calls, as a list."""
    given = call.get("iterable", 0)
    return listing(list(given.items), complete=given.complete) if isinstance(given, ListValue) else None


@model("multiprocessing.Pool.map", "multiprocessing.Pool.imap", "multiprocessing.Pool.imap_unordered")
def _map(call: ModelCall) -> Value | None:
    return _applied(call, [_item(call.get("iterable", 1))])


@model("multiprocessing.Pool.map_async")
def _map_async(call: ModelCall) -> Value | None:
    _map(call)
    return None


@model("concurrent.futures.Executor.map")
def _executor_map(call: ModelCall) -> Value | None:
    return _applied(call, [_item(value) for value in call.arguments.positional[1:]])


@model("multiprocessing.Pool.starmap")
def _starmap(call: ModelCall) -> Value | None:
    item = _item(call.get("iterable", 1))
    if isinstance(item, ListValue):
        return _applied(call, list(item.items))
    return _applied(call, [], "*args of unknown content")


@model("multiprocessing.Pool.starmap_async")
def _starmap_async(call: ModelCall) -> Value | None:
    _starmap(call)
    return None


@model("multiprocessing.Pool.apply")
def _apply(call: ModelCall) -> Value | None:
    function, given = call.get("func", 0), call.get("args", 1)
    if function is None or not _is_code(function):
        return None
    known = isinstance(given, ListValue)
    arguments = Arguments(
        positional=tuple(given.items) if isinstance(given, ListValue) else (),
        open_kwargs="" if known or given is None else "*args of unknown content",
    )
    return call.interpreter.call(function, arguments, call.location)


@model("multiprocessing.Pool.apply_async")
def _apply_async(call: ModelCall) -> Value | None:
    _apply(call)
    return None


def _applied(call: ModelCall, items: list[Value], unknown: str = "") -> Value | None:
    """The list of what the function gives for items like this one."""
    function = call.get("func", 0) or call.get("fn")
    if function is None or not _is_code(function):
        return None
    arguments = Arguments(positional=tuple(items), open_kwargs=unknown)
    return listing([call.interpreter.call(function, arguments, call.location)], complete=False)


def _item(iterable: Value | None) -> Value:
    """An item that stands for all of an iterable."""
    if isinstance(iterable, ListValue) and iterable.items:
        return iterable.items[0]
    return Unknown(reason="an item that is mapped")


def _is_code(value: Value | None) -> bool:
    if isinstance(value, Choice):
        return any(_is_code(option.value) for option in options_of(value))
    return isinstance(value, FunctionValue | ClassValue | Instance | BoundMethod | External)
