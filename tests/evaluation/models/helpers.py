"""Models that users bring, for the tests: a file with a factory, and what stands for its process."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from cmgan_audit.evaluation.models.hosted.enhancer import CodeModel, HostedEnhancer, TimeLimits
from cmgan_audit.evaluation.models.sources import ModelOptions, model_source

# What a model gives, or how it fails, is the same in a process that is started for it as in a copy of this one.
# What it imports, prints, reads and draws is tested in the first.
quick = pytest.mark.usefixtures("forked_hosts")
NOISY = np.random.default_rng(1).normal(0, 0.1, 3210).astype(np.float32)


def factory(tmp_path, body):
    """Options for a file with a factory `make(checkpoint, device)` of this body."""
    lines = "\n".join(f"    {line}" for line in body.splitlines())
    path = tmp_path / "mine.py"
    path.write_text(f"import os, sys, time\nimport numpy as np\n\ndef make(checkpoint, device):\n{lines}\n")
    return ModelOptions(model=f"{path}:make")


def opened(options, checkpoint):
    return model_source(options).open(checkpoint)


def hosted(options, checkpoint, **limits):
    path = Path(options.model.rpartition(":")[0])
    return HostedEnhancer(CodeModel("factory", options.model, path.parent), checkpoint, "cpu", TimeLimits(**limits))
