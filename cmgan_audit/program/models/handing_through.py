"""Libraries that wrap what they are given and hand it back in the same order: Accelerate, Fabric, Apex."""

from __future__ import annotations

from cmgan_audit.program.models.registry import ModelCall, derives, listing, model
from cmgan_audit.program.values import Const, Value

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


@model("apex.amp.initialize")
def _for_apex(call: ModelCall) -> Value | None:
    """Networks and optimisers come back as they were given; without optimisers the networks alone."""
    models, optimizers = call.get("models", 0), call.get("optimizers", 1)
    if models is None or optimizers is None or (isinstance(optimizers, Const) and optimizers.value is None):
        return models
    return listing([models, optimizers], "tuple")
