"""`summary.json` of compare-ckpts: the contract's document, without time stamps, so equal inputs give equal bytes."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from cmgan_audit import __version__
from cmgan_audit.evaluation.result import CheckpointSummary, ComparisonResult, MetricComparison, MetricSummary
from cmgan_audit.finding import Finding, JsonValue
from cmgan_audit.statistics.groups import GroupDifference

SCHEMA = "cmgan-audit/compare/v1"


def comparison_document(result: ComparisonResult) -> dict[str, JsonValue]:
    """The document as plain values, keys in the order in which a person wants to read them."""
    check = result.self_check
    return {
        "schema": SCHEMA,
        "tool": {"name": "cmgan-audit", "version": __version__},
        "verdict": result.outcome.value,
        "signature": result.signature,
        "primary_metric": result.primary,
        "floor": result.floor,
        "baseline": result.baseline,
        "order": list(result.order),
        "utterances": len(result.utterances),
        "left_out_by_limit": result.left_out,
        "strata": result.strata.source,
        "self_check": None
        if check is None
        else {"result": check.result, "rows": check.rows, "exact": check.exact, "largest_difference": check.largest},
        "checkpoints": [_checkpoint(entry) for entry in result.checkpoints],
        "comparisons": [_comparison(entry) for entry in result.comparisons],
        "findings": [_finding(finding) for finding in result.findings],
        "notes": list(result.notes),
    }


def to_json(result: ComparisonResult) -> str:
    """The document as text."""
    return json.dumps(comparison_document(result), indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def _checkpoint(entry: CheckpointSummary) -> dict[str, JsonValue]:
    return {
        "name": entry.name,
        "path": entry.path,
        "sha256": entry.sha256,
        "epoch": entry.epoch,
        "metrics": {name: _metric(summary) for name, summary in entry.metrics.items()},
    }


def _metric(summary: MetricSummary) -> dict[str, JsonValue]:
    return {"mean": summary.mean, "sd": summary.sd, "n": summary.n, "failed": summary.failed}


def _comparison(entry: MetricComparison) -> dict[str, JsonValue]:
    one = entry.comparison
    return {
        "baseline": one.baseline,
        "candidate": one.candidate,
        "metric": entry.metric,
        "family": one.family,
        "mean_difference": one.mean_difference,
        "ci_low": one.ci_low,
        "ci_high": one.ci_high,
        "p_value": one.p_value,
        "p_adjusted": one.p_adjusted,
        "n": one.n,
        "minimum_detectable_effect": one.minimum_detectable_effect,
        "share_worse": one.share_worse,
        "verdict": one.verdict.value,
        "groups": _groups(one.groups),
    }


def _groups(groups: Sequence[GroupDifference]) -> list[JsonValue]:
    return [
        {
            "grouping": group.grouping,
            "group": group.group,
            "n": group.n,
            "mean_difference": group.mean_difference,
            "ci_low": group.ci_low,
            "ci_high": group.ci_high,
            "share_worse": group.share_worse,
        }
        for group in groups
    ]


def _finding(finding: Finding) -> dict[str, JsonValue]:
    evidence: Mapping[str, JsonValue] = finding.evidence
    return {
        "rule": finding.rule,
        "name": finding.name,
        "severity": finding.severity.value,
        "confidence": finding.confidence.value,
        "message": finding.message,
        "evidence": dict(evidence),
        "fingerprint": finding.fingerprint,
    }
