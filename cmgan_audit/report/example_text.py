"""What came of the examples of rules, for `rules --test`."""

from __future__ import annotations

import json
from collections.abc import Sequence

from cmgan_audit.gate.examples import Tried

SCHEMA = "cmgan-audit/rule-test/v1"


def as_text(tried: Sequence[Tried]) -> str:
    """Return a line per example that is not judged as it says, and the count of all."""
    wrong = [each for each in tried if each.problem]
    lines = [f"{_place(each)}: {each.rule.id} {each.example.verdict} example: {each.problem}" for each in wrong]
    rules = len({each.rule.id for each in tried})
    right = len(tried) - len(wrong)
    lines.append(
        f"{right} of {len(tried)} examples of {rules} {'rule' if rules == 1 else 'rules'} are judged as they say"
    )
    return "\n".join(lines) + "\n"


def as_json(tried: Sequence[Tried]) -> str:
    """Return all examples with what came of them, schema cmgan-audit/rule-test/v1."""
    examples = [
        {
            "rule": each.rule.id,
            "path": str(each.rule.path),
            "line": each.example.line,
            "verdict": each.example.verdict,
            "problem": each.problem or None,
        }
        for each in tried
    ]
    return json.dumps({"schema": SCHEMA, "examples": examples}, indent=2, ensure_ascii=False) + "\n"


def _place(tried: Tried) -> str:
    return f"{tried.rule.path}:{tried.example.line}"
