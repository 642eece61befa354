"""What training frameworks do by themselves, as one table; the interpreter's models emit the passes that they make.

A pass that a framework makes (`IterateEvent.framework`) is taken to be right about what stands here: it switches
networks to eval mode, turns gradients off and tells samplers the epoch.
"""

from __future__ import annotations

# What runs the backward pass and the steps in an order of its own, scales losses and hands out clipped gradients.
OWN_ORDER = ("accelerate.", "lightning.", "deepspeed.", "apex.")

# Class or function of a framework, and its argument that holds the number of accumulated steps.
_ACCUMULATING = {
    "lightning.pytorch.Trainer": "accumulate_grad_batches",
    "pytorch_lightning.Trainer": "accumulate_grad_batches",
    "lightning.Trainer": "accumulate_grad_batches",
    "accelerate.Accelerator": "gradient_accumulation_steps",
    "accelerate.utils.GradientAccumulationPlugin": "num_steps",
    "transformers.TrainingArguments": "gradient_accumulation_steps",
    "transformers.Seq2SeqTrainingArguments": "gradient_accumulation_steps",
}


def accumulating_argument(callee: str) -> str:
    """The argument of a framework's call that holds the number of accumulated steps, "" when it is none."""
    return _ACCUMULATING.get(callee, "")
