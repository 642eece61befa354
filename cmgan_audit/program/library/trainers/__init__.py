"""Training frameworks that call the tree's code: which hooks they run, in which order, over which loaders.

Each pass that a framework makes over a loader is an event that names the framework; the steps run inside it, in the
mode that the framework sets.
"""

from __future__ import annotations

from cmgan_audit.finding import Location
from cmgan_audit.program.domain.values import Arguments, Instance, Value
from cmgan_audit.program.execution.interpreter import Interpreter
from cmgan_audit.program.library.trainers import catalyst, ignite, lightning, speechbrain, transformers
from cmgan_audit.program.library.trainers.hooks import Trainer

_TRAINERS: dict[str, Trainer] = {
    "lightning.pytorch.Trainer.fit": lightning.fit,
    "lightning.pytorch.Trainer.validate": lightning.evaluation(
        "validate", "val_dataloader", "validation_step", ("on_validation_epoch_end",)
    ),
    "lightning.pytorch.Trainer.test": lightning.evaluation(
        "test", "test_dataloader", "test_step", ("on_test_epoch_end",)
    ),
    "lightning.pytorch.Trainer.predict": lightning.evaluation("predict", "predict_dataloader", "predict_step", ()),
    "speechbrain.Brain.fit": speechbrain.fit,
    "speechbrain.core.Brain.fit": speechbrain.fit,
    "speechbrain.Brain.evaluate": speechbrain.evaluate,
    "speechbrain.core.Brain.evaluate": speechbrain.evaluate,
    "ignite.engine.Engine.run": ignite.run,
    "ignite.engine.engine.Engine.run": ignite.run,
    "catalyst.dl.Runner.train": catalyst.train,
    "catalyst.dl.SupervisedRunner.train": catalyst.train,
    **{
        f"transformers.{trainer}.{method}": run
        for trainer in ("Trainer", "Seq2SeqTrainer")
        for method, run in {
            "train": transformers.train,
            "evaluate": transformers.evaluation("evaluate", "eval"),
            "predict": transformers.evaluation("predict", "test"),
            "evaluation_loop": transformers.evaluation_loop,
        }.items()
    },
}


def run_trainer(
    it: Interpreter, name: str, receiver: Value | None, arguments: Arguments, location: Location
) -> Value | None:
    """Execute what a framework does in this call; None when it is no call of a framework."""
    trainer = _TRAINERS.get(name)
    if trainer is None:
        return None
    return trainer(it, receiver if isinstance(receiver, Instance) else None, arguments, location)
