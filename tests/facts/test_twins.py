"""Small programs in pairs that differ in one line: the rule must find the bad one and be silent about the good one.

`twins/*.yaml` holds them; each pair is one mechanism: a way in which a value, a draw or a call travels.
Where `times` is given, the bad one has exactly so many findings; `says` is a part of their message, `at` of their
lines, `way` of a step of their trail; `profile` names the training to compare with; `open` is true where the good one
is left undecided.
"""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import pytest
import yaml

from cmgan_audit.gate.audited import Audited
from cmgan_audit.gate.check import Auditor

# libyaml, where it is there, reads them in a tenth of the time.
LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
TWINS = [
    pytest.param({**twin, "files": {**document["shared"], **twin["files"]}}, id=f"{twin['rule']}: {twin['name']}")
    for path in sorted((Path(__file__).parent / "twins").glob("*.yaml"))
    for document in [yaml.load(path.read_text(encoding="utf-8"), LOADER)]
    for twin in document["twins"]
]


def audit(auditor: Auditor, folder: Path, twin: dict[str, Any], which: str) -> Audited:
    text = "".join(twin["files"].values())
    assert text.count("@@") == 1, "a pair differs in one place"
    for name, content in twin["files"].items():
        path = folder / which / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content.replace("@@", twin[which]), encoding="utf-8")
    settings = dataclasses.replace(auditor.settings, profile=twin.get("profile", ""))
    return dataclasses.replace(auditor, settings=settings).audit(folder / which)


@pytest.mark.parametrize("twin", TWINS)
def test_the_bad_twin_is_found_and_the_good_one_is_not(auditor: Auditor, tmp_path: Path, twin: dict[str, Any]) -> None:
    bad = audit(auditor, tmp_path, twin, "bad")
    found = [finding.rule for finding in bad.findings].count(twin["rule"])
    assert found == twin.get("times", found or 1), bad.unresolved
    messages = [finding.message for finding in bad.findings if finding.rule == twin["rule"]]
    assert all(twin.get("says", "") in message for message in messages), messages
    places = [finding.location for finding in bad.findings if finding.rule == twin["rule"]]
    lines = [(tmp_path / "bad" / each.path).read_text(encoding="utf-8").splitlines()[each.line - 1] for each in places]
    assert all(twin.get("at", "") in line for line in lines), lines
    ways = [[step.note for step in finding.trail] for finding in bad.findings if finding.rule == twin["rule"]]
    assert all(any(twin.get("way", "") in note for note in notes or [""]) for notes in ways), ways
    good = audit(auditor, tmp_path, twin, "good")
    assert twin["rule"] not in {finding.rule for finding in good.findings}
    assert (twin["rule"] in {entry.rule for entry in good.unresolved}) == twin.get("open", False), good.unresolved
