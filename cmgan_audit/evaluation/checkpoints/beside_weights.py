"""Files that a trainer saves beside its checkpoints: a scheduler, an optimizer, a history. They are none themselves.

A shell that spells `ckpt/*.pth` out names them too, and the last name decides the comparison. A file is only passed
over for what it holds and what it is called: `epoch_14.pth` without weights is a checkpoint that was lost.
"""

from __future__ import annotations

import re
from pathlib import Path

from cmgan_audit.evaluation.checkpoints.errors import CheckpointError
from cmgan_audit.evaluation.checkpoints.naming import is_named_beside_weights, read_name
from cmgan_audit.evaluation.checkpoints.reading import open_file
from cmgan_audit.evaluation.checkpoints.sets import state_dicts
from cmgan_audit.lazy_regex import regex

# What checkpoints are called where nothing counts them.
_CALLED_WEIGHTS = regex(
    r"(?:^|[^a-z])(?:best|last|latest|final|models?|net|gen|generator|weights?|ckpt|checkpoint|ema|pretrained)(?![a-z])",
    re.IGNORECASE,
)


def is_beside_weights(path: Path) -> bool:
    """Whether a file can be read and holds no weights, and its name does not say that it should."""
    if not path.is_file() or not _is_called_otherwise(path.name):
        return False
    try:
        return not state_dicts(open_file(path))
    except CheckpointError:
        return False


def _is_called_otherwise(name: str) -> bool:
    said = read_name(name)
    is_counted = said.epoch is not None or said.step is not None
    return is_named_beside_weights(name) or not (is_counted or _CALLED_WEIGHTS.search(name))
