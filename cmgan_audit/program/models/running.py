"""What is only known while the program runs on its machines: processes, devices, modules by name, parts of Python."""

from __future__ import annotations

import posixpath
from dataclasses import replace

from cmgan_audit.program.domain.containers import MOST_TEXT, literal_in
from cmgan_audit.program.domain.joins import join_each
from cmgan_audit.program.domain.reasons import naming
from cmgan_audit.program.domain.values import (
    NONE,
    Arguments,
    Choice,
    ClassValue,
    Const,
    DictValue,
    Draw,
    Instance,
    Key,
    ListValue,
    Symbol,
    Unknown,
    Value,
)
from cmgan_audit.program.execution.interpreter import ProgramRaisedError
from cmgan_audit.program.library.draws import generator_seed
from cmgan_audit.program.models.registry import ModelCall, derives, listing, model

MOST_REDUCED = 40


# Processes and devices: numbers as formulas, with their value on one process


@model(
    "torch.distributed.get_world_size",
    "accelerate.Accelerator.num_processes",
    "horovod.torch.size",
    "torch_xla.core.xla_model.xrt_world_size",
    "ignite.distributed.get_world_size",
    "ignite.distributed.utils.get_world_size",
)
def _world_size(call: ModelCall) -> Value:
    return Symbol(formula="world_size", at_one=1)


@model("torch.cuda.device_count", "torch.npu.device_count", "torch.xpu.device_count")
def _device_count(call: ModelCall) -> Value:
    return Symbol(formula="device_count", at_one=1)


@model(
    "torch.distributed.get_rank",
    "horovod.torch.rank",
    "torch_xla.core.xla_model.get_ordinal",
    "ignite.distributed.get_rank",
    "ignite.distributed.get_local_rank",
)
def _rank(call: ModelCall) -> Value:
    return Symbol(formula="rank", at_one=0)


@model("os.cpu_count", "multiprocessing.cpu_count", "torch.multiprocessing.cpu_count", "psutil.cpu_count")
def _cpu_count(call: ModelCall) -> Value:
    return Symbol(formula="cpu_count")


# Modules and attributes by name


@model("importlib.import_module", "importlib.__import__")
def _import_module(call: ModelCall) -> Value | None:
    name, package = call.get("name", 0), call.get("package", 1)
    return _imported(call, name, package)


def _imported(call: ModelCall, name: Value | None, package: Value | None) -> Value | None:
    if isinstance(name, Choice):
        other = Unknown(reason="a module at run time")
        return join_each(name, lambda one: _imported(call, one, package) or other)
    if not isinstance(name, Const) or not isinstance(name.value, str):
        reason = "which module is imported is not known"
        return Unknown(reason=naming(f"{reason}: {name.reason}", name.reason) if isinstance(name, Unknown) else reason)
    text = name.value
    if text.startswith("."):
        if not isinstance(package, Const) or not isinstance(package.value, str):
            return Unknown(reason=f"the package that {text} is relative to is not known")
        dots = len(text) - len(text.lstrip("."))
        parts = package.value.split(".")
        text = ".".join([*parts[: len(parts) - dots + 1], text[dots:]])
    return call.interpreter.import_module(text)


@model("sys.modules.__getitem__", "sys.modules.get")
def _module_at_work(call: ModelCall) -> Value | None:
    """`sys.modules[__name__]`: the module that asks, and any other that has been imported."""
    text = call.text("key", 0)
    if text == "__main__":  # it runs already: nothing is executed again
        text = posixpath.splitext(call.interpreter.entry)[0].replace("/", ".")
    return None if text is None else call.interpreter.import_module(text)


@model("pydoc.locate", "hydra.utils.get_class", "hydra.utils.get_method", "hydra.utils.get_object")
def _locate(call: ModelCall) -> Value | None:
    text = call.text("path", 0)
    return None if text is None else located(call, text)


def located(call: ModelCall, text: str) -> Value:
    """What a dotted name means: the longest part that is a module of the tree, then attributes of it."""
    parts = text.split(".")
    for count in range(len(parts) - 1, 0, -1):
        found = call.interpreter.import_module(".".join(parts[:count]))
        if not hasattr(found, "module"):
            continue
        for name in parts[count:]:
            found = call.interpreter.attribute(found, name, call.location)
        return found
    from cmgan_audit.program.domain.values import External
    from cmgan_audit.program.naming.names import canonical

    if len(parts) == 1:
        return External(name=f"builtins.{text}")
    return External(name=canonical(text))


# Objects as dictionaries, partial calls


@model("dataclasses.asdict", "attr.asdict", "attrs.asdict")
def _asdict(call: ModelCall) -> Value | None:
    value = call.get("obj", 0) or call.get("inst")
    return plain_fields(value) if isinstance(value, Instance) and isinstance(value.cls, ClassValue) else None


def plain_fields(value: Value) -> Value:
    """Objects of the tree as dictionaries of their attributes, all the way down; one inside itself stays an object."""
    return _plain_fields(value, {})


def _plain_fields(value: Value, done: dict[int, Value]) -> Value:
    if not isinstance(value, Instance | ListValue):
        return value
    if id(value.cell) in done:
        return done[id(value.cell)]
    done[id(value.cell)] = value
    made: Value = value
    if isinstance(value, ListValue):
        made = replace(value, items=[_plain_fields(item, done) for item in value.items])
    elif isinstance(value.cls, ClassValue):
        items: dict[Key, Value] = {}
        items.update({name: _plain_fields(v, done) for name, v in value.attrs.items() if not name.startswith("@")})
        made = DictValue(items=items, origin=value.cls.name)
    done[id(value.cell)] = made
    return made


@model("functools.reduce")
def _reduce(call: ModelCall) -> Value | None:
    """As settings are merged one after the other, or looked up key by key."""
    function, items, initial = call.get("function", 0), call.get("sequence", 1), call.get("initial", 2)
    if function is None or not isinstance(items, ListValue) or not items.complete or len(items.items) > MOST_REDUCED:
        return None
    values = list(items.items)
    if initial is None and not values:
        return None
    result = values.pop(0) if initial is None else initial
    for value in values:
        result = call.interpreter.call(function, Arguments(positional=(result, value)), call.location)
    return result


@model("operator.getitem")
def _getitem(call: ModelCall) -> Value | None:
    if len(call.arguments.positional) != 2:
        return None
    owner, key = call.arguments.positional
    return call.interpreter.item(owner, key, call.location)


@model("operator.methodcaller.__call__")
def _call_method(call: ModelCall) -> Value | None:
    """`operator.methodcaller("train", False)(net)` is `net.train(False)`."""
    kept = call.receiver.arguments if isinstance(call.receiver, Instance) else None
    if kept is None or not kept.positional or len(call.arguments.positional) != 1:
        return None
    name, *rest = kept.positional
    if not isinstance(name, Const) or not isinstance(name.value, str):
        return None
    method = call.interpreter.attribute(call.arguments.positional[0], name.value, call.location)
    return call.interpreter.call(method, replace(kept, positional=tuple(rest)), call.location)


@model("functools.partial")
def _partial(call: ModelCall) -> Value | None:
    if not call.arguments.positional:
        return None
    function, *rest = call.arguments.positional
    kept = replace(call.arguments, positional=tuple(rest), keywords=dict(call.arguments.keywords))
    return call.instance(function=function, arguments=kept)


@model("functools.partial.__call__")
def _call_partial(call: ModelCall) -> Value | None:
    function, kept = call.state("function"), call.state("arguments")
    if function is None or not isinstance(kept, Arguments):
        return None
    arguments = Arguments(
        positional=(*kept.positional, *call.arguments.positional),
        keywords={**kept.keywords, **call.arguments.keywords},
        open_kwargs=kept.open_kwargs or call.arguments.open_kwargs,
    )
    return call.interpreter.call(function, arguments, call.location)


for _name in ("functools.lru_cache", "functools.cache", "functools.wraps", "functools.singledispatch"):

    @model(f"{_name}.__call__")
    def _decorated(call: ModelCall) -> Value | None:
        return call.first


@model("functools.cache", "functools.lru_cache", "functools.singledispatch", "torch.compile", "torch.jit.script")
def _wrapped(call: ModelCall) -> Value | None:
    """A decorator without arguments, or a wrapper: what is called stays what was given."""
    given = call.arguments.positional
    if len(given) == 1 and not isinstance(given[0], Const):
        return given[0]
    return None


derives("cloudpickle.partial", "functools.partial")


@model("sys.exit", "os._exit", "os.abort", "argparse.ArgumentParser.error", "argparse.ArgumentParser.exit")
def _exit(call: ModelCall) -> Value:
    raise ProgramRaisedError("SystemExit", call.location)


@model("ast.literal_eval")
def _literal_eval(call: ModelCall) -> Value | None:
    written = call.get("node_or_string", 0)
    if not isinstance(written, Const) or not isinstance(written.value, str) or len(written.value) > MOST_TEXT:
        return None
    value = literal_in(written)
    return Unknown(reason=f"{written.value[:40]!r} is no literal") if value is None else value


@model("torch.utils.data.random_split")
def _random_split(call: ModelCall) -> Value | None:
    """One `Subset` per length; which items each holds is a draw, unless its generator is seeded."""
    dataset, lengths = call.get("dataset", 0), call.get("lengths", 1)
    if dataset is None or not isinstance(lengths, ListValue):
        return None
    parts: list[Value] = []
    picked = Draw("torch.utils.data.random_split", call.location, generator_seed(call.get("generator", 2)))
    for number, length in enumerate(lengths.items):
        indices = Unknown(reason="the indices of a random split", draws=length.draws | {picked})
        arguments = Arguments(positional=(dataset, indices), keywords={"@part": Const(value=number), "@length": length})
        subset = call.instance("torch.utils.data.Subset")
        parts.append(replace(subset, arguments=arguments))
    return listing(parts, complete=lengths.complete)


@model("torch.Generator.manual_seed", "random.Random.seed", "numpy.random.RandomState.seed")
def _seed_generator(call: ModelCall) -> Value | None:
    """A generator of one's own is seeded: its draws repeat themselves."""
    seed = call.get("seed", 0) or call.get("a")
    if seed is not None:
        call.set_state("seed", seed)
    return call.receiver if call.callee.endswith("manual_seed") else NONE


@model("os.listdir.sort", "glob.glob.sort", "glob2.glob.sort")
def _sort_names(call: ModelCall) -> Value:
    """The list of names of a folder is sorted where it is."""
    call.set_state("sorted", Const(value=True))
    return NONE
