"""The JSON document of `trend`."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence

from cmgan_audit import __version__
from cmgan_audit.finding import Finding, JsonValue, Severity
from cmgan_audit.logs.judging import Judgement
from cmgan_audit.logs.raising import exact
from cmgan_audit.logs.search import Search
from cmgan_audit.logs.series import Run, Series
from cmgan_audit.report.trend_text import sentence

SCHEMA = "cmgan-audit/trend/v1"


def trend_document(found: Search, judgement: Judgement, verdict: str, fail_on: Severity | None) -> str:
    """The document as text: one line per series, so that it can be read and compared.

    Values that are NaN or infinite are null in `points`; `not_finite` counts them. The verdict speaks of the course of
    the metrics alone; `failing` lists the rules for which the exit status is 1, empty when it is not.
    """
    failing = [f.rule for f in judgement.findings if fail_on is not None and f.severity >= fail_on]
    document: dict[str, JsonValue] = {
        "schema": SCHEMA,
        "tool": {"name": "cmgan-audit", "version": __version__},
        "runs": [_run(run, reading.format) for reading in found.readings for run in reading.runs],
        "findings": [_finding(finding) for finding in judgement.findings],
        "judged": [
            {
                "run": one.run.title,
                "series": one.series.name,
                "measure": one.measure.key,
                "evaluations": len(one.series),
                "scores_of_batches": one.batches,
                "certain": one.certain,
                "noise": round(one.floor.half_width, 6),
                "noise_from": one.floor.origin,
            }
            for one in judgement.judged
        ],
        "not_understood": [str(note) for note in [*_notes(found)]],
        "without_series": list(found.without_series),
        "failed": [str(note) for note in found.failed],
        "verdict": verdict,
        "summary": sentence(judgement, verdict),
        "fail_on": "never" if fail_on is None else fail_on.value,
        "failing": list(dict.fromkeys(failing)),
    }
    return json.dumps(document, ensure_ascii=False, allow_nan=False, indent=1) + "\n"


def _notes(found: Search) -> Sequence[object]:
    return [*(note for reading in found.readings for note in reading.notes), *found.notes]


def _run(run: Run, form: str) -> dict[str, JsonValue]:
    return {
        "source": run.source,
        "label": run.label,
        "format": form,
        "restarts": [
            {"at": exact(r.x), "before": exact(r.before), "place": r.place, "counts_anew": r.anew} for r in run.restarts
        ],
        "superseded": run.superseded,
        "series": [_series(series) for series in run.series],
    }


def _series(series: Series) -> dict[str, JsonValue]:
    bad = sum(1 for y in series.ys if not math.isfinite(y))
    return {
        "name": series.name,
        "role": series.role.kind,
        "measure": series.role.measure or None,
        "phase": series.role.phase or None,
        "network": series.role.network or None,
        "higher_is_better": series.role.higher_is_better,
        "x": series.x_kind,
        "seen": series.seen,
        "thinned_by": series.stride,
        "not_finite": bad,
        "points": [[_whole(x), y if math.isfinite(y) else None] for x, y, _ in series],
    }


def _whole(x: float) -> int | float | None:
    if not math.isfinite(x):
        return None
    return int(x) if x.is_integer() else x


def _finding(finding: Finding) -> dict[str, JsonValue]:
    place = finding.location
    return {
        "rule": finding.rule,
        "name": finding.name,
        "severity": finding.severity.value,
        "confidence": finding.confidence.value,
        "path": place.path if place else None,
        "line": place.line if place else None,
        "message": finding.message,
        "evidence": {
            k: None if isinstance(v, float) and not math.isfinite(v) else v for k, v in finding.evidence.items()
        },
        "fingerprint": finding.fingerprint,
    }
