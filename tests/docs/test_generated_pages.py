"""docs/rules/ and the schema of the settings are generated; a page that was not written again is stale."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import jsonschema
import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("script", ["make_rule_pages.py", "make_settings_schema.py", "make_condensed_catalogue.py"])
def test_generated_files_are_current(script):
    done = subprocess.run(
        [sys.executable, str(ROOT / "scripts" / script), "--check"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, f"{done.stdout}{done.stderr}run: python scripts/{script}"


def test_the_schema_knows_right_settings_from_wrong_ones():
    schema = json.loads((ROOT / "docs" / "settings.schema.json").read_text(encoding="utf-8"))
    validator = jsonschema.Draft202012Validator(schema)
    right = {"fail_on": "note", "per_rule": {"CMG101": {"severity": "note", "min_batch_size": 8}}}
    assert validator.is_valid(right)
    for wrong in ({"fail-on": "note"}, {"per_rule": {"CMG101": {"min_batch_size": "8"}}}, {"select": "CMG1"}):
        assert not validator.is_valid(wrong)
