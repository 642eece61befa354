"""The document of `inspect`, schema cmgan-audit/inspect/v1."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence

from cmgan_audit import __version__
from cmgan_audit.evaluation.checkpoints.changes import Changes
from cmgan_audit.evaluation.checkpoints.inspection import CheckpointFacts, WeightsFacts
from cmgan_audit.finding import JsonValue

SCHEMA = "cmgan-audit/inspect/v1"


def to_json(
    files: Sequence[CheckpointFacts],
    changes: Sequence[tuple[str, str, Changes]],
    equal: Sequence[Sequence[str]],
    failed: Sequence[tuple[str, str]],
) -> str:
    """The facts as JSON; arguments as for `inspect_text.to_text`."""
    document: dict[str, JsonValue] = {
        "schema": SCHEMA,
        "tool": {"name": "cmgan-audit", "version": __version__},
        "checkpoints": [_file(facts) for facts in files],
        "changes": [{"earlier": a, "later": b, **_changes(change)} for a, b, change in changes],
        "duplicates": [list(group) for group in equal],
        "failed": [{"path": path, "reason": reason} for path, reason in failed],
    }
    return json.dumps(document, indent=2, ensure_ascii=False, allow_nan=False)


def _file(facts: CheckpointFacts) -> dict[str, JsonValue]:
    checkpoint = facts.checkpoint
    return {
        "path": checkpoint.path.as_posix(),
        "sha256": checkpoint.sha256,
        "bytes": facts.size,
        "form": checkpoint.form,
        "epoch": checkpoint.epoch,
        "epoch_from": checkpoint.epoch_from or None,
        "values": dict(facts.values),
        "weights": [_weights(weights) for weights in facts.weights],
    }


def _weights(facts: WeightsFacts) -> dict[str, JsonValue]:
    return {
        "name": facts.name,
        "digest": facts.digest,
        "tensors": facts.tensors,
        "parameters": facts.parameters,
        "dtypes": dict(facts.dtypes),
        "not_finite": dict(facts.not_finite),
        "all_zero": list(facts.all_zero),
        "largest": None if facts.largest is None else {"tensor": facts.largest[0], "value": facts.largest[1]},
        "batch_norms": [
            {
                "layer": state.layer,
                "condition": state.condition,
                "largest_variance": state.largest_variance if math.isfinite(state.largest_variance) else None,
                "batches": state.batches,
            }
            for state in facts.batch_norms
        ],
    }


def _changes(changes: Changes) -> dict[str, JsonValue]:
    return {
        "relative": changes.relative,
        "added": list(changes.added),
        "removed": list(changes.removed),
        "reshaped": list(changes.reshaped),
        "layers": [
            {
                "layer": layer.layer,
                "relative": layer.relative,
                "largest": layer.largest,
                "tensors_changed": layer.tensors[0],
                "tensors": layer.tensors[1],
            }
            for layer in changes.layers
        ],
    }
