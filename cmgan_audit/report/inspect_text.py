"""The text of `inspect`: one paragraph a checkpoint, then what changed from each to the next."""

from __future__ import annotations

from collections.abc import Sequence

from cmgan_audit.evaluation.checkpoints.changes import Changes
from cmgan_audit.evaluation.checkpoints.inspection import CheckpointFacts, WeightsFacts
from cmgan_audit.finding import JsonValue

_LAYERS_SHOWN = 10
_NAMES_SHOWN = 6
_VALUES_SHOWN = 30


def to_text(
    files: Sequence[CheckpointFacts],
    changes: Sequence[tuple[str, str, Changes]],
    equal: Sequence[Sequence[str]],
    failed: Sequence[tuple[str, str]],
) -> str:
    """Lay out everything that `inspect` found.

    Args:
        files: the checkpoints that could be read.
        changes: (earlier, later, what changed) for neighbours on the command line.
        equal: groups of paths with equal weights.
        failed: (path, reason) of the files that could not be read.
    """
    lines: list[str] = []
    for facts in files:
        lines += [*_file(facts), ""]
    for earlier, later, change in changes:
        lines += [f"from {earlier} to {later}", *_changes(change), ""]
    lines += [f"the same weights: {', '.join(group)}" for group in equal]
    lines += [f"not read: {reason}" for _, reason in failed]
    return "\n".join(lines).rstrip()


def _file(facts: CheckpointFacts) -> list[str]:
    checkpoint = facts.checkpoint
    epoch = "not told by content or name" if checkpoint.epoch is None else str(checkpoint.epoch)
    source = f" (from the {checkpoint.epoch_from})" if checkpoint.epoch_from else ""
    lines = [
        str(checkpoint.path),
        f"  form      {checkpoint.form}, {facts.size:,} bytes, sha256 {checkpoint.sha256[:16]}",
        f"  epoch     {epoch}{source}",
    ]
    shown = [f"{place} = {_value(value)}" for place, value in facts.values.items()]
    for i, line in enumerate(shown[:_VALUES_SHOWN]):
        lines.append(f"  {'values' if i == 0 else '':9} {line}")
    if len(shown) > _VALUES_SHOWN:
        lines.append(f"  {'':9} and {len(shown) - _VALUES_SHOWN} more (--format json shows all)")
    if not facts.weights:
        lines.append("  weights   none")
    for weights in facts.weights:
        lines += _weights(weights)
    return lines


def _value(value: JsonValue) -> str:
    if isinstance(value, list):
        return "[" + ", ".join(_value(item) for item in value) + "]"
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def _weights(facts: WeightsFacts) -> list[str]:
    types = ", ".join(f"{count} {kind}" for kind, count in facts.dtypes.items())
    lines = [
        f"  weights   {facts.name or '(top level)'}: {facts.parameters:,} parameters, tensors: {types}, "
        f"digest {facts.digest[:16]}"
    ]
    if facts.not_finite:
        counted = [f"{name} ({count})" for name, count in facts.not_finite.items()]
        lines.append(f"            NaN or Inf in {len(counted)} tensors: {_some(counted)}")
    else:
        lines.append("            all values are finite")
    if facts.all_zero:
        lines.append(f"            zero everywhere in {len(facts.all_zero)} tensors: {_some(facts.all_zero)}")
    if facts.largest is not None:
        lines.append(f"            largest absolute value {facts.largest[1]:.4g}, in {facts.largest[0]}")
    if facts.batch_norms:
        conditions = [state.condition for state in facts.batch_norms]
        counts = ", ".join(f"{conditions.count(kind)} {kind}" for kind in ("trained", "untouched", "exploded"))
        lines.append(f"            batch norm: {len(conditions)} layers, running statistics: {counts}")
        for kind in ("untouched", "exploded"):
            names = [state.layer for state in facts.batch_norms if state.condition == kind]
            if names:
                lines.append(f"            {kind}: {_some(names)}")
    return lines


def _changes(changes: Changes) -> list[str]:
    total = "cannot be told" if changes.relative is None else f"{changes.relative:.4g}"
    lines = [f"  relative change of all common weights: {total}"]
    for label, names in (
        ("only in the later", changes.added),
        ("only in the earlier", changes.removed),
        ("another shape or type", changes.reshaped),
    ):
        if names:
            lines.append(f"  {label}: {len(names)} tensors: {_some(names)}")
    moved = [layer for layer in changes.layers if layer.relative != 0]
    still = len(changes.layers) - len(moved)
    if moved:
        lines.append("  relative   largest   layer")
    for layer in moved[:_LAYERS_SHOWN]:
        relative = "      n/a" if layer.relative is None else f"{layer.relative:9.4g}"
        largest = "      n/a" if layer.largest is None else f"{layer.largest:9.4g}"
        lines.append(f"  {relative} {largest}   {layer.layer}")
    if len(moved) > _LAYERS_SHOWN:
        lines.append(f"  and {len(moved) - _LAYERS_SHOWN} more layers that changed less (--format json shows all)")
    lines.append(f"  {still} of {len(changes.layers)} layers did not change")
    return lines


def _some(names: Sequence[str]) -> str:
    more = f" and {len(names) - _NAMES_SHOWN} more" if len(names) > _NAMES_SHOWN else ""
    return ", ".join(names[:_NAMES_SHOWN]) + more
