"""What hands on what it is given: Accelerate, Fabric, Apex and weight norms give it back, `data_parallel` calls it."""

from __future__ import annotations

from cmgan_audit.program.domain.values import Arguments, Const, DictValue, ListValue, Value
from cmgan_audit.program.models.registry import ModelCall, derives, listing, model

derives("lightning.Fabric", "lightning.fabric.Fabric")
derives("lightning_fabric.Fabric", "lightning.fabric.Fabric")
derives("accelerate.accelerator.Accelerator", "accelerate.Accelerator")


@model(
    "accelerate.Accelerator.prepare",
    "accelerate.Accelerator.prepare_data_loader",
    "accelerate.Accelerator.prepare_model",
    "accelerate.Accelerator.prepare_optimizer",
    "lightning.fabric.Fabric.setup",
    "lightning.fabric.Fabric.setup_module",
    "lightning.fabric.Fabric.setup_dataloaders",
    "lightning.fabric.Fabric.setup_optimizers",
)
def _handed_through(call: ModelCall) -> Value | None:
    """One argument comes back as it is, several as a tuple; what the audit asks of them does not change."""
    given = list(call.arguments.positional)
    if not given:
        return None
    return given[0] if len(given) == 1 else listing(given, "tuple")


@model("accelerate.Accelerator.unwrap_model", "accelerate.utils.extract_model_from_parallel")
def _unwrapped(call: ModelCall) -> Value | None:
    """The network behind a wrapper, which has its mode and its weights: `accelerator.unwrap_model(model).eval()`."""
    return call.get("model", 0)


@model(
    "torch.nn.utils.weight_norm",
    "torch.nn.utils.spectral_norm",
    "torch.nn.utils.remove_weight_norm",
    "torch.nn.utils.remove_spectral_norm",
    "torch.nn.utils.parametrizations.weight_norm",
    "torch.nn.utils.parametrizations.spectral_norm",
    "torch.nn.utils.parametrizations.orthogonal",
    "torch.nn.utils.parametrize.register_parametrization",
    "torch.nn.utils.parametrize.remove_parametrizations",
)
def _reparametrised(call: ModelCall) -> Value | None:
    """The layer itself, whose weights are computed of others from now on: `weight_norm(Conv1d(1, 8, 3))`."""
    return call.get("module", 0)


@model("apex.amp.initialize")
def _for_apex(call: ModelCall) -> Value | None:
    """Networks and optimisers come back as they were given; without optimisers the networks alone."""
    models, optimizers = call.get("models", 0), call.get("optimizers", 1)
    if models is None or optimizers is None or (isinstance(optimizers, Const) and optimizers.value is None):
        return models
    return listing([models, optimizers], "tuple")


@model("torch.nn.parallel.data_parallel")
def _data_parallel(call: ModelCall) -> Value | None:
    """The network runs on the parts of its input, one for each GPU, and gives what it gives for the whole."""
    module, inputs, keywords = call.get("module", 0), call.get("inputs", 1), call.get("module_kwargs", 4)
    if module is None:
        return None
    parts = tuple(inputs.items) if isinstance(inputs, ListValue) and inputs.kind == "tuple" else (inputs,)
    named = keywords.items.items() if isinstance(keywords, DictValue) else ()
    given = Arguments(
        positional=tuple(part for part in parts if part is not None),
        keywords={key: value for key, value in named if isinstance(key, str)},
    )
    return call.interpreter.call(module, given, call.location)
